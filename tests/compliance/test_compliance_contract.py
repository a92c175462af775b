"""The ports of compliance: one suite for the fakes and for the stores."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from cardstock.compliance.model import Alarm, Hold, Identity, Lift, Purchase, Sale, SalesDay
from cardstock.compliance.ports import Alarms, Holds, Identities, PurchaseLog
from cardstock.compliance.store import DynamoAlarms, DynamoHolds, DynamoPurchaseLog, MemberIdentities
from cardstock.members.item_store import MemberItem, member_item
from cardstock.members.model import Member, Person
from tests.house.cloud import Cloud
from tests.house.faults import watch
from tests.people.marks import MARKER
from tests.people.memory_compliance import MemoryAlarms, MemoryHolds, MemoryIdentities, MemoryPurchaseLog

CONTRACT = {
    PurchaseLog: (MemoryPurchaseLog, DynamoPurchaseLog),
    Identities: (MemoryIdentities, MemberIdentities),
    Holds: (MemoryHolds, DynamoHolds),
    Alarms: (MemoryAlarms, DynamoAlarms),
}

AT = datetime(2026, 11, 20, 4, 30, 15, 123_000, tzinfo=UTC)
DAY = date(2026, 11, 20)
LIFT = Lift("key_1", AT, "invoice seen")
HOLD = Hold("ord_1", ("same_payer", "stocking_up"), ("mem_b",), AT)
ALARM = Alarm("mem_a.1", "mem_a", 30, 3, 2, AT)


@pytest.fixture(params=["memory", "dynamodb"])
def kind(request: pytest.FixtureRequest, cloud: Cloud) -> str:
    return str(request.param)


@pytest.fixture
def log(kind: str) -> PurchaseLog:
    return MemoryPurchaseLog() if kind == "memory" else DynamoPurchaseLog()


@pytest.fixture
def holds(kind: str) -> Holds:
    return MemoryHolds() if kind == "memory" else DynamoHolds()


@pytest.fixture
def alarms(kind: str) -> Alarms:
    return MemoryAlarms() if kind == "memory" else DynamoAlarms()


def purchase(number: int, **more: object) -> Purchase:
    return replace(
        Purchase(f"ord_{number}", "mem_a", AT, net=49_900, units=2, promoter=True, earners=("mem_r",)), **more
    )


def test_a_purchase_is_found_by_its_marks_its_buyer_and_its_day(log: PurchaseLog) -> None:
    log.log_purchase(purchase(1, payer="payer_1", device="device_1"))
    log.log_purchase(purchase(1, payer="payer_1", device="device_1"))
    log.log_purchase(purchase(2, buyer_id="mem_b", promoter=False, payer="payer_1", earners=()))

    assert {member: list(earners) for member, earners in log.buyers_with_mark("payer_1").items()} == {
        "mem_a": ["mem_r"],
        "mem_b": [],
    }
    assert list(log.buyers_with_mark("device_1")) == ["mem_a"]
    assert log.buyers_with_mark("device_2") == {}
    assert sorted(log.sales_of_day(DAY), key=lambda sale: sale.buyer_id) == [
        Sale("mem_a", 49_900, True),
        Sale("mem_b", 49_900, False),
    ]
    assert list(log.sales_of_day(DAY + timedelta(days=1))) == []


def test_a_mark_of_an_erased_member_is_forgotten_and_that_of_others_stays(log: PurchaseLog) -> None:
    for number, buyer in enumerate(("mem_a", "mem_b")):
        log.log_purchase(purchase(number, buyer_id=buyer, payer="payer_1", device="device_1"))
    log.forget_mark("payer_1", "mem_a")
    log.forget_mark("payer_1", "mem_a")

    assert list(log.buyers_with_mark("payer_1")) == ["mem_b"]
    assert sorted(log.buyers_with_mark("device_1")) == ["mem_a", "mem_b"]


def test_units_are_counted_from_the_first_to_the_last_moment(log: PurchaseLog) -> None:
    for number, days in enumerate((30, 10, 0)):
        log.log_purchase(purchase(number, paid_at=AT - timedelta(days=days)))

    assert log.units_bought("mem_a", AT - timedelta(days=30), AT) == 6
    assert log.units_bought("mem_a", AT - timedelta(days=29), AT - timedelta(days=1)) == 2
    assert log.units_bought("mem_b", AT - timedelta(days=30), AT) == 0


def test_an_order_without_net_sales_leaves_marks_alone(log: PurchaseLog) -> None:
    log.log_purchase(purchase(1, net=0, payer="payer_1"))

    assert list(log.buyers_with_mark("payer_1")) == ["mem_a"]
    assert log.units_bought("mem_a", AT, AT) == 0
    assert list(log.sales_of_day(DAY)) == []


def test_an_order_has_one_hold_which_is_lifted_once(holds: Holds) -> None:
    lifted = replace(HOLD, state="lifted", lifted=LIFT)
    holds.save_new_hold(HOLD)
    holds.save_new_hold(replace(HOLD, members=()))
    before = holds.find_hold("ord_1")

    assert before == HOLD
    assert holds.save_lifted_hold(lifted, lambda _: None)
    assert not holds.save_lifted_hold(replace(lifted, lifted=replace(LIFT, by="key_2")), lambda _: None)
    assert holds.find_hold("ord_1") == lifted
    assert holds.find_hold("ord_2") is None


def test_holds_and_alarms_are_listed_by_page(holds: Holds, alarms: Alarms) -> None:
    for number in (1, 2, 3):
        holds.save_new_hold(replace(HOLD, order_id=f"ord_{number}"))
        alarms.save_alarm(replace(ALARM, id=f"mem_{number}.1", head=f"mem_{number}"))
    first_holds, next_hold = holds.list_holds(2, None)
    first_alarms, next_alarm = alarms.list_alarms(2, None)

    assert [hold.order_id for hold in first_holds] == ["ord_1", "ord_2"]
    assert [hold.order_id for hold in holds.list_holds(2, next_hold)[0]] == ["ord_3"]
    assert [alarm.id for alarm in first_alarms] == ["mem_1.1", "mem_2.1"]
    assert [alarm.id for alarm in alarms.list_alarms(2, next_alarm)[0]] == ["mem_3.1"]


def test_an_alarm_is_replaced_by_its_next_version_alone(alarms: Alarms) -> None:
    requested = replace(ALARM, state="lift_requested", requested=LIFT, version=2)
    lifted = replace(requested, state="lifted", lifted=replace(LIFT, by="key_2"), version=3)

    assert alarms.save_alarm(ALARM)
    assert not alarms.save_alarm(replace(ALARM, people=31))
    assert not alarms.save_alarm(lifted)
    assert alarms.save_alarm(requested)
    assert alarms.find_alarm("mem_a.1") == requested
    assert alarms.save_alarm(lifted)
    assert alarms.find_alarm("mem_a.1") == lifted
    assert alarms.find_alarm("mem_b.1") is None


def test_the_newest_alarm_of_a_head_is_the_one_with_the_highest_number(alarms: Alarms) -> None:
    for number in (9, 10):
        alarms.save_alarm(replace(ALARM, id=f"mem_a.{number}"))
    alarms.save_alarm(replace(ALARM, id="mem_ab.11", head="mem_ab"))
    newest = alarms.newest_alarm_of("mem_a")

    assert newest is not None
    assert newest.id == "mem_a.10"
    assert alarms.newest_alarm_of("mem_b") is None


def test_closed_days_are_read_in_their_order_with_both_ends(alarms: Alarms) -> None:
    days = [SalesDay(DAY - timedelta(days=back), 100 + back, back) for back in (2, 0, 1, 3)]
    for day in (*days, days[0]):
        alarms.save_sales_day(day)

    assert list(alarms.closed_days(DAY - timedelta(days=2), DAY)) == [days[0], days[2], days[1]]


@pytest.fixture
def identities(kind: str) -> tuple[Identities, Callable[[Member], object]]:
    """The port, and how a member comes to be known to it."""
    if kind == "dynamodb":
        return MemberIdentities(MARKER), lambda member: member_item(member).save()
    memory = MemoryIdentities()

    def keep(member: Member) -> None:
        person = member.person.id if member.person else ""
        memory.people[member.id] = Identity(member.id, MARKER.of("payer", member.account), person)

    return memory, keep


def test_a_member_is_known_by_the_mark_of_the_account_and_by_the_verified_person(
    identities: tuple[Identities, Callable[[Member], object]],
) -> None:
    port, keep = identities
    person = Person("张伟", "1***2", "00$01", date(1990, 5, 5), "dev", AT)
    keep(Member("mem_a", "wechat:app:o1", AT, person=person, state="verified"))
    keep(Member("mem_b", "wechat:app:o2", AT))
    found = port.identities_of(["mem_b", "mem_nobody", "mem_a"])

    assert found == {
        "mem_a": Identity("mem_a", MARKER.of("payer", "wechat:app:o1"), person.id),
        "mem_b": Identity("mem_b", MARKER.of("payer", "wechat:app:o2")),
    }
    assert port.identities_of(["mem_nobody"]) == port.identities_of([]) == {}


def test_an_erased_member_and_one_who_is_asked_for_twice_are_known_once(
    identities: tuple[Identities, Callable[[Member], object]],
) -> None:
    port, keep = identities
    keep(Member("mem_a", "wechat:app:o1", AT, erased_at=AT, state="erased"))

    assert list(port.identities_of(iter(["mem_a", "mem_a"]))) == ["mem_a"]


def test_a_hundred_members_cost_one_call(cloud: Cloud) -> None:
    with MemberItem.batch_write() as batch:
        for number in range(100):
            batch.save(member_item(Member(f"mem_{number}", f"wechat:app:{number}", AT)))
    with watch() as calls:
        found = MemberIdentities(MARKER).identities_of(f"mem_{number}" for number in range(100))

    assert len(found) == 100
    assert calls == ["dynamodb.BatchGetItem"]
