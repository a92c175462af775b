"""What cards send and get as JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, field, structs

from cardstock.cards import errors as cards_errors
from cardstock.cards import service
from cardstock.cards.model import Card, Face, Radar, Share, Shown
from cardstock.clock import rfc3339
from cardstock.edge import errors as edge_errors
from cardstock.edge.http import Model
from cardstock.errors import NOT_FOUND, QUEUE_UNAVAILABLE

UPDATE_CODES: Final = (NOT_FOUND, cards_errors.CARD_CHANGED)
SHARE_CODES: Final = (NOT_FOUND, cards_errors.AUDIENCE_UNKNOWN)
VIEW_CODES: Final = (edge_errors.TOKEN_INVALID, edge_errors.TOKEN_EXPIRED, edge_errors.KEY_INVALID, QUEUE_UNAVAILABLE)

Audience = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{0,15}$",
        description="Whom a version is for; everybody else sees `default`.",
        examples=["default"],
    ),
]
Line = Annotated[str, Meta(max_length=60, pattern=r"^[^\r\n]*$")]
Tag = Annotated[str, Meta(min_length=1, max_length=16, pattern=r"^[^\r\n]*$")]
Sku = Annotated[str, Meta(min_length=1, max_length=64)]


class CardVersion(Model):
    """What one audience sees. An empty text means that there is none."""

    name: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\r\n]*\S[^\r\n]*$", examples=["林晓雨"])]
    title: Annotated[Line, Meta(examples=["高级导购"])] = ""
    company: Annotated[Line, Meta(examples=["山野露营 · 杭州湖滨店"])] = ""
    intro: Annotated[str, Meta(max_length=500, examples=["十二年户外装备经验，帮你把第一次露营安排妥当。"])] = ""
    phone: Annotated[str, Meta(pattern=r"^(\+?[0-9][0-9 -]{3,18}[0-9])?$", examples=["+86 138 0013 8000"])] = ""
    email: Annotated[
        str,
        Meta(
            max_length=100, pattern=r"^([A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,})?$", examples=["lin@example.com"]
        ),
    ] = ""
    wechat: Annotated[str, Meta(pattern=r"^([A-Za-z][A-Za-z0-9_-]{5,19})?$", examples=["linxiaoyu_camp"])] = ""
    address: Annotated[str, Meta(max_length=120, pattern=r"^[^\r\n]*$", examples=["杭州市上城区湖滨路 18 号"])] = ""
    website: Annotated[
        str,
        Meta(
            max_length=200, pattern=r"^(https://[A-Za-z0-9._~:/?#@!$&()*+,;=%-]+)?$", examples=["https://example.com"]
        ),
    ] = ""
    tags: Annotated[list[Tag], Meta(max_length=8, examples=[["露营", "亲子", "轻量化"]])] = field(default_factory=list)
    shelf: Annotated[list[Sku], Meta(max_length=20, description="Product ids.", examples=[["22423"]])] = field(
        default_factory=list
    )


Versions = Annotated[dict[Audience, CardVersion], Meta(min_length=1, max_length=service.MAX_AUDIENCES)]


class PostCard(Model):
    """A new card."""

    versions: Versions


class PutCard(Model):
    """All versions of a card. `revision` is the one the caller has read, if a change since then matters to him."""

    versions: Versions
    revision: Annotated[int, Meta(ge=1, le=2**31)] | None = None


class OwnCard(Model):
    """A card as its owner sees it."""

    card: str
    versions: dict[str, CardVersion]
    revision: int
    created_at: str
    updated_at: str


class OwnCards(Model):
    """A page of the member's cards."""

    items: list[OwnCard]
    next_cursor: str | None


class ShownCard(Model):
    """A card as a visitor sees it. `view_ticket` is what its view is reported with."""

    card: str
    share: str | None
    owner: Annotated[str, Meta(description="Member id of the card's owner; an `invite` at login.")]
    version: CardVersion
    revision: int
    view_ticket: str


class PostShare(Model):
    """Whom the link is for. `label` is a note for the owner: where he will put it."""

    audience: Audience = "default"
    label: Annotated[str, Meta(max_length=40, examples=["湖滨店门口海报"])] = ""


class ShareKey(Model):
    """A key to give away: behind `/c/`, as a mini-program scene, as an `invite`."""

    share: str
    card: str
    audience: str
    label: str
    path: Annotated[str, Meta(examples=["/c/k7m2p9xw4t"])]
    created_at: str


class PostView(Model):
    """A look at a card: sent on opening it, and with `seconds` on leaving. The ticket makes both one view."""

    ticket: Annotated[str, Meta(min_length=1, max_length=1024)]
    scene: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,16}$", examples=["group_chat"])] | None = None
    seconds: Annotated[int, Meta(ge=0, le=86_400)] | None = None


class ViewTaken(Model):
    """The view will be counted. `attribution` goes into a quote, so that an order is credited to the card."""

    attribution: str


class Visitor(Model):
    """A member who looked at the card. `heat` 0 to 100; a hot one is worth a call today."""

    member_id: str
    nickname: str | None
    views: int
    seconds: int
    last_at: str
    heat: int
    hot: bool


class Visitors(Model):
    """What the card's views add up to, a few seconds behind, and the members who looked last."""

    views: int
    by_members: int
    seconds: int
    last_at: str | None
    scenes: dict[str, int]
    visitors: list[Visitor]


def faces_of(versions: Mapping[str, CardVersion]) -> dict[str, Face]:
    """What a client sent, for the service."""
    return {
        audience: Face(**{**structs.asdict(one), "tags": tuple(one.tags), "shelf": tuple(one.shelf)})
        for audience, one in versions.items()
    }


def version_of(face: Face) -> CardVersion:
    """One audience's version."""
    return CardVersion(
        face.name, face.title, face.company, face.intro, face.phone, face.email, face.wechat, face.address,
        face.website, list(face.tags), list(face.shelf),
    )  # fmt: skip


def owned(card: Card) -> OwnCard:
    """A card for its owner."""
    versions = {audience: version_of(face) for audience, face in card.faces.items()}
    return OwnCard(card.key, versions, card.revision, rfc3339(card.created_at), rfc3339(card.updated_at))


def shown_as(shown: Shown, ticket: str) -> ShownCard:
    """A card for a visitor."""
    card = shown.card
    return ShownCard(card.key, shown.share or None, card.owner_id, version_of(shown.face), card.revision, ticket)


def shared(share: Share) -> ShareKey:
    """A share key for its owner."""
    return ShareKey(share.key, share.card, share.audience, share.label, f"/c/{share.key}", rfc3339(share.created_at))


def radar_of(radar: Radar, names: Mapping[str, str], now: datetime) -> Visitors:
    """A radar for the card's owner."""
    visitors = []
    for one in radar.visitors:
        heat = service.heat(one, now)
        visitors.append(
            Visitor(
                one.member_id,
                names.get(one.member_id),
                one.views,
                one.seconds,
                rfc3339(one.last_at),
                heat,
                heat >= service.HOT,
            )
        )
    last_at = rfc3339(radar.last_at) if radar.last_at else None
    return Visitors(radar.views, radar.by_members, radar.seconds, last_at, dict(radar.scenes), visitors)
