"""Nouns of compliance: purchases, holds, alarms and sales of days."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.ids import derived_id
from cardstock.law import OUTSIDE_FLOOR_BPS
from cardstock.money import BPS_ONE, Bps, Fen, half_up

HoldReason: TypeAlias = Literal["same_payer", "same_device", "same_person", "stocking_up"]
MarkKind: TypeAlias = Literal["payer", "device"]
HoldState: TypeAlias = Literal["open", "lifted"]
AlarmState: TypeAlias = Literal["open", "lift_requested", "lifted"]

HOLD_STATES: Final[Mapping[HoldState, frozenset[HoldState]]] = {
    "open": frozenset({"lifted"}),
    "lifted": frozenset(),
}
ALARM_STATES: Final[Mapping[AlarmState, frozenset[AlarmState]]] = {
    "open": frozenset({"lift_requested"}),
    "lift_requested": frozenset({"lifted"}),
    "lifted": frozenset(),
}
"""State -> the states that a verb can lead to. The charts of the area's `__init__` show the same."""

STOCKING_DAYS: Final = 30
"""Days over which the units of one buyer are added up."""
OUTSIDE_DAYS: Final = 30
"""Days over which the share of sales to people who promote nothing is taken."""


def mark_of(kind: MarkKind, name: str) -> str:
    """What is kept instead of the name of a payer or a device: equal for equal names, and not readable."""
    return derived_id(kind, name)


class Purchase(msgspec.Struct, frozen=True):
    """One paid order as compliance sees it. Nothing in it is the client's word.

    `payer` and `device` are marks of what the payment channel said in its signed notice, `""` where it said nothing.
    """

    order_id: str
    buyer_id: str
    paid_at: datetime
    net: Fen
    units: int
    """Units on lines that were paid for and earn."""
    promoter: bool
    """The buyer was a distributor or a partner when the order was placed."""
    earners: tuple[str, ...] = ()
    """Members who are credited for it."""
    payer: str = ""
    device: str = ""


class Sale(msgspec.Struct, frozen=True):
    """What the sales of a day keep of a purchase."""

    buyer_id: str
    net: Fen
    promoter: bool


class Identity(msgspec.Struct, frozen=True):
    """What is known of a member beyond doubt: the mark of the account used to register, and the verified person."""

    member_id: str
    account: str
    person: str = ""


class Lift(msgspec.Struct, frozen=True):
    """Who said that something may go on, when and why."""

    by: str
    at: datetime
    reason: str


class Hold(msgspec.Struct, frozen=True):
    """The rewards of `order_id` stay frozen while it is open.

    `members` are those with whom the order has something in common. `lifted`: set with the state of that name.
    """

    order_id: str
    reasons: tuple[HoldReason, ...]
    members: tuple[str, ...]
    at: datetime
    state: HoldState = "open"
    lifted: Lift | None = None


class Subtree(msgspec.Struct, frozen=True):
    """A member with everybody brought by them, by those, and so on. `people` and `levels` count the head too."""

    head: str
    people: int
    levels: int
    earners: tuple[str, ...]
    """Members of it who have or had money of rewards, sorted."""


class Alarm(msgspec.Struct, frozen=True):
    """A subtree that the law would look at. Until the alarm is lifted, nobody in it is paid out.

    The figures are those of the last night that found it not lifted; with twice the people it is a new alarm.
    `requested` and `lifted` are the words of the first and the second person, set with the states of those names.
    """

    id: str
    head: str
    people: int
    levels: int
    earning: int
    at: datetime
    state: AlarmState = "open"
    requested: Lift | None = None
    lifted: Lift | None = None
    version: int = 1

    @property
    def stops_payouts(self) -> bool:
        """Whether the payouts of its subtree are stopped."""
        return self.state != "lifted"

    @property
    def number(self) -> int:
        """Which alarm about its head it is, from 1: the end of its id."""
        return int(self.id.rpartition(".")[2])


class SalesDay(msgspec.Struct, frozen=True):
    """The sales of one day of the brand, and the part of them to people who promote nothing."""

    day: date
    sales: Fen
    outside: Fen


class OutsideShare(msgspec.Struct, frozen=True):
    """The sales of the days up to `day`, added up, and the part of them to people who promote nothing."""

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
