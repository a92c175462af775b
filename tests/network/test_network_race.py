"""Promotion is scarce: people who pay at the same moment, on an engine that isolates transactions as AWS does."""

from contextlib import suppress
from functools import partial

import pytest
from msgspec.structs import replace

from cardstock.errors import RefusedError
from cardstock.network import service
from cardstock.network.model import PublishedPlan
from cardstock.network.plans_store import DynamoPlans
from cardstock.network.store import DynamoNetwork
from tests.house.racing import at_once
from tests.people.network_world import EXAMPLE, Hands, World

pytestmark = pytest.mark.engine

TABLES = ("network", "plans")


@pytest.fixture
def network(tables: None) -> DynamoNetwork:
    return DynamoNetwork()


def shop(network: DynamoNetwork) -> World:
    """The test shop on tables."""
    world = World()
    world.network = network  # type: ignore[assignment]  # the other implementation of the same port
    world.plans = DynamoPlans()  # type: ignore[assignment]  # as above
    assert world.plans.publish(PublishedPlan(EXAMPLE, world.clock.now(), "test"), instead_of=None)
    return world


def test_many_recruits_who_pay_at_once_promote_exactly_once(network: DynamoNetwork) -> None:
    world = shop(network)
    world.appoint("R")
    world.buy("A", "R")
    facts = []
    for number in range(12):
        world.bind(f"B{number}", "A")
        order = world.place(f"B{number}")
        facts.append(replace(order.facts, paid_at=world.tick()))

    ends = at_once(*(partial(service.count_order, one, network=network, plans=world.plans) for one in facts))
    told = [event.id for events in ends for event in events]
    node = service.position("A", network=network)

    assert told == ["promote.A.1"]
    assert (node.role, node.counted, node.ascents, len(set(node.first))) == ("partner", 12, 1, 12)


def test_people_who_bind_to_each_other_at_once_make_no_loop(network: DynamoNetwork) -> None:
    clock = Hands()
    ring = [f"M{number}" for number in range(6)]

    def bind(index: int) -> str | None:
        with suppress(RefusedError):
            return service.bind_inviter(ring[index], ring[(index + 1) % 6], network=network, clock=clock).referrer
        return None

    bound = at_once(*(partial(bind, index) for index in range(6)))

    assert None in bound
    assert [service.position(member, network=network).referrer for member in ring] == bound
