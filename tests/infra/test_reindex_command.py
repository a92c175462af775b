"""`cardstock reindex` puts what a release without lists has stored into them, and changes nothing else."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from cardstock import clock
from cardstock.clock import brand_day
from cardstock.ids import RequestKey
from cardstock.members.store import DynamoMembers
from cardstock.orders import sales, wiring
from cardstock.orders.sales_model import TOTAL
from cardstock.orders.store import every_order, every_refund
from cardstock.partners import wiring as partners_wiring
from cardstock.partners.model import STAFF, Delivery, Endpoint
from cardstock.partners.store import DynamoSuppliers
from infra.commands.cli import app
from tests.house import faults
from tests.house.cloud import Cloud
from tests.people.clock import TestClock
from tests.people.marks import MARKER
from tests.releases import recording

KEYS = ("day_key", "listed", "pp", "pd")


@pytest.fixture
def old(cloud: Cloud, clock: TestClock) -> Cloud:
    """A shop of release v0.2.0, on the night of the update, when the first nightly run has stored empty days."""
    found = recording.read("v0.2.0")
    clock.set(found.at)
    recording.restore(found, cloud)
    clock.move(days=1)
    close()
    return cloud


def close() -> sales.StoredDays:
    return sales.store_days(
        clock.now(), sales=wiring.stored_sales(), orders=wiring.order_days(), time_left=lambda: True
    )


def reindex() -> dict[str, Any]:
    done = CliRunner().invoke(app, ["reindex", "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def without_keys(cloud: Cloud) -> dict[str, list[Any]]:
    """Everything but sales, keys of days, the buckets of payments on a later day, and marks."""

    def is_kept(name: str, value: Any) -> bool:
        return name not in KEYS and not str(value.get("S", "")).startswith(("paid.", "mark#"))

    return {
        table: sorted(
            json.dumps({n: v for n, v in item.items() if is_kept(n, v)}, sort_keys=True, default=repr) for item in items
        )
        for table, items in cloud.state().items()
        if table != "sales"
    }


def paid_by_day() -> dict[date, int]:
    """Fen paid on each day, by the orders."""
    found: dict[date, int] = {}
    for order in every_order():
        if order.paid_at is not None:
            found[brand_day(order.paid_at)] = found.get(brand_day(order.paid_at), 0) + order.amount_fen
    return found


def stored_paid() -> dict[date, int]:
    days = wiring.stored_sales().days_of(TOTAL, date(2026, 1, 1), date(2027, 12, 31))
    return {each.day: each.paid.amount_fen for each in days if each.paid.amount_fen}


def test_what_was_stored_without_lists_comes_into_them_once(old: Cloud) -> None:
    before, orders, empty = without_keys(old), list(every_order()), stored_paid()
    first, again = reindex(), reindex()
    listed = [
        order for day in {brand_day(one.placed_at) for one in orders} for order in wiring.order_days().placed_on(day)
    ]
    members = [item["pk"]["S"] for item in old.items("members") if item["pk"]["S"].startswith("mem_")]
    suppliers = [item["pk"]["S"] for item in old.items("partners") if item["sk"]["S"] == "supplier"]
    refunds = [refund for refund in every_refund() if refund.succeeded_at is not None]
    days = {brand_day(clock.now()) - timedelta(days=number) for number in range(400)}
    on_their_days = [member.id for day in days for member in DynamoMembers().members_of_day(day, 100, None)[0]]

    assert empty == {}
    assert sorted(on_their_days) == sorted(members)
    assert (first["orders"], first["members"], first["suppliers"]) == (
        len(orders) + len(refunds), len(members), len(suppliers)
    )  # fmt: skip
    assert again == {"orders": 0, "members": 0, "suppliers": 0, "days": first["days"], "marks": 0, "receivers": 0}
    assert sorted(order.order_id for order in listed) == sorted(order.order_id for order in orders)
    assert [each.supplier_id for each in DynamoSuppliers().list_suppliers(100, None)[0]] == sorted(suppliers)
    assert without_keys(old) == before
    assert stored_paid() == paid_by_day()
    refunded = sum(
        each.refunded.count for each in wiring.stored_sales().days_of(TOTAL, date(2026, 1, 1), date(2027, 12, 31))
    )
    assert refunded == sum(refund.kind != "stray" for refund in refunds) > 0


def test_an_interrupted_run_is_finished_by_the_next_one(old: Cloud) -> None:
    with faults.at(40, "kill_after"), pytest.raises(faults.Killed):
        CliRunner().invoke(app, ["reindex"], catch_exceptions=False)
    left = [item for item in old.items("orders") if "day_key" not in item]
    reindex()

    assert left
    assert stored_paid() == paid_by_day()
    assert [item for item in old.items("orders") if item["sk"]["S"] == "order" and "day_key" not in item] == []


def test_hashes_without_a_key_become_marks_once(cloud: Cloud, clock: TestClock) -> None:
    found = recording.read("v0.3.0")
    clock.set(found.at)
    recording.restore(found, cloud)
    payers = {item["pp"]["S"] for item in cloud.items("orders") if "pp" in item}
    logged = [item["pk"]["S"] for item in cloud.items("compliance") if item["pk"]["S"].startswith("mark#")]
    first, again = reindex(), reindex()
    marked = {item["pp"]["S"] for item in cloud.items("orders") if "pp" in item}
    relogged = [item["pk"]["S"] for item in cloud.items("compliance") if item["pk"]["S"].startswith("mark#")]

    assert payers
    assert all(one.startswith("payer_") for one in payers)
    assert marked == {MARKER.renew(one) for one in payers}
    assert sorted(relogged) == sorted(f"mark#{MARKER.renew(one.removeprefix('mark#'))}" for one in logged)
    assert (first["marks"], again["marks"]) == (len(logged), 0)


def test_receivers_leave_the_deliveries_of_the_brands_endpoints_alone(cloud: Cloud, clock: TestClock) -> None:
    body = {"id": "evt_1", "type": "fulfilment.requested", "data": {"order_id": "ord_1", "receiver": {"name": "王"}}}
    endpoint = Endpoint("whe_1", STAFF, None, ("*",), ("whsec_a",), "active", None, clock.now())
    others = replace(endpoint, endpoint_id="whe_2", owner="sup_lights")
    kept = Delivery(
        "whe_1", "1.evt_1", "fulfilment.requested", json.dumps(body, ensure_ascii=False), "kept", (), 0, clock.now()
    )
    paid = replace(kept, delivery_id="2.evt_2", event_type="order.paid")
    for each in (endpoint, others):
        partners_wiring.endpoints().add(each, RequestKey(f"req_{each.endpoint_id}", "f"))
    for delivery in (kept, paid, replace(kept, endpoint_id="whe_2")):
        partners_wiring.deliveries().add(delivery, clock.now() + timedelta(days=30))
    first, again = reindex(), reindex()
    places = (("whe_1", "1.evt_1"), ("whe_1", "2.evt_2"), ("whe_2", "1.evt_1"))
    changed, same, supplier = (partners_wiring.deliveries().find(*at) for at in places)

    assert (first["receivers"], again["receivers"]) == (1, 0)
    assert changed is not None
    assert json.loads(changed.body) == body | {"data": {"order_id": "ord_1"}}
    assert replace(changed, body=kept.body) == kept
    assert (same, supplier) == (paid, replace(kept, endpoint_id="whe_2"))
