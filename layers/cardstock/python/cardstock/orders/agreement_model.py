"""Types of payment agreements: a channel pays this shop when the member asks for it, without its pay page."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.clock import brand_day
from cardstock.money import Fen

AgreementStatus: TypeAlias = Literal["asked", "active", "ending", "ended"]
AGREEMENT_TRANSITIONS: Final[Mapping[AgreementStatus, frozenset[AgreementStatus]]] = {
    "asked": frozenset({"active", "ending", "ended"}),
    "active": frozenset({"ending", "ended"}),
    "ending": frozenset({"ended"}),
    "ended": frozenset(),
}
EndedBy: TypeAlias = Literal["member", "channel"]
"""Who ended an agreement: the member here, or somebody at the channel, which also ends it on its last day."""
AGREEMENT_ID: Final = re.compile(r"agr_[0-9a-z]{26}")
AGREEMENT_LIFETIME: Final = timedelta(days=365)
MAX_OPEN: Final = 5
"""Agreements of a member that have not ended. Read from an index: requests of the same second may pass it."""
MAX_CHARGES: Final = 50
"""Charges of a day under one agreement."""


class Charge(msgspec.Struct, frozen=True, array_like=True):
    """An order that is charged. Stored as an array: do not move its fields."""

    order_id: str
    fen: Fen


class Bounds(msgspec.Struct, frozen=True):
    """The most that this deployment lets a member agree to, for one charge and for a day."""

    charge_fen: Fen
    day_fen: Fen


class Agreement(msgspec.Struct, frozen=True):
    """An agreement as stored. `version` counts its changes.

    `charge_fen` and `day_fen` are the most for one charge and for a day of the brand, as the member chose them.
    """

    agreement_id: str
    """Also the channel's number for it."""
    member_id: str
    channel: str
    app: str
    """The platform's app in which it was asked for and is used, `wechat:wx123`."""
    status: AgreementStatus
    charge_fen: Fen
    day_fen: Fen
    asked_at: datetime
    ends_at: datetime
    contract_no: str = ""
    """The channel's own number, once it was signed."""
    signed_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: EndedBy | None = None
    day: str = ""
    """The day of `charges`."""
    charges: tuple[Charge, ...] = ()
    """Orders charged on `day`, and those whose charge has not been refused."""
    version: int = 1

    def is_over(self, now: datetime) -> bool:
        """Whether nothing is charged under it any more."""
        return self.status in ("ending", "ended") or now >= self.ends_at

    def charged_on(self, day: date) -> Fen:
        """What its charges of a day come to."""
        return sum(charge.fen for charge in self.charges) if self.day == day.isoformat() else 0

    def with_charge(self, order_id: str, fen: Fen, now: datetime) -> "Agreement":
        """With the charge of an order; unchanged if it has it."""
        day = brand_day(now).isoformat()
        before = self.charges if self.day == day else ()
        if any(charge.order_id == order_id for charge in before):
            return self
        return replace(self, day=day, charges=(*before, Charge(order_id, fen)), version=self.version + 1)

    def without_charge(self, order_id: str) -> "Agreement":
        """Without the charge of an order."""
        left = tuple(charge for charge in self.charges if charge.order_id != order_id)
        return replace(self, charges=left, version=self.version + 1)


class SigningParameters(msgspec.Struct, frozen=True):
    """What a client needs to have an agreement signed: a page of the channel, or parameters of the platform's call."""

    sign_url: str = ""
    parameters: dict[str, str] = msgspec.field(default_factory=dict)


class AgreementState(msgspec.Struct, frozen=True):
    """How an agreement stands at its channel, which says so. `contract_no` is there where it is or was `signed`."""

    agreement_no: str
    status: Literal["unsigned", "signed", "ended"]
    contract_no: str = ""


class AgreementNotice(msgspec.Struct, frozen=True):
    """What a channel reports of an agreement: authentic, but not yet compared with ours."""

    channel: str
    state: AgreementState
