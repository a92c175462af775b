"""Tax withheld: the checks of the two methods, their edges, and what a gap or a new year does."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardstock.errors import RefusedError
from cardstock.payouts.tax.tables import LABOUR_2019, PLATFORM_2025, TABLES, TaxTable, TaxToDate, table_for, withhold

NOVEMBER = date(2026, 11, 1)


@pytest.mark.parametrize(
    ("gross", "tax"),
    [
        (100_000, 4_000),
        (500_000, 80_000),
        (3_000_000, 520_000),
        (7_000_000, 1_540_000),
        (80_000, 0),
        (80_001, 0),  # 20 % of one fen is nothing after rounding
        (80_003, 1),  # 0.6 fen is one
        (400_000, 64_000),
        (400_001, 64_000),  # 64 000.16
        (2_500_000, 400_000),  # base exactly 20 000 yuan: still the first bracket
        (6_250_000, 1_300_000),  # base exactly 50 000 yuan: still the second
        (0, 0),
    ],
)
def test_labour_withholds_what_the_table_says(gross: int, tax: int) -> None:
    withheld, after = withhold(LABOUR_2019, NOVEMBER, gross)

    assert withheld == tax
    assert (after.month_income, after.month_withheld) == (gross, tax)


def test_two_labour_lines_of_one_month_are_taxed_as_one() -> None:
    first, after_first = withhold(LABOUR_2019, NOVEMBER, 60_000)
    second, _ = withhold(LABOUR_2019, NOVEMBER, 40_000, after_first)

    assert (first, second) == (0, 4_000)


def test_labour_starts_anew_each_month() -> None:
    _, october = withhold(LABOUR_2019, date(2026, 10, 1), 500_000)
    tax, _ = withhold(LABOUR_2019, NOVEMBER, 80_000, october)

    assert tax == 0


def test_platform_withholds_cumulatively_over_consecutive_months() -> None:
    taxes = []
    before: TaxToDate | None = None
    for month, gross in ((1, 600_000), (2, 800_000), (3, 2_000_000)):
        tax, before = withhold(PLATFORM_2025, date(2026, month, 1), gross, before)
        taxes.append(tax)

    assert taxes == [0, 3_600, 33_000]
    assert before == TaxToDate(2026, 3, 3, 3_400_000, 36_600, 2_000_000, 33_000)


def test_platform_never_gives_tax_back() -> None:
    _, january = withhold(PLATFORM_2025, date(2026, 1, 1), 5_000_000)
    tax, february = withhold(PLATFORM_2025, date(2026, 2, 1), 100, january)

    assert tax == 0
    assert february.withheld == january.withheld


def test_a_month_without_income_restarts_months_income_and_tax() -> None:
    _, january = withhold(PLATFORM_2025, date(2026, 1, 1), 2_000_000)
    tax, march = withhold(PLATFORM_2025, date(2026, 3, 1), 600_000, january)

    assert (tax, march.months, march.income, march.withheld) == (0, 1, 600_000, 0)


def test_a_brand_may_carry_income_and_tax_over_a_gap() -> None:
    _, january = withhold(PLATFORM_2025, date(2026, 1, 1), 2_000_000)
    tax, march = withhold(PLATFORM_2025, date(2026, 3, 1), 600_000, january, carry_over_gap=True)

    assert (march.months, march.income) == (1, 2_600_000)
    assert tax == (2_600_000 * 8 // 10 - 500_000) * 3 // 100 - january.withheld


def test_a_new_year_restarts_everything() -> None:
    _, december = withhold(PLATFORM_2025, date(2025, 12, 1), 20_000_000)
    tax, january = withhold(PLATFORM_2025, date(2026, 1, 1), 600_000, december, carry_over_gap=True)

    assert (tax, january.months, january.income) == (0, 1, 600_000)


def test_months_never_go_backwards() -> None:
    _, march = withhold(PLATFORM_2025, date(2026, 3, 1), 100)

    with pytest.raises(ValueError, match="backwards"):
        withhold(PLATFORM_2025, date(2026, 2, 1), 100, march)


def test_a_month_before_the_law_has_no_table() -> None:
    assert table_for("platform", date(2025, 10, 1)) is PLATFORM_2025
    assert table_for("labour", NOVEMBER) is LABOUR_2019
    with pytest.raises(RefusedError, match="TAX_TABLE_MISSING"):
        table_for("platform", date(2025, 9, 1))


@given(table=st.sampled_from(TABLES), parts=st.lists(st.integers(0, 10**9), min_size=1, max_size=6))
def test_splitting_a_month_into_lines_changes_no_total(table: TaxTable, parts: list[int]) -> None:
    whole, _ = withhold(table, NOVEMBER, sum(parts))
    before: TaxToDate | None = None
    taxes = []
    for gross in parts:
        tax, before = withhold(table, NOVEMBER, gross, before)
        taxes.append(tax)

    assert sum(taxes) == whole
    assert all(0 <= tax <= gross for tax, gross in zip(taxes, parts, strict=True))


@given(gross=st.integers(1, 10**10))
def test_each_bracket_joins_the_next_without_a_step(gross: int) -> None:
    lower, _ = withhold(LABOUR_2019, NOVEMBER, gross)
    higher, _ = withhold(LABOUR_2019, NOVEMBER, gross + 1)

    assert 0 <= higher - lower <= 1


def test_tables_are_dated_name_their_source_and_hold_one_at_a_time() -> None:
    assert len({table.id for table in TABLES}) == len(TABLES)
    for table in TABLES:
        same = [other for other in TABLES if other.method == table.method and other is not table]

        assert "国家税务总局公告" in table.source
        assert table.valid_until is None or table.valid_from <= table.valid_until
        assert not [other for other in same if table_for(table.method, other.valid_from) is table]
        assert table.brackets[-1].up_to is None


def test_a_table_holds_until_its_last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    old = msgspec.structs.replace(LABOUR_2019, id="labour-old", valid_until=date(2026, 6, 30))
    new = msgspec.structs.replace(LABOUR_2019, id="labour-new", valid_from=date(2026, 7, 1))
    monkeypatch.setattr("cardstock.payouts.tax.tables.TABLES", (old, new))

    assert [table_for("labour", date(2026, month, 1)).id for month in (6, 7)] == ["labour-old", "labour-new"]
