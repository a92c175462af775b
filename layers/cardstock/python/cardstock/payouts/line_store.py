"""Lines of payout batches in DynamoDB, booked together with their entries in the ledger.

A line that has changed, or whose member has less by now, does not fail the others: it is left out, and the transaction
is repeated. `store.py` says the keys and the costs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import astuple
from pynamodb.attributes import UnicodeAttribute

from cardstock.aws.items import StructAttribute
from cardstock.aws.pages import read_page
from cardstock.aws.requests import remember, result_of
from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    IntegerAttribute,
    JsonAttribute,
    Table,
    Transaction,
)
from cardstock.clock import to_epoch_ms
from cardstock.ids import RequestKey, RequestResult
from cardstock.ledger.payout_store import post_claim, post_correction, post_paid, post_returned
from cardstock.payouts import errors
from cardstock.payouts.batch_store import HEAD, BatchItem, BatchStore, batch_item, batch_of, next_version
from cardstock.payouts.lines import (
    LINE_TRANSITIONS,
    MAX_ATTEMPTS,
    RETURNED,
    Confirmation,
    Correction,
    Line,
    OpenContradiction,
    transfer_number,
)
from cardstock.payouts.model import Batch
from cardstock.payouts.payees import BankTarget
from cardstock.payouts.periods import period_of
from cardstock.payouts.tax.tables import TaxToDate

_CORRECTIONS = "corrections"
_OF_BATCH = -1
"""Index of the batch in a refused transaction, where lines have their own."""
_FIRST_LOOK = 250
"""Items that a step reads first, because it may not be about lines."""


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
    at_most = IntegerAttribute(null=True)


class CorrectedItem(Table):
    """Which line was corrected, by time and entry, whatever its batch."""

    class Meta:
        variable = "PAYOUTS_TABLE"

    pk = UnicodeAttribute(hash_key=True, default=_CORRECTIONS)
    sk = UnicodeAttribute(range_key=True)
    batch = UnicodeAttribute()
    number = UnicodeAttribute()


class LineStore(BatchStore):
    """Lines, and what needs a batch and its lines."""

    def batch_with_lines(self, batch_id: str) -> tuple[Batch | None, Iterator[Line]]:
        # `line$` sorts right behind every `line#...`.
        items = BatchItem.query_raw(batch_id, BatchItem.sk.between(HEAD, "line$"), first_page=_FIRST_LOOK)
        head = next(items, None)
        if head is None:
            return None, iter(())
        return batch_of(BatchItem.from_raw_data(head)), (line_of(LineItem.from_raw_data(item)) for item in items)

    def add_retry(self, batch: Batch, line: Line, request: RequestKey, now: datetime) -> RequestResult[Line]:
        try:
            with Transaction() as write:
                remember(write, request, line.number, now)
                write.save(_line_item(line), condition=LineItem.pk.does_not_exist())
                write.save(batch_item(next_version(batch)), condition=BatchItem.version == batch.version)
        except ConditionFailedError as error:
            if 0 in error.failed:
                result_of(error.failed[0], request)
            known = self.find_lines(batch.id, [line.number]).get(line.number)
            if known is None:
                raise errors.PAYOUT_CHANGED() from error
            return RequestResult(known, replayed=True)
        return RequestResult(line, replayed=False)

    def add_lines(self, batch: Batch, lines: Sequence[Line]) -> None:
        left = list(lines)
        while left:
            try:
                with Transaction() as write:
                    # Position 0: once everybody is listed, a late repeat of the listing adds nobody.
                    write.condition_check(BatchItem, batch.id, HEAD, condition=BatchItem.stage == "listing")
                    for line in left:
                        write.save(_line_item(line), condition=LineItem.pk.does_not_exist())
            except ConditionFailedError as error:
                if 0 in error.failed:
                    raise errors.PAYOUT_CHANGED() from error
                left = [line for index, line in enumerate(left, 1) if index not in error.failed]
            else:
                return

    def lines_of_batch(self, batch_id: str, part: str = "") -> Iterator[Line]:
        for item in LineItem.query(
            batch_id, LineItem.sk.startswith(keys_of_part("line", batch_id, part)), consistent_read=True
        ):
            yield line_of(item)

    def line_page(self, batch_id: str, limit: int, after: str | None) -> tuple[list[Line], str | None]:
        start = None if after is None else {"pk": batch_id, "sk": f"line#{after}"}
        found, last = read_page(
            LineItem.query, batch_id, LineItem.sk.startswith("line#"), limit=limit, start=start, consistent_read=True
        )
        return [line_of(item) for item in found], line_of(last).number if last else None

    def replacements(self, lines: Sequence[Line]) -> Mapping[str, str]:
        failed = [line for line in lines if line.status in RETURNED and line.attempt < MAX_ATTEMPTS]
        retries = {transfer_number(one.member, period_of(one.batch), one.attempt + 1): one for one in failed}
        found = self.lines_at((one.batch, number) for number, one in retries.items()) if retries else ()
        return {retries[retry.number].number: retry.number for retry in found}

    def find_lines(self, batch_id: str, numbers: Iterable[str]) -> Mapping[str, Line]:
        keys = [(batch_id, f"line#{number}") for number in sorted(set(numbers))]
        found = (line_of(item) for item in LineItem.batch_get(keys, consistent_read=True)) if keys else ()
        return {line.number: line for line in found}

    def lines_of_member(self, member: str, batches: Sequence[Batch]) -> list[Line]:
        keys = [
            (batch.id, f"line#{transfer_number(member, batch.period, attempt)}")
            for batch in batches
            for attempt in range(MAX_ATTEMPTS, 0, -1)
        ]
        found = {(item.pk, item.sk): line_of(item) for item in LineItem.batch_get(keys, consistent_read=True)}
        return [found[key] for key in keys if key in found]

    def lines_at(self, keys: Iterable[tuple[str, str]]) -> list[Line]:
        wanted = [(batch, f"line#{number}") for batch, number in keys]
        return [line_of(item) for item in LineItem.batch_get(wanted, consistent_read=True)]

    def claim_lines(self, lines: Sequence[Line], *, unchanged: Batch | None) -> Sequence[Line]:
        return _together(lines, _claim, unchanged)

    def drop_lines(self, lines: Sequence[Line]) -> Sequence[Line]:
        return _together(lines, _drop)

    def finish_lines(self, lines: Sequence[Line]) -> None:
        _together(lines, _finish)

    def corrected_lines(self, since: datetime | None, until: datetime) -> Iterator[Line]:
        lowest = f"{to_epoch_ms(since):013d}" if since is not None else "0"
        in_time = CorrectedItem.sk.between(lowest, f"{to_epoch_ms(until):013d}")
        found = CorrectedItem.query(_CORRECTIONS, in_time, consistent_read=True)
        keys = sorted({(item.batch, item.number) for item in found})
        yield from self.lines_at(keys) if keys else ()


def correct_line(write: Transaction, line: Line, after: Line, persons: tuple[str, str]) -> None:
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


def keys_of_part(kind: str, batch_id: str, part: str) -> str:
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
                    write.condition_check(BatchItem, unchanged.id, HEAD, condition=same)
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


def _line_item(line: Line) -> LineItem:
    return LineItem(
        pk=line.batch,
        sk=f"line#{line.number}",
        member=line.member,
        attempt=line.attempt,
        listed=line.listed,
        status=line.status,
        retried_by=line.retried_by,
        at_most=line.at_most,
    )


def every_line() -> Iterator[Line]:
    """The lines of all batches; a consistent scan, for audits."""
    for item in LineItem.scan(filter_condition=LineItem.sk.startswith("line#"), consistent_read=True):
        yield line_of(item)


def line_of(item: LineItem) -> Line:
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
        at_most=item.at_most,
    )


def _tax_data(figures: TaxToDate | None) -> list[int]:
    return [] if figures is None else list(astuple(figures))
