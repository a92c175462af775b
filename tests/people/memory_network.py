"""The ports of the network area in memory."""

from collections.abc import Callable, Collection, Iterator

from msgspec.structs import replace

from cardstock.errors import IDEMPOTENCY_KEY_REUSED
from cardstock.ids import RequestKey
from cardstock.network.model import Change, CountedOrder, DivisionProgress, Event, Position, TeamSale
from cardstock.network.plan import Plan, PublishedPlan, StoredApproval
from cardstock.network.ports import Reading


class MemoryNetwork:
    """`network.ports.Network` in a dictionary. Counts its calls; `rivals` run once, just before a commit."""

    def __init__(self) -> None:
        self.positions: dict[str, Position] = {}
        self.counted_orders: dict[str, CountedOrder] = {}
        self.happened: dict[str, Event] = {}
        self.in_force: Plan | None = None
        self.reads = 0
        self.commits = 0
        self.items_written = 0
        self.rivals: list[Callable[[], object]] = []

    def read_positions(
        self, member_ids: Collection[str], *, order_id: str | None = None, plan: bool = False
    ) -> Reading:
        self.reads += 1
        found = {member_id: self.positions[member_id] for member_id in member_ids if member_id in self.positions}
        return Reading(found, self.counted_orders.get(order_id or ""), self.in_force if plan else None)

    def find_events(self, event_ids: Collection[str]) -> tuple[Event, ...]:
        return tuple(self.happened[event_id] for event_id in event_ids if event_id in self.happened)

    def commit_change(self, change: Change) -> bool:
        if self.rivals:
            self.rivals.pop(0)()
        self.commits += 1
        if any(event.id in self.happened for event in change.events):
            return False
        if any(position.rev != self._stored(position.id).rev for position in change.positions):
            return False
        counted = change.counted
        if counted is not None and counted.rev != self._counted(counted.order_id).rev:
            return False
        for position in change.positions:
            self.positions[position.id] = replace(position, rev=position.rev + 1)
        if counted is not None:
            self.counted_orders[counted.order_id] = replace(counted, rev=counted.rev + 1)
        for event in change.events:
            self.happened[event.id] = event
        self.items_written += len(change.positions) + len(change.events) + (counted is not None)
        return True

    def _stored(self, member_id: str) -> Position:
        return self.positions.get(member_id) or Position(member_id)

    def _counted(self, order_id: str) -> CountedOrder:
        return self.counted_orders.get(order_id) or CountedOrder(order_id)


class MemoryPlans:
    """`network.ports.Plans` in a list."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network
        self.published: list[PublishedPlan] = []
        self.requests: dict[str, tuple[str, PublishedPlan]] = {}
        self.approvals: dict[tuple[str, str, str], StoredApproval] = {}

    def find_plan(self, plan_id: str, version: int) -> PublishedPlan | None:
        return next((r for r in self.published if (r.plan.id, r.plan.version) == (plan_id, version)), None)

    def newest_version(self, plan_id: str) -> PublishedPlan | None:
        return max((r for r in self.published if r.plan.id == plan_id), key=lambda r: r.plan.version, default=None)

    def plan_in_force(self) -> PublishedPlan | None:
        return self.published[-1] if self.published else None

    def find_plan_of_request(self, request: RequestKey) -> PublishedPlan | None:
        fingerprint, record = self.requests.get(request.id, (request.fingerprint, None))
        if fingerprint != request.fingerprint:
            raise IDEMPOTENCY_KEY_REUSED()
        return record

    def save_plan(
        self, record: PublishedPlan, *, instead_of: PublishedPlan | None, request: RequestKey | None = None
    ) -> bool:
        if self.find_plan(record.plan.id, record.plan.version) or instead_of != self.plan_in_force():
            return self.find_plan(record.plan.id, record.plan.version) == record
        self.published.append(record)
        self._network.in_force = record.plan
        if request is not None:
            self.requests[request.id] = (request.fingerprint, record)
        return True

    def add_approval(self, approval: StoredApproval) -> StoredApproval:
        key = (approval.digest, approval.check, approval.by)
        stored = self.approvals.get(key)
        if stored is None or stored.expires_at <= approval.at:
            self.approvals[key] = approval
        return self.approvals[key]

    def find_approvals(self, digest: str) -> tuple[StoredApproval, ...]:
        found = [approval for approval in self.approvals.values() if approval.digest == digest]
        return tuple(sorted(found, key=lambda approval: (approval.at, approval.check, approval.by)))

    def list_plans(self, limit: int, after: str | None) -> tuple[tuple[PublishedPlan, ...], str | None]:
        keys = {f"{record.plan.id}#{record.plan.version:08d}": record for record in self.published}
        found = [key for key in sorted(keys) if key > (after or "")]
        return tuple(keys[key] for key in found[:limit]), found[limit - 1] if len(found) > limit else None


class MemoryTeamSales:
    """`network.ports.TeamSales` in dictionaries. Counts reads of months and saved divisions; `moved_on`: the order has
    changed since it was read."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.rows: dict[str, dict[str, TeamSale]] = {}
        self.progress: dict[str, DivisionProgress] = {}
        self.months_read = 0
        self.saved = 0
        self.moved_on = False

    def settled_version(self, order_id: str) -> int | None:
        return self.versions.get(order_id)

    def count_settled_sale(self, order_id: str, version: int, month: str, sale: TeamSale) -> bool:
        if self.moved_on:
            return False
        self.versions[order_id] = version
        self.rows.setdefault(month, {})[order_id] = sale
        return True

    def count_refunded_sale(self, order_id: str, refund_id: str, month: str, sale: TeamSale) -> None:
        assert order_id in self.versions
        self.rows.setdefault(month, {})[refund_id] = sale

    def sales_of_month(self, month: str) -> Iterator[TeamSale]:
        self.months_read += 1
        yield from self.rows.get(month, {}).values()

    def find_division(self, month: str) -> DivisionProgress | None:
        return self.progress.get(month)

    def save_division(self, month: str, divided: DivisionProgress) -> None:
        self.saved += 1
        known = self.progress.get(month)
        if known is None or known.shares <= divided.shares:
            self.progress[month] = divided
