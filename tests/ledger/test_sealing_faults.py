"""Whatever happens to a night of sealing, the next run ends in the seals of an undisturbed one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from moto.core.botocore_stubber import BotocoreStubber

from cardstock.aws import files as s3
from cardstock.ledger import sealing, wiring
from cardstock.ledger.payout_steps import claimed
from cardstock.ledger.sealing import note
from functions.ledger.nightly_seal import app
from tests.house import faults
from tests.house.cloud import Cloud, Context, Snapshot
from tests.people.clock import START, TestClock

NIGHT = START + timedelta(days=1)
ENTRIES = 30
"""More than a batch of 25, so that a batch can be lost between two others."""


@pytest.fixture
def midnight(cloud: Cloud, clock: TestClock) -> Iterator[TestClock]:
    """Midnight after a day with entries, of which one came twice: before its seal and after it."""
    s3.forget_client()
    clock.set(NIGHT)
    yield clock
    s3.forget_client()


State = tuple[dict[str, dict[str, Any]], dict[str, bytes]]


def begin(cloud: Cloud) -> Snapshot:
    """The state before the night."""
    first = claimed("n0", "mem_r", 1, START - timedelta(days=1))
    note(first, seals=wiring.seals())
    assert run()
    note(first, seals=wiring.seals())
    for number in range(1, ENTRIES + 1):
        note(claimed(f"n{number}", "mem_r", number, START), seals=wiring.seals())
    return cloud.snapshot()


def state(cloud: Cloud) -> State:
    rows = {json.dumps([item["pk"], item["sk"]]): item for item in cloud.items("statements")}
    listed = cloud.s3.list_objects_v2(Bucket="reports")["Contents"]
    keys = [entry["Key"] for entry in listed]
    return rows, {key: cloud.s3.get_object(Bucket="reports", Key=key)["Body"].read() for key in keys}


def points(calls: list[str]) -> list[tuple[int, str]]:
    """Where a fault can make a difference: of calls that only read, one after the other, the first."""
    reads = ("dynamodb.Query",)
    return [(at, call) for at, call in enumerate(calls) if not (at and call in reads and calls[at - 1] == call)]


def run() -> bool:
    """A tick; whether it was done."""
    try:
        tick = {"scheduled_at": NIGHT.isoformat()}
        return bool(app.handler(tick, Context(remaining_ms=900_000))["finished"])
    except Exception:
        return False


@pytest.mark.parametrize("mode", faults.MODES)
def test_a_night_that_is_hit_at_any_call_ends_in_the_same_seals(
    mode: faults.Mode, cloud: Cloud, midnight: TestClock
) -> None:
    before = begin(cloud)
    with faults.watch() as calls:
        assert run()
    rows, objects = state(cloud)
    expected = sealing.from_bytes(objects["seals/00000002.json"])
    assert len(expected.leaves) == ENTRIES
    decided = calls.index("s3.PutObject")

    for index, call in points(calls):
        if mode in ("conflict", "throttle") and not call.startswith("dynamodb."):
            continue
        before.restore()
        midnight.set(NIGHT)
        with faults.at(index, mode):
            faults.survive(run)
        midnight.move(minutes=1)
        assert run()

        found_rows, found = state(cloud)
        if index > decided:
            assert (found_rows, found) == (rows, objects), (mode, index, call)
        # Before the write that decides, it is the second run's seal: of a minute later, and the same otherwise.
        sealed = sealing.from_bytes(found["seals/00000002.json"])
        assert (found_rows.keys(), found.keys()) == (rows.keys(), objects.keys()), (mode, index, call)
        assert sealed.leaves == expected.leaves, (mode, index, call)
        assert sealing.recomputed_root(sealed) == sealed.seal.root
        assert wiring.seals().last_seal() == sealed.seal, (mode, index, call)


def test_a_run_that_is_overtaken_between_any_two_calls_makes_the_same_seals(cloud: Cloud, midnight: TestClock) -> None:
    before = begin(cloud)
    with faults.watch() as calls:
        assert run()
    expected = state(cloud)

    for index, call in points(calls):
        before.restore()
        with overtaken(index):
            assert run(), (index, call)

        assert state(cloud) == expected, (index, call)


@contextmanager
def overtaken(index: int) -> Iterator[None]:
    """Another run goes from its beginning to its end right before call `index` of this one."""
    original, seen = BotocoreStubber.__call__, iter(range(10**6))

    def between(self: Any, event_name: str, request: Any, **kwargs: Any) -> Any:
        if next(seen) == index:
            setattr(BotocoreStubber, "__call__", original)  # noqa: B010 - a plain assignment is refused by mypy
            assert run()
        return original(self, event_name, request, **kwargs)

    setattr(BotocoreStubber, "__call__", between)  # noqa: B010 - see above
    try:
        yield
    finally:
        setattr(BotocoreStubber, "__call__", original)  # noqa: B010 - see above
