"""Bringing results: by whom, and whether they are about the file that was sent."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from cardstock.errors import Pointer
from cardstock.money import Fen
from cardstock.payouts import errors, result_faults
from cardstock.payouts.lines import Line
from cardstock.payouts.model import HANDED_OVER, SCHEDULE_ACTOR, Batch
from cardstock.payouts.ports import Payouts
from cardstock.payouts.reading import existing_batch
from cardstock.payouts.results import BroughtResults, confirm_all, record_results
from cardstock.payouts.transfer_answers import Answer

_MOST_NAMED: Final = 100


class BroughtLine(msgspec.Struct, frozen=True):
    """What the bank says about one transfer. `holder` is whom the bank names; None if it names nobody."""

    answer: Answer
    holder: str | None = None
    account: str | None = None
    """Number of the account that the bank names."""
    row: int | None = None
    """Row of a file; None for JSON."""

    def fault(self, index: int, field: str, code: str, **values: Any) -> Pointer:
        """A fault of a field, where it stands in what was sent."""
        if self.row is not None:
            return result_faults.fault_in_row(self.row, code, **values)
        return result_faults.fault(f"/results/{index}/{field}", code, **values)

    def wrong_amount(self, index: int, given: Fen, expected: Sequence[Fen]) -> Pointer:
        """An amount that differs: in yuan where a file has it, in fen as `amount_fen`."""
        if self.row is None:
            return errors.differing(f"/results/{index}/amount_fen", "AMOUNT_DIFFERS", given, *expected)
        wanted, said = result_faults.yuan(expected), result_faults.yuan([given])
        return result_faults.fault_in_row(self.row, "AMOUNT_DIFFERS", expected=wanted, given=said)


class Brought(msgspec.Struct, frozen=True):
    """The results that a person brings.

    `lines` and `net` are count and sum of the file that was sent, as the bank states them; a confirmation of all others
    needs both.
    """

    results: Sequence[BroughtLine]
    all_others_paid: bool = False
    lines: int | None = None
    net: Fen | None = None
    in_file: bool = False
    """Whether they come in a bank's file: rows are named then, not fields of JSON."""


class Bringer(msgspec.Struct, frozen=True):
    """Who brings results."""

    actor: str
    is_other: Callable[[str], bool]
    """Whether the actor is another person than the given one."""


def bring_results(payout_id: str, brought: Brought, bringer: Bringer, payouts: Payouts) -> BroughtResults:
    """Record what the bank says, if it is about the file that was sent: all of it, or nothing.

    Raises `RefusedError` (RESULTS_BY_APPROVER), `InvalidError` (RESULTS_DIFFER) pointing to each line whose holder or
    amount differs, or that has another result further up, and to a count or sum that differs; and what
    `record_results` and `confirm_all` raise.
    """
    batch = existing_batch(payout_id, payouts)
    if batch.stage not in HANDED_OVER:
        raise errors.PAYOUT_NOT_SENT()
    check_bringer(batch, bringer)
    sent = payouts.find_lines(batch.id, {one.answer.number for one in brought.results})
    differences = [*_differing_lines(brought, sent), *_differing_totals(batch, brought, payouts)]
    if differences:
        raise errors.RESULTS_DIFFER(pointers=tuple(differences))
    recorded = record_results(batch.id, [one.answer for one in brought.results], payouts)
    if brought.all_others_paid:
        confirm_all(batch.id, bringer.actor, payouts)
    return recorded


def check_bringer(batch: Batch, bringer: Bringer) -> None:
    """Results come from another person than the approver and the opener. Raises `RefusedError`
    (RESULTS_BY_APPROVER). A batch without lines had no approver."""
    others = {batch.approved_by, batch.opened_by} - {None, SCHEDULE_ACTOR}
    if not all(bringer.is_other(other) for other in others if other is not None):
        raise errors.RESULTS_BY_APPROVER()


def same_holder(one: str, other: str) -> bool:
    """Whether two writings are the same name: banks answer in full width and with other blanks."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return _without_blanks(name).casefold()


def _differing_lines(brought: Brought, sent: Mapping[str, Line]) -> Iterator[Pointer]:
    first: dict[str, BroughtLine] = {}
    for index, one in enumerate(brought.results):
        answer, earlier = one.answer, first.setdefault(one.answer.number, one)
        if earlier.answer.result != answer.result:
            said = earlier.answer.result
            where = (f"前面为 {said}", f"has {said} further up")
            yield one.fault(index, "result", "RESULTS_CONTRADICT", expected=where, given=answer.result)
        line = sent.get(answer.number)
        if line is None or not line.gross:
            if brought.in_file:  # `record_results` refuses strangers of JSON
                yield one.fault(index, "number", "TRANSFER_UNKNOWN", given=answer.number)
            continue
        if one.holder is not None and not same_holder(one.holder, line.name):
            yield one.fault(index, "holder", "HOLDER_DIFFERS", expected=line.name, given=one.holder)
        if one.account is not None and line.bank is not None and _ending(one.account) != line.bank.masked[-4:]:
            right = result_faults.ending(line.bank.masked[-4:])
            given = result_faults.ending(_without_blanks(one.account))
            yield one.fault(index, "account", "ACCOUNT_DIFFERS", expected=right, given=given)
        # A transfer that was not paid is named with its amount or with nothing.
        expected = (line.net,) if answer.result == "paid" else (line.net, 0)
        if answer.amount is not None and answer.amount not in expected:
            yield one.wrong_amount(index, answer.amount, expected)


def _ending(account: str) -> str:
    """The last four digits, which banks show too where they mask a number."""
    return _without_blanks(account)[-4:]


def _without_blanks(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _differing_totals(batch: Batch, brought: Brought, payouts: Payouts) -> Iterator[Pointer]:
    if not brought.all_others_paid and brought.lines is None and brought.net is None:
        return
    if brought.in_file:
        yield from _missing_lines(batch, brought, payouts)
        return
    lines, net = sent_totals(batch, payouts)
    # The right total is not named where none was sent: whoever brings it has to have it from the bank.
    if brought.lines is not None and brought.lines != lines:
        yield errors.differing("/lines", "COUNT_DIFFERS", brought.lines, lines)
    elif brought.lines is None and brought.all_others_paid:
        yield Pointer("/lines", "MISSING")
    if brought.net is not None and brought.net != net:
        yield errors.differing("/net_fen", "SUM_DIFFERS", brought.net, net)
    elif brought.net is None and brought.all_others_paid:
        yield Pointer("/net_fen", "MISSING")


def _missing_lines(batch: Batch, brought: Brought, payouts: Payouts) -> Iterator[Pointer]:
    """The transfers that a whole file does not answer. With them, and no line that differs, count and sum agree."""
    answered = {one.answer.number for one in brought.results}
    missing = (line for line in payouts.lines_of_batch(batch.id) if line.gross and line.number not in answered)
    for line in islice(missing, _MOST_NAMED):
        (zh, en), number = result_faults.yuan([line.net]), line.number
        expected = f"{number}（{line.name}，{zh}）", f"{number} ({line.name}, {en})"
        yield result_faults.fault(f"#transfer={number}", "TRANSFER_MISSING", expected=expected)


def sent_totals(batch: Batch, payouts: Payouts) -> tuple[int, Fen]:
    """Count and sum (net) of the transfers that were sent."""
    sent = [line.net for line in payouts.lines_of_batch(batch.id) if line.gross]
    return len(sent), sum(sent)
