"""Orders of everybody lose receiver, payer and device three years after they have ended."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cardstock.clock import brand_day
from cardstock.compliance import wiring as compliance_wiring
from cardstock.flows.order_retention import FIRST_DAY, LOOKS
from cardstock.flows.wiring import rules
from cardstock.network import wiring as network_wiring
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.model import NOBODY, Order
from cardstock.orders.ports import ErasedDays
from cardstock.retention import THREE_YEARS
from functions.orders.nightly_retention import app as nightly_retention
from tests.house import faults
from tests.house.cloud import ROOT, Cloud, Context
from tests.people.audits import audit_now
from tests.people.buyers import BUYER
from tests.people.shop import Shop
from tests.people.suppliers import HANGERS, LIGHTS

EVENTS = ROOT / "events/orders/nightly_retention"
SOON, LATE = LOOKS["soon"], LOOKS["late"]


def completed(shop: Shop, key: str = "o1", **paid: Any) -> str:
    """An order that was paid, sent and received today."""
    order_id = shop.buyer.order({"85123A": 1, "84406B": 1}, key=key)
    shop.buyer.pay(order_id, **({"payer": "payer-1", "device": "device-1"} | paid))
    shop.trade.settle_down()
    for source in (LIGHTS, HANGERS):
        secret = shop.supplier.register(source)
        body = {"type": "shipment.created", "order_id": order_id, "carrier": "SF", "tracking_no": source}
        shop.supplier.report(secret, body, source=source, message_id=f"m-{order_id[-8:]}")
    assert shop.buyer.send("POST", f"/v1/orders/{order_id}/receipts").status == 200
    shop.trade.settle_down()
    return order_id


def night(shop: Shop, *, remaining_ms: int = 900_000) -> Any:
    """The nightly retention, now."""
    # In a process of its own it has read no plan yet.
    network_wiring.plans.cache_clear()
    rules.cache_clear()
    tick = {"scheduled_at": shop.clock.now().isoformat().replace("+00:00", "Z")}
    return nightly_retention.handler(tick, Context(remaining_ms=remaining_ms))


def stored(order_id: str) -> Order:
    found = orders_wiring.orders().find_order(order_id)
    assert found is not None
    return found


def marks(cloud: Cloud) -> list[str]:
    return [item["pk"]["S"] for item in cloud.items("compliance") if item["pk"]["S"].startswith("mark#")]


@pytest.fixture(autouse=True)
def plan(shop: Shop) -> None:
    shop.publish_plan()


def test_an_order_is_erased_three_years_after_it_has_ended_and_not_before(shop: Shop) -> None:
    order_id = completed(shop)
    start = shop.clock.now()
    shop.clock.set(start + THREE_YEARS + SOON - timedelta(days=1))
    early = night(shop)
    kept = stored(order_id)
    shop.clock.set(start + THREE_YEARS + SOON)
    due, again = night(shop), night(shop)
    parts = orders_wiring.orders().find_supplier_orders(order_id, stored(order_id).supplier_ids)

    assert (early["erased"], due["erased"], again["erased"]) == (0, 1, 0)
    assert kept.receiver != NOBODY
    assert (stored(order_id).receiver, stored(order_id).payer, stored(order_id).device) == (NOBODY, "", "")
    assert {part.receiver for part in parts.values()} == {NOBODY}
    assert marks(shop.cloud) == []
    assert stored(order_id).lines == kept.lines
    assert orders_wiring.erased_days().reached("soon") == brand_day(start)
    assert audit_now().findings == ()


def test_an_order_with_a_late_after_sale_is_met_by_the_second_look(shop: Shop) -> None:
    order_id = completed(shop)
    start = shop.clock.now()
    shop.clock.move(days=100)
    shop.trade.retell("orders")
    shop.trade.order_records()
    shop.trade.give_back(order_id, shop.trade.ask_back(order_id, **{"85123A": 1}))
    shop.clock.set(start + THREE_YEARS + SOON)
    first = night(shop)
    shop.clock.set(start + THREE_YEARS + LATE)
    second = night(shop)

    assert (first["erased"], second["erased"]) == (0, 1)
    assert stored(order_id).receiver == NOBODY


def test_nights_that_were_missed_are_caught_up_and_one_without_time_goes_on(shop: Shop) -> None:
    first = completed(shop)
    start = shop.clock.now()
    shop.clock.move(days=2)
    second = completed(shop, "o2")
    shop.clock.set(start + THREE_YEARS + SOON + timedelta(days=30))
    short = night(shop, remaining_ms=359_999)
    kept = stored(first).receiver
    done = night(shop, remaining_ms=360_000)

    assert (short["erased"], done["erased"]) == (0, 2)
    assert short["left"] > done["left"] == 0
    assert kept != NOBODY
    assert stored(first).receiver == stored(second).receiver == NOBODY


def test_a_mark_stays_while_a_younger_order_of_the_member_has_it(shop: Shop) -> None:
    completed(shop)
    start = shop.clock.now()
    shop.clock.move(days=900)
    shop.clock.move(days=1)
    younger = completed(shop, "o2")
    shop.clock.set(start + THREE_YEARS + SOON)
    night(shop)

    assert list(compliance_wiring.purchase_log().buyers_with_mark(stored(younger).payer)) == [BUYER]
    assert len(marks(shop.cloud)) == 2


def test_an_order_that_still_waits_is_left_alone(shop: Shop) -> None:
    order_id = shop.buyer.paid_order()
    shop.clock.set(shop.clock.now() + THREE_YEARS + LATE + timedelta(days=5))

    assert night(shop)["erased"] == 0
    assert stored(order_id).receiver != NOBODY


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_tick_looks_at_old_orders_and_what_is_no_tick_raises(shop: Shop, path: Path) -> None:
    event = json.loads(path.read_text("utf-8"))
    before = shop.cloud.state()
    if path.stem.startswith("bad_"):
        with pytest.raises((ValueError, msgspec.ValidationError)):
            nightly_retention.handler(event, Context())
    else:
        assert nightly_retention.handler(event, Context(remaining_ms=900_000)) == {"erased": 0, "left": 0}
    assert shop.cloud.state() == before


@pytest.mark.parametrize("mode", faults.MODES)
def test_a_disturbed_night_and_the_next_end_where_one_undisturbed_night_does(shop: Shop, mode: faults.Mode) -> None:
    completed(shop)
    shop.clock.set(shop.clock.now() + THREE_YEARS + SOON)
    orders_wiring.erased_days().reach("soon", date(2026, 11, 29))
    start = shop.cloud.snapshot()
    with faults.watch() as calls:
        night(shop)
    expected = shop.cloud.state()
    for index, call in faults.hit_each(calls, mode, start.restore, lambda: night(shop)):
        night(shop)

        assert shop.cloud.state() == expected, f"{mode} at call {index} ({call})"


def test_days_are_kept_by_look(shop: Shop) -> None:
    days: ErasedDays = orders_wiring.erased_days()
    days.reach("soon", FIRST_DAY)
    days.reach("late", FIRST_DAY + timedelta(days=1))

    assert (days.reached("soon"), days.reached("late")) == (FIRST_DAY, FIRST_DAY + timedelta(days=1))
    assert days.reached("never") is None
