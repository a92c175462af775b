"""The guard in the life of a shop: what it holds, what it sounds the alarm for, and who lifts it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from msgspec.structs import replace

from cardstock.clock import brand_day
from cardstock.compliance import model, service
from cardstock.compliance.model import Alarm, Hold, Identity, Purchase, SoldDay
from cardstock.errors import NotFoundError, RefusedError

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
LIMIT = 10


class Clock:
    def now(self) -> datetime:
        return NOW


class Memory:
    """`Traces`, `Holds` and `Alarms` in memory."""

    def __init__(self) -> None:
        self.purchases: dict[str, Purchase] = {}
        self.people: dict[str, Identity] = {}
        self.held: dict[str, Hold] = {}
        self.alarms: dict[str, Alarm] = {}
        self.stopped: dict[str, str] = {}
        self.closed: dict[date, SoldDay] = {}

    def note(self, purchase: Purchase) -> None:
        self.purchases[purchase.order_id] = purchase

    def users(self, mark: str) -> Mapping[str, Sequence[str]]:
        return {p.buyer_id: p.earners for p in self.purchases.values() if mark in (p.payer, p.device)}

    def units(self, buyer_id: str, since: datetime, until: datetime) -> int:
        bought = (p for p in self.purchases.values() if p.buyer_id == buyer_id and since <= p.paid_at <= until)
        return sum(p.units for p in bought)

    def sold(self, day: date) -> Iterator[tuple[str, int, bool]]:
        for p in self.purchases.values():
            if brand_day(p.paid_at) == day:
                yield p.buyer_id, p.net, p.promoter

    def identities(self, member_ids: Iterable[str]) -> Mapping[str, Identity]:
        return {member_id: self.people[member_id] for member_id in member_ids if member_id in self.people}


class MemoryHolds:
    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def find(self, order_id: str) -> Hold | None:
        return self.memory.held.get(order_id)

    def put(self, hold: Hold) -> None:
        self.memory.held.setdefault(hold.order_id, hold)

    def lift(self, hold: Hold) -> bool:
        if not self.memory.held[hold.order_id].open:
            return False
        self.memory.held[hold.order_id] = hold
        return True

    def page(self, limit: int, after: str | None) -> tuple[Sequence[Hold], str | None]:
        raise NotImplementedError


class MemoryAlarms:
    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def find(self, alarm_id: str) -> Alarm | None:
        return self.memory.alarms.get(alarm_id)

    def of_head(self, head: str) -> Alarm | None:
        found = [alarm for alarm in self.memory.alarms.values() if alarm.head == head]
        return max(found, key=lambda alarm: int(alarm.id.rpartition(".")[2]), default=None)

    def put(self, alarm: Alarm) -> bool:
        known = self.memory.alarms.get(alarm.id)
        if (known.version if known else 0) != alarm.version - 1:
            return False
        self.memory.alarms[alarm.id] = alarm
        return True

    def page(self, limit: int, after: str | None) -> tuple[Sequence[Alarm], str | None]:
        raise NotImplementedError

    def stop(self, alarm_id: str, member_ids: Iterable[str]) -> None:
        self.memory.stopped |= dict.fromkeys(member_ids, alarm_id)

    def keep_day(self, day: SoldDay) -> None:
        self.memory.closed[day.day] = day

    def days(self, since: date, until: date) -> Sequence[SoldDay]:
        return [self.memory.closed[day] for day in sorted(self.memory.closed) if since <= day <= until]


def purchase(order_id: str, buyer_id: str, **more: object) -> Purchase:
    return replace(
        Purchase(order_id, buyer_id, NOW - timedelta(hours=1), net=49_900, units=1, promoter=False, earners=("mem_r",)),
        **more,
    )


def watch(memory: Memory, seen: Purchase, limit: int = LIMIT) -> tuple[str, ...]:
    hold = service.watch(
        seen, limit, traces=memory, identities=memory.identities, holds=MemoryHolds(memory), clock=Clock()
    )
    return () if hold is None else hold.reasons


def looked_at_again(memory: Memory, seen: Purchase) -> tuple[str, ...]:
    hold = service.held(
        seen, LIMIT, traces=memory, identities=memory.identities, holds=MemoryHolds(memory), clock=Clock()
    )
    return () if hold is None else hold.reasons


def test_an_order_like_any_other_is_not_held() -> None:
    memory = Memory()

    assert watch(memory, purchase("ord_1", "mem_a", payer="payer_1", device="device_1")) == ()
    assert watch(memory, purchase("ord_2", "mem_b", payer="payer_2", device="device_2")) == ()
    assert watch(memory, purchase("ord_3", "mem_a", payer="payer_1", device="device_1")) == ()
    assert memory.held == {}


def test_a_promoter_who_pays_for_somebody_he_brought_is_held() -> None:
    memory = Memory()
    watch(memory, purchase("ord_1", "mem_r", payer="payer_1", earners=()))

    assert watch(memory, purchase("ord_2", "mem_b", payer="payer_1")) == ("same_payer",)
    assert memory.held["ord_2"].members == ("mem_r",)


def test_his_own_order_is_his_own_whomever_he_pays_for_besides() -> None:
    memory = Memory()
    own = purchase("ord_1", "mem_a", payer="payer_1")
    watch(memory, own)
    watch(memory, purchase("ord_2", "mem_b", payer="payer_1", earners=("mem_a", "mem_r")))

    assert looked_at_again(memory, own) == ()
    assert memory.held.keys() == {"ord_2"}


def test_a_promoter_who_never_bought_is_known_by_the_account_he_logs_in_with() -> None:
    memory = Memory()
    memory.people["mem_r"] = Identity("mem_r", model.mark("payer", "wechat:wx1:openid-of-r"))
    paid_with = model.mark("payer", "wechat:wx1:openid-of-r")

    assert watch(memory, purchase("ord_1", "mem_b", payer=paid_with)) == ("same_payer",)


def test_of_two_orders_with_one_payer_the_earlier_is_held_before_its_release() -> None:
    memory = Memory()
    first = purchase("ord_1", "mem_b", payer="payer_1")
    before = watch(memory, first)
    watch(memory, purchase("ord_2", "mem_c", payer="payer_1"))

    assert before == ()
    assert looked_at_again(memory, first) == ("same_payer",)


def test_one_device_on_two_peoples_orders_is_held() -> None:
    memory = Memory()
    watch(memory, purchase("ord_1", "mem_b", device="device_1"))

    assert watch(memory, purchase("ord_2", "mem_c", device="device_1")) == ("same_device",)


def test_a_buyer_who_is_the_same_verified_person_as_who_earns_is_held() -> None:
    memory = Memory()
    memory.people = {
        "mem_b": Identity("mem_b", "payer_b", person="prs_1"),
        "mem_r": Identity("mem_r", "payer_r", person="prs_1"),
    }

    assert watch(memory, purchase("ord_1", "mem_b")) == ("same_person",)


def test_people_who_are_not_verified_are_not_one_person() -> None:
    memory = Memory()
    memory.people = {"mem_b": Identity("mem_b", "payer_b"), "mem_r": Identity("mem_r", "payer_r")}

    assert watch(memory, purchase("ord_1", "mem_b")) == ()


def test_more_units_than_the_setting_in_thirty_days_are_stocking_up_however_they_are_split() -> None:
    memory = Memory()
    older = purchase("ord_0", "mem_b", units=LIMIT, paid_at=NOW - timedelta(days=34))
    in_time = [purchase(f"ord_{n}", "mem_b", units=5, paid_at=NOW - timedelta(days=n)) for n in (3, 2, 1)]

    assert [watch(memory, each) for each in (older, *in_time)] == [(), (), (), ("stocking_up",)]
    assert watch(Memory(), purchase("ord_1", "mem_b", units=LIMIT + 1)) == ("stocking_up",)
    assert watch(Memory(), purchase("ord_1", "mem_b", units=LIMIT + 1), limit=LIMIT + 1) == ()


def test_an_order_on_which_nobody_earns_is_noted_and_not_held() -> None:
    memory = Memory()

    assert watch(memory, purchase("ord_1", "mem_b", units=99, earners=())) == ()
    assert memory.purchases.keys() == {"ord_1"}


def test_finance_lifts_a_hold_once_with_a_reason_and_it_stays_lifted() -> None:
    memory, resumed = Memory(), list[str]()
    stocked = purchase("ord_1", "mem_b", units=99)
    watch(memory, stocked)

    def lift(actor: str, reason: str, order_id: str = "ord_1") -> Hold:
        holds = MemoryHolds(memory)
        return service.lift_hold(order_id, actor, reason, holds=holds, resume=resumed.append, clock=Clock())

    with pytest.raises(RefusedError, match="REASON_MISSING"):
        lift("key_1", "  ")
    with pytest.raises(NotFoundError):
        lift("key_1", "seen", "ord_2")
    lifted = lift("key_1", "invoice seen")

    assert (lifted.lifted_by, lifted.lifted_why, lifted.lifted_at) == ("key_1", "invoice seen", NOW)
    assert lift("key_2", "again") == lifted
    assert resumed == ["ord_1"]
    assert looked_at_again(memory, stocked) == ()
    assert watch(memory, stocked) == ()


# Every day


def tree(levels: int, width: int, head: str = "top") -> dict[str, str]:
    """`head`, below him a chain of `levels` - 2, and `width` people at its end."""
    chain = [head, *(f"{head}.{number}" for number in range(1, levels - 1))]
    referrers = dict(zip(chain[1:], chain[:-1], strict=True))
    return referrers | {f"{head}.w{number}": chain[-1] for number in range(width)}


def heads(referrers: Mapping[str, str], earners: Iterable[str]) -> list[tuple[str, int, int]]:
    return [(found.head, found.people, found.levels) for found in service.subtrees(referrers, earners)]


def test_thirty_people_on_three_levels_with_money_are_an_alarm_and_less_is_none() -> None:
    assert heads(tree(3, 28), ["top"]) == [("top", 30, 3)]
    assert heads(tree(3, 27), ["top"]) == []
    assert heads(tree(2, 50), ["top"]) == []
    assert heads(tree(3, 28), ["somebody else"]) == []


def test_money_anywhere_in_the_subtree_flows_in_it() -> None:
    found = service.subtrees(tree(3, 28), ["top.w5"])

    assert [(one.head, one.earners) for one in found] == [("top", ("top.w5",))]


def test_only_the_highest_head_is_named_and_everybody_below_belongs_to_him() -> None:
    referrers = tree(4, 40) | tree(3, 40, "other") | tree(3, 40, "poor")
    found = service.subtrees(referrers, ["top", "top.2", "top.w1", "other.w1"])

    assert [(one.head, one.people, one.levels, one.earners) for one in found] == [
        ("other", 42, 3, ("other.w1",)),
        ("top", 43, 4, ("top", "top.2", "top.w1")),
    ]


def test_the_same_subtrees_are_found_as_by_a_walk_from_every_member() -> None:
    random = Random(4)
    for _ in range(20):
        names = [f"m{number}" for number in range(150)]
        referrers = {
            name: names[random.randrange(max(0, index - 40), index)]
            for index, name in enumerate(names)
            if index and random.random() < 0.93
        }
        earners = set(random.sample(names, 8))
        below: dict[str, list[str]] = {name: [] for name in names}
        for name, above in referrers.items():
            below[above].append(name)

        def walk(name: str, below: dict[str, list[str]] = below) -> tuple[list[str], int]:
            found = [walk(one) for one in below[name]]
            return [name, *(m for members, _ in found for m in members)], 1 + max((d for _, d in found), default=0)

        wide = {}
        for name in names:
            members, depth = walk(name)
            if len(members) >= 30 and depth >= 3 and earners & set(members):
                wide[name] = (len(members), depth, tuple(sorted(earners & set(members))))
        top = {name for name in wide if not any(name in walk(other)[0][1:] for other in wide)}

        assert {f.head: (f.people, f.levels, f.earners) for f in service.subtrees(referrers, earners)} == {
            name: wide[name] for name in top
        }


def test_a_chain_of_a_hundred_thousand_needs_no_recursion() -> None:
    referrers = {f"m{number}": f"m{number - 1}" for number in range(1, 100_000)}

    assert heads(referrers, ["m99999"]) == [("m0", 100_000, 100_000)]


def test_an_alarm_is_lifted_by_two_people_and_comes_back_when_the_subtree_has_doubled() -> None:
    memory = Memory()
    alarms = MemoryAlarms(memory)
    small, grown, doubled = (service.subtrees(tree(3, width), ["top", "top.w1"]) for width in (28, 40, 78))

    def lift(actor: str, reason: str = "seen") -> Alarm:
        return service.lift_alarm("top.1", actor, reason, can_approve=actor.__ne__, alarms=alarms, clock=Clock())

    first = service.sound(small, alarms=alarms, clock=Clock())
    again = service.sound(small, alarms=alarms, clock=Clock())
    asked, same_person = lift("key_1", "one family business"), lift("key_1")
    still_stopped = dict(memory.stopped)
    lifted = lift("key_2", "visited")
    quiet = service.sound(grown, alarms=alarms, clock=Clock())
    back = service.sound(doubled, alarms=alarms, clock=Clock())

    assert [(one.id, one.people, one.levels, one.earning) for one in first] == [("top.1", 30, 3, 2)]
    assert again == first
    assert (asked.open, same_person, still_stopped) == (True, asked, {"top": "top.1", "top.w1": "top.1"})
    assert (lifted.open, lifted.asked_by, lifted.asked_why, lifted.lifted_by, lifted.lifted_why) == (
        False, "key_1", "one family business", "key_2", "visited",
    )  # fmt: skip
    assert lift("key_3") == lifted
    assert quiet == ()
    assert [one.id for one in back] == ["top.2"]
    assert memory.stopped == {"top": "top.2", "top.w1": "top.2"}


def test_an_open_alarm_tells_the_figures_of_the_last_night() -> None:
    memory = Memory()
    alarms = MemoryAlarms(memory)
    for width in (28, 78):
        (told,) = service.sound(service.subtrees(tree(3, width), ["top"]), alarms=alarms, clock=Clock())

    assert (told.id, told.people) == ("top.1", 80)


def test_an_alarm_needs_a_reason_and_has_to_exist() -> None:
    alarms = MemoryAlarms(Memory())

    with pytest.raises(RefusedError, match="REASON_MISSING"):
        service.lift_alarm("top.1", "key_1", " ", can_approve="key_1".__ne__, alarms=alarms, clock=Clock())
    with pytest.raises(NotFoundError):
        service.lift_alarm("top.1", "key_1", "seen", can_approve="key_1".__ne__, alarms=alarms, clock=Clock())


def test_sales_to_people_who_promote_nothing_are_shared_over_thirty_days() -> None:
    memory = Memory()
    alarms, day = MemoryAlarms(memory), date(2026, 11, 20)
    for number, (buyer, promoter) in enumerate((("mem_a", True), ("mem_b", False), ("mem_c", False), ("mem_d", True))):
        memory.note(purchase(f"ord_{number}", buyer, promoter=promoter))
    memory.closed[day - timedelta(days=30)] = SoldDay(day - timedelta(days=30), 10**9, 10**9)
    memory.closed[day - timedelta(days=29)] = SoldDay(day - timedelta(days=29), 100, 100)

    # mem_c has no role, but he has brought somebody.
    told = service.close_day(day, {"mem_c"}.__contains__, traces=memory, alarms=alarms)

    assert memory.closed[day] == SoldDay(day, 4 * 49_900, 49_900)
    assert (told.sales, told.outside) == (4 * 49_900 + 100, 49_900 + 100)
    assert (told.outside_bps, told.warns) == (2504, True)
    assert service.close_day(day, {"mem_c"}.__contains__, traces=memory, alarms=alarms) == told


def test_exactly_half_is_no_warning_and_neither_are_no_sales() -> None:
    assert not model.Share(date(2026, 11, 20), 200, 100).warns
    assert model.Share(date(2026, 11, 20), 200, 99).warns
    assert not model.Share(date(2026, 11, 20), 0, 0).warns
