"""Random walks of a batch: steps that are killed anywhere, parts, results, retries, refunds. Stage and money agree."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar, get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from cardstock.clock import SystemClock, set_clock
from cardstock.errors import CardstockError
from cardstock.files import Document
from cardstock.ids import RequestKey
from cardstock.open_items.model import Decision
from cardstock.payouts import steps
from cardstock.payouts.approval import Approval, approve_batch
from cardstock.payouts.channels.bank_file import BankFile
from cardstock.payouts.channels.sandbox import SandboxTransfers, Way
from cardstock.payouts.contradictions import Clearing
from cardstock.payouts.lines import IN_FLIGHT, Line, LineStatus, Result
from cardstock.payouts.listing import LISTED
from cardstock.payouts.model import HANDED_OVER, PARTS, Batch, Rules, Stage
from cardstock.payouts.needs import StepNeeds
from cardstock.payouts.opening import Opener, open_batch
from cardstock.payouts.payees import BankTarget, Payee
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.ports import Channel
from cardstock.payouts.report.content import Report
from cardstock.payouts.report.draft import Draft
from cardstock.payouts.reporting import SETTLED, report_of
from cardstock.payouts.results import confirm_all, record_results
from cardstock.payouts.retrying import end_retries, retry_line
from cardstock.payouts.transfer_answers import Answer
from tests.people.clock import TestClock
from tests.people.memory_payouts import MemoryFiles, MemoryLedger, MemoryPayees, MemoryPayoutMap, MemoryPayouts
from tests.people.staff import unasked

PERIOD = Period("2026-11")
PAYOUT = batch_id(PERIOD)
TARGET = BankTarget("bac_1", "", "**** 7894", "bank", "branch", "sealed", "1")
MEMBERS = tuple(f"mem_{index}" for index in range(5))
PERSONS = {"mem_0": "prs_a", "mem_1": "prs_a"}
"""The first two members are one person."""
WAYS: tuple[Way, ...] = tuple(way for way in get_args(Way) if way != "down")


def payee(member: str) -> Payee:
    """A verified person who may be paid."""
    person = PERSONS.get(member)
    siblings = tuple(other for other in PERSONS if person and other != member and PERSONS[other] == person)
    return Payee(
        member, "张伟", f"6222 {member}", verified=True, of_age=True, person=person or member, siblings=siblings
    )


def content_of(report: Report) -> bytes:
    """Everything that a writer could print, and the hashes."""
    lines = [replace(line, bank=None, contradiction=None) for line in report.lines]
    return repr((lines, report.reconciliation, report.findings, report.controls, report.closed_at)).encode()


class Killed(BaseException):
    """The process ends here."""


class Fuse:
    """Kills the process at one of the next calls of a port, before or after the call has done its work."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.after = False

    def fuse_port(self, port: Any) -> Any:
        return Guarded(port, self)

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        blown = self.left == 0
        self.left = None if self.left is None else self.left - 1
        if blown and not self.after:
            raise Killed
        result = function(*args, **kwargs)
        if blown:
            raise Killed
        return result


class Guarded:
    """A port whose every call passes the fuse."""

    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port, self._fuse = port, fuse

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._fuse.call(self._port, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return (lambda *args, **kwargs: self._fuse.call(found, *args, **kwargs)) if callable(found) else found


class Walk(RuleBasedStateMachine):
    """One month's batch, and everything that can happen to it."""

    channel_name: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.clock = TestClock(PERIOD.ends + timedelta(hours=3))
        set_clock(self.clock)
        self.ledger = MemoryLedger()
        self.payouts = MemoryPayouts(self.ledger)
        self.files = MemoryFiles()
        self.fuse = Fuse()
        self.earned: Counter[str] = Counter()
        self.announced: list[str] = []
        self.payees = MemoryPayees(*map(payee, MEMBERS))
        self.requests = 0
        self.disputed = False
        self.holding: dict[str, bool] = {}
        self.last_said: dict[str, Result] = {}
        self.contradicted: set[str] = set()

    @initialize(
        fen=st.lists(st.integers(0, 3) | st.integers(900, 200_000), min_size=5, max_size=5),
        ways=st.lists(st.sampled_from(WAYS), min_size=10, max_size=10),
        above=st.sampled_from([100, 2, 0]),
        begins=st.sampled_from(["sent", "approved", "listed", "opened"]),
    )
    def open(self, fen: list[int], ways: list[Way], above: int, begins: str) -> None:
        for member, amount in zip(MEMBERS, fen, strict=True):
            self.earn(member, amount)
        script = {
            (member, attempt): ways[2 * index + attempt - 1]
            for index, member in enumerate(MEMBERS)
            for attempt in (1, 2)
        }
        sandbox = SandboxTransfers(lambda line: script[line.member, line.attempt])
        self.channel: Channel = BankFile(lambda *_: "6222021234567894") if self.channel_name == "bank_file" else sandbox
        self.disputed = self.channel_name == "sandbox" and bool({"late", "other_amount", "silent"} & set(ways))
        self.above = above
        rules = Rules(1_000, self.channel_name, 10, "labour", "labour-2019")
        open_batch(PERIOD, Opener("key_opener"), rules, self.payouts)
        if begins != "opened":
            self.run()
        if begins in ("approved", "sent") and self.batch.stage == "listed":
            self.approve("key_other")
        if begins == "sent":
            self.run()

    @property
    def batch(self) -> Batch:
        found = self.payouts.find_batch(PAYOUT)
        assert found is not None
        return found

    @property
    def lines(self) -> list[Line]:
        return list(self.payouts.lines_of_batch(PAYOUT))

    def earn(self, member: str, fen: int) -> None:
        self.ledger.earn(member, fen)
        self.earned[member] += fen

    def needs(self, chunks: int, *, in_parts: bool) -> StepNeeds:
        left = iter(range(chunks))
        fuse_port = self.fuse.fuse_port

        def announce(kind: str, batch: Batch) -> None:
            assert (kind == LISTED) == (batch.stage == "counted")
            self.announced.append(kind)

        def write(report: Report) -> Document:
            return Document("report.txt", "text/plain", content_of(report))

        def draft(found: Draft) -> Document:
            assert sum(row.listed for row in found.rows) == found.batch.listed_amount
            return Document("draft.txt", "text/plain", f"{found.batch.id} {found.rows}".encode())

        return StepNeeds(
            brand="Cardstock",
            payouts=fuse_port(self.payouts),
            ledger=self.ledger,
            payees=fuse_port(self.payees),
            bank_targets=lambda members, _: dict.fromkeys(members, TARGET),
            channel=lambda name: fuse_port(self.channel),
            files=fuse_port(self.files),
            writers=lambda: [write],
            draft_writers=lambda: [draft],
            open_changes=lambda _members, _now: {},
            contradictions=tuple,
            announce=fuse_port(announce),
            payout_map=fuse_port(MemoryPayoutMap(self.above)) if in_parts else None,
            enough_time=lambda: next(left, None) is not None,
        )

    def run(self, part: str = "", *, chunks: int = 99, killed_at: int | None = None, after: bool = False) -> bool:
        """One step; whether it asks for another one. A killed one does."""
        self.fuse.left, self.fuse.after = killed_at, after
        try:
            return steps.take(self.needs(chunks, in_parts=not part), PAYOUT, part)
        except Killed:
            return True
        finally:
            self.fuse.left = None

    @rule(chunks=st.sampled_from([0, 1, 99]), killed_at=st.none() | st.integers(0, 12), after=st.booleans())
    def step(self, chunks: int, killed_at: int | None, after: bool) -> None:
        self.run(chunks=chunks, killed_at=killed_at, after=after)

    @rule(killed_at=st.none() | st.integers(0, 12), after=st.booleans())
    def rest(self, killed_at: int | None, after: bool) -> None:
        self.run("rest", killed_at=killed_at, after=after)

    @precondition(lambda self: self.batch.stage in ("sending_parts", "asking_parts"))
    @rule(data=st.data(), killed_at=st.none() | st.integers(0, 12), after=st.booleans())
    def part(self, data: st.DataObject, killed_at: int | None, after: bool) -> None:
        parts = sorted({line.number[6] for line in self.lines} or {PARTS[0]})
        self.run(data.draw(st.sampled_from(parts)), killed_at=killed_at, after=after)

    @rule(approver=st.sampled_from(["key_opener", "key_other"]))
    def approve(self, approver: str) -> None:
        before = self.batch
        approval = Approval(approver, "", None, self.batch.listed, self.batch.listed_amount, approver.__ne__, unasked)
        done = self.attempt(
            lambda: approve_batch(PAYOUT, approval, self.request(), self.payouts),
            "APPROVER_OPENED_IT", "PAYOUT_STILL_OPENING",
        )  # fmt: skip
        assert done or self.batch == before

    @rule(data=st.data(), result=st.sampled_from(["paid", "failed", "expired"]), short=st.integers(0, 1))
    def bring(self, data: st.DataObject, result: Result, short: int) -> None:
        if not self.lines:
            return
        line = data.draw(st.sampled_from(self.lines))
        amount = line.net - short if result == "paid" else None
        answer = Answer(line.number, result, self.clock.now(), "key_finance", amount=amount)
        if line.number not in self.holding and line.number in self.payouts.answers_of_batch(PAYOUT):
            self.hear(line.number, "paid")  # as the whole file was confirmed
        if self.attempt(
            lambda: record_results(PAYOUT, [answer], self.payouts),
            "PAYOUT_NOT_SENT", "TRANSFER_UNKNOWN", "TRANSFER_WAITS", "FAILURE_BY_CHANNEL",
        ):  # fmt: skip
            self.disputed = self.disputed or bool(short) or self.channel_name == "sandbox"
            self.hear(line.number, result)

    @precondition(lambda self: bool(self.holding) and self.channel_name == "bank_file")
    @rule(data=st.data())
    def contradict(self, data: st.DataObject) -> None:
        """The bank says the other end of a transfer than the one that holds."""
        number = data.draw(st.sampled_from(sorted(self.holding)))
        result: Result = "failed" if self.holding[number] else "paid"
        record_results(PAYOUT, [Answer(number, result, self.clock.now(), "key_finance")], self.payouts)
        self.hear(number, result)

    def hear(self, number: str, result: Result) -> None:
        """What holds of a transfer, and what was last said of it: computed beside the code under test."""
        held, last = self.holding.get(number), self.last_said.get(number)
        self.last_said[number] = result
        if held is None:
            self.holding[number] = result == "paid"
        elif result != last and (result == "paid") != held:
            self.contradicted.add(number)

    @rule(data=st.data(), arrived=st.booleans(), killed_at=st.none() | st.integers(0, 1), after=st.booleans())
    def clear(self, data: st.DataObject, arrived: bool, killed_at: int | None, after: bool) -> None:
        """Two persons say what has become of a transfer whose results contradict each other."""
        marked = [line for line in self.lines if line.contradiction is not None]
        if not marked:
            return
        line = data.draw(st.sampled_from(marked))
        self.fuse.left, self.fuse.after = killed_at, after
        try:
            self.attempt(lambda: self.end(line, arrived=arrived), "RESULT_NOT_APPLIED")
        except Killed:
            self.fuse.left = None
            self.attempt(lambda: self.end(line, arrived=arrived), "RESULT_NOT_APPLIED")
        finally:
            self.fuse.left = None

    def end(self, line: Line, *, arrived: bool) -> None:
        """Clear a contradiction, as the second person's call does; a repeat after a kill changes nothing."""
        assert line.contradiction is not None
        item = self.payouts.items.find_item(line.contradiction.item)
        assert item is not None
        if item.state == "open":
            first, second = (Decision(by, self.clock.now(), "was_paid" if arrived else "was_not_paid", "letter")
                             for by in ("stf_1", "stf_2"))  # fmt: skip
            cleared = replace(item, state="cleared", requested=first, cleared=second, version=item.version + 1)
            clearing = Clearing(PAYOUT, line.number, item.id, arrived, self.clock.now(), ("stf_1", "stf_2"))
            self.fuse.call(self.payouts.book_clearing, clearing, cleared)
        self.holding[line.number] = arrived
        self.contradicted.discard(line.number)

    @invariant()
    def a_contradiction_stops_the_member_until_two_persons_have_cleared_it(self) -> None:
        for line in self.lines:
            if self.channel_name == "bank_file":
                assert (line.contradiction is not None) == (line.number in self.contradicted)
                if line.final and line.number in self.holding and line.status != "dropped":
                    assert (line.status == "paid") == self.holding[line.number]
            if line.contradiction is not None:
                assert line.member in self.payouts.disputed_members()

    @invariant()
    def a_written_report_stays_as_it_is(self) -> None:
        if self.payouts.find_batch(PAYOUT) is not None and self.batch.status == "settled":
            (written,) = (document.content for document in self.files.written.values() if document.name == "report.txt")
            report = report_of(self.batch, "Cardstock", self.payouts, self.ledger)
            assert content_of(report) == written

    @rule()
    def confirm(self) -> None:
        before = self.batch.stage
        if self.attempt(
            lambda: confirm_all(PAYOUT, "key_finance", self.payouts), "PAYOUT_NOT_SENT", "CHANNEL_SPEAKS_ITSELF"
        ):
            assert self.batch.stage == ("confirmed" if before == "with_bank" else before)

    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        if not self.lines:
            return
        line = data.draw(st.sampled_from(self.lines))
        self.attempt(
            lambda: retry_line(PAYOUT, line.number, "key_finance", self.request(), self.payouts),
            "PAYOUT_NOT_SENT", "PAYOUT_CLOSED", "RETRIED_ALREADY", "TRANSFER_NOT_FAILED",
        )  # fmt: skip

    @rule()
    def end_retries(self) -> None:
        """Finance ends the time for retries, which moves no money."""
        before = self.lines
        self.attempt(
            lambda: end_retries(PAYOUT, "key_finance", self.request(), self.payouts),
            "PAYOUT_NOT_SENT", "PAYOUT_NOT_FINAL",
        )  # fmt: skip
        assert self.lines == before

    @rule(member=st.sampled_from(MEMBERS), fen=st.integers(-60_000, 60_000))
    def move_money(self, member: str, fen: int) -> None:
        self.earn(member, fen)

    @rule(member=st.sampled_from(MEMBERS))
    def hold(self, member: str) -> None:
        self.payees.held ^= {member}

    @rule(hours=st.sampled_from([1, 3, 30, 80]))
    def wait(self, hours: int) -> None:
        self.clock.move(hours=hours)

    def attempt(self, call: Callable[[], object], *codes: str) -> bool:
        """Whether the call was not refused. Raises what it raises, except refusals with one of the codes."""
        try:
            call()
        except CardstockError as error:
            if error.code not in codes:
                raise
            return False
        return True

    def request(self) -> RequestKey:
        self.requests += 1
        return RequestKey(f"req_{self.requests}", "x")

    @invariant()
    def money_is_moved_and_never_made(self) -> None:
        for member, own in self.ledger.pockets.items():
            mine = [line for line in self.lines if line.member == member]
            assert own.total() == self.earned[member]
            assert own["paying"] == sum(line.gross for line in mine if line.status in IN_FLIGHT)
            assert own["paid"] == sum(line.net for line in mine if line.status == "paid")
            assert own["withheld"] == sum(line.tax for line in mine if line.status == "paid")

    @invariant()
    def stage_and_lines_agree(self) -> None:
        if self.payouts.find_batch(PAYOUT) is None:
            return
        batch, statuses = self.batch, {line.status for line in self.lines}
        untouched: tuple[Stage, ...] = ("listing", "counted", "listed", "approved")
        if batch.stage in untouched[:3]:
            assert statuses <= {"pending"}
        if batch.stage in HANDED_OVER:
            assert "pending" not in statuses
            assert batch.sent_at is not None
        if batch.stage in ("closed", "reported", "settled"):
            final: set[LineStatus] = {"paid", "failed", "expired", "dropped"}
            assert statuses <= final
            assert batch.books is not None
            assert batch.books.closes
        assert bool(batch.transfers) == (batch.stage in ("with_bank", "confirmed")) or batch.status != "open"
        assert bool(batch.reports) == (batch.stage in ("reported", "settled"))
        assert (batch.settled_at is not None) == (batch.stage in ("reported", "settled"))

    @invariant()
    def nothing_is_paid_without_a_second_person(self) -> None:
        if any(line.status not in ("pending", "dropped") for line in self.lines):
            assert self.batch.approved_by == "key_other"

    @invariant()
    def announcements_follow_the_stage(self) -> None:
        if self.payouts.find_batch(PAYOUT) is None:
            return
        assert (LISTED in self.announced) or self.batch.stage in ("listing", "counted")
        assert (SETTLED in self.announced) or self.batch.stage != "settled"
        assert SETTLED not in self.announced or self.batch.stage in ("reported", "settled")

    def teardown(self) -> None:
        if self.payouts.find_batch(PAYOUT) is not None:
            self.come_to_an_end()
            self.money_is_moved_and_never_made()
            self.stage_and_lines_agree()
        set_clock(SystemClock())

    def come_to_an_end(self) -> None:
        """Whatever has happened, steps bring the batch to its end, or to books that finance has to look at."""
        for _ in range(12):
            while self.run():
                pass
            if self.batch.stage == "listed":
                self.approve("key_other")
            for part in PARTS:
                self.run(part)
            while self.run("rest"):
                pass
            if self.batch.stage == "with_bank":
                self.confirm()
            for line in self.lines:
                if line.contradiction is not None and line.final:
                    self.end(line, arrived=line.gross % 2 == 0)
            self.clock.move(hours=40)
        self.money_is_moved_and_never_made()
        self.the_next_month_lists_what_is_left()
        assert self.batch.stage == "settled" or self.disputed, self.batch.stage

    def the_next_month_lists_what_is_left(self) -> None:
        """Nobody is listed with more than is available, nobody whose results contradict each other."""
        following = Period("2026-12")
        self.clock.set(following.ends + timedelta(hours=3))
        batch = open_batch(following, Opener("key_opener"), self.batch.rules, self.payouts)
        steps.take(self.needs(99, in_parts=False), batch.id, "")
        for line in self.payouts.lines_of_batch(batch.id):
            own = [one for one in self.lines if one.member == line.member]
            paid_out = sum(one.gross for one in own if one.status == "paid")
            in_flight = sum(one.gross for one in own if one.status in IN_FLIGHT)
            assert line.listed == self.earned[line.member] - paid_out - in_flight
            assert all(one.contradiction is None for one in own)


class BankWalk(Walk):
    channel_name = "bank_file"


class ChannelWalk(Walk):
    channel_name = "sandbox"


@pytest.mark.parametrize("walk", [BankWalk, ChannelWalk])
def test_stage_and_money_agree_whatever_happens(walk: type[Walk]) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        walk, settings=settings(max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=checks)
    )
