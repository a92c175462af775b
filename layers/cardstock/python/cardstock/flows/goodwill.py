"""Goodwill refunds: by one person within a bound, above it by two.

The first person asks; that is an open item (`goodwill_asked`), and no money moves. Another person clears it as
`granted`, which makes the refund in the same transaction, or as `declined`.
"""

import msgspec

from cardstock.errors import IDEMPOTENCY_KEY_REUSED, REFUND_EXCEEDS_PAID, Pointer, RefusedError
from cardstock.ids import RequestKey
from cardstock.money import Bps, Fen
from cardstock.open_items.clearing import new_item
from cardstock.open_items.model import ConfirmedItem, OpenItem, item_id
from cardstock.open_items.ports import OpenItems
from cardstock.orders import errors
from cardstock.orders.ports import Orders
from cardstock.orders.refund_model import AskedGoodwill, Refund
from cardstock.orders.refunds import check_goodwill, grant_asked, grant_goodwill, refund_id_of


class GivenGoodwill(msgspec.Struct, frozen=True):
    """A goodwill refund, or one that waits for a second person. `replayed`: by a repeat."""

    refund: Refund | AskedGoodwill
    replayed: bool


def give_goodwill(
    actor: str,
    order_id: str,
    amount: Fen,
    reason: str,
    request: RequestKey,
    *,
    second_person: bool,
    bound_bps: Bps,
    orders: Orders,
    items: OpenItems,
) -> GivenGoodwill:
    """`orders.refunds.grant_goodwill`; with `second_person`, what is above the bound is asked for instead of refused.

    A repeat of `request` gives what the first one gave, whatever has become of it.
    """
    if second_person:
        known = items.find_item(item_id("goodwill_asked", refund_id_of(request)))
        if known is not None:
            return _as_asked(known, request)
    try:
        made = grant_goodwill(actor, order_id, amount, reason, request, bound_bps=bound_bps, orders=orders)
    except RefusedError as error:
        if not second_person or error.refusal is not errors.GOODWILL_LIMIT:
            raise
        order = check_goodwill(order_id, amount, orders=orders)
        facts = {
            "order_id": order_id,
            "refund_id": refund_id_of(request),
            "reason": reason,
            "asked_by": actor,
            "limit_fen": error.facts["limit_fen"],
            "request": request.fingerprint,
        }
        item = new_item(
            "goodwill_asked", refund_id_of(request), order_id, amount_fen=amount, member_id=order.member_id, facts=facts
        )
        if items.add_item(item):
            return GivenGoodwill(_asked(item), replayed=False)
        return _as_asked(items.find_item(item.id) or item, request)
    return GivenGoodwill(made.refund, made.replayed)


def grant_item(item: OpenItem, stored: OpenItem | ConfirmedItem, *, orders: Orders) -> bool:
    """Make the refund that a cleared item has granted, in the transaction that stores it as `stored`."""
    assert item.cleared is not None
    try:
        return grant_asked(_asked(item), item.cleared.by, stored, orders=orders)
    except RefusedError as error:
        if error.refusal is not REFUND_EXCEEDS_PAID:
            raise
        # Less is left by now than was asked for: the outcome is what the second person can change.
        at = (Pointer("/outcome", "REFUND_EXCEEDS_PAID"),)
        raise REFUND_EXCEEDS_PAID(pointers=at, **error.facts) from error


def _asked(item: OpenItem) -> AskedGoodwill:
    return AskedGoodwill(
        refund_id=item.facts["refund_id"],
        order_id=item.subject,
        amount_fen=item.amount_fen,
        reason=item.facts["reason"],
        asked_by=item.facts["asked_by"],
        fingerprint=item.facts["request"],
        asked_at=item.opened_at,
        item_id=item.id,
    )


def _as_asked(known: OpenItem, request: RequestKey) -> GivenGoodwill:
    if not request.made(known.facts["request"]):
        raise IDEMPOTENCY_KEY_REUSED()
    return GivenGoodwill(_asked(known), replayed=True)
