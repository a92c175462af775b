"""The bank file: finance uploads it to the bank's payroll service and uploads the bank's results here.

One row per transfer, amounts in yuan after tax with two decimals. The account is the payee's bank account in force when
the line was sent; its number is decrypted for this file alone. Every text is one line. The transfer number stands in a
column of its own, because the bank returns it with each result.
"""

from collections.abc import Callable, Sequence

from cardstock.files import Document
from cardstock.payouts.channels.layouts import Field, layout_of
from cardstock.payouts.lines import Line
from cardstock.payouts.model import Batch
from cardstock.payouts.payees import BankTarget, DropReason
from cardstock.payouts.report.csv_file import encoded_csv
from cardstock.payouts.report.texts import yuan
from cardstock.payouts.transfer_answers import Answer

CONTENT_TYPES = {"utf-8-sig": "text/csv; charset=utf-8", "gb18030": "text/csv; charset=gbk"}


class BankFile:
    """`payouts.ports.Channel` operated by a person: it never answers by itself.

    `open_number` gives the whole number of a member's account.
    """

    def __init__(self, open_number: Callable[[str, BankTarget], str]) -> None:
        self._open_number = open_number

    def refusal(self, account: str, name: str, net: int) -> DropReason | None:  # noqa: ARG002 - the port's signature
        return None

    def transfer(self, lines: Sequence[Line]) -> Sequence[Answer]:  # noqa: ARG002 - the port's signature
        return ()

    ask = cancel = transfer

    def document(self, batch: Batch, lines: Sequence[Line]) -> Document | None:
        if not lines:
            return None
        layout = layout_of(batch.rules.bank_layout)
        rows = [self._row(batch, index, line) for index, line in enumerate(lines, 1)]
        content = encoded_csv(
            [header for header, _ in layout.columns],
            ([row[field] for _, field in layout.columns] for row in rows),
            layout.encoding,
        )
        return Document("transfers.csv", CONTENT_TYPES[layout.encoding], content)

    def _row(self, batch: Batch, index: int, line: Line) -> dict[Field, str]:
        bank = line.bank
        return {
            "index": str(index),
            "holder": line.name if bank is None else bank.holder,
            # A line from before there were bank accounts has no number: the bank refuses it, and its money comes back.
            "number": "" if bank is None else self._open_number(line.member, bank),
            "bank": "" if bank is None else bank.bank,
            "branch": "" if bank is None else bank.branch,
            "amount": str(yuan(line.net)),
            "remark": f"佣金{batch.period.key}",
            "reference": line.number,
        }
