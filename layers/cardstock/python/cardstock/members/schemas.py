"""The JSON of members."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from cardstock import clock
from cardstock.clock import rfc3339
from cardstock.edge.fields import MemberId, Moment, NextCursor, SignedToken
from cardstock.edge.http import LINE, OPTIONAL_LINE, Model
from cardstock.errors import (
    CONSENT_MISSING,
    INVITER_BOUND,
    INVITER_HAS_REFERRED,
    INVITER_SELF,
    INVITER_TOO_LATE,
    INVITER_UNKNOWN,
    MEMBER_CLOSING,
    MEMBER_ERASED,
    TOKEN_EXPIRED,
    TOKEN_INVALID,
    TOO_MANY,
)
from cardstock.members import errors
from cardstock.members.changing_phone import PhoneRequest
from cardstock.members.consent_model import Purpose
from cardstock.members.login import LoginRequest, LoginResult, PhoneNotBound
from cardstock.members.model import LostPhone, Member, mask_name, mask_phone

if TYPE_CHECKING:
    from cardstock.edge.callers import Caller
    from cardstock.members.session_model import Session as StoredSession
    from cardstock.members.sessions import SessionTokens

INVITER_CODES: Final = (
    INVITER_UNKNOWN,
    INVITER_SELF,
    INVITER_BOUND,
    INVITER_TOO_LATE,
    INVITER_HAS_REFERRED,
    MEMBER_CLOSING,
    MEMBER_ERASED,
)
LOGIN_CODES: Final = (
    CONSENT_MISSING,
    errors.CONSENT_OUTDATED,
    errors.PLATFORM_UNKNOWN,
    errors.APP_UNKNOWN,
    errors.LOGIN_CODE_INVALID,
    errors.LOGIN_TOO_OFTEN,
    errors.LOGIN_BLOCKED,
    errors.PHONE_NOT_GRANTED,
    errors.LOGIN_CODES_USED,
    errors.PLATFORM_UNAVAILABLE,
    errors.PLATFORM_MISCONFIGURED,
    TOO_MANY,
    *INVITER_CODES,
)
PHONE_CODES: Final = (
    errors.PLATFORM_UNKNOWN,
    errors.APP_UNKNOWN,
    errors.LOGIN_CODE_INVALID,
    errors.LOGIN_TOO_OFTEN,
    errors.LOGIN_BLOCKED,
    errors.PHONE_NOT_GRANTED,
    errors.PHONE_HELD,
    errors.LOGIN_CODES_USED,
    errors.PLATFORM_UNAVAILABLE,
    errors.PLATFORM_MISCONFIGURED,
    errors.LINKED_TO_STAFF,
    errors.MERGED_TOO_MANY,
    errors.SESSION_ENDED,
    TOO_MANY,
    MEMBER_ERASED,
)
JOINING_CODES: Final = (errors.PHONE_MISSING, errors.LINKED_TO_STAFF, MEMBER_ERASED)
IDENTITY_CODES: Final = (
    CONSENT_MISSING,
    errors.ID_NUMBER_INVALID,
    errors.IDENTITY_FIXED,
    errors.IDENTITY_IN_USE,
    errors.IDENTITY_TAKEN,
    errors.IDENTITY_MISMATCH,
    errors.VERIFICATION_MISSING,
    errors.IDENTITY_UNAVAILABLE,
    errors.IDENTITY_MISCONFIGURED,
    MEMBER_ERASED,
)

REFRESH_CODES: Final = (TOKEN_INVALID, TOKEN_EXPIRED, errors.SESSION_ENDED, MEMBER_ERASED, CONSENT_MISSING)

Code = Annotated[str, Meta(min_length=1, max_length=512)]
PhoneProof = Annotated[str, Meta(min_length=1, max_length=8192)]
_LOGIN_CODE = "From `wx.login` and its sisters; of `dev`, `dev:` and any name: whoever has that name in this `app_id`."
_PHONE_CODE = (
    "From the platform's telephone button: its code; on Alipay the JSON text of `response` and `sign`, on Baidu that "
    "of `encryptedData` and `iv`; "
    "of `dev`, `dev:` and the number: `dev:+8613800138000`."
)
Invite = Annotated[
    str,
    Meta(
        pattern=r"^(mem_[0-9a-z]{26}|[0-9a-z]{10,12})\Z",
        description="The inviter's member id, or the key of a shared card.",
        examples=["mem_01kbdxdh50fcazdjhcnqh2rzv5", "k7m2p9xw4t"],
    ),
]


PurposeKey = Annotated[
    Purpose, Meta(description="What data are processed for; `GET /v1/consent-purposes` explains each.")
]
Version = Annotated[
    int, Meta(ge=1, le=1_000_000, description="Version of the purpose's text that the person has read.", examples=[1])
]


class GivenConsent(Model):
    """A purpose that the person agreed to."""

    purpose: Annotated[PurposeKey, Meta(examples=["account"])]
    version: Version


class OpenSession(Model):
    """Codes from the platform's login calls, and what brought the visitor here."""

    platform: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=16,
            examples=["dev"],
            description="Login platform that gave the codes; `dev` on a development machine.",
        ),
    ]
    app_id: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z", description="The mini-program's own id.", examples=["wxdemo"])
    ]
    login_code: Annotated[Code, Meta(description=_LOGIN_CODE, examples=["dev:customer-17850"])]
    phone_code: Annotated[PhoneProof, Meta(description=_PHONE_CODE, examples=["dev:+8613800138000"])] | None = None
    scene: (
        Annotated[
            str,
            Meta(
                max_length=64,
                pattern=OPTIONAL_LINE,
                examples=["1011"],
                description="WeChat scene value (entry point), or another platform's; absent if unknown.",
            ),
        ]
        | None
    ) = None
    invite: Invite | None = None
    consents: (
        Annotated[
            list[GivenConsent],
            Meta(
                max_length=10,
                description="What the person agreed to on this page. `account` is needed once, and again when its text "
                "has changed; the others are asked for where they are needed.",
                examples=[[{"purpose": "account", "version": 1}]],
            ),
        ]
        | None
    ) = None

    def login_request(self) -> LoginRequest:
        """What the client presents."""
        return LoginRequest(
            platform=self.platform,
            app_id=self.app_id,
            login_code=self.login_code,
            phone_code=self.phone_code,
            invite=self.invite,
            scene=self.scene or "",
            consents=[(each.purpose, each.version) for each in self.consents or ()],
        )


class RefreshSession(Model):
    """The refresh token of an earlier session."""

    refresh_token: Annotated[
        SignedToken,
        Meta(min_length=1, max_length=1024, description="`refresh_token` of a session or of an earlier refresh."),
    ]


class PhoneLost(Model):
    """A telephone number that another account proved to have. Log in with a number again to bind one."""

    phone: Annotated[str, Meta(description="The number, masked.", examples=["+86138****8000"])]
    platform: Annotated[str, Meta(description="Login platform of the other account.", examples=["wechat"])]
    at: Annotated[Moment, Meta(description="When the number moved.")]

    @classmethod
    def of(cls, lost: LostPhone) -> PhoneLost:
        """What the member who lost it reads."""
        return cls(lost.masked, lost.platform, rfc3339(lost.at))


class Joining(Model):
    """Leave for one account to join."""

    until: Annotated[Moment, Meta(description="Until when an account with the member's number joins.")]


class Profile(Model):
    """The member's own profile. Name, ID number and telephone number are masked."""

    member_id: MemberId
    nickname: Annotated[
        str, Meta(description="Name that the member chose; empty before the first choice.", examples=["小明"])
    ]
    birth_year: Annotated[
        int | None, Meta(description="Year of birth given by the member; null if none.", examples=[1990])
    ]
    phone: Annotated[
        str, Meta(description="Telephone number, masked; empty if none is bound.", examples=["138****8000"])
    ]
    verified: Annotated[bool, Meta(description="Whether the identity was verified.")]
    verification: (
        Annotated[
            str,
            Meta(description="Who verified the identity; `dev` accepts any name. Null before.", examples=["dev"]),
        ]
        | None
    )
    of_age: Annotated[
        bool | None,
        Meta(
            description="Whether the member is 18 or older, by the identity number; null before it is verified.",
            examples=[True],
        ),
    ]
    name: Annotated[str | None, Meta(description="Real name, masked; null before it is verified.", examples=["王**"])]
    id_number: Annotated[
        str | None,
        Meta(description="Identity number, masked; null before it is verified.", examples=["110101********002X"]),
    ]
    created_at: Annotated[Moment, Meta(description="When the member first logged in.")]
    phone_lost: Annotated[
        PhoneLost | None,
        Meta(description="The number that the member lost to another account, until a new one is bound; null if none."),
    ]

    @classmethod
    def of(cls, member: Member) -> Profile:
        """The member's own view of the profile, now."""
        person, now = member.person, clock.now()
        return cls(
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
            phone_lost=PhoneLost.of(member.phone_lost) if member.phone_lost else None,
        )


class Session(Model):
    """Tokens, and whose they are."""

    access_token: Annotated[SignedToken, Meta(description="Bearer credential of the member.")]
    refresh_token: Annotated[SignedToken, Meta(description="Exchange it for the next pair of tokens, once.")]
    expires_in: Annotated[int, Meta(description="Seconds until the access token expires.", examples=[900])]
    member: Annotated[Profile, Meta(description="Member of the session.")]
    is_new: Annotated[bool, Meta(description="Whether this login registered the member.")]
    bound_inviter: Annotated[
        MemberId | None,
        Meta(
            description="Inviter bound now or earlier; null if there is none. Null also for a new member who had "
            "closed an account before: the same person is not brought again, and the invite is left out."
        ),
    ]
    phone_not_bound: Annotated[
        PhoneNotBound | None,
        Meta(
            description="Why the number of `phone_code` is not the member's; null if it is, or none was sent. `kept`: "
            "the member keeps the number that was there; `PUT /v1/me/phone` changes it. `held`: the number is another "
            "member's and stays there, because that member is staff, or because this platform's proof can be repeated "
            "by anybody (Alipay).",
        ),
    ]

    @classmethod
    def of(cls, login: LoginResult, tokens: SessionTokens) -> Session:
        """The session of a login, with its tokens."""
        profile = Profile.of(login.member)
        return cls(
            tokens.access_token, tokens.refresh_token, tokens.expires_in, profile, login.is_new, login.inviter_id,
            login.phone_not_bound,
        )  # fmt: skip


class Tokens(Model):
    """The next pair of tokens. The refresh token that was sent is used up."""

    access_token: Annotated[SignedToken, Meta(description="Bearer credential of the member.")]
    refresh_token: Annotated[
        SignedToken, Meta(description="Exchange it for the next pair, once; store it before using the pair.")
    ]
    expires_in: Annotated[int, Meta(description="Seconds until the access token expires.", examples=[900])]

    @classmethod
    def of(cls, tokens: SessionTokens) -> Tokens:
        """A pair of tokens."""
        return cls(tokens.access_token, tokens.refresh_token, tokens.expires_in)


class SessionView(Model):
    """One of the member's sessions."""

    session_id: Annotated[
        str, Meta(description="Under which the session can be ended.", examples=["ses_01kbdxdh50fcazdjhcnqh2rzv5"])
    ]
    platform: Annotated[
        str, Meta(description="Login platform; empty for a session that release 0.2.0 began.", examples=["wechat"])
    ]
    app_id: Annotated[str, Meta(description="The mini-program's own id; empty likewise.", examples=["wxdemo"])]
    made_at: Annotated[Moment, Meta(description="When the member logged in.")]
    used_at: Annotated[Moment, Meta(description="When its tokens were refreshed last.")]
    expires_at: Annotated[Moment, Meta(description="When it ends if its tokens are not refreshed before.")]
    current: Annotated[bool, Meta(description="Whether it is the session of this call.")]

    @classmethod
    def of(cls, session: StoredSession, current_id: str) -> SessionView:
        """A session as its member sees it."""
        platform, _, rest = session.account.partition(":")
        return cls(
            session.id,
            platform,
            rest.partition(":")[0],
            rfc3339(session.made_at),
            rfc3339(session.used_at),
            rfc3339(session.expires_at),
            session.id == current_id,
        )


class SessionList(Model):
    """The member's sessions, newest first."""

    items: Annotated[list[SessionView], Meta(description="At most twenty; all of them are on this page.")]
    next_cursor: NextCursor = None


class PutPhone(Model):
    """The proof of another telephone number, from the platform on which the session began."""

    phone_code: Annotated[PhoneProof, Meta(description=_PHONE_CODE, examples=["dev:+8613800138000"])]
    login_code: (
        Annotated[
            Code,
            Meta(
                description="A new code of the platform's log-in, of the same account: needed on Baidu, whose number "
                "is read with the key of a log-in. Elsewhere absent.",
                examples=["dev:customer-17850"],
            ),
        ]
        | None
    ) = None

    def request(self, caller: Caller) -> PhoneRequest:
        """Who wants which number."""
        return PhoneRequest(caller.id, caller.session_id, caller.account, self.phone_code, self.login_code)


class PutProfile(Model):
    """What a member tells about the own person."""

    nickname: Annotated[
        str, Meta(min_length=1, max_length=32, pattern=LINE, examples=["小林"], description="Public name.")
    ]
    birth_year: (
        Annotated[int, Meta(ge=1900, le=2100, examples=[1990], description="Year of birth; absent or null: not given.")]
        | None
    ) = None


class PutIdentity(Model):
    """Real name and resident identity number (GB 11643)."""

    name: Annotated[
        str,
        Meta(
            min_length=2,
            max_length=40,
            pattern=r"^[^\W\d_][^\d_<>\"\r\n\t]*\Z",
            examples=["王小明"],
            description="Real name, as in the identity document.",
        ),
    ]
    id_number: Annotated[
        str,
        Meta(
            min_length=18,
            max_length=18,
            examples=["11010519491231002X"],
            description="Resident identity number (GB 11643), 18 characters. Only a salted hash is stored.",
        ),
    ]


class PutInviter(Model):
    """Who brought the member."""

    inviter: Invite
