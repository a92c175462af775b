"""What the network area needs from outside."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

import msgspec

from cardstock.ids import RequestKey
from cardstock.network.model import Change, CountedOrder, DivisionProgress, Event, Position, TeamSale
from cardstock.network.plan import Plan, PublishedPlan, StoredApproval


class KnownPositions(Protocol):
    """The positions that a rule may ask for. A member without a stored position has the default one."""

    def __getitem__(self, member_id: str, /) -> Position: ...


class Reading(msgspec.Struct, frozen=True):
    """The result of one consistent read. `positions` holds only stored ones."""

    positions: Mapping[str, Position]
    counted: CountedOrder | None = None
    plan: Plan | None = None
    """The plan in force, if it was asked for and one is published."""


class Network(Protocol):
    """Positions, counted orders, and events."""

    def read_positions(
        self, member_ids: Collection[str], *, order_id: str | None = None, plan: bool = False
    ) -> Reading:
        """Everything in one consistent round trip."""

    def find_events(self, event_ids: Collection[str]) -> tuple[Event, ...]:
        """The stored ones of these events, in the given order."""

    def commit_change(self, change: Change) -> bool:
        """Write all of `change` if every position and counted order still has its `rev` and no event exists yet.

        Otherwise False, and nothing is written: read again and decide again.
        """


class Plans(Protocol):
    """Published plans, and approvals of plans to be published: written once, never changed."""

    def find_plan(self, plan_id: str, version: int) -> PublishedPlan | None:
        """One published version."""

    def newest_version(self, plan_id: str) -> PublishedPlan | None:
        """The newest version of a plan."""

    def plan_in_force(self) -> PublishedPlan | None:
        """The version in force: the one published last."""

    def find_plan_of_request(self, request: RequestKey) -> PublishedPlan | None:
        """The plan that an earlier run of `request` published. Raises `RefusedError` if the key had another body."""

    def save_plan(
        self, record: PublishedPlan, *, instead_of: PublishedPlan | None, request: RequestKey | None = None
    ) -> bool:
        """Store `record` and put it in force, if that version is new and `instead_of` is still in force."""

    def add_approval(self, approval: StoredApproval) -> StoredApproval:
        """Store `approval`, unless the person has approved the check of these rules before and that has not expired at
        `approval.at`. Returns what is stored then: the first one."""

    def find_approvals(self, digest: str) -> tuple[StoredApproval, ...]:
        """All approvals of the rules with this digest, expired ones too, by time, check, person. Consistent."""

    def list_plans(self, limit: int, after: str | None) -> tuple[tuple[PublishedPlan, ...], str | None]:
        """Published versions by id and version, and the start of the next page (`None` after the last)."""


class TeamSales(Protocol):
    """Settled sales by month, for team dividends, and the progress of each month's division."""

    def settled_version(self, order_id: str) -> int | None:
        """The version at which an order was counted as settled; None if it was not."""

    def count_settled_sale(self, order_id: str, version: int, month: str, sale: TeamSale) -> bool:
        """Count the sales of an order in `month` if it still has `version`; False otherwise. A repeat changes
        nothing."""

    def count_refunded_sale(self, order_id: str, refund_id: str, month: str, sale: TeamSale) -> None:
        """Count in `month` what a refund takes off a settled order's sales. A repeat changes nothing."""

    def sales_of_month(self, month: str) -> Iterator[TeamSale]:
        """All sales counted in a month."""

    def find_division(self, month: str) -> DivisionProgress | None:
        """The progress of a month's division; None if it has not begun."""

    def save_division(self, month: str, divided: DivisionProgress) -> None:
        """Store the progress of a month's division, unless a later progress is stored."""
