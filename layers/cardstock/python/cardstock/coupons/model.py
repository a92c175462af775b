"""Types of coupons: their terms, and the lines of an order as a coupon sees them."""

from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.money import BPS_ONE, Bps, Fen

CouponKind: TypeAlias = Literal["percent", "amount"]
CouponGroup: TypeAlias = Literal["category", "shop", "personal", "freight"]

KINDS: Final[tuple[CouponKind, ...]] = ("percent", "amount")
GROUPS: Final[tuple[CouponGroup, ...]] = ("category", "shop", "personal")
"""In the sequence in which coupons take off: all of a kind, within it by group. Freight coupons come after all."""


class Scope(msgspec.Struct, frozen=True):
    """Which lines a coupon is for: those that are in one of the categories or are one of the products; without both,
    all lines. `suppliers` narrows that down; empty, to no supplier."""

    categories: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    suppliers: tuple[str, ...] = ()


class CouponTerms(msgspec.Struct, frozen=True):
    """What a coupon says.

    It takes `value` off its eligible lines: basis points of what they cost when its turn comes, or fen. `least` is what
    they must cost then, `cap` the most that it takes off; 0 stands for none. `with_activities`: whether lines at an
    activity's price are eligible.
    """

    kind: CouponKind
    group: CouponGroup
    value: int
    scope: Scope = Scope()
    least: Fen = 0
    cap: Fen = 0
    with_activities: bool = False

    def __post_init__(self) -> None:
        if self.value <= 0 or (self.kind == "percent" and self.value > BPS_ONE):
            raise ValueError("a coupon takes off more than nothing, and at most all")
        if self.least < 0 or self.cap < 0:
            raise ValueError("least spend and cap are zero or more")

    @property
    def rate(self) -> Bps:
        """The basis points of a percent coupon."""
        return self.value if self.kind == "percent" else 0


class ChosenCoupon(msgspec.Struct, frozen=True):
    """A coupon that a buyer chose for an order."""

    id: str
    terms: CouponTerms


class PricedLine(msgspec.Struct, frozen=True):
    """A line of an order before coupons: fen for all of its units. `categories` are its product's, with those above."""

    product_id: str
    supplier_id: str
    categories: frozenset[str]
    fen: Fen
    activity: bool = False
    """Whether its price is an activity's."""


class TakenOff(msgspec.Struct, frozen=True):
    """What a coupon takes off, line by line; a freight coupon takes it off the freight, part by part."""

    coupon_id: str
    group: CouponGroup
    parts: tuple[Fen, ...]

    @property
    def fen(self) -> Fen:
        """What it takes off altogether."""
        return sum(self.parts)

    @property
    def touched(self) -> tuple[int, ...]:
        """The positions of the lines, or parts, off which it takes something, from 0."""
        return tuple(at for at, part in enumerate(self.parts) if part)
