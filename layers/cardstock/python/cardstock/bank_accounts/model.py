"""A payee's bank account, and the change of one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

ChangeState: TypeAlias = Literal["waiting", "confirmed", "refused"]
TRANSITIONS: Final[Mapping[ChangeState, frozenset[ChangeState]]] = {
    "waiting": frozenset({"confirmed", "refused"}),
    "confirmed": frozenset({"refused"}),
    "refused": frozenset(),
}
WAIT: Final = timedelta(hours=72)
"""Time from the setting of an account until money goes there: the old contact can object."""
NOTICES_KEPT: Final = 10

NoticeKind: TypeAlias = Literal["set", "changed", "confirmed", "refused"]


class BankAccount(msgspec.Struct, frozen=True):
    """A bank account. `sealed` is its number, encrypted under the key `key_id`; `masked` shows four digits of it."""

    account_id: str
    holder: str
    masked: str
    bank: str
    branch: str
    sealed: str
    key_id: str
    set_at: datetime


class Change(msgspec.Struct, frozen=True):
    """An account that shall take the place of the one in force. `decided_by` is a person of the staff."""

    account: BankAccount
    state: ChangeState
    effective_at: datetime
    """No money goes there earlier, whatever the state."""
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None


class Notice(msgspec.Struct, frozen=True):
    """Notices about an account, to which contact (masked), by which event."""

    event_id: str
    kind: NoticeKind
    at: datetime
    contact: str
    masked: str


class Holding(msgspec.Struct, frozen=True):
    """A member's accounts. `version` counts the writes; each requires the last one's."""

    member_id: str
    current: BankAccount | None = None
    change: Change | None = None
    notices: tuple[Notice, ...] = ()
    version: int = 0
    removed_at: datetime | None = None
    """When the member's accounts were deleted last because the consent was withdrawn. What is set after that waits for
    a person of the staff, as a change does: a stolen session must not get around that by withdrawing first."""

    def in_force(self, at: datetime) -> BankAccount | None:
        """The account that money goes to at `at`; None if there is none yet."""
        change = self.change
        if change is not None and change.state == "confirmed" and at >= change.effective_at:
            return change.account
        return self.current

    def open_change(self, at: datetime) -> Change | None:
        """The change that may still come into force."""
        change = self.change
        if change is None or change.state == "refused" or self.in_force(at) is change.account:
            return None
        return change


class Reveal(msgspec.Struct, frozen=True):
    """Who has seen a whole number, when and why."""

    member_id: str
    account_id: str
    actor: str
    at: datetime
    reason: str


def mask(number: str) -> str:
    """`**** 1234`: the last four digits."""
    return f"**** {number[-4:]}"
