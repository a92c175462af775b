"""Writers of the payout report. Each takes a `Report` and gives the same bytes for the same report, always.

They import their libraries when called: only the function that writes reports carries them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cardstock.files import Document
from cardstock.payouts.report.content import Report
from cardstock.payouts.report.draft import Draft

if TYPE_CHECKING:
    from cardstock.payouts.tax.model import TaxQuarter  # imports this package: at run time it would be a circle


def writers() -> tuple[Callable[[Report], Document], ...]:
    """The files of a report: workbook, lines as CSV, cover sheet."""
    from cardstock.payouts.report import cover, csv_file, workbook

    return (
        lambda report: Document("report.xlsx", workbook.CONTENT_TYPE, workbook.workbook(report)),
        lambda report: Document("lines.csv", csv_file.CONTENT_TYPE, csv_file.lines_csv(report)),
        lambda report: Document("cover.pdf", cover.CONTENT_TYPE, cover.cover(report)),
    )


def draft_writers() -> tuple[Callable[[Draft], Document], ...]:
    """The files of a draft: workbook, persons as CSV."""
    from cardstock.payouts.report import csv_file, draft_file_writers, workbook

    return (
        lambda draft: Document("draft.xlsx", workbook.CONTENT_TYPE, draft_file_writers.draft_workbook(draft)),
        lambda draft: Document("draft.csv", csv_file.CONTENT_TYPE, draft_file_writers.draft_csv(draft)),
    )


def quarter_writers() -> tuple[Callable[["TaxQuarter"], Document], ...]:
    """The files of a quarter for the tax authority: workbook, months as CSV."""
    from cardstock.payouts.report import csv_file, workbook
    from cardstock.payouts.tax import writers as quarter

    return (
        lambda content: Document(
            f"tax-{content.quarter.key}.xlsx", workbook.CONTENT_TYPE, quarter.quarter_workbook(content)
        ),
        lambda content: Document(f"tax-{content.quarter.key}.csv", csv_file.CONTENT_TYPE, quarter.quarter_csv(content)),
    )
