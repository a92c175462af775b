"""What the members area needs from outside."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from cardstock.members.model import Account, Member, Person, PlatformIdentity


class LoginPlatform(Protocol):
    """A platform that people log in on: WeChat, Alipay, Douyin, Baidu, or the development platform.

    Its session keys stay inside the adapter. Both methods raise `UnauthorizedError` (LOGIN_CODE_INVALID) when the
    platform does not know the code, `InvalidError` (APP_UNKNOWN) when no such app of the platform is configured,
    `ThrottledError` (LOGIN_TOO_OFTEN, with `retry_after` in seconds), and `UnavailableError`: PLATFORM_UNAVAILABLE when
    it gives no answer, PLATFORM_MISCONFIGURED when it does not take our app id, secret, key or address.
    """

    def identify(self, app_id: str, login_code: str) -> PlatformIdentity:
        """Who the person is whom the platform gave `login_code`. A code works once.

        Raises `ForbiddenError` (LOGIN_BLOCKED) for a person whom the platform keeps out.
        """

    def phone_of(self, app_id: str, phone_proof: str, openid: str) -> str:
        """The telephone number, E.164, that the platform has checked for the person `openid`.

        `phone_proof` is what the client got: a code, or signed text. Raises `ForbiddenError` (PHONE_NOT_GRANTED) where
        the app may not ask, or the person did not agree.
        """


class IdentityVerifier(Protocol):
    """A service that knows whether a name and an identity number belong together."""

    def verify(self, name: str, number: str) -> str:
        """The name of the method. Raises `RefusedError` (IDENTITY_MISMATCH) when they do not belong together."""


class Members(Protocol):
    """Where members are kept."""

    def find_member(self, member_id: str) -> Member | None:
        """The member, read consistently."""

    def find_member_by_account(self, account: Account) -> Member | None:
        """The member who has the account."""

    def find_member_by_phone(self, phone: str) -> Member | None:
        """The member who has the telephone number."""

    def register_member(self, member: Member, account: Account, inviter_id: str | None) -> Member:
        """Register `member` with account, telephone number and inviter: all of it or nothing.

        Returns the member who has the account afterwards: `member`, or the one who came first with it. Raises
        `RefusedError` by the rules of the network (INVITER_...), and PHONE_TAKEN.
        """

    def members_of_day(self, day: date, limit: int, after: str | None) -> tuple[Sequence[Member], str | None]:
        """A page of the members who registered on a day of the brand, newest first, and the id after which the next
        page starts; None at the end. May miss those of the last second."""

    def add_account(self, member: Member, account: Account) -> Member:
        """Give `member` another account; the member who has it afterwards."""

    def add_phone(self, member: Member, phone: str) -> Member:
        """The member with a telephone number. Raises `RefusedError` (PHONE_TAKEN)."""

    def change_profile(self, member_id: str, nickname: str, birth_year: int | None) -> Member | None:
        """The changed member; None if there is no such member, or it was erased."""

    def identity_salt(self) -> bytes:
        """The brand's salt for identity numbers: made when first asked for, never another."""

    def add_person(self, member_id: str, person: Person) -> bool:
        """Keep whom the member was verified as, unless the member was verified before; whether it was kept.

        From then on the members who are the same person know each other as `siblings`. Raises `RefusedError`
        (IDENTITY_IN_USE) when `MOST_MEMBERS` of them are this person already.
        """


class Inviters(Protocol):
    """Who brought whom."""

    def member_behind(self, invite: str) -> str | None:
        """The member behind an invite: a member id, or the key of a card."""

    def inviter_of(self, member_id: str) -> str | None:
        """The member who brought this one."""

    def bind_inviter(self, member_id: str, inviter_id: str) -> None:
        """Set who brought the member. Raises `RefusedError` (INVITER_...) by the rules of the network."""
