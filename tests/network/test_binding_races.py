"""A member has one referrer, bound before the first paid order: two verbs at once, in every order of their calls."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.errors import RefusedError
from cardstock.network.binding import bind_inviter
from cardstock.network.counting import count_order
from cardstock.network.deciding import position_of
from cardstock.network.model import OrderFacts
from cardstock.network.plan import PublishedPlan
from cardstock.network.plans_store import DynamoPlans
from cardstock.network.store import DynamoNetwork
from tests.house import faults
from tests.house.cloud import Cloud
from tests.house.interleave import every_way
from tests.people.clock import TestClock
from tests.people.referrals import EXAMPLE, Referrals

NETWORK, PLANS = DynamoNetwork(), DynamoPlans()


@pytest.fixture
def referrals(cloud: Cloud, clock: TestClock) -> Referrals:
    """R and S are partners, A is R's distributor; M has nobody and has bought nothing."""
    shop = Referrals()
    shop.network = NETWORK  # type: ignore[assignment]  # the other implementation of the same port
    shop.plans = PLANS  # type: ignore[assignment]  # as above
    assert PLANS.save_plan(PublishedPlan(EXAMPLE, shop.clock.now(), "test"), instead_of=None)
    shop.appoint("R")
    shop.appoint("S")
    shop.buy("A", "R")
    return shop


def bind(inviter: str) -> Any:
    return bind_inviter("M", inviter, network=NETWORK).referrer


def binding_events(cloud: Cloud) -> list[str]:
    return sorted(item["pk"]["S"] for item in cloud.items("network") if "bind.M" in item["pk"]["S"])


def paid(referrals: Referrals, *, qualifying: bool = True) -> Callable[[], object]:
    """M's first order, placed before any binding, becomes paid."""
    facts: OrderFacts = replace(referrals.place("M").facts, paid_at=referrals.tick())
    if not qualifying:
        facts = replace(facts, qualifying_net=0)
    return partial(count_order, facts, network=NETWORK, plans=PLANS)


@pytest.mark.parametrize(("one", "two"), [("A", "S"), ("R", "S"), ("A", "R")])
def test_two_bindings_at_once_leave_one_referrer_and_its_owner(
    referrals: Referrals, cloud: Cloud, one: str, two: str
) -> None:
    bound = set()
    before = cloud.snapshot()
    for run in every_way(lambda: [lambda: bind(one), lambda: bind(two)], before.restore):
        position = position_of("M", network=NETWORK)
        [refused] = [end for end in run.ends if isinstance(end, Exception)]
        bound.add(position.referrer)

        assert getattr(refused, "code", refused) == "INVITER_BOUND", run
        assert position.referrer in run.ends
        assert position.owner == {"A": "R", "R": "R", "S": "S"}[position.referrer or ""]
        assert len(binding_events(cloud)) == 1

    assert bound == {one, two}


def test_one_binding_twice_at_once_is_one_binding(referrals: Referrals, cloud: Cloud) -> None:
    before = cloud.snapshot()
    for run in every_way(lambda: [lambda: bind("A"), lambda: bind("A")], before.restore):
        assert run.ends == ("A", "A"), run
        assert len(binding_events(cloud)) == 1


@pytest.mark.parametrize("qualifying", [True, False])
def test_a_binding_and_the_first_paid_order_at_once_end_as_one_after_the_other(
    referrals: Referrals, cloud: Cloud, qualifying: bool
) -> None:
    pay, ends = paid(referrals, qualifying=qualifying), set()
    before = cloud.snapshot()
    for run in every_way(lambda: [lambda: bind("A"), pay], before.restore):
        position = position_of("M", network=NETWORK)
        bound, counted = run.ends
        assert not isinstance(counted, Exception), run
        assert position.has_paid
        if position.referrer is None:
            assert bound.code == "INVITER_TOO_LATE"
            assert (position.owner, binding_events(cloud)) == (None, [])
        else:
            # The order was placed before the binding: it stays without referrer, and counts M for nobody.
            assert (bound, position.referrer, position.owner) == ("A", "A", "R")
            assert len(binding_events(cloud)) == 1
        assert position_of("A", network=NETWORK).counted == 0
        with pytest.raises(RefusedError, match=r"INVITER_TOO_LATE|INVITER_BOUND"):
            bind("S")
        assert position_of("M", network=NETWORK) == position
        ends.add(position.referrer)

    assert ends == {"A", None}


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
def test_a_disturbed_binding_and_its_repeat_bind_once(referrals: Referrals, cloud: Cloud, mode: faults.Mode) -> None:
    before = cloud.snapshot()
    with faults.watch() as calls:
        bind("A")
    expected = cloud.state()
    for index in range(len(calls)):
        before.restore()
        with faults.at(index, mode):
            faults.survive(lambda: bind("A"))
        bind("A")

        assert cloud.state() == expected
        assert len(binding_events(cloud)) == 1
