"""A settled batch with every outcome and every awkward name, for the tests of the report's writers."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from cardstock.payouts.books import Booking, LedgerLine
from cardstock.payouts.lines import Line, LineStatus, Result, transfer_number
from cardstock.payouts.model import Batch, File, Rules
from cardstock.payouts.periods import Period
from cardstock.payouts.report.content import Report, assemble
from cardstock.payouts.tax.tables import LABOUR_2019, withhold
from cardstock.payouts.transfer_answers import Answer

CLOSED = datetime(2026, 12, 3, 2, 30, tzinfo=UTC)
PERIOD = Period("2026-11")
NAMES = (
    "张伟",
    '=HYPERLINK("http://example.com","x")',
    "@SUM(A1)",
    "+86 138",
    "-1",
    "王小明 🧋",
    "علي \u202eحسن",
    "bell\x07 and _x0041_",
    "  padded  ",
    "00123",
    "https://example.com/",
    '<b>O\'Neil & "Söhne"</b>',
    "\ud800 lone",
    "line\nbreak\ttab",
    "\ufffe not a character",
    "李" * 40,
)
_OUTCOMES: tuple[LineStatus, ...] = ("paid", "paid", "paid", "paid", "paid", "failed", "paid", "dropped", "expired")


def sample(payees: int = 16, orders: int = 3) -> Report:
    """A report over `payees` payees, each with `orders` orders in the month."""
    lines, answers, bookings, postings = [], {}, {}, []
    for index in range(payees):
        member = f"mem_{index:026d}"
        status = _OUTCOMES[index % len(_OUTCOMES)]
        gross = 1_000 + (index * 7_919) % 180_000 + (3_000_000 if index == 3 else 0)
        number = transfer_number(member, PERIOD, 1)
        tax, after = withhold(LABOUR_2019, PERIOD.month, gross)
        line = Line(
            "pay_202611", "2026-11", member, 1, number, gross, status, gross, tax, gross - tax,
            NAMES[index % len(NAMES)], "6222 0200 0000 0000", person=f"prs_{index:026d}",
            id_number="1****************X", tax_table=LABOUR_2019.id, after=after,
            sent_at=CLOSED - timedelta(days=1), closed_at=CLOSED - timedelta(minutes=30),
        )  # fmt: skip
        if status == "dropped":
            line = replace(line, gross=0, tax=0, net=0, reason="unverified", after=None, sent_at=None)
        else:
            paid = status == "paid"
            bookings[number] = Booking(
                number, member, gross, paid=line.net * paid, tax=tax * paid, returned=gross * (not paid)
            )
            result: Result = "paid" if paid else "failed" if status == "failed" else "expired"
            reason = None if paid else "ACCOUNT_CLOSED"
            line = replace(line, reason=reason)
            answers[number] = (Answer(number, result, CLOSED - timedelta(hours=1), "key_bank", reason),)
        lines.append(line)
        for order in range(orders):
            at = CLOSED - timedelta(days=20 - order, seconds=index)
            cause = f"ord_{index:013d}{order:013d}"
            part = gross // orders
            postings.append(LedgerLine(member, at, f"accrue.{cause}", "accrued", cause, "frozen", part))
            later = at + timedelta(days=8)
            postings.append(LedgerLine(member, later, f"release.{cause}", "released", cause, "frozen", -part))
            postings.append(LedgerLine(member, later, f"release.{cause}", "released", cause, "available", part))
    batch = Batch(
        id="pay_202611",
        period=PERIOD,
        stage="closed",
        rules=Rules(1_000, "bank_file", 10, "labour", LABOUR_2019.id),
        opened_by="schedule",
        opened_at=CLOSED - timedelta(days=2),
        approved_by="key_finance",
        approver="李娜 finance",
        approved_at=CLOSED - timedelta(days=1, hours=3),
        note="核对无误",
        since=CLOSED - timedelta(days=32),
        sent_at=CLOSED - timedelta(days=1),
        closed_at=CLOSED,
        transfers=(File("transfers.csv", "payouts/pay_202611/transfers.csv", "text/csv", 1_234, "ab" * 32),),
    )
    return assemble(
        brand="卡栈 Cardstock", batch=batch, lines=lines, bookings=bookings, answers=answers, postings=postings
    )
