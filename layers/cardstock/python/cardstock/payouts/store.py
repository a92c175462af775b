"""Payouts in DynamoDB.

Table `payouts`, partition key `pk`, sort key `sk`:

| Access pattern | Key | Cost |
|---|---|---|
| batches, newest period first | `batches` / batch id, query backwards, then their heads | 1 query, 1 read |
| one batch | batch id / `batch` | 1 read |
| a batch with its lines | batch id / from `batch` to the last `line#` | query |
| lines of a batch, by transfer number | batch id / `line#<number>` | query |
| lines by number (results, last month's tax) | batch id / `line#<number>` | 1 read per 100 |
| lines of a member: the number follows from member, period and attempt | batch id / `line#<number>` | 1 read per 50 |
| lines of a person's year (the certificate) | batch id / `line#<number>` | 1 read per 100 |
| who is not listed, and why | batch id / `out#<member>` | query |
| answers of the channel, by number | batch id / `answer#<number>` | query; 1 read per 100 |
| lines whose end was corrected in a period | `corrections` / milliseconds # cause | query; 1 read per 100 |

A step of k lines is one transaction of 3k items: the ledger's entry (put if absent), the member's balance, the line.
That is 6 WCU a line and k/33 calls. Sending also reads the payees of every 99 lines, queries the batch with its lines
once, puts the batch once at the end, and writes the bank file.

The first answer that contradicts the one that holds opens an item and marks its line in the same transaction. Clearing
the item takes six items with a correction, and three without: the item, the answers, the line; the ledger's entry, the
balance, the corrected line's name.

A line that has changed, or whose member has less by now, does not fail the others: it is left out, and the transaction
is repeated.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec.structs import astuple, replace
from pynamodb.attributes import UnicodeAttribute

from cardstock.aws import requests
from cardstock.aws.items import StructAttribute
from cardstock.aws.pages import read_page
from cardstock.aws.records import from_record, to_record
from cardstock.aws.requests import remember, result_of
from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    IntegerAttribute,
    JsonAttribute,
    Table,
    Transaction,
)
from cardstock.clock import from_epoch_ms, rfc3339, to_epoch_ms
from cardstock.errors import STORE_BUSY
from cardstock.ids import RequestKey, RequestResult
from cardstock.ledger.payout_store import post_claim, post_correction, post_paid, post_returned
from cardstock.open_items import store as open_items
from cardstock.payouts import errors
from cardstock.payouts.model import (
    IN_FLIGHT,
    LINE_TRANSITIONS,
    MAX_ATTEMPTS,
    Answer,
    BankTarget,
    Batch,
    Clearing,
    Confirmation,
    Correction,
    LeftOut,
    Line,
    OpenContradiction,
    after_closing,
    cleared,
    contradicted,
    contradiction_cause,
    period_of,
    repeats,
    transfer_number,
)
from cardstock.payouts.tax.tables import TaxToDate

_BATCHES = "batches"
_CORRECTIONS = "corrections"
_HEAD = "batch"
_KEYS_AT_ONCE = 100
_ANSWERS_AT_ONCE = 33
"""Each may open an item and mark its line, and a transaction has a hundred actions."""
_ATTEMPTS = 5
_OLDER_LOOKED_AT = 24
_OF_BATCH = -1
"""Index of the batch in a refused transaction, where lines have their own."""
_FIRST_LOOK = 250
"""Items that a step reads first, because it may not be about lines."""

T = TypeVar("T")


class BatchItem(Table):
    """The head of a batch, stored before its lines. Fields that are only read together are one JSON value."""

    class Meta:
        variable = "PAYOUTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=_HEAD)
    stage = UnicodeAttribute()
    data = JsonAttribute()
    version = IntegerAttribute()


class BatchNameItem(Table):
    """The name of a batch, for lists: there need not be a batch for every month."""

    class Meta:
        variable = "PAYOUTS_TABLE"

    pk = UnicodeAttribute(hash_key=True, default=_BATCHES)
    sk = UnicodeAttribute(range_key=True)


class LineItem(Table):
    """One line."""

    class Meta:
        variable = "PAYOUTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    member = UnicodeAttribute()
    attempt = IntegerAttribute()
    listed = IntegerAttribute()
    status = UnicodeAttribute()
    gross = IntegerAttribute(default=0)
    tax = IntegerAttribute(default=0)
    net = IntegerAttribute(default=0)
    name = UnicodeAttribute(null=True)
    account = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    person = UnicodeAttribute(null=True)
    id_number = UnicodeAttribute(null=True)
    tax_table = UnicodeAttribute(null=True)
    tax_before = JsonAttribute(null=True)
    tax_after = JsonAttribute(null=True)
    sent_at = EpochAttribute(null=True)
    closed_at = EpochAttribute(null=True)
    confirmation = JsonAttribute(null=True)
    retried_by = UnicodeAttribute(null=True)
    bank = StructAttribute(BankTarget, null=True)
    contradiction = StructAttribute(OpenContradiction, null=True)
    corrections = StructAttribute(tuple[Correction, ...], null=True)
    tax_month = UnicodeAttribute(null=True)


class CorrectedItem(Table):
    """Which line was corrected, by time and entry, whatever its batch."""

    class Meta:
        variable = "PAYOUTS_TABLE"

    pk = UnicodeAttribute(hash_key=True, default=_CORRECTIONS)
    sk = UnicodeAttribute(range_key=True)
    batch = UnicodeAttribute()
    number = UnicodeAttribute()


class LeftOutItem(Table):
    """A member who is not listed."""

    class Meta:
        variable = "PAYOUTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    available = IntegerAttribute()
    reason = UnicodeAttribute()
    name = UnicodeAttribute(null=True)


class AnswersItem(Table):
    """A channel's answers about one number, oldest first."""

    class Meta:
        variable = "PAYOUTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    answers = JsonAttribute()
    said = IntegerAttribute()


class DynamoPayouts:
    """`payouts.ports.Payouts`. `opened` is called with each number for which it has opened an item for people."""

    def __init__(self, opened: Callable[[str], None] = lambda _number: None) -> None:
        self._opened = opened

    def open_batch(self, batch: Batch) -> Batch:
        try:
            with Transaction() as write:
                write.save(_batch_item(batch), condition=BatchItem.pk.does_not_exist())
                write.save(BatchNameItem(sk=batch.id))
        except ConditionFailedError:
            return _batch(BatchItem.get(batch.id, _HEAD, consistent_read=True))
        return batch

    def find_batch(self, batch_id: str) -> Batch | None:
        item = BatchItem.find(batch_id, _HEAD)
        return None if item is None else _batch(item)

    def batch_page(self, limit: int, before: str | None) -> tuple[list[Batch], str | None]:
        start = None if before is None else {"pk": _BATCHES, "sk": before}
        names, last = read_page(
            BatchNameItem.query, _BATCHES, limit=limit, start=start, scan_index_forward=False, consistent_read=True
        )
        keys = [(name.sk, _HEAD) for name in names]
        heads = BatchItem.batch_get(keys, consistent_read=True) if keys else ()
        return sorted(map(_batch, heads), key=lambda batch: batch.id, reverse=True), last.sk if last else None

    def batch_with_lines(self, batch_id: str) -> tuple[Batch | None, Iterator[Line]]:
        # `line$` sorts right behind every `line#...`.
        items = BatchItem.query_raw(batch_id, BatchItem.sk.between(_HEAD, "line$"), first_page=_FIRST_LOOK)
        head = next(items, None)
        if head is None:
            return None, iter(())
        return _batch(BatchItem.from_raw_data(head)), (_line(LineItem.from_raw_data(item)) for item in items)

    def replace_batch(self, batch: Batch) -> Batch:
        changed = _next(batch)
        written = _batch_item(changed).put_if(BatchItem.version == batch.version)
        # The client repeats a put whose answer was lost, so the condition may have failed on this very write.
        if not written and self.find_batch(batch.id) != _batch(_batch_item(changed)):
            raise errors.PAYOUT_CHANGED()
        return changed

    def approve_batch(self, batch: Batch, request: RequestKey) -> Batch:
        changed = _next(batch)
        try:
            with Transaction() as write:
                remember(write, request, batch.id, batch.approved_at or batch.opened_at)
                write.save(_batch_item(changed), condition=BatchItem.version == batch.version)
        except ConditionFailedError as error:
            if 0 in error.failed:
                result_of(error.failed[0], request)
            found = self.find_batch(batch.id)
            if found is None or found.status == "open":
                raise errors.PAYOUT_CHANGED() from error
            return found
        return changed

    def add_retry(self, batch: Batch, line: Line, request: RequestKey, now: datetime) -> RequestResult[Line]:
        try:
            with Transaction() as write:
                remember(write, request, line.number, now)
                write.save(_line_item(line), condition=LineItem.pk.does_not_exist())
                write.save(_batch_item(_next(batch)), condition=BatchItem.version == batch.version)
        except ConditionFailedError as error:
            if 0 in error.failed:
                result_of(error.failed[0], request)
            known = self.find_lines(batch.id, [line.number]).get(line.number)
            if known is None:
                raise errors.PAYOUT_CHANGED() from error
            return RequestResult(known, replayed=True)
        return RequestResult(line, replayed=False)

    def check_reuse(self, request: RequestKey) -> None:
        requests.find(request)

    def add_lines(self, batch: Batch, lines: Sequence[Line]) -> None:
        left = list(lines)
        while left:
            try:
                with Transaction() as write:
                    # Position 0: once everybody is listed, a late repeat of the listing adds nobody.
                    write.condition_check(BatchItem, batch.id, _HEAD, condition=BatchItem.stage == "listing")
                    for line in left:
                        write.save(_line_item(line), condition=LineItem.pk.does_not_exist())
            except ConditionFailedError as error:
                if 0 in error.failed:
                    raise errors.PAYOUT_CHANGED() from error
                left = [line for index, line in enumerate(left, 1) if index not in error.failed]
            else:
                return

    def add_left_out(self, batch: Batch, left_out: Sequence[LeftOut]) -> None:
        if not left_out:
            return
        try:
            with Transaction() as write:
                write.condition_check(BatchItem, batch.id, _HEAD, condition=BatchItem.stage == "listing")
                for one in left_out:
                    write.save(
                        LeftOutItem(
                            pk=batch.id,
                            sk=f"out#{one.member}",
                            available=one.available,
                            reason=one.reason,
                            name=one.name or None,
                        )
                    )
        except ConditionFailedError as error:
            raise errors.PAYOUT_CHANGED() from error

    def left_out_of_batch(self, batch_id: str) -> Iterator[LeftOut]:
        for item in LeftOutItem.query(batch_id, LeftOutItem.sk.startswith("out#"), consistent_read=True):
            yield LeftOut(item.sk.removeprefix("out#"), item.available, item.reason, item.name or "")

    def lines_of_batch(self, batch_id: str, part: str = "") -> Iterator[Line]:
        for item in LineItem.query(
            batch_id, LineItem.sk.startswith(_of_part("line", batch_id, part)), consistent_read=True
        ):
            yield _line(item)

    def line_page(self, batch_id: str, limit: int, after: str | None) -> tuple[list[Line], str | None]:
        start = None if after is None else {"pk": batch_id, "sk": f"line#{after}"}
        found, last = read_page(
            LineItem.query, batch_id, LineItem.sk.startswith("line#"), limit=limit, start=start, consistent_read=True
        )
        return [_line(item) for item in found], _line(last).number if last else None

    def find_lines(self, batch_id: str, numbers: Iterable[str]) -> Mapping[str, Line]:
        keys = [(batch_id, f"line#{number}") for number in sorted(set(numbers))]
        found = (_line(item) for item in LineItem.batch_get(keys, consistent_read=True)) if keys else ()
        return {line.number: line for line in found}

    def lines_of_member(self, member: str, batches: Sequence[Batch]) -> list[Line]:
        keys = [
            (batch.id, f"line#{transfer_number(member, batch.period, attempt)}")
            for batch in batches
            for attempt in range(MAX_ATTEMPTS, 0, -1)
        ]
        found = {(item.pk, item.sk): _line(item) for item in LineItem.batch_get(keys, consistent_read=True)}
        return [found[key] for key in keys if key in found]

    def lines_at(self, keys: Iterable[tuple[str, str]]) -> list[Line]:
        wanted = [(batch, f"line#{number}") for batch, number in keys]
        return [_line(item) for item in LineItem.batch_get(wanted, consistent_read=True)]

    def claim_lines(self, lines: Sequence[Line], *, unchanged: Batch | None) -> Sequence[Line]:
        return _together(lines, _claim, unchanged)

    def drop_lines(self, lines: Sequence[Line]) -> Sequence[Line]:
        return _together(lines, _drop)

    def finish_lines(self, lines: Sequence[Line]) -> None:
        _together(lines, _finish)

    def record_answers(self, batch_id: str, answers: Sequence[Answer]) -> int:
        recorded = 0
        for start in range(0, len(answers), _ANSWERS_AT_ONCE):
            recorded += self._record(batch_id, answers[start : start + _ANSWERS_AT_ONCE])
        return recorded

    def _record(self, batch_id: str, answers: Sequence[Answer]) -> int:
        keys = [(batch_id, f"answer#{number}") for number in sorted({answer.number for answer in answers})]
        for _ in range(_ATTEMPTS):
            stored = {item.sk: item for item in AnswersItem.batch_get(keys, consistent_read=True)}
            fresh: dict[str, list[Answer]] = {}
            disputes: dict[str, _Dispute] = {}
            for answer in answers:
                key = f"answer#{answer.number}"
                heard = fresh.get(key) or (_answers(stored[key]) if key in stored else [])
                if not repeats(answer, heard):
                    fresh[key] = [*heard, answer]
                    if (holding := contradicted(heard, answer)) is not None:
                        disputes[answer.number] = _Dispute(contradiction_cause(answer.number, heard), holding, answer)
            if not fresh:
                return 0
            lines = self.find_lines(batch_id, disputes) if disputes else {}
            opened = {number: self._found(lines[number], disputes[number]) for number in lines}
            try:
                with Transaction() as write:
                    for number, facts in opened.items():
                        _mark(write, lines[number], disputes[number], facts)
                    for key, heard in fresh.items():
                        _save_answers(write, (batch_id, key), heard, stored.get(key))
            except ConditionFailedError:
                continue  # Somebody stored answers at the same time: compare again.
            for number in opened:
                self._opened(number)
            return sum(len(heard) - (stored[key].said if key in stored else 0) for key, heard in fresh.items())
        raise STORE_BUSY()

    def _found(self, line: Line, dispute: "_Dispute") -> dict[str, str]:
        """What an open item says of a line whose results contradict each other."""
        holding, last = dispute.holding, dispute.last
        batches, _ = self.batch_page(_OLDER_LOOKED_AT, None)
        others = (one for one in self.lines_of_member(line.member, batches) if one.number != line.number)
        return {
            "payout_id": line.batch,
            "booked": "was_paid" if holding.result == "paid" else "was_not_paid",
            "first_result": holding.result,
            "first_source": holding.source,
            "first_at": rfc3339(holding.received_at),
            "then_result": last.result,
            "then_source": last.source,
            "then_at": rfc3339(last.received_at),
            "then_reason": last.reason or "",
            # What is with the channel cannot be recalled; whoever looks must know of it.
            "in_flight": " ".join(f"{one.batch}/{one.number}" for one in others if one.status in IN_FLIGHT),
        }

    def book_clearing(self, clearing: Clearing, item: Any) -> bool:
        for _ in range(_ATTEMPTS):
            at = after_closing(self.find_batch(clearing.batch), clearing.at)
            line = self.find_lines(clearing.batch, [clearing.number])[clearing.number]
            stored = AnswersItem.get(clearing.batch, f"answer#{clearing.number}", consistent_read=True)
            heard = _answers(stored)
            after, decided = cleared(line, replace(clearing, at=at), heard)
            try:
                with Transaction() as write:
                    open_items.save_open_item(write, item)
                    _save_answers(write, (line.batch, stored.sk), [*heard, decided], stored)
                    _correct(write, line, after, clearing.persons)
            except ConditionFailedError as error:
                if 0 in error.failed:
                    return False
                continue  # Somebody stored answers at the same time.
            return True
        raise STORE_BUSY()

    def corrected_lines(self, since: datetime | None, until: datetime) -> Iterator[Line]:
        lowest = f"{to_epoch_ms(since):013d}" if since is not None else "0"
        in_time = CorrectedItem.sk.between(lowest, f"{to_epoch_ms(until):013d}")
        found = CorrectedItem.query(_CORRECTIONS, in_time, consistent_read=True)
        keys = sorted({(item.batch, item.number) for item in found})
        yield from self.lines_at(keys) if keys else ()

    def disputed_members(self) -> frozenset[str]:
        return frozenset(item.member_id for item in open_items.open_items_of_kind("payout_contradiction"))

    def answers_of_batch(self, batch_id: str, part: str = "") -> Mapping[str, Sequence[Answer]]:
        found = {}
        wanted = AnswersItem.sk.startswith(_of_part("answer", batch_id, part))
        for item in AnswersItem.query(batch_id, wanted, consistent_read=True):
            found[item.sk.removeprefix("answer#")] = tuple(_answers(item))
        return found


class _Dispute(msgspec.Struct, frozen=True):
    """The answer that holds, the one that contradicts it, and the cause of the item about both."""

    cause: str
    holding: Answer
    last: Answer


def _mark(write: Transaction, line: Line, dispute: _Dispute, facts: Mapping[str, str]) -> None:
    """Open an item about a line whose results contradict each other, and mark the line with it: one put, one update."""
    item = open_items.add_found(
        write,
        "payout_contradiction",
        dispute.cause,
        line.number,
        amount_fen=line.net,
        member_id=line.member,
        facts=facts,
    )
    last = dispute.last
    mark = OpenContradiction(item, dispute.holding.result, last.result, last.received_at)
    stored = LineItem(pk=line.batch, sk=f"line#{line.number}")
    write.update(stored, actions=[LineItem.contradiction.set(mark)], condition=LineItem.pk.exists())


def _correct(write: Transaction, line: Line, after: Line, persons: tuple[str, str]) -> None:
    """Store a line that people have cleared, with its correction if it has a new one: two puts and an update more."""
    actions: list[Any] = [LineItem.contradiction.remove()]
    if after.corrections != line.corrections:
        new = after.corrections[-1]
        post_correction(
            write, new.cause, line.member, new.at,
            net=line.net, tax=line.tax, arrived=after.status == "paid", approved_by=persons,
        )  # fmt: skip
        write.save(CorrectedItem(sk=f"{to_epoch_ms(new.at):013d}#{new.cause}", batch=line.batch, number=line.number))
        actions += [
            LineItem.status.set(after.status),
            LineItem.corrections.set(after.corrections),
            LineItem.reason.set(after.reason) if after.reason else LineItem.reason.remove(),
        ]
    write.update(
        LineItem(pk=line.batch, sk=f"line#{line.number}"), actions=actions, condition=LineItem.status == line.status
    )


def _save_answers(
    write: Transaction, key: tuple[str, str], answers: Sequence[Answer], stored: AnswersItem | None
) -> None:
    """Store all answers about a number, if nobody has stored others meanwhile: one put."""
    pk, sk = key
    same = AnswersItem.pk.does_not_exist() if stored is None else AnswersItem.said == stored.said
    write.save(
        AnswersItem(pk=pk, sk=sk, answers=[_answer_data(answer) for answer in answers], said=len(answers)),
        condition=same,
    )


def _of_part(kind: str, batch_id: str, part: str) -> str:
    """The prefix of a part's keys: the kind, the month, and the part's letter."""
    return f"{kind}#{batch_id.removeprefix('pay_')}{part}" if part else f"{kind}#"


def _together(
    lines: Sequence[Line], add: Callable[[Transaction, Line], tuple[int, int]], unchanged: Batch | None = None
) -> list[Line]:
    """Write all lines in one transaction, leaving out those that fail; return these.

    `add` returns how many puts and updates it added. Positions in a refusal count first a check of the batch, then all
    puts, then all updates.
    """
    left, refused = list(lines), []
    while left:
        owners_of_puts: list[int] = []
        owners_of_updates: list[int] = []
        try:
            with Transaction() as write:
                if unchanged is not None:
                    same = BatchItem.version == unchanged.version
                    write.condition_check(BatchItem, unchanged.id, _HEAD, condition=same)
                for index, line in enumerate(left):
                    puts, updates = add(write, line)
                    owners_of_puts += [index] * puts
                    owners_of_updates += [index] * updates
        except ConditionFailedError as error:
            owners = [*([_OF_BATCH] if unchanged is not None else ()), *owners_of_puts, *owners_of_updates]
            out = {owners[position] for position in error.failed}
            if _OF_BATCH in out:
                raise errors.PAYOUT_CHANGED() from error
            refused += [line for index, line in enumerate(left) if index in out]
            left = [line for index, line in enumerate(left) if index not in out]
        else:
            break
    return refused


def _claim(write: Transaction, line: Line) -> tuple[int, int]:
    post_claim(write, line.number, line.member, line.gross, _moment(line, line.sent_at))
    _update(
        write,
        line,
        [
            LineItem.status.set(line.status),
            LineItem.gross.set(line.gross),
            LineItem.tax.set(line.tax),
            LineItem.net.set(line.net),
            LineItem.name.set(line.name),
            LineItem.account.set(line.account),
            LineItem.person.set(line.person),
            LineItem.id_number.set(line.id_number),
            LineItem.tax_table.set(line.tax_table),
            LineItem.tax_before.set(_tax_data(line.before)),
            LineItem.tax_after.set(_tax_data(line.after)),
            LineItem.sent_at.set(_moment(line, line.sent_at)),
            *([] if line.bank is None else [LineItem.bank.set(line.bank)]),
            *([] if not line.tax_month else [LineItem.tax_month.set(line.tax_month)]),
        ],
    )
    return 1, 2


def _drop(write: Transaction, line: Line) -> tuple[int, int]:
    _update(write, line, _closing(line))
    return 0, 1


def _finish(write: Transaction, line: Line) -> tuple[int, int]:
    if line.status == "waiting_user":
        actions = [LineItem.status.set(line.status)]
        if line.confirmation is not None:
            actions.append(LineItem.confirmation.set(list(astuple(line.confirmation))))
        _update(write, line, actions)
        return 0, 1
    at = _moment(line, line.closed_at)
    if line.status == "paid":
        post_paid(write, line.number, line.member, at, net=line.net, tax=line.tax)
    else:
        post_returned(write, line.number, line.member, line.gross, at)
    _update(write, line, _closing(line))
    return 1, 2


def _closing(line: Line) -> list[Any]:
    reason = LineItem.reason.set(line.reason) if line.reason else LineItem.reason.remove()
    at = LineItem.closed_at.set(_moment(line, line.closed_at))
    return [LineItem.status.set(line.status), at, reason, LineItem.confirmation.remove()]


def _moment(line: Line, at: datetime | None) -> datetime:
    if at is None:
        raise ValueError(f"line {line.number} is {line.status} without a time")
    return at


def _update(write: Transaction, line: Line, actions: list[Any]) -> None:
    """Change a line, unless its stored status is one that the new one cannot follow."""
    before = [status for status, following in LINE_TRANSITIONS.items() if line.status in following]
    write.update(
        LineItem(pk=line.batch, sk=f"line#{line.number}"), actions=actions, condition=LineItem.status.is_in(*before)
    )


def _next(batch: Batch) -> Batch:
    return replace(batch, version=batch.version + 1)


def _batch_item(batch: Batch) -> BatchItem:
    return BatchItem(pk=batch.id, stage=batch.stage, data=to_record(batch), version=batch.version)


def _batch(item: BatchItem) -> Batch:
    return from_record(Batch, item.data)


def _line_item(line: Line) -> LineItem:
    return LineItem(
        pk=line.batch,
        sk=f"line#{line.number}",
        member=line.member,
        attempt=line.attempt,
        listed=line.listed,
        status=line.status,
        retried_by=line.retried_by,
    )


def every_line() -> Iterator[Line]:
    """The lines of all batches; a consistent scan, for audits."""
    for item in LineItem.scan(filter_condition=LineItem.sk.startswith("line#"), consistent_read=True):
        yield _line(item)


def _line(item: LineItem) -> Line:
    return Line(
        batch=item.pk,
        period=period_of(item.pk).key,
        member=item.member,
        attempt=item.attempt,
        number=item.sk.removeprefix("line#"),
        listed=item.listed,
        status=item.status,  # type: ignore[arg-type]  # written from the same type
        gross=item.gross,
        tax=item.tax,
        net=item.net,
        name=item.name or "",
        account=item.account or "",
        reason=item.reason,
        person=item.person or "",
        id_number=item.id_number or "",
        tax_table=item.tax_table or "",
        before=TaxToDate(*item.tax_before) if item.tax_before else None,
        after=TaxToDate(*item.tax_after) if item.tax_after else None,
        sent_at=item.sent_at,
        closed_at=item.closed_at,
        confirmation=Confirmation(*item.confirmation) if item.confirmation else None,
        retried_by=item.retried_by,
        bank=item.bank,
        contradiction=item.contradiction,
        corrections=item.corrections or (),
        tax_month=item.tax_month or "",
    )


def _tax_data(figures: TaxToDate | None) -> list[int]:
    return [] if figures is None else list(astuple(figures))


def _answer_data(answer: Answer) -> list[Any]:
    said = [answer.result, to_epoch_ms(answer.received_at), answer.source, answer.reason, answer.amount]
    confirmation = None if answer.confirmation is None else list(astuple(answer.confirmation))
    if answer.file is not None:
        return [*said, confirmation, answer.file]
    return said if confirmation is None else [*said, confirmation]


def _answers(item: AnswersItem) -> list[Answer]:
    number = item.sk.removeprefix("answer#")
    return [_answer(number, data) for data in item.answers]


def _answer(number: str, data: Sequence[Any]) -> Answer:
    result, at, source, reason, amount, *rest = data
    part, file, *_ = (*rest, None, None)
    confirmation = None if part is None else Confirmation(*part)
    return Answer(number, result, from_epoch_ms(at), source, reason, amount, confirmation, file)
