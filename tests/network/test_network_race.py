"""Promotion is scarce: people who pay at the same moment, on an engine that isolates transactions as AWS does."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from msgspec.structs import replace

from cardstock.errors import RefusedError
from cardstock.network.binding import bind_inviter
from cardstock.network.counting import count_order
from cardstock.network.deciding import position_of
from cardstock.network.plan import Check, PublishedPlan
from cardstock.network.plans_store import DynamoPlans
from cardstock.network.presets import CHAIN21
from cardstock.network.publishing import approve_plan, publish_approved_plan
from cardstock.network.store import DynamoNetwork
from tests.house.racing import at_once
from tests.people.referrals import EXAMPLE, Referrals

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("clock")]

TABLES = ("network", "plans")
CHECKS: tuple[Check, ...] = ("levels", "peer", "fee", "cap", "head_count")


@pytest.fixture
def network(tables: None) -> DynamoNetwork:
    return DynamoNetwork()


def stored_referrals(network: DynamoNetwork) -> Referrals:
    """Referrals whose network and plans are in tables."""
    shop = Referrals()
    shop.network = network  # type: ignore[assignment]  # the other implementation of the same port
    shop.plans = DynamoPlans()  # type: ignore[assignment]  # as above
    assert shop.plans.save_plan(PublishedPlan(EXAMPLE, shop.clock.now(), "test"), instead_of=None)
    return shop


def test_many_recruits_who_pay_at_once_promote_exactly_once(network: DynamoNetwork) -> None:
    shop = stored_referrals(network)
    shop.appoint("R")
    shop.buy("A", "R")
    facts = []
    for number in range(12):
        shop.bind(f"B{number}", "A")
        order = shop.place(f"B{number}")
        facts.append(replace(order.facts, paid_at=shop.tick()))

    ends = at_once(*(partial(count_order, one, network=network, plans=shop.plans) for one in facts))
    told = [event.id for events in ends for event in events]
    node = position_of("A", network=network)

    assert told == ["promote.A.1"]
    assert (node.role, node.counted, node.ascents, len(set(node.first))) == ("partner", 12, 1, 12)


def test_people_who_bind_to_each_other_at_once_make_no_loop(network: DynamoNetwork) -> None:
    ring = [f"M{number}" for number in range(6)]

    def bind(index: int) -> str | None:
        with suppress(RefusedError):
            return bind_inviter(ring[index], ring[(index + 1) % 6], network=network).referrer
        return None

    bound = at_once(*(partial(bind, index) for index in range(6)))

    assert None in bound
    assert [position_of(member, network=network).referrer for member in ring] == bound


def test_a_person_who_approves_many_times_at_once_approves_once(network: DynamoNetwork) -> None:
    plans = DynamoPlans()
    given = at_once(*(partial(approve_plan, CHAIN21, "fee", f"reason {n}", "stf_zhao", plans=plans) for n in range(12)))

    [stored] = plans.find_approvals(CHAIN21.digest)
    assert given == [stored] * 12


@pytest.mark.parametrize("turn", range(4))
def test_publishing_at_the_moment_of_the_approvals_keeps_all_of_them_or_is_refused(
    turn: int, network: DynamoNetwork
) -> None:
    plans = DynamoPlans()

    def publish() -> PublishedPlan | None:
        with suppress(RefusedError):
            return publish_approved_plan(CHAIN21, "stf_li", plans=plans, can_approve="stf_li".__ne__).made
        return None

    steps: list[Callable[[], object]] = [
        partial(approve_plan, CHAIN21, check, "pilot", "stf_zhao", plans=plans) for check in CHECKS
    ]
    steps[turn:turn] = [publish] * 6
    at_once(*steps)
    record = plans.plan_in_force()
    final = publish()

    assert final is not None
    assert record in {None, final}
    assert {approval.check for approval in final.approvals} == set(CHECKS)
    assert len(plans.list_plans(10, None)[0]) == 1
