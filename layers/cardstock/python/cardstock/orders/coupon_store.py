"""The uses of coupons in DynamoDB.

A joint with the network area: its table holds these items, and its own code neither reads nor writes them. Table
`network`: `pk` = `use.` and the coupon's id, which is the id of the event that granted it (`benefit.mem_...1`). Without
an item the coupon is unused.

| Access pattern | How | Cost |
|---|---|---|
| use, free | an action in the transaction of the order's step | 2 WCU |
| revoke an unused coupon, end a use | one put on condition of the state before | 1 WCU |
| one use | GetItem, consistent | 1 RCU |
| every charge, for audits | Scan | the whole table |

The first write decides: the order placed with the coupon, or its revocation. So a coupon is used once, and is never
both used and revoked.
"""

from collections.abc import Iterator
from typing import Any, Final

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws.items import PrefixedAttribute, fields_of, record_of
from cardstock.aws.tables import IntegerAttribute, Table, Transaction
from cardstock.money import Fen
from cardstock.orders.coupon_model import CouponUse

_USE: Final = "use."


class CouponUseItem(Table):
    """The use of one coupon."""

    class Meta:
        variable = "NETWORK_TABLE"

    coupon_id = PrefixedAttribute(_USE, hash_key=True, attr_name="pk")
    state = UnicodeAttribute(attr_name="st")
    order_id = UnicodeAttribute(null=True)
    fen = IntegerAttribute(null=True)


def use_coupon(transaction: Transaction, coupon_id: str, order_id: str) -> None:
    """Add the use of the coupon to the transaction that places an order. The transaction fails if it is not unused."""
    transaction.save(_item(CouponUse(coupon_id, "used", order_id)), condition=_unused())


def free_coupon(transaction: Transaction, coupon_id: str, order_id: str) -> None:
    """Free the coupon in the transaction that closes an unpaid order."""
    transaction.save(_item(CouponUse(coupon_id)), condition=_used_by(order_id))


class DynamoCouponUses:
    """`orders.ports.CouponUses`."""

    def find_use(self, coupon_id: str) -> CouponUse:
        found = CouponUseItem.find(coupon_id)
        return CouponUse(coupon_id) if found is None else record_of(CouponUse, found)

    def revoke_unused(self, coupon_id: str) -> CouponUse:
        revoked = CouponUse(coupon_id, "revoked")
        return revoked if _item(revoked).put_if(_unused()) else self.find_use(coupon_id)

    def close_use(self, coupon_id: str, order_id: str, fen: Fen) -> CouponUse:
        closed = CouponUse(coupon_id, "owed" if fen else "revoked", order_id, fen)
        return closed if _item(closed).put_if(_used_by(order_id)) else self.find_use(coupon_id)


def every_charge() -> Iterator[CouponUse]:
    """Every use that is `owed`; a consistent scan, for audits."""
    for item in CouponUseItem.scan(filter_condition=CouponUseItem.state == "owed", consistent_read=True):
        yield record_of(CouponUse, item)


def _item(use: CouponUse) -> CouponUseItem:
    return CouponUseItem(**fields_of(use, CouponUseItem))


def _unused() -> Any:
    return CouponUseItem.coupon_id.does_not_exist() | (CouponUseItem.state == "unused")


def _used_by(order_id: str) -> Any:
    return (CouponUseItem.state == "used") & (CouponUseItem.order_id == order_id)
