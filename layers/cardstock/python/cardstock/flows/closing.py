"""Closing a member's account: not while anything is open, and not before its money has gone somewhere.

Asking ends the earning at once; then what is frozen is released or taken back, and what can be paid is paid with the
next payout. When nothing is left to wait for, the account is closed in one transaction with the last money: given up by
the member, or set aside as unclaimed because it cannot be paid. What waits is a stored request, and each night goes on
with it (`nightly_closing`), so that the member need not call again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.clock import brand_day
from cardstock.errors import MEMBER_ERASED, STORE_BUSY
from cardstock.ledger import closings
from cardstock.ledger.model import AccountClosing, Balance
from cardstock.ledger.ports import Books, Closings
from cardstock.marks import Marker
from cardstock.members import closing as members_closing
from cardstock.members import errors
from cardstock.members.closing_model import ClosingRequest, GiveUp
from cardstock.members.model import Member
from cardstock.members.ports import ClosingRequests, Members, Sessions
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
_PASSING: Final = frozenset({"hold", "disputed", "attempt_open", "former_debt"})
"""Reasons against a payment that people, or a night, end: the money waits for that."""


class ClosingNeeds(msgspec.Struct, frozen=True):
    """The ports of closing. `unpayable`: why the next payout would not pay the member that much; None if it would.

    `remove_cards`: the member's cards, whatever they say, are gone. `end_agreements`: the member's payment agreements
    have ended, also at their channels, or people are asked to end them there; it raises `UnavailableError` while a
    channel has not ended one."""

    members: Members
    requests: ClosingRequests
    sessions: Sessions
    orders: Orders
    books: Books
    closings: Closings
    network: Network
    unpayable: Callable[[str, Fen], str | None]
    remove_cards: Callable[[str], None]
    marker: Marker
    end_agreements: Callable[[str], None]


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
    """From when on the account can be closed, if only time is waited for."""
    give_up: GiveUp | None = None
    """What the member gives up, by the last call that was not refused; of a closed account: what was given up."""

    @property
    def differs(self) -> bool:
        """Whether the member gives up another sum than is available by now. Where nothing is, nothing is lost."""
        return self.give_up is not None and self.balance.available not in (0, self.give_up.amount)

    @property
    def waits(self) -> bool:
        """Whether money must move, or the member say something else, before the account can be closed."""
        payable = self.balance.available and (self.reason is None or self.reason in _PASSING)
        kept = payable and self.give_up is None
        return bool(self.balance.frozen or self.balance.paying or kept or self.differs)

    @property
    def is_blocked(self) -> bool:
        """Whether the account cannot be closed, however long ago that was asked for."""
        return bool(self.orders or self.refunds or self.balance.debt or self.waits)

    def is_ready(self, now: datetime) -> bool:
        """Whether the account can be closed, if this was read at `now` or later."""
        return self.asked_at is not None and now >= self.asked_at + SETTLING and not self.is_blocked


def standing(member_id: str, needs: ClosingNeeds) -> Standing:
    """How closing the account stands, or that it is closed. Raises `UnauthorizedError` MEMBER_ERASED without a member.

    Reads the member's orders, a hundred at a time, and the refunds of each.
    """
    member = needs.members.find_member(member_id)
    ended = _ended(member, needs)
    if ended is not None:
        return ended
    member = _require_there(member)
    request = None if member.closing_at is None else needs.requests.find_request(member_id)
    return _standing(member, None if request is None else request.give_up, needs)


def close_account(member_id: str, give_up: GiveUp | None, needs: ClosingNeeds, *, session_id: str = "") -> Standing:
    """Close the account, or have it wait: each night goes on with it. Safe to repeat; the last call's `give_up` counts.

    From the first call on the member earns nothing from new orders and places none, which cannot be taken back; a
    minute later, when no earlier request is under way any more, the account can be closed. `give_up` must name exactly
    what is available. Raises `RefusedError`: ORDERS_OPEN, REFUNDS_OPEN, DEBT_OPEN, GIVE_UP_DIFFERS,
    LINKED_TO_STAFF; `UnauthorizedError` MEMBER_ERASED without a member, SESSION_ENDED for the token of a session that
    was ended: nobody who was logged out closes an account; `UnavailableError` while a channel has not ended a payment
    agreement.
    """
    for _ in range(_ATTEMPTS):
        (member, goes_on), now = needs.members.find_with_session(member_id, session_id), clock.now()
        if (ended := _ended(member, needs)) is not None:
            return ended
        if not goes_on:
            raise errors.SESSION_ENDED()
        member = _require_there(member)
        found = _standing(member, give_up, needs)
        _require_nothing_open(member, found)
        if give_up is not None and give_up.amount != found.balance.available:
            raise errors.GIVE_UP_DIFFERS(available_fen=found.balance.available)
        if found.is_ready(now):
            if _close(member, found, now, needs):
                given_up = give_up if found.balance.available else None
                return Standing("closed", found.asked_at, (), (), Balance(member_id), kept=found.kept, give_up=given_up)
            continue
        # First, so that no order has been placed since `closing_at`, wherever this is killed.
        erase_member(member_id, network=needs.network)
        asked_at = member.closing_at or now
        if needs.members.begin_closing(ClosingRequest(member_id, asked_at, give_up)):
            return _asked(found, asked_at)
    raise STORE_BUSY()


def go_on(request: ClosingRequest, needs: ClosingNeeds) -> bool:
    """Close the account of a request that waits, as the same call of the member would now; whether it is closed. Safe
    to repeat.

    False, and nothing has changed, while anything is open or waited for, or the sum that the member gives up is another
    one by now. Raises `UnavailableError` while a channel has not ended a payment agreement, or the outcome is unknown.
    """
    last: ClosingRequest | None = request
    for _ in range(_ATTEMPTS):
        member, now = needs.members.find_member(request.member_id), clock.now()
        if last is None or member is None or member.state == "erased":
            return True
        found = _standing(member, last.give_up, needs)
        if member.staff_link or not found.is_ready(now):
            return False
        if _close(member, found, now, needs, last):
            return True
        last = needs.requests.find_request(request.member_id)
    raise STORE_BUSY()


def _ended(member: Member | None, needs: ClosingNeeds) -> Standing | None:
    """That the account is closed; None if it is not. A repeat whose first answer got lost is answered by it."""
    closing = needs.closings.find_closing(member.id) if member is not None and member.state == "erased" else None
    if member is None or closing is None:
        return None
    kept = kept_after(brand_day(closing.at), was_paid=needs.books.balance_of(member.id).was_paid)
    asked_at = member.closing_at or closing.at
    given_up = GiveUp(closing.amount, closing.words) if closing.kind == "given_up" else None
    return Standing("closed", asked_at, (), (), Balance(member.id), kept=kept, give_up=given_up)


def _require_there(member: Member | None) -> Member:
    if member is None or member.state == "erased":
        raise MEMBER_ERASED()
    return member


def _close(
    member: Member, found: Standing, now: datetime, needs: ClosingNeeds, request: ClosingRequest | None = None
) -> bool:
    """Whether the account is closed now; False if something has changed since it was read. `request`: on whose word,
    where it is not the member who calls."""
    needs.end_agreements(member.id)
    needs.remove_cards(member.id)
    amount = found.balance.available
    if found.give_up is None or not amount:
        closing = AccountClosing(member.id, now, "set_aside", amount, found.reason or "")
    else:
        closing = AccountClosing(member.id, now, "given_up", amount, words=found.give_up.words)
    step = members_closing.close_account(member, now, request, members=needs.members, marker=needs.marker)
    if closings.close_account(closing, step, closings=needs.closings) == "outdated":
        return False
    end_all(member.id, sessions=needs.sessions)
    return True


def _require_nothing_open(member: Member, found: Standing) -> None:
    if member.staff_link:
        raise errors.LINKED_TO_STAFF()
    if found.orders:
        raise errors.ORDERS_OPEN(orders=", ".join(found.orders[:_NAMED]))
    if found.refunds:
        raise errors.REFUNDS_OPEN(orders=", ".join(found.refunds[:_NAMED]))
    if found.balance.debt:
        raise errors.DEBT_OPEN(debt_fen=found.balance.debt)


def _standing(member: Member, give_up: GiveUp | None, needs: ClosingNeeds) -> Standing:
    orders = list(all_orders_of(member.id, orders=needs.orders))
    waiting = tuple(order.order_id for order in orders if order.status in _OPEN and not _is_given_back(order))
    refunds = tuple(order.order_id for order in orders if order.order_id not in waiting and _refunds(order, needs))
    balance = needs.books.balance_of(member.id)
    reason = needs.unpayable(member.id, balance.available) if balance.available else None
    kept = kept_after(brand_day(clock.now()), was_paid=balance.was_paid)
    found = Standing("open", None, waiting, refunds, balance, reason, kept, give_up=give_up)
    return found if member.closing_at is None else _asked(found, member.closing_at)


def _asked(found: Standing, asked_at: datetime) -> Standing:
    """The same, of an account that is being closed since then."""
    again_at = None if found.is_blocked else asked_at + SETTLING
    return replace(found, state="waiting", asked_at=asked_at, again_at=again_at)


def _is_given_back(order: Order) -> bool:
    """Whether nothing of an order is left to be sent or received."""
    return all(line.refunded_units == line.units for line in order.lines)


def _refunds(order: Order, needs: ClosingNeeds) -> bool:
    return any(refund.status in OPEN_REFUND for refund in needs.orders.refunds_of_order(order.order_id))
