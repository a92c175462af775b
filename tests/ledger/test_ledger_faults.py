"""Whatever happens to a credit, a claw-back or a night: asked again, it ends in the books of an undisturbed run."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from cardstock.aws import queues as sqs
from cardstock.ledger import wiring as ledger_wiring
from functions.ledger.on_entry import app as on_ledger_entry
from tests.house import faults
from tests.house.cloud import Context, queue_event
from tests.people.audits import audit_now
from tests.people.shop import Shop
from tests.people.trade import line

TABLES = ("orders", "ledger", "balances", "rewards", "statements", "network")
STEPS = ("credit", "credit_and_promote", "take_back", "take_back_before_credit", "receive", "night", "project")
NIGHT = datetime(2026, 12, 9, 16, 30, tzinfo=UTC)


def prepare(shop: Shop, step: str) -> Callable[[], bool]:
    """Bring the shop right before `step`. What is given carries it out and says whether it was taken as done."""
    shop.trade.appoint("mem_p")
    shop.trade.member("mem_r", "mem_p")
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    for member_id in ("mem_b", "mem_c"):
        shop.trade.member(member_id, "mem_a")
    shop.trade.buy("mem_a")
    shop.trade.settle_down()
    if step == "credit_and_promote":
        shop.trade.buy("mem_b")
        shop.trade.settle_down()
    order_id = shop.trade.buy("mem_c", line(1, units=3, price=33_333), line(2, units=2, price=500, qualifying=False))
    records = shop.trade.order_records()
    if step in ("credit", "credit_and_promote"):
        return consuming(shop, [record for record in records if status(record) == "paid"])
    if step in ("take_back", "take_back_before_credit"):
        if step == "take_back":
            shop.trade.consume(records)
        shop.trade.refund(order_id, sku1=1)
        return consuming(shop, [record for record in shop.trade.order_records() if status(record) == "succeeded"])
    shop.trade.consume(records)
    if step == "project":
        events = queue_event("ledger-events", *shop.trade.take("ledger"))
        return lambda: not on_ledger_entry.handler(events, Context())["batchItemFailures"]
    shop.trade.receive(order_id)
    if step == "receive":
        return consuming(shop, [record for record in shop.trade.order_records() if status(record) == "completed"])
    shop.trade.consume(shop.trade.order_records())
    shop.clock.set(NIGHT)

    def night() -> bool:
        try:
            return bool(shop.trade.night()["finished"])
        except Exception:
            return False

    return night


def status(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["NewImage"]["st"]["S"])


def consuming(shop: Shop, records: list[dict[str, Any]]) -> Callable[[], bool]:
    assert len(records) == 1
    from functions.orders.on_change import app

    event = queue_event("order-events", *records)
    return lambda: not app.handler(event, Context())["batchItemFailures"]


def restore(shop: Shop, state: dict[str, list[dict[str, Any]]]) -> None:
    """Back to `state`, touching what differs only."""
    for table in TABLES:
        wanted = {key_of(item): item for item in state[table]}
        found = {key_of(item): item for item in shop.cloud.items(table)}
        for key in found.keys() - wanted.keys():
            shop.cloud.dynamodb.delete_item(TableName=table, Key=json.loads(key))
        for key, item in wanted.items():
            if found.get(key) != item:
                shop.cloud.dynamodb.put_item(TableName=table, Item=item)
    ledger_wiring.calendar.cache_clear()  # it remembers the days that it has written


def key_of(item: dict[str, Any]) -> str:
    return json.dumps({name: item[name] for name in ("pk", "sk") if name in item})


def books(shop: Shop) -> dict[str, list[str]]:
    kept = shop.trade.books()
    kept["statements"] = sorted(json.dumps(item, sort_keys=True) for item in shop.cloud.items("statements"))
    kept["network"] = sorted(json.dumps(item, sort_keys=True) for item in shop.cloud.items("network"))
    # An order that failed in one night is put into the next day as well; it is settled all the same.
    kept["rewards"] = [row for row in kept["rewards"] if '"S": "d' not in row and "sweep" not in row]
    return kept


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("mode", faults.MODES)
def test_a_step_that_is_hit_at_any_call_ends_the_same(shop: Shop, step: str, mode: faults.Mode) -> None:
    sqs.forget_client()
    run = prepare(shop, step)
    before = shop.cloud.state()
    with faults.watch() as calls:
        assert run()
    expected = books(shop)
    assert len(calls) >= 2

    for index, call in enumerate(calls):
        if mode in ("conflict", "throttle") and not call.startswith("dynamodb."):
            continue
        restore(shop, before)
        with faults.at(index, mode):
            faults.survive(run)
        if step == "night":
            shop.clock.set(NIGHT.replace(day=10))
        assert run()
        shop.clock.set(NIGHT if step == "night" else shop.clock.now())

        assert books(shop) == expected, (mode, index, call)
        assert audit_now().findings == (), (mode, index, call)
