"""What the network needs from storage."""

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from cardstock.ids import RequestKey
from cardstock.network.model import Change, Event, Mark, Node, Plan, PublishedPlan


class Reading(msgspec.Struct, frozen=True):
    """What one consistent read found. `nodes` holds the stored positions only."""

    nodes: Mapping[str, Node]
    mark: Mark | None = None
    plan: Plan | None = None
    """The plan in force, if it was asked for and one is published."""


class Network(Protocol):
    """Positions, marks of counted orders, and events."""

    def read(self, member_ids: Collection[str], *, order_id: str | None = None, plan: bool = False) -> Reading:
        """All of it in one round trip, as it is after every commit that was answered before."""

    def events(self, event_ids: Collection[str]) -> tuple[Event, ...]:
        """Those events that are stored, in the order asked for."""

    def commit(self, change: Change) -> bool:
        """Write all of `change`, if every node and mark still has the `rev` it carries and no event exists yet.

        False, and nothing is written, otherwise: read again and decide again.
        """


class Plans(Protocol):
    """Published plans: written once, never changed."""

    def get(self, plan_id: str, version: int) -> PublishedPlan | None:
        """One published version."""

    def latest(self, plan_id: str) -> PublishedPlan | None:
        """The newest version of a plan."""

    def current(self) -> PublishedPlan | None:
        """The version in force: the one that was published last."""

    def published_by(self, request: RequestKey) -> PublishedPlan | None:
        """What an earlier run of `request` published. Raises `RefusedError` when it came with another body."""

    def publish(
        self, record: PublishedPlan, *, instead_of: PublishedPlan | None, request: RequestKey | None = None
    ) -> bool:
        """Store `record` and put it in force, if that version is new and `instead_of` is still in force."""

    def page(self, limit: int, after: str | None) -> tuple[tuple[PublishedPlan, ...], str | None]:
        """Published versions by id and version, and where the next page starts (`None`: nowhere)."""
