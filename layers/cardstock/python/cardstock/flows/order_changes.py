"""The steps that follow a change of an order, a refund or a supplier order.

`FOLLOWERS` has, for each kind of change, its followers in the order in which they run. A new follower of "order paid"
is one function and one word in that table.

A change comes here from the stream of the table `orders` or `supplier_orders`, through its pipe, the queue
`order-events` and the function `orders/on_change`. What an order's rewards depend on is its `snapshot` (the plan, and
the positions of the buyer and those who may earn), which `flows.buying` takes when the order is placed.

Changes arrive in any order and more than once. A follower that ran before changes nothing, so after an interruption
all followers of a change run again from the first one.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Literal, Protocol, TypeAlias

import msgspec

from cardstock.errors import RefusedError, UnavailableError
from cardstock.flows import settling
from cardstock.flows.rewarding import PlanRules
from cardstock.ledger.accrual import accrue
from cardstock.ledger.claw_back import claw_back
from cardstock.ledger.model import Accrual
from cardstock.ledger.ports import Books, Calendar
from cardstock.network.counting import count_order
from cardstock.network.model import Event
from cardstock.network.ports import Network, Plans
from cardstock.orders import refund_ends
from cardstock.orders.change_model import OrderChange, RefundChange, SupplierOrderChange
from cardstock.orders.model import Order
from cardstock.orders.ports import Orders, PaymentChannel
from cardstock.orders.refund_model import Refund, RefundStatus
from cardstock.orders.supplier_model import SupplierOrder

Happening: TypeAlias = Literal[
    "order placed",
    "order paid",
    "order shipped",
    "order completed",
    "order cancelled",
    "order expired",
    "refund requested",
    "refund refused",
    "refund given up",
    "order refunded",
    "stray payment refunded",
    "supplier order changed",
]


class OrderEvents(Protocol):
    """Collects events about orders and the network until the batch ends."""

    def order(self, order: Order, /) -> None:
        """An order has a new status."""

    def refund(self, refund: Refund, /) -> None:
        """A refund has a new status."""

    def supplier_order(self, part: SupplierOrder, /) -> None:
        """A supplier order is new, or has changed, as its `last_event` says."""

    def positions(self, moved: Sequence[Event], /) -> None:
        """The network has changed."""


class PurchaseChecks(Protocol):
    """The compliance checks of paid orders."""

    def log_and_check(self, order: Order, accrual: Accrual, /) -> object:
        """Log a paid order, and hold its rewards if it is suspicious."""


class RefundCounting(Protocol):
    """The sales for the team dividend."""

    def count_refund(self, order: Order, refund: Refund, /) -> None:
        """Subtract a refund from the sales of its order."""


class CouponFollowing(Protocol):
    """Revoked coupons, and their charges."""

    def revoke_coupons(self, events: Sequence[Event], /) -> None:
        """Revoke the coupons that these network changes revoke."""

    def reduce_charge(self, order: Order, refund: Refund, refunds: Sequence[Refund], /) -> None:
        """Reduce the charge for a revoked coupon after a refund of its order."""


class Shipments(Protocol):
    """Platforms that must know what was sent for their payments."""

    def tell(self, order: Order, /) -> None:
        """Have shipping reported to the platform of the payment, if it must know."""


class Needs(msgspec.Struct, frozen=True):
    """The ports of the followers."""

    orders: Orders
    channels: Mapping[str, PaymentChannel]
    rules: PlanRules
    purchase_checks: PurchaseChecks
    books: Books
    calendar: Calendar
    network: Network
    plans: Plans
    dividends: RefundCounting
    coupons: CouponFollowing
    events: OrderEvents
    shipments: Shipments
    alarm: Callable[[str], None]
    """Tells people of an open item about the refund with this id."""


class OrderStory(msgspec.Struct, frozen=True):
    """An order and its refunds, read once for all followers. `refund` is the one that has just succeeded."""

    order: Order
    refund: Refund | None = None
    refunds: tuple[Refund, ...] = ()


def follow(needs: Needs, change: OrderChange | RefundChange | SupplierOrderChange | None) -> None:
    """Run the followers of a change, one after the other. None, and a change of amounts only, have no followers.

    Safe to repeat, also after an interruption at any point. Raises `UnavailableError` if the outcome of a follower is
    unknown, and LookupError for a refund without an order.
    """
    if isinstance(change, SupplierOrderChange):
        _run("supplier order changed", needs, change)
    elif isinstance(change, OrderChange) and change.order.status != change.previous:
        _run(f"order {change.order.status}", needs, OrderStory(change.order))  # type: ignore[arg-type]  # one for each status
    elif isinstance(change, RefundChange) and change.refund.status != change.previous:
        _follow_refund(needs, change.refund)


def _follow_refund(needs: Needs, refund: Refund) -> None:
    happening = _BEFORE_SUCCESS.get(refund.status)
    if happening is not None:
        _run(happening, needs, refund)
    elif refund.kind == "stray":
        _run("stray payment refunded", needs, refund)
    else:
        order = needs.orders.find_order(refund.order_id)
        if order is None:
            raise LookupError(f"{refund.refund_id} belongs to no order")
        _run("order refunded", needs, OrderStory(order, refund, needs.orders.refunds_of_order(refund.order_id)))


def _run(happening: Happening, needs: Needs, subject: Any) -> None:
    for follower in FOLLOWERS[happening]:
        follower(needs, subject)


# Followers


def check_purchase(needs: Needs, story: OrderStory) -> None:
    """Hold the order's rewards if the checks require it; before the credit, so that no reward is free for a moment."""
    needs.purchase_checks.log_and_check(story.order, needs.rules.accrual(story.order))


def accrue_rewards(needs: Needs, story: OrderStory) -> None:
    """Credit the order's rewards, frozen."""
    accrue(needs.rules.accrual(story.order), books=needs.books)


def claw_back_rewards(needs: Needs, story: OrderStory) -> None:
    """Claw back the refund's part of the order's rewards."""
    refund = _refund_of(story)
    taken = needs.rules.taken(story.order, story.refunds)[refund.refund_id]
    claw_back(refund.refund_id, taken, needs.rules.accrual(story.order), books=needs.books)


def reduce_team_sales(needs: Needs, story: OrderStory) -> None:
    """Subtract the refund from the sales for the team dividend."""
    needs.dividends.count_refund(story.order, _refund_of(story))


def reduce_coupon_charge(needs: Needs, story: OrderStory) -> None:
    """Reduce the buyer's charge for a revoked coupon by what the refund gave back of it."""
    if story.order.coupon:
        needs.coupons.reduce_charge(story.order, _refund_of(story), story.refunds)


def count_in_network(needs: Needs, story: OrderStory) -> None:
    """Count the order, or its refund, in the network, with the promotions, demotions and coupons that follow."""
    facts = needs.rules.facts(story.order, story.refunds)
    moved = count_order(facts, network=needs.network, plans=needs.plans)
    needs.events.positions(moved)
    if any(event.kind == "benefit_undone" for event in moved):
        needs.coupons.revoke_coupons(moved)


def schedule_release(needs: Needs, story: OrderStory) -> None:
    """Schedule the release of the order's rewards, if anything depends on its settling."""
    if needs.rules.concerns(story.order):
        settling.schedule_release(story.order, rules=needs.rules, calendar=needs.calendar)


def send_refund(needs: Needs, refund: Refund) -> None:
    """Have the payment channel send the money of a requested refund, once.

    It is stored as requested. Whatever hinders it, also a channel without an answer or one that is not set up, is left
    to the refund sweep, which asks on every five minutes and has alarms for each of them. A message in the dead-letter
    queue would be an alarm for what ends by itself.
    """
    with suppress(UnavailableError, RefusedError):
        refund_ends.execute_refund(refund.order_id, refund.refund_id, orders=needs.orders, channels=needs.channels)


def tell_platform(needs: Needs, story: OrderStory) -> None:
    """Have shipping reported to the platform of the payment, through a queue of its own: it may take long to answer."""
    needs.shipments.tell(story.order)


def publish_order(needs: Needs, story: OrderStory) -> None:
    """Publish the order's new status."""
    needs.events.order(story.order)


def raise_alarm(needs: Needs, refund: Refund) -> None:
    """Tell people of a refund that its channel has refused. Every message of it tells them, also a repeated one."""
    needs.alarm(refund.refund_id)


def publish_refund(needs: Needs, refund: Refund) -> None:
    """Publish that a refund was requested, refused or given up, or that a stray payment was refunded."""
    needs.events.refund(refund)


def publish_order_refund(needs: Needs, story: OrderStory) -> None:
    """Publish that a refund of the order succeeded."""
    needs.events.refund(_refund_of(story))


def publish_supplier_order(needs: Needs, change: SupplierOrderChange) -> None:
    """Publish a new or changed supplier order."""
    needs.events.supplier_order(change.supplier_order)


def _refund_of(story: OrderStory) -> Refund:
    if story.refund is None:
        raise ValueError(f"no refund of {story.order.order_id} has succeeded")
    return story.refund


FOLLOWERS: Final[Mapping[Happening, tuple[Callable[[Needs, Any], None], ...]]] = {
    "order placed": (publish_order,),
    "order paid": (check_purchase, accrue_rewards, count_in_network, publish_order),
    "order shipped": (tell_platform,),  # each parcel is published, with its supplier order
    "order completed": (schedule_release, publish_order),
    "order cancelled": (publish_order,),
    "order expired": (publish_order,),
    "refund requested": (publish_refund, send_refund),
    "refund refused": (publish_refund, raise_alarm),
    "refund given up": (publish_refund,),
    "order refunded": (
        publish_order_refund,
        claw_back_rewards,
        reduce_team_sales,
        reduce_coupon_charge,
        count_in_network,
    ),
    "stray payment refunded": (publish_refund,),
    "supplier order changed": (publish_supplier_order,),
}
"""Kind of change -> its followers, in order. They take an `OrderStory`; those of a refund that has not succeeded and of
a stray payment take the `Refund`, those of a supplier order its change."""
_BEFORE_SUCCESS: Final[Mapping[RefundStatus, Happening]] = {
    "requested": "refund requested",
    "refused": "refund refused",
    "given_up": "refund given up",
}
