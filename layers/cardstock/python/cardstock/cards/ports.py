"""What the cards area needs from outside."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from cardstock.cards.model import Card, Radar, Share, View
from cardstock.ids import RequestKey


class Cards(Protocol):
    """Stored cards and shares."""

    def add_card(self, card: Card, request: RequestKey) -> str | None:
        """Store a new card. Returns None, or the key of the card that an earlier run of `request` created.

        Raises `RefusedError` (IDEMPOTENCY_KEY_REUSED) when the earlier run had another body.
        """

    def add_share(self, share: Share, request: RequestKey) -> str | None:
        """Store a new share. Returns None, or the key of the share that an earlier run of `request` created.

        Raises `RefusedError` (IDEMPOTENCY_KEY_REUSED) when the earlier run had another body.
        """

    def find_card(self, key: str) -> Card | None:
        """The card under its own key."""

    def find_share(self, key: str) -> Share | None:
        """The share under its key."""

    def replace_card(self, card: Card, revision: int) -> bool:
        """Store the changed card if the stored one is still at `revision`; return whether it was."""

    def cards_of_member(self, owner_id: str, limit: int, after: str | None) -> tuple[Sequence[Card], str | None]:
        """A page of a member's cards, and where the next page begins. Reads an index: a new card may appear late."""

    def shares_of_member(self, owner_id: str, limit: int, after: str | None) -> tuple[Sequence[Share], str | None]:
        """A page of the shares of a member's cards, by key. Reads an index: a new share may appear late."""


class Radars(Protocol):
    """Stored sums of views."""

    def radars_of(self, cards: Collection[str]) -> Mapping[str, Radar]:
        """The radar of each of these cards, empty where nothing is stored."""

    def store_radar(self, radar: Radar) -> bool:
        """Store `radar` if the stored one is still at the revision before it; return whether it was."""


class Views(Protocol):
    """The receiver of reported views."""

    def report_view(self, view: View) -> None:
        """Queue the report for counting. Raises `UnavailableError` (QUEUE_UNAVAILABLE)."""


class Visitors(Protocol):
    """Members as owners of cards may see them."""

    def names_of(self, member_ids: Collection[str]) -> Mapping[str, str]:
        """The nicknames, possibly empty, of those of the members who agree to be seen."""
