"""Erasing whom an order went to three years after it has ended, for everybody.

Each night looks at the days on which these orders were placed, in their sequence and behind a mark that says how far it
is: nights that were missed are caught up. Most orders have ended two months after they were placed; those that had a
late after-sale are met by a second look.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from cardstock.clock import brand_day
from cardstock.compliance.ports import PurchaseLog
from cardstock.flows.erasing import forget_marks
from cardstock.orders.erasing import ended_at, erase_people, is_erased
from cardstock.orders.listing import all_orders_of
from cardstock.orders.model import Order
from cardstock.orders.ports import ErasedDays, OrderDays, Orders
from cardstock.orders.refund_model import REFUND_WINDOW, Refund
from cardstock.retention import THREE_YEARS

LOOKS: Final = {"soon": timedelta(days=60), "late": REFUND_WINDOW + timedelta(days=60)}
"""How long after its placing an order is looked at, beside the three years: when nearly all have ended, and when all
have."""
FIRST_DAY: Final = date(2026, 11, 1)
"""No release has stored an order that was placed earlier."""
_DAY: Final = timedelta(days=1)


class OrderRetentionNeeds(msgspec.Struct, frozen=True):
    """The ports of erasing old orders. `settles_at`: when a completed order settles, None while that is open."""

    orders: Orders
    days: OrderDays
    erased: ErasedDays
    log: PurchaseLog
    settles_at: Callable[[Order, Sequence[Refund]], datetime | None]


class RetentionNight(msgspec.Struct, frozen=True):
    """Numbers of a night: orders that were erased, and days that are left for want of time."""

    erased: int
    left: int


def erase_old_orders(now: datetime, needs: OrderRetentionNeeds, *, time_left: Callable[[], bool]) -> RetentionNight:
    """Erase receiver, payer and device of every order that ended three years ago. Safe to repeat and to interrupt."""
    erased = left = 0
    for look, after in LOOKS.items():
        until = brand_day(now - THREE_YEARS - after)
        day = (needs.erased.reached(look) or FIRST_DAY - _DAY) + _DAY
        while day <= until and time_left():
            erased += sum(_erase(order, now, needs) for order in needs.days.placed_on(day))
            needs.erased.reach(look, day)
            day += _DAY
        left += max(0, (until - day).days + 1)
    return RetentionNight(erased, left)


def _erase(order: Order, now: datetime, needs: OrderRetentionNeeds) -> bool:
    if is_erased(order):
        return False
    refunds = needs.orders.refunds_of_order(order.order_id)
    settles_at = needs.settles_at(order, refunds) if order.status == "completed" else None
    ended = ended_at(order, refunds, settles_at)
    if ended is None or ended + THREE_YEARS > now:
        return False
    if order.payer or order.device:
        others = all_orders_of(order.member_id, orders=needs.orders)
        forget_marks(order, (each for each in others if each.order_id != order.order_id), needs.log)
    return erase_people(order, orders=needs.orders)
