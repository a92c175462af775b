"""What the network area needs from outside."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

import msgspec

from cardstock.ids import RequestKey
from cardstock.network.model import Change, CountedOrder, Divided, Event, Position, TeamSale
from cardstock.network.plan import Plan, PublishedPlan


class KnownPositions(Protocol):
    """The positions that a decision may ask for. A member of whom nothing is stored has a position too."""

    def __getitem__(self, member_id: str, /) -> Position: ...


class Reading(msgspec.Struct, frozen=True):
    """What one consistent read found. `positions` holds the stored ones only."""

    positions: Mapping[str, Position]
    counted: CountedOrder | None = None
    plan: Plan | None = None
    """The plan in force, if it was asked for and one is published."""


class Network(Protocol):
    """Positions, counted orders, and events."""

    def read_positions(
        self, member_ids: Collection[str], *, order_id: str | None = None, plan: bool = False
    ) -> Reading:
        """All of it in one round trip, as it is after every commit that was answered before."""

    def find_events(self, event_ids: Collection[str]) -> tuple[Event, ...]:
        """Those events that are stored, in the order asked for."""

    def commit_change(self, change: Change) -> bool:
        """Write all of `change`, if every position and counted order still has the `rev` it carries and no event exists
        yet.

        False, and nothing is written, otherwise: read again and decide again.
        """


class Plans(Protocol):
    """Published plans: written once, never changed."""

    def find_plan(self, plan_id: str, version: int) -> PublishedPlan | None:
        """One published version."""

    def newest_version(self, plan_id: str) -> PublishedPlan | None:
        """The newest version of a plan."""

    def plan_in_force(self) -> PublishedPlan | None:
        """The version in force: the one that was published last."""

    def find_plan_of_request(self, request: RequestKey) -> PublishedPlan | None:
        """What an earlier run of `request` published. Raises `RefusedError` when it came with another body."""

    def save_plan(
        self, record: PublishedPlan, *, instead_of: PublishedPlan | None, request: RequestKey | None = None
    ) -> bool:
        """Store `record` and put it in force, if that version is new and `instead_of` is still in force."""

    def list_plans(self, limit: int, after: str | None) -> tuple[tuple[PublishedPlan, ...], str | None]:
        """Published versions by id and version, and where the next page starts (`None`: nowhere)."""


class TeamSales(Protocol):
    """Settled sales by month, on which team dividends are measured, and how far each month is divided."""

    def settled_version(self, order_id: str) -> int | None:
        """The version with which an order was counted as settled; None if it was not."""

    def count_settled_sale(self, order_id: str, version: int, month: str, sale: TeamSale) -> bool:
        """Count the sales of an order in `month`, unless it has moved on from `version`: False then. A repeat changes
        nothing."""

    def count_refunded_sale(self, order_id: str, refund_id: str, month: str, sale: TeamSale) -> None:
        """Count in `month` what a refund takes off the sales of a settled order. A repeat changes nothing."""

    def sales_of_month(self, month: str) -> Iterator[TeamSale]:
        """All sales that were counted in a month."""

    def find_division(self, month: str) -> Divided | None:
        """How far a month is divided; None if nothing of it is."""

    def save_division(self, month: str, divided: Divided) -> None:
        """Store how far a month is divided, unless more shares are known to be paid."""
