"""What the compliance guard watches after a plan is published: who pays whose orders, who stocks up, where a network
becomes what the law looks at, and what it stops until people have looked.

A `Hold` keeps the rewards of one order frozen until finance lifts it. An `Alarm` keeps the payouts of one subtree back
until two people have lifted it. Both are kept for good, with who lifted them and why.
"""

from datetime import date, datetime
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.ids import derived_id
from cardstock.law import OUTSIDE_FLOOR_BPS
from cardstock.money import BPS_ONE, Bps, Fen, half_up

HoldReason: TypeAlias = Literal["same_payer", "same_device", "same_person", "stocking_up"]
Mark: TypeAlias = Literal["payer", "device"]

STOCKING_DAYS: Final = 30
"""Units of one buyer are added up over so many days."""
OUTSIDE_DAYS: Final = 30
"""Days over which that share is taken."""


def mark(kind: Mark, name: str) -> str:
    """What is kept instead of a payer's or a device's name: the same for the same one, and nobody can read it."""
    return derived_id(kind, name)


class Purchase(msgspec.Struct, frozen=True):
    """One paid order as the guard sees it. Nothing in it is the client's word.

    `payer` and `device` are marks of what the payment channel told in its signed notice, `""` where it told nothing.
    """

    order_id: str
    buyer_id: str
    paid_at: datetime
    net: Fen
    units: int
    """Units on lines that were paid for and earn."""
    promoter: bool
    """The buyer was a distributor or a partner when he ordered."""
    earners: tuple[str, ...] = ()
    """Who is credited for it."""
    payer: str = ""
    device: str = ""


class Identity(msgspec.Struct, frozen=True):
    """What is known of a member beyond doubt: the mark of the account he came with, and of the verified person."""

    member_id: str
    account: str
    person: str = ""


class Hold(msgspec.Struct, frozen=True):
    """The rewards of `order_id` stay frozen. `members` are those whom the order has something in common with."""

    order_id: str
    reasons: tuple[HoldReason, ...]
    members: tuple[str, ...]
    at: datetime
    lifted_by: str = ""
    lifted_at: datetime | None = None
    lifted_why: str = ""

    @property
    def open(self) -> bool:
        """Whether it still holds the rewards."""
        return self.lifted_at is None


class Subtree(msgspec.Struct, frozen=True):
    """A member with everybody brought by him, by those, and so on. `people` and `levels` count him too."""

    head: str
    people: int
    levels: int
    earners: tuple[str, ...]
    """Those of them who have or had money of rewards, sorted."""


class Alarm(msgspec.Struct, frozen=True):
    """A subtree that the law would look at. While it is open, nobody in it is paid out.

    The figures are those of the last night that found it open: with twice the people it is a new alarm. `asked_by` has
    asked for it to be lifted; another one must agree.
    """

    id: str
    head: str
    people: int
    levels: int
    earning: int
    at: datetime
    asked_by: str = ""
    asked_at: datetime | None = None
    asked_why: str = ""
    lifted_by: str = ""
    lifted_at: datetime | None = None
    lifted_why: str = ""
    version: int = 1

    @property
    def open(self) -> bool:
        """Whether it still stops payouts."""
        return self.lifted_at is None


class SoldDay(msgspec.Struct, frozen=True):
    """The sales of one day of the brand, and the part of them to people who promote nothing."""

    day: date
    sales: Fen
    outside: Fen


class Share(msgspec.Struct, frozen=True):
    """The days up to `day`, added up."""

    day: date
    sales: Fen
    outside: Fen

    @property
    def outside_bps(self) -> Bps:
        """Basis points of the sales; all of them while nothing was sold."""
        return half_up(self.outside * BPS_ONE, self.sales) if self.sales else BPS_ONE

    @property
    def warns(self) -> bool:
        """Whether too little is sold to people who promote nothing."""
        return self.outside_bps < OUTSIDE_FLOOR_BPS
