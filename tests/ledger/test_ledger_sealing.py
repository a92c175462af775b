"""Sealing with plain fakes: every transaction once, whatever comes twice, late or at the same time; and its proof."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.clock import SystemClock, set_clock
from cardstock.errors import ConflictError, NotFoundError
from cardstock.ledger import merkle, sealing
from cardstock.ledger.audit import audit, confirmed
from cardstock.ledger.audit_model import Finding, Report, SealTruth
from cardstock.ledger.model import LedgerTransaction, Posting, account
from cardstock.ledger.payout_steps import claimed
from cardstock.ledger.sealing import SealingResult
from tests.people.clock import START, TestClock
from tests.people.memory_ledger import MemoryArchive, MemoryBooks, MemorySeals

NIGHT = START + timedelta(days=1)


def step(number: int, *, minutes: int = 0) -> LedgerTransaction:
    return claimed(f"n{number}", f"mem_{number % 3}", 100 + number, START + timedelta(minutes=minutes))


@pytest.fixture(scope="module", autouse=True)
def clock_restored() -> Iterator[None]:
    yield
    set_clock(SystemClock())


class Book:
    """A ledger with its seals."""

    def __init__(self, *steps: LedgerTransaction) -> None:
        self.seals, self.archive, self.clock = MemorySeals(), MemoryArchive(), TestClock(NIGHT)
        set_clock(self.clock)
        self.books = MemoryBooks(*steps)
        for transaction in steps:
            sealing.note(transaction, seals=self.seals)

    def late(self, transaction: LedgerTransaction) -> None:
        self.books.transactions[transaction.id] = transaction
        sealing.note(transaction, seals=self.seals)

    def seal(self, *, size: int = 4, times: int = 10**6, until: Any = NIGHT) -> SealingResult:
        left = iter([True] * min(times, 1000))
        return sealing.seal(
            until, seals=self.seals, archive=self.archive, time_left=lambda: next(left, False),
            size=size,
        )  # fmt: skip

    def prove(self, transaction_id: str, member_id: str) -> dict[str, Any]:
        return sealing.prove(transaction_id, member_id, books=self.books, seals=self.seals, archive=self.archive)

    def truths(self) -> list[SealTruth]:
        return [
            SealTruth(listed, sealing.from_bytes(self.archive.kept[number]) if number in self.archive.kept else None)
            for number, listed in sorted(self.seals.listed.items())
        ]

    def findings(self) -> set[tuple[str, str]]:
        """What an audit says of the seals."""
        report = audit(self.books.transactions.values(), [], [], [], [], seals=self.truths())
        about_seals = ("changed", "unsealed", "wrong_seal", "missing")
        return {(found.item, found.check) for found in report.findings if found.check in about_seals}

    def sealed_ids(self) -> list[list[str]]:
        kept = [sealing.from_bytes(content) for _, content in sorted(self.archive.kept.items())]
        return [[leaf.transaction_id for leaf in sealed.leaves] for sealed in kept]


def test_a_night_seals_everything_once_in_seals_of_a_bounded_size() -> None:
    book = Book(*(step(number, minutes=20 - number) for number in range(10)))

    done = book.seal()

    assert done == SealingResult(seals=3, transactions=10, finished=True)
    assert [len(ids) for ids in book.sealed_ids()] == [4, 4, 2]
    assert sorted(chain.from_iterable(book.sealed_ids())) == sorted(book.books.transactions)
    assert book.seals.waiting == {}
    for ids in book.sealed_ids():
        moments = [book.books.transactions[name].at for name in ids]
        assert moments == sorted(moments)
    assert book.findings() == set()


def test_each_root_stands_for_its_leaves_and_for_the_seal_before() -> None:
    book = Book(*(step(number) for number in range(6)))
    book.seal()
    first, second = (truth.kept for truth in book.truths())
    assert first is not None
    assert second is not None

    link = merkle.canonical(
        {
            "number": 2, "previous": first.seal.root, "count": 2, "first_at": "2026-12-01T08:00:00.000Z",
            "last_at": "2026-12-01T08:00:00.000Z", "made_at": "2026-12-02T08:00:00.000Z",
        }
    )  # fmt: skip
    leaves = [merkle.leaf_hash(link)]
    leaves += [
        merkle.leaf_hash(sealing.content_of(book.books.transactions[leaf.transaction_id])) for leaf in second.leaves
    ]
    assert first.seal.previous == merkle.GENESIS
    assert second.seal.root == merkle.tree_root(leaves).hex()


def test_nothing_new_makes_no_seal() -> None:
    book = Book(step(1))
    book.seal()

    assert book.seal() == SealingResult(0, 0, finished=True)
    assert len(book.archive.kept) == 1


def test_what_is_younger_than_the_margin_waits_for_the_next_night() -> None:
    young = replace(step(2), at=NIGHT - timedelta(minutes=14))
    book = Book(step(1), young)
    book.seal()
    before = book.sealed_ids()
    book.clock.move(days=1)

    book.seal(until=NIGHT + timedelta(days=1))

    assert before == [["claim.n1"]]
    assert book.sealed_ids() == [["claim.n1"], ["claim.n2"]]


def test_a_tick_from_the_future_seals_nothing_that_is_young() -> None:
    book = Book(replace(step(2), at=NIGHT - timedelta(minutes=1)))

    assert book.seal(until=NIGHT + timedelta(days=9)).transactions == 0


def test_what_arrives_late_is_in_the_next_seal() -> None:
    book = Book(step(1))
    book.seal()
    book.late(step(2))

    book.seal()

    assert book.sealed_ids() == [["claim.n1"], ["claim.n2"]]
    assert book.findings() == set()


def test_a_note_that_comes_again_after_its_seal_is_dropped() -> None:
    book = Book(step(1), step(2))
    book.seal()
    book.late(step(1))
    book.late(step(3))

    done = book.seal()

    assert done.transactions == 1
    assert book.sealed_ids() == [["claim.n1", "claim.n2"], ["claim.n3"]]
    assert book.seals.waiting == {}


def test_a_seal_that_was_written_and_not_taken_up_is_the_one_that_holds() -> None:
    book = Book(step(1), step(2))
    lost = Book(step(1), step(2))
    lost.clock.move(hours=-1)
    lost.seal()
    book.archive.kept[1] = lost.archive.kept[1]
    book.late(step(3))

    book.seal()

    assert book.archive.kept[1] == lost.archive.kept[1]
    assert book.sealed_ids() == [["claim.n1", "claim.n2"], ["claim.n3"]]
    assert book.findings() == set()


def test_a_seal_that_was_not_listed_is_listed_by_the_next_run_though_nothing_is_new() -> None:
    book = Book(step(1), step(2))
    twin = Book(step(1), step(2))
    twin.seal()
    book.archive.kept[1] = twin.archive.kept[1]
    book.seals.numbers.update(twin.seals.numbers)

    book.seal()

    assert book.seals.listed == twin.seals.listed
    assert book.seals.waiting == {}
    assert len(book.archive.kept) == 1


def test_without_time_left_the_next_run_goes_on() -> None:
    book = Book(*(step(number) for number in range(10)))

    first = book.seal(times=1)
    second = book.seal()

    assert first == SealingResult(1, 4, finished=False)
    assert second == SealingResult(2, 6, finished=True)
    assert book.findings() == set()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), max_size=12), min_size=1, max_size=5), st.integers(1, 9))
def test_whatever_comes_however_often_each_transaction_is_in_one_seal_and_can_be_proven(
    nights: list[list[int]], size: int
) -> None:
    book = Book()
    for noted in nights:
        for number in noted:
            book.late(step(number))
        book.seal(size=size)

    seen = {number for noted in nights for number in noted}
    assert sorted(chain.from_iterable(book.sealed_ids())) == sorted(f"claim.n{number}" for number in seen)
    assert book.findings() == set()
    for number in seen:
        proof = json.loads(json.dumps(book.prove(f"claim.n{number}", f"mem_{number % 3}")))
        published = book.seals.listed[proof["seal"]["number"]].root
        assert merkle.check_proof(proof, published) == []


# Proofs


@pytest.fixture
def proof() -> dict[str, Any]:
    book = Book(*(step(number) for number in range(7)))
    book.seal()
    proof: dict[str, Any] = json.loads(json.dumps(book.prove("claim.n5", "mem_2")))
    return proof


def changed(proof: dict[str, Any], *path: str, to: object) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(proof))
    place = copy
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to
    return copy


def test_a_proof_holds_with_its_published_root_and_no_other(proof: dict[str, Any]) -> None:
    root = proof["seal"]["root"]

    assert merkle.check_proof(proof) == []
    assert merkle.check_proof(proof, root) == []
    assert merkle.check_proof(proof, root.upper()) == []
    assert merkle.check_proof(proof, "ab" * 32) == [f"the root is {root}, not the published {'ab' * 32}"]


def test_anything_changed_in_a_proof_is_named(proof: dict[str, Any]) -> None:
    more = proof["transaction"].replace("-105", "-106")
    forged = changed(proof, "transaction", to=more)
    other_hash = merkle.leaf_hash(more.encode()).hex()
    wrongs = {
        "hashes to": forged,
        "audit path of the transaction": changed(forged, "leaf_hash", to=other_hash),
        "link, not a transaction": changed(proof, "leaf_index", to=0),
        "too short": changed(proof, "audit_path", to=proof["audit_path"][:-1]),
        "is not claim.n4": changed(proof, "transaction_id", to="claim.n4"),
        "seal before it": changed(proof, "seal", "previous", to="00" * 32),
        "of itself": changed(proof, "seal", "made_at", to="2026-12-01T08:00:00.000Z"),
        "not 9 leaves": changed(proof, "seal", "tree_size", to=9),
        "the format is": changed(proof, "format", to="cardstock-ledger-proof-2"),
    }

    for said, wrong in wrongs.items():
        found = merkle.check_proof(wrong)
        assert any(said in line for line in found), (said, found)


@pytest.mark.parametrize(
    "nonsense",
    [
        {}, {"format": merkle.FORMAT}, {"format": merkle.FORMAT, "seal": 7}, {"format": merkle.FORMAT, "seal": {}},
    ],
)  # fmt: skip
def test_what_is_no_proof_is_called_so(nonsense: dict[str, Any]) -> None:
    assert merkle.check_proof(nonsense)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("leaf_index", "3"), ("leaf_index", True), ("leaf_index", 10**30), ("audit_path", "ab"), ("audit_path", [1]),
        ("audit_path", ["ab"]), ("transaction", "[1]"), ("transaction", "{"), ("leaf_hash", None), ("seal", []),
    ],
)  # fmt: skip
def test_a_proof_with_a_field_of_another_kind_does_not_hold(name: str, value: object, proof: dict[str, Any]) -> None:
    assert merkle.check_proof(changed(proof, name, to=value))


def test_a_list_is_no_proof() -> None:
    assert merkle.check_proof([1])  # type: ignore[arg-type]  # what a file may hold


def test_a_proof_is_for_those_with_money_in_it_and_after_the_night() -> None:
    book = Book(step(5), step(6))
    with pytest.raises(ConflictError, match="NOT_SEALED_YET"):
        book.prove("claim.n5", "mem_2")
    book.seal()

    for transaction_id, member_id in (("claim.n5", "mem_1"), ("claim.n5", "mem"), ("claim.n9", "mem_2")):
        with pytest.raises(NotFoundError):
            book.prove(transaction_id, member_id)
    assert merkle.check_proof(book.prove("claim.n5", "mem_2")) == []


def test_a_ledger_that_was_changed_gives_a_proof_that_fails() -> None:
    book = Book(step(5), step(6))
    book.seal()
    taken = step(5)
    book.books.transactions[taken.id] = replace(
        taken, postings=(Posting(account("mem_2", "available"), -1), Posting(account("mem_2", "paying"), 1))
    )

    assert "hashes to" in merkle.check_proof(book.prove("claim.n5", "mem_2"))[0]


def test_a_transactions_bytes_are_the_same_for_ever() -> None:
    content = sealing.content_of(step(5))

    assert content == (
        b'{"at":"2026-12-01T08:00:00.000Z","cause":"n5","credits":[],"id":"claim.n5","kind":"claimed","order_id":"",'
        b'"plan":"","postings":[["member:mem_2:available",-105,null],["member:mem_2:paying",105,null]]}'
    )


# What an audit says


@pytest.fixture
def book() -> Book:
    made = Book(*(step(number) for number in range(6)))
    made.seal()
    return made


def test_a_changed_transaction_is_named(book: Book) -> None:
    book.books.transactions["claim.n2"] = replace(step(2), at=START + timedelta(milliseconds=1))

    assert book.findings() == {("ledger/claim.n2", "changed")}


def test_a_deleted_transaction_is_named(book: Book) -> None:
    del book.books.transactions["claim.n2"]

    assert book.findings() == {("ledger/claim.n2", "missing")}


def test_two_swapped_transactions_are_named(book: Book) -> None:
    booked = book.books.transactions
    booked["claim.n2"], booked["claim.n3"] = (
        replace(booked["claim.n3"], id="claim.n2"), replace(booked["claim.n2"], id="claim.n3"),
    )  # fmt: skip

    assert book.findings() == {("ledger/claim.n2", "changed"), ("ledger/claim.n3", "changed")}


def test_two_swapped_leaves_of_a_seal_are_named(book: Book) -> None:
    kept = sealing.from_bytes(book.archive.kept[1])
    one, two, *rest = kept.leaves
    book.archive.kept[1] = sealing.to_bytes(replace(kept, leaves=(two, one, *rest)))

    assert book.findings() == {("seals/1", "wrong_seal")}


def test_a_seal_that_was_made_anew_is_named_by_the_list_and_by_the_next_seal(book: Book) -> None:
    forger = Book(*(step(number) for number in range(3)))
    forger.seal()
    book.archive.kept[1] = forger.archive.kept[1]
    by_the_list = book.findings()
    book.seals.listed[1] = forger.seals.listed[1]

    assert ("seals/1", "wrong_seal") in by_the_list
    assert ("seals/2", "wrong_seal") in book.findings()


def test_a_seal_that_is_gone_is_named(book: Book) -> None:
    del book.archive.kept[1]
    without_object = book.findings()
    del book.seals.listed[1]

    assert ("seals/1", "missing") in without_object
    assert ("seals/2", "wrong_seal") in book.findings()


def test_a_transaction_that_was_never_sealed_is_named_after_two_days(book: Book) -> None:
    forgotten = replace(step(9), at=NIGHT)
    book.books.transactions[forgotten.id] = forgotten
    book.clock.set(NIGHT + timedelta(days=2))
    book.late(replace(step(10), at=NIGHT))
    book.seal(until=book.clock.now())
    within = book.findings()
    book.clock.move(days=1)
    book.late(replace(step(11), at=NIGHT))
    book.seal(until=book.clock.now())

    assert within == set()
    assert book.findings() == {("ledger/claim.n9", "unsealed")}


def test_a_transaction_in_two_seals_is_named(book: Book) -> None:
    del book.seals.numbers["claim.n2"]
    book.late(step(2))
    book.seal()

    assert book.findings() == {("ledger/claim.n2", "wrong_seal")}


def report(*items: str) -> Report:
    return Report(0, 0, 0, 0, 0, {}, tuple(Finding(item, "missing", "x", "y") for item in items))


def test_only_what_every_look_finds_counts() -> None:
    looks = iter([report("a", "b", "c"), report("a", "c", "d"), report("c", "d")])
    pauses: list[int] = []

    found = confirmed(lambda: next(looks), lambda: pauses.append(1))

    assert [finding.item for finding in found.findings] == ["c"]
    assert len(pauses) == 2


def test_one_look_is_enough_where_nothing_is_found() -> None:
    looks = iter([report("a"), report("b")])

    assert confirmed(lambda: next(looks), lambda: None).verified
    assert next(looks, None) is None
    assert confirmed(report, lambda: None).verified
