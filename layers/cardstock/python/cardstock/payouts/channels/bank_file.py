"""The bank file: finance uploads it to the bank's payroll service and uploads the bank's results here.

CSV, UTF-8 with BOM, one row per transfer, amounts in yuan after tax. The remark carries the transfer number, because
the bank returns it with each result.
"""

from collections.abc import Sequence

from cardstock.files import Document
from cardstock.payouts.model import Answer, Batch, DropReason, Line
from cardstock.payouts.report.csv_file import CONTENT_TYPE, csv_bytes
from cardstock.payouts.report.texts import yuan

_HEADER = ("序号", "收款人户名", "收款账号", "金额(元)", "附言", "转账单号")


class BankFile:
    """`payouts.ports.Channel` operated by a person: it never answers by itself."""

    def refusal(self, account: str, name: str, net: int) -> DropReason | None:  # noqa: ARG002 - the port's signature
        return None

    def transfer(self, lines: Sequence[Line]) -> Sequence[Answer]:  # noqa: ARG002 - the port's signature
        return ()

    ask = cancel = transfer

    def document(self, batch: Batch, lines: Sequence[Line]) -> Document | None:
        if not lines:
            return None
        rows = (
            (str(index), line.name, line.account, str(yuan(line.net)), f"佣金{batch.period.key}", line.number)
            for index, line in enumerate(lines, 1)
        )
        return Document("transfers.csv", CONTENT_TYPE, csv_bytes(_HEADER, rows))
