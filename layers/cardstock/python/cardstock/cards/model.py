"""Types of cards: faces for audiences, keys for sharing, views and their sums."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

DEFAULT: Final = "default"
"""The audience of everybody who opens a card by its own key. Every card has a face for it."""
MAX_AUDIENCES: Final = 5

CARD_KEY_LETTERS: Final = 12
SHARE_KEY_LETTERS: Final = 10
"""The length distinguishes the two kinds of keys without a read."""
KEY: Final = re.compile(rf"[0-9a-z]{{{SHARE_KEY_LETTERS}}}|[0-9a-z]{{{CARD_KEY_LETTERS}}}")

RING: Final = 100
"""Views that a radar remembers one by one, to detect repeated reports: as many as in a batch of the queue."""
VISITORS: Final = 16
"""Members that a radar remembers. With ring and counters they stay below 1 KB, one write unit."""
SCENES: Final = 5
"""Scenes that a radar counts by name; further ones are counted as `other`."""
OTHER_SCENE: Final = "other"
MAX_SECONDS: Final = 3600
"""A longer view counts as an hour, because the page was left open."""
HOT: Final = 60
"""From this heat on, a visitor is worth a call."""
HEAT_HALVES_EVERY: Final = timedelta(days=3)

_TIMED: Final = 1
"""The last bit of a view's mark: its seconds are counted, too."""

ViewState: TypeAlias = Literal["unseen", "opened", "timed"]
"""The counted part of a view: nothing, the opening, or also its seconds."""
TRANSITIONS: Final[Mapping[ViewState, frozenset[ViewState]]] = {
    "unseen": frozenset({"opened", "timed"}),
    "opened": frozenset({"timed"}),
    "timed": frozenset(),
}


class Face(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content for one audience. Texts as the owner wrote them, `""` for none; `shelf` holds SKUs."""

    name: str
    title: str = ""
    company: str = ""
    intro: str = ""
    phone: str = ""
    email: str = ""
    wechat: str = ""
    address: str = ""
    website: str = ""
    tags: tuple[str, ...] = ()
    shelf: tuple[str, ...] = ()


class Card(msgspec.Struct, frozen=True):
    """A member's card: a face per audience. `revision` counts its changes, from 1."""

    key: str
    owner_id: str
    faces: Mapping[str, Face]
    revision: int
    created_at: datetime
    updated_at: datetime


class Share(msgspec.Struct, frozen=True):
    """A key for sharing a card. It shows one audience's face and tells where a visitor came from."""

    key: str
    card: str
    owner_id: str
    audience: str
    label: str
    created_at: datetime


class OpenedCard(msgspec.Struct, frozen=True):
    """A card for one visitor. `share` is the share key that was used, `""` if it was the card's own key."""

    card: Card
    audience: str
    share: str

    @property
    def face(self) -> Face:
        """The face that the visitor sees."""
        return self.card.faces[self.audience]

    @property
    def etag(self) -> str:
        """The HTTP entity tag. Weak, because the ticket beside the card differs each time."""
        return f'W/"{self.card.revision}-{self.audience}-{self.share}"'


class View(msgspec.Struct, frozen=True):
    """A report of a visit of a card.

    `id` comes from the ticket: all reports of one visit have the same. `visitor` is a member id, `""` without login. A
    report without `seconds` was sent on opening the card, one with `seconds` on leaving it.
    """

    id: str
    card: str
    share: str
    visitor: str
    scene: str
    seconds: int | None
    at: datetime

    @property
    def state(self) -> ViewState:
        """The state that this report takes the view to."""
        return "opened" if self.seconds is None else "timed"


class Visitor(msgspec.Struct, frozen=True):
    """A member who viewed a card: views and seconds since the radar remembers the member, and the last view."""

    member_id: str
    last_at: datetime
    views: int
    seconds: int

    def heat(self, now: datetime) -> int:
        """Interest score of the visitor, 0 to 100: ten for a view, one for six seconds, halved every three days."""
        warm = min(100, 10 * self.views + self.seconds // 6)
        return warm >> max(0, (now - self.last_at) // HEAT_HALVES_EVERY)


class Radar(msgspec.Struct, frozen=True):
    """The sums of a card's views. `revision` counts its writes; 0: nothing is stored yet.

    `ring` holds a 32-bit mark of each of the latest views, oldest first.
    """

    card: str
    revision: int = 0
    views: int = 0
    by_members: int = 0
    seconds: int = 0
    last_at: datetime | None = None
    scenes: Mapping[str, int] = msgspec.field(default_factory=dict)
    visitors: tuple[Visitor, ...] = ()
    ring: tuple[int, ...] = ()

    def state_of(self, view_id: str) -> ViewState:
        """The counted part of a view. A view that has left the ring is `unseen` again."""
        mark = _mark(view_id)
        if mark | _TIMED in self.ring:
            return "timed"
        return "opened" if mark in self.ring else "unseen"

    def with_view(self, view: View) -> "Radar":
        """The radar with the report counted; this very object if the report adds nothing."""
        before = self.state_of(view.id)
        if view.state not in TRANSITIONS[before]:
            return self
        is_first = before == "unseen"
        seconds = min(view.seconds or 0, MAX_SECONDS)
        return replace(
            self,
            views=self.views + is_first,
            by_members=self.by_members + (is_first and bool(view.visitor)),
            seconds=self.seconds + seconds,
            last_at=view.at if self.last_at is None else max(self.last_at, view.at),
            scenes=_scenes_with(self.scenes, view.scene) if is_first and view.scene else self.scenes,
            visitors=_visitors_with(self.visitors, view, int(is_first), seconds) if view.visitor else self.visitors,
            ring=_ring_with(self.ring, view, before),
        )


def _mark(view_id: str) -> int:
    """31 bits of the view's id, and a zero for `_TIMED`.

    Of the views that meet a full ring, one in 20 million finds its mark taken by another view and is not counted.
    """
    return int.from_bytes(hashlib.sha256(view_id.encode()).digest()[:4], "big") & ~_TIMED


def _ring_with(ring: tuple[int, ...], view: View, before: ViewState) -> tuple[int, ...]:
    opened = _mark(view.id)
    mark = opened | _TIMED if view.state == "timed" else opened
    if before == "unseen":
        return (*ring, mark)[-RING:]
    return tuple(mark if one == opened else one for one in ring)


def _scenes_with(scenes: Mapping[str, int], scene: str) -> Mapping[str, int]:
    has_room = len(scenes.keys() - {OTHER_SCENE}) < SCENES
    name = scene if scene in scenes or has_room else OTHER_SCENE
    return {**scenes, name: scenes.get(name, 0) + 1}


def _visitors_with(visitors: tuple[Visitor, ...], view: View, views: int, seconds: int) -> tuple[Visitor, ...]:
    """The visitors with one more report, the latest first."""
    known = next((one for one in visitors if one.member_id == view.visitor), None)
    if known is None:
        visitor = Visitor(view.visitor, view.at, views, seconds)
    else:
        visitor = Visitor(known.member_id, max(known.last_at, view.at), known.views + views, known.seconds + seconds)
    others = (one for one in visitors if one.member_id != view.visitor)
    return tuple(sorted((visitor, *others), key=lambda one: one.last_at, reverse=True))[:VISITORS]
