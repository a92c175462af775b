"""An order whose coupon is revoked: what is refunded, what is charged, and what a return takes off the charge."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.catalog.model import Variant
from cardstock.orders import coupons
from cardstock.orders.coupon_model import CouponUse
from cardstock.orders.model import Order, OrderLine, Receiver
from cardstock.orders.refund_model import Refund, RefundLine
from cardstock.orders.supplier_model import SupplierOrder
from tests.people.memory_orders import MemoryCharges, MemoryCouponUses, MemoryOrders

COUPON = "benefit.mem_a.1"
AT = datetime(2026, 11, 20, tzinfo=UTC)
PLACED = Order(
    order_id="ord_1",
    member_id="mem_a",
    status="shipped",
    lines=(OrderLine(1, "sku1", "Ware", 2, 10_000, 0, "sup_1", qualifying=True, earns=True),),
    amount_fen=0,
    receiver=Receiver("王小明", "13800138000", "上海市"),
    attribution=None,
    snapshot={},
    placed_at=AT,
    coupon=COUPON,
)


class World:
    """One order that was placed with a coupon and sent."""

    def __init__(self, order: Order = PLACED) -> None:
        self.uses = MemoryCouponUses()
        self.uses.uses[COUPON] = CouponUse(COUPON, "used", order.order_id)
        self.orders = MemoryOrders(uses=self.uses)
        self.orders.orders[order.order_id] = order
        self.orders.supplier_orders["sup_1", order.order_id] = SupplierOrder(
            "sup_1", order.order_id, "shipped", (), PLACED.receiver, AT
        )
        self.charges = MemoryCharges()

    def revoke(self) -> None:
        coupons.revoke_coupon(COUPON, "mem_a", orders=self.orders, uses=self.uses, charges=self.charges)

    def refund(self, refund_id: str, units: int, sequence: int, **options: Any) -> Refund:
        refund = Refund(
            refund_id=refund_id,
            order_id="ord_1",
            member_id="mem_a",
            kind="return",
            status="succeeded",
            amount_fen=0,
            lines=(RefundLine(1, "sku1", units, 0),),
            reason="",
            channel="coupon",
            transaction_no="",
            total_fen=0,
            requested_at=AT,
            sequence=sequence,
        )
        refund = replace(refund, **options)
        self.orders.refunds["ord_1", refund_id] = refund
        return refund

    def reduce_charge(self, refund: Refund) -> None:
        order, refunds = self.orders.orders["ord_1"], self.orders.refunds_of_order("ord_1")
        coupons.reduce_charge(order, refund, refunds, uses=self.uses, charges=self.charges)


def test_an_unused_coupon_is_revoked_and_nobody_owes_anything() -> None:
    world = World()
    world.uses.uses.clear()
    world.revoke()

    assert (world.uses.find_use(COUPON).state, world.charges.booked) == ("revoked", {})


def test_what_was_sent_is_owed_and_a_repeat_charges_once() -> None:
    world = World()
    world.revoke()
    world.revoke()

    assert world.uses.find_use(COUPON) == CouponUse(COUPON, "owed", "ord_1", 20_000)
    assert world.charges.booked == {(COUPON,): ("mem_a", "ord_1", -20_000)}


def test_an_order_that_waits_for_payment_is_cancelled_and_its_coupon_revoked_after_all() -> None:
    world = World(replace(PLACED, status="placed", amount_fen=5_000))
    world.orders.products["sku1"] = Variant("sku1", "Ware", "sup_1", 10_000, True, True, True, 0, 2, -1, AT)
    world.revoke()

    assert world.orders.orders["ord_1"].status == "cancelled"
    assert (world.uses.find_use(COUPON), world.charges.booked) == (CouponUse(COUPON, "revoked"), {})


def test_the_first_decision_about_what_is_owed_holds() -> None:
    world = World()
    world.uses.uses[COUPON] = CouponUse(COUPON, "owed", "ord_1", 7_000)
    world.revoke()

    assert world.charges.booked == {(COUPON,): ("mem_a", "ord_1", -7_000)}


@pytest.mark.parametrize("known_first", [True, False])
def test_what_comes_back_is_not_owed_whether_it_came_before_the_revocation_or_after(known_first: bool) -> None:
    world = World()
    if known_first:
        refund = world.refund("rfd_1", 1, 5)
        world.reduce_charge(refund)
        world.revoke()
    else:
        world.revoke()
        refund = world.refund("rfd_1", 1, 5)
        world.reduce_charge(refund)
    world.reduce_charge(refund)

    assert world.charges.booked == {
        (COUPON,): ("mem_a", "ord_1", -20_000),
        (COUPON, "rfd_1"): ("mem_a", "ord_1", 10_000),
    }


def test_a_refund_that_has_not_gone_through_and_one_that_is_no_return_take_nothing_off() -> None:
    world = World()
    world.refund("rfd_1", 1, 5, status="requested")
    world.refund("rfd_2", 1, 6, kind="stray")
    world.revoke()

    assert world.charges.booked == {(COUPON,): ("mem_a", "ord_1", -20_000)}


def test_all_returns_together_give_back_all_that_the_coupon_took_off() -> None:
    order = replace(PLACED, lines=(replace(PLACED.lines[0], units=3, price_fen=3_333, net_fen=2_000),))
    world = World(order)
    for number in (1, 2, 3):
        world.refund(f"rfd_{number}", 1, number)
    parts = dict(coupons.returned_discounts(order, world.orders.refunds_of_order("ord_1")))

    assert parts == {"rfd_1": 2_666, "rfd_2": 2_667, "rfd_3": 2_666}
    assert sum(parts.values()) == 3 * 3_333 - 2_000
