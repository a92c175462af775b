"""Debt: what it is for, and how it is written off: by two people, as an entry of its own."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cardstock.aws.tables import Transaction
from cardstock.edge import wiring as edge_wiring
from cardstock.errors import CardstockError
from cardstock.ledger import wiring as ledger_wiring
from cardstock.ledger.model import BRAND_COMMISSION, LedgerTransaction, Posting, account
from cardstock.ledger.payout_steps import claimed, paid
from cardstock.ledger.store import post
from cardstock.ledger.write_offs import approve_write_off
from cardstock.signing import ACCESS
from functions.ledger.api import app as commissions
from functions.ledger.debts_api import app
from functions.ledger.on_entry import app as on_ledger_entry
from tests.house import faults
from tests.house.cloud import ROOT, Context, http_event, queue_event
from tests.house.interleave import every_way, some_ways
from tests.house.proof import proven
from tests.people.audits import audit_now
from tests.people.shop import Shop
from tests.people.staff import say_yes, serve_confirmed, staff_key, unasked
from tests.people.trade import line

DEBTOR = "mem_01kbdxdh50fcazdjhcnqh2rzv5"
WRITE_OFFS = "/v1/debt-write-offs"
APPROVALS = "/v1/debt-write-offs/{write_off_id}/approvals"


def key(name: str, *scopes: str) -> str:
    return staff_key(name, *(scopes or ("debts:write_off",)))


def call(method: str, path: str, resource: str, body: Any = None, **options: Any) -> tuple[int, Any]:
    event = http_event(method, path, body, resource=resource, **options)
    answer = serve_confirmed(event, lambda sent: app.handler(sent, Context()))
    return answer["statusCode"], json.loads(answer["body"])


def ask(amount: int, token: str, request: str = "ask-1", reason: str = "会员已去世") -> tuple[int, Any]:
    body = {"member_id": DEBTOR, "amount_fen": amount, "reason": reason}
    return call("POST", WRITE_OFFS, WRITE_OFFS, body, token=token, key=request)


def approving(write_off_id: str, token: str) -> dict[str, Any]:
    path = APPROVALS.replace("{write_off_id}", write_off_id)
    return http_event("POST", path, {"note": "已核对"}, resource=APPROVALS, token=token)


def approve(write_off_id: str, token: str) -> tuple[int, Any]:
    answer = serve_confirmed(approving(write_off_id, token), lambda sent: app.handler(sent, Context()))
    return answer["statusCode"], json.loads(answer["body"])


def read(path: str, language: str = "zh-CN") -> Any:
    token = edge_wiring.signer().sign(ACCESS, {"sub": DEBTOR}, lifetime=timedelta(hours=1))
    event = http_event("GET", path, token=token, headers={"Accept-Language": language})
    return json.loads(commissions.handler(event, Context())["body"])


def tell(shop: Shop) -> None:
    """The ledger's stream reaches the statements."""
    records = shop.trade.take("ledger")
    if records:
        assert not on_ledger_entry.handler(queue_event("ledger-events", *records), Context())["batchItemFailures"]


@pytest.fixture
def indebted(shop: Shop) -> Shop:
    """A member who was paid 300 yuan for an order that was then refunded in three parts, and owes all of it."""
    shop.trade.member(DEBTOR)
    shop.trade.appoint(DEBTOR)
    shop.trade.member("mem_a", DEBTOR)
    order_id = shop.trade.buy("mem_a", line(1, units=3, price=49_900))
    shop.trade.receive(order_id)
    shop.trade.settle_down()
    shop.clock.move(days=9)
    shop.trade.night()
    earned = shop.trade.balances()[DEBTOR][1]
    now = shop.clock.now()
    with Transaction() as transaction:
        post(transaction, claimed("n1", DEBTOR, earned, now), covered=True)
    with Transaction() as transaction:
        post(transaction, paid("n1", DEBTOR, earned, 0, now))
    shop.orders["first"] = order_id
    for number in range(3):
        shop.orders[f"refund-{number}"] = shop.trade.refund(order_id, sku1=1)
        shop.trade.settle_down()
    tell(shop)
    return shop


def test_a_balance_says_what_the_debt_is_for_oldest_first(indebted: Shop) -> None:
    told = read("/v1/me/balance")
    english = read("/v1/me/balance", "en")

    assert told["debt_fen"] == 90_000
    assert [(debt["amount_fen"], debt["cause"], debt["order_id"]) for debt in told["debts"]] == [
        (30_000, indebted.orders[f"refund-{number}"], indebted.orders["first"]) for number in range(3)
    ]
    assert told["debts"][0]["text"] == "订单退款，奖励相应扣回"
    assert english["debts"][0]["text"] == "Order refunded; the reward is taken back in proportion"


def test_what_comes_in_repays_the_oldest_debt_first(indebted: Shop) -> None:
    postings = (Posting(account(DEBTOR, "available"), 40_000), Posting(BRAND_COMMISSION, -40_000))
    indebted.clock.move(seconds=1)
    with Transaction() as transaction:
        post(transaction, LedgerTransaction("owed.x", "owed", "x", indebted.clock.now(), postings))
    tell(indebted)
    told = read("/v1/me/balance")

    assert told["debt_fen"] == 50_000
    assert [(debt["amount_fen"], debt["cause"]) for debt in told["debts"]] == [
        (20_000, indebted.orders["refund-1"]),
        (30_000, indebted.orders["refund-2"]),
    ]


def test_who_owes_nothing_is_told_of_no_debts(shop: Shop) -> None:
    assert read("/v1/me/balance")["debts"] == []


def test_a_write_off_is_booked_by_a_second_person_and_shown_explained_and_verified(indebted: Shop) -> None:
    first, second = key("Li Na"), key("Wang Fang")
    status, asked = ask(50_000, first)
    between = read("/v1/me/balance")["debt_fen"]
    indebted.clock.move(seconds=1)
    with proven() as proof:
        approved = approve(asked["write_off_id"], second)
    tell(indebted)
    entry = next(item for item in indebted.cloud.items("ledger") if item["pk"]["S"].startswith("write-off."))
    balance, [newest, *_] = read("/v1/me/balance"), read("/v1/me/commissions")["items"]
    listed = call("GET", WRITE_OFFS, WRITE_OFFS, token=first)[1]["items"]
    report = audit_now()

    assert (status, between, asked["approved_by"], asked["entry_id"]) == (201, 90_000, None, None)
    assert approved[0] == 200
    assert approved[1]["entry_id"] == entry["pk"]["S"] == f"write-off.{asked['write_off_id']}"
    assert json.loads(entry["approved_by"]["S"]) == [asked["asked_by"], approved[1]["approved_by"]]
    assert len(set(json.loads(entry["approved_by"]["S"]))) == 2
    assert json.loads(entry["postings"]["S"]) == [[f"member:{DEBTOR}:available", 50_000], ["brand:write-offs", -50_000]]
    assert balance["debt_fen"] == 40_000
    assert (newest["kind"], newest["text"], newest["change_fen"]) == (
        "written_off", "欠款已核销", {"available": 50_000},
    )  # fmt: skip
    assert listed == [approved[1]]
    assert not [finding for finding in report.findings if "write-off" in finding.item or "balances" in finding.item]
    assert report.totals["written_off"] == 50_000
    assert proof.entries


def test_nobody_approves_what_he_asked_for_and_nothing_is_booked(indebted: Shop) -> None:
    first = key("Li Na")
    _, asked = ask(50_000, first)
    before = indebted.cloud.state()

    status, refused = approve(asked["write_off_id"], first)

    assert (status, refused["code"]) == (422, "SECOND_PERSON_NEEDED")
    assert indebted.cloud.state() == before


def test_the_same_again_changes_nothing(indebted: Shop) -> None:
    first, second, third = key("Li Na"), key("Wang Fang"), key("Zhao Min")
    _, asked = ask(50_000, first)
    again = ask(50_000, first)
    other = ask(40_000, first)
    approved = approve(asked["write_off_id"], second)
    before = indebted.cloud.state()

    assert (again[1], other[1]["code"]) == (asked, "IDEMPOTENCY_KEY_REUSED")
    assert approve(asked["write_off_id"], third) == approve(asked["write_off_id"], second) == approved
    on_record: dict[str, list[Any]] = {"staff-actions": []}  # who approves again is on record again
    assert indebted.cloud.state() | on_record == before | on_record


def test_no_more_is_written_off_than_is_owed_when_it_is_booked(indebted: Shop) -> None:
    first, second = key("Li Na"), key("Wang Fang")
    too_much = ask(90_001, first, "ask-0")
    asked = [ask(60_000, first, f"ask-{number}")[1] for number in (1, 2)]
    booked = approve(asked[0]["write_off_id"], second)
    late = approve(asked[1]["write_off_id"], second)

    assert (too_much[0], too_much[1]["code"]) == (422, "DEBT_SMALLER")
    assert booked[0] == 200
    assert (late[0], late[1]["code"]) == (422, "DEBT_SMALLER")
    assert read("/v1/me/balance")["debt_fen"] == 30_000


def test_of_two_approvals_in_every_sequence_of_their_calls_one_is_booked(indebted: Shop) -> None:
    """The verb alone: all calls between reading what was asked and booking it."""
    asked = [ask(60_000, key("Li Na"), f"ask-{number}")[1]["write_off_id"] for number in (1, 2)]
    before = indebted.cloud.snapshot()

    def approval(write_off_id: str) -> Callable[[], str]:
        def run() -> str:
            verb = partial(approve_write_off, write_off_id, "seen", "stf_2", can_approve=lambda _: True)
            try:
                return verb(confirm=unasked, write_offs=ledger_wiring.write_offs()).state
            except CardstockError as refused:
                return refused.code

        return run

    runs = 0
    for run in every_way(lambda: [approval(asked[0]), approval(asked[1])], before.restore):
        runs += 1

        assert sorted(run.ends) == ["DEBT_SMALLER", "booked"], run
        assert read("/v1/me/balance")["debt_fen"] == 30_000, run
    assert runs > 10


def test_two_approvals_at_once_book_once(indebted: Shop) -> None:
    first, second, third = key("Li Na"), key("Wang Fang"), key("Zhao Min")
    asked = [ask(60_000, first, f"ask-{number}")[1]["write_off_id"] for number in (1, 2)]
    for token in (second, third):
        approve("wro_01kbdxdh50fcazdjhcnqh2rzv5", token)  # keys are read once
    for write_off_id, token in zip(asked, (second, third), strict=True):
        assert say_yes(approving(write_off_id, token)) is None
    before = indebted.cloud.snapshot()
    actors = [lambda: approve(asked[0], second)[0], lambda: approve(asked[1], third)[0]]
    for run in some_ways(lambda: actors, before.restore, 40):
        assert sorted(run.ends) == [200, 422], run
        assert read("/v1/me/balance")["debt_fen"] == 30_000, run


@pytest.mark.parametrize("mode", faults.MODES)
def test_an_approval_that_is_hit_at_any_call_and_repeated_books_once(mode: faults.Mode, indebted: Shop) -> None:
    first, second = key("Li Na"), key("Wang Fang")
    _, asked = ask(50_000, first)
    assert say_yes(approving(asked["write_off_id"], second)) is None
    before = indebted.cloud.snapshot()
    with faults.watch() as calls:
        approve(asked["write_off_id"], second)
    expected = indebted.trade.books()
    for index, call_ in enumerate(calls):
        if mode == "conflict" and call_ != "dynamodb.TransactWriteItems":
            continue
        before.restore()
        with faults.at(index, mode):
            faults.survive(lambda: approve(asked["write_off_id"], second))

        assert approve(asked["write_off_id"], second)[0] == 200
        assert indebted.trade.books() == expected, (mode, index)


def test_a_write_off_by_one_person_is_named(indebted: Shop) -> None:
    first, second = key("Li Na"), key("Wang Fang")
    _, asked = ask(50_000, first)
    approve(asked["write_off_id"], second)
    indebted.cloud.dynamodb.update_item(
        TableName="rewards",
        Key={"pk": {"S": "write-offs"}, "sk": {"S": asked["write_off_id"]}},
        UpdateExpression="SET approved_by = asked_by",
    )
    found = {(finding.item, finding.check) for finding in audit_now().findings}

    assert (f"ledger/write-off.{asked['write_off_id']}", "unexplained") in found


def test_who_asked_cannot_approve_with_another_of_his_keys(indebted: Shop) -> None:
    asked = ask(90_000, key("Li Na"))[1]
    before = indebted.cloud.state()
    status, refused = approve(asked["write_off_id"], key("Li Na"))
    after = indebted.cloud.state()
    approved = approve(asked["write_off_id"], key("Ms Zhao"))

    assert (status, refused["code"]) == (422, "SECOND_PERSON_NEEDED")
    assert {name: items for name, items in after.items() if name != "partners"} == {
        name: items for name, items in before.items() if name not in ("partners", "requests")
    } | {"requests": after["requests"]}
    assert approved[0] == 200


def test_only_the_scope_opens_write_offs(indebted: Shop) -> None:
    status, refused = ask(1, key("Li Na", "payouts:read", "payouts:approve"))

    assert (status, refused["code"]) == (403, "SCOPE_MISSING")


REFUSALS = {
    "bad_more_than_is_owed": (422, "DEBT_SMALLER"),
    "bad_nobody": (404, "NOT_FOUND"),
    "bad_without_a_key": (400, "IDEMPOTENCY_KEY_MISSING"),
    "bad_approval_of_nothing": (404, "NOT_FOUND"),
}


@pytest.mark.parametrize("path", sorted((ROOT / "events/ledger/debts_api").glob("*.json")), ids=lambda path: path.stem)
def test_a_kept_request_is_answered_as_its_name_says(path: Path, shop: Shop) -> None:
    postings = (Posting(account(DEBTOR, "available"), -5_000), Posting(BRAND_COMMISSION, 5_000))
    with Transaction() as transaction:
        post(transaction, LedgerTransaction("owed.x", "owed", "x", shop.clock.now(), postings))
    event = json.loads(path.read_text("utf-8").replace("FINANCE_KEY", key("Li Na")))
    answer = app.handler(event, Context())
    told = json.loads(answer["body"])

    if path.stem in REFUSALS:
        assert (answer["statusCode"], told["code"]) == REFUSALS[path.stem]
    else:
        assert answer["statusCode"] in (200, 201), told
