"""Types of refunds, and their states."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.money import Fen

RefundKind: TypeAlias = Literal["return", "goodwill", "stray"]
RefundStatus: TypeAlias = Literal["requested", "succeeded", "refused", "given_up"]
RefusedEnd: TypeAlias = Literal["paid_another_way", "given_up"]
"""How people end a refund that its channel refuses."""
OPEN_REFUND: Final[frozenset[RefundStatus]] = frozenset({"requested", "refused"})
"""States of a refund whose end is not known yet: the order does not settle."""
REFUND_TRANSITIONS: Final[Mapping[RefundStatus, frozenset[RefundStatus]]] = {
    "requested": frozenset({"succeeded", "refused"}),
    "refused": frozenset({"succeeded", "given_up"}),
    "succeeded": frozenset(),
    "given_up": frozenset(),
}
REFUND_WINDOW: Final = timedelta(days=365)
"""Time after the payment in which a channel can refund it (WeChat Pay: one year)."""


class RefundLine(msgspec.Struct, frozen=True, array_like=True):
    """A refund's part of one order line: units (none for goodwill) and fen. Stored as an array: do not move its
    fields."""

    line_no: int
    sku: str
    units: int
    amount_fen: Fen
    restock: bool = False
    """Whether the units had not been shipped: they are for sale again when the refund has succeeded."""


class AskedGoodwill(msgspec.Struct, frozen=True):
    """A goodwill refund above what one person may give, as that person (`asked_by`) asked for it. The open item asks
    another person; until that one has granted it, there is no refund."""

    refund_id: str
    order_id: str
    amount_fen: Fen
    reason: str
    asked_by: str
    fingerprint: str
    asked_at: datetime
    item_id: str


class Refund(msgspec.Struct, frozen=True):
    """A refund: requested, refused for good by its channel, succeeded, or given up.

    `return`: units of a paid order; the amounts of its `lines` and the freight, if refunded, add up to `amount_fen`.
    `goodwill`: an amount of a paid order without units, spread over its `lines`. `stray`: a payment after expiry or
    cancellation, or a second one; it has no lines and changes no reward.
    """

    refund_id: str
    order_id: str
    member_id: str
    kind: RefundKind
    status: RefundStatus
    amount_fen: Fen
    lines: tuple[RefundLine, ...]
    reason: str
    channel: str
    transaction_no: str
    total_fen: Fen
    """All that was paid with `transaction_no`; some channels require it."""
    requested_at: datetime
    succeeded_at: datetime | None = None
    fingerprint: str = ""
    """Hash of the request's body: the same key with another body is refused."""
    sequence: int = 0
    """Of a refund that release 0.2.0 requested, the order's version that the request made; 0 for others. Refunds that
    succeeded under that release count in this order."""
    place: int = 0
    """The order's version made when the refund succeeded; 0 before, and for stray payments. What is cumulative over
    the refunds of an order counts them in this order, so that a refund that never succeeds is never counted."""
    granted_by: str = ""
    """The person of the staff who decided it: goodwill, or a return of sent units; empty if the buyer asked for it."""
    asked_by: str = ""
    """The person of the staff who asked for goodwill that another one (`granted_by`) has granted; empty otherwise."""
    asked_no: str = ""
    """The channel's number of a refund that the buyer asked the channel for; empty for all that are asked for here."""
    refused_at: datetime | None = None
    """When its channel refused it for good; people end it then."""
    given_up_at: datetime | None = None
    paid_another_way: bool = False
    """Whether it has succeeded by the word of the staff: the buyer got the money outside of the channel."""
    freight_of: tuple[str, ...] = ()
    """The suppliers whose parts' freight is in it; empty if it has none, or that of a whole order."""
    version: int = 1

    @property
    def goods_fen(self) -> Fen:
        """The part that was paid for goods."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def freight_fen(self) -> Fen:
        """The part that is freight."""
        return self.amount_fen - self.goods_fen if self.part_of_order else 0

    @property
    def part_of_order(self) -> bool:
        """Whether it refunds part of the order's payment, and so of its rewards. A stray payment does not."""
        return self.kind != "stray"

    @property
    def counts_from(self) -> int:
        """The version of the order from which a succeeded refund counts."""
        return self.place or self.sequence
