"""The ports of the cards area in memory."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from cardstock.cards.model import Card, Radar, Share, View
from cardstock.errors import IDEMPOTENCY_KEY_REUSED
from cardstock.ids import RequestKey

RIVAL_AT = datetime(2026, 12, 1, 9, tzinfo=UTC)


class MemoryCards:
    """`cards.ports.Cards`."""

    def __init__(self) -> None:
        self.cards: dict[str, Card] = {}
        self.shares: dict[str, Share] = {}
        self.requests: dict[str, tuple[str, str]] = {}

    def add_card(self, card: Card, request: RequestKey) -> str | None:
        earlier = self._earlier(request, card.key)
        if earlier is None:
            self.cards[card.key] = card
        return earlier

    def add_share(self, share: Share, request: RequestKey) -> str | None:
        earlier = self._earlier(request, share.key)
        if earlier is None:
            self.shares[share.key] = share
        return earlier

    def find_card(self, key: str) -> Card | None:
        return self.cards.get(key)

    def find_share(self, key: str) -> Share | None:
        return self.shares.get(key)

    def replace_card(self, card: Card, revision: int) -> bool:
        if self.cards[card.key].revision != revision:
            return False
        self.cards[card.key] = card
        return True

    def cards_of_member(self, owner_id: str, limit: int, after: str | None) -> tuple[Sequence[Card], str | None]:
        own = [card for key, card in sorted(self.cards.items()) if card.owner_id == owner_id and key > (after or "")]
        return own[:limit], own[limit - 1].key if len(own) > limit else None

    def shares_of_member(self, owner_id: str, limit: int, after: str | None) -> tuple[Sequence[Share], str | None]:
        own = [
            share for key, share in sorted(self.shares.items()) if share.owner_id == owner_id and key > (after or "")
        ]
        return own[:limit], own[limit - 1].key if len(own) > limit else None

    def _earlier(self, request: RequestKey, result: str) -> str | None:
        fingerprint, earlier = self.requests.setdefault(request.id, (request.fingerprint, result))
        if fingerprint != request.fingerprint:
            raise IDEMPOTENCY_KEY_REUSED()
        return None if earlier == result else earlier


class MemoryRadars:
    """`cards.ports.Radars`. Reads and writes are counted; the next `rivals` writes come after another writer's."""

    def __init__(self, rivals: int = 0) -> None:
        self.radars: dict[str, Radar] = {}
        self.rivals = rivals
        self.reads = self.writes = 0

    def radars_of(self, cards: Collection[str]) -> Mapping[str, Radar]:
        self.reads += 1
        return {card: self.radars.get(card, Radar(card)) for card in cards}

    def store_radar(self, radar: Radar) -> bool:
        self.writes += 1
        if self.rivals:
            self.rivals -= 1
            self._write_as_rival(radar.card)
        if self._revision_of(radar.card) != radar.revision - 1:
            return False
        self.radars[radar.card] = radar
        return True

    def _write_as_rival(self, card: str) -> None:
        stored = self.radars.get(card, Radar(card))
        view = View(f"rival{self.rivals:05}", card, "", "", "", None, stored.last_at or RIVAL_AT)
        self.radars[card] = replace(stored.with_view(view), revision=stored.revision + 1)

    def _revision_of(self, card: str) -> int:
        return self.radars[card].revision if card in self.radars else 0


class MemoryViews:
    """`cards.ports.Views`: remembers what was reported."""

    def __init__(self) -> None:
        self.reported: list[View] = []

    def report_view(self, view: View) -> None:
        self.reported.append(view)


class MemoryVisitors:
    """`cards.ports.Visitors`: those with a nickname here agree to be seen, or everybody."""

    def __init__(self, *, everybody: bool = False, **nicknames: str) -> None:
        self.everybody = everybody
        self.nicknames = nicknames

    def names_of(self, member_ids: Collection[str]) -> Mapping[str, str]:
        return {one: self.nicknames.get(one, "") for one in member_ids if self.everybody or one in self.nicknames}
