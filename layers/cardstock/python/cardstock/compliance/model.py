"""Types of compliance: purchases, holds, alarms, and daily sales."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.law import OUTSIDE_FLOOR_BPS
from cardstock.money import BPS_ONE, Bps, Fen, half_up

HoldReason: TypeAlias = Literal["same_payer", "same_device", "same_person", "stocking_up"]
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
"""Days over which a buyer's units are added up."""
OUTSIDE_DAYS: Final = 30
"""Days over which the share of sales to non-promoters is computed."""


class Purchase(msgspec.Struct, frozen=True):
    """One paid order in compliance. None of its values comes from the client.

    `payer` and `device` are marks from the payment channel's signed notice, `""` if it named none.
    """

    order_id: str
    buyer_id: str
    paid_at: datetime
    net: Fen
    units: int
    """Paid units on lines that earn."""
    promoter: bool
    """Whether the buyer was a distributor or a partner when the order was placed."""
    earners: tuple[str, ...] = ()
    """Members credited for it."""
    payer: str = ""
    device: str = ""


class Sale(msgspec.Struct, frozen=True):
    """A purchase in the sales of its day."""

    buyer_id: str
    net: Fen
    promoter: bool


class Identity(msgspec.Struct, frozen=True):
    """Facts about a member: the mark of the account used to register, the verified person, and the other members who
    are the same person."""

    member_id: str
    account: str
    person: str = ""
    same_person: tuple[str, ...] = ()


class Lift(msgspec.Struct, frozen=True):
    """Who lifted a hold or an alarm (or requested it), when and why."""

    by: str
    at: datetime
    reason: str


class Hold(msgspec.Struct, frozen=True):
    """While it is open, the rewards of `order_id` stay frozen.

    `members` are those who share a mark or an identity with the order. `lifted` is set in the state of that name.
    """

    order_id: str
    reasons: tuple[HoldReason, ...]
    members: tuple[str, ...]
    at: datetime
    state: HoldState = "open"
    lifted: Lift | None = None


class Subtree(msgspec.Struct, frozen=True):
    """A member with everybody brought by them, by those, and so on. `people` and `levels` include the head."""

    head: str
    people: int
    levels: int
    earners: tuple[str, ...]
    """Its members who have or had reward money, sorted."""


class Alarm(msgspec.Struct, frozen=True):
    """A subtree that reaches the law's size. Until the alarm is lifted, none of its members is paid out.

    The figures are those of the last night on which it was not lifted; at twice the people there is a new alarm.
    `requested` and `lifted` are the statements of the first and the second person, set in the states of those names.
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
        """Its number among the alarms of its head, from 1: the end of its id."""
        return int(self.id.rpartition(".")[2])


class SalesDay(msgspec.Struct, frozen=True):
    """The sales of one of the brand's days, and the part to non-promoters."""

    day: date
    sales: Fen
    outside: Fen


class OutsideShare(msgspec.Struct, frozen=True):
    """The sum of the sales of the days up to `day`, and the part to non-promoters."""

    day: date
    sales: Fen
    outside: Fen

    @property
    def outside_bps(self) -> Bps:
        """The part in basis points of the sales; 10 000 if nothing was sold."""
        return half_up(self.outside * BPS_ONE, self.sales) if self.sales else BPS_ONE

    @property
    def warns(self) -> bool:
        """Whether the share of sales to non-promoters is too low."""
        return self.outside_bps < OUTSIDE_FLOOR_BPS
