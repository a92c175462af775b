"""The money of a transfer that was retried under another number counts once: in totals, in books and in every file."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from openpyxl import load_workbook

from cardstock.payouts import wiring
from cardstock.payouts.channels.sandbox import SandboxTransfers, Way
from cardstock.payouts.events import PayoutSettled
from cardstock.payouts.lines import Line, replacements, retried
from cardstock.payouts.reading import existing_batch
from tests.people.finance import PAYOUT, Finance, member_id
from tests.people.staff import person

Ways = dict[tuple[str, int], Way]


@pytest.fixture
def ways() -> Iterator[Ways]:
    """What becomes of a member's transfer, by attempt; `paid` if it is not said."""
    wiring.set_transfer_transport(None)
    made = wiring.transfer_channel("sandbox")
    assert isinstance(made, SandboxTransfers)
    found: Ways = {}
    made.script = lambda line: found.get((line.member, line.attempt), "paid")
    yield found
    wiring.set_transfer_transport(None)


def retry_of(finance: Finance, ways: Ways, second: Way) -> tuple[str, str]:
    """Three members: one is paid, one fails, and one has less when it is sent, fails, and is retried. Returns the
    numbers of the last one's two transfers, first and second."""
    _, failed, again = (finance.member(index, 50_000) for index in (1, 2, 3))
    ways.update({(failed, 1): "failed", (again, 1): "failed", (again, 2): second})
    finance.open("sandbox")
    finance.drain()
    finance.earn(again, -10_000, days_ago=0)
    finance.approve()
    finance.drain()
    finance.earn(again, 10_000, days_ago=0)  # the retry pays no more than the first attempt
    first = finance.lines()[again]["number"]
    _, line = finance.retry(first)
    finance.drain()
    return first, line["number"]


def all_lines(finance: Finance) -> dict[str, dict[str, Any]]:
    _, page = finance.call("GET", f"/v1/payouts/{PAYOUT}/lines", query={"limit": "100"})
    return {line["number"]: line for line in page["items"]}


def settle(finance: Finance) -> dict[str, Any]:
    finance.call("POST", f"/v1/payouts/{PAYOUT}/closings", key="close", token=finance.clerk)
    finance.drain()
    return finance.payout()


def file(finance: Finance, name: str) -> bytes:
    content: bytes = finance.cloud.s3.get_object(Bucket="reports", Key=f"payouts/{PAYOUT}/{name}")["Body"].read()
    return content


def csv_sums(finance: Finance) -> Counter[str]:
    """The columns of lines.csv in fen, over the rows that no other row replaces."""
    rows = csv.DictReader(io.StringIO(file(finance, "lines.csv").decode("utf-8-sig"), newline=""))
    sums: Counter[str] = Counter()
    for row in rows:
        if not row["由重试取代 replaced by"]:
            sums.update({name: int(Decimal(value) * 100) for name, value in row.items() if "(元)" in name})
    return sums


@pytest.mark.parametrize("second", ["paid", "failed"])
def test_totals_books_and_files_count_the_money_of_a_retried_transfer_once(
    finance: Finance, ways: Ways, second: Way
) -> None:
    first, number = retry_of(finance, ways, second)
    payout = settle(finance)
    lines = all_lines(finance)
    sums = {
        name: sum(total[name] for total in payout["totals"].values())
        for name in ("lines", "listed_fen", "gross_fen", "tax_fen", "net_fen")
    }
    _, report = finance.call("GET", f"/v1/payouts/{PAYOUT}/report")
    in_csv = csv_sums(finance)
    event = PayoutSettled.of(existing_batch(PAYOUT, wiring.payouts()))
    book = payout["books"]["batch"]

    assert payout["status"] == "settled"
    assert (lines[first]["replaced_by"], lines[number]["replaced_by"]) == (number, None)
    assert payout["replaced"] == {
        "lines": 1, "listed_fen": 50_000, "gross_fen": 40_000, "tax_fen": 0, "net_fen": 40_000,
    }  # fmt: skip
    assert (sums["lines"], sums["listed_fen"]) == (payout["listed"], payout["listed_fen"]) == (3, 150_000)
    assert (sums["gross_fen"], book["claimed_fen"], book["lines"]) == (140_000, 140_000, 3)
    assert book["returned_fen"] == payout["totals"]["failed"]["gross_fen"] == (50_000 if second == "paid" else 90_000)
    assert book["claimed_fen"] == book["paid_fen"] + book["tax_fen"] + book["returned_fen"]
    assert payout["books"]["ledger"] == payout["books"]["channel"] == book
    assert report["books"] == payout["books"]
    assert (event.lines, event.paid_fen, event.returned_fen) == (3, book["paid_fen"], book["returned_fen"])
    assert in_csv["挂账(元) listed"] == 150_000
    assert in_csv["应发(元) gross"] == 140_000
    assert in_csv["到账(元) paid"] == book["paid_fen"]
    finance.check_ledger()


def test_the_workbook_counts_it_once_and_names_it_apart(finance: Finance, ways: Ways) -> None:
    _, number = retry_of(finance, ways, "paid")
    settle(finance)
    book = load_workbook(io.BytesIO(file(finance, "report.xlsx")))
    header, *rows = book["发放明细 Lines"].iter_rows(values_only=True)
    names = [name.split("\n")[1] for name in header]
    total = dict(zip(names, rows[-1], strict=True))
    summary = {row[0]: row[1:6] for row in book["汇总 Summary"].iter_rows(values_only=True) if row[0]}
    controls = {row[0]: row[1:3] for row in book["控制总额 Control totals"].iter_rows(values_only=True)}

    assert person("Wang Fang") in summary["结束重试 Retries ended"][0]
    assert len(rows) == 5
    assert [row[names.index("Replaced by")] for row in rows[:-1]].count(number) == 1
    assert (total["Listed (CNY)"], total["Gross (CNY)"], total["Paid (CNY)"]) == (1_500, 1_400, 900)
    assert summary["合计 Total"] == (3, 1_500, 1_400, 0, 900)
    assert summary["失败 Failed"] == (1, 500, 500, 0, 0)
    assert summary["另：已由重试取代 Beside: replaced by a retry"] == (1, 500, 400, 0, 0)
    assert summary["账本 Ledger"] == (3, 1_400, 900, 0, 500)
    assert controls["发放明细（应发） Lines (gross)"] == (4, 1_400)
    assert controls["账本：本批占用 Ledger: claimed"] == (4, 1_400)


def test_what_was_paid_after_all_is_replaced_by_nothing(finance: Finance, ways: Ways) -> None:
    first, number = retry_of(finance, ways, "paid")
    line, again = wiring.payouts().find_lines(PAYOUT, [first, number]).values()
    if line.number != first:
        line, again = again, line

    assert replacements([again, line]) == {first: number}
    assert replacements([replace(line, status="paid"), again]) == {}
    assert replacements([line]) == replacements([again]) == {}


def test_a_retry_is_listed_with_what_the_first_attempt_was_and_pays_what_that_could_not(
    finance: Finance, ways: Ways
) -> None:
    _, number = retry_of(finance, ways, "paid")
    line = wiring.payouts().find_lines(PAYOUT, [number])[number]
    old = Line(PAYOUT, "2026-11", member_id(3), 1, "n", 50_000, gross=40_000, status="failed")

    assert (line.listed, line.limit, line.gross) == (50_000, 40_000, 40_000)
    assert (retried(old, "stf_1").listed, retried(old, "stf_1").limit) == (50_000, 40_000)
    assert replace(old, listed=40_000).limit == 40_000  # as 0.2.0 stored a second attempt
