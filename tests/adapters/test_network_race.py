"""Promotion is scarce: people who pay at the same moment, on an engine that isolates transactions as AWS does."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import boto3
import pytest
from msgspec.structs import replace

from cardstock.adapters.dynamodb import base
from cardstock.adapters.dynamodb.network import DynamoNetwork
from cardstock.adapters.dynamodb.plans import DynamoPlans
from cardstock.errors import RefusedError, UnavailableError
from cardstock.network import service
from cardstock.network.model import Event, OrderFacts, PublishedPlan
from infra.local.engine import Engine
from tests.cloud import names_here, template
from tests.unit.network_world import EXAMPLE, Hands, World

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    log: Path = tmp_path_factory.mktemp("engine") / "engine.log"
    started = Engine.start(state=None, log=log, region=os.environ["AWS_REGION"])
    yield started
    started.stop()


@pytest.fixture
def network(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoNetwork]:
    client = boto3.client("dynamodb", endpoint_url=engine.endpoint)
    wanted = {"network", "plans"}
    tables = {names_here()[table.name]: table.definition for table in template().tables}
    for name in wanted:
        client.create_table(TableName=name, **tables[name])
    monkeypatch.setenv("AWS_ENDPOINT_URL", engine.endpoint)
    base.disconnect()
    yield DynamoNetwork()
    base.disconnect()
    for name in wanted:
        client.delete_table(TableName=name)
    client.close()


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

    def pay(one: OrderFacts) -> tuple[Event, ...]:
        while True:
            try:
                return service.count_order(one, network=network, plans=world.plans)
            except UnavailableError:  # a queue would bring it again
                continue

    with ThreadPoolExecutor(12) as pool:
        told = [event.id for events in pool.map(pay, facts) for event in events]
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

    with ThreadPoolExecutor(6) as pool:
        bound = list(pool.map(bind, range(6)))

    assert None in bound
    assert [service.position(member, network=network).referrer for member in ring] == bound
