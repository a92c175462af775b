"""The cover sheet of a payout report as PDF: one page in Chinese, one in English, to be signed.

Its one font is embedded (`fonts`): the sheet reads the same on a machine without any Chinese font.
"""

from collections import Counter
from io import BytesIO
from typing import Any

from cardstock.payouts.report import fonts
from cardstock.payouts.report.content import Report
from cardstock.payouts.report.texts import (
    CHANNEL,
    CONTROL,
    METHOD,
    REPLACED,
    TAX_MONTH,
    approver,
    bringers,
    local_text,
    opener,
    retries_ended,
    yuan_text,
)
from cardstock.payouts.tax.tables import TaxTable
from cardstock.payouts.wording import STATUS, Text
from cardstock.texts import one_line

CONTENT_TYPE = "application/pdf"

_FONT = fonts.NAME
_MOST_NAMED = 4
"""Bringings of results that fit on a page; the API has the others."""
_BLUE, _LINE, _SOFT = "#1F3A5F", "#C8CDD3", "#EAF0F6"

_WORDS: dict[str, Text] = {
    "title": ("佣金发放报告", "Payout report"),
    "batch": ("批次", "Batch"),
    "period": ("期间", "Period"),
    "channel": ("发放渠道", "Channel"),
    "opened": ("开立", "Opened"),
    "approved": ("审批", "Approved"),
    "brought": ("结果提交", "Results brought"),
    "retries_ended": ("结束重试", "Retries ended"),
    "closed": ("结清", "Closed"),
    "tax_month": ("个税月份", "Tax month"),
    "tax": ("个税方法", "Tax method"),
    "source": ("依据", "Source"),
    "outcome": ("发放结果（元）", "Outcome (CNY)"),
    "status": ("状态", "Status"),
    "lines": ("笔数", "Lines"),
    "gross": ("应发", "Gross"),
    "withheld": ("代扣个税", "Tax withheld"),
    "net": ("实发", "Net"),
    "total": ("合计", "Total"),
    "books": ("三方对账（元）", "Three-way reconciliation (CNY)"),
    "book": ("账册", "Book"),
    "ledger": ("账本", "Ledger"),
    "channel_book": ("渠道", "Channel"),
    "claimed": ("占用", "Claimed"),
    "returned": ("退回", "Returned"),
    "agree": ("三方一致，差异 0。", "All three books agree: 0 differences."),
    "controls": ("控制总额", "Control totals"),
    "part": ("项目", "Part"),
    "rows": ("行数", "Rows"),
    "amount": ("金额（元）", "Amount (CNY)"),
    "file": ("文件", "File"),
    "prepared": ("制单", "Prepared by"),
    "checked": ("复核", "Checked by"),
    "released": ("出纳", "Released by"),
    "date": ("日期", "Date"),
    "findings": ("异常 {count} 条，见工作簿。", "{count} exceptions, listed in the workbook."),
}


def cover(report: Report) -> bytes:
    """The PDF of `report`. The same report gives the same bytes."""
    from reportlab.lib.pagesizes import A4  # only in the layer of the report writer
    from reportlab.lib.units import mm
    from reportlab.platypus import PageBreak, SimpleDocTemplate

    fonts.register()
    target = BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=14 * mm,
        bottomMargin=12 * mm,
        title=f"Payout report {report.batch.period.key}",
        author=one_line(report.brand),
        invariant=1,
        initialFontName=_FONT,  # without it every page names Helvetica, which is not embedded
    )
    document.build([*_page(report, 0), PageBreak(), *_page(report, 1)])
    return target.getvalue()


def _page(report: Report, language: int) -> list[Any]:
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, Spacer

    def word(key: str, **facts: object) -> str:
        return _WORDS[key][language].format_map(facts)

    def named(texts: dict[str, Text], key: str) -> str:
        return texts[key][language] if key in texts else key

    batch, books = report.batch, report.reconciliation

    def until(table: TaxTable) -> str:
        return "" if table.valid_until is None else f" - {table.valid_until}"

    facts = [
        (word("batch"), batch.id),
        (word("period"), batch.period.key),
        (word("channel"), named(CHANNEL, batch.rules.channel)),
        (word("opened"), f"{local_text(batch.opened_at)}  {opener(batch)}"),
        (word("approved"), f"{local_text(batch.approved_at)}  {approver(batch)}"),
        (word("closed"), f"{local_text(report.closed_at)}  (UTC+8)"),
    ]
    facts += [(word("brought"), said) for said in bringers(report.brought[:_MOST_NAMED], language)]
    if ended := retries_ended(batch):
        facts.append((word("retries_ended"), ended))
    for table in report.tax_tables:
        facts += [
            (word("tax"), f"{named(METHOD, table.method)} ({table.id}, {table.valid_from}{until(table)})"),
            (word("source"), table.source),
        ]
    if batch.rules.tax_month:
        facts.append((word("tax_month"), named(TAX_MONTH, batch.rules.tax_month)))
    outcome = [[word("status"), word("lines"), word("gross"), word("withheld"), word("net")]]
    counts: Counter[str] = Counter()
    sums: dict[str, list[int]] = {}
    for line in report.lines:
        paid = line.status == "paid"
        amounts = (line.gross, line.tax * paid, line.net * paid)
        for key in ("replaced",) if line.number in report.replaced else (line.status, "total"):
            counts[key] += 1
            sums[key] = [a + b for a, b in zip(sums.get(key, [0, 0, 0]), amounts, strict=True)]
    statuses = [status for status in ("paid", "failed", "expired", "dropped") if counts[status]]
    for key in (*statuses, "total", *(["replaced"] if counts["replaced"] else ())):
        name = {"total": word("total"), "replaced": REPLACED[language]}.get(key) or named(STATUS, key)
        outcome.append([name, f"{counts[key]:,}", *[yuan_text(amount) for amount in sums.get(key, [0, 0, 0])]])
    compared = [[word("book"), word("lines"), word("claimed"), word("net"), word("withheld"), word("returned")]]
    for name, totals in (("ledger", books.ledger), ("batch", books.batch), ("channel_book", books.channel)):
        moved = (totals.claimed, totals.paid, totals.tax, totals.returned)
        compared.append([word(name), f"{totals.count:,}", *[yuan_text(amount) for amount in moved]])
    controls = [[word("part"), word("rows"), word("amount"), "SHA-256"]]
    controls += [
        [named(CONTROL, control.name), f"{control.rows:,}", yuan_text(control.amount), control.sha256]
        for control in report.controls
    ]
    controls += [[f"{word('file')} {file.name}", "", "", file.sha256] for file in batch.transfers]
    style = _styles()
    return [
        Paragraph(_escaped(f"{report.brand}"), style["brand"]),
        Paragraph(_escaped(f"{word('title')} {batch.period.key}"), style["title"]),
        _table(facts, [34, 140], head=False),
        Paragraph(word("outcome"), style["section"]),
        _table(outcome, [50, 22, 34, 34, 34], total=True),
        Paragraph(word("books"), style["section"]),
        _table(compared, [34, 20, 30, 30, 30, 30]),
        Paragraph(f"{word('agree')} {word('findings', count=len(report.findings))}", style["note"]),
        Paragraph(word("controls"), style["section"]),
        _table(controls, [42, 14, 28, 90]),
        Spacer(1, 7 * mm),
        _signatures([word("prepared"), word("checked"), word("released")], word("date")),
    ]


def _styles() -> dict[str, Any]:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle

    base = ParagraphStyle("base", fontName=_FONT, fontSize=9, leading=13, wordWrap="CJK")
    return {
        "cell": base,
        "brand": ParagraphStyle("brand", base, fontSize=11, leading=16, textColor=HexColor("#5A6472")),
        "title": ParagraphStyle("title", base, fontSize=20, leading=28, spaceAfter=8, textColor=HexColor(_BLUE)),
        "section": ParagraphStyle(
            "section", base, fontSize=11, leading=15, spaceBefore=12, spaceAfter=4, textColor=HexColor(_BLUE)
        ),
        "note": ParagraphStyle("note", base, spaceBefore=4, textColor=HexColor("#2E7D32")),
    }


def _table(rows: list[Any], widths: list[int], *, head: bool = True, total: bool = False) -> Any:
    """A table with amounts aligned right; the first column, and a last column of hashes, are text."""
    from reportlab.lib.colors import HexColor, white
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, Table

    cell = _styles()["cell"]
    cells: list[list[Any]] = [list(row) for row in rows]
    for index, row in enumerate(cells):
        if not (head and index == 0):
            row[0] = Paragraph(_escaped(row[0]), cell)
            if not head:
                row[1] = Paragraph(_escaped(row[1]), cell)
    look: list[Any] = [
        ("FONT", (0, 0), (-1, -1), _FONT, 9),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(_LINE)),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
    if head:
        look += [
            ("BACKGROUND", (0, 0), (-1, 0), HexColor(_BLUE)),
            ("TEXTCOLOR", (0, 0), (-1, 0), white),
            ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ]
        if rows[0][-1] == "SHA-256":
            look += [("ALIGN", (-1, 0), (-1, -1), "LEFT"), ("FONT", (-1, 1), (-1, -1), _FONT, 6.2)]
    else:
        look += [("BACKGROUND", (0, 0), (0, -1), HexColor(_SOFT))]
    if total:
        look += [("BACKGROUND", (0, -1), (-1, -1), HexColor(_SOFT))]
    return Table(cells, colWidths=[width * mm for width in widths], style=look, hAlign="LEFT")


def _signatures(names: list[str], date: str) -> Any:
    from reportlab.lib.units import mm
    from reportlab.platypus import Table

    cells = [[f"{name}: ____________________" for name in names], [f"{date}: ____________________"] * len(names)]
    look = [("FONT", (0, 0), (-1, -1), _FONT, 9), ("BOTTOMPADDING", (0, 0), (-1, -1), 10)]
    return Table(cells, colWidths=[58 * mm] * len(names), style=look, hAlign="LEFT")


def _escaped(text: str) -> str:
    """The text with markup escaped, which a paragraph would interpret."""
    return fonts.drawable(one_line(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
