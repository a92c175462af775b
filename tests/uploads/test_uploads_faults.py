"""Whatever happens to the asking, the receiving, the publishing or the removal of an upload, the same again ends where
one undisturbed run does."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cardstock.flows import uploading_wiring
from tests.house import faults
from tests.house.cloud import Cloud
from tests.people import pictures
from tests.people.clock import TestClock
from tests.people.exports import Person
from tests.people.staff import supplier_key
from tests.people.tokens import access_token
from tests.people.uploads import Uploader

PHOTO = pictures.from_a_phone(6)


class Parties:
    """A member and a supplier who upload, on one account."""

    def __init__(self, cloud: Cloud, clock: TestClock) -> None:
        self.cloud, self.person = cloud, Person("anna", clock)
        self.anna = Uploader(cloud, clock, access_token(self.person.id))
        self.goods = Uploader(cloud, clock, supplier_key("sup_lights", "catalog:write"))

    def state(self) -> tuple[Any, ...]:
        """Every stored upload and every file."""
        items = sorted(self.cloud.items("uploads"), key=lambda item: str(item["pk"]))
        return items, self.anna.files(), self.anna.public()


@pytest.fixture
def parties(cloud: Cloud, clock: TestClock) -> Parties:
    return Parties(cloud, clock)


def hit(calls: list[str], restore: Callable[[], object], step: Callable[[], object]) -> Iterator[str]:
    """Let everything happen to every call of a step; says after each what it was."""
    for mode in faults.MODES:
        for index, call in faults.hit_each(calls, mode, restore, step):
            yield f"{mode} at {index} {call}"


def counted(parties: Parties) -> list[Any]:
    """How many uploads were counted; beside it the first answers are stored."""
    return [item for item in parties.cloud.items("requests") if item["pk"]["S"].startswith("count#")]


def test_an_asking_that_fails_anywhere_and_is_repeated_is_one_upload_counted_once(parties: Parties) -> None:
    before = parties.cloud.snapshot()
    with faults.watch() as calls:
        parties.anna.ask(key="k")
    undisturbed = parties.state(), counted(parties)
    tried = 0
    for what in hit(calls, before.restore, lambda: parties.anna.ask(key="k")):
        assert (what, parties.anna.ask(key="k").status) == (what, 201)
        assert (what, (parties.state(), counted(parties))) == (what, undisturbed)
        tried += 1

    gets, put = ["dynamodb.GetItem"] * 2, "dynamodb.PutItem"
    assert calls == [*gets, "dynamodb.TransactWriteItems", put]
    assert tried == 20


@pytest.mark.parametrize(
    ("purpose", "content", "ends"),
    [("after_sale", PHOTO, "ready"), ("after_sale", pictures.SVG, "refused"), ("product_file", pictures.PDF, "ready")],
)
def test_a_receiving_that_fails_anywhere_and_is_repeated_ends_as_one_that_did_not(
    purpose: str, content: bytes, ends: str, parties: Parties
) -> None:
    uploader = parties.anna if purpose == "after_sale" else parties.goods
    upload_id = str(uploader.ask(purpose).body["upload_id"])
    message = uploader.put(upload_id, content)
    before = parties.cloud.snapshot()
    with faults.watch() as calls:
        assert uploader.work(message) == 0
    undisturbed = parties.state()
    tried = 0
    for what in hit(calls, before.restore, lambda: uploader.work(message)):
        assert (what, uploader.work(message)) == (what, 0)
        assert (what, uploader.work(message)) == (what, 0)  # and once more
        assert (what, parties.state()) == (what, undisturbed)
        tried += 1

    assert uploader.stored(upload_id).state == ends
    assert [key for key in undisturbed[1] if key.startswith("incoming/")] == []
    assert tried >= 3 * len(calls)


def test_a_receiving_that_gets_no_answer_at_all_comes_again_and_refuses_nobody(parties: Parties) -> None:
    upload_id = str(parties.anna.ask().body["upload_id"])
    message = parties.anna.put(upload_id, PHOTO)
    before = parties.cloud.snapshot()
    with faults.watch() as calls:
        parties.anna.work(message)
    for index in range(len(calls)):
        before.restore()
        with faults.at(index, "lose_answer", times=faults.ALWAYS):
            assert (index, parties.anna.work(message)) == (index, 1)
        assert (index, parties.anna.work(message)) == (index, 0)
        assert parties.anna.stored(upload_id).state == "ready"


def test_a_publishing_that_fails_anywhere_and_is_repeated_has_every_file_public(parties: Parties) -> None:
    upload_id = parties.goods.send(PHOTO, "product_image")
    before = parties.cloud.snapshot()
    with faults.watch() as calls:
        assert parties.goods.publish(upload_id) == 0
    undisturbed = parties.state()
    tried = 0
    for what in hit(calls, before.restore, lambda: parties.goods.publish(upload_id)):
        assert (what, parties.goods.publish(upload_id)) == (what, 0)
        assert (what, parties.state()) == (what, undisturbed)
        tried += 1

    assert len(undisturbed[2]) == 3
    assert calls == ["dynamodb.GetItem", *["s3.CopyObject"] * 3, "dynamodb.UpdateItem"]
    assert tried == 3 * 5 + 2 * 2


def test_a_removal_that_fails_anywhere_and_is_repeated_leaves_nothing(parties: Parties) -> None:
    for purpose in ("after_sale", "card"):
        parties.anna.send(PHOTO, purpose)
    other = parties.goods.send(PHOTO, "product_image")
    before = parties.cloud.snapshot()

    def remove() -> int:
        return uploading_wiring.remove_uploads_of(parties.person.id)

    with faults.watch() as calls:
        assert remove() == 2
    undisturbed = parties.state()
    for what in hit(calls, before.restore, remove):
        remove()
        assert (what, parties.state()) == (what, undisturbed)

    assert [item["pk"]["S"] for item in undisturbed[0]] == [other]
    assert {key.split("/")[2] for key in undisturbed[1]} == {other}


def test_an_upload_that_is_removed_while_its_picture_is_made_leaves_no_file(
    parties: Parties, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = str(parties.anna.ask().body["upload_id"])
    message = parties.anna.put(upload_id, PHOTO)
    needs = uploading_wiring.receiving_needs()
    kept = needs.shrink

    class LateShrink:
        def __call__(self, *arguments: Any) -> Any:
            made = kept(*arguments)
            uploading_wiring.remove_uploads_of(parties.person.id)
            return made

    import msgspec
    from msgspec.structs import replace

    from cardstock import clock
    from cardstock.uploads.arrivals_queue import ArrivalsMessage, arrivals_in
    from cardstock.uploads.receiving import receive

    [arrival] = arrivals_in(msgspec.convert(message, ArrivalsMessage))
    outcome = receive(arrival, clock.now(), replace(needs, shrink=LateShrink()))

    assert outcome == "gone"
    assert parties.state() == ([], {}, {})
