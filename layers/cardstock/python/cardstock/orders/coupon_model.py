"""Types of coupons: what one takes off an order, and the record of its use."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.money import Fen

CouponState: TypeAlias = Literal["unused", "used", "revoked", "owed"]
COUPON_TRANSITIONS: Final[Mapping[CouponState, frozenset[CouponState]]] = {
    "unused": frozenset({"used", "revoked"}),
    "used": frozenset({"unused", "revoked", "owed"}),
    "revoked": frozenset(),
    "owed": frozenset(),
}


class Coupon(msgspec.Struct, frozen=True):
    """Takes `fen` off the goods of one order, at most their price. It is used once."""

    id: str
    fen: Fen


class CouponUse(msgspec.Struct, frozen=True):
    """The use of a coupon. `order_id` is the order placed with it, if any.

    `revoked`: nobody can use it, and nothing is owed for it. `owed`: it was revoked after its order had been sent, and
    `fen` of its discount are charged to the buyer.
    """

    coupon_id: str
    state: CouponState = "unused"
    order_id: str = ""
    fen: Fen = 0
