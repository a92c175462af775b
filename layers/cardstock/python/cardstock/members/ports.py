"""What the members area needs from outside."""

from typing import Protocol

from cardstock.members.model import Account, Member, Person


class Platform(Protocol):
    """A place that people log in on: WeChat, Alipay, Douyin, Baidu, or the development platform.

    Its session keys stay inside the adapter. Both methods raise `UnauthorizedError` (LOGIN_CODE_INVALID) when the
    platform does not know the code, and `UnavailableError` (PLATFORM_UNAVAILABLE) when it gives no answer.
    """

    def identify(self, app_id: str, login_code: str) -> str:
        """The openid of whoever got `login_code` from the platform; a code works once."""

    def phone(self, app_id: str, phone_code: str) -> str:
        """The telephone number, E.164, that the platform has checked for whoever got `phone_code`."""


class Verifier(Protocol):
    """Somebody who can tell whether a name and an ID number belong together."""

    def __call__(self, name: str, number: str, /) -> str:
        """The name of the method. Raises `RefusedError` (IDENTITY_MISMATCH) when they do not."""


class Members(Protocol):
    """Where members are kept."""

    def find(self, member_id: str) -> Member | None:
        """The member, read consistently."""

    def find_by_account(self, account: Account) -> Member | None:
        """Whose account this is."""

    def find_by_phone(self, phone: str) -> Member | None:
        """Whose number this is."""

    def join(self, member: Member, account: Account, inviter_id: str | None) -> Member:
        """Register `member` with his account, his number and his inviter: all of it or nothing.

        Returns who has the account afterwards: `member`, or whoever came first with it. Raises `RefusedError` by the
        rules of the network (INVITER_...), and PHONE_TAKEN.
        """

    def add_account(self, member: Member, account: Account) -> Member:
        """Give `member` another account; returns who has it afterwards."""

    def add_phone(self, member: Member, phone: str) -> Member:
        """Give `member` a number. Raises `RefusedError` (PHONE_TAKEN)."""

    def set_profile(self, member_id: str, nickname: str, birth_year: int | None) -> Member | None:
        """The changed member, if he exists."""

    def salt(self) -> bytes:
        """The brand's salt for ID numbers: made when first asked for, never another."""

    def set_person(self, member_id: str, person: Person) -> bool:
        """Keep whom he was verified as, unless he was before; whether it was kept.

        From then on he and the other members who are the same person know each other as `siblings`. Raises
        `RefusedError` (IDENTITY_IN_USE) when there are `MOST_MEMBERS` of them already.
        """


class Inviters(Protocol):
    """Who brought whom."""

    def resolve(self, invite: str) -> str | None:
        """The member behind an invite: a member id, or the key of a card."""

    def of(self, member_id: str) -> str | None:
        """Who brought this member."""

    def bind(self, member_id: str, inviter_id: str) -> None:
        """Set who brought him. Raises `RefusedError` (INVITER_...) by the rules of the network."""
