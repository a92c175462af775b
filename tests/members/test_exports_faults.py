"""Whatever happens to the asking or the writing of an export, the same again ends where one undisturbed run does."""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cardstock.flows import exporting_wiring
from tests.house import faults
from tests.house.cloud import Cloud, Snapshot
from tests.people.clock import TestClock
from tests.people.exports import Exporter, Person


class Account:
    """A member with an export, at some point of its way."""

    def __init__(self, exporter: Exporter) -> None:
        self.exporter = exporter
        self.anna: Person = exporter.person("anna", phone_code="dev:+8613800138000")
        self.anna.send("POST", "/v1/cards", {"versions": {"default": {"name": "Anna"}}}, key="card")

    def ask(self) -> str:
        answer = self.exporter.ask(self.anna.id, "k")
        return str(answer.body.get("export_id", ""))

    def state(self) -> tuple[Any, list[str]]:
        """The export's item, and the stored files."""
        items = [item for item in self.exporter.cloud.items("members") if item["pk"]["S"].startswith("export#")]
        return items, self.exporter.files()


@pytest.fixture
def account(cloud: Cloud, clock: TestClock) -> Account:
    return Account(Exporter(cloud, clock))


def hit(calls: list[str], restore: Callable[[], object], step: Callable[[], object]) -> Iterator[str]:
    """Let everything happen to every call of a step; says after each what it was."""
    for mode in faults.MODES:
        for index, call in faults.hit_each(calls, mode, restore, step):
            yield f"{mode} at {index} {call}"


def test_an_asking_that_fails_anywhere_and_is_repeated_is_one_export_that_is_queued(account: Account) -> None:
    before = account.exporter.cloud.snapshot()
    with faults.watch() as calls:
        account.ask()
    undisturbed = account.state()
    sent = account.exporter.messages()[:1]

    def restore() -> None:
        before.restore()
        account.exporter.messages()

    tried = 0
    for what in hit(calls, restore, account.ask):
        assert account.ask(), what
        assert (what, account.state()) == (what, undisturbed)
        messages = account.exporter.messages()
        assert (what, messages[:1]) == (what, sent)
        assert all(message == messages[0] for message in messages), what
        tried += 1
    assert {call for call in calls if call.startswith("sqs")} == {"sqs.SendMessage"}
    assert tried == 8  # both calls, in every way


def test_a_writing_that_fails_anywhere_and_is_repeated_is_one_file_that_the_item_describes(account: Account) -> None:
    account.ask()
    (message,) = account.exporter.messages()
    account.exporter.clock.move(seconds=30)
    before = account.exporter.cloud.snapshot()
    with faults.watch() as calls:
        assert account.exporter.work(message) == 0
    undisturbed = account.state()
    (file,) = undisturbed[1]
    content = account.exporter.content(account.anna.id, message["export_id"])
    stored = json.loads(undisturbed[0][0]["file"]["S"])
    tried = 0
    for what in hit(calls, before.restore, lambda: account.exporter.work(message)):
        assert (what, account.exporter.work(message)) == (what, 0)
        assert (what, account.exporter.work(message)) == (what, 0)  # and once more, which comes too late
        assert (what, account.state()) == (what, undisturbed)
        tried += 1

    assert (stored["size"], stored["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert file == f"exports/{account.anna.id}/{message['export_id']}.json"
    assert {call for call in calls if call.startswith("s3")} == {"s3.PutObject"}
    assert tried > 60


def test_of_two_workers_with_one_message_the_first_file_stays_and_is_what_the_item_says(account: Account) -> None:
    """The second one has read something else: a profile that was changed meanwhile."""
    export_id = account.ask()
    (message,) = account.exporter.messages()
    account.exporter.clock.move(seconds=30)
    with faults.watch() as calls:
        before = account.exporter.cloud.snapshot()
        account.exporter.work(message)
    put = calls.index("s3.PutObject")
    before.restore()
    with faults.at(put, "kill_after"):
        assert faults.survive(lambda: account.exporter.work(message)) is None
    first = account.exporter.content(account.anna.id, export_id)
    account.anna.send("PUT", "/v1/me", {"nickname": "Changed"})

    assert account.exporter.send(account.anna.id, "GET", f"/{export_id}").body["state"] == "waiting"
    assert account.exporter.work(message) == 0
    found = account.exporter.send(account.anna.id, "GET", f"/{export_id}").body
    assert account.exporter.content(account.anna.id, export_id) == first
    assert b"Changed" not in first
    assert (found["state"], found["sha256"]) == ("ready", hashlib.sha256(first).hexdigest())


def test_a_deletion_that_fails_anywhere_and_is_repeated_leaves_nothing(account: Account) -> None:
    account.ask()
    (message,) = account.exporter.messages()
    account.exporter.clock.move(seconds=30)
    account.exporter.work(message)
    bert = account.exporter.person("bert")
    theirs = account.exporter.make(bert.id)
    before: Snapshot = account.exporter.cloud.snapshot()

    def delete() -> int:
        return exporting_wiring.delete_exports_of(account.anna.id)

    with faults.watch() as calls:
        assert delete() == 1
    undisturbed = account.state()
    tried = 0
    for what in hit(calls, before.restore, delete):
        delete()
        assert (what, account.state()) == (what, undisturbed)
        tried += 1

    assert [item["pk"]["S"] for item in undisturbed[0]] == [f"export#{theirs}"]
    assert undisturbed[1] == [f"exports/{bert.id}/{theirs}.json"]
    assert account.exporter.work(message) == 0  # a message that comes late
    assert account.state() == undisturbed
    assert tried > 10


@pytest.mark.parametrize("service", ["s3", "sqs"])
def test_a_service_that_gives_no_answer_is_refused_by_name_and_nothing_is_lost(account: Account, service: str) -> None:
    if service == "sqs":
        with faults.watch() as calls:
            account.ask()
        first = calls.index("sqs.SendMessage")
        answer = account.exporter
        with faults.at(first, "lose_answer", times=faults.ALWAYS):
            refused = answer.ask(account.anna.id, "other")
        assert (refused.status, refused.body["code"]) == (503, "QUEUE_UNAVAILABLE")
        return
    account.ask()
    (message,) = account.exporter.messages()
    account.exporter.clock.move(seconds=30)
    with faults.watch() as calls:
        before = account.exporter.cloud.snapshot()
        account.exporter.work(message)
    before.restore()
    with faults.at(calls.index("s3.PutObject"), "lose_answer", times=faults.ALWAYS):
        assert account.exporter.work(message) == 1
    assert account.exporter.send(account.anna.id, "GET", f"/{message['export_id']}").body["state"] == "waiting"
    assert account.exporter.work(message) == 0


def test_no_link_is_given_while_the_store_of_files_is_away(account: Account) -> None:
    export_id = account.exporter.make(account.anna.id)
    with faults.watch() as calls:
        account.exporter.send(account.anna.id, "GET", f"/{export_id}")
    with faults.at(calls.index("s3.HeadObject"), "lose_answer", times=faults.ALWAYS):
        refused = account.exporter.send(account.anna.id, "GET", f"/{export_id}")

    assert (refused.status, refused.body["code"]) == (503, "STORE_UNAVAILABLE")
