"""Members who are one person count once for each referrer, and never for themselves, whatever happens in between."""

import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.errors import RefusedError, UnauthorizedError
from cardstock.network.coupons import count_verified
from cardstock.network.deciding import decide_and_commit
from cardstock.network.model import Position
from cardstock.network.persons import regrouping
from cardstock.network.plan import MAX_PROMOTE_N, Plan
from cardstock.network.presets import FREE_ORDER, UNLOCK
from tests.people.referrals import EXAMPLE, Referrals

NAMES = ["mem_a", "mem_b", "mem_c", "mem_d", "mem_e", "mem_f"]
SETTLED = replace(EXAMPLE, promote_on="settled", on_refund="keep")


class People(Referrals):
    """Referrals among members some of whom are one person."""

    def __init__(self, plan: Plan = EXAMPLE) -> None:
        super().__init__(plan)
        self.groups = {name: frozenset({name}) for name in NAMES}

    def regroup(self, *groups: str) -> None:
        """Make each of these groups, written `ab`, one person."""
        named = [frozenset(f"mem_{letter}" for letter in group) for group in groups]
        self.groups |= {member: group for group in named for member in group}
        members = {member for group in named for member in group}
        at = self.tick()
        decide_and_commit(self.network, members, lambda known, _: regrouping(named, known, at, "merge"), plan=False)

    def position(self, name: str) -> Position:
        return self.network.positions.get(name) or Position(name)

    def persons_who_count(self, referrer: str, of: str = "counting") -> int:
        """The persons who count for the referrer, found from each position alone."""
        counting = {each for each in NAMES if getattr(self.position(each), of)}
        own = {each for each in counting if self.position(each).referrer == referrer}
        return len({self.groups[each] for each in own if referrer not in self.groups[each]})

    def check(self) -> None:
        """What always holds."""
        for name in NAMES:
            position = self.position(name)
            assert {name, *position.same_person} == self.groups[name]
            assert position.counted == self.persons_who_count(name)
            assert position.verified_referrals == self.persons_who_count(name, "verified")
            persons = [self.groups[each] for each in position.first]
            assert len(persons) == len(set(persons)) == min(position.counted, MAX_PROMOTE_N)
            assert all(self.position(each).referrer == name for each in position.first)


STEP: Any = st.one_of(
    st.tuples(st.just("bind"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("buy"), st.sampled_from(NAMES)),
    st.tuples(st.just("settle"), st.integers(0, 9)),
    st.tuples(st.just("refund"), st.integers(0, 9)),
    st.tuples(st.just("verify"), st.sampled_from(NAMES)),
    st.tuples(st.just("merge"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("part"), st.sampled_from(NAMES)),
)


def live(people: People, step: Any) -> None:
    """One step of a life."""
    kind, *what = step
    orders: list[Any] = people.__dict__.setdefault("placed", [])
    if kind == "bind":
        people.bind(*what)
    elif kind == "buy":
        orders.append(people.place(what[0]))
        people.pay(orders[-1])
    elif kind == "verify":
        count_verified(what[0], network=people.network)
    elif kind == "merge":
        one, other = (people.groups[name] for name in what)
        people.regroup("".join(name[-1] for name in one | other))
    elif kind == "part":
        rest = people.groups[what[0]] - {what[0]}
        groups = ["".join(name[-1] for name in group) for group in (rest, {what[0]}) if group]
        people.regroup(*groups)
    elif orders:
        getattr(people, kind)(orders[what[0] % len(orders)])


@given(st.lists(STEP, max_size=40), st.sampled_from([EXAMPLE, SETTLED, replace(UNLOCK, version=1)]))
def test_in_every_life_each_person_counts_once(steps: list[Any], plan: Plan) -> None:
    people = People(plan)
    for step in steps:
        with suppress(RefusedError):
            live(people, step)
        people.check()


AGAIN = ["mem_g", "mem_h", "mem_i"]
"""Accounts with which persons come back who have closed one."""


class PeopleWhoReturn(People):
    """Some close their account and register again, as the same person."""

    def __init__(self, plan: Plan = EXAMPLE) -> None:
        super().__init__(plan)
        self.returned: dict[str, str] = {}
        self.closed: list[str] = []

    def close(self, name: str) -> None:
        """Close an account, once."""
        if name not in self.closed and name in self.groups:
            self.erase(name)
            self.closed.append(name)

    def register_again(self, number: int) -> None:
        """Whoever closed an account, if anybody has and is not back, registers anew."""
        gone = [name for name in self.closed if name not in self.returned.values()]
        fresh = [name for name in AGAIN if name not in self.returned]
        if gone and fresh:
            self.returned[fresh[0]] = gone[number % len(gone)]
            self.groups[fresh[0]] = frozenset({fresh[0]})
            together = self.groups[self.returned[fresh[0]]] | {fresh[0]}
            self.regroup("".join(name[-1] for name in sorted(together)))

    def persons_who_count(self, referrer: str, of: str = "counting") -> int:
        counting = {each for each in self.groups if getattr(self.position(each), of)}
        own = {each for each in counting if self.position(each).referrer == referrer}
        return len({self.groups[each] for each in own if referrer not in self.groups[each]})


ANYBODY: Any = st.sampled_from([*NAMES, *AGAIN])
RETURNING: Any = st.one_of(
    st.tuples(st.just("bind"), ANYBODY, ANYBODY),
    st.tuples(st.just("buy"), ANYBODY),
    st.tuples(st.just("settle"), st.integers(0, 9)),
    st.tuples(st.just("refund"), st.integers(0, 9)),
    st.tuples(st.just("verify"), ANYBODY),
    st.tuples(st.just("merge"), ANYBODY, ANYBODY),
    st.tuples(st.just("close"), ANYBODY),
    st.tuples(st.just("register_again"), st.integers(0, 9)),
)


@given(st.lists(RETURNING, max_size=40), st.sampled_from([EXAMPLE, SETTLED, replace(UNLOCK, version=1)]))
def test_in_every_life_who_returns_counts_for_nobody_again(steps: list[Any], plan: Plan) -> None:
    people = PeopleWhoReturn(plan)
    for step in steps:
        if any(name not in people.groups for name in step[1:] if isinstance(name, str)):
            continue  # not registered yet
        before = {name: people.position(name).counted for name in NAMES}
        with suppress(RefusedError, UnauthorizedError):
            if step[0] in ("close", "register_again"):
                getattr(people, step[0])(*step[1:])
            else:
                live(people, step)
        people.check()
        if step[0] == "register_again":
            assert {name: people.position(name).counted for name in NAMES} == before
        for name in people.returned:
            assert people.position(name).referrer is None
            assert people.returned[name] in people.position(name).same_person


def test_only_an_account_without_a_position_is_taken_for_one_that_comes_back() -> None:
    people = People()
    people.bind("mem_c", "mem_a")
    people.buy("mem_b", "mem_a")
    people.erase("mem_b")
    people.regroup("bcd")

    assert [people.position(name).has_paid for name in ("mem_c", "mem_d")] == [False, True]


def test_two_accounts_of_one_person_do_not_make_a_partner() -> None:
    people = People()
    people.buy("mem_a")
    people.buy("mem_b", "mem_a")
    people.regroup("bc")
    people.buy("mem_c", "mem_a")

    assert (people.position("mem_a").standing, people.position("mem_a").counted) == ("distributor", 1)
    people.regroup("b", "c")
    people.buy("mem_d", "mem_a")
    assert (people.position("mem_a").standing, people.position("mem_a").counted) == ("partner", 3)


def test_when_one_account_s_order_ends_the_other_s_counts_on() -> None:
    people = People()
    people.buy("mem_a")
    first = people.buy("mem_b", "mem_a")
    people.regroup("bc")
    second = people.buy("mem_c", "mem_a")
    people.refund(first)

    assert (people.position("mem_a").counted, people.position("mem_a").first) == (1, ("mem_c",))
    people.refund(second)
    assert (people.position("mem_a").counted, people.position("mem_a").first) == (0, ())


def test_nobody_counts_for_himself_nor_is_brought_by_himself() -> None:
    people = People()
    people.buy("mem_a")
    people.buy("mem_b", "mem_a")
    people.regroup("abc")

    assert people.position("mem_a").counted == 0
    with pytest.raises(RefusedError) as refused:
        people.bind("mem_c", "mem_b")
    assert refused.value.code == "INVITER_SELF"


def test_a_person_has_one_coupon_as_whichever_member() -> None:
    people = People(replace(UNLOCK, version=1))
    people.regroup("ab")
    for referrer, friends in (("mem_a", ("mem_c", "mem_d")), ("mem_b", ("mem_e", "mem_f"))):
        for friend in friends:
            people.bind(friend, referrer)
            count_verified(friend, network=people.network)

    assert [people.position(name).coupon for name in ("mem_a", "mem_b")] == ["granted", "none"]
    assert people.position("mem_b").coupon_elsewhere == people.position("mem_a").coupon_id


def test_a_repeat_of_a_regrouping_changes_nothing() -> None:
    people = People()
    people.buy("mem_b", "mem_a")
    people.regroup("bc")
    before = dict(people.network.positions)
    people.regroup("bc")

    assert people.network.positions == before


@pytest.mark.parametrize("seed", range(3))
def test_a_merge_that_is_undone_leaves_the_counts_that_would_be_without_it(seed: int) -> None:
    choice = random.Random(seed)
    people, apart = People(SETTLED), People(SETTLED)
    for each in (people, apart):
        each.buy("mem_a")
    people.regroup("bcd")
    for name in choice.sample(NAMES[1:], 5):
        for each in (people, apart):
            each.settle(each.buy(name, "mem_a"))
    people.regroup("b", "c", "d")

    for name in NAMES:
        assert people.position(name).counted == apart.position(name).counted
        assert people.position(name).counting == apart.position(name).counting


def test_two_orders_of_one_person_that_begin_or_end_at_once_count_once() -> None:
    """Between reading and writing of one order's count the other order's is written."""
    for first, second in (("pay", "pay"), ("pay", "refund"), ("refund", "pay"), ("refund", "refund")):
        people = People()
        people.regroup("bc")
        orders = {}
        for name, step in (("mem_b", first), ("mem_c", second)):
            people.bind(name, "mem_a")
            orders[name] = people.place(name)
            if step == "refund":
                people.pay(orders[name])

        def rival(people: People = people, step: str = second, order: Any = orders["mem_c"]) -> None:
            getattr(people, step)(order)

        people.network.rivals.append(rival)
        getattr(people, first)(orders["mem_b"])

        people.check()
        assert people.position("mem_a").counted == (first == "pay" or second == "pay")


def test_who_merges_with_the_own_referrer_does_not_begin_to_count_there() -> None:
    people = People()
    people.bind("mem_b", "mem_a")
    people.regroup("ab")
    people.pay(people.place("mem_b"))
    count_verified("mem_b", network=people.network)

    assert (people.position("mem_a").counted, people.position("mem_a").verified_referrals) == (0, 0)


def test_who_merges_with_the_own_referrer_is_no_referral_any_more() -> None:
    people = People()
    people.buy("mem_b", "mem_a")
    people.regroup("ab")

    assert (people.position("mem_a").counted, people.position("mem_a").first) == (0, ())


def test_one_person_counts_once_for_each_of_two_referrers() -> None:
    people = People()
    people.regroup("bc")
    for name, referrer in (("mem_b", "mem_a"), ("mem_c", "mem_d")):
        people.buy(name, referrer)
        count_verified(name, network=people.network)

    for referrer in ("mem_a", "mem_d"):
        assert (people.position(referrer).counted, people.position(referrer).verified_referrals) == (1, 1)


def test_a_coupon_from_before_the_merge_is_the_person_s_and_its_end_frees_both() -> None:
    people = People(replace(FREE_ORDER, version=1))
    people.buy("mem_a")
    friend = people.buy("mem_c", "mem_a")
    people.buy("mem_d", "mem_a")
    people.regroup("ab")
    people.buy("mem_b")
    people.buy("mem_e", "mem_b")
    people.buy("mem_f", "mem_b")

    assert [people.position(name).coupon for name in ("mem_a", "mem_b")] == ["granted", "none"]
    assert people.position("mem_a").coupon_elsewhere is None
    assert people.position("mem_b").coupon_elsewhere == people.position("mem_a").coupon_id
    people.refund(friend)
    assert [people.position(name).coupon_elsewhere for name in ("mem_a", "mem_b")] == [None, None]
