"""Many hands at the same items, on an engine that isolates transactions as AWS does: moto cannot race.

A test module names what it needs in `TABLES`, and its tests ask for `tables`.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from cardstock.aws import tables as base
from cardstock.errors import CardstockError, UnavailableError
from infra.local.engine import Engine
from tests.house.cloud import names_here, template

_HANDS = 16


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One for all that race: starting it takes longer than most of them."""
    log: Path = tmp_path_factory.mktemp("engine") / "engine.log"
    started = Engine.start(state=None, log=log, region=os.environ["AWS_REGION"])
    yield started
    started.stop()


@pytest.fixture
def tables(request: pytest.FixtureRequest, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tables of the test's module, empty, and this process's client at them."""
    client = boto3.client("dynamodb", endpoint_url=engine.endpoint)
    shapes = {names_here()[table.name]: table.definition for table in template().tables}
    for name in request.module.TABLES:
        client.create_table(TableName=name, **shapes[name])
    monkeypatch.setenv("AWS_ENDPOINT_URL", engine.endpoint)
    base.disconnect()
    yield
    base.disconnect()
    for name in request.module.TABLES:
        client.delete_table(TableName=name)
    client.close()


def at_once(*steps: Callable[[], Any]) -> list[Any]:
    """What each step gives, or the refusal that it ends with; a busy store is asked again, as clients and queues do."""

    def one(step: Callable[[], Any]) -> Any:
        while True:
            try:
                return step()
            except UnavailableError:
                continue
            except CardstockError as error:
                return error

    with ThreadPoolExecutor(_HANDS) as pool:
        return list(pool.map(one, steps))
