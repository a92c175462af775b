"""Types of sales: sums of a day."""

from datetime import date
from typing import Final

import msgspec

from cardstock.money import Fen

TOTAL: Final = "total"
"""Sales of all suppliers together."""


class SalesSum(msgspec.Struct, frozen=True, array_like=True):
    """Orders or refunds together. Stored as an array: do not move its fields."""

    count: int = 0
    units: int = 0
    goods_fen: Fen = 0
    freight_fen: Fen = 0

    @property
    def amount_fen(self) -> Fen:
        """Goods and freight."""
        return self.goods_fen + self.freight_fen

    def __add__(self, other: "SalesSum") -> "SalesSum":
        """Both together."""
        return SalesSum(
            self.count + other.count,
            self.units + other.units,
            self.goods_fen + other.goods_fen,
            self.freight_fen + other.freight_fen,
        )


class SalesOfDay(msgspec.Struct, frozen=True):
    """What was placed, paid and refunded on a day of the brand: `of` all suppliers (`TOTAL`), or of one.

    An order is paid on the day of its payment, a refund counts on the day on which it succeeded; neither changes the
    day on which the order was placed. Stray payments and their refunds are no sales. A supplier's figures have its
    lines alone, without freight; its counts are the orders and refunds that it has a part of.

    `closed`: it cannot change any more, because the day is over and none of its orders or of earlier ones waits for a
    payment.
    """

    day: date
    of: str
    placed: SalesSum = SalesSum()
    paid: SalesSum = SalesSum()
    refunded: SalesSum = SalesSum()
    closed: bool = False
