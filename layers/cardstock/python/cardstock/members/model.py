"""A member, the platform accounts that lead to it, and the person it has been verified as."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.clock import brand_day
from cardstock.errors import Pointer
from cardstock.ids import derived_id
from cardstock.members import errors
from cardstock.members.consent_model import Consent, Purpose

MemberState: TypeAlias = Literal["registered", "verified", "erased"]
TRANSITIONS: Final[Mapping[MemberState, frozenset[MemberState]]] = {
    "registered": frozenset({"verified", "erased"}),
    "verified": frozenset({"registered", "erased"}),
    "erased": frozenset(),
}

OF_AGE: Final = 18
MOST_MEMBERS: Final = 10
"""How many members may be one person: an account on each platform, and some that got lost."""
MEMBER_ID: Final = re.compile(r"mem_[0-9a-hjkmnp-tv-z]{26}")
_ID_NUMBER: Final = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS: Final = "10X98765432"
# GB/T 2260: the two leading digits of every province, autonomous region, municipality and special region.
_PROVINCES: Final = frozenset(
    (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83)
)


NameKind: TypeAlias = Literal["open", "user"]


class PlatformIdentity(msgspec.Struct, frozen=True):
    """What a platform says of the person whom it gave a login code."""

    openid: str
    """The platform's name for the person in this app; of Alipay `open_id`, or the `user_id` of an older app."""
    union_id: str = ""
    """The same for all apps of one developer's account; empty where the platform gives none."""
    kind: NameKind = "open"
    """Which kind of name `openid` is. Alipay's `user_id` is the other kind."""


class Account(msgspec.Struct, frozen=True):
    """A person's account in one app of one platform. `openid` is the platform's name for it, of one of two kinds."""

    platform: str
    app_id: str
    openid: str
    kind: NameKind = "open"

    @property
    def key(self) -> str:
        """Under which it is stored: `identity#wechat#wx123#oABC`; a name of the other kind `identity-user#...`."""
        prefix = "identity" if self.kind == "open" else f"identity-{self.kind}"
        return f"{prefix}#{self.platform}#{self.app_id}#{self.openid}"

    @property
    def name(self) -> str:
        """As a payout channel names it: `wechat:wx123:oABC`."""
        return f"{self.platform}:{self.app_id}:{self.openid}"


def union_key(platform: str, union_id: str) -> str:
    """Under which a union id is stored: `union#wechat#uABC`."""
    return f"union#{platform}#{union_id}"


def phone_key(phone: str) -> str:
    """Under which a telephone number is stored: `phone#+8613800138000`."""
    return f"phone#{phone}"


class Person(msgspec.Struct, frozen=True):
    """Whom a member has been verified as. The identity number is not kept: a salted hash recognises it again.

    One salt serves all numbers of the brand: tax is a person's, so two members who are one person must be recognised
    as one. A table of hashes made elsewhere is still of no use.
    """

    name: str
    number_masked: str
    number_hash: str
    born: date
    method: str
    """What verified the person: `dev` is the member's own word, on a development machine."""
    verified_at: datetime

    @property
    def id(self) -> str:
        """`prs_...`: the same for every member who is this person."""
        return person_id(self.number_hash)

    def of_age(self, now: datetime) -> bool:
        """Eighteen or older on `now`'s day in China. A person born on 29 February comes of age on 1 March."""
        today = brand_day(now)
        return (today.year - self.born.year, today.month, today.day) >= (OF_AGE, self.born.month, self.born.day)

    def is_number(self, number: str) -> bool:
        """Whether `number` is the identity number that was verified."""
        salt = self.number_hash.partition("$")[0]
        return hmac.compare_digest(hash_number(number, bytes.fromhex(salt)), self.number_hash)


def person_id(number_hash: str) -> str:
    """The id of the person with an identity number of this salted hash."""
    return derived_id("prs", number_hash)


class LostPhone(msgspec.Struct, frozen=True):
    """A telephone number that was the member's until another account proved to have it."""

    masked: str
    platform: str
    """Where the other account logged in."""
    at: datetime


class Member(msgspec.Struct, frozen=True):
    """A registered member. `account` is the name of the account of the first login; `phone` is E.164 or `""`."""

    id: str
    account: str
    created_at: datetime
    nickname: str = ""
    birth_year: int | None = None
    phone: str = ""
    scene: str = ""
    """The platform's number of the way that led to the registration, as the client sent it."""
    person: Person | None = None
    erased_at: datetime | None = None
    siblings: tuple[str, ...] = ()
    """The other members who have been verified as the same person."""
    state: MemberState = "registered"
    phone_at: datetime | None = None
    """When a platform last vouched that the member has the number; v0.2.0 did not store it."""
    phone_claimed: bool = False
    """Whether the number was bound by a proof that anybody can repeat (`LoginPlatform.proves_holder`)."""
    phone_lost: LostPhone | None = None
    joining_until: datetime | None = None
    """Until when an account with the member's number joins, because the member said so."""
    closing_at: datetime | None = None
    """Since when the member wants the account closed, and earns nothing any more."""
    group: str = ""
    """The group of members who said that they are one person; empty without one."""
    same_person: tuple[str, ...] = ()
    """The other members who are the same person: by that group, as siblings, or through one of them."""
    former: tuple[str, ...] = ()
    """Closed accounts of the same person: nothing else says any more that they are."""
    was_staff: bool = False
    """Whether the member is, or ever was, a person of the staff."""
    staff_link: str = ""
    """The person of the staff (`stf_...`) who this member is; empty for everybody else."""
    consents: Mapping[Purpose, Consent] = MappingProxyType({})
    """What the member said last of each purpose; v0.3.0 stored none."""
    taken_identities: tuple[str, ...] = ()
    """Persons (`prs_...`) who the member is not, as two persons of the staff have said: never verified as one again."""

    @property
    def relatives(self) -> frozenset[str]:
        """The other members who are the same person, merged or verified; v0.3.0 stored siblings alone."""
        return frozenset((*self.same_person, *self.siblings, *self.former))

    def lets_join(self, now: datetime) -> bool:
        """Whether the member has confirmed that an account with the member's number joins now."""
        return self.joining_until is not None and now < self.joining_until


def born_on(number: str, today: date) -> date:
    """The birth date in a Chinese identity number (GB 11643: region, date, sequence, ISO 7064 MOD 11-2 check digit).

    Raises `InvalidError` (ID_NUMBER_INVALID) when region, date or check digit are impossible.
    """
    wrong = errors.ID_NUMBER_INVALID(pointers=(Pointer("/id_number", "INVALID"),))
    if not _ID_NUMBER.fullmatch(number) or int(number[:2]) not in _PROVINCES:
        raise wrong
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _ID_WEIGHTS, strict=True))
    if _ID_CHECKS[total % 11] != number[17]:
        raise wrong
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise wrong from error
    if not date(1900, 1, 1) <= born <= today:
        raise wrong
    return born


def new_salt() -> bytes:
    """A salt for identity numbers."""
    return secrets.token_bytes(16)


def hash_number(number: str, salt: bytes) -> str:
    """`salt$scrypt` in hex. scrypt, because all numbers of one birthday and town can be tried: 50 ms each."""
    return f"{salt.hex()}${hashlib.scrypt(number.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32).hex()}"


def mask_number(number: str) -> str:
    """`1****************X`: first and last character."""
    return f"{number[0]}{'*' * (len(number) - 2)}{number[-1]}"


def mask_name(name: str) -> str:
    """`王**`: the first character."""
    return name[0] + "*" * (len(name) - 1)


def mask_phone(phone: str) -> str:
    """`+86138****0000`."""
    return f"{phone[:-8]}****{phone[-4:]}" if len(phone) > 8 else ""
