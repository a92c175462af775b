"""The steps of a shop's history in the order of time, and the history of recorded orders.

A history is a stream that the simulation reads once; it keeps only the future steps of open orders.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Final, TypeAlias

import msgspec

from cardstock.errors import RefusedError
from cardstock.money import Fen
from cardstock.network import errors
from cardstock.network.model import LineRefunds, OrderLine
from cardstock.network.plan import Plan
from cardstock.network.rewards import nothing_refunded, refund_amount, refund_units

FIRST_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST_MOMENT: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""Latest time of a record, so that windows and freezes of whole years can be added to every one."""


class PartnerAppointed(msgspec.Struct, frozen=True):
    """An operator made somebody a partner."""

    member_id: str
    at: datetime


class MemberJoined(msgspec.Struct, frozen=True):
    """A member joined, through `inviter_id` or without an inviter."""

    member_id: str
    inviter_id: str | None
    at: datetime
    verified: bool = False
    passes: bool = False
    """The member will neither buy nor bring anybody, so no position is kept."""


class OrderPlaced(msgspec.Struct, frozen=True):
    """An order was placed; if `paid`, also paid at the same moment."""

    order_id: str
    member_id: str
    lines: tuple[OrderLine, ...]
    at: datetime
    paid: bool = True
    basket: int | None = None
    """Orders of one history with the same number have the same lines."""


class OrderPaid(msgspec.Struct, frozen=True):
    """An order was paid."""

    order_id: str
    at: datetime


class OrderSettled(msgspec.Struct, frozen=True):
    """The return window and the freeze of an order ended: its rewards are available."""

    order_id: str
    at: datetime


class OrderReturned(msgspec.Struct, frozen=True):
    """A refund of an order: `units` of its lines (by index), or `fen` over all lines, or everything that was left."""

    order_id: str
    at: datetime
    fen: Fen | None = None
    units: Mapping[int, int] | None = None


class OrderClosed(msgspec.Struct, frozen=True):
    """No further step of an order follows."""

    order_id: str


class MemberLeft(msgspec.Struct, frozen=True):
    """A member who has brought nobody has no further steps, so no position is kept."""

    member_id: str


Step: TypeAlias = (
    PartnerAppointed | MemberJoined | OrderPlaced | OrderPaid | OrderSettled | OrderReturned | OrderClosed | MemberLeft
)
History: TypeAlias = Iterator[Step]


class RecordedOrder(msgspec.Struct, frozen=True):
    """One past order. `inviter_id` counts if the buyer was not bound yet."""

    order_id: str
    member_id: str
    lines: tuple[OrderLine, ...]
    placed_at: datetime
    inviter_id: str | None = None
    paid_at: datetime | None = None
    """None if never paid."""
    received_at: datetime | None = None
    """None if never received: the order does not settle."""
    returns: tuple[OrderReturned, ...] = ()


def recorded(orders: Iterable[RecordedOrder], plan: Plan, partners: Sequence[str] = ()) -> History:
    """The history of recorded orders, sorted by the time of placing; `partners` are appointed before all of them.

    Raises `InvalidError` with the fact `order_id`: ORDERS_UNSORTED (placed before the order given before it),
    ORDER_INVALID (a repeated id, no lines, contradicting times or times outside of 1970 to 9000, more refunded than
    paid).
    """
    wait = timedelta(days=plan.waits_days)
    due: list[tuple[datetime, int, int, Step]] = []
    ids: set[str] = set()
    known: set[str] = set(partners)
    newest: datetime | None = None
    for number, order in enumerate(orders):
        at = order.placed_at
        if newest is None:
            yield from (PartnerAppointed(partner, at) for partner in partners)
        elif at < newest:
            raise errors.ORDERS_UNSORTED(order_id=order.order_id)
        newest = at
        while due and due[0][0] <= at:
            yield heappop(due)[3]
        if order.order_id in ids or not _is_possible(order):
            raise errors.ORDER_INVALID(order_id=order.order_id)
        ids.add(order.order_id)
        if order.member_id not in known or order.inviter_id is not None:
            known.add(order.member_id)
            yield MemberJoined(order.member_id, order.inviter_id, at)
        yield OrderPlaced(order.order_id, order.member_id, order.lines, at, paid=order.paid_at == at)
        for rank, (moment, step) in enumerate(_what_follows(order, wait)):
            heappush(due, (moment, number, rank, step))
    while due:
        yield heappop(due)[3]


def _what_follows(order: RecordedOrder, wait: timedelta) -> list[tuple[datetime, Step]]:
    steps: list[tuple[datetime, Step]] = []
    if order.paid_at is not None and order.paid_at != order.placed_at:
        steps.append((order.paid_at, OrderPaid(order.order_id, order.paid_at)))
    steps += [(step.at, step) for step in order.returns]
    if order.received_at is not None:
        settled_at = order.received_at + wait
        steps.append((settled_at, OrderSettled(order.order_id, settled_at)))
    # Steps of the same moment keep this sequence: payment, refund, end of the window.
    steps.sort(key=lambda step: step[0])
    steps.append((steps[-1][0] if steps else order.placed_at, OrderClosed(order.order_id)))
    return steps


def _is_possible(order: RecordedOrder) -> bool:
    moments = [order.paid_at, order.received_at, *(step.at for step in order.returns)]
    if not order.lines or any(line.net < 0 or line.units < 1 for line in order.lines):
        return False
    if any(moment and not FIRST_MOMENT <= moment < LAST_MOMENT for moment in (order.placed_at, *moments)):
        return False
    if order.paid_at is None:
        return moments == [None, None]
    if any(moment is not None and moment < order.paid_at for moment in moments) or order.paid_at < order.placed_at:
        return False
    done = nothing_refunded(order.lines)
    try:
        for step in sorted(order.returns, key=lambda step: step.at):
            done = refunded_after(order.lines, done, step)
    except RefusedError:
        return False
    return True


def refunded_after(lines: Sequence[OrderLine], done: LineRefunds, step: OrderReturned) -> LineRefunds:
    """`done` plus the refund of `step`. Raises `RefusedError` if more is refunded than was paid."""
    if step.units is not None:
        return refund_units(lines, done, step.units)
    rest = sum(line.net for line in lines) - sum(done.fen)
    return refund_amount(lines, done, rest if step.fen is None else step.fen)
