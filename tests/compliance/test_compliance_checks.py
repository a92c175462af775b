"""Compliance in the life of a shop: what is held, what raises an alarm, and who lifts it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from msgspec.structs import replace

from cardstock import compliance as area
from cardstock.clock import set_clock
from cardstock.compliance.alarms import lift_alarm, raise_alarms
from cardstock.compliance.model import (
    ALARM_STATES,
    HOLD_STATES,
    Alarm,
    Hold,
    Identity,
    Lift,
    OutsideShare,
    Purchase,
    SalesDay,
)
from cardstock.compliance.purchases import CheckNeeds, check_purchase, lift_hold, log_and_check
from cardstock.compliance.sales import close_day
from cardstock.compliance.subtrees import find_subtrees
from cardstock.errors import NotFoundError, RefusedError
from tests.house.charts import steps_in, steps_of
from tests.people.clock import TestClock
from tests.people.marks import MARKER
from tests.people.memory_compliance import MemoryAlarms, MemoryHolds, MemoryIdentities, MemoryPurchaseLog
from tests.people.staff import unasked

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
LIMIT = 10


@pytest.fixture(autouse=True)
def moment(clock: object) -> None:
    """The process's clock stands still at `NOW`."""
    set_clock(TestClock(NOW))


class Checks:
    """Purchase checks on ports in memory."""

    def __init__(self) -> None:
        self.log = MemoryPurchaseLog()
        self.identities = MemoryIdentities()
        self.holds = MemoryHolds()

    def needs(self, limit: int = LIMIT) -> CheckNeeds:
        return CheckNeeds(self.log, self.identities, self.holds, limit)


def purchase(order_id: str, buyer_id: str, **more: object) -> Purchase:
    return replace(
        Purchase(order_id, buyer_id, NOW - timedelta(hours=1), net=49_900, units=1, promoter=False, earners=("mem_r",)),
        **more,
    )


def paid(checks: Checks, seen: Purchase, limit: int = LIMIT) -> tuple[str, ...]:
    """The reasons of the hold when an order is paid."""
    hold = log_and_check(seen, checks.needs(limit))
    return () if hold is None else hold.reasons


def checked_again(checks: Checks, seen: Purchase) -> tuple[str, ...]:
    """The reasons of the hold before an order's rewards are released."""
    hold = check_purchase(seen, checks.needs())
    return () if hold is None else hold.reasons


def test_an_order_like_any_other_is_not_held() -> None:
    checks = Checks()

    assert paid(checks, purchase("ord_1", "mem_a", payer="payer_1", device="device_1")) == ()
    assert paid(checks, purchase("ord_2", "mem_b", payer="payer_2", device="device_2")) == ()
    assert paid(checks, purchase("ord_3", "mem_a", payer="payer_1", device="device_1")) == ()
    assert checks.holds.holds == {}


def test_a_promoter_who_pays_for_a_referral_is_held() -> None:
    checks = Checks()
    paid(checks, purchase("ord_1", "mem_r", payer="payer_1", earners=()))

    assert paid(checks, purchase("ord_2", "mem_b", payer="payer_1")) == ("same_payer",)
    assert checks.holds.holds["ord_2"].members == ("mem_r",)


def test_an_own_order_is_not_held_for_the_referrals_that_its_payer_pays_for() -> None:
    checks = Checks()
    own = purchase("ord_1", "mem_a", payer="payer_1")
    paid(checks, own)
    paid(checks, purchase("ord_2", "mem_b", payer="payer_1", earners=("mem_a", "mem_r")))

    assert checked_again(checks, own) == ()
    assert checks.holds.holds.keys() == {"ord_2"}


def test_a_promoter_who_never_bought_is_known_by_the_login_account() -> None:
    checks = Checks()
    checks.identities.people["mem_r"] = Identity("mem_r", MARKER.of("payer", "wechat:wx1:openid-of-r"))
    paid_with = MARKER.of("payer", "wechat:wx1:openid-of-r")

    assert paid(checks, purchase("ord_1", "mem_b", payer=paid_with)) == ("same_payer",)


def test_of_two_orders_with_one_payer_the_earlier_is_held_before_its_release() -> None:
    checks = Checks()
    first = purchase("ord_1", "mem_b", payer="payer_1")
    before = paid(checks, first)
    paid(checks, purchase("ord_2", "mem_c", payer="payer_1"))

    assert before == ()
    assert checked_again(checks, first) == ("same_payer",)


def test_one_device_on_two_peoples_orders_is_held() -> None:
    checks = Checks()
    paid(checks, purchase("ord_1", "mem_b", device="device_1"))

    assert paid(checks, purchase("ord_2", "mem_c", device="device_1")) == ("same_device",)


def test_a_buyer_who_is_the_same_verified_person_as_who_earns_is_held() -> None:
    checks = Checks()
    checks.identities.people = {
        "mem_b": Identity("mem_b", "payer_b", person="prs_1"),
        "mem_r": Identity("mem_r", "payer_r", person="prs_1"),
    }

    assert paid(checks, purchase("ord_1", "mem_b")) == ("same_person",)


def test_people_who_are_not_verified_are_not_one_person() -> None:
    checks = Checks()
    checks.identities.people = {"mem_b": Identity("mem_b", "payer_b"), "mem_r": Identity("mem_r", "payer_r")}

    assert paid(checks, purchase("ord_1", "mem_b")) == ()


def test_members_who_are_one_person_buy_as_one_and_pay_as_one() -> None:
    checks = Checks()
    checks.identities.people = {
        "mem_b": Identity("mem_b", "payer_b", same_person=("mem_c",)),
        "mem_c": Identity("mem_c", "payer_c", same_person=("mem_b",)),
    }
    half = LIMIT // 2 + 1

    assert paid(checks, purchase("ord_1", "mem_b", payer="payer_1", units=half)) == ()
    assert paid(checks, purchase("ord_2", "mem_c", payer="payer_1", units=1)) == ()
    assert paid(checks, purchase("ord_3", "mem_c", payer="payer_1", units=half)) == ("stocking_up",)


def test_more_units_than_the_setting_in_thirty_days_are_stocking_up_however_they_are_split() -> None:
    checks = Checks()
    older = purchase("ord_0", "mem_b", units=LIMIT, paid_at=NOW - timedelta(days=34))
    in_time = [purchase(f"ord_{n}", "mem_b", units=5, paid_at=NOW - timedelta(days=n)) for n in (3, 2, 1)]

    assert [paid(checks, each) for each in (older, *in_time)] == [(), (), (), ("stocking_up",)]
    assert paid(Checks(), purchase("ord_1", "mem_b", units=LIMIT + 1)) == ("stocking_up",)
    assert paid(Checks(), purchase("ord_1", "mem_b", units=LIMIT + 1), limit=LIMIT + 1) == ()


def test_an_order_on_which_nobody_earns_is_logged_and_not_held() -> None:
    checks = Checks()

    assert paid(checks, purchase("ord_1", "mem_b", units=99, earners=())) == ()
    assert checks.log.purchases.keys() == {"ord_1"}


def test_finance_lifts_a_hold_once_with_a_reason_and_it_stays_lifted() -> None:
    checks, resumed = Checks(), list[str]()
    stocked = purchase("ord_1", "mem_b", units=99)
    paid(checks, stocked)

    def lift(actor: str, reason: str, order_id: str = "ord_1") -> Hold:
        return lift_hold(order_id, actor, reason, confirm=unasked, holds=checks.holds, resume=resumed.append)

    with pytest.raises(RefusedError, match="REASON_MISSING"):
        lift("key_1", "  ")
    with pytest.raises(NotFoundError):
        lift("key_1", "seen", "ord_2")
    lifted = lift("key_1", "invoice seen")

    assert (lifted.state, lifted.lifted) == ("lifted", Lift("key_1", NOW, "invoice seen"))
    assert lift("key_2", "again") == lifted
    assert resumed == ["ord_1"]
    assert checked_again(checks, stocked) == ()
    assert paid(checks, stocked) == ()


# Every night


def tree(levels: int, width: int, head: str = "top") -> dict[str, str]:
    """`head`, below it a chain of `levels` - 2, and `width` people at its end."""
    chain = [head, *(f"{head}.{number}" for number in range(1, levels - 1))]
    referrers = dict(zip(chain[1:], chain[:-1], strict=True))
    return referrers | {f"{head}.w{number}": chain[-1] for number in range(width)}


def heads(referrers: Mapping[str, str], earners: Iterable[str]) -> list[tuple[str, int, int]]:
    return [(found.head, found.people, found.levels) for found in find_subtrees(referrers, earners)]


def test_thirty_people_on_three_levels_with_money_are_an_alarm_and_less_is_none() -> None:
    assert heads(tree(3, 28), ["top"]) == [("top", 30, 3)]
    assert heads(tree(3, 27), ["top"]) == []
    assert heads(tree(2, 50), ["top"]) == []
    assert heads(tree(3, 28), ["somebody else"]) == []


def test_money_anywhere_in_the_subtree_flows_in_it() -> None:
    found = find_subtrees(tree(3, 28), ["top.w5"])

    assert [(one.head, one.earners) for one in found] == [("top", ("top.w5",))]


def test_only_the_highest_head_is_named_and_everybody_below_belongs_to_it() -> None:
    referrers = tree(4, 40) | tree(3, 40, "other") | tree(3, 40, "poor")
    found = find_subtrees(referrers, ["top", "top.2", "top.w1", "other.w1"])

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

        assert {f.head: (f.people, f.levels, f.earners) for f in find_subtrees(referrers, earners)} == {
            name: wide[name] for name in top
        }


def test_a_chain_of_a_hundred_thousand_needs_no_recursion() -> None:
    referrers = {f"m{number}": f"m{number - 1}" for number in range(1, 100_000)}

    assert heads(referrers, ["m99999"]) == [("m0", 100_000, 100_000)]


def test_an_alarm_is_lifted_by_two_people_and_comes_back_when_the_subtree_has_doubled() -> None:
    alarms = MemoryAlarms()
    small, grown, doubled = (find_subtrees(tree(3, width), ["top", "top.w1"]) for width in (28, 40, 78))

    def lift(actor: str, reason: str = "seen") -> Alarm:
        return lift_alarm("top.1", actor, reason, can_approve=actor.__ne__, confirm=unasked, alarms=alarms)

    first = raise_alarms(small, alarms=alarms)
    again = raise_alarms(small, alarms=alarms)
    asked, same_person = lift("key_1", "one family business"), lift("key_1")
    still_stopped = dict(alarms.stopped)
    lifted = lift("key_2", "visited")
    quiet = raise_alarms(grown, alarms=alarms)
    back = raise_alarms(doubled, alarms=alarms)

    assert [(one.id, one.people, one.levels, one.earning) for one in first] == [("top.1", 30, 3, 2)]
    assert again == first
    assert (asked.state, asked.stops_payouts, same_person) == ("lift_requested", True, asked)
    assert still_stopped == {"top": "top.1", "top.w1": "top.1"}
    assert (lifted.state, lifted.stops_payouts) == ("lifted", False)
    assert (lifted.requested, lifted.lifted) == (
        Lift("key_1", NOW, "one family business"),
        Lift("key_2", NOW, "visited"),
    )
    assert lift("key_3") == lifted
    assert quiet == ()
    assert [one.id for one in back] == ["top.2"]
    assert alarms.stopped == {"top": "top.2", "top.w1": "top.2"}


def test_an_open_alarm_has_the_figures_of_the_last_night() -> None:
    alarms = MemoryAlarms()
    for width in (28, 78):
        (told,) = raise_alarms(find_subtrees(tree(3, width), ["top"]), alarms=alarms)

    assert (told.id, told.people) == ("top.1", 80)


def test_an_alarm_needs_a_reason_and_has_to_exist() -> None:
    alarms = MemoryAlarms()

    with pytest.raises(RefusedError, match="REASON_MISSING"):
        lift_alarm("top.1", "key_1", " ", can_approve="key_1".__ne__, confirm=unasked, alarms=alarms)
    with pytest.raises(NotFoundError):
        lift_alarm("top.1", "key_1", "seen", can_approve="key_1".__ne__, confirm=unasked, alarms=alarms)


def test_sales_to_people_who_promote_nothing_are_shared_over_thirty_days() -> None:
    log, alarms, day = MemoryPurchaseLog(), MemoryAlarms(), date(2026, 11, 20)
    for number, (buyer, promoter) in enumerate((("mem_a", True), ("mem_b", False), ("mem_c", False), ("mem_d", True))):
        log.log_purchase(purchase(f"ord_{number}", buyer, promoter=promoter))
    alarms.closed[day - timedelta(days=30)] = SalesDay(day - timedelta(days=30), 10**9, 10**9)
    alarms.closed[day - timedelta(days=29)] = SalesDay(day - timedelta(days=29), 100, 100)

    # mem_c has no role, but has brought somebody.
    told = close_day(day, {"mem_c"}, log=log, alarms=alarms)

    assert alarms.closed[day] == SalesDay(day, 4 * 49_900, 49_900)
    assert (told.sales, told.outside) == (4 * 49_900 + 100, 49_900 + 100)
    assert (told.outside_bps, told.warns) == (2504, True)
    assert close_day(day, {"mem_c"}, log=log, alarms=alarms) == told


def test_exactly_half_is_no_warning_and_neither_are_no_sales() -> None:
    assert not OutsideShare(date(2026, 11, 20), 200, 100).warns
    assert OutsideShare(date(2026, 11, 20), 200, 99).warns
    assert not OutsideShare(date(2026, 11, 20), 0, 0).warns


# States


def test_the_charts_of_a_hold_and_an_alarm_are_what_the_verbs_do() -> None:
    checks, alarms = Checks(), MemoryAlarms()
    hold = log_and_check(purchase("ord_1", "mem_b", units=99), checks.needs())
    assert hold is not None
    lifted_hold = lift_hold("ord_1", "key_1", "seen", confirm=unasked, holds=checks.holds, resume=lambda _: None)
    (raised,) = raise_alarms(find_subtrees(tree(3, 28), ["top"]), alarms=alarms)
    requested, lifted = (
        lift_alarm("top.1", actor, "seen", can_approve=actor.__ne__, confirm=unasked, alarms=alarms)
        for actor in ("key_1", "key_2")
    )
    done = {
        (hold.state, "lift_hold", lifted_hold.state),
        (raised.state, "lift_alarm", requested.state),
        (requested.state, "lift_alarm", lifted.state),
    }

    assert steps_in(area.__doc__) == done
    assert steps_of(HOLD_STATES) | steps_of(ALARM_STATES) == {(before, after) for before, _, after in done}
