"""Clearing open items: what an outcome books, in the transaction that stores the clearing."""

from collections.abc import Callable

from cardstock.open_items import clearing
from cardstock.open_items.model import OpenItem, Outcome
from cardstock.open_items.ports import OpenItems
from cardstock.orders.ports import Orders
from cardstock.orders.refund_model import RefusedEnd
from cardstock.orders.refunds import close_refused
from cardstock.payouts.contradictions import Clearing
from cardstock.payouts.ports import Payouts


def clear_item(
    item_id: str,
    outcome: Outcome,
    reason: str,
    actor: str,
    *,
    can_approve: Callable[[str], bool],
    items: OpenItems,
    orders: Callable[[], Orders],
    payouts: Callable[[], Payouts],
    request_step: Callable[[str], None],
) -> OpenItem:
    """`open_items.clearing.clear_item`, with what the outcome books.

    A refund that its channel has refused ends as the persons say, in the same transaction. So does a transfer with
    contradicting results: if the books have the other end, the entry that corrects them is made too. `request_step`
    lets a batch go on that has waited for it; a repeat requests it again. Raises also `ConflictError`
    (RESULT_NOT_APPLIED).
    """

    def book(item: OpenItem) -> bool:
        if item.kind == "refund_refused":
            end: RefusedEnd = "paid_another_way" if outcome == "paid_another_way" else "given_up"
            return close_refused(item.facts["order_id"], item.subject, end, item, orders=orders())
        if item.kind == "payout_contradiction":
            return payouts().book_clearing(_decision(item), item)
        return items.save_item(item)

    item = clearing.clear_item(item_id, outcome, reason, actor, can_approve=can_approve, items=items, book=book)
    if item.kind == "payout_contradiction" and item.state == "cleared":
        request_step(item.facts["payout_id"])
    return item


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
