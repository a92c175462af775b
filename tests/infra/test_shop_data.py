"""Invoices as spreadsheets write them: what is readable is read, and every other row is counted with its number."""

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.demo.figures import figures_of
from infra.demo.shop_data import EXTRACT, MAX_ROW_UNITS, ShopData, ShopDataError, guide_of, read
from infra.demo.spreadsheet import day_first, read_moment
from infra.demo.summary import refused_lines, write_refused

with gzip.open(EXTRACT, "rt", encoding="utf-8", newline="") as extract:
    HEADER, *REAL = list(csv.reader(extract))
SAMPLE = REAL[:60]
"""Rows of the extract, the first of several invoices."""
COLUMN = {name: place for place, name in enumerate(HEADER)}


def text_of(rows: Sequence[Sequence[str]], separator: str = ",", end: str = "\r\n") -> str:
    made = io.StringIO()
    writer = csv.writer(made, delimiter=separator, lineterminator=end)
    writer.writerows([HEADER, *rows])
    return made.getvalue()


def read_rows(tmp_path: Path, rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> ShopData:
    path = tmp_path / "rows.csv"
    path.write_bytes(text_of(rows).encode(encoding))
    return read(path)


def changed(row: Sequence[str], **values: str) -> list[str]:
    return [values.get(name, row[place]) for name, place in COLUMN.items()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_same_rows_are_read_in_every_usual_form(
    encoding: str, separator: str, packed: bool, tmp_path: Path
) -> None:
    rows = [changed(row, Description="白色 挂心") for row in SAMPLE]
    blank = [""] * len(HEADER)
    path = tmp_path / "rows.csv"
    content = ("\r\n" + text_of([*rows, blank, blank], separator)).encode(encoding)
    path.write_bytes(gzip.compress(content) if packed else content)
    whole = read(path)
    plain = read_rows(tmp_path, rows)

    assert {article.name for article in whole.articles.values()} == {"白色 挂心"}
    # The two rows of separators alone are bad rows; the blank line before the header is none.
    first = len(rows) + 3
    moved = {reason: [number + 1 for number in numbers] for reason, numbers in plain.refused_rows.items()}
    assert whole.refused_rows == {**moved, "no_values": [first, first + 1]}
    assert (whole.rows, whole.refused["no_values"]) == (plain.rows + 2, 2)
    expected = replace(
        figures_of(plain, guides=3), rows_read=whole.rows, rows_refused={**plain.refused, "no_values": 2}
    )
    assert figures_of(whole, guides=3) == expected
    assert [sale.units for sale in whole.sales] == [sale.units for sale in plain.sales]


def test_forms_of_a_spreadsheet_change_nothing(tmp_path: Path) -> None:
    plain = read_rows(tmp_path, SAMPLE)
    spread = [
        changed(
            row,
            InvoiceNo=f"{row[0]}.0" if row[0].isdigit() else row[0],
            StockCode=f"{row[1]}.0" if row[1].isdigit() else f'="{row[1]}"',
            Quantity=f"{row[3]}.0",
            CustomerID=row[6].removesuffix(".0"),
            Description=row[2].replace(" ", "\r\n", 1),
        )
        for row in SAMPLE
    ]
    found = read_rows(tmp_path, spread)

    assert found.sales == plain.sales
    assert found.articles == plain.articles
    assert found.refused == plain.refused


@pytest.mark.parametrize(
    "written",
    ["2010-12-01 08:26:00", "2010/12/1 8:26", "2010-12-01T08:26:00", "12/1/2010 8:26", "12/1/2010 8:26:00 AM",
     "2010年12月1日 8:26", "40513.3513888889", "12/1/10 8:26"],
)  # fmt: skip
def test_dates_are_read_in_the_forms_of_spreadsheets(written: str) -> None:
    assert read_moment(written, days_first=False) == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


def test_the_order_of_day_and_month_is_that_of_the_whole_file(tmp_path: Path) -> None:
    rows = [changed(SAMPLE[0], InvoiceDate="1/12/2010 8:26"), changed(SAMPLE[1], InvoiceDate="13/12/2010 8:26")]
    both = [*rows, changed(SAMPLE[2], InvoiceDate="12/13/2010 8:26")]

    assert day_first(row[4] for row in rows) is True
    assert read_rows(tmp_path, rows).sales[0].at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert read_rows(tmp_path, both).refused_rows == {"ambiguous_date": [2]}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"CustomerID": ""}, "no_customer"),
        ({"CustomerID": "no such / customer"}, "no_customer_id"),
        ({"CustomerID": "1" * 80}, "no_customer_id"),
        ({"CustomerID": "1.785E+04"}, "rounded_id"),
        ({"InvoiceNo": "5.36E+05"}, "rounded_id"),
        ({"InvoiceNo": ""}, "no_invoice"),
        ({"StockCode": "POST"}, "postage_or_fee"),
        ({"StockCode": "710531"}, "no_article"),
        ({"StockCode": "71053.5"}, "no_article"),
        ({"Quantity": "2.5"}, "no_whole_number"),
        ({"Quantity": "six"}, "no_whole_number"),
        ({"Quantity": "NaN"}, "no_whole_number"),
        ({"Quantity": "1e99"}, "too_many_units"),
        ({"Quantity": "0"}, "no_quantity"),
        ({"Quantity": "-6"}, "no_quantity"),
        ({"Quantity": str(MAX_ROW_UNITS + 1)}, "too_many_units"),
        ({"UnitPrice": "free"}, "no_number"),
        ({"UnitPrice": "0"}, "no_price"),
        ({"UnitPrice": "1e12"}, "product_refused"),
        ({"Description": "x" * 101}, "product_refused"),
        ({"InvoiceDate": "yesterday"}, "no_date"),
        ({"InvoiceDate": "2010-13-01"}, "no_date"),
        ({"InvoiceDate": "2031-01-01"}, "date_far_off"),
    ],
)
def test_a_bad_row_is_counted_with_its_number_and_hurts_no_other(
    values: dict[str, str], reason: str, tmp_path: Path
) -> None:
    rows = [*SAMPLE[:9], changed(SAMPLE[9], **values), *SAMPLE[10:20]]
    data = read_rows(tmp_path, rows)
    without = read_rows(tmp_path, [*SAMPLE[:9], *SAMPLE[10:20]])

    assert data.refused_rows == {reason: [11]}
    assert data.sales == without.sales


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",,,,,,,", "no_values"),
        ('"",, ,,,,,', "no_values"),
        ("536370", "too_few_fields"),
        ('536370,"71053', "open_quote"),
        ("1,2,3,4,5,6,7,8,9,10", "too_many_fields"),
    ],
)
def test_a_line_that_is_no_record_hurts_no_other(line: str, reason: str, tmp_path: Path) -> None:
    lines = text_of(SAMPLE[:20]).splitlines(keepends=True)
    (tmp_path / "rows.csv").write_text("".join([*lines[:5], line + "\r\n", *lines[5:]]), "utf-8", newline="")
    data = read(tmp_path / "rows.csv")

    assert data.refused_rows == {reason: [6]}
    assert data.sales == read_rows(tmp_path, SAMPLE[:20]).sales


def test_keys_that_differ_stay_apart(tmp_path: Path) -> None:
    row = SAMPLE[0]
    rows = [
        changed(row, CustomerID="C17850"), changed(row, CustomerID="17850"), changed(row, CustomerID="017850"),
        changed(row, StockCode="85123a"), changed(row, StockCode="85123A"),
    ]  # fmt: skip
    data = read_rows(tmp_path, rows)

    assert set(data.customers) == {"017850", "17850", "C17850"}
    assert {article.code for article in data.articles.values()} == {"85123a", "85123A"}
    assert {guide_of(customer, 3) for customer in data.customers} <= {0, 1, 2}


def test_the_refused_rows_are_printed_and_written_in_full(tmp_path: Path) -> None:
    rows = {"no_date": list(range(2, 22)), "no_price": [30]}
    write_refused(tmp_path / "refused.csv", rows)

    assert list(refused_lines(rows)) == [
        "refused 20 rows: no_date (row 2, 3, 4, 5, 6, 7, 8, 9 and 12 more)", "refused 1 rows: no_price (row 30)",
    ]  # fmt: skip
    assert (tmp_path / "refused.csv").read_text("utf-8").splitlines()[-1] == "30,no_price"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"a,b,c\n1,2,3\n", b"\x1f\x8bno gzip", b"\x00" * 50])
def test_a_file_without_such_a_table_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(content)

    with pytest.raises(ShopDataError):
        read(tmp_path / "rows.csv")


MUTATIONS = st.one_of(
    st.tuples(st.just("cell"), st.integers(0, len(HEADER) - 1), st.text(max_size=30)),
    st.tuples(st.just("cell"), st.integers(0, len(HEADER) - 1), st.sampled_from(
        ["", "-1", "1e5", '"', '"x', "1,5", "０１", "\u202e71053", "99999999999999999999", "C1", "=1+1", "\x00"]
    )),
    st.tuples(st.just("cut"), st.integers(0, len(HEADER)), st.just("")),
    st.tuples(st.just("raw"), st.just(0), st.text(max_size=60)),
)  # fmt: skip


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mutations=st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), MUTATIONS), max_size=6),
    encoding=st.sampled_from(["utf-8", "gb18030"]),
)
def test_whatever_becomes_of_rows_the_others_are_sold_and_each_bad_one_is_counted_once(
    mutations: list[tuple[int, tuple[str, int, str]]], encoding: str, tmp_path: Path
) -> None:
    lines = text_of(SAMPLE).splitlines(keepends=True)
    for number, (kind, place, value) in mutations:
        row = list(SAMPLE[number])
        if kind == "cell":
            row[place] = value
        made = io.StringIO()
        csv.writer(made).writerow(row[:place] if kind == "cut" else row)
        lines[number + 1] = f"{value}\r\n" if kind == "raw" else made.getvalue()
    path = tmp_path / "mutated.csv"
    path.write_bytes("".join(lines).encode(encoding, "replace"))
    data = read(path)

    touched = {number for number, _ in mutations}
    others = read_rows(tmp_path, [row for number, row in enumerate(SAMPLE) if number not in touched])
    numbers = [number for rows in data.refused_rows.values() for number in rows]
    assert len(numbers) == len(set(numbers)) == sum(data.refused.values()) <= data.rows
    for sku, article in others.articles.items():
        assert data.articles[sku].units >= article.units
    assert len(data.returns) >= len(others.returns)
    for sale in data.sales:
        assert all(0 < count <= 999 for count in sale.units.values())
        assert set(sale.units) <= set(data.articles)
