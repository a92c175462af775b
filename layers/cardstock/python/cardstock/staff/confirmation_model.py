"""Confirmations: steps of money that a person's phone confirms or declines."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.approving import MoneyStep
from cardstock.clock import from_epoch_ms
from cardstock.ids import derived_at

LIFE: Final = timedelta(minutes=10)
"""How long a confirmation lasts, from the call that asks for it to the step itself."""

ConfirmationState: TypeAlias = Literal["asked", "confirmed", "declined", "used"]
CONFIRMATION_TRANSITIONS: Final[Mapping[ConfirmationState, frozenset[ConfirmationState]]] = {
    "asked": frozenset({"confirmed", "declined"}),
    "confirmed": frozenset({"used"}),
    "declined": frozenset(),
    "used": frozenset(),
}

Reply: TypeAlias = Literal["yes", "no"]


class Confirmation(msgspec.Struct, frozen=True):
    """One step of money that a person has asked for, and what the person's phone says. Never changed to another step,
    and never deleted: it is the record of what was asked, with which credential, and answered."""

    id: str
    person_id: str
    member_id: str
    """The member who was linked with the person when it was asked. Nobody else answers."""
    step: MoneyStep
    asked_with: str
    """Id of the key or session that asked."""
    asked_by: str
    """Name of that key, or the browser of that session."""
    asked_at: datetime
    expires_at: datetime
    state: ConfirmationState = "asked"
    answered_at: datetime | None = None
    used_at: datetime | None = None

    def lasts(self, at: datetime) -> bool:
        """Whether it is not expired."""
        return at < self.expires_at


def window_of(at: datetime) -> datetime:
    """Start of the ten minutes of the clock in which `at` is."""
    life = int(LIFE.total_seconds())
    return from_epoch_ms(int(at.timestamp()) // life * life * 1000)


def confirmation_id(person_id: str, step: MoneyStep, window: datetime) -> str:
    """The id of the confirmation of this step that is asked for in a window: every repeat has the same.

    A confirmation lasts as long as a window, so that at most those of this window and the one before have not expired.
    """
    sum_and_count = (str(step.amount), str(step.count))
    return derived_at("cfm", window, person_id, step.action, step.subject, step.version, *sum_and_count)
