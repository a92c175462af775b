"""What the network needs from storage."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

import msgspec

from cardstock.ids import RequestKey
from cardstock.network.model import Change, Divided, Event, Mark, Node, Plan, PublishedPlan, TeamSale


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


class TeamSales(Protocol):
    """What team dividends are measured on, by month, and how far each month is divided."""

    def settled_version(self, order_id: str) -> int | None:
        """The version with which an order was counted as settled; None if it was not."""

    def settle(self, order_id: str, version: int, month: str, sale: TeamSale) -> bool:
        """Count the sales of an order in `month`, unless it has moved on from `version`: False then. Again, it changes
        nothing."""

    def give_back(self, order_id: str, refund_id: str, month: str, sale: TeamSale) -> None:
        """Count in `month` what a refund takes off the sales of a settled order. Again, it changes nothing."""

    def of(self, month: str) -> Iterator[TeamSale]:
        """All that was counted in a month."""

    def divided(self, month: str) -> Divided | None:
        """How far a month is divided; None if nothing of it is."""

    def save_divided(self, month: str, divided: Divided) -> None:
        """Remember it, unless more shares are known to be paid."""
