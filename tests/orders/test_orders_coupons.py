"""An order whose coupon is undone: what is taken back, what is owed, and what a return takes off that."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.orders import coupons
from cardstock.orders.model import Order, OrderLine, Receiver, Refund, RefundLine, Step, SupplierOrder
from tests.people.ledger_memory import MovingClock

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


class MemoryOrders:
    """What the rules ask of `orders.ports.Orders`."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.refunds: list[Refund] = []
        self.sent = True

    def find(self, order_id: str) -> Order | None:
        return self.order if order_id == self.order.order_id else None

    def refunds_of(self, _order_id: str) -> tuple[Refund, ...]:
        return tuple(self.refunds)

    def find_supplier_orders(self, order_id: str, _supplier_ids: Any) -> dict[str, SupplierOrder]:
        status = "shipped" if self.sent else "open"
        return {"sup_1": SupplierOrder("sup_1", order_id, status, (), PLACED.receiver, AT)}  # type: ignore[arg-type]

    def store(self, step: Step) -> bool:
        (self.order,) = step.orders
        return True


class MemoryUses:
    """`orders.ports.CouponUses`: one coupon."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.owed: int | None = None
        self.undone = 0

    def undo(self, _coupon_id: str) -> str:
        self.undone += 1
        return self.order_id

    def decide_owed(self, _coupon_id: str, _order_id: str, fen: int) -> int:
        self.owed = fen if self.owed is None else self.owed
        return self.owed

    def is_owed(self, _coupon_id: str) -> bool:
        return bool(self.owed)


class MemoryCharges:
    """`orders.ports.Charges`: by what makes each of them one."""

    def __init__(self) -> None:
        self.booked: dict[tuple[str, ...], int] = {}

    def owe(self, coupon_id: str, member_id: str, order_id: str, fen: int) -> None:
        self.booked.setdefault((coupon_id, member_id, order_id), -fen)

    def owe_less(self, coupon_id: str, refund_id: str, member_id: str, order_id: str, fen: int) -> None:
        self.booked.setdefault((coupon_id, refund_id, member_id, order_id), fen)


class World:
    """One order that was placed with a coupon."""

    def __init__(self, order: Order = PLACED) -> None:
        self.orders = MemoryOrders(order)
        self.uses = MemoryUses(order.order_id)
        self.charges = MemoryCharges()

    def undo(self) -> None:
        orders: Any = self.orders  # the rules ask for no more of the port than it has
        coupons.undo(COUPON, "mem_a", orders=orders, uses=self.uses, charges=self.charges, clock=MovingClock(AT))

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
        self.orders.refunds.append(refund)
        return refund

    def give_back(self, refund: Refund) -> None:
        coupons.take_off(
            self.orders.order, refund, self.orders.refunds_of("ord_1"), uses=self.uses, charges=self.charges
        )


def test_an_unused_coupon_is_undone_and_nobody_owes_anything() -> None:
    world = World()
    world.uses.order_id = ""
    world.undo()

    assert (world.uses.undone, world.charges.booked) == (1, {})


def test_what_was_sent_is_owed_and_a_repeat_charges_once() -> None:
    world = World()
    world.undo()
    world.undo()

    assert world.charges.booked == {(COUPON, "mem_a", "ord_1"): -20_000}


def test_an_order_that_waits_for_payment_is_cancelled_and_its_coupon_undone_after_all() -> None:
    world = World(replace(PLACED, status="placed", amount_fen=5_000))
    store = world.orders.store

    def stored(step: Step) -> bool:
        world.uses.order_id = ""  # closing an order frees its coupon, and this undoing takes it
        return store(step)

    setattr(world.orders, "store", stored)  # noqa: B010 - a plain assignment is refused by mypy
    world.undo()

    assert world.orders.order.status == "cancelled"
    assert (world.uses.undone, world.uses.owed, world.charges.booked) == (2, None, {})


def test_the_first_decision_about_what_is_owed_holds() -> None:
    world = World()
    world.uses.owed = 7_000
    world.undo()

    assert world.charges.booked == {(COUPON, "mem_a", "ord_1"): -7_000}


@pytest.mark.parametrize("known_first", [True, False])
def test_what_comes_back_is_not_owed_whether_it_came_before_the_undoing_or_after(known_first: bool) -> None:
    world = World()
    if known_first:
        refund = world.refund("rfd_1", 1, 5)
        world.give_back(refund)
        world.undo()
    else:
        world.undo()
        refund = world.refund("rfd_1", 1, 5)
        world.give_back(refund)
    world.give_back(refund)

    assert world.charges.booked == {
        (COUPON, "mem_a", "ord_1"): -20_000,
        (COUPON, "rfd_1", "mem_a", "ord_1"): 10_000,
    }


def test_a_refund_that_has_not_gone_through_and_one_that_is_no_return_take_nothing_off() -> None:
    world = World()
    world.refund("rfd_1", 1, 5, status="requested")
    world.refund("rfd_2", 1, 6, kind="stray")
    world.undo()

    assert world.charges.booked == {(COUPON, "mem_a", "ord_1"): -20_000}


def test_all_returns_together_give_back_all_that_the_coupon_took_off() -> None:
    order = replace(PLACED, lines=(replace(PLACED.lines[0], units=3, price_fen=3_333, net_fen=2_000),))
    world = World(order)
    for number in (1, 2, 3):
        world.refund(f"rfd_{number}", 1, number)
    parts = dict(coupons.given_back(order, world.orders.refunds_of("ord_1")))

    assert parts == {"rfd_1": 2_666, "rfd_2": 2_667, "rfd_3": 2_666}
    assert sum(parts.values()) == 3 * 3_333 - 2_000
