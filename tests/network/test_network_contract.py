"""The network's ports: one suite for what the rules are tested with and for what runs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.aws.tables import ConditionFailedError, Transaction, get_together
from cardstock.errors import RefusedError
from cardstock.ids import RequestKey
from cardstock.network import deciding
from cardstock.network import store as stored
from cardstock.network.binding import binding
from cardstock.network.deciding import ReadPositions, position_of
from cardstock.network.model import Change, CountedOrder, Event, Position
from cardstock.network.ordering import position_for_order
from cardstock.network.plan import MAX_PROMOTE_N, Approval, Plan, PublishedPlan, StoredApproval
from cardstock.network.plans_store import DynamoPlans
from cardstock.network.ports import Network, Plans
from cardstock.network.presets import CHAIN21, SINGLE_LEVEL, UNLOCK
from cardstock.network.publishing import publish_plan
from cardstock.network.store import DynamoNetwork, NetworkItem
from tests.house import faults
from tests.house.cloud import Cloud
from tests.people.clock import TestClock
from tests.people.memory_network import MemoryNetwork, MemoryPlans
from tests.people.referrals import EXAMPLE, Referrals, credits_of

CONTRACT = {Network: (MemoryNetwork, DynamoNetwork), Plans: (MemoryPlans, DynamoPlans)}

pytestmark = pytest.mark.usefixtures("clock")

AT = datetime(2026, 12, 1, 2, 30, 15, 123_000, tzinfo=UTC)
FULL = Position(
    "mem_a",
    referrer="mem_r",
    bound_at=AT,
    owner="mem_o",
    owner_at=AT,
    owner_edge="fixed",
    peer="mem_p",
    has_referred=True,
    has_paid=True,
    standing="appointed_partner",
    membership="left",
    ascents=2,
    needed=2,
    qualifying=1,
    counting=3,
    counted=2,
    first=("mem_b", "mem_c"),
    verified=True,
    verified_referrals=4,
    coupons=1,
    coupon="granted",
    erased_at=AT,
)
COUNTED = CountedOrder(
    "ord_1", paid_at=AT, settled_at=AT, stopped_at=AT, qualifying="ended", counting="ended", events=("promote.x.1",)
)
EVENT = Event("promote.mem_a.1", "promote", "mem_a", AT, "ord_1", {"owner": None, "moved": {"mem_b": "mem_o"}})


class StoredReferrals(Referrals):
    """Referrals whose network and plans are in DynamoDB."""

    def __init__(self, plan: Plan = EXAMPLE) -> None:
        super().__init__(plan)
        self.network: Any = DynamoNetwork()
        self.plans: Any = DynamoPlans()
        assert self.plans.save_plan(PublishedPlan(plan, AT, "test"), instead_of=None)

    def __getitem__(self, member: str) -> Position:
        return position_of(member, network=self.network)


@pytest.fixture(params=["memory", "dynamodb"])
def kind(request: pytest.FixtureRequest, cloud: Cloud) -> str:
    return str(request.param)


@pytest.fixture
def network(kind: str) -> Network:
    return MemoryNetwork() if kind == "memory" else DynamoNetwork()


@pytest.fixture
def plans(kind: str) -> Plans:
    return MemoryPlans(MemoryNetwork()) if kind == "memory" else DynamoPlans()


@pytest.fixture
def referrals(kind: str) -> Referrals:
    return Referrals() if kind == "memory" else StoredReferrals()


def test_what_is_written_is_read_back(network: Network) -> None:
    assert network.commit_change(Change((FULL, Position("mem_b")), COUNTED, (EVENT,)))
    reading = network.read_positions(("mem_a", "mem_b", "mem_nobody"), order_id="ord_1", plan=True)

    assert reading.positions == {"mem_a": replace(FULL, rev=1), "mem_b": Position("mem_b", 1)}
    assert reading.counted == replace(COUNTED, rev=1)
    assert reading.plan is None
    assert network.find_events(("promote.mem_a.1", "promote.mem_a.2")) == (EVENT,)


@pytest.mark.parametrize("single", [True, False])
def test_a_write_holds_only_if_nothing_has_changed_since_it_was_read(network: Network, single: bool) -> None:
    more = () if single else (Position("mem_z"),)
    assert network.commit_change(Change((Position("mem_a"),)))

    assert not network.commit_change(Change((Position("mem_a", has_paid=True), *more)))
    assert network.commit_change(Change((Position("mem_a", 1, has_paid=True),)))
    assert not network.commit_change(Change((Position("mem_a", 1, standing="distributor"), *more)))
    assert network.read_positions(("mem_a", "mem_z")).positions == {"mem_a": Position("mem_a", 2, has_paid=True)}


def test_an_event_happens_once_and_a_counted_order_is_written_in_turn(network: Network) -> None:
    assert network.commit_change(Change(counted=COUNTED, events=(EVENT,)))

    assert not network.commit_change(Change((Position("mem_a"),), events=(replace(EVENT, cause="ord_2"),)))
    assert not network.commit_change(Change((Position("mem_a"),), counted=COUNTED))
    assert network.read_positions(("mem_a",)).positions == {}
    assert network.find_events((EVENT.id,)) == (EVENT,)


def test_the_worked_example_pays_to_the_fen(referrals: Referrals) -> None:
    referrals.appoint("R")
    first, second, third, fourth = (referrals.buy(*pair) for pair in (("A", "R"), ("B", "A"), ("C", "A"), ("D", "A")))

    assert [credits_of(order) for order in (first, second, third, fourth)] == [
        {"R": 30_000},
        {"A": 10_000, "R": 20_000},
        {"A": 10_000, "R": 20_000},
        {"A": 30_000, "R": 3_000},
    ]
    assert (referrals["A"].role, referrals["A"].peer, referrals["D"].owner) == ("partner", "R", "A")
    assert referrals.refund(third) == ()
    assert [event.id for event in referrals.refund(fourth)] == ["demote.A.1"]
    assert (referrals["A"].role, referrals["A"].owner, referrals["A"].peer) == ("distributor", "R", None)


def test_versions_are_published_in_turn_and_never_change(plans: Plans) -> None:
    first = PublishedPlan(replace(SINGLE_LEVEL, version=1), AT, "key_1")
    approval = Approval("fee", "Li Na", AT, "pilot")
    second = PublishedPlan(replace(SINGLE_LEVEL, version=2, title="一级 10%"), AT, "key_2", (approval,))
    assert plans.plan_in_force() is None
    assert plans.newest_version("single_level") is None

    assert plans.save_plan(first, instead_of=None)
    assert not plans.save_plan(replace(second, published_by="late"), instead_of=None)
    assert not plans.save_plan(replace(first, published_by="forger"), instead_of=first)
    assert plans.save_plan(second, instead_of=first)

    assert (plans.plan_in_force(), plans.newest_version("single_level"), plans.find_plan("single_level", 1)) == (
        second,
        second,
        first,
    )
    assert plans.find_plan("single_level", 3) is None
    assert plans.newest_version("single") is None
    page, more = plans.list_plans(1, None)
    assert page == (first,)
    assert more is not None
    assert plans.list_plans(5, more) == ((second,), None)


def test_a_request_finds_the_plan_that_it_published_and_another_body_is_refused(plans: Plans) -> None:
    record = PublishedPlan(replace(SINGLE_LEVEL, version=1), AT, "key_1")
    request = RequestKey("req_1", "f")
    before = plans.find_plan_of_request(request)
    saved = [plans.save_plan(record, instead_of=None, request=request) for _ in range(2)]
    with pytest.raises(RefusedError, match="IDEMPOTENCY_KEY_REUSED"):
        plans.find_plan_of_request(RequestKey("req_1", "other"))

    # The second one is the same write, whose answer was lost.
    assert (before, saved) == (None, [True, True])
    assert plans.find_plan_of_request(request) == record
    assert plans.find_plan_of_request(RequestKey("req_2", "f")) is None


def test_the_first_approval_of_a_person_stays_until_it_has_expired(plans: Plans) -> None:
    end = AT + timedelta(days=30)
    first = StoredApproval("d1", "fee", "stf_a", AT, "pilot", end)
    other = replace(first, by="stf_b", at=AT + timedelta(days=1))
    repeat = replace(first, at=end - timedelta(milliseconds=1), reason="again", expires_at=end + timedelta(days=30))
    late = replace(repeat, at=end)
    added = [plans.add_approval(each) for each in (other, first, replace(first, digest="d2"), repeat)]

    assert added == [other, first, replace(first, digest="d2"), first]
    assert plans.find_approvals("d1") == (first, other)
    assert plans.add_approval(late) == late
    assert plans.find_approvals("d1") == (other, late)
    assert plans.find_approvals("d") == ()
    assert plans.list_plans(5, None) == ((), None)


def test_plans_are_listed_by_id_and_version(plans: Plans) -> None:
    last: PublishedPlan | None = None
    for plan in (replace(UNLOCK, version=1), replace(SINGLE_LEVEL, version=1), replace(SINGLE_LEVEL, version=2)):
        record = PublishedPlan(plan, AT, "key_1")
        assert plans.save_plan(record, instead_of=last)
        last = record
    first, more = plans.list_plans(2, None)
    second, end = plans.list_plans(2, more)

    assert [record.plan.ref for record in (*first, *second)] == ["single_level@1", "single_level@2", "unlock@1"]
    assert (len(first), end) == (2, None)


def test_publishing_through_the_check_keeps_findings_and_approvals(cloud: Cloud, clock: TestClock) -> None:
    checks = ("levels", "peer", "fee", "cap", "head_count")
    signed = tuple(Approval(check, "Li Na", AT, "pilot") for check in checks)  # type: ignore[arg-type]  # names of checks
    record = publish_plan(CHAIN21, signed, "key_1", plans=DynamoPlans()).made

    assert DynamoPlans().plan_in_force() == record
    assert [finding.approval for finding in record.findings] == list(signed)
    assert DynamoNetwork().read_positions((), plan=True).plan == record.plan
    again = publish_plan(CHAIN21, signed, "key_1", plans=DynamoPlans())
    assert again == (record, True)


def bind(member_id: str, inviter_id: str) -> int:
    """Bind a newcomer as a log-in does; returns the number of transactions."""
    keys = [(each,) for each in (member_id, inviter_id)]
    items = {each.pk: each for each in get_together({NetworkItem: keys}) if isinstance(each, NetworkItem)}
    new, inviter = (stored.read_position(each, items) for each in (member_id, inviter_id))
    step = stored.BindingStep(new, inviter, AT)
    for number in range(1, 10):
        try:
            with Transaction() as transaction:
                step.add_to(transaction)
        except ConditionFailedError as error:
            if not step.learn(error.failed):
                raise
        else:
            return number
    raise AssertionError


def test_a_new_member_is_bound_in_the_transaction_that_creates_the_member(cloud: Cloud) -> None:
    network = DynamoNetwork()
    bind("mem_n", "mem_i")

    assert network.read_positions(("mem_n", "mem_i")).positions == {
        "mem_n": Position("mem_n", 1, referrer="mem_i", bound_at=AT, owner_at=AT),
        "mem_i": Position("mem_i", 1, has_referred=True),
    }
    with pytest.raises(RefusedError, match="INVITER_SELF"):
        bind("mem_x", "mem_x")
    step = stored.BindingStep(stored.read_position("mem_n", {}), stored.read_position("mem_i", {}), AT)
    with pytest.raises(ConditionFailedError) as failed, Transaction() as transaction:
        step.add_to(transaction)

    assert step.learn(failed.value.failed) is False


@pytest.mark.parametrize("above", ["", "partner", "appointed_partner", "member", "nowhere"])
@pytest.mark.parametrize("owner", ["partner", "appointed_partner", "distributor", "nowhere"])
@pytest.mark.parametrize("inviter", ["distributor", "partner"])
def test_a_log_in_finds_the_team_owner_that_reading_everybody_finds(
    inviter: str, owner: str, above: str, cloud: Cloud
) -> None:
    network = DynamoNetwork()
    people = [Position("mem_i", standing=inviter, owner="mem_o", has_referred=True)]  # type: ignore[arg-type]
    if owner != "nowhere":
        people.append(Position("mem_o", standing=owner, owner="mem_a" if above else None))  # type: ignore[arg-type]
    if above not in ("", "nowhere"):
        people.append(Position("mem_a", standing=above, owner="mem_z"))  # type: ignore[arg-type]
    for each in people:
        network.commit_change(Change((each,)))
    reading = network.read_positions(("mem_i",)).positions
    known = ReadPositions(network, reading, deciding.above)
    expected = binding(Position("mem_n"), reading["mem_i"], known, AT)
    tries = bind("mem_n", "mem_i")

    assert replace(network.read_positions(("mem_n",)).positions["mem_n"], rev=0) == expected.positions[0]
    assert tries <= 3
    assert tries == 1 or "partner" not in owner


def test_no_team_owner_is_checked_who_is_bound_in_the_same_step(cloud: Cloud) -> None:
    network = DynamoNetwork()
    network.commit_change(Change((Position("mem_n", standing="appointed_partner"),)))
    network.commit_change(Change((Position("mem_i", owner="mem_n"),)))

    assert bind("mem_n", "mem_i") == 1
    assert network.read_positions(("mem_n",)).positions["mem_n"].owner == "mem_n"


def size(item: dict[str, Any]) -> int:
    """Bytes of a stored item by DynamoDB's rules for strings and numbers."""
    return sum(len(name) + len(next(iter(value.values())).encode()) for name, value in item.items())


def test_a_full_position_stays_within_one_write_unit(cloud: Cloud) -> None:
    ids = [f"mem_{number:026d}" for number in range(MAX_PROMOTE_N + 3)]
    node = replace(FULL, id=ids[0], referrer=ids[1], owner=ids[2], peer=ids[3], first=tuple(ids[3:]))
    usual = replace(node, first=tuple(ids[3:13]))
    assert DynamoNetwork().commit_change(Change((usual,)))
    assert DynamoNetwork().commit_change(Change((replace(node, id="mem_full"),)))
    small, full = sorted(size(item) for item in cloud.items("network"))

    assert small <= 1024
    assert full <= 1024


def test_an_order_reads_positions_and_plan_in_one_call(cloud: Cloud) -> None:
    referrals = StoredReferrals()
    referrals.appoint("R")
    for pair in (("A", "R"), ("B", "A"), ("C", "A"), ("D", "A")):
        referrals.buy(*pair)
    referrals.bind("Y", "D")
    hint = position_for_order("Y", (), network=referrals.network).hint
    with faults.watch() as calls:
        _, snapshot, _ = position_for_order("Y", hint, network=referrals.network)

    assert calls == ["dynamodb.BatchGetItem"]
    assert (snapshot.referrer and snapshot.referrer.id, snapshot.owner and snapshot.owner.id) == ("D", "A")
