"""The JSON of cards. What a member calls a version of a card is a `Face` inside."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, field, structs

from cardstock.cards import errors, model
from cardstock.cards.model import Card, Face, OpenedCard, Radar, Share
from cardstock.clock import rfc3339
from cardstock.edge import errors as edge_errors
from cardstock.edge.fields import MemberId, Moment, NextCursor, SignedToken, checked_phone
from cardstock.edge.http import OPTIONAL_LINE, Model
from cardstock.errors import NOT_FOUND, QUEUE_UNAVAILABLE, TOKEN_EXPIRED, TOKEN_INVALID

UPDATE_CODES: Final = (NOT_FOUND, errors.CARD_CHANGED)
SHARE_CODES: Final = (NOT_FOUND, errors.AUDIENCE_UNKNOWN)
VIEW_CODES: Final = (
    errors.TICKET_INVALID,
    errors.TICKET_EXPIRED,
    TOKEN_INVALID,
    TOKEN_EXPIRED,
    edge_errors.KEY_INVALID,
    QUEUE_UNAVAILABLE,
)

Audience = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{0,15}\Z",
        description="Audience of a version; everybody else sees `default`.",
        examples=["default"],
    ),
]
CardKey = Annotated[
    str, Meta(description="Key of the card, in `/c/` and in every call about it.", examples=["x7k2m9pq4t"])
]
Line = Annotated[str, Meta(max_length=60, pattern=r"^[^\r\n]*\Z")]
Tag = Annotated[str, Meta(min_length=1, max_length=16, pattern=r"^[^\r\n]*\Z")]
Sku = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z")]


class CardVersion(Model):
    """What one audience sees. An empty text means that there is none."""

    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=40,
            pattern=r"^[^\r\n]*\S[^\r\n]*\Z",
            examples=["林晓雨"],
            description="The person's name for visitors.",
        ),
    ]
    title: Annotated[Line, Meta(examples=["高级导购"], description="Job title; empty if there is none.")] = ""
    company: Annotated[
        Line, Meta(examples=["山野露营 · 杭州湖滨店"], description="Company or shop; empty if there is none.")
    ] = ""
    intro: Annotated[
        str,
        Meta(
            max_length=500,
            examples=["十二年户外装备经验，帮你把第一次露营安排妥当。"],
            description="A few sentences about the person; empty if there are none.",
        ),
    ] = ""
    phone: Annotated[
        str,
        Meta(
            max_length=64,
            pattern=OPTIONAL_LINE,
            examples=["+86 138 0013 8000"],
            description="Telephone number as people write it, with its extension; kept without brackets and invisible "
            "marks. Empty if there is none.",
        ),
    ] = ""
    email: Annotated[
        str,
        Meta(
            max_length=100,
            pattern=r"^([A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,})?\Z",
            examples=["lin@example.com"],
            description="E-mail address; empty if there is none.",
        ),
    ] = ""
    wechat: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z][A-Za-z0-9_-]{5,19})?\Z",
            examples=["linxiaoyu_camp"],
            description="WeChat account; empty if there is none.",
        ),
    ] = ""
    address: Annotated[
        str,
        Meta(
            max_length=120,
            pattern=r"^[^\r\n]*\Z",
            examples=["杭州市上城区湖滨路 18 号"],
            description="Postal address on one line; empty if there is none.",
        ),
    ] = ""
    website: Annotated[
        str,
        Meta(
            max_length=200,
            pattern=r"^(https://[A-Za-z0-9._~:/?#@!$&()*+,;=%-]+)?\Z",
            examples=["https://example.com"],
            description="Address of a web page, https only; empty if there is none.",
        ),
    ] = ""
    tags: Annotated[
        list[Tag],
        Meta(max_length=8, examples=[["露营", "亲子", "轻量化"]], description="Short labels of the person."),
    ] = field(default_factory=list)
    shelf: Annotated[
        list[Sku],
        Meta(max_length=20, examples=[["22423"]], description="Article numbers of products shown on the card."),
    ] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.phone:
            self.phone = checked_phone(self.phone)

    @classmethod
    def of(cls, face: Face) -> CardVersion:
        """One audience's face."""
        return cls(**structs.asdict(face) | {"tags": list(face.tags), "shelf": list(face.shelf)})

    def face(self) -> Face:
        """The inverse of `of`."""
        return Face(**structs.asdict(self) | {"tags": tuple(self.tags), "shelf": tuple(self.shelf)})


Versions = Annotated[
    dict[Audience, CardVersion],
    Meta(
        min_length=1,
        max_length=model.MAX_AUDIENCES,
        description="What each audience sees, by audience; `default` is for everybody.",
        examples=[{"default": {"name": "林晓雨", "title": "高级导购"}}],
    ),
]


class PostCard(Model):
    """A new card."""

    versions: Versions


class PutCard(Model):
    """All versions of a card."""

    versions: Versions
    revision: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=2**31,
                description="Revision that the caller has read; it must be the current one. Absent: always replace.",
                examples=[3],
            ),
        ]
        | None
    ) = None


class OwnCard(Model):
    """A card as its owner sees it."""

    card: CardKey
    versions: Annotated[
        dict[str, CardVersion],
        Meta(
            description="What each audience sees, by audience.",
            examples=[{"default": {"name": "林晓雨", "title": "高级导购"}}],
        ),
    ]
    revision: Annotated[int, Meta(description="Number of the card's revision, from 1.", examples=[3])]
    created_at: Annotated[Moment, Meta(description="When the card was made.")]
    updated_at: Annotated[Moment, Meta(description="When the card was last changed.")]

    @classmethod
    def of(cls, card: Card) -> OwnCard:
        """A card for its owner."""
        versions = {audience: CardVersion.of(face) for audience, face in card.faces.items()}
        return cls(card.key, versions, card.revision, rfc3339(card.created_at), rfc3339(card.updated_at))


class OwnCards(Model):
    """A page of the member's cards."""

    items: Annotated[list[OwnCard], Meta(description="The member's cards, in the order of their keys.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, cards: Sequence[Card], next_cursor: str | None) -> OwnCards:
        """A page of cards for their owner."""
        return cls([OwnCard.of(card) for card in cards], next_cursor)


class ShownCard(Model):
    """A card as a visitor sees it."""

    card: CardKey
    share: Annotated[
        str | None,
        Meta(
            description="Share key that opened it; null if the card's own key did.",
            examples=["m3n8r5t2wd"],
        ),
    ]
    owner: Annotated[MemberId, Meta(description="Member id of the card's owner; an `invite` at login.")]
    version: Annotated[CardVersion, Meta(description="The card's version for this visitor.")]
    revision: Annotated[int, Meta(description="Number of the card's revision, from 1.", examples=[3])]
    view_ticket: Annotated[SignedToken, Meta(description="Ticket for reporting the view.")]

    @classmethod
    def of(cls, opened: OpenedCard, ticket: str) -> ShownCard:
        """An opened card for its visitor, with the ticket of this view."""
        card = opened.card
        version = CardVersion.of(opened.face)
        return cls(card.key, opened.share or None, card.owner_id, version, card.revision, ticket)


class PostShare(Model):
    """Whom the link is for, and where it will be put."""

    audience: Annotated[Audience, Meta(description="Audience whose version its visitors see.")] = "default"
    label: Annotated[
        str,
        Meta(
            max_length=40,
            pattern=OPTIONAL_LINE,
            examples=["湖滨店门口海报"],
            description="The owner's note on where the link is used; empty if there is none.",
        ),
    ] = ""


class ShareKey(Model):
    """A link to a card that the owner gives away."""

    share: Annotated[
        str,
        Meta(
            description="Key to share: in `/c/`, as a mini-program scene, or as an `invite`.",
            examples=["m3n8r5t2wd"],
        ),
    ]
    card: CardKey
    audience: Annotated[str, Meta(description="Audience whose version its visitors see.", examples=["default"])]
    label: Annotated[str, Meta(description="The owner's note; empty if there is none.", examples=["WeChat group"])]
    path: Annotated[str, Meta(examples=["/c/k7m2p9xw4t"], description="Path of the public page.")]
    created_at: Annotated[Moment, Meta(description="When the share was made.")]

    @classmethod
    def of(cls, share: Share) -> ShareKey:
        """A share for the card's owner."""
        path = f"/c/{share.key}"
        return cls(share.key, share.card, share.audience, share.label, path, rfc3339(share.created_at))


class PostView(Model):
    """A look at a card: sent on opening it, and once more on leaving."""

    ticket: Annotated[
        SignedToken,
        Meta(
            min_length=1,
            max_length=1024,
            description="`view_ticket` of the card that was shown. Two reports with one ticket are one view.",
        ),
    ]
    scene: (
        Annotated[
            str,
            Meta(
                pattern=r"^[a-z0-9_-]{1,16}\Z",
                examples=["group_chat"],
                description="Where the visitor came from, as named by the mini-program; absent if unknown.",
            ),
        ]
        | None
    ) = None
    seconds: (
        Annotated[
            int,
            Meta(ge=0, le=86_400, description="Seconds of the view; sent when the visitor leaves.", examples=[35]),
        ]
        | None
    ) = None


class ViewTaken(Model):
    """The view will be counted."""

    attribution: Annotated[SignedToken, Meta(description="Pass it to a quote to attribute the order to the card.")]


class Visitor(Model):
    """A member who looked at the card."""

    member_id: MemberId
    nickname: Annotated[
        str | None, Meta(description="Name that the visitor chose; null if there is none.", examples=["小明"])
    ]
    views: Annotated[int, Meta(description="Number of the visitor's views.", examples=[4])]
    seconds: Annotated[int, Meta(description="Seconds of the visitor's views, in total.", examples=[95])]
    last_at: Annotated[Moment, Meta(description="When the visitor last opened it.")]
    heat: Annotated[
        int, Meta(description="Interest score of the visitor, 0 to 100; halves every three days.", examples=[56])
    ]
    hot: Annotated[bool, Meta(description="Whether `heat` is high enough for a call today.")]

    @classmethod
    def of(cls, visitor: model.Visitor, nickname: str | None, now: datetime) -> Visitor:
        """A visitor for the card's owner, as warm as at `now`."""
        heat = visitor.heat(now)
        return cls(
            member_id=visitor.member_id,
            nickname=nickname,
            views=visitor.views,
            seconds=visitor.seconds,
            last_at=rfc3339(visitor.last_at),
            heat=heat,
            hot=heat >= model.HOT,
        )


class Visitors(Model):
    """What the card's views add up to, a few seconds behind, and the members who looked last."""

    views: Annotated[int, Meta(description="Views of the card, including those without login.", examples=[31])]
    by_members: Annotated[int, Meta(description="Views by logged-in members.", examples=[12])]
    seconds: Annotated[int, Meta(description="Seconds of all views.", examples=[640])]
    last_at: Annotated[
        Moment | None,
        Meta(examples=["2026-12-01T08:26:00.000Z"], description="When it was last opened; null before the first view."),
    ]
    scenes: Annotated[dict[str, int], Meta(description="Views by scene.", examples=[{"group_chat": 9}])]
    visitors: Annotated[list[Visitor], Meta(description="The latest visitors who agree to be seen, newest first.")]

    @classmethod
    def of(cls, radar: Radar, nicknames: Mapping[str, str], now: datetime) -> Visitors:
        """A card's radar for the card's owner, at `now`."""
        return cls(
            views=radar.views,
            by_members=radar.by_members,
            seconds=radar.seconds,
            last_at=rfc3339(radar.last_at) if radar.last_at else None,
            scenes=dict(radar.scenes),
            visitors=[Visitor.of(one, nicknames.get(one.member_id) or None, now) for one in radar.visitors],
        )


def faces_of(versions: Mapping[str, CardVersion]) -> dict[str, Face]:
    """The faces that a client sent, by audience."""
    return {audience: version.face() for audience, version in versions.items()}
