"""A business card: one version per audience, keys under which it is shared, and what its views add up to."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

DEFAULT = "default"
"""The audience whose version everybody sees who came without a share key. Every card has it."""

CARD_KEY_LETTERS: Final = 12
SHARE_KEY_LETTERS: Final = 10
"""The length tells the two kinds of keys apart, so that no read is spent on finding out."""
KEY: Final = re.compile(rf"[0-9a-z]{{{SHARE_KEY_LETTERS}}}|[0-9a-z]{{{CARD_KEY_LETTERS}}}")
RING: Final = 100
"""Views remembered one by one, so that a repeated message is known: a whole batch of the queue."""
VISITORS: Final = 16
"""Members remembered by name, the latest first. With ring and counters they stay below 1 KB, one write unit."""
SCENES: Final = 5
"""Scenes counted by name; more are counted as `other`."""
OTHER_SCENE: Final = "other"
MAX_SECONDS: Final = 3600
"""A view that claims to have lasted longer is counted with an hour: somebody left the page open."""


class Face(msgspec.Struct, frozen=True):
    """What one audience sees. Texts as the owner wrote them, `""` where there is none; `shelf` holds product ids."""

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
    """A member's card. `revision` counts its changes."""

    key: str
    owner_id: str
    faces: Mapping[str, Face]
    revision: int
    created_at: datetime
    updated_at: datetime


class Share(msgspec.Struct, frozen=True):
    """A key under which a card was given away: it shows one audience's version and tells where a visitor came from."""

    key: str
    card: str
    owner_id: str
    audience: str
    label: str
    created_at: datetime


class Shown(msgspec.Struct, frozen=True):
    """A card as one visitor sees it. `share` is the key that was used, `""` when it was the card's own."""

    card: Card
    audience: str
    share: str

    @property
    def face(self) -> Face:
        """The version that is shown."""
        return self.card.faces[self.audience]

    @property
    def etag(self) -> str:
        """Weak: the ticket beside the card differs each time."""
        return f'W/"{self.card.revision}-{self.audience}-{self.share}"'


class View(msgspec.Struct, frozen=True):
    """Somebody looked at a card.

    `id` comes from the ticket: all reports of one look carry the same. `visitor` is a member id or `""`. A report
    without `seconds` was sent on opening; one with `seconds` on leaving.
    """

    id: str
    card: str
    share: str
    visitor: str
    scene: str
    seconds: int | None
    at: datetime


class Visitor(msgspec.Struct, frozen=True):
    """A member who looked at a card: how often and how long while he was remembered, and when last."""

    member_id: str
    last_at: datetime
    views: int
    seconds: int


class Radar(msgspec.Struct, frozen=True):
    """What the views of one card add up to. `revision` counts its writes; 0: nothing is stored yet.

    `ring` holds a 32-bit mark of each of the latest views, oldest first; its last bit says that the seconds came, too.
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

    def seen(self, view: View) -> "Radar":
        """With `view` counted, or the same object if it was before."""
        opened = _mark(view.id)
        timed = opened | 1
        if timed in self.ring or (view.seconds is None and opened in self.ring):
            return self
        first = opened not in self.ring
        seconds = min(view.seconds or 0, MAX_SECONDS)
        entry = opened if view.seconds is None else timed
        return replace(
            self,
            views=self.views + first,
            by_members=self.by_members + (first and bool(view.visitor)),
            seconds=self.seconds + seconds,
            last_at=view.at if self.last_at is None else max(self.last_at, view.at),
            scenes=_counted(self.scenes, view.scene) if first and view.scene else self.scenes,
            visitors=_met(self.visitors, view, int(first), seconds) if view.visitor else self.visitors,
            ring=(*self.ring, entry)[-RING:] if first else tuple(timed if one == opened else one for one in self.ring),
        )


def _mark(view_id: str) -> int:
    """31 bits of the id, and a zero for "without seconds so far". Of the views that meet a full ring, one in 20 million
    finds its mark taken by another and is not counted."""
    return int.from_bytes(hashlib.sha256(view_id.encode()).digest()[:4], "big") & ~1


def _counted(scenes: Mapping[str, int], scene: str) -> Mapping[str, int]:
    name = scene if scene in scenes or len(scenes.keys() - {OTHER_SCENE}) < SCENES else OTHER_SCENE
    return {**scenes, name: scenes.get(name, 0) + 1}


def _met(visitors: tuple[Visitor, ...], view: View, views: int, seconds: int) -> tuple[Visitor, ...]:
    known = next((one for one in visitors if one.member_id == view.visitor), None)
    if known is None:
        met = Visitor(view.visitor, view.at, views, seconds)
    else:
        met = Visitor(known.member_id, max(known.last_at, view.at), known.views + views, known.seconds + seconds)
    others = (one for one in visitors if one.member_id != view.visitor)
    return tuple(sorted((met, *others), key=lambda one: one.last_at, reverse=True))[:VISITORS]
