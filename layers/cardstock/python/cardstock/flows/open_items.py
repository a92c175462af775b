"""Clearing open items: what an outcome books, in the transaction that stores the clearing; and what ends by itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from cardstock import clock
from cardstock.approving import Confirm, UseOnce
from cardstock.flows.goodwill import grant_item
from cardstock.flows.identity_disputes import take_identity
from cardstock.flows.refunds_by_hand import NamedAccount, paid_to
from cardstock.members.ports import Members
from cardstock.open_items import clearing
from cardstock.open_items.model import AUTOMATIC, REMINDER, ConfirmedItem, Kind, OpenItem, Outcome
from cardstock.open_items.ports import OpenItems
from cardstock.orders.asked_refunds import agree_asked, deny_asked
from cardstock.orders.payment_model import RefundAsked
from cardstock.orders.ports import AskedRefunds, Orders
from cardstock.orders.refund_amounts import set_aside
from cardstock.orders.refund_ends import close_refused
from cardstock.orders.refund_model import RefusedEnd
from cardstock.orders.steps import Channels
from cardstock.payouts.contradictions import Clearing
from cardstock.payouts.ports import Payouts


def clear_item(
    item_id: str,
    outcome: Outcome,
    reason: str,
    actor: str,
    *,
    can_approve: Callable[[str], bool],
    confirm: Confirm,
    items: OpenItems,
    orders: Callable[[], Orders],
    channels: Callable[[], Channels],
    asked_refunds: Callable[[], Mapping[str, AskedRefunds]],
    payouts: Callable[[], Payouts],
    request_step: Callable[[str], None],
    members: Callable[[], Members],
    account: NamedAccount | None = None,
) -> OpenItem:
    """`open_items.clearing.clear_item`, with what the outcome books.

    A refund that its channel has refused ends as the persons say, in the same transaction, after the channel was asked
    once more (`orders.refund_ends.close_refused`); one that is paid another way goes to `account`, which is in the
    payer's verified name (`refunds_by_hand.paid_to`). So does a transfer with
    contradicting results: if the books have the other end, the entry that corrects them is made too. `request_step`
    lets a batch go on that has waited for it; a repeat requests it again. A goodwill refund that another person grants
    is made. An identity that another person takes away is taken (`identity_disputes`). What a buyer asked the channel
    for is refunded, or the channel denies it. Raises also `ConflictError` (RESULT_NOT_APPLIED, ORDER_NOT_PAID,
    REFUND_DIFFERS) and `RefusedError` (REFUND_EXCEEDS_PAID, REFUND_TOO_LATE, CHANNEL_MISSING).
    """

    def book(item: OpenItem, use: UseOnce | None) -> bool:
        stored = item if use is None else ConfirmedItem(item, use)
        if item.kind == "identity_disputed" and outcome == "taken_away":
            return take_identity(item, stored, items, members(), payouts())
        if item.kind == "refund_refused":
            end: RefusedEnd = "paid_another_way" if outcome == "paid_another_way" else "given_up"
            order_id = item.facts["order_id"]
            return close_refused(order_id, item.subject, end, stored, orders=orders(), channels=channels())
        if item.kind == "goodwill_asked" and outcome == "granted":
            return grant_item(item, stored, orders=orders())
        if item.kind == "refund_asked" and outcome == "agreed":
            return agree_asked(_asked_of(item), actor, item, orders=orders())
        if item.kind == "refund_asked" and outcome == "denied":
            deny_asked(item.subject, item.facts["channel"], reason, channels=asked_refunds())
        if item.kind == "payout_contradiction":
            return payouts().book_clearing(_decision(item), stored)
        return items.save_item(item, use)

    item = clearing.clear_item(
        item_id, outcome, reason, actor, can_approve=can_approve, confirm=confirm, items=items, book=book,
        paid_to=lambda item: paid_to(item, outcome, account, actor, lambda member_id: members().find_member(member_id)),
    )  # fmt: skip
    if item.kind == "payout_contradiction" and item.state == "cleared":
        request_step(item.facts["payout_id"])
    return item


_END_BY_THEMSELVES: Final[tuple[Kind, ...]] = (
    "payment_undecided", "refund_waits", "refund_refused", "shipping_reminded",
)  # fmt: skip


class Review(msgspec.Struct, frozen=True):
    """Numbers of a review of open items. `finished`: no time was short."""

    cleared: int
    opened: int
    finished: bool


def review_items(*, items: OpenItems, orders: Orders, time_left: Callable[[], bool]) -> Review:
    """Clear the items whose subject has ended, and open anew what a person has cleared a week ago and has not ended.

    - `payment_undecided`: has ended when its order does not wait for a payment any more.
    - `refund_waits`: has ended when its refund is not requested any more.
    - `refund_refused`: has ended when its channel has made the refund after all.
    - `shipping_reminded`: has ended when its order, which had not left, is not waiting to be sent any more.
    - `units_set_aside`: has ended when the order has none any more.

    Safe to repeat, also at the same time as itself and as persons: an item has one clearing, and each reminder one id.
    What no time is left for is done by the next review.
    """
    cleared = opened = 0
    for item in [each for each in _open(items) if each.kind in _END_BY_THEMSELVES]:
        if not time_left():
            return Review(cleared, opened, finished=False)
        ended = _end_of(item, orders)
        if ended:
            cleared += clearing.end_item(item, ended, items=items)
    of_orders: dict[str, list[OpenItem]] = {}
    for item in items.items_of_kind("units_set_aside"):
        of_orders.setdefault(item.subject, []).append(item)
    for order_id, known in of_orders.items():
        waiting, due = [item for item in known if item.state == "open"], _due_reminder(known)
        if not waiting and due is None:
            continue
        if not time_left():
            return Review(cleared, opened, finished=False)
        order = orders.find_order(order_id)
        aside = "" if order is None else set_aside(order)
        if not aside:
            cleared += sum(clearing.end_item(each, "no unit is set aside any more", items=items) for each in waiting)
        elif due is not None:
            facts = {**due.facts, "units": aside, "reminder": str(len(known))}
            opened += items.add_item(
                clearing.new_item(
                    "units_set_aside", f"{order_id}.{len(known)}", order_id, amount_fen=due.amount_fen,
                    member_id=due.member_id, facts=facts,
                )
            )  # fmt: skip
    return Review(cleared, opened, finished=True)


def _open(items: OpenItems) -> Iterator[OpenItem]:
    after = None
    while True:
        page, after = items.list_items("open", None, 100, after)
        yield from page
        if after is None:
            return


def _end_of(item: OpenItem, orders: Orders) -> str:
    """How what an item is about has ended; empty while it has not."""
    if item.kind == "shipping_reminded":
        order = orders.find_order(item.subject) if item.facts["order_status"] == "paid" else None
        return "" if order is None or order.status == "paid" else f"the order is {order.status}"
    if item.kind != "payment_undecided":
        refund = orders.find_refund(item.facts["order_id"], item.subject)
        lasts = "requested" if item.kind == "refund_waits" else "refused"
        return "" if refund is None or refund.status == lasts else f"the refund is {refund.status}"
    order = orders.find_order(item.subject)
    return "" if order is None or order.status == "placed" else f"the order is {order.status}"


def _asked_of(item: OpenItem) -> RefundAsked:
    """What the buyer asked the channel for, as the item has it."""
    facts = item.facts
    return RefundAsked(
        channel=facts["channel"],
        order_no=facts["order_no"],
        asked_no=item.subject,
        transaction_no=facts["transaction_no"],
        amount_fen=item.amount_fen,
        currency=item.currency,
        needs_audit=facts["needs_audit"] == "true",
        decide_by=datetime.fromisoformat(facts["decide_by"]),
        reason=facts["channel_reason"],
    )


def _due_reminder(known: Sequence[OpenItem]) -> OpenItem | None:
    """The newest item of an order, if a person cleared it a week ago and none is open."""
    newest = max(known, key=lambda item: item.opened_at)
    said = newest.cleared
    if said is None or said.by == AUTOMATIC or any(item.state == "open" for item in known):
        return None
    return newest if clock.now() >= said.at + REMINDER else None


def _decision(item: OpenItem) -> Clearing:
    """What two persons have decided about a transfer."""
    if item.requested is None or item.cleared is None:
        raise ValueError(f"{item.id} is cleared by two persons")
    return Clearing(
        batch=item.facts["payout_id"],
        number=item.subject,
        item=item.id,
        arrived=item.cleared.outcome == "was_paid",
        at=item.cleared.at,
        persons=(item.requested.by, item.cleared.by),
    )
