"""The payout functions, from the schedule's tick to the report, through the real handlers."""

import csv
import hashlib
import io
import json
import re
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace
from openpyxl import load_workbook

from cardstock import environment
from cardstock.clock import rfc3339
from cardstock.network import wiring
from cardstock.network.presets import SINGLE_LEVEL
from cardstock.network.publishing import publish_plan
from functions.payouts.monthly_open import app as monthly
from functions.payouts.on_step import app as steps
from tests.house.cloud import ROOT, Cloud, Context, http_event, queue_event
from tests.house.payloads import function_of
from tests.house.stacks import resources
from tests.people.finance import CARD, FIRST, PAYOUT, Finance, member_id
from tests.people.staff import serve_confirmed


def test_a_month_is_paid_from_the_tick_to_the_report(finance: Finance, cloud: Cloud) -> None:
    rich, poor = finance.member(1, 500_000), finance.member(2, 60_000, name="=李娜")
    finance.sent()
    lines = finance.lines()
    finance.results({"number": lines[poor]["number"], "result": "failed", "reason": "ACCOUNT_CLOSED"}, others=True)
    assert not finance.drain()
    _, payout = finance.call("GET", f"/v1/payouts/{PAYOUT}")
    _, report = finance.call("GET", f"/v1/payouts/{PAYOUT}/report")

    assert payout["status"] == "settled"
    assert payout["books"]["closes"] is True
    assert payout["books"]["ledger"] == payout["books"]["batch"] == payout["books"]["channel"]
    assert payout["totals"]["paid"] == {
        "lines": 1, "listed_fen": 500_000, "gross_fen": 500_000, "tax_fen": 80_000, "net_fen": 420_000,
    }  # fmt: skip
    assert finance.balance(rich) == {"paid": 420_000, "withheld": 80_000}
    assert finance.balance(poor) == {"available": 60_000}
    assert [file["name"] for file in report["files"]] == [
        "draft.xlsx", "draft.csv", "transfers.csv", "report.xlsx", "lines.csv", "cover.pdf",
    ]  # fmt: skip
    for file in report["files"]:
        key = urlsplit(file["url"]).path.removeprefix("/reports/").lstrip("/")
        content = cloud.s3.get_object(Bucket="reports", Key=key)["Body"].read()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert re.search(rf"/reports/payouts/{PAYOUT}/(draft-[0-9a-f]{{16}}/)?{file['name']}\?", file["url"])
    finance.check_ledger()


def test_the_bank_file_says_whom_to_pay_what(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 500_000)
    finance.sent()
    content = cloud.s3.get_object(Bucket="reports", Key=f"payouts/{PAYOUT}/transfers.csv")["Body"].read()
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))

    assert len(rows) == 2
    assert rows[1][:7] == ["1", "张伟", CARD, "中国工商银行", "杭州西湖支行", "4200.00", "佣金2026-11"]
    assert rows[1][7] == finance.lines()[member_id(1)]["number"]


def test_the_workbook_in_the_bucket_shows_the_month(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 500_000)
    finance.earn(member_id(1), 1_000)
    finance.sent()
    finance.results(others=True)
    finance.drain()
    content = cloud.s3.get_object(Bucket="reports", Key=f"payouts/{PAYOUT}/report.xlsx")["Body"].read()
    rows = list(load_workbook(io.BytesIO(content))["个人对账单 Statements"].iter_rows(min_row=2, values_only=True))

    assert rows[0][5:] == (0, 5_010, 5_010, 0, 5_010, 5_010, 801.6, 4_208.4)


def test_the_same_tick_five_times_makes_one_batch(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 5_000)
    for _ in range(5):
        finance.tick()
    finance.drain()
    before = cloud.state()
    finance.member(2, 5_000)
    added = cloud.state()
    finance.tick()
    finance.drain()

    assert before != added
    assert cloud.state() == added
    assert set(finance.lines()) == {member_id(1)}


def test_only_those_are_listed_who_may_be_paid(finance: Finance) -> None:
    finance.member(1, 1_000)
    finance.member(2, 999)
    finance.member(3, 5_000, verified=False)
    finance.member(4, 5_000, born=date(2008, 12, 2))
    finance.member(5, 5_000, born=date(2008, 12, 1))
    finance.erase(finance.member(6, 5_000))
    finance.earn(finance.member(7, 5_000), -9_000)
    finance.tick()
    finance.drain()

    assert set(finance.lines()) == {member_id(1), member_id(5)}


@pytest.mark.parametrize(("minimum", "listed"), [(7_000, {2}), (0, {1, 2, 3})])
def test_the_plan_in_force_says_from_how_much_on_somebody_is_paid(
    finance: Finance, minimum: int, listed: set[int]
) -> None:
    plan = replace(SINGLE_LEVEL, payout_minimum=minimum)
    publish_plan(plan, (), "key_1", plans=wiring.plans())
    for index, fen in ((1, 6_999), (2, 7_000), (3, 10)):
        finance.member(index, fen)
    finance.earn(finance.member(4, 500), -500)
    finance.tick()
    finance.drain()

    assert set(finance.lines()) == {member_id(index) for index in listed}


def test_a_month_that_is_not_over_is_refused(finance: Finance, cloud: Cloud) -> None:
    before = cloud.state()
    with pytest.raises(Exception, match="PERIOD_NOT_OVER"):
        finance.tick(FIRST + timedelta(days=40))

    assert cloud.state() == before


def test_what_was_refunded_after_listing_shrinks_the_line(finance: Finance) -> None:
    shrunk, gone, indebted, grown = (finance.member(index, 5_000) for index in range(1, 5))
    finance.tick()
    finance.drain()
    finance.earn(shrunk, -4_500)
    finance.earn(gone, -5_000)
    finance.earn(indebted, -5_001)
    finance.earn(grown, 700)
    finance.approve()
    finance.drain()
    lines = finance.lines()

    assert (lines[shrunk]["status"], lines[shrunk]["gross_fen"]) == ("sent", 500)
    assert (lines[gone]["status"], lines[gone]["reason"]) == ("dropped", "nothing_left")
    assert (lines[indebted]["status"], lines[indebted]["reason"]) == ("dropped", "debt")
    assert (lines[grown]["status"], lines[grown]["gross_fen"]) == ("sent", 5_000)
    assert finance.balance(grown) == {"available": 700, "paying": 5_000}
    finance.check_ledger()


def test_who_was_erased_after_listing_is_left_out(finance: Finance) -> None:
    member = finance.member(1, 5_000)
    finance.tick()
    finance.drain()
    finance.erase(member)
    finance.approve()
    finance.drain()

    assert (finance.lines()[member]["status"], finance.lines()[member]["reason"]) == ("dropped", "erased")
    assert finance.balance(member) == {"available": 5_000}
    # Nothing is in flight: the batch settles by itself, with a report that says so.
    assert finance.call("GET", f"/v1/payouts/{PAYOUT}")[1]["status"] == "settled"


def test_what_waits_in_an_older_batch_is_not_listed_again(finance: Finance) -> None:
    stuck, done = finance.member(1, 5_000), finance.member(2, 5_000)
    finance.sent()
    finance.results({"number": finance.lines()[done]["number"], "result": "paid"})
    finance.drain()
    finance.earn(stuck, 5_000, days_ago=0)
    finance.earn(done, 5_000, days_ago=0)
    finance.clock.set(FIRST + timedelta(days=31))
    finance.tick()
    finance.drain()

    assert set(finance.lines("pay_202612")) == {done}


def test_what_a_bank_failed_waits_for_the_next_period(finance: Finance) -> None:
    member, _ = finance.member(1, 90_000), finance.member(2, 90_000)
    finance.sent()
    number = finance.lines()[member]["number"]
    finance.results({"number": number, "result": "failed"})
    finance.drain()
    status, problem = finance.retry(number)

    assert (status, problem["code"]) == (409, "TRANSFER_NOT_FAILED")
    assert (finance.payout()["status"], finance.balance(member)) == ("sending", {"available": 90_000})


def test_a_failed_line_is_paid_in_the_next_period_under_a_new_number(finance: Finance) -> None:
    member = finance.member(1, 5_000)
    finance.sent()
    first = finance.lines()[member]["number"]
    finance.results({"number": first, "result": "failed"})
    finance.drain()
    finance.clock.set(FIRST + timedelta(days=31))
    finance.tick()
    finance.drain()
    again = finance.lines("pay_202612")[member]

    assert again["listed_fen"] == 5_000
    assert again["number"] != first


def test_a_month_that_pays_nobody_is_reported_and_settles_without_an_approval(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 999)
    finance.tick()
    assert not finance.drain()
    payout = finance.payout()
    _, report = finance.call("GET", f"/v1/payouts/{PAYOUT}/report")

    assert (payout["status"], payout["listed"], payout["approved_by"]) == ("settled", 0, None)
    assert [file["name"] for file in report["files"]] == [
        "draft.xlsx", "draft.csv", "report.xlsx", "lines.csv", "cover.pdf",
    ]  # fmt: skip
    assert finance.approve()[0] == 200
    assert finance.balance(member_id(1)) == {"available": 999}
    assert cloud.state() == (finance.tick(), finance.drain(), cloud.state())[2]


def test_nobody_approves_before_everybody_is_listed_and_twice_is_once(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 5_000)
    finance.tick()
    early = finance.approve(key="early")
    finance.drain()
    first, again = finance.approve(), finance.approve()
    before = cloud.state()
    other = finance.approve(key="another")
    reused = finance.call("POST", f"/v1/payouts/{PAYOUT}/approvals", {"lines": 1, "listed_fen": 1}, key="approval-1")

    assert (early[0], early[1]["code"]) == (409, "PAYOUT_STILL_OPENING")
    assert [answer[0] for answer in (first, again, other)] == [200, 200, 200]
    assert first[1]["approved_by"] == other[1]["approved_by"]
    assert (reused[0], reused[1]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    own: dict[str, list[Any]] = {"requests": [], "staff-actions": []}  # who approves again is on record again
    assert cloud.state() | own == before | own


@pytest.mark.parametrize(
    ("method", "path", "scopes"),
    [
        ("GET", f"/v1/payouts/{PAYOUT}", ("payouts:approve", "payouts:settle")),
        ("GET", "/v1/payouts", ("catalog:write",)),
        ("GET", f"/v1/payouts/{PAYOUT}/report", ("payouts:settle",)),
        ("POST", f"/v1/payouts/{PAYOUT}/approvals", ("payouts:read", "payouts:settle")),
        ("POST", f"/v1/payouts/{PAYOUT}/results", ("payouts:read", "payouts:approve")),
    ],
)
def test_each_right_is_needed_for_itself(finance: Finance, method: str, path: str, scopes: tuple[str, ...]) -> None:
    status, problem = finance.call(
        method,
        path,
        {"lines": 0, "listed_fen": 0} if method == "POST" else None,
        token=finance.key("x", *scopes),
        key="k",
    )

    assert (status, problem["code"]) == (403, "SCOPE_MISSING")


def test_a_result_again_changes_nothing(finance: Finance, cloud: Cloud) -> None:
    member = finance.member(1, 5_000)
    finance.member(2, 5_000)
    finance.sent()
    result = {"number": finance.lines()[member]["number"], "result": "paid", "amount_fen": 5_000}
    first = finance.results(result)
    finance.drain()
    before = cloud.state()
    again = finance.results(result)
    finance.drain()

    assert (first[0], first[1]["recorded"], first[1]["repeated"]) == (202, 1, 0)
    assert (again[1]["recorded"], again[1]["repeated"]) == (0, 1)
    on_record: dict[str, list[Any]] = {"staff-actions": []}  # who brings it again is on record again
    assert cloud.state() | on_record == before | on_record
    assert finance.balance(member) == {"paid": 5_000}


def test_a_contradiction_is_recorded_never_applied_and_keeps_the_batch_open(finance: Finance) -> None:
    member = finance.member(1, 5_000)
    waiting = finance.member(2, 5_000)
    finance.sent()
    number = finance.lines()[member]["number"]
    finance.results({"number": number, "result": "paid"})
    finance.drain()
    finance.results(
        {"number": number, "result": "failed"}, {"number": finance.lines()[waiting]["number"], "result": "paid"}
    )
    finance.drain()
    _, contradicted = finance.call("GET", f"/v1/payouts/{PAYOUT}")
    finance.results({"number": number, "result": "paid"})
    finance.drain()
    _, cleared = finance.call("GET", f"/v1/payouts/{PAYOUT}")

    assert contradicted["status"] == "sending"
    assert [(found["number"], found["code"]) for found in contradicted["books"]["differences"]] == [(number, "OUTCOME")]
    assert finance.balance(member) == {"paid": 5_000}
    assert cleared["status"] == "settled"


def test_results_that_are_not_those_of_the_sent_file_are_refused_whole(finance: Finance, cloud: Cloud) -> None:
    first, second, third = (finance.member(index, 500_000) for index in (1, 2, 3))
    finance.sent()
    lines, before = finance.lines(), cloud.state()
    status, problem = finance.results(
        {"number": lines[first]["number"], "result": "paid", "amount_fen": 420_000, "holder": " 张　伟 "},
        {"number": lines[second]["number"], "result": "paid", "amount_fen": 500_000},
        {"number": lines[third]["number"], "result": "failed", "amount_fen": 1, "holder": "王芳"},
        {"number": lines[first]["number"], "result": "paid"},
        {"number": lines[first]["number"], "result": "failed"},
    )

    assert (status, problem["code"]) == (400, "RESULTS_DIFFER")
    assert [(found["pointer"], found["code"]) for found in problem["errors"]] == [
        ("/results/1/amount_fen", "AMOUNT_DIFFERS"),
        ("/results/2/holder", "HOLDER_DIFFERS"),
        ("/results/2/amount_fen", "AMOUNT_DIFFERS"),
        ("/results/4/result", "RESULTS_CONTRADICT"),
    ]
    assert [found.get("expected") for found in problem["errors"]] == [
        "420000，而不是 500000", "张伟", "420000或0，而不是 1", "前面为 paid",
    ]  # fmt: skip
    assert cloud.state() == before


@pytest.mark.parametrize(
    ("totals", "differ"),
    [
        ({}, {"/lines": "MISSING", "/net_fen": "MISSING"}),
        ({"lines": 1, "net_fen": 420_000}, {"/lines": "COUNT_DIFFERS", "/net_fen": "SUM_DIFFERS"}),
        ({"lines": 2, "net_fen": 1_000_000}, {"/net_fen": "SUM_DIFFERS"}),
    ],
)
def test_a_whole_file_is_confirmed_only_with_its_count_and_sum(
    finance: Finance, cloud: Cloud, totals: dict[str, int], differ: dict[str, str]
) -> None:
    finance.member(1, 500_000)
    finance.member(2, 500_000)
    finance.sent()
    before = cloud.state()
    path = f"/v1/payouts/{PAYOUT}/results"
    status, problem = finance.call("POST", path, {"all_others_paid": True, **totals}, token=finance.clerk)

    assert (status, problem["code"]) == (400, "RESULTS_DIFFER")
    assert {found["pointer"]: found["code"] for found in problem["errors"]} == differ
    assert cloud.state() == before
    right = {"all_others_paid": True, "lines": 2, "net_fen": 840_000}
    assert finance.call("POST", path, right, token=finance.clerk)[0] == 202


def test_results_are_brought_by_another_person_than_opener_and_approver(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 5_000)
    finance.clock.set(FIRST + timedelta(hours=1))
    opened = finance.call(
        "POST", "/v1/payouts", {"period": "2026-11"}, token=finance.key("Zhao Min", "payouts:open"), key="open-1"
    )
    finance.drain()
    finance.approve()
    finance.drain()
    before = cloud.state()
    path, all_paid = f"/v1/payouts/{PAYOUT}/results", {"all_others_paid": True, "lines": 1, "net_fen": 5_000}

    assert opened[0] == 201
    for name in ("Li Na", "Zhao Min"):
        status, problem = finance.call("POST", path, all_paid, token=finance.key(name, "payouts:settle"))
        assert (status, problem["code"]) == (422, "RESULTS_BY_APPROVER")
    assert cloud.state()["payouts"] == before["payouts"]
    assert finance.call("POST", path, all_paid, token=finance.clerk)[0] == 202


def test_an_approval_names_the_count_and_sum_that_were_seen(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 5_000)
    finance.member(2, 7_000)
    finance.tick()
    finance.drain()
    before, path = cloud.state(), f"/v1/payouts/{PAYOUT}/approvals"

    for seen in ((1, 12_000), (2, 12_001), (0, 0)):
        body = {"lines": seen[0], "listed_fen": seen[1]}
        status, problem = finance.call("POST", path, body, key=f"seen-{seen}".replace(" ", ""))
        assert (status, problem["code"]) == (409, "PAYOUT_TOTALS_DIFFER")
        assert "2" in problem["detail"]
        assert "¥120.00" in problem["detail"]
        wrong = {found["pointer"]: (found["code"], found["expected"], found["detail"]) for found in problem["errors"]}
        assert wrong == {
            pointer: (code, f"{right}，而不是 {was}", f"应为：{right}，而不是 {was}。")
            for pointer, code, was, right in (
                ("/lines", "COUNT_DIFFERS", seen[0], 2), ("/listed_fen", "SUM_DIFFERS", seen[1], 12_000),
            )
            if was != right
        }  # fmt: skip
    assert finance.call("POST", path, {}, key="blind")[0] == 400
    assert cloud.state() == before
    assert finance.call("POST", path, {"lines": 2, "listed_fen": 12_000}, key="right")[0] == 200


def test_results_of_transfers_that_were_never_sent_are_refused_whole(finance: Finance, cloud: Cloud) -> None:
    member, gone = finance.member(1, 5_000), finance.member(2, 5_000)
    finance.tick()
    finance.drain()
    number = finance.lines()[member]["number"]
    early = finance.results({"number": number, "result": "paid"})
    finance.earn(gone, -5_000)
    finance.approve()
    finance.drain()
    before = cloud.state()
    status, problem = finance.results(
        {"number": number, "result": "paid"},
        {"number": "0" * 32, "result": "paid"},
        {"number": finance.lines()[gone]["number"], "result": "paid"},
    )

    assert (early[0], early[1]["code"]) == (409, "PAYOUT_NOT_SENT")
    assert (status, problem["code"]) == (400, "TRANSFER_UNKNOWN")
    assert [found["pointer"] for found in problem["errors"]] == ["/results/1/number", "/results/2/number"]
    assert cloud.state() == before


@pytest.mark.parametrize("payout", ["pay_202610", "nonsense", "pay_202611%00", "batches"])
def test_an_unknown_payout_is_not_found(finance: Finance, payout: str) -> None:
    for method, path, body in (
        ("GET", f"/v1/payouts/{payout}", None),
        ("GET", f"/v1/payouts/{payout}/lines", None),
        ("GET", f"/v1/payouts/{payout}/report", None),
        ("POST", f"/v1/payouts/{payout}/approvals", {"lines": 0, "listed_fen": 0}),
        ("POST", f"/v1/payouts/{payout}/results", {}),
    ):
        assert finance.call(method, path, body, key="k")[0] == 404


def test_lists_go_on_where_they_stopped(finance: Finance) -> None:
    for index in range(5):
        finance.member(index, 5_000)
    finance.tick()
    finance.drain()
    finance.clock.set(FIRST + timedelta(days=31))
    finance.tick()
    seen: list[str] = []
    query = {"limit": "2"}
    while True:
        _, page = finance.call("GET", f"/v1/payouts/{PAYOUT}/lines", query=query)
        seen += [line["number"] for line in page["items"]]
        if page["next_cursor"] is None:
            break
        query = {"limit": "2", "cursor": page["next_cursor"]}
    _, first = finance.call("GET", "/v1/payouts", query={"limit": "1"})
    _, second = finance.call("GET", "/v1/payouts", query={"limit": "1", "cursor": first["next_cursor"]})
    stolen = finance.call("GET", "/v1/payouts", query={"cursor": query["cursor"]})

    assert seen == sorted(seen)
    assert len(set(seen)) == 5
    assert [first["items"][0]["payout_id"], second["items"][0]["payout_id"]] == ["pay_202612", PAYOUT]
    assert (stolen[0], stolen[1]["code"]) == (400, "CURSOR_INVALID")


def test_partners_are_told_once_that_it_opened_and_once_that_it_settled(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 5_000)
    finance.sent()
    finance.results(others=True)
    finance.drain()
    finance.tick()
    finance.drain()
    events = cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))

    assert [event["type"] for event in events] == ["payout.opened", "payout.settled"]
    assert events[0]["data"]["listed_fen"] == 5_000
    assert events[1]["data"]["paid_fen"] == 5_000
    assert len(events[1]["data"]["files"]) == 4


def test_a_step_that_runs_out_of_time_goes_on_where_it_stopped(finance: Finance) -> None:
    for index in range(35):
        finance.member(index, 5_000)
    finance.tick()
    finance.drain()
    finance.approve()
    sent = []
    for _ in range(2):
        finance.advance(chunks=1)
        sent.append(sum(line["status"] == "sent" for line in finance.lines().values()))
    finance.results(others=True)
    paid = []
    for _ in range(2):
        finance.advance(chunks=1)
        paid.append(sum(line["status"] == "paid" for line in finance.lines().values()))

    assert sent == [33, 35]
    assert paid == [33, 35]
    finance.check_ledger()


def test_a_step_without_time_asks_for_another(finance: Finance, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    finance.member(1, 5_000)
    finance.tick()
    finance.drain()
    finance.approve()
    monkeypatch.setattr(steps, "STEP_SECONDS", -1)
    queue = environment.text("PAYOUT_STEPS_QUEUE_URL")
    [asked] = cloud.messages(queue)
    result = steps.handler(queue_event("payout-steps", asked), Context())

    assert result == {"batchItemFailures": []}
    assert cloud.messages(queue) == [asked]


def test_a_file_that_is_there_already_is_compared_and_never_overwritten(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 5_000)
    finance.tick()
    finance.drain()
    kept = {"Bucket": environment.text("REPORTS_BUCKET"), "Key": f"payouts/{PAYOUT}/transfers.csv"}
    cloud.s3.put_object(**kept, Body=b"not what this payout says")
    finance.approve()
    failed = finance.drain()

    assert failed == ['{"payout_id": "' + PAYOUT + '"}']
    assert cloud.s3.get_object(**kept)["Body"].read() == b"not what this payout says"
    assert finance.payout()["status"] != "settled"


def test_a_poison_message_fails_alone(finance: Finance) -> None:
    finance.member(1, 5_000)
    finance.tick()
    event = queue_event("payout-steps", "{", {"payout_id": PAYOUT}, {"payout_id": "pay_209901"}, {"payout": PAYOUT})
    result = steps.handler(event, Context())

    assert [failure["itemIdentifier"] for failure in result["batchItemFailures"]] == ["m0", "m2", "m3"]
    assert set(finance.lines()) == {member_id(1)}


def test_a_tick_that_comes_a_month_late_opens_nothing_and_says_so(
    finance: Finance, capsys: pytest.CaptureFixture[str]
) -> None:
    finance.member(1, 5_000)
    due = rfc3339(finance.clock.now())
    finance.clock.set(finance.clock.now() + timedelta(days=31))
    missed = monthly.handler({"scheduled_at": due}, Context())
    said = capsys.readouterr().out
    opened = monthly.handler({"scheduled_at": rfc3339(finance.clock.now())}, Context())
    finance.clock.set(finance.clock.now() + timedelta(days=31))
    repeated = monthly.handler({"scheduled_at": rfc3339(finance.clock.now() - timedelta(days=31))}, Context())

    assert missed == {"payout_id": None, "steps": 0}
    assert '"PayoutsMissed":[1.0]' in said
    assert opened["payout_id"] == repeated["payout_id"] == "pay_202612"


def test_the_alarm_about_a_missed_payout_sounds_for_what_the_function_writes(
    finance: Finance, capsys: pytest.CaptureFixture[str]
) -> None:
    """What CloudWatch would do: read the metrics from the log, and compare them with the alarm of the template."""
    alarm = dict(resources("AWS::CloudWatch::Alarm", "infra/payouts.yaml"))["PayoutsMissed"]["Properties"]
    due = rfc3339(finance.clock.now())

    def sounds(days: int) -> bool:
        finance.clock.set(FIRST + timedelta(days=days))
        capsys.readouterr()
        monthly.handler({"scheduled_at": due}, Context())
        values: list[float] = []
        for line in capsys.readouterr().out.splitlines():
            written = json.loads(line)
            for metrics in written.get("_aws", {}).get("CloudWatchMetrics", ()):
                same = metrics["Namespace"] == alarm["Namespace"] and metrics["Dimensions"] == [
                    [one["Name"] for one in alarm["Dimensions"]]
                ]
                owned = all(written[one["Name"]] == one["Value"] for one in alarm["Dimensions"])
                names = {metric["Name"] for metric in metrics["Metrics"]}
                if same and owned and alarm["MetricName"] in names:
                    values += written[alarm["MetricName"]]
        return max(values, default=0.0) > float(alarm["Threshold"])  # no data is no breach

    assert (alarm["ComparisonOperator"], alarm["Statistic"], alarm["EvaluationPeriods"]) == (
        "GreaterThanThreshold", "Maximum", 1,
    )  # fmt: skip
    assert [sounds(days) for days in (31, 40)] == [True, True]
    due = rfc3339(FIRST + timedelta(days=40))  # the next month's payout, in time
    assert not sounds(40)
    assert alarm["AlarmActions"]


EVENTS = [
    path
    for name in ("api", "reports_api", "on_step", "monthly_open")
    for path in sorted((ROOT / "events/payouts" / name).glob("*.json"))
]


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{function_of(path)}/{path.stem}")
def test_every_sample_event_does_what_its_name_says(finance: Finance, path: Any) -> None:
    finance.member(1, 5_000)
    if function_of(path) != "payouts/monthly_open":
        finance.sent() if "result" in path.stem else finance.tick()
        finance.drain()
    if path.stem == "close_after_results":
        finance.results(others=True)
        finance.drain()
    opener = finance.key("Ms Zhao", "payouts:open")
    text = (
        path.read_text("utf-8")
        .replace("FINANCE_KEY", finance.clerk if "result" in path.stem else finance.token)
        .replace("TREASURY_KEY", opener)
    )
    text = text.replace(
        "TRANSFER_NUMBER", next(iter(finance.lines().values()))["number"] if "result" in path.stem else ""
    )
    event = json.loads(text)
    bad = path.stem.startswith("bad_")

    if function_of(path).endswith("api"):
        assert (serve_confirmed(event)["statusCode"] >= 400) is bad
    elif "Records" in event:
        assert bool(steps.handler(event, Context())["batchItemFailures"]) is bad
    elif function_of(path) == "payouts/on_step" and not bad:
        assert steps.handler(event, Context()) == {"more": False}
    elif bad:
        with pytest.raises(Exception, match=r"."):
            (steps if function_of(path) == "payouts/on_step" else monthly).handler(event, Context())
    else:
        assert monthly.handler(event, Context())["payout_id"] == PAYOUT


def test_each_payout_function_has_good_and_bad_samples() -> None:
    for function in ("payouts/monthly_open", "payouts/on_step", "payouts/api", "payouts/reports_api"):
        names = [path.stem for path in EVENTS if function_of(path) == function]

        assert [name for name in names if name.startswith("bad_")], function
        assert [name for name in names if not name.startswith("bad_")], function


def test_events_are_real_payloads() -> None:
    shape = http_event("GET", "/v1/payouts")
    for path in EVENTS:
        if function_of(path) == "payouts/api":
            assert json.loads(path.read_text("utf-8")).keys() == shape.keys()
