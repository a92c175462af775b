"""The content of a batch's report, printed by every writer (workbook, CSV, PDF), and the three-way reconciliation that
must agree before anything is printed.

Everything is a pure function of stored data, sorted, so that a batch always gives the same report.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec.structs import astuple, replace

from cardstock.clock import rfc3339
from cardstock.money import Fen
from cardstock.payouts.books import Booking, Difference, DifferenceCode, LedgerLine, Reconciliation, Totals
from cardstock.payouts.contradictions import number_of
from cardstock.payouts.lines import Line, replacements
from cardstock.payouts.model import Batch
from cardstock.payouts.tax.tables import TABLES, TaxTable
from cardstock.payouts.transfer_answers import Answer, BroughtBy, brought_by

_ADDED: Final = frozenset({"tax_month", "corrections", "at_most"})
"""Fields that rows of older releases do not have."""

FindingCode: TypeAlias = Literal["dropped", "shrunk", "failed", "expired", "incident", "retried", "corrected"]


class Finding(msgspec.Struct, frozen=True):
    """Something in a batch for a person to check. `reason` is the drop reason or the channel's own code; of a line of
    another batch that was corrected since the report before, its status before and after."""

    code: FindingCode
    member: str
    number: str
    amount: Fen
    reason: str


class Control(msgspec.Struct, frozen=True):
    """A control total over one part of the report: rows, sum, and the hash of the rows' canonical form."""

    name: str
    rows: int
    amount: Fen
    sha256: str


class Statement(msgspec.Struct, frozen=True):
    """One payee's period: the ledger's movements, and what this batch paid. All amounts in fen."""

    member: str
    name: str
    opening: Fen
    """Available when the statement begins; the movements since then lead from it to the listed amount."""
    credited: Fen
    released: Fen
    clawed: Fen
    lines: tuple[Line, ...]
    postings: tuple[LedgerLine, ...]

    @property
    def gross(self) -> Fen:
        return sum(line.gross for line in self.lines if line.status == "paid")

    @property
    def tax(self) -> Fen:
        return sum(line.tax for line in self.lines if line.status == "paid")

    @property
    def net(self) -> Fen:
        return sum(line.net for line in self.lines if line.status == "paid")


class Report(msgspec.Struct, frozen=True):
    """The content of a settled batch's report. `closed_at` is its date."""

    brand: str
    batch: Batch
    closed_at: datetime
    tax_tables: tuple[TaxTable, ...]
    """Those used, in order of their validity; the batch's own if it paid nothing."""
    statements: tuple[Statement, ...]
    reconciliation: Reconciliation
    """With each money counted once."""
    findings: tuple[Finding, ...]
    controls: tuple[Control, ...]
    brought: tuple[BroughtBy, ...]
    """Who brought results, until the batch was closed."""
    replaced: Mapping[str, str]
    """The number of the retry that replaced a line, by the line's number. No sum has a replaced line."""

    @property
    def lines(self) -> Iterable[Line]:
        """All lines, by member and attempt."""
        return (line for statement in self.statements for line in statement.lines)

    @property
    def postings(self) -> Iterable[LedgerLine]:
        """All ledger lines, by member and time."""
        return (posting for statement in self.statements for posting in statement.postings)


def reconcile(
    lines: Iterable[Line], bookings: Mapping[str, Booking], answers: Mapping[str, Sequence[Answer]]
) -> Reconciliation:
    """Compare ledger, batch and channel, number by number. `answers` holds each number's answers, oldest first.

    It fails closed: a line without a final answer, and a number that only one side knows, are differences too. The
    channel's latest answer counts: a final answer that contradicts an earlier one is a difference until the channel
    repeats the one that was applied. A wrong amount is a difference until the channel names the right one; a later
    answer without an amount does not correct it.
    """
    lines = list(lines)
    again = replacements(lines)
    differences: list[Difference] = []
    seen: set[str] = set()
    batch, ledger, channel, replaced = _Sum(), _Sum(), _Sum(), _Sum()
    for line in lines:
        seen.add(line.number)
        booking = bookings.get(line.number)
        said = answers.get(line.number, ())
        batch.add(line.gross, line.net, line.tax, line.status)
        if line.number in again:
            replaced.add(line.gross, line.net, line.tax, line.status)
        if booking is not None:
            ledger.book(booking)
        amount = _amount(said)
        if said:
            channel.add(line.gross, line.net if amount is None else amount, line.tax, said[-1].result)
        code = _difference(line, booking, said[-1] if said else None, amount)
        if code is not None:
            differences.append(_told(code, booking, line, said))
    for number in sorted((bookings.keys() | answers.keys()) - seen):
        found = bookings.get(number)
        if found is not None:
            ledger.book(found)
        differences.append(_told("UNLISTED", found, None, answers.get(number, ())))
    return Reconciliation(ledger.total(), batch.total(), channel.total(), tuple(differences), replaced.total())


def _amount(said: Sequence[Answer]) -> Fen | None:
    """The amount that the channel last named as paid; None if it named none."""
    return next((word.amount for word in reversed(said) if word.result == "paid" and word.amount is not None), None)


class _Sum:
    """Sums one book. Only lines whose money moved count."""

    def __init__(self) -> None:
        self.values = [0, 0, 0, 0, 0]

    def add(self, gross: Fen, net: Fen, tax: Fen, status: str) -> None:
        if status == "dropped":
            return
        paid, returned = status == "paid", status in ("failed", "expired")
        self._add(gross, net if paid else 0, tax if paid else 0, gross if returned else 0)

    def book(self, booking: Booking) -> None:
        self._add(booking.claimed, booking.paid, booking.tax, booking.returned)

    def _add(self, *amounts: Fen) -> None:
        for index, amount in enumerate((1, *amounts)):
            self.values[index] += amount

    def total(self) -> Totals:
        return Totals(*self.values)


def _difference(  # noqa: PLR0911 - one check per line
    line: Line, booking: Booking | None, answer: Answer | None, amount: Fen | None
) -> DifferenceCode | None:
    if line.gross != line.tax + line.net:
        return "ARITHMETIC"
    if line.status == "dropped":
        return None if booking is None and answer is None else "CLAIM"
    if booking is None or booking.claimed != line.gross:
        return "CLAIM"
    if answer is None or not line.final or answer.result == "waiting_user":
        return "UNANSWERED"
    if (line.status == "paid") != (answer.result == "paid"):  # two ways of not being paid agree
        return "OUTCOME"
    if line.status == "paid":
        if booking.tax != line.tax:
            return "TAX"
        if booking.paid != line.net or booking.returned:
            return "OUTCOME"
        return "AMOUNT" if amount not in (None, line.net) else None
    return None if booking.returned == line.gross and not booking.paid and not booking.tax else "OUTCOME"


def _told(code: DifferenceCode, booking: Booking | None, line: Line | None, said: Sequence[Answer]) -> Difference:
    known = line or booking or said[-1]
    ledger, batch = "-", "-"
    if booking is not None:
        ledger = f"claimed {booking.claimed} paid {booking.paid} tax {booking.tax} returned {booking.returned}"
    if line is not None:
        batch = f"{line.status} gross {line.gross} tax {line.tax} net {line.net}"
    channel = ", ".join(
        answer.result if answer.amount is None else f"{answer.result} {answer.amount}" for answer in said
    )
    return Difference(known.number, getattr(known, "member", ""), code, ledger, batch, channel or "-")


def assemble(
    *,
    brand: str,
    batch: Batch,
    lines: Sequence[Line],
    bookings: Mapping[str, Booking],
    answers: Mapping[str, Sequence[Answer]],
    postings: Iterable[LedgerLine],
    corrected: Iterable[Line] = (),
) -> Report:
    """The report of a batch that is closed. Raises ValueError if `closed_at` is not set or the books do not agree.

    `postings` are those of the listed members since `batch.since` until it was opened, and its own. `corrected` are the
    lines of other batches that were corrected in that time.
    """
    if batch.closed_at is None:
        raise ValueError("a batch that is not closed has no report")
    ordered = sorted(lines, key=lambda line: (line.member, line.attempt))
    books, replaced = reconcile(ordered, bookings, answers).once, replacements(ordered)
    if not books.closes:
        raise ValueError("a batch whose books differ has no report")
    statements = tuple(_statements(ordered, postings))
    used = {line.tax_table for line in ordered if line.tax_table} or {batch.rules.tax_table}
    said = [answer for number in sorted(answers) for answer in answers[number]]
    posted = [posting for statement in statements for posting in statement.postings]
    return Report(
        brand=brand,
        # Later writes to the batch must not change its report.
        batch=replace(batch, stage="settled", settled_at=None, reports=(), books=None, version=0),
        closed_at=batch.closed_at,
        tax_tables=tuple(table for table in TABLES if table.id in used),
        statements=statements,
        reconciliation=books,
        findings=(*_findings(ordered, answers), *_corrections(batch, corrected)),
        controls=(
            control("lines", ordered, sum(line.gross for line in ordered if line.number not in replaced)),
            control("paid", paid := [line for line in ordered if line.status == "paid"], sum(x.net for x in paid)),
            control("tax", taxed := [line for line in paid if line.tax], sum(line.tax for line in taxed)),
            control("bookings", [bookings[number] for number in sorted(bookings)], books.ledger.claimed),
            control("answers", said, books.channel.paid),
            control("ledger", posted, sum(posting.amount for posting in posted)),
        ),
        brought=brought_by(batch, answers),
        replaced=replaced,
    )


def _statements(lines: Sequence[Line], postings: Iterable[LedgerLine]) -> Iterable[Statement]:
    by_member: dict[str, list[Line]] = {}
    for line in lines:
        by_member.setdefault(line.member, []).append(line)
    posted: dict[str, list[LedgerLine]] = defaultdict(list)
    for posting in postings:
        if posting.member in by_member:
            posted[posting.member].append(posting)
    for member, own in by_member.items():
        moved = tuple(sorted(posted[member], key=lambda entry: (entry.at, entry.entry, entry.account)))
        numbers = {line.number for line in own}
        earlier = sum(
            entry.amount for entry in moved if entry.account == "available" and number_of(entry.cause) not in numbers
        )
        yield Statement(
            member=member,
            name=next((line.name for line in reversed(own) if line.name), ""),
            opening=own[0].listed - earlier,
            credited=_moved(moved, "accrued", "frozen"),
            released=_moved(moved, "released", "available"),
            clawed=-sum(entry.amount for entry in moved if entry.kind == "clawed"),
            lines=tuple(own),
            postings=moved,
        )


def _moved(postings: Sequence[LedgerLine], kind: str, account: str) -> Fen:
    return sum(entry.amount for entry in postings if entry.kind == kind and entry.account == account)


def _findings(lines: Sequence[Line], answers: Mapping[str, Sequence[Answer]]) -> Iterable[Finding]:
    for line in lines:
        if line.status == "dropped":
            yield Finding("dropped", line.member, line.number, line.listed, line.reason or "")
        elif line.gross < line.listed:
            yield Finding("shrunk", line.member, line.number, line.listed - line.gross, "")
        if line.status in ("failed", "expired"):
            code: FindingCode = "failed" if line.status == "failed" else "expired"
            yield Finding(code, line.member, line.number, line.gross, line.reason or "")
        if line.attempt > 1:
            yield Finding("retried", line.member, line.number, line.gross, str(line.attempt))
        final = [answer for answer in answers.get(line.number, ()) if answer.result != "waiting_user"]
        if len({answer.result for answer in final}) > 1:
            yield Finding(
                "incident", line.member, line.number, line.gross, " -> ".join(answer.result for answer in final)
            )


def _corrections(batch: Batch, corrected: Iterable[Line]) -> Iterable[Finding]:
    for line in sorted(corrected, key=lambda line: (line.batch, line.number)):
        for one in line.corrections:
            if (batch.since is None or batch.since <= one.at) and one.at < batch.opened_at:
                yield Finding("corrected", line.member, line.number, line.gross, f"{one.before} -> {one.after}")


def control(name: str, rows: Sequence[Line | Booking | Answer | LedgerLine], amount: Fen) -> Control:
    """The control total of `rows`, in the order given. The sealed bank account of a line is no part of it: sealed again
    it is another text, and the number stands in the bank's file, which has a hash of its own. Nor is a contradiction,
    which is not booked. A field that was added later is no part of it where it is empty, so that an older report keeps
    its hashes."""
    digest = hashlib.sha256()
    for row in rows:
        fields = (field for field in row.__struct_fields__ if field not in ("bank", "contradiction"))
        values = [value for field in fields if (value := getattr(row, field)) or field not in _ADDED]
        digest.update(json.dumps(values, ensure_ascii=True, default=_plain).encode())
        digest.update(b"\n")
    return Control(name, len(rows), amount, digest.hexdigest())


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, msgspec.Struct):
        return astuple(value)
    raise TypeError(f"{value!r} has no canonical form")
