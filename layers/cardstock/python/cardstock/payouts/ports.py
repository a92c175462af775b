"""What payouts need from outside."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from cardstock.approving import UseOnce
from cardstock.files import Document
from cardstock.ids import RequestKey, RequestResult
from cardstock.payouts.books import Booking, LedgerLine
from cardstock.payouts.contradictions import Clearing, Contradiction
from cardstock.payouts.lines import Line
from cardstock.payouts.model import Batch, LeftOut
from cardstock.payouts.payees import Balance, BankTarget, DropReason, Payee
from cardstock.payouts.report.content import Report
from cardstock.payouts.report.draft import Draft
from cardstock.payouts.tax.model import TaxFile, TaxQuarter
from cardstock.payouts.transfer_answers import Answer

CHUNK = 33
"""Lines booked together: three items each, and DynamoDB takes a hundred in one transaction."""

EnoughTime: TypeAlias = Callable[[], bool]
"""Whether there is time for another chunk. A step that runs out of time stops between chunks and is requested again."""


class Payouts(Protocol):
    """Batches, lines and answers. Each step of money is one transaction with its entry in the ledger."""

    def open_batch(self, batch: Batch) -> Batch:
        """Store a new batch, or find the one that has its id."""

    def find_batch(self, batch_id: str) -> Batch | None:
        """The batch as it is now; None if there is none."""

    def batch_with_lines(self, batch_id: str) -> tuple[Batch | None, Iterator[Line]]:
        """The batch as it is now, and its lines by transfer number, read lazily."""

    def find_batches(self, batch_ids: Iterable[str]) -> list[Batch]:
        """Those of these batches (at most a hundred) that exist, newest period first; one call."""

    def batch_page(self, limit: int, before: str | None) -> tuple[list[Batch], str | None]:
        """Up to `limit` batches, newest period first, of periods before the batch id `before`; and before which id
        there are more."""

    def replace_batch(self, batch: Batch) -> Batch:
        """Store the changed batch if nobody changed it meanwhile; return it with its new version.

        Raises `ConflictError` (PAYOUT_CHANGED) otherwise.
        """

    def approve_batch(self, batch: Batch, request: RequestKey, use: UseOnce) -> Batch:
        """`replace_batch`, together with the request for it and the use of the phone's confirmation.

        A repeat of the request returns the batch as it is. Raises `RefusedError` (IDEMPOTENCY_KEY_REUSED).
        """

    def add_retry(self, batch: Batch, line: Line, request: RequestKey, now: datetime) -> RequestResult[Line]:
        """`replace_batch`, together with a new line and the request for it.

        Returns the line; `replayed` if it existed before.

        Raises `RefusedError` (IDEMPOTENCY_KEY_REUSED), `ConflictError` (PAYOUT_CHANGED).
        """

    def end_retries(self, batch: Batch, request: RequestKey) -> Batch:
        """`replace_batch`, together with the request for it.

        Returns the batch as it is if its retries were ended before. Raises `RefusedError` (IDEMPOTENCY_KEY_REUSED),
        `ConflictError` (PAYOUT_CHANGED).
        """

    def check_reuse(self, request: RequestKey) -> None:
        """Raises `RefusedError` (IDEMPOTENCY_KEY_REUSED) if the request's key was used with another body."""

    def add_lines(self, batch: Batch, lines: Sequence[Line]) -> None:
        """Store new lines; existing ones stay as they are. At most 90.

        Raises `ConflictError` (PAYOUT_CHANGED) once every eligible member is listed.
        """

    def add_left_out(self, batch: Batch, left_out: Sequence[LeftOut]) -> None:
        """Store who is not listed and why; a repeat changes nothing. At most 90.

        Raises `ConflictError` (PAYOUT_CHANGED) once every eligible member is listed.
        """

    def find_left_out(self, batch_id: str, member: str) -> LeftOut | None:
        """Why the batch does not list the member, as far as that is stored; one call."""

    def left_out_of_batch(self, batch_id: str) -> Iterator[LeftOut]:
        """Who is not listed, by member."""

    def lines_of_batch(self, batch_id: str, part: str = "") -> Iterator[Line]:
        """All lines of a batch, or of one of its `PARTS`, by transfer number, as they are now."""

    def line_page(self, batch_id: str, limit: int, after: str | None) -> tuple[list[Line], str | None]:
        """Up to `limit` lines of a batch after the transfer number `after`; and after which number there are more."""

    def replacements(self, lines: Sequence[Line]) -> Mapping[str, str]:
        """The number of the retry that replaced a line, by the line's number, for some lines of batches; one call if
        one of them was not paid, else none."""

    def find_lines(self, batch_id: str, numbers: Iterable[str]) -> Mapping[str, Line]:
        """The lines of these numbers that the batch has."""

    def lines_of_member(self, member: str, batches: Sequence[Batch]) -> list[Line]:
        """A member's lines in these batches (at most 50), in the order of the batches; one call."""

    def lines_at(self, keys: Iterable[tuple[str, str]]) -> list[Line]:
        """The existing lines of these batch ids and transfer numbers; one call per hundred."""

    def claim_lines(self, lines: Sequence[Line], *, unchanged: Batch | None) -> Sequence[Line]:
        """Take each line's gross from available to paying and store the line as sent, one transaction for all.

        Returns the lines left unchanged because the member has less by now or the line has changed. At most `CHUNK`
        lines. Raises `ConflictError` (PAYOUT_CHANGED) unless `unchanged` is still stored: otherwise a line may have
        been added that these were sized without.
        """

    def drop_lines(self, lines: Sequence[Line]) -> Sequence[Line]:
        """Store lines as dropped. Returns the lines left unchanged because they are no longer pending."""

    def finish_lines(self, lines: Sequence[Line]) -> None:
        """Store the lines' results in one transaction: a paid line's gross becomes paid and withheld, a failed or
        expired one's is available again. Lines that are already final stay as they are. At most `CHUNK`."""

    def record_answers(self, batch_id: str, answers: Sequence[Answer]) -> int:
        """Store answers that differ from the last one of their number; return how many.

        The first answer that contradicts the one that holds (`contradictions.contradicted`) opens an item for people
        and marks the line, in the same transaction.
        """

    def book_clearing(self, clearing: Clearing, item: Any) -> bool:
        """Store the cleared open item `item`, the decision as the answer that holds, and the line
        (`contradictions.cleared`), with the entry that corrects the books if the outcome is not the booked one; all in
        one transaction. A batch that is not closed gets a new version, so that nobody closes it with lines that were
        read before.

        False, and nothing is stored, if the item has changed. Raises `ConflictError` (RESULT_NOT_APPLIED).
        """

    def corrected_lines(self, since: datetime | None, until: datetime) -> Iterator[Line]:
        """The lines of all batches that were corrected in `since` <= time < `until`, as they are now."""

    def disputed_members(self) -> frozenset[str]:
        """Members with a transfer whose results contradict each other, until two people have cleared it. Read
        consistently; one call."""

    def find_answers(self, batch_id: str, numbers: Iterable[str]) -> Mapping[str, Sequence[Answer]]:
        """The answers about these numbers (at most a hundred) that the batch has, oldest first; one call."""

    def answers_of_batch(self, batch_id: str, part: str = "") -> Mapping[str, Sequence[Answer]]:
        """All answers about a batch or one of its `PARTS`, by number, oldest first."""


class Ledger(Protocol):
    """What payouts read from the ledger. They write to it only through `Payouts`."""

    def open_balances(self) -> Iterator[Balance]:
        """Every member whose available money is not zero, read consistently, in no order."""

    def balance_page(self, limit: int, after: str | None) -> tuple[list[Balance], str | None]:
        """Up to `limit` members with any money or none, after a member, in the order of the table; and after which
        there are more. One call."""

    def paid_before(self, members: Sequence[str]) -> frozenset[str]:
        """Those of these members who were ever paid out."""

    def balances(self, members: Sequence[str]) -> Mapping[str, Balance]:
        """The available balances of these members now."""

    def bookings(self, lines: Sequence[Line]) -> tuple[Mapping[str, Booking], Sequence[LedgerLine]]:
        """The bookings under the lines' numbers: summed, and as postings."""

    def statements(self, members: Sequence[str], since: datetime | None, until: datetime) -> Iterator[LedgerLine]:
        """These members' postings of `since` <= time < `until` except transfers, in the order of the members."""


class Payees(Protocol):
    """Members as payees."""

    def __call__(self, members: Sequence[str], now: datetime) -> Mapping[str, Payee]:
        """The members (at most 99) that exist, as they are at `now`."""


BankTargets: TypeAlias = Callable[[Sequence[str], datetime], Mapping[str, BankTarget]]
"""The bank accounts in force at a moment, of those members (at most 99) that have one; one call."""


OpenChanges: TypeAlias = Callable[[Sequence[str], datetime], Mapping[str, datetime]]
"""When the open change of a bank account may come into force, of those members (at most 99) that have one; one call."""

Contradictions: TypeAlias = Callable[[], Sequence[Contradiction]]
"""The transfers whose results contradict each other and that nobody has cleared, oldest first; one call."""


class Channel(Protocol):
    """A transfer channel. The number alone identifies a transfer.

    A time-out, an error or an unknown state gives no answer for a number. Every call is safe to repeat; all may raise
    `UnavailableError`.
    """

    def refusal(self, account: str, name: str, net: int) -> DropReason | None:
        """Why the channel can never make such a transfer; None if it can. Costs no call."""

    def transfer(self, lines: Sequence[Line]) -> Sequence[Answer]:
        """Submit transfers. A repeat is safe: the channel pays a number once."""

    def ask(self, lines: Sequence[Line]) -> Sequence[Answer]:
        """The status of transfers. Moves no money."""

    def cancel(self, lines: Sequence[Line]) -> Sequence[Answer]:
        """Cancel transfers that their payees have not accepted. An accepted one stays as it is."""

    def document(self, batch: Batch, lines: Sequence[Line]) -> Document | None:
        """The file that a person uploads to the channel; None if it takes none. The same bytes for the same lines."""


class TaxFiles(Protocol):
    """The quarters whose files were written."""

    def add_tax_file(self, file: TaxFile) -> None:
        """Store that a quarter's file was written. A repeat changes nothing."""

    def newest_tax_files(self, *, limit: int) -> list[TaxFile]:
        """The last files, newest quarter first."""


DraftWriter: TypeAlias = Callable[[Draft], Document]
"""Makes one file of a draft: the same bytes for the same draft."""

Writer: TypeAlias = Callable[[Report], Document]
"""Makes one file of a report: the same bytes for the same report."""

QuarterWriter: TypeAlias = Callable[[TaxQuarter], Document]
"""Makes one file of a quarter: the same bytes for the same quarter."""


class Files(Protocol):
    """Files that are written once."""

    def put_once(self, key: str, document: Document) -> None:
        """Write it, or find the same bytes. Raises `ConflictError` (FILE_DIFFERS) if the key has other bytes."""

    def link(self, key: str) -> str:
        """A link with which anybody can read the file for a few minutes.

        Raises `NotFoundError` for a file that is not there.
        """


class PayoutMap(Protocol):
    """Processes the parts of a big batch concurrently."""

    def __call__(self, batch: Batch) -> None:
        """Request each of `PARTS`, and `REST` after them. A repeat does no harm. Raises `UnavailableError`."""

    @property
    def above(self) -> int:
        """Batches with more lines than this are processed in parts."""


class PayoutAnnouncer(Protocol):
    """Announces a batch's events to partners."""

    def __call__(self, kind: str, batch: Batch) -> None:
        """`payout.opened` or `payout.settled`; a repeat is the same event."""
