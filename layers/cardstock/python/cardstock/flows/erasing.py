"""Erasing what is kept of a closed account, as far as no law and no open order keeps it.

The closing itself takes the profile, the telephone number and the sessions, and leaves an erasure. Each night goes on
with those that can go on: `cardstock.retention` says what stays, and for how long. Every step may be repeated, and what
it has erased it does not find again, so that a night that is killed anywhere is finished by the next one.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock.compliance.ports import PurchaseLog
from cardstock.ledger.ports import Books
from cardstock.marks import Marker
from cardstock.members.erasure_model import FORMER_KEPT, Erasure, former_key
from cardstock.members.ports import Erasures, Members, Sessions
from cardstock.members.sessions import end_all
from cardstock.orders.erasing import ended_at, erase_people, is_erased
from cardstock.orders.listing import all_orders_of
from cardstock.orders.model import Order
from cardstock.orders.ports import Orders
from cardstock.orders.refund_model import Refund
from cardstock.retention import THREE_YEARS

LATE: Final = timedelta(days=3)
"""How long an erasure may be due before people must look."""
_MARGIN: Final = timedelta(days=1)
"""After an order has settled: the nightly release comes first, and tries again the next night."""
_DAY: Final = timedelta(days=1)
_POINTERS: Final = frozenset({"identity", "identity-user", "union", "phone"})
_OWN_TERM: Final = frozenset({"erasing", "export", "former", "phone-move"})
"""Items about a member that go by themselves, by a removal, or with the end of the erasure."""


class ErasingNeeds(msgspec.Struct, frozen=True):
    """The ports of erasing. `settles_at`: when a completed order settles, None while that is open. `removals` take the
    whole of what one table has of a member; each may be repeated."""

    erasures: Erasures
    members: Members
    sessions: Sessions
    orders: Orders
    log: PurchaseLog
    books: Books
    settles_at: Callable[[Order, Sequence[Refund]], datetime | None]
    marker: Marker
    removals: tuple[Callable[[str], object], ...]


class ErasureNight(msgspec.Struct, frozen=True):
    """Numbers of accounts in one night. `late` are those due for more than `LATE`, `failed` those that raised. Not
    `finished`: the time was up, and the next night continues."""

    erased: int
    waiting: int
    late: int
    failed: tuple[str, ...]
    finished: bool


class UnknownItemError(Exception):
    """An item about a member is of a kind that the erasure does not know: add it to `flows.erasing`."""


def erase_night(
    now: datetime, needs: ErasingNeeds, *, time_left: Callable[[], bool], on_failure: Callable[[str], None]
) -> ErasureNight:
    """Go on with every erasure that can go on. An account that raises does not stop the others: `on_failure` is called
    with its id while the error is handled."""
    erased = waiting = late = 0
    failed: list[str] = []
    for erasure in needs.erasures.due_erasures(now):
        if not time_left():
            late += erasure.next_at < now - LATE
            return ErasureNight(erased, waiting, late, tuple(failed), finished=False)
        try:
            done = erase_account(erasure, now, needs)
        except Exception:  # any error of one account is reported, and the caller fails the run
            on_failure(erasure.member_id)
            failed.append(erasure.member_id)
            late += erasure.next_at < now - LATE
        else:
            erased, waiting = erased + done, waiting + (not done)
    return ErasureNight(erased, waiting, late, tuple(failed), finished=True)


def erase_account(erasure: Erasure, now: datetime, needs: ErasingNeeds) -> bool:
    """Erase of a closed account what can be erased now; whether nothing is left. Else it is kept when it goes on.

    Safe to repeat. Raises `UnknownItemError`, and `UnavailableError` if the outcome of a step is unknown.
    """
    member_id = erasure.member_id
    for remove in needs.removals:
        remove(member_id)
    end_all(member_id, sessions=needs.sessions)
    _erase_items(erasure, needs)
    needs.erasures.forget_account(member_id)
    waits = [at for at in (_name_until(erasure, now, needs), _erase_orders(member_id, now, needs)) if at is not None]
    if waits:
        needs.erasures.go_on_at(replace(erasure, next_at=min(waits)), now)
    else:
        needs.erasures.finish(member_id)
    return not waits


def _erase_items(erasure: Erasure, needs: ErasingNeeds) -> None:
    for key in list(needs.members.keys_of(erasure.member_id)):
        kind = key.partition("#")[0]
        if kind in _POINTERS:
            until = erasure.closed_at + FORMER_KEPT
            needs.erasures.forget_pointer(key, erasure.member_id, former_key(key, needs.marker), until)
        elif kind == "consent":
            needs.erasures.expire(key, erasure.closed_at + THREE_YEARS)
        elif kind not in _OWN_TERM:
            raise UnknownItemError(kind)


def _name_until(erasure: Erasure, now: datetime, needs: ErasingNeeds) -> datetime | None:
    """Until when a verified name is kept, for tax; None: it is forgotten."""
    member = needs.members.find_member(erasure.member_id)
    if member is None or member.person is None:
        return None
    if now < erasure.name_until and needs.books.balance_of(erasure.member_id).was_paid:
        return erasure.name_until
    needs.erasures.forget_person(erasure.member_id)
    return None


def _erase_orders(member_id: str, now: datetime, needs: ErasingNeeds) -> datetime | None:
    """When the next order may be erased; None if all are."""
    left = [order for order in all_orders_of(member_id, orders=needs.orders) if not is_erased(order)]
    ready: list[Order] = []
    waits: list[datetime] = []
    for order in left:
        refunds = needs.orders.refunds_of_order(order.order_id)
        settles_at = needs.settles_at(order, refunds) if order.status == "completed" else None
        ended = ended_at(order, refunds, settles_at)
        if ended is not None and ended + _MARGIN <= now:
            ready.append(order)
        else:
            waits.append(now + _DAY if ended is None else ended + _MARGIN)
    for order in ready:
        forget_marks(order, (each for each in left if each not in ready), needs.log)
        if not erase_people(order, orders=needs.orders):
            waits.append(now + _DAY)
    return min(waits, default=None)


def forget_marks(order: Order, others: Iterable[Order], log: PurchaseLog) -> None:
    """Forget the marks of an order that no other order of its buyer has: `others` are those that keep theirs."""
    needed = {mark for other in others for mark in (other.payer, other.device)}
    for mark in sorted({order.payer, order.device} - needed - {""}):
        log.forget_mark(mark, order.member_id)
