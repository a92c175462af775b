"""The contracts of the ports of payouts, held by the tables and by the fakes in memory."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock import environment
from cardstock.aws.files import Files as StoredFiles
from cardstock.errors import CardstockError
from cardstock.files import Document
from cardstock.flows.paying_out import LedgerReads, PayoutLedger
from cardstock.ids import RequestKey
from cardstock.ledger import payout_store
from cardstock.open_items.clearing import clear_item
from cardstock.open_items.ports import OpenItems
from cardstock.open_items.store import DynamoOpenItems
from cardstock.payouts.books import Booking
from cardstock.payouts.contradictions import Clearing
from cardstock.payouts.lines import Line, Result, as_of, dropped, new_line, retried
from cardstock.payouts.model import PARTS, Batch, File, Rules, moved
from cardstock.payouts.payees import Balance
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.ports import Files, Ledger, PayoutMap, Payouts, TaxFiles
from cardstock.payouts.queue import QueuedPayoutMap
from cardstock.payouts.store import DynamoPayouts
from cardstock.payouts.tax.model import TaxFile
from cardstock.payouts.tax.store import DynamoTaxFiles
from cardstock.payouts.transfer_answers import Answer, answered
from tests.people.finance import FIRST, Finance
from tests.people.memory_payouts import MemoryFiles, MemoryLedger, MemoryPayoutMap, MemoryPayouts, MemoryTaxFiles
from tests.people.staff import unasked

CONTRACT = {
    Payouts: (MemoryPayouts, DynamoPayouts),
    Ledger: (MemoryLedger, PayoutLedger),
    TaxFiles: (MemoryTaxFiles, DynamoTaxFiles),
    Files: (MemoryFiles, StoredFiles),
    PayoutMap: (MemoryPayoutMap, QueuedPayoutMap),
}

RULES = Rules(1_000, "sandbox", 10, "labour", "labour-2019")
MEMBERS = ("mem_1", "mem_2", "mem_3")
ANSWERED = FIRST + timedelta(minutes=1)
EARNED = FIRST - timedelta(days=5)


class Brand:
    """The ports, members with 5 000 fen each, and a way to change what they have."""

    def __init__(self, payouts: Payouts, ledger: Ledger, items: OpenItems, earn: Callable[[str, int], None]) -> None:
        self.payouts, self.ledger, self.items, self.earn = payouts, ledger, items, earn
        for member in MEMBERS:
            earn(member, 5_000)
        self.batch = payouts.open_batch(new_batch("2026-11"))
        self.lines = [new_line(self.batch, Balance(member, 5_000)) for member in MEMBERS]
        payouts.add_lines(self.batch, self.lines)
        self.batch = payouts.replace_batch(moved(self.batch, "counted", listed_at=FIRST, listed=3))

    def available(self, member: str) -> int:
        return self.ledger.balances([member])[member].available

    def status(self, line: Line) -> str:
        return self.payouts.find_lines(line.batch, [line.number])[line.number].status

    def claimed(self, *lines: Line) -> list[Line]:
        sized = [sent(line) for line in lines]
        assert not self.payouts.claim_lines(sized, unchanged=None)
        return sized


def stored_ledger() -> Ledger:
    return PayoutLedger(
        LedgerReads(
            payout_store.open_balances,
            payout_store.balance_page,
            payout_store.paid_before,
            payout_store.available_of,
            payout_store.postings_of_transfers,
            payout_store.changes_of_members,
        )
    )


@pytest.fixture(params=["memory", "tables"])
def brand(request: pytest.FixtureRequest) -> Brand:
    if request.param == "memory":
        memory = MemoryLedger()
        payouts = MemoryPayouts(memory)
        return Brand(payouts, memory, payouts.items, lambda member, fen: memory.earn(member, fen, EARNED))
    made: Finance = request.getfixturevalue("finance")
    return Brand(DynamoPayouts(), stored_ledger(), DynamoOpenItems(), made.earn)


def new_batch(period: str) -> Batch:
    return Batch(batch_id(Period(period)), Period(period), "listing", RULES, "schedule", FIRST)


def sent(line: Line) -> Line:
    return replace(line, status="sent", gross=line.listed, tax=100, net=line.listed - 100, name="张伟", sent_at=FIRST)


def answer(line: Line, result: Result, **more: Any) -> Answer:
    return Answer(line.number, result, ANSWERED, "sandbox", **more)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(CardstockError) as refused:
        call()
    return refused.value.code


def test_a_batch_is_opened_once(brand: Brand) -> None:
    again = brand.payouts.open_batch(replace(new_batch("2026-11"), opened_by="key_other"))

    assert again == brand.batch == brand.payouts.find_batch(brand.batch.id)
    assert brand.payouts.find_batch("pay_209912") is None


def test_batches_are_paged_from_the_newest(brand: Brand) -> None:
    for period in ("2026-12", "2026-10", "2027-01"):
        brand.payouts.open_batch(new_batch(period))
    first, following = brand.payouts.batch_page(3, None)
    rest, end = brand.payouts.batch_page(3, following)
    found = brand.payouts.find_batches(["pay_202610", "pay_209912", "pay_202612"])

    assert [batch.id for batch in first] == ["pay_202701", "pay_202612", "pay_202611"]
    assert ([batch.id for batch in rest], end) == (["pay_202610"], None)
    assert [batch.id for batch in found] == ["pay_202612", "pay_202610"]


def test_a_batch_is_read_with_its_lines_by_number(brand: Brand) -> None:
    batch, lines = brand.payouts.batch_with_lines(brand.batch.id)
    nobody, none = brand.payouts.batch_with_lines("pay_209912")

    assert batch == brand.batch
    assert [line.number for line in lines] == sorted(line.number for line in brand.lines)
    assert (nobody, list(none)) == (None, [])


def test_a_change_from_an_older_version_is_refused(brand: Brand) -> None:
    changed = brand.payouts.replace_batch(moved(brand.batch, "listed"))

    assert changed.version == brand.batch.version + 1
    assert code_of(lambda: brand.payouts.replace_batch(replace(brand.batch, note="late"))) == "PAYOUT_CHANGED"
    assert brand.payouts.find_batch(brand.batch.id) == changed


def test_every_fact_of_a_batch_is_kept(brand: Brand) -> None:
    facts = {"note": "checked", "approved_by": "key_li", "approver": "Li", "approved_at": ANSWERED, "spread_at": FIRST}
    changed = brand.payouts.replace_batch(replace(brand.batch, **facts))

    assert brand.payouts.find_batch(brand.batch.id) == changed
    assert changed.approved_at == ANSWERED


def test_an_approval_is_remembered_with_its_request(brand: Brand) -> None:
    listed = brand.payouts.replace_batch(moved(brand.batch, "listed"))
    approved = moved(listed, "approved", approved_by="key_li", approved_at=FIRST)
    first = brand.payouts.approve_batch(approved, RequestKey("req_1", "a"), lambda _: None)
    again = brand.payouts.approve_batch(approved, RequestKey("req_1", "a"), lambda _: None)

    assert first == again == brand.payouts.find_batch(brand.batch.id)
    assert code_of(lambda: brand.payouts.check_reuse(RequestKey("req_1", "b"))) == "IDEMPOTENCY_KEY_REUSED"
    brand.payouts.check_reuse(RequestKey("req_1", "a"))


def test_nobody_is_added_once_the_batch_is_counted(brand: Brand) -> None:
    late = new_line(brand.batch, Balance("mem_9", 5_000))

    assert code_of(lambda: brand.payouts.add_lines(brand.batch, [late])) == "PAYOUT_CHANGED"
    assert len(list(brand.payouts.lines_of_batch(brand.batch.id))) == 3


def test_lines_that_are_there_stay_as_they_are(brand: Brand) -> None:
    batch = brand.payouts.open_batch(new_batch("2026-12"))
    first, second = (new_line(batch, Balance(member, 5_000)) for member in MEMBERS[:2])
    brand.payouts.add_lines(batch, [first])
    brand.payouts.add_lines(batch, [replace(first, listed=9), second])

    assert {line.member: line.listed for line in brand.payouts.lines_of_batch(batch.id)} == {
        "mem_1": 5_000, "mem_2": 5_000,
    }  # fmt: skip


def test_lines_are_read_by_part_page_number_member_and_key(brand: Brand) -> None:
    payouts, batch = brand.payouts, brand.batch
    numbers = sorted(line.number for line in brand.lines)
    parts = {line.number[6] for line in brand.lines}
    page, following = payouts.line_page(batch.id, 2, None)
    rest, end = payouts.line_page(batch.id, 2, following)
    one = brand.lines[0]

    in_parts = [line.number for part in parts for line in payouts.lines_of_batch(batch.id, part)]
    assert sorted(in_parts) == numbers
    assert [line.number for line in (*page, *rest)] == numbers
    assert end is None
    assert set(payouts.find_lines(batch.id, [one.number, "0" * 32])) == {one.number}
    assert payouts.lines_of_member(one.member, [batch]) == [one]
    assert payouts.lines_at([(batch.id, one.number), (batch.id, "0" * 32)]) == [one]


def test_a_claim_moves_the_gross_once(brand: Brand) -> None:
    [line] = brand.claimed(brand.lines[0])
    again = brand.payouts.claim_lines([line], unchanged=None)

    assert [refused.number for refused in again] == [line.number]
    assert brand.payouts.find_lines(line.batch, [line.number])[line.number] == line
    assert brand.available(line.member) == 0
    assert brand.ledger.bookings([line])[0] == {line.number: Booking(line.number, line.member, 5_000)}


def test_a_line_whose_member_has_less_by_now_is_refused_alone(brand: Brand) -> None:
    brand.earn("mem_2", -1)
    refused = brand.payouts.claim_lines([sent(line) for line in brand.lines], unchanged=None)

    assert [line.member for line in refused] == ["mem_2"]
    assert [brand.status(line) for line in brand.lines] == ["sent", "pending", "sent"]
    assert [brand.available(member) for member in MEMBERS] == [0, 4_999, 0]


def test_a_claim_that_was_decided_with_an_older_batch_claims_nothing(brand: Brand) -> None:
    brand.payouts.replace_batch(moved(brand.batch, "listed"))
    claim = [sent(brand.lines[0])]

    assert code_of(lambda: brand.payouts.claim_lines(claim, unchanged=brand.batch)) == "PAYOUT_CHANGED"
    assert brand.available("mem_1") == 5_000


def test_only_pending_lines_are_dropped(brand: Brand) -> None:
    first, second, _ = brand.lines
    brand.claimed(first)
    refused = brand.payouts.drop_lines([dropped(line, "hold", FIRST) for line in (first, second)])

    assert [line.number for line in refused] == [first.number]
    assert [brand.status(line) for line in (first, second)] == ["sent", "dropped"]


@pytest.mark.parametrize(("result", "available"), [("paid", 0), ("failed", 5_000), ("expired", 5_000)])
def test_a_final_answer_moves_the_money_once(brand: Brand, result: Result, available: int) -> None:
    [line] = brand.claimed(brand.lines[0])
    ended = answered(line, answer(line, result))
    other: Result = "failed" if result == "paid" else "paid"
    brand.payouts.finish_lines([ended])
    brand.payouts.finish_lines([ended])
    brand.payouts.finish_lines([answered(line, answer(line, other))])
    booked = brand.ledger.bookings([line])[0][line.number]

    assert brand.status(line) == result
    assert brand.available(line.member) == available
    assert (booked.claimed, booked.paid + booked.tax, booked.returned) == (5_000, 5_000 - available, available)


def test_a_line_may_wait_for_its_payee_before_it_ends(brand: Brand) -> None:
    [line] = brand.claimed(brand.lines[0])
    waiting = answered(line, answer(line, "waiting_user"))
    brand.payouts.finish_lines([waiting])
    stored = brand.payouts.find_lines(line.batch, [line.number])[line.number]
    brand.payouts.finish_lines([answered(waiting, answer(line, "paid"))])

    assert stored == waiting
    assert brand.status(line) == "paid"


@pytest.mark.parametrize(("first", "then"), [("failed", "paid"), ("paid", "failed")])
@pytest.mark.parametrize("arrived", [True, False])
def test_a_contradiction_marks_its_line_until_it_is_cleared_and_the_books_follow(
    brand: Brand, first: Result, then: Result, arrived: bool
) -> None:
    payouts, (line, *_) = brand.payouts, brand.claimed(*brand.lines)
    payouts.record_answers(line.batch, [answer(line, first)])
    payouts.finish_lines([answered(line, answer(line, first))])
    payouts.record_answers(line.batch, [answer(line, then)])
    (marked,) = payouts.lines_at([(line.batch, line.number)])

    assert marked.contradiction is not None
    assert (marked.contradiction.first, marked.contradiction.then, marked.contradiction.at) == (first, then, ANSWERED)
    assert marked.status == first
    assert payouts.disputed_members() == {line.member}
    assert list(payouts.corrected_lines(None, ANSWERED)) == []

    asked = clear_item(
        marked.contradiction.item, "was_paid" if arrived else "was_not_paid", "letter", "stf_1",
        can_approve=lambda _: True, confirm=unasked, items=brand.items, book=brand.items.save_item,
    )  # fmt: skip
    item = replace(asked, state="cleared", cleared=asked.requested, version=asked.version + 1)
    at = ANSWERED + timedelta(minutes=1)
    clearing = Clearing(line.batch, line.number, item.id, arrived, at, ("stf_1", "stf_2"))
    booked = [payouts.book_clearing(clearing, item) for _ in range(2)]
    (now,) = payouts.lines_at([(line.batch, line.number)])
    bookings, _ = brand.ledger.bookings([now])
    before, _ = brand.ledger.bookings([as_of(now, ANSWERED)])
    said = payouts.answers_of_batch(line.batch)[line.number]
    found = payouts.find_answers(line.batch, [line.number, "unknown"])
    changed = arrived != (first == "paid")

    assert booked == [True, False]
    assert (now.status == "paid", now.contradiction, payouts.disputed_members()) == (arrived, None, frozenset())
    assert [one.result for one in said] == [first, then, "paid" if arrived else "failed"]
    assert said[-1].decided
    assert found == {line.number: said}
    assert bookings[line.number] == booking(line, paid=arrived)
    assert before[line.number] == booking(line, paid=first == "paid")
    assert brand.available(line.member) == (0 if arrived else 5_000)
    assert list(payouts.corrected_lines(at, at + timedelta(hours=1))) == ([now] if changed else [])
    assert list(payouts.corrected_lines(None, at)) == []


def booking(line: Line, *, paid: bool) -> Booking:
    ended = {"paid": line.net, "tax": line.tax} if paid else {"returned": line.gross}
    return Booking(line.number, line.member, line.gross, **ended)


def test_answers_are_kept_in_their_order_and_a_repeat_is_none(brand: Brand) -> None:
    first, second, _ = brand.lines
    said = [answer(first, "paid", amount=4_900), answer(second, "failed", reason="CLOSED")]
    news = [brand.payouts.record_answers(brand.batch.id, said) for _ in range(2)]
    changed = brand.payouts.record_answers(brand.batch.id, [answer(first, "failed")])
    kept = brand.payouts.answers_of_batch(brand.batch.id)

    assert (news, changed) == ([2, 0], 1)
    assert {number: [one.result for one in answers] for number, answers in kept.items()} == {
        first.number: ["paid", "failed"], second.number: ["failed"],
    }  # fmt: skip
    assert kept[first.number][0] == said[0]
    assert set(brand.payouts.answers_of_batch(brand.batch.id, first.number[6])) >= {first.number}


def test_a_retry_is_added_with_its_batch_and_its_request(brand: Brand) -> None:
    listed = brand.payouts.replace_batch(moved(brand.batch, "listed"))
    approved = brand.payouts.replace_batch(moved(listed, "approved"))
    batch = brand.payouts.replace_batch(moved(approved, "sending"))
    again, request = retried(replace(brand.lines[0], gross=5_000), "key_li"), RequestKey("req_1", "a")
    first = brand.payouts.add_retry(moved(batch, "sending"), again, request, FIRST)
    repeat = brand.payouts.add_retry(moved(batch, "sending"), again, request, FIRST)
    stored = brand.payouts.find_batch(batch.id)

    assert (first, repeat) == ((again, False), (again, True))
    assert stored is not None
    assert stored.version == batch.version + 1
    assert code_of(lambda: brand.payouts.add_retry(batch, again, RequestKey("req_1", "b"), FIRST)) == (
        "IDEMPOTENCY_KEY_REUSED"
    )


def test_the_retry_that_replaced_a_line_is_found_by_the_line(brand: Brand) -> None:
    listed = brand.payouts.replace_batch(moved(brand.batch, "listed"))
    approved = brand.payouts.replace_batch(moved(listed, "approved"))
    batch = brand.payouts.replace_batch(moved(approved, "sending"))
    failed, other = (replace(line, status="failed", gross=4_000) for line in brand.lines[:2])
    again = retried(failed, "key_li")
    before = brand.payouts.replacements([failed, other])
    brand.payouts.add_retry(moved(batch, "sending"), again, RequestKey("req_1", "a"), FIRST)
    stored = brand.payouts.find_lines(batch.id, [again.number])[again.number]

    assert before == {}
    assert stored == again
    assert (stored.listed, stored.limit) == (failed.listed, 4_000)
    assert brand.payouts.replacements([failed, other]) == {failed.number: again.number}
    assert brand.payouts.replacements([replace(failed, status="paid"), other, again]) == {}


def test_a_retry_of_a_batch_that_has_changed_is_refused(brand: Brand) -> None:
    brand.payouts.replace_batch(moved(brand.batch, "listed"))
    again = retried(replace(brand.lines[0], gross=5_000), "key_li")

    assert code_of(lambda: brand.payouts.add_retry(brand.batch, again, RequestKey("req_1", "a"), FIRST)) == (
        "PAYOUT_CHANGED"
    )
    assert not brand.payouts.find_lines(brand.batch.id, [again.number])


def test_the_ledger_has_all_balances_by_page(brand: Brand) -> None:
    brand.earn("mem_2", -5_000)
    seen, after = [], None
    while True:
        page, after = brand.ledger.balance_page(2, after)
        assert len(page) <= 2
        seen += page
        if after is None:
            break

    assert sorted((found.member, found.available) for found in seen) == [
        ("mem_1", 5_000), ("mem_2", 0), ("mem_3", 5_000),
    ]  # fmt: skip


def test_the_ledger_knows_who_was_ever_paid(brand: Brand) -> None:
    claimed = brand.claimed(*brand.lines[:2])
    brand.payouts.finish_lines([answered(claimed[0], answer(claimed[0], "paid")),
                                answered(claimed[1], answer(claimed[1], "failed"))])  # fmt: skip

    assert brand.ledger.paid_before([*MEMBERS, "mem_9"]) == {"mem_1"}


def test_the_ledger_knows_who_has_money_and_who_owes(brand: Brand) -> None:
    brand.earn("mem_2", 1)
    brand.earn("mem_3", -5_001)

    assert {found.member: found.available for found in brand.ledger.open_balances()} == {
        "mem_1": 5_000, "mem_2": 5_001, "mem_3": -1,
    }  # fmt: skip
    assert {member: found.available for member, found in brand.ledger.balances(["mem_3", "mem_9"]).items()} == {
        "mem_3": -1,
    }  # fmt: skip


def test_what_is_booked_under_a_number_is_told_in_sums_and_postings(brand: Brand) -> None:
    paid, failed, pending = brand.lines
    brand.claimed(paid, failed)
    ends: tuple[tuple[Line, Result], ...] = ((paid, "paid"), (failed, "failed"))
    brand.payouts.finish_lines([answered(sent(line), answer(line, result)) for line, result in ends])
    sums, postings = brand.ledger.bookings([sent(paid), sent(failed), pending])

    assert sums == {
        paid.number: Booking(paid.number, "mem_1", 5_000, 4_900, 100),
        failed.number: Booking(failed.number, "mem_2", 5_000, returned=5_000),
    }
    assert sorted((found.member, found.kind, found.account, found.amount) for found in postings) == [
        ("mem_1", "claimed", "available", -5_000), ("mem_1", "claimed", "paying", 5_000),
        ("mem_1", "paid", "paid", 4_900), ("mem_1", "paid", "paying", -5_000), ("mem_1", "paid", "withheld", 100),
        ("mem_2", "claimed", "available", -5_000), ("mem_2", "claimed", "paying", 5_000),
        ("mem_2", "returned", "available", 5_000), ("mem_2", "returned", "paying", -5_000),
    ]  # fmt: skip
    assert {found.cause for found in postings} == {paid.number, failed.number}
    assert brand.ledger.bookings([]) == ({}, [])


@pytest.mark.parametrize(
    ("since", "until", "members"),
    [
        (None, ANSWERED, ["mem_3", "mem_1"]),
        (EARNED, EARNED + timedelta(milliseconds=1), ["mem_3", "mem_1"]),
        (EARNED + timedelta(milliseconds=1), ANSWERED, []),
        (None, EARNED, []),
    ],
)
def test_statements_are_read_by_member_and_time_without_transfers(
    brand: Brand, since: datetime | None, until: datetime, members: list[str]
) -> None:
    brand.claimed(*brand.lines)
    told = [found for found in brand.ledger.statements(["mem_3", "mem_1"], since, until) if found.kind == "released"]
    transfers = [found for found in brand.ledger.statements(["mem_1"], since, until) if found.kind == "claimed"]

    assert [(found.member, found.amount) for found in told if found.account == "available"] == [
        (member, 5_000) for member in members
    ]
    assert transfers == []


@pytest.fixture(params=["memory", "tables"])
def tax_files(request: pytest.FixtureRequest) -> TaxFiles:
    if request.param == "memory":
        return MemoryTaxFiles()
    request.getfixturevalue("cloud")
    return DynamoTaxFiles()


def test_a_quarter_is_stored_once_and_the_newest_come_first(tax_files: TaxFiles) -> None:
    file = File("tax.csv", "tax/2026-Q3/tax.csv", "text/csv", 12, "ab" * 32)
    stored = [
        TaxFile(quarter, FIRST, ("pay_202609",), 2, 100_000, 4_000, (file,))
        for quarter in ("2026-Q3", "2025-Q4", "2026-Q1")
    ]
    for one in stored:
        tax_files.add_tax_file(one)
    tax_files.add_tax_file(replace(stored[0], persons=9))

    assert tax_files.newest_tax_files(limit=2) == [stored[0], stored[2]]
    assert [one.quarter for one in tax_files.newest_tax_files(limit=9)] == ["2026-Q3", "2026-Q1", "2025-Q4"]


@pytest.fixture(params=["memory", "bucket"])
def files(request: pytest.FixtureRequest) -> Files:
    if request.param == "memory":
        return MemoryFiles()
    request.getfixturevalue("finance")
    return StoredFiles(environment.text("REPORTS_BUCKET"))


def test_a_file_is_written_once(files: Files) -> None:
    document = Document("report.txt", "text/plain", b"one")
    files.put_once("payouts/report.txt", document)
    files.put_once("payouts/report.txt", document)

    assert code_of(lambda: files.put_once("payouts/report.txt", replace(document, content=b"two"))) == "FILE_DIFFERS"
    assert "payouts/report.txt" in files.link("payouts/report.txt")
    assert code_of(lambda: files.link("payouts/other.txt")) == "NOT_FOUND"


@pytest.fixture(params=["memory", "queue"])
def asked_parts(request: pytest.FixtureRequest) -> tuple[PayoutMap, Callable[[], list[tuple[str, list[str]]]]]:
    """A map for batches above four lines, and a look at the parts that it was asked for."""
    if request.param == "memory":
        memory = MemoryPayoutMap(4)
        return memory, lambda: [(batch, list(parts)) for batch, parts in memory.asked]
    made: Finance = request.getfixturevalue("finance")

    def sent() -> list[tuple[str, list[str]]]:
        messages = made.cloud.messages(environment.text("PAYOUT_MAPS_QUEUE_URL"))
        return [(message["payout_id"], message["parts"]) for message in messages]

    return QueuedPayoutMap(4), sent


def test_each_part_of_a_batch_is_asked_for_and_again_after_a_repeat(
    asked_parts: tuple[PayoutMap, Callable[[], list[tuple[str, list[str]]]]],
) -> None:
    payout_map, asked = asked_parts
    batch = replace(new_batch("2026-11"), stage="sending_parts")
    payout_map(batch)
    payout_map(batch)

    assert payout_map.above == 4
    assert asked() == [(batch.id, list(PARTS))] * 2
