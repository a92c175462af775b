"""Clearing open items: what an outcome books, in the transaction that stores the clearing."""

from collections.abc import Callable

from cardstock.open_items import clearing
from cardstock.open_items.model import OpenItem, Outcome
from cardstock.open_items.ports import OpenItems
from cardstock.orders.model import RefusedEnd
from cardstock.orders.ports import Orders
from cardstock.orders.refunds import close_refused


def clear_item(
    item_id: str,
    outcome: Outcome,
    reason: str,
    actor: str,
    *,
    can_approve: Callable[[str], bool],
    items: OpenItems,
    orders: Callable[[], Orders],
) -> OpenItem:
    """`open_items.clearing.clear_item`, with what the outcome books.

    A refund that its channel has refused ends as the persons say, in the same transaction.
    """

    def book(item: OpenItem) -> bool:
        if item.kind == "refund_refused":
            end: RefusedEnd = "paid_another_way" if outcome == "paid_another_way" else "given_up"
            return close_refused(item.facts["order_id"], item.subject, end, item, orders=orders())
        return items.save_item(item)

    return clearing.clear_item(item_id, outcome, reason, actor, can_approve=can_approve, items=items, book=book)
