"""What the cards area needs from outside."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from cardstock.cards.model import Card, Radar, Share, View
from cardstock.ids import RequestKey


class Cards(Protocol):
    """Where cards and share keys are kept."""

    def add(self, card: Card, request: RequestKey) -> str | None:
        """Keep a new card; `None`, or the key of the card that an earlier run of `request` made.

        Raises `RefusedError` (IDEMPOTENCY_KEY_REUSED) when that run had another body.
        """

    def add_share(self, share: Share, request: RequestKey) -> str | None:
        """Keep a new share key; `None`, or the share key that an earlier run of `request` made."""

    def find(self, key: str) -> Card | None:
        """The card under its own key."""

    def find_share(self, key: str) -> Share | None:
        """What a share key stands for."""

    def replace(self, card: Card, revision: int) -> bool:
        """Store the changed card if the stored one is still at `revision`; whether it was."""

    def owned_by(self, owner_id: str, limit: int, after: str | None) -> tuple[Sequence[Card], str | None]:
        """A page of a member's cards, and where the next begins. Reads an index: a new card may appear late."""


class Radars(Protocol):
    """Where views are added up."""

    def of(self, cards: Collection[str]) -> Mapping[str, Radar]:
        """The radars of these cards; every one is there, empty if nothing is stored."""

    def store(self, radar: Radar) -> bool:
        """Store `radar` if the stored one is still the revision before it; whether it was."""


class Views(Protocol):
    """Where a view is reported to."""

    def report(self, view: View) -> None:
        """Take the report to be counted soon. Raises `UnavailableError`."""


class Names(Protocol):
    """What members are called."""

    def __call__(self, member_ids: Iterable[str], /) -> Mapping[str, str]:
        """The nickname of each member that has one."""
