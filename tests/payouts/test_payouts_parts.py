"""Big payouts: given away in parts, taken by the state machine of the template, which runs here, and put together."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cardstock import environment
from cardstock.payouts import wiring
from cardstock.payouts.channels.sandbox import SandboxTransfers, Way
from cardstock.payouts.lines import Line
from cardstock.payouts.model import PARTS
from cardstock.payouts.queue import QueuedPayoutMap
from functions.payouts.on_step import app as steps
from infra.local.engine import Clients
from infra.local.invoke import FunctionError
from infra.local.traffic import MachineInvoker, Traffic
from tests.house.cloud import Cloud, Context, names_here, queue_event, template
from tests.people.finance import PAYOUT, Finance, books, member_id

MEMBERS = 6


class HereAs:
    """The template's queues under their names in this test."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.put_aside: list[dict[str, str]] = []

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> dict[str, str]:
        if QueueUrl not in names_here():
            self.put_aside.append(json.loads(MessageBody))
            return {"MessageId": "aside"}
        sent: dict[str, str] = self._cloud.sqs.send_message(QueueUrl=names_here()[QueueUrl], MessageBody=MessageBody)
        return sent


class Called:
    """Runs the function in this process. `broken` are parts that fail."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.broken: set[str] = set()

    def invoke(self, function: Any, event: Any, *, request_id: str | None = None) -> Any:
        assert function.folder == "functions/payouts/on_step", request_id
        self.parts.append(event["part"])
        if event["part"] in self.broken:
            raise FunctionError(function.name, "UnavailableError", "STORE_BUSY")
        return steps.handler(event, Context())

    def close(self) -> None:
        return


class Map:
    """The pipe and its machine."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.queues, self.calls = cloud, HereAs(cloud), Called()
        (machine,) = template().machines
        self._machine = MachineInvoker(machine, template(), self.queues, self.calls, lambda _: None)

    def run(self) -> int:
        """Start an execution for each message; how many those were."""
        asked = self.cloud.messages(environment.text("PAYOUT_MAPS_QUEUE_URL"))
        for body in asked:
            self._machine.invoke(template().functions[0], queue_event("payout-maps", body))
        return len(asked)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "payout_map", lambda: QueuedPayoutMap(MEMBERS - 1))


@pytest.fixture
def sandbox() -> Iterator[SandboxTransfers]:
    wiring.set_transfer_transport(None)
    made = wiring.transfer_channel("sandbox")
    assert isinstance(made, SandboxTransfers)
    yield made
    wiring.set_transfer_transport(None)


def listed(finance: Finance, members: int = MEMBERS, channel: str = "bank_file") -> None:
    for index in range(members):
        finance.member(index, 50_000 + index)
    finance.open(channel)
    assert not finance.drain()
    assert finance.approve()[0] == 200
    assert not finance.drain()


def same_books(cloud: Cloud) -> Any:
    """Without when parts were given away, and without bank accounts, which are sealed anew each time."""
    state, files = books(cloud)
    for item in state["payouts"]:
        item.pop("bank", None)
        if "data" in item:
            item["data"].pop("spread_at")
    return state, files


def test_a_batch_in_parts_ends_in_the_books_and_files_of_one_that_was_sent_in_one_piece(
    finance: Finance, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cloud.snapshot()
    listed(finance)
    given_away = {line["status"] for line in finance.lines().values()}
    the_map = Map(cloud)
    executions = the_map.run()
    assert not finance.drain()
    finance.results(others=True)
    assert not finance.drain()
    in_parts = same_books(cloud)
    status = finance.payout()["status"]
    before.restore()
    finance.orders = 0
    monkeypatch.setattr(wiring, "payout_map", lambda: QueuedPayoutMap(MEMBERS))
    listed(finance)
    finance.results(others=True)
    assert not finance.drain()

    assert given_away == {"pending"}
    assert executions == 1
    assert the_map.calls.parts == list(PARTS)
    assert status == "settled"
    assert in_parts == same_books(cloud)
    finance.check_ledger()


def test_parts_are_given_away_once_an_hour_and_taken_twice_they_change_nothing(finance: Finance, cloud: Cloud) -> None:
    listed(finance)
    wiring.request_step(PAYOUT)
    finance.drain()
    first = Map(cloud)
    once = first.run()
    sent = books(cloud)
    for part in PARTS:
        assert steps.handler({"payout_id": PAYOUT, "part": part}, Context()) == {"more": False}
    again = books(cloud)
    finance.clock.move(minutes=59)
    wiring.request_step(PAYOUT)
    finance.drain()
    early = Map(cloud).run()

    assert (once, early) == (1, 0)
    assert again == sent


def test_what_an_execution_left_undone_is_given_away_again_after_an_hour(finance: Finance, cloud: Cloud) -> None:
    listed(finance)
    assert len(cloud.messages(environment.text("PAYOUT_MAPS_QUEUE_URL"))) == 1  # lost
    finance.poll(hours=1)

    assert Map(cloud).run() == 1
    assert {line["status"] for line in finance.lines().values()} == {"sent"}


def test_a_part_that_fails_is_put_aside_and_what_it_left_is_done_by_the_step_after_the_others(
    finance: Finance, cloud: Cloud
) -> None:
    listed(finance)
    the_map = Map(cloud)
    number = finance.lines()[member_id(3)]["number"]
    the_map.calls.broken = {number[6]}
    the_map.run()
    left = [line["number"] for line in finance.lines().values() if line["status"] == "pending"]
    finance.drain()

    assert number in left
    assert {other[6] for other in left} == {number[6]}
    assert the_map.calls.parts.count(number[6]) == 5
    assert the_map.queues.put_aside == [{"payout_id": PAYOUT, "part": number[6]}]
    assert {line["status"] for line in finance.lines().values()} == {"sent"}
    # Sent again from there, it finds nothing to do.
    assert steps.handler(queue_event("payout-steps", *the_map.queues.put_aside), Context()) == {"batchItemFailures": []}


def test_a_part_without_time_is_taken_again_by_the_map_and_by_the_queue(
    finance: Finance, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(finance)
    part = finance.lines()[member_id(3)]["number"][6]
    cloud.messages(environment.text("PAYOUT_STEPS_QUEUE_URL"))
    with monkeypatch.context() as patched:
        patched.setattr(steps, "STEP_SECONDS", -1)
        more = steps.handler({"payout_id": PAYOUT, "part": part}, Context())
        steps.handler(queue_event("payout-steps", {"payout_id": PAYOUT, "part": part}), Context())
    asked = cloud.messages(environment.text("PAYOUT_STEPS_QUEUE_URL"))

    assert more == {"more": True}
    assert asked == [{"payout_id": PAYOUT, "part": part}]
    assert steps.handler({"payout_id": PAYOUT, "part": part}, Context()) == {"more": False}


def test_channels_are_asked_in_parts_too(finance: Finance, cloud: Cloud, sandbox: SandboxTransfers) -> None:
    ways: tuple[Way, ...] = ("slow", "confirm", "failed", "paid", "silent", "slow")
    members = [member_id(index) for index in range(MEMBERS)]

    def script(line: Line) -> Way:
        return ways[members.index(line.member)]

    sandbox.script = script
    listed(finance, channel="sandbox")
    Map(cloud).run()
    finance.drain()
    handed_over = {member: line["status"] for member, line in finance.lines().items()}
    polled = finance.poll(hours=3)
    asked = Map(cloud)
    asked.run()
    finance.drain()
    after = {member: line["status"] for member, line in finance.lines().items()}

    assert [handed_over[member] for member in members] == ["sent", "waiting_user", "failed", "paid", "sent", "sent"]
    assert polled == 1
    assert asked.calls.parts == list(PARTS)
    assert [after[member] for member in members] == ["paid", "paid", "failed", "paid", "sent", "paid"]
    # What is silent was handed over again under its number, once by its part and never by the step after it.
    assert sandbox.handed_over[finance.lines()[members[4]]["number"]] == 2
    finance.check_ledger()


def test_a_batch_in_parts_stays_in_parts_when_the_brand_raises_how_many_one_function_takes(
    finance: Finance, cloud: Cloud, sandbox: SandboxTransfers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.script = lambda _: "slow"
    listed(finance, channel="sandbox")
    monkeypatch.setattr(wiring, "payout_map", lambda: QueuedPayoutMap(MEMBERS))
    assert len(cloud.messages(environment.text("PAYOUT_MAPS_QUEUE_URL"))) == 1  # lost
    finance.poll(hours=1)
    Map(cloud).run()
    finance.drain()
    sent = {line["status"] for line in finance.lines().values()}
    finance.poll(hours=3)
    Map(cloud).run()
    finance.drain()

    assert sent == {"sent"}
    assert finance.payout()["status"] == "settled"


def test_the_local_runtime_starts_the_machine_for_what_is_in_its_queue() -> None:
    nobody: Any = None
    traffic = Traffic(template(), clients=Clients(nobody, nobody, nobody, nobody, nobody), invoker=Called())
    queues = [runner.queue.logical_id.rsplit(".", 1)[-1] for runner in traffic.queues]

    assert queues.count("PayoutMaps") == 1


def test_as_many_lines_as_one_function_gets_through_are_not_given_away(finance: Finance, cloud: Cloud) -> None:
    listed(finance, members=MEMBERS - 1)

    assert Map(cloud).run() == 0
    assert {line["status"] for line in finance.lines().values()} == {"sent"}


@pytest.mark.parametrize("part", ["00", "u", "all", "REST", "0\n"])
def test_a_part_that_does_not_exist_is_refused(finance: Finance, part: str) -> None:
    listed(finance)
    with pytest.raises(ValueError, match="regex"):
        steps.handler({"payout_id": PAYOUT, "part": part}, Context())
    assert steps.handler(queue_event("payout-steps", {"payout_id": PAYOUT, "part": part}), Context()) == {
        "batchItemFailures": [{"itemIdentifier": "m0"}]
    }
