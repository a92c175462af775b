"""The JSON of consents."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated, Final, Literal

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment
from cardstock.edge.http import Model
from cardstock.errors import MEMBER_ERASED, NOT_FOUND
from cardstock.members import errors
from cardstock.members.consent_model import PURPOSES, Purpose, Versions, known_purpose, state_of
from cardstock.members.consent_texts import NEVER_VERIFIED, TERMS
from cardstock.members.model import Member
from cardstock.members.schemas import PurposeKey, Version

CHANGE_CODES: Final = (errors.CONSENT_OUTDATED, errors.CONSENT_NEEDED, MEMBER_ERASED, NOT_FOUND)


class PurposeView(Model):
    """A purpose for which a member's data are processed. Texts are in the language of the request."""

    purpose: Annotated[PurposeKey, Meta(examples=["card_visits"])]
    version: Annotated[int, Meta(description="Version of the text that is in force.", examples=[1])]
    basis: Annotated[
        Literal["contract", "consent", "separate_consent"],
        Meta(description="Why the law allows it (PIPL 13).", examples=["separate_consent"]),
    ]
    articles: Annotated[str, Meta(description="Articles of PIPL that apply.", examples=["13(1)(1), 23"])]
    withdrawable: Annotated[
        bool, Meta(description="Whether it is withdrawn by itself; false: by closing the account.", examples=[True])
    ]
    title: Annotated[str, Meta(description="Name of the purpose.", examples=["名片访问记录"])]
    what: Annotated[str, Meta(description="Which data.", examples=["登录后打开名片的时间、次数和停留秒数"])]
    why: Annotated[str, Meta(description="What for.", examples=["让名片主人知道谁看过名片"])]
    to_whom: Annotated[str, Meta(description="Who else gets them.", examples=["该名片的主人。"])]
    how_long: Annotated[str, Meta(description="Until when they are kept.", examples=["同意期间"])]
    how_withdrawn: Annotated[
        str,
        Meta(description="How the consent is withdrawn, and from when that acts.", examples=["随时在同意设置中撤回"]),
    ]

    @classmethod
    def of(cls, purpose: Purpose, versions: Versions, language: str) -> PurposeView:
        """A purpose in `zh` or `en`."""
        terms = TERMS[purpose]
        text = terms.notice(language)
        return cls(
            purpose, versions[purpose], terms.basis, terms.articles, terms.withdrawable, text.title, text.what,
            text.why, text.to_whom, text.how_long, text.how_withdrawn,
        )  # fmt: skip


class PurposeList(Model):
    """The purposes for which members' data are processed."""

    items: Annotated[list[PurposeView], Meta(description="Purposes; all of them are on this page.")]

    @classmethod
    def of(cls, versions: Versions, language: str) -> PurposeList:
        """All purposes in `zh` or `en`."""
        return cls([PurposeView.of(purpose, versions, language) for purpose in PURPOSES])


class ConsentView(Model):
    """What the member said last of a purpose."""

    purpose: Annotated[PurposeKey, Meta(examples=["card_visits"])]
    state: Annotated[
        Literal["missing", "given", "lapsed", "withdrawn"],
        Meta(
            description="`missing`: nothing was said; `lapsed`: agreed to an older version. Only `given` allows it.",
            examples=["given"],
        ),
    ]
    version: Annotated[
        int | None, Meta(description="Version that the member spoke of; null if nothing was said.", examples=[1])
    ]
    at: Annotated[Moment | None, Meta(description="When; null if nothing was said.")]
    current_version: Annotated[int, Meta(description="Version of the text that is in force.", examples=[1])]
    kept: Annotated[
        str | None,
        Meta(
            description="What is kept after a withdrawal, and why; null unless withdrawn.",
            examples=["名片的总次数和总秒数不含姓名，予以保留。"],
        ),
    ]

    @classmethod
    def of(cls, member: Member, purpose: Purpose, versions: Versions, language: str) -> ConsentView:
        """The member's consent to the purpose, with texts in `zh` or `en`."""
        said, state = member.consents.get(purpose), state_of(member, purpose, versions)
        return cls(
            purpose=purpose,
            state=state,
            version=None if said is None else said.version,
            at=None if said is None else rfc3339(said.at),
            current_version=versions[purpose],
            kept=_kept(member, purpose, language) if state == "withdrawn" else None,
        )


def _kept(member: Member, purpose: Purpose, language: str) -> str:
    if purpose == "identity_check" and member.person is None:
        return NEVER_VERIFIED["en" if language == "en" else "zh"]
    return TERMS[purpose].notice(language).kept


class ConsentList(Model):
    """What the member said of each purpose."""

    items: Annotated[list[ConsentView], Meta(description="One entry for each purpose; all of them are on this page.")]

    @classmethod
    def of(cls, member: Member, versions: Versions, language: str) -> ConsentList:
        """The member's consents, with texts in `zh` or `en`."""
        return cls([ConsentView.of(member, purpose, versions, language) for purpose in PURPOSES])


class PutConsent(Model):
    """What the member says of a purpose."""

    granted: Annotated[bool, Meta(description="Whether the member agrees; false withdraws.", examples=[True])]
    version: Version | None = None


def purpose_named(name: str) -> Purpose:
    """The purpose of that name. Raises `NotFoundError`."""
    try:
        return known_purpose(name)
    except ValueError as error:
        raise NOT_FOUND() from error
