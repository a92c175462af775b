"""A member's session: one log-in on one device, which lives as long as its refresh token is used."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.limits import Limit, Use
from cardstock.members.consent_model import Consent, Purpose
from cardstock.members.model import LostPhone, Member, mask_phone

ACCESS_LIFETIME: Final = timedelta(minutes=15)
REFRESH_LIFETIME: Final = timedelta(days=30)
REPEAT_WINDOW: Final = timedelta(seconds=30)
"""How long the refresh token before the current one is taken for a repeat: its answer was lost on the way."""
MOST_SESSIONS: Final = 20
"""How many sessions a member has at once; one more ends the oldest."""

LOG_INS: Final = Limit("log-ins", most=60, window=timedelta(hours=1))
"""Of one account. A client logs in when its refresh token is gone, on twenty devices at most; WeChat takes 100 a minute
of one person, which is no protection of a store."""
PHONE_CODES: Final = Limit("phone-codes", most=10, window=timedelta(days=1))
"""Of one account. Each is paid to WeChat beyond a free quota, and a member gives a number once."""


class Session(msgspec.Struct, frozen=True):
    """A session. Only the refresh token with its `number` is good; using it raises the number."""

    id: str
    member_id: str
    account: str
    """The name of the account that logged in; empty for a session made of a refresh token of v0.2.0."""
    made_at: datetime
    used_at: datetime
    """When the number was raised last."""
    expires_at: datetime
    number: int = 1

    @property
    def app(self) -> str:
        """The platform's app that it began in, `wechat:wx123`; empty likewise."""
        return ":".join(self.account.split(":", 2)[:2])


class Turn(msgspec.Struct, frozen=True):
    """Where a session stands: its number, and when that was raised."""

    number: int
    used_at: datetime

    def follows(self, number: int, now: datetime) -> bool:
        """Whether `number` was raised to this one, just now or a moment ago."""
        return number == self.number - 1 and now - self.used_at <= REPEAT_WINDOW


Outcome: TypeAlias = Turn | Literal["erased", "lapsed"] | None
"""Where a session stands; "erased" if the member is not there any more, "lapsed" if the member's consent to `account`
is missing or of an older version, None if the session is not there."""


class Invited(msgspec.Struct, frozen=True):
    """The member behind an invite."""

    inviter_id: str
    place: Any = None
    """The inviter's place in the network, as the store has read it for itself; None: not yet."""


class Leads(msgspec.Struct, frozen=True):
    """What a log-in reads first: to whom the keys of accounts lead, and the member behind the invite, if any."""

    owners: Mapping[str, str]
    invited: Invited | None = None
    over: tuple[Use, ...] = ()
    """Those of the uses asked for whose limit is reached."""


class Known(msgspec.Struct, frozen=True):
    """A member as a log-in reads it: who brought the member, and the sessions that take a place."""

    member: Member
    inviter_id: str | None = None
    session_ids: frozenset[str] = frozenset()
    place: Any = None
    """The member's place in the network, as the store has read it for itself."""


class Closer(msgspec.Struct, frozen=True):
    """What a log-in reads then: the member, to whom the telephone number leads, and the inviter if not yet read."""

    known: Known | None = None
    phone_owner: str | None = None
    invited: Invited | None = None
    former: str | None = None
    """The closed account whose the number was."""


Join: TypeAlias = Literal["confirmed", "empty"]
"""Why an account joins the member of its number: the member said so, or has nothing."""


class Arrival(msgspec.Struct, frozen=True):
    """What a log-in writes: all of it or nothing."""

    known: Known
    session: Session
    is_new: bool = False
    accounts: tuple[str, ...] = ()
    """Keys of accounts, of a union id and of a telephone number that lead to the member from now on."""
    phone: str = ""
    """The telephone number that the known member gets; a newcomer's is the member's own."""
    invited: Invited | None = None
    """Who brings the member."""
    uses: tuple[Use, ...] = ()
    """What is counted with it."""
    join: Join | None = None
    """Why the account joins the known member, who has its number; None if it led to the member before."""
    claimed: bool = False
    """Whether anybody can repeat the proof of the number."""
    phone_from: str | None = None
    """The member who loses the number to the member who logs in."""
    consents: Mapping[Purpose, Consent] | None = None
    """The member's consents from now on; None: as they are."""
    former: tuple[str, ...] = ()
    """Closed accounts of the person who logs in, which the known member has not among its own yet."""

    @property
    def member(self) -> Member:
        """The member as this leaves it."""
        member = self.known.member
        if self.consents is not None:
            member = replace(member, consents=self.consents)
        if self.former:
            member = replace(member, former=tuple(sorted({*member.former, *self.former})))
        if self.join:
            return replace(
                member, phone_at=member.phone_at if self.claimed else self.session.made_at, joining_until=None
            )
        if not self.phone:
            return member
        return replace(
            member, phone=self.phone, phone_at=self.session.made_at, phone_claimed=self.claimed, phone_lost=None
        )

    @property
    def lost(self) -> LostPhone:
        """What the member in `phone_from` reads of it."""
        phone = self.phone or self.known.member.phone
        return LostPhone(mask_phone(phone), self.session.account.partition(":")[0], self.session.made_at)

    @property
    def inviter_id(self) -> str | None:
        """Who has brought the member once this is written."""
        return self.invited.inviter_id if self.invited else self.known.inviter_id


class PhoneChange(msgspec.Struct, frozen=True):
    """What a change of a member's telephone number writes: all of it or nothing."""

    id: str
    member: Member
    """As it was read."""
    phone: str
    claimed: bool
    """Whether anybody can repeat the proof of the number."""
    app: str
    """The platform's app in which it was proved, `wechat:wx123`."""
    at: datetime
    uses: tuple[Use, ...] = ()
    phone_from: str | None = None
    """The member who loses the number."""
    former: str | None = None
    """A closed account of the same person, whose the number was."""

    @property
    def after(self) -> Member:
        """The member as this leaves it."""
        former = self.member.former if self.former is None else tuple(sorted({*self.member.former, self.former}))
        return replace(
            self.member, phone=self.phone, phone_at=self.at, phone_claimed=self.claimed, phone_lost=None,
            joining_until=None, former=former,
        )  # fmt: skip

    def lost(self, phone: str) -> LostPhone:
        """What is kept of a number that a member has not any more by this."""
        return LostPhone(mask_phone(phone), self.app.partition(":")[0], self.at)


def started(session_id: str, member_id: str, account: str, now: datetime) -> Session:
    """A session that starts now."""
    return Session(session_id, member_id, account, now, now, now + REFRESH_LIFETIME)
