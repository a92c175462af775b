"""Whatever happens to a step of a payout: asked again, it ends in the books and files of an undisturbed run."""

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pynamodb.exceptions import PynamoDBException

from cardstock import bootstrap
from cardstock.adapters import s3, sqs
from cardstock.adapters.transfers.sandbox import SandboxTransfers, Way
from cardstock.errors import CardstockError
from cardstock.payouts.model import Line
from tests.cloud import Cloud
from tests.faults import layer as faults
from tests.payouts_office import FIRST, Office, clock_at, member_id

TABLES = ("payouts", "ledger", "balances", "statements")
STEPS = ("list", "send", "settle")
HANDED_OVER: dict[str, tuple[Way, ...]] = {
    "hand_over": ("paid", "silent", "confirm"),
    "hear": ("slow", "confirm", "failed"),
    "call_back": ("stuck", "taken", "lapse"),
}
"""What the channel says, payee by payee, when these steps are taken: at once, three hours later, four days later."""


@pytest.fixture
def sandbox() -> Iterator[SandboxTransfers]:
    bootstrap.transfer_channel.cache_clear()
    made = bootstrap.transfer_channel("sandbox")
    assert isinstance(made, SandboxTransfers)
    yield made
    bootstrap.transfer_channel.cache_clear()


def prepare_channel(office: Office, sandbox: SandboxTransfers, step: str) -> Callable[[], Any]:
    """Bring a payout right before a step in which the channel matters."""
    ways = HANDED_OVER[step]
    members = [office.member(index, 50_000 + index) for index in range(len(ways))]

    def script(line: Line) -> Way:
        return ways[members.index(line.member)]

    sandbox.script = script
    office.open("sandbox")
    office.advance(only_csv=True)
    office.approve()
    if step != "hand_over":
        office.advance(only_csv=True)
        office.clock.at += timedelta(hours=3 if step == "hear" else 96)
    return lambda: office.advance(only_csv=True)


def prepare(office: Office, step: str) -> Callable[[], Any]:
    """Bring a payout right before `step`; gives what carries the step out."""
    for index, fen in enumerate((500_000, 60_000, 5_000)):
        office.member(index, fen)
    office.tick()
    if step == "list":
        return lambda: office.advance(only_csv=True)
    office.advance(only_csv=True)
    office.earn(member_id(1), -1_000)
    office.earn(member_id(2), -5_000)
    office.approve()
    if step == "send":
        return lambda: office.advance(only_csv=True)
    office.advance(only_csv=True)
    office.results({"number": office.lines()[member_id(1)]["number"], "result": "failed"}, others=True)
    return lambda: office.advance(only_csv=True)


def books(cloud: Cloud) -> Any:
    """Money and payouts, whatever the number of writes of a batch's head; and every file."""
    state = {table: sorted(cloud.items(table), key=str) for table in TABLES}
    for item in state["payouts"]:
        item.pop("version", None)
        if "data" in item:
            item["data"] = {key: value for key, value in json.loads(item["data"]["S"]).items() if key != "version"}
    found = cloud.s3.list_objects_v2(Bucket="reports").get("Contents", [])
    return state, [(entry["Key"], entry["ETag"]) for entry in found]


class Snapshot:
    """The tables that a payout writes, as they are now, to start from again: thirty times faster than a new account."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._items = {table: cloud.items(table) for table in TABLES}
        self._files = {entry["Key"] for entry in self._stored()}

    def _stored(self) -> Any:
        return self._cloud.s3.list_objects_v2(Bucket="reports").get("Contents", [])

    def restore(self) -> None:
        for table, items in self._items.items():
            for item in self._cloud.items(table):
                key = {name: item[name] for name in ("pk", "sk") if name in item and table in ("payouts", "statements")}
                self._cloud.dynamodb.delete_item(TableName=table, Key=key or {"pk": item["pk"]})
            for item in items:
                self._cloud.dynamodb.put_item(TableName=table, Item=item)
        for entry in self._stored():
            if entry["Key"] not in self._files:
                self._cloud.s3.delete_object(Bucket="reports", Key=entry["Key"])


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("mode", faults.MODES)
def test_a_step_that_is_hit_at_any_call_ends_the_same(cloud: Cloud, step: str, mode: faults.Mode) -> None:
    sqs.forget_client()
    s3.forget_client()
    with clock_at(FIRST) as clock:
        office = Office(cloud, clock)
        run = prepare(office, step)
        before = Snapshot(cloud)
        with faults.watch() as calls:
            run()
        expected = books(cloud)
        office.check_ledger()
        assert len(calls) > 5

        for index, call in enumerate(calls):
            if mode in ("conflict", "throttle") and not call.startswith("dynamodb."):
                continue
            before.restore()
            with faults.at(index, mode), contextlib.suppress(CardstockError, PynamoDBException):
                faults.survive(run)
            run()

            assert books(cloud) == expected, (mode, index, call)
            office.check_ledger()


@pytest.mark.parametrize("step", HANDED_OVER)
@pytest.mark.parametrize("mode", faults.MODES)
def test_a_channel_that_leaves_things_open_is_given_each_number_once_more_and_the_books_end_the_same(
    cloud: Cloud, sandbox: SandboxTransfers, step: str, mode: faults.Mode
) -> None:
    sqs.forget_client()
    s3.forget_client()
    with clock_at(FIRST) as clock:
        office = Office(cloud, clock)
        run = prepare_channel(office, sandbox, step)
        before = Snapshot(cloud)

        def run_twice() -> None:
            # The poll of a quarter of an hour later: what was claimed and not handed over is found by it.
            run()
            run()

        with faults.watch() as calls:
            run()
        run()
        expected = books(cloud)
        office.check_ledger()
        assert len(calls) > 5
        assert office.payout()["status"] == ("sending" if step == "hand_over" else "settled")

        for index, call in enumerate(calls):
            if mode in ("conflict", "throttle") and not call.startswith("dynamodb."):
                continue
            before.restore()
            with faults.at(index, mode), contextlib.suppress(CardstockError, PynamoDBException):
                faults.survive(run)
            run_twice()

            assert books(cloud) == expected, (mode, index, call)
            office.check_ledger()
