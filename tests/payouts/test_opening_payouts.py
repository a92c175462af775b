"""Opening a payout by hand: once, whoever does it, and never approved by the same person."""

import io
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from openpyxl import load_workbook

from cardstock.partners import keys as partners
from cardstock.partners import wiring
from tests.house import faults
from tests.house.cloud import Cloud
from tests.house.interleave import some_ways
from tests.people.finance import FIRST, PAYOUT, Finance, books
from tests.people.staff import person

NOVEMBER = {"period": "2026-11"}


def open_it(finance: Finance, token: str, body: Any = None, key: str = "open-1") -> tuple[int, dict[str, Any]]:
    return finance.call("POST", "/v1/payouts", NOVEMBER if body is None else body, token=token, key=key)


def approve(finance: Finance, token: str) -> tuple[int, dict[str, Any]]:
    seen = finance.payout()
    body = {"lines": seen["listed"], "listed_fen": seen["listed_fen"]}
    return finance.call("POST", f"/v1/payouts/{PAYOUT}/approvals", body, token=token, key="approve-1")


def test_a_payout_opened_by_hand_lists_everybody_and_is_paid_like_any_other(finance: Finance) -> None:
    member = finance.member(1, 5_000)
    opener = finance.key("Ms Zhao", "payouts:open")
    status, opened = open_it(finance, opener)
    assert not finance.drain()
    listed = finance.payout()
    approved = approve(finance, finance.token)
    assert not finance.drain()
    finance.results(others=True)
    finance.drain()

    assert (status, opened["payout_id"], opened["status"], opened["listed_at"]) == (201, PAYOUT, "open", None)
    assert opened["opened_by"].startswith("stf_")
    assert (listed["listed"], listed["listed_fen"], listed["opened_by"]) == (1, 5_000, opened["opened_by"])
    assert approved[0] == 200
    assert (finance.payout()["status"], finance.balance(member)) == ("settled", {"paid": 5_000})
    # The report names who opened it, as it names who approved it.
    content = finance.cloud.s3.get_object(Bucket="reports", Key=f"payouts/{PAYOUT}/report.xlsx")["Body"].read()
    cells = [
        str(cell)
        for row in load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True)
        for cell in row
    ]
    assert any(f"Ms Zhao ({opened['opened_by']})" in cell for cell in cells)


def test_it_is_the_schedules_payout_whoever_comes_first(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 5_000)
    opener = finance.key("Ms Zhao", "payouts:open")
    first = open_it(finance, opener)[1]
    finance.drain()
    finance.member(2, 5_000)
    before = books(cloud)
    finance.tick()
    finance.drain()
    again = [open_it(finance, opener, key=key) for key in ("open-1", "open-2")]
    other = open_it(finance, finance.key("Wang", "payouts:open"))
    finance.drain()

    assert books(cloud) == before
    assert [answer[0] for answer in (*again, other)] == [201] * 3
    assert {answer[1]["opened_by"] for answer in (*again, other)} == {first["opened_by"]}
    assert set(finance.lines()) == {line["member_id"] for line in finance.lines().values()}
    assert len(finance.lines()) == 1


def test_what_the_schedule_has_opened_may_be_approved_by_who_asked_for_it_too(finance: Finance) -> None:
    finance.member(1, 5_000)
    finance.tick()
    both = finance.key("Ms Zhao", "payouts:open", "payouts:approve")
    status, opened = open_it(finance, both)
    finance.drain()

    assert (status, opened["opened_by"]) == (201, "schedule")
    assert approve(finance, both)[0] == 200


def test_who_opened_it_cannot_approve_it_with_any_of_his_keys(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 5_000)
    both = finance.key("Li Na", "payouts:open", "payouts:approve")
    open_it(finance, both)
    finance.drain()
    before = books(cloud)
    # The revoked key was the same person's.
    partners.revoke_key("key_" + both.split("_")[1], keys=wiring.partner_keys())
    second = finance.key("Li Na", "payouts:approve")
    refused = [approve(finance, token) for token in (finance.token, second)]
    after = books(cloud)
    zhao = approve(finance, finance.key("Ms Zhao", "payouts:approve"))

    assert [(status, body["code"]) for status, body in refused] == [(422, "APPROVER_OPENED_IT")] * 2
    assert after == before
    assert zhao[0] == 200


def test_for_seven_days_nobody_approves_for_whoever_created_them(finance: Finance) -> None:
    finance.member(1, 5_000)
    opener = person("Ms Zhao")
    person("Newcomer", created_by=opener, created_at=finance.clock.now() - timedelta(days=6))
    open_it(finance, finance.key("Ms Zhao", "payouts:open"))
    finance.drain()
    token = finance.key("Newcomer", "payouts:approve")
    early = approve(finance, token)
    finance.clock.move(days=1)
    # A newer key changes nothing: the days count from the person's creation.
    late = approve(finance, finance.key("Newcomer", "payouts:approve"))

    assert (early[0], early[1]["code"]) == (422, "APPROVER_OPENED_IT")
    assert (late[0], late[1]["approved_by"]) == (200, person("Newcomer"))


def test_for_seven_days_nobody_approves_for_whom_they_created(finance: Finance) -> None:
    finance.member(1, 5_000)
    person("Newcomer", created_by=person("Li Na"), created_at=finance.clock.now() - timedelta(days=6))
    open_it(finance, finance.key("Newcomer", "payouts:open"))
    finance.drain()
    early = approve(finance, finance.token)
    finance.clock.move(days=1)
    late = approve(finance, finance.token)

    assert [(status, body.get("code")) for status, body in (early, late)] == [(422, "APPROVER_OPENED_IT"), (200, None)]


def test_the_same_key_cannot_approve(finance: Finance) -> None:
    finance.member(1, 5_000)
    both = finance.key("Ms Zhao", "payouts:open", "payouts:approve")
    open_it(finance, both)
    finance.drain()
    status, problem = approve(finance, both)

    assert (status, problem["code"]) == (422, "APPROVER_OPENED_IT")


@pytest.mark.parametrize(
    ("period", "code"),
    [("2026-12", "PERIOD_NOT_OVER"), ("2027-06", "PERIOD_NOT_OVER"), ("2026-10", "PERIOD_PAST"),
     ("2024-02", "PERIOD_PAST")],
)  # fmt: skip
def test_only_the_month_that_ended_last_can_be_opened(finance: Finance, cloud: Cloud, period: str, code: str) -> None:
    finance.member(1, 5_000)
    opener = finance.key("Ms Zhao", "payouts:open")
    before = cloud.state()
    status, problem = open_it(finance, opener, {"period": period})

    assert (status, problem["code"]) == (422, code)
    assert cloud.state() == before


def test_nobody_opens_a_payout_before_the_last_night_of_its_month_is_booked(finance: Finance) -> None:
    finance.member(1, 5_000)
    opener = finance.key("Ms Zhao", "payouts:open")
    finance.clock.set(FIRST - timedelta(seconds=1))  # 02:59:59 on the first; the schedule comes at three
    early = open_it(finance, opener)
    finance.clock.set(FIRST)

    assert (early[0], early[1]["code"]) == (422, "PERIOD_NOT_OVER")
    assert open_it(finance, opener)[0] == 201


def test_an_older_payout_is_found_and_stays_as_it_is(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 5_000)
    finance.tick()
    finance.drain()
    finance.clock.move(days=31)
    opener = finance.key("Ms Zhao", "payouts:open")
    before = books(cloud)
    status, opened = open_it(finance, opener)
    finance.drain()

    assert (status, opened["payout_id"], opened["listed"]) == (201, PAYOUT, 1)
    assert books(cloud) == before


@pytest.mark.parametrize(
    "body", [{}, {"period": "2026-13"}, {"period": "2026-1"}, {"period": 202611}, {**NOVEMBER, "minimum_fen": 1}]
)
def test_what_is_no_period_is_refused_at_the_door(finance: Finance, body: dict[str, Any]) -> None:
    status, problem = open_it(finance, finance.key("Ms Zhao", "payouts:open"), body)

    assert (status, problem["code"]) == (400, "BODY_INVALID")


def test_opening_needs_its_own_right_and_a_key_of_the_request(finance: Finance) -> None:
    status, problem = open_it(finance, finance.token)
    opener = finance.key("Ms Zhao", "payouts:open")
    keyless = finance.call("POST", "/v1/payouts", NOVEMBER, token=opener)

    assert (status, problem["code"], problem["facts"]) == (403, "SCOPE_MISSING", {"scope": "payouts:open"})
    assert (keyless[0], keyless[1]["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")


def test_one_key_of_a_request_stands_for_one_period(finance: Finance, cloud: Cloud) -> None:
    opener = finance.key("Ms Zhao", "payouts:open")
    open_it(finance, opener)
    finance.clock.move(days=31)
    before = cloud.state()
    status, problem = open_it(finance, opener, {"period": "2026-12"})

    assert (status, problem["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert cloud.state() == before


@pytest.mark.parametrize("mode", faults.MODES)
def test_opening_that_is_hit_at_any_call_and_asked_for_again_opens_one(
    finance: Finance, cloud: Cloud, mode: faults.Mode
) -> None:
    finance.member(1, 5_000)
    opener = finance.key("Ms Zhao", "payouts:open")
    before = cloud.snapshot()
    with faults.watch() as calls:
        open_it(finance, opener)
    finance.drain()
    wanted = books(cloud)

    for index, call in faults.hit_each(calls, mode, before.restore, lambda: open_it(finance, opener)):
        assert open_it(finance, opener)[0] == 201
        finance.drain()

        assert books(cloud) == wanted, (mode, index, call)


def test_two_who_open_at_once_open_one(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 5_000)
    tokens = [finance.key(f"{name}, treasury", "payouts:open") for name in ("Zhao", "Wang")]
    before = cloud.snapshot()
    outcomes = set()
    both = [partial(open_it, finance, token) for token in tokens]
    for _ in some_ways(lambda: both, before.restore, 12):
        finance.drain()
        outcomes.add(finance.payout()["opened_by"])

        assert len(finance.lines()) == 1

    assert len(outcomes) == 2
