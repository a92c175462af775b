"""Payouts in memory: the ports of the payouts area on dicts, held to the same contract as the tables."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cardstock import clock
from cardstock.approving import UseOnce
from cardstock.errors import FILE_DIFFERS, IDEMPOTENCY_KEY_REUSED, NOT_FOUND
from cardstock.files import Document
from cardstock.ids import RequestKey, RequestResult
from cardstock.open_items.clearing import new_item
from cardstock.open_items.model import ConfirmedItem
from cardstock.payouts import errors
from cardstock.payouts.books import Booking, LedgerLine
from cardstock.payouts.contradictions import Clearing, cleared, contradicted, contradiction_cause, number_of
from cardstock.payouts.lines import IN_FLIGHT, MAX_ATTEMPTS, Line, OpenContradiction, replacements, transfer_number
from cardstock.payouts.model import BATCH_TRANSITIONS, ENDED, PARTS, Batch, LeftOut
from cardstock.payouts.payees import Balance, Payee
from cardstock.payouts.tax.model import TaxFile
from cardstock.payouts.transfer_answers import Answer, after_closing, repeats
from tests.people.memory_open_items import MemoryOpenItems

Pockets = Counter[str]
"""What a member has, by pocket: available, paying, paid, withheld."""


class MemoryLedger:
    """`payouts.ports.Ledger`, and the money that `MemoryPayouts` moves."""

    def __init__(self) -> None:
        self.pockets: dict[str, Pockets] = {}
        self.booked: dict[str, Booking] = {}
        self.postings: list[LedgerLine] = []

    def earn(self, member: str, fen: int, at: datetime | None = None) -> None:
        """Make `fen` available; below zero it is taken back. `at` is now unless it is given."""
        kind = "released" if fen > 0 else "clawed"
        self._post(kind, f"ord_{len(self.postings)}", member, at or clock.now(), available=fen)

    def claim(self, line: Line) -> bool:
        """Move the line's gross to paying; False if it is booked, or the member has less."""
        if line.number in self.booked or self._own(line.member)["available"] < line.gross:
            return False
        at = line.sent_at or clock.now()
        self._post("claimed", line.number, line.member, at, available=-line.gross, paying=line.gross)
        self.booked[line.number] = Booking(line.number, line.member, line.gross)
        return True

    def finish(self, line: Line) -> None:
        """Move the line's gross to paid and withheld, or back to available."""
        booking, at = self.booked[line.number], line.closed_at or clock.now()
        if line.status == "paid":
            self._post("paid", line.number, line.member, at, paying=-line.gross, paid=line.net, withheld=line.tax)
            self.booked[line.number] = replace(booking, paid=line.net, tax=line.tax)
        else:
            self._post("returned", line.number, line.member, at, paying=-line.gross, available=line.gross)
            self.booked[line.number] = replace(booking, returned=line.gross)

    def correct(self, line: Line) -> None:
        """Move the line's gross from paid and withheld to available, or back, as its last correction says."""
        one, sign = line.corrections[-1], 1 if line.status == "paid" else -1
        moved = {"available": -sign * line.gross, "paid": sign * line.net, "withheld": sign * line.tax}
        self._post("corrected", one.cause, line.member, one.at, **moved)

    def open_balances(self) -> Iterator[Balance]:
        yield from [Balance(member, own["available"]) for member, own in self.pockets.items() if own["available"]]

    def balance_page(self, limit: int, after: str | None) -> tuple[list[Balance], str | None]:
        known = sorted(member for member in self.pockets if after is None or member > after)
        page = [Balance(member, self.pockets[member]["available"]) for member in known[:limit]]
        return page, page[-1].member if len(known) > limit else None

    def paid_before(self, members: Sequence[str]) -> frozenset[str]:
        return frozenset(member for member in members if self._own(member)["paid"] or self._own(member)["withheld"])

    def balances(self, members: Sequence[str]) -> Mapping[str, Balance]:
        return {
            member: Balance(member, self.pockets[member]["available"]) for member in members if member in self.pockets
        }

    def bookings(self, lines: Sequence[Line]) -> tuple[Mapping[str, Booking], Sequence[LedgerLine]]:
        booked = {line.number: self.booked[line.number] for line in lines if line.number in self.booked}
        corrections = {one.cause for line in lines for one in line.corrections}
        postings = [
            posting
            for posting in self.postings
            if number_of(posting.cause) in booked and (posting.kind != "corrected" or posting.cause in corrections)
        ]
        for posting in postings:
            if posting.kind == "corrected":
                column = {"paid": "paid", "withheld": "tax", "available": "returned"}[posting.account]
                known = booked[number_of(posting.cause)]
                booked[known.number] = replace(known, **{column: getattr(known, column) + posting.amount})
        return booked, postings

    def statements(self, members: Sequence[str], since: datetime | None, until: datetime) -> Iterator[LedgerLine]:
        for member in members:
            for posting in self.postings:
                in_time = (since is None or since <= posting.at) and posting.at < until
                if posting.member == member and number_of(posting.cause) not in self.booked and in_time:
                    yield posting

    def _own(self, member: str) -> Pockets:
        return self.pockets.setdefault(member, Counter())

    def _post(self, kind: str, cause: str, member: str, at: datetime, **pockets: int) -> None:
        self._own(member).update(pockets)
        self.postings += [
            LedgerLine(member, at, f"{kind}.{cause}", kind, cause, pocket, fen)
            for pocket, fen in pockets.items()
            if fen
        ]


class MemoryPayouts:
    """`payouts.ports.Payouts`."""

    def __init__(self, ledger: MemoryLedger | None = None) -> None:
        self.ledger = ledger or MemoryLedger()
        self._batches: dict[str, Batch] = {}
        self._lines: dict[tuple[str, str], Line] = {}
        self._left_out: dict[tuple[str, str], LeftOut] = {}
        self.items = MemoryOpenItems()
        self._answers: dict[tuple[str, str], tuple[Answer, ...]] = {}
        self._requests: dict[str, tuple[str, str]] = {}

    def open_batch(self, batch: Batch) -> Batch:
        return self._batches.setdefault(batch.id, batch)

    def find_batch(self, batch_id: str) -> Batch | None:
        return self._batches.get(batch_id)

    def batch_with_lines(self, batch_id: str) -> tuple[Batch | None, Iterator[Line]]:
        found = self.find_batch(batch_id)
        return found, iter(()) if found is None else self.lines_of_batch(batch_id)

    def find_batches(self, batch_ids: Iterable[str]) -> list[Batch]:
        return [self._batches[one] for one in sorted(batch_ids, reverse=True) if one in self._batches]

    def batch_page(self, limit: int, before: str | None) -> tuple[list[Batch], str | None]:
        ids = sorted((one for one in self._batches if before is None or one < before), reverse=True)
        return [self._batches[one] for one in ids[:limit]], ids[limit - 1] if len(ids) > limit else None

    def replace_batch(self, batch: Batch) -> Batch:
        stored = self._batches.get(batch.id)
        if stored is None or stored.version != batch.version:
            raise errors.PAYOUT_CHANGED()
        assert batch.stage == stored.stage or batch.stage in BATCH_TRANSITIONS[stored.stage], (
            stored.stage,
            batch.stage,
        )
        self._batches[batch.id] = replace(batch, version=batch.version + 1)
        return self._batches[batch.id]

    def approve_batch(self, batch: Batch, request: RequestKey, use: UseOnce) -> Batch:
        if self._is_repeat(request):
            return self._batches[batch.id]
        changed = self.replace_batch(batch)
        self._remember(request, batch.id)
        return changed

    def end_retries(self, batch: Batch, request: RequestKey) -> Batch:
        return self.approve_batch(batch, request, lambda _: None)

    def add_retry(self, batch: Batch, line: Line, request: RequestKey, now: datetime) -> RequestResult[Line]:
        known = self._lines.get((line.batch, line.number))
        if self._is_repeat(request) or known is not None:
            return RequestResult(known or line, replayed=True)
        self.replace_batch(batch)
        self._remember(request, line.number)
        self._lines[line.batch, line.number] = line
        return RequestResult(line, replayed=False)

    def check_reuse(self, request: RequestKey) -> None:
        self._is_repeat(request)

    def add_lines(self, batch: Batch, lines: Sequence[Line]) -> None:
        if self._batches[batch.id].stage != "listing":
            raise errors.PAYOUT_CHANGED()
        for line in lines:
            self._lines.setdefault((line.batch, line.number), line)

    def add_left_out(self, batch: Batch, left_out: Sequence[LeftOut]) -> None:
        if left_out and self._batches[batch.id].stage != "listing":
            raise errors.PAYOUT_CHANGED()
        for one in left_out:
            self._left_out[batch.id, one.member] = one

    def find_left_out(self, batch_id: str, member: str) -> LeftOut | None:
        return self._left_out.get((batch_id, member))

    def left_out_of_batch(self, batch_id: str) -> Iterator[LeftOut]:
        yield from [self._left_out[key] for key in sorted(self._left_out) if key[0] == batch_id]

    def lines_of_batch(self, batch_id: str, part: str = "") -> Iterator[Line]:
        begins = batch_id.removeprefix("pay_") + part
        keys = sorted(key for key in self._lines if key[0] == batch_id and key[1].startswith(begins))
        yield from [self._lines[key] for key in keys]

    def replacements(self, lines: Sequence[Line]) -> Mapping[str, str]:
        batches = {line.batch for line in lines}
        retries = [line for batch in batches for line in self.lines_of_batch(batch) if line.attempt > 1]
        found = replacements([*lines, *retries])
        return {line.number: found[line.number] for line in lines if line.number in found}

    def line_page(self, batch_id: str, limit: int, after: str | None) -> tuple[list[Line], str | None]:
        lines = [line for line in self.lines_of_batch(batch_id) if after is None or line.number > after]
        return lines[:limit], lines[limit - 1].number if len(lines) > limit else None

    def find_lines(self, batch_id: str, numbers: Iterable[str]) -> Mapping[str, Line]:
        return {number: self._lines[batch_id, number] for number in numbers if (batch_id, number) in self._lines}

    def lines_of_member(self, member: str, batches: Sequence[Batch]) -> list[Line]:
        return self.lines_at(
            (batch.id, transfer_number(member, batch.period, attempt))
            for batch in batches
            for attempt in range(MAX_ATTEMPTS, 0, -1)
        )

    def lines_at(self, keys: Iterable[tuple[str, str]]) -> list[Line]:
        return [self._lines[key] for key in keys if key in self._lines]

    def claim_lines(self, lines: Sequence[Line], *, unchanged: Batch | None) -> Sequence[Line]:
        if unchanged is not None and self._batches[unchanged.id].version != unchanged.version:
            raise errors.PAYOUT_CHANGED()
        refused = []
        for line in lines:
            if self._stored(line).status == "pending" and self.ledger.claim(line):
                self._lines[line.batch, line.number] = line
            else:
                refused.append(line)
        return refused

    def drop_lines(self, lines: Sequence[Line]) -> Sequence[Line]:
        refused = [line for line in lines if self._stored(line).status != "pending"]
        self._lines |= {(line.batch, line.number): line for line in lines if line not in refused}
        return refused

    def finish_lines(self, lines: Sequence[Line]) -> None:
        for line in lines:
            if self._stored(line).status in IN_FLIGHT:
                if line.final:
                    self.ledger.finish(line)
                self._lines[line.batch, line.number] = line

    def record_answers(self, batch_id: str, answers: Sequence[Answer]) -> int:
        recorded = 0
        for answer in answers:
            key = (batch_id, answer.number)
            known = self._answers.get(key, ())
            if not repeats(answer, known):
                holding = contradicted(known, answer)
                if holding is not None and key in self._lines:
                    cause = contradiction_cause(answer.number, known)
                    line = self._lines[key]
                    facts = {"payout_id": line.batch}
                    item = new_item(
                        "payout_contradiction", cause, line.number,
                        amount_fen=line.net, member_id=line.member, facts=facts,
                    )  # fmt: skip
                    self.items.add_item(item)
                    mark = OpenContradiction(item.id, holding.result, answer.result, answer.received_at)
                    self._lines[key] = replace(self._lines[key], contradiction=mark)
                self._answers[key] = (*known, answer)
                recorded += 1
        return recorded

    def book_clearing(self, clearing: Clearing, item: Any) -> bool:
        key = (clearing.batch, clearing.number)
        at = after_closing(self._batches.get(clearing.batch), clearing.at)
        line = self._lines[key]
        after, decided = cleared(line, replace(clearing, at=at), self._answers[key])
        if not self.items.save_item(item.item if isinstance(item, ConfirmedItem) else item):
            return False
        batch = self._batches.get(clearing.batch)
        if batch is not None and batch.stage not in ENDED:
            self.replace_batch(batch)
        if after.corrections != line.corrections:
            self.ledger.correct(after)
        self._lines[key] = after
        self._answers[key] = (*self._answers[key], decided)
        return True

    def corrected_lines(self, since: datetime | None, until: datetime) -> Iterator[Line]:
        for key in sorted(self._lines):
            line = self._lines[key]
            if any((since is None or since <= one.at) and one.at < until for one in line.corrections):
                yield line

    def disputed_members(self) -> frozenset[str]:
        return frozenset(line.member for line in self._lines.values() if line.contradiction is not None)

    def find_answers(self, batch_id: str, numbers: Iterable[str]) -> Mapping[str, Sequence[Answer]]:
        return {number: self._answers[batch_id, number] for number in numbers if (batch_id, number) in self._answers}

    def answers_of_batch(self, batch_id: str, part: str = "") -> Mapping[str, Sequence[Answer]]:
        begins = batch_id.removeprefix("pay_") + part
        return {key[1]: said for key, said in self._answers.items() if key[0] == batch_id and key[1].startswith(begins)}

    def keep(self, batch: Batch) -> None:
        """Store a batch in whatever stage, as a test's past."""
        self._batches[batch.id] = batch

    def stored_lines(self) -> list[tuple[tuple[str, str], Line]]:
        """All lines with their keys."""
        return sorted(self._lines.items())

    def put_line(self, line: Line) -> None:
        """Store a line as it is, as a test's past."""
        self._lines[line.batch, line.number] = line

    def _stored(self, line: Line) -> Line:
        return self._lines[line.batch, line.number]

    def _is_repeat(self, request: RequestKey) -> bool:
        known = self._requests.get(request.id)
        if known is not None and known[0] != request.fingerprint:
            raise IDEMPOTENCY_KEY_REUSED()
        return known is not None

    def _remember(self, request: RequestKey, result: str) -> None:
        self._requests[request.id] = (request.fingerprint, result)


class MemoryPayees:
    """`payouts.ports.Payees`. `held`: members whose payouts an alarm stops; `of_age_from`: when some come of age."""

    def __init__(self, *payees: Payee) -> None:
        self.payees = {payee.member: payee for payee in payees}
        self.held: set[str] = set()
        self.of_age_from: dict[str, datetime] = {}

    def __call__(self, members: Sequence[str], now: datetime) -> Mapping[str, Payee]:
        return {member: self._as_of(self.payees[member], now) for member in members if member in self.payees}

    def _as_of(self, payee: Payee, now: datetime) -> Payee:
        of_age = payee.of_age and self.of_age_from.get(payee.member, now) <= now
        return replace(payee, hold=payee.hold or payee.member in self.held, of_age=of_age)


class MemoryPayoutMap:
    """`payouts.ports.PayoutMap`: a test takes the parts itself. `asked`: batch id and parts of each call."""

    def __init__(self, above: int) -> None:
        self.above = above
        self.asked: list[tuple[str, Sequence[str]]] = []

    def __call__(self, batch: Batch) -> None:
        assert batch.stage in ("sending_parts", "asking_parts")
        self.asked.append((batch.id, PARTS))


class MemoryTaxFiles:
    """`payouts.ports.TaxFiles`."""

    def __init__(self) -> None:
        self._files: dict[str, TaxFile] = {}

    def add_tax_file(self, file: TaxFile) -> None:
        self._files.setdefault(file.quarter, file)

    def newest_tax_files(self, *, limit: int) -> list[TaxFile]:
        return [self._files[quarter] for quarter in sorted(self._files, reverse=True)[:limit]]


class MemoryFiles:
    """`payouts.ports.Files`."""

    def __init__(self) -> None:
        self.written: dict[str, Document] = {}

    def put_once(self, key: str, document: Document) -> None:
        if self.written.setdefault(key, document).content != document.content:
            raise FILE_DIFFERS()

    def link(self, key: str) -> str:
        if key not in self.written:
            raise NOT_FOUND()
        return f"https://files.example.com/{key}"
