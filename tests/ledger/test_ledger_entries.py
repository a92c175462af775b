"""Ledger transactions on their way to statements and partners, and the payloads kept in `events/`."""

import json
from pathlib import Path
from typing import Any

import pytest

from cardstock import environment
from cardstock.ledger import wiring
from functions.ledger.nightly_release import app as nightly_release
from functions.ledger.on_entry import app as on_ledger_entry
from functions.orders.on_change import app as on_order_event
from tests.house.cloud import ROOT, Cloud, Context, queue_event
from tests.house.payloads import function_of
from tests.people.shop import Shop
from tests.people.trade import line


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """A bought two units through R, and gave one back."""
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    shop.trade.refund(shop.trade.buy("mem_a", line(1, units=2)), sku1=1)
    shop.trade.settle_down()
    shop.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))
    return shop


def consume(*records: dict[str, Any]) -> list[str]:
    answer = on_ledger_entry.handler(queue_event("ledger-events", *records), Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def lines_of(sold: Shop) -> list[dict[str, Any]]:
    """The members' lines, without what waits to be sealed."""
    return [item for item in sold.cloud.items("statements") if item["pk"]["S"].startswith("mem_")]


def test_what_is_booked_is_in_the_members_statement_and_told_once(sold: Shop) -> None:
    records = sold.trade.take("ledger")
    assert consume(*records) == []
    first = sold.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))
    assert consume(*reversed(records)) == []
    again = sold.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))

    lines, _ = wiring.statements().lines_of_member("mem_r", since=None, until=None, after=None, limit=20)
    assert sorted((line.kind, line.change["frozen"], line.rewards) for line in lines) == [
        ("accrued", 60_000, ("direct",)),
        ("clawed", -30_000, ("direct",)),
    ]
    assert {event["id"] for event in first} == {event["id"] for event in again}
    assert len(first) == 2
    [accrued] = [event for event in first if event["type"] == "commission.accrued"]
    assert accrued["data"]["members"] == [{"member_id": "mem_r", "reward": "direct", "amount_fen": 60_000}]
    assert accrued["subject"] == lines[0].order_id


def test_a_payouts_steps_are_in_the_statement_and_not_announced_here(sold: Shop) -> None:
    from cardstock.aws.tables import Transaction
    from cardstock.ledger.payout_steps import claimed
    from cardstock.ledger.store import post

    sold.trade.take("ledger")
    with Transaction() as transaction:
        post(transaction, claimed("202612n1", "mem_r", 5, sold.clock.now()))

    assert consume(*sold.trade.take("ledger")) == []
    assert len(lines_of(sold)) == 1
    assert sold.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL")) == []


def test_a_changed_transaction_is_an_alarm_and_its_neighbours_pass(
    sold: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    good, other = sold.trade.take("ledger")
    changed = {**good, "eventName": "MODIFY"}
    foreign = json.loads(json.dumps(good).replace("accrue.ord", "accrue.xxx"))

    assert consume(changed, good, foreign, other) == ["m0", "m2"]
    assert len(lines_of(sold)) == 2
    assert '"LedgerImbalance":[1.0,1.0]' in capsys.readouterr().out


def test_an_entry_that_does_not_add_up_sounds_the_alarm(sold: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    good, other = sold.trade.take("ledger")
    wrong = json.loads(json.dumps(good).replace("-60000", "-59999"))

    assert consume(wrong, other) == ["m0"]
    assert '"LedgerImbalance":[1.0]' in capsys.readouterr().out


# The payloads that are kept


def payload(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


QUEUES = [
    pytest.param(app, path, id=f"{function_of(path)}/{path.stem}")
    for name, app in (("orders/on_change", on_order_event), ("ledger/on_entry", on_ledger_entry))
    for path in sorted((ROOT / "events" / name).glob("*.json"))
]


@pytest.mark.parametrize(("app", "path"), QUEUES)
def test_a_kept_message_is_handled_or_fails_alone(app: Any, path: Path, shop: Shop) -> None:
    shop.publish_plan()
    # Before the payment the order exists, as it did when the payload was recorded.
    stored = payload(ROOT / "events/orders/on_change/order_paid.json")
    image = json.loads(stored["Records"][0]["body"])["dynamodb"]["NewImage"]
    shop.cloud.dynamodb.put_item(TableName="orders", Item=image)
    if path.stem == "refund_succeeded":  # the refund is stored before its message is sent
        changed = json.loads(payload(path)["Records"][0]["body"])["dynamodb"]["NewImage"]
        shop.cloud.dynamodb.put_item(TableName="orders", Item=changed)

    answer = app.handler(payload(path), Context())

    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    if path.stem.startswith("bad_"):
        assert failed == [f"m{len(payload(path)['Records']) - 1}"]
    else:
        assert failed == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "events" / "ledger/nightly_release").glob("*.json")), ids=lambda path: path.stem
)
def test_a_kept_tick_runs_or_is_refused(path: Path, cloud: Cloud) -> None:
    if path.stem.startswith("bad_"):
        with pytest.raises(ValueError, match=r".+"):
            nightly_release.handler(payload(path), Context(remaining_ms=900_000))
    else:
        assert nightly_release.handler(payload(path), Context(remaining_ms=900_000))["finished"]
