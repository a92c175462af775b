"""What became of the benefits of plans without cash, in DynamoDB.

A benefit is its event in the table `network` (`benefit.mem_...1`). Beside it, `use.benefit.mem_...1` is written by
whoever is first: the order that is placed with it, or its undoing. So it is used once, and never both used and undone.

| `ref` | Means |
|---|---|
| an order id | that order was placed with it |
| `free` | that order was cancelled or expired: it can be used again |
| `undone` | it was undone before anybody used it |
| `owed` | it was undone after `order_id` had shipped: `fen` is owed |
"""

from collections.abc import Iterator
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws.tables import IntegerAttribute, Table, Transaction

_USE: Final = "use."
_FREE, _UNDONE, _OWED = "free", "undone", "owed"


class CouponUse(Table):
    """What a benefit was used for."""

    class Meta:
        variable = "NETWORK_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    ref = UnicodeAttribute()
    order_id = UnicodeAttribute(null=True)
    fen = IntegerAttribute(null=True)


def take(transaction: Transaction, coupon_id: str, order_id: str) -> None:
    """Add to the transaction that places an order: it uses the coupon, or fails."""
    unused = CouponUse.pk.does_not_exist() | (CouponUse.ref == _FREE)
    transaction.save(CouponUse(_USE + coupon_id, ref=order_id), condition=unused)


def give_back(transaction: Transaction, coupon_id: str, order_id: str) -> None:
    """Add to the transaction that closes an order nobody paid: its coupon can be used again."""
    transaction.save(CouponUse(_USE + coupon_id, ref=_FREE), condition=CouponUse.ref == order_id)


def used(coupon_id: str) -> str:
    """What a coupon was used for; empty while it can be used."""
    found = CouponUse.find(_USE + coupon_id)
    return "" if found is None or found.ref == _FREE else found.ref


class DynamoCouponUses:
    """`orders.ports.CouponUses`."""

    def undo(self, coupon_id: str) -> str:
        unused = CouponUse.pk.does_not_exist() | CouponUse.ref.is_in(_FREE, _UNDONE)
        if CouponUse(_USE + coupon_id, ref=_UNDONE).put_if(unused):
            return ""
        found = CouponUse.find(_USE + coupon_id)
        return "" if found is None or found.ref == _UNDONE else found.order_id or found.ref

    def decide_owed(self, coupon_id: str, order_id: str, fen: int) -> int:
        CouponUse(_USE + coupon_id, ref=_OWED, order_id=order_id, fen=fen).put_if(CouponUse.ref == order_id)
        found = CouponUse.find(_USE + coupon_id)
        return 0 if found is None or found.fen is None else found.fen

    def is_owed(self, coupon_id: str) -> bool:
        found = CouponUse.find(_USE + coupon_id)
        return found is not None and found.ref == _OWED and bool(found.fen)


def all_owed() -> Iterator[tuple[str, str, int]]:
    """Coupon, order and fen of everything that was ever owed; a consistent scan, for audits."""
    for item in CouponUse.scan(filter_condition=CouponUse.ref == _OWED, consistent_read=True):
        if item.fen:
            yield item.pk.removeprefix(_USE), item.order_id or "", item.fen
