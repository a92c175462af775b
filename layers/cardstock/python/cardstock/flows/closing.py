"""Closing a member's account: not while anything is open, and not before its money has gone somewhere.

Asking ends the earning at once; then what is frozen is released or taken back, and what can be paid is paid with the
next payout. When nothing is left to wait for, the account is closed in one transaction with the last money: given up by
the member, or set aside as unclaimed because it cannot be paid.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.clock import brand_day
from cardstock.errors import STORE_BUSY
from cardstock.ledger import closings
from cardstock.ledger.model import AccountClosing, Balance
from cardstock.ledger.ports import Books, Closings
from cardstock.marks import Marker
from cardstock.members import closing as members_closing
from cardstock.members import errors
from cardstock.members.model import Member
from cardstock.members.ports import Members, Sessions
from cardstock.members.profile import find_caller
from cardstock.members.sessions import end_all
from cardstock.money import Fen
from cardstock.network.ports import Network
from cardstock.network.promotion import erase_member
from cardstock.orders.listing import all_orders_of
from cardstock.orders.model import Order
from cardstock.orders.ports import Orders
from cardstock.orders.refund_model import OPEN_REFUND
from cardstock.retention import Kept, kept_after

ClosingState: TypeAlias = Literal["open", "waiting", "closed"]

SETTLING: Final = timedelta(minutes=1)
"""How long a request that began before the account was being closed may still be under way."""
_OPEN: Final = frozenset({"placed", "paid", "shipped"})
_NAMED: Final = 5
"""How many orders a refusal names."""
_ATTEMPTS: Final = 5
_PASSING: Final = frozenset({"hold", "disputed", "attempt_open"})
"""Reasons against a payment that people end: the money waits for that."""


class ClosingNeeds(msgspec.Struct, frozen=True):
    """The ports of closing. `unpayable`: why the next payout would not pay the member that much; None if it would.

    `remove_cards`: the member's cards, whatever they say, are gone. `end_agreements`: the member's payment agreements
    have ended, also at their channels; it raises `UnavailableError` while a channel has not ended one."""

    members: Members
    sessions: Sessions
    orders: Orders
    books: Books
    closings: Closings
    network: Network
    unpayable: Callable[[str, Fen], str | None]
    remove_cards: Callable[[str], None]
    marker: Marker
    end_agreements: Callable[[str], None]


class GiveUp(msgspec.Struct, frozen=True):
    """What the member gives up, in the member's words."""

    amount: Fen
    words: str


class Standing(msgspec.Struct, frozen=True):
    """What stands in the way of closing an account, and what becomes of its money.

    `reason` says why the available money cannot be paid; None: it can, or there is none.
    """

    state: ClosingState
    asked_at: datetime | None
    orders: tuple[str, ...]
    refunds: tuple[str, ...]
    """Orders with refunds that have not ended."""
    balance: Balance
    reason: str | None = None
    kept: tuple[Kept, ...] = ()
    """What stays of the account, if it is closed today, or since it was."""
    again_at: datetime | None = None
    """From when on a call can close the account, if only time is waited for."""

    @property
    def waits(self) -> bool:
        """Whether money must move before the account can be closed without giving up anything."""
        payable = self.balance.available and (self.reason is None or self.reason in _PASSING)
        return bool(self.balance.frozen or self.balance.paying or payable)


def standing(member_id: str, needs: ClosingNeeds) -> Standing:
    """How closing the account stands, or that it is closed. Raises `UnauthorizedError` MEMBER_ERASED without a member.

    Reads the member's orders, a hundred at a time, and the refunds of each.
    """
    return _ended(member_id, needs) or _standing(find_caller(member_id, members=needs.members), needs)


def close_account(member_id: str, give_up: GiveUp | None, needs: ClosingNeeds) -> Standing:
    """Close the account, or have it wait for its money; then the same call closes it later. Safe to repeat.

    From the first call on the member earns nothing from new orders and places none, which cannot be taken back; a
    minute later, when no earlier request is under way any more, the account can be closed. `give_up` must name exactly
    what is available. Raises `RefusedError`: ORDERS_OPEN, REFUNDS_OPEN, DEBT_OPEN, GIVE_UP_DIFFERS,
    LINKED_TO_STAFF; `UnauthorizedError` MEMBER_ERASED without a member; `UnavailableError` while a channel has not
    ended a payment agreement.
    """
    for _ in range(_ATTEMPTS):
        if (ended := _ended(member_id, needs)) is not None:
            return ended
        member, now = find_caller(member_id, members=needs.members), clock.now()
        found = _standing(member, needs)
        _require_nothing_open(member, found)
        balance = found.balance
        if give_up is not None and give_up.amount != balance.available:
            raise errors.GIVE_UP_DIFFERS(available_fen=balance.available)
        # First, so that no order has been placed since `closing_at`, wherever this is killed.
        erase_member(member_id, network=needs.network)
        if not needs.members.begin_closing(member_id, now):
            continue
        asked_at = member.closing_at or now
        if balance.frozen or balance.paying or (give_up is None and found.waits):
            return _state(found, "waiting", asked_at)
        if now < asked_at + SETTLING:
            return replace(_state(found, "waiting", asked_at), again_at=asked_at + SETTLING)
        needs.end_agreements(member_id)
        needs.remove_cards(member_id)
        if _close(member, found, give_up, now, needs):
            end_all(member_id, sessions=needs.sessions)
            return replace(_state(found, "closed", asked_at), balance=Balance(member_id), reason=None, again_at=None)
    raise STORE_BUSY()


def _ended(member_id: str, needs: ClosingNeeds) -> Standing | None:
    """That the account is closed; None if it is not. A repeat whose first answer got lost is answered by it."""
    member = needs.members.find_member(member_id)
    closing = needs.closings.find_closing(member_id) if member is not None and member.state == "erased" else None
    if member is None or closing is None:
        return None
    kept = kept_after(brand_day(closing.at), was_paid=needs.books.balance_of(member_id).was_paid)
    return Standing("closed", member.closing_at or closing.at, (), (), Balance(member_id), kept=kept)


def _close(member: Member, found: Standing, give_up: GiveUp | None, now: datetime, needs: ClosingNeeds) -> bool:
    """Whether the account is closed now; False if something has changed since it was read."""
    amount = found.balance.available
    if give_up is None:
        closing = AccountClosing(member.id, now, "set_aside", amount, found.reason or "")
    else:
        closing = AccountClosing(member.id, now, "given_up", amount, words=give_up.words)
    step = members_closing.close_account(member, now, members=needs.members, marker=needs.marker)
    return closings.close_account(closing, step, closings=needs.closings) != "outdated"


def _require_nothing_open(member: Member, found: Standing) -> None:
    if member.staff_link:
        raise errors.LINKED_TO_STAFF()
    if found.orders:
        raise errors.ORDERS_OPEN(orders=", ".join(found.orders[:_NAMED]))
    if found.refunds:
        raise errors.REFUNDS_OPEN(orders=", ".join(found.refunds[:_NAMED]))
    if found.balance.debt:
        raise errors.DEBT_OPEN(debt_fen=found.balance.debt)


def _standing(member: Member, needs: ClosingNeeds) -> Standing:
    orders = list(all_orders_of(member.id, orders=needs.orders))
    waiting = tuple(order.order_id for order in orders if order.status in _OPEN and not _is_given_back(order))
    refunds = tuple(order.order_id for order in orders if order.order_id not in waiting and _refunds(order, needs))
    balance = needs.books.balance_of(member.id)
    reason = needs.unpayable(member.id, balance.available) if balance.available else None
    state: ClosingState = "open" if member.closing_at is None else "waiting"
    kept = kept_after(brand_day(clock.now()), was_paid=balance.was_paid)
    found = Standing(state, member.closing_at, waiting, refunds, balance, reason, kept)
    blocked = waiting or refunds or balance.debt or found.waits
    return found if member.closing_at is None or blocked else replace(found, again_at=member.closing_at + SETTLING)


def _is_given_back(order: Order) -> bool:
    """Whether nothing of an order is left to be sent or received."""
    return all(line.refunded_units == line.units for line in order.lines)


def _refunds(order: Order, needs: ClosingNeeds) -> bool:
    return any(refund.status in OPEN_REFUND for refund in needs.orders.refunds_of_order(order.order_id))


def _state(found: Standing, state: ClosingState, asked_at: datetime) -> Standing:
    return replace(found, state=state, asked_at=asked_at)
