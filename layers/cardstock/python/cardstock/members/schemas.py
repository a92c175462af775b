"""What members send and get as JSON."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge import errors as edge_errors
from cardstock.edge.http import LINE, Model
from cardstock.errors import (
    INVITER_BOUND,
    INVITER_HAS_REFERRED,
    INVITER_SELF,
    INVITER_TOO_LATE,
    INVITER_UNKNOWN,
    MEMBER_ERASED,
)
from cardstock.members import errors as members_errors
from cardstock.members.model import Member, mask_name, mask_phone

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardstock.network.model import Node
    from cardstock.orders.ports import Coupons

INVITER_CODES: Final = (
    INVITER_UNKNOWN,
    INVITER_SELF,
    INVITER_BOUND,
    INVITER_TOO_LATE,
    INVITER_HAS_REFERRED,
)
LOGIN_CODES: Final = (
    members_errors.PLATFORM_UNKNOWN,
    members_errors.LOGIN_CODE_INVALID,
    MEMBER_ERASED,
    members_errors.PHONE_TAKEN,
    *INVITER_CODES,
)
IDENTITY_CODES: Final = (
    members_errors.ID_NUMBER_INVALID,
    members_errors.IDENTITY_FIXED,
    members_errors.IDENTITY_IN_USE,
    members_errors.IDENTITY_MISMATCH,
    members_errors.VERIFICATION_MISSING,
    MEMBER_ERASED,
)

REFRESH_CODES: Final = (edge_errors.TOKEN_INVALID, edge_errors.TOKEN_EXPIRED, MEMBER_ERASED)

Code = Annotated[str, Meta(min_length=1, max_length=512)]
_LOGIN_CODE = "From `wx.login` and its sisters; of `dev`, `dev:` and any name: whoever has that name in this `app_id`."
_PHONE_CODE = "From the platform's telephone button; of `dev`, `dev:` and the number: `dev:+8613800138000`."
Invite = Annotated[
    str,
    Meta(
        pattern=r"^(mem_[0-9a-z]{26}|[0-9a-z]{10,12})$",
        description="The inviter's member id, or the key of the card that was shared.",
        examples=["mem_01kbdxdh50fcazdjhcnqh2rzv5", "k7m2p9xw4t"],
    ),
]


class OpenSession(Model):
    """Codes from the platform's login calls, and what brought the visitor here."""

    platform: Annotated[str, Meta(min_length=1, max_length=16, examples=["dev"])]
    app_id: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The mini-program's own id.", examples=["wxdemo"])
    ]
    login_code: Annotated[Code, Meta(description=_LOGIN_CODE, examples=["dev:customer-17850"])]
    phone_code: Annotated[Code, Meta(description=_PHONE_CODE, examples=["dev:+8613800138000"])] | None = None
    scene: Annotated[str, Meta(max_length=64, examples=["1011"])] | None = None
    invite: Invite | None = None


class RefreshSession(Model):
    """The refresh token of an earlier session."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=1024)]


class Profile(Model):
    """A member as he sees himself. Name, ID number and telephone number are masked."""

    member_id: str
    nickname: str
    birth_year: int | None
    phone: str
    verified: bool
    verification: Annotated[str, Meta(description="Who verified him; `dev` is his own word.")] | None
    of_age: bool | None
    name: str | None
    id_number: str | None
    created_at: str


class Session(Model):
    """Tokens, and whose they are. `bound_inviter` is who brought the member, now or earlier."""

    access_token: str
    refresh_token: str
    expires_in: Annotated[int, Meta(description="Seconds until the access token expires.")]
    member: Profile
    is_new: bool
    bound_inviter: str | None


class Tokens(Model):
    """A fresh pair of tokens; the old refresh token stays good until it expires."""

    access_token: str
    refresh_token: str
    expires_in: int


class PutProfile(Model):
    """What a member tells about himself."""

    nickname: Annotated[str, Meta(min_length=1, max_length=32, pattern=LINE, examples=["小林"])]
    birth_year: Annotated[int, Meta(ge=1900, le=2100, examples=[1990])] | None = None


class PutIdentity(Model):
    """Real name and resident identity number (GB 11643)."""

    name: Annotated[str, Meta(min_length=2, max_length=40, pattern=r"^[^\W\d_][^\d_<>\"]*$", examples=["王小明"])]
    id_number: Annotated[str, Meta(min_length=18, max_length=18, examples=["11010519491231002X"])]


class PutInviter(Model):
    """Who brought the member."""

    inviter: Invite


class Distribution(Model):
    """The member's place in the referral network."""

    member_id: str
    role: Literal["member", "distributor", "partner"]
    appointed: bool
    referrer: str | None
    bound_at: str | None
    owner: Annotated[str, Meta(description="The partner whose team the member belongs to.")] | None
    peer: Annotated[str, Meta(description="The partner whose team he left when he became one himself.")] | None
    counted: Annotated[int, Meta(description="Directly referred people whose qualifying purchase counts now.")]
    verified_referrals: Annotated[int, Meta(description="Directly referred people who have proved who they are.")]
    unlocked: Annotated[bool, Meta(description="Holds the benefit that a plan without cash gives for referrals.")]
    coupon: (
        Annotated[
            str, Meta(description="What a quote takes for it, until used.", examples=["benefit.mem_01kbdxdh50.1"])
        ]
        | None
    )
    coupon_fen: Annotated[int | None, Meta(description="What it takes off the goods of an order, at most.")]


class AppointPartner(Model):
    """Why an operator makes this member a partner."""

    reason: Annotated[str, Meta(min_length=1, max_length=200, examples=["Founding partner of the Hangzhou region"])]


def told(member: Member, now: datetime) -> Profile:
    """The member's own view of himself at `now`."""
    person = member.person
    return Profile(
        member_id=member.id,
        nickname=member.nickname,
        birth_year=member.birth_year,
        phone=mask_phone(member.phone),
        verified=person is not None,
        verification=person.method if person else None,
        of_age=person.of_age(now) if person else None,
        name=mask_name(person.name) if person else None,
        id_number=person.number_masked if person else None,
        created_at=rfc3339(member.created_at),
    )


def placed(node: "Node", coupons: "Callable[[], Coupons]") -> Distribution:
    """The member's view of his position. Who holds a benefit costs three reads more: whether he has used it."""
    coupon = coupons().of(node.id, node.benefit_id) if node.benefit_held else None
    return Distribution(
        member_id=node.id,
        role=node.role,
        appointed=node.appointed,
        referrer=node.referrer,
        bound_at=rfc3339(node.bound_at) if node.bound_at else None,
        owner=node.owner,
        peer=node.peer,
        counted=node.counted,
        verified_referrals=node.verified_referrals,
        unlocked=node.benefit_held,
        coupon=coupon.id if coupon else None,
        coupon_fen=coupon.fen if coupon else None,
    )
