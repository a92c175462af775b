"""What the members area needs from outside."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from cardstock.members.model import Account, Member, Person


class LoginPlatform(Protocol):
    """A platform that people log in on: WeChat, Alipay, Douyin, Baidu, or the development platform.

    Its session keys stay inside the adapter. Both methods raise `UnauthorizedError` (LOGIN_CODE_INVALID) when the
    platform does not know the code, and `UnavailableError` (PLATFORM_UNAVAILABLE) when it gives no answer.
    """

    def openid_of(self, app_id: str, login_code: str) -> str:
        """The openid of the person whom the platform gave `login_code`. A code works once."""

    def phone_of(self, app_id: str, phone_code: str) -> str:
        """The telephone number, E.164, that the platform has checked for the person whom it gave `phone_code`."""


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
