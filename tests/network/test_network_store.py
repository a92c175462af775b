"""The network's ports: one suite for what the rules are tested with and for what runs."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.aws.tables import ConditionFailedError, Transaction
from cardstock.errors import RefusedError
from cardstock.network import service
from cardstock.network import store as stored
from cardstock.network.model import MAX_PROMOTE_N, Approval, Change, Event, Mark, Node, Plan, PublishedPlan
from cardstock.network.plans_store import DynamoPlans
from cardstock.network.ports import Network, Plans
from cardstock.network.presets import CHAIN21, SINGLE_LEVEL
from tests.house.cloud import Cloud
from tests.people.network_world import EXAMPLE, MemoryNetwork, MemoryPlans, World, credits_of

AT = datetime(2026, 12, 1, 2, 30, 15, 123_000, tzinfo=UTC)
FULL = Node(
    "mem_a",
    referrer="mem_r",
    bound_at=AT,
    owner="mem_o",
    owner_at=AT,
    fixed=True,
    peer="mem_p",
    has_referred=True,
    has_paid=True,
    partner=True,
    appointed=True,
    keeps_owner=True,
    ascents=2,
    needed=2,
    holding=1,
    counting=3,
    counted=2,
    first=("mem_b", "mem_c"),
    verified=True,
    verified_referrals=4,
    benefits=1,
    benefit_held=True,
    erased_at=AT,
)
MARK = Mark(
    "ord_1", paid_at=AT, settled_at=AT, stopped_at=AT, held=True, began=True, ended=True, events=("promote.x.1",)
)
EVENT = Event("promote.mem_a.1", "promote", "mem_a", AT, "ord_1", {"owner": None, "moved": {"mem_b": "mem_o"}})


class DynamoWorld(World):
    """The test shop on DynamoDB."""

    def __init__(self, plan: Plan = EXAMPLE) -> None:
        super().__init__(plan)
        self.network: Any = stored.DynamoNetwork()
        self.plans: Any = DynamoPlans()
        assert self.plans.publish(PublishedPlan(plan, AT, "test"), instead_of=None)

    def __getitem__(self, member: str) -> Node:
        return service.position(member, network=self.network)


@pytest.fixture(params=["memory", "dynamodb"])
def kind(request: pytest.FixtureRequest, cloud: Cloud) -> str:
    return str(request.param)


@pytest.fixture
def network(kind: str) -> Network:
    return MemoryNetwork() if kind == "memory" else stored.DynamoNetwork()


@pytest.fixture
def plans(kind: str) -> Plans:
    return MemoryPlans(MemoryNetwork()) if kind == "memory" else DynamoPlans()


@pytest.fixture
def world(kind: str) -> World:
    return World() if kind == "memory" else DynamoWorld()


def test_what_is_written_is_read_back(network: Network) -> None:
    assert network.commit(Change((FULL, Node("mem_b")), MARK, (EVENT,)))
    reading = network.read(("mem_a", "mem_b", "mem_nobody"), order_id="ord_1", plan=True)

    assert reading.nodes == {"mem_a": replace(FULL, rev=1), "mem_b": Node("mem_b", 1)}
    assert reading.mark == replace(MARK, rev=1)
    assert reading.plan is None
    assert network.events(("promote.mem_a.1", "promote.mem_a.2")) == (EVENT,)


@pytest.mark.parametrize("single", [True, False])
def test_a_write_holds_only_if_nothing_has_changed_since_it_was_read(network: Network, single: bool) -> None:
    more = () if single else (Node("mem_z"),)
    assert network.commit(Change((Node("mem_a"),)))

    assert not network.commit(Change((Node("mem_a", has_paid=True), *more)))
    assert network.commit(Change((Node("mem_a", 1, has_paid=True),)))
    assert not network.commit(Change((Node("mem_a", 1, partner=True), *more)))
    assert network.read(("mem_a", "mem_z")).nodes == {"mem_a": Node("mem_a", 2, has_paid=True)}


def test_an_event_happens_once_and_a_mark_is_written_in_turn(network: Network) -> None:
    assert network.commit(Change(mark=MARK, events=(EVENT,)))

    assert not network.commit(Change((Node("mem_a"),), events=(replace(EVENT, cause="ord_2"),)))
    assert not network.commit(Change((Node("mem_a"),), mark=MARK))
    assert network.read(("mem_a",)).nodes == {}
    assert network.events((EVENT.id,)) == (EVENT,)


def test_the_worked_example_pays_to_the_fen(world: World) -> None:
    world.appoint("R")
    first, second, third, fourth = (world.buy(*pair) for pair in (("A", "R"), ("B", "A"), ("C", "A"), ("D", "A")))

    assert [credits_of(order) for order in (first, second, third, fourth)] == [
        {"R": 30_000},
        {"A": 10_000, "R": 20_000},
        {"A": 10_000, "R": 20_000},
        {"A": 30_000, "R": 3_000},
    ]
    assert (world["A"].role, world["A"].peer, world["D"].owner) == ("partner", "R", "A")
    assert world.refund(third) == ()
    assert [event.id for event in world.refund(fourth)] == ["demote.A.1"]
    assert (world["A"].role, world["A"].owner, world["A"].peer) == ("distributor", "R", None)


def test_versions_are_published_in_turn_and_never_change(plans: Plans) -> None:
    first = PublishedPlan(replace(SINGLE_LEVEL, version=1), AT, "key_1")
    approval = Approval("fee", "Li Na", AT, "pilot")
    second = PublishedPlan(replace(SINGLE_LEVEL, version=2, title="一级 10%"), AT, "key_2", (approval,))
    assert plans.current() is None
    assert plans.latest("single_level") is None

    assert plans.publish(first, instead_of=None)
    assert not plans.publish(replace(second, published_by="late"), instead_of=None)
    assert not plans.publish(replace(first, published_by="forger"), instead_of=first)
    assert plans.publish(second, instead_of=first)

    assert (plans.current(), plans.latest("single_level"), plans.get("single_level", 1)) == (second, second, first)
    assert plans.get("single_level", 3) is None
    assert plans.latest("single") is None
    page, more = plans.page(1, None)
    assert page == (first,)
    assert more is not None
    assert plans.page(5, more) == ((second,), None)


def test_publishing_through_the_guard_keeps_findings_and_approvals(cloud: Cloud) -> None:
    world = World()
    checks = ("levels", "peer", "fee", "cap", "head_count")
    signed = tuple(Approval(check, "Li Na", AT, "pilot") for check in checks)  # type: ignore[arg-type]  # names of checks
    record = service.publish_plan(CHAIN21, signed, "key_1", plans=DynamoPlans(), clock=world.clock)

    assert DynamoPlans().current() == record
    assert [finding.approval for finding in record.findings] == list(signed)
    assert stored.DynamoNetwork().read((), plan=True).plan == record.plan
    again = service.publish_plan(CHAIN21, signed, "key_1", plans=DynamoPlans(), clock=world.clock)
    assert again == record


def test_a_new_member_is_bound_in_the_transaction_that_creates_him(cloud: Cloud) -> None:
    network = stored.DynamoNetwork()
    with Transaction() as transaction:
        stored.bind_into(transaction, "mem_n", "mem_i", AT)

    assert network.read(("mem_n", "mem_i")).nodes == {
        "mem_n": Node("mem_n", 1, referrer="mem_i", bound_at=AT, owner_at=AT),
        "mem_i": Node("mem_i", 1, has_referred=True),
    }
    with pytest.raises(RefusedError, match="INVITER_SELF"), Transaction() as transaction:
        stored.bind_into(transaction, "mem_x", "mem_x", AT)
    with pytest.raises(ConditionFailedError), Transaction() as transaction:
        stored.bind_into(transaction, "mem_n", "mem_i", AT)


def size(item: dict[str, Any]) -> int:
    """Bytes of a stored item by DynamoDB's rules for strings and numbers."""
    return sum(len(name) + len(next(iter(value.values())).encode()) for name, value in item.items())


def test_a_full_position_stays_within_one_write_unit(cloud: Cloud) -> None:
    ids = [f"mem_{number:026d}" for number in range(MAX_PROMOTE_N + 3)]
    node = replace(FULL, id=ids[0], referrer=ids[1], owner=ids[2], peer=ids[3], first=tuple(ids[3:]))
    usual = replace(node, first=tuple(ids[3:13]))
    assert stored.DynamoNetwork().commit(Change((usual,)))
    assert stored.DynamoNetwork().commit(Change((replace(node, id="mem_full"),)))
    small, full = sorted(size(item) for item in cloud.items("network"))

    assert small <= 1024
    assert full <= 1024


def test_an_order_reads_positions_and_plan_in_one_call(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    world = DynamoWorld()
    world.appoint("R")
    for pair in (("A", "R"), ("B", "A"), ("C", "A"), ("D", "A")):
        world.buy(*pair)
    world.bind("Y", "D")
    hint = service.hint_for("Y", network=world.network, clock=world.clock)
    calls: list[str] = []
    connection = stored.NetworkItem._get_connection().connection
    make = connection._make_api_call

    def counted(operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        calls.append(operation_name)
        return make(operation_name, operation_kwargs)

    monkeypatch.setattr(connection, "_make_api_call", counted)
    snapshot, _ = service.position_for_order("Y", hint, network=world.network, clock=world.clock)

    assert calls == ["BatchGetItem"]
    assert (snapshot.referrer and snapshot.referrer.id, snapshot.owner and snapshot.owner.id) == ("D", "A")
