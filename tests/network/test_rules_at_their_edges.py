"""Rules where they turn: at the last fen of a limit, at the last parameter that passes, at each bracket of a tax."""

from datetime import date

import pytest
from msgspec.structs import replace

from cardstock.network import plan_check
from cardstock.network.model import OrderLine, Person, Snapshot
from cardstock.network.plan import NOTHING, Check, Plan
from cardstock.network.presets import CHAIN21, FREE_ORDER, SINGLE_LEVEL, UNLOCK
from cardstock.network.rewards import rewards_for
from cardstock.payouts.tax.tables import LABOUR_2019, PLATFORM_2025, TaxToDate, assess, withhold
from tests.people.referrals import EXAMPLE

R, Q, A = Person("mem_r", "partner"), Person("mem_q", "partner"), Person("mem_a", "distributor")
KIT = OrderLine("kit", 1, 49_900, qualifying=True)
TEA = OrderLine("tea", 1, 100_000)


def paid(lines: tuple[OrderLine, ...], snapshot: Snapshot, plan: Plan) -> list[tuple[str, int]]:
    return [(reward.member_id, reward.amount) for reward in rewards_for(lines, snapshot, plan)]


def test_on_one_level_a_partner_s_peer_gets_nothing_either() -> None:
    snapshot = Snapshot("chain21", 1, referrer=R, owner=R, peer=Q)

    assert paid((KIT,), snapshot, replace(EXAMPLE, max_levels=1)) == [("mem_r", 30_000)]


def test_a_cap_of_half_a_fen_more_is_floored() -> None:
    lines = (replace(KIT, net=49_905),)

    # 30 % of 499.05 is 149.715.
    assert paid(lines, Snapshot("chain21", 1, referrer=R), replace(EXAMPLE, cap_bps=3_000)) == [("mem_r", 14_971)]


def test_of_the_cap_and_what_was_paid_for_the_measured_lines_the_lower_holds() -> None:
    lines = (replace(KIT, net=15_000), TEA)
    snapshot = Snapshot("chain21", 1, referrer=A, owner=R)

    # 30 % of 1 150.00 would be 345.00; direct 100.00 and team 150.00 (limited) share the kit's 150.00.
    assert paid(lines, snapshot, replace(EXAMPLE, cap_bps=3_000)) == [("mem_a", 6_000), ("mem_r", 9_000)]
    # And the other way round: 10 % of the order is less than the kit.
    assert paid(lines, snapshot, replace(EXAMPLE, cap_bps=1_000)) == [("mem_a", 4_600), ("mem_r", 6_900)]


@pytest.mark.parametrize(
    ("plan", "check", "verdict"),
    [
        (replace(SINGLE_LEVEL, max_levels=2), "levels", "needs_approval"),
        (replace(CHAIN21, team=NOTHING), "levels", "needs_approval"),
        (replace(SINGLE_LEVEL, promote_n=1), "head_count", "needs_approval"),
        (replace(UNLOCK, dividend_bps=1), "benefit", "refused"),
        (replace(SINGLE_LEVEL, dividend_bps=1), "dividend", "needs_approval"),
        (replace(FREE_ORDER, benefit_coupon=1), "benefit", "refused"),
        (replace(SINGLE_LEVEL, earners="qualified"), "fee", "needs_approval"),
        (replace(SINGLE_LEVEL, cap_bps=None), "cap", "needs_approval"),
        (replace(UNLOCK, peer_bps=1), "benefit", "refused"),
        (replace(SINGLE_LEVEL, promote_on="paid"), "role_survives_return", "refused"),
    ],
)
def test_each_step_over_a_line_is_found_by_its_own_check(plan: Plan, check: Check, verdict: str) -> None:
    found = {finding.check: finding for finding in plan_check.check(plan)}

    assert found[check].verdict == verdict
    assert found[check] in plan_check.blocks(tuple(found.values()))


@pytest.mark.parametrize(
    ("plan", "remedies"),
    [
        (replace(CHAIN21, promote_on="paid"), {"promote_on": "settled"}),
        (replace(CHAIN21, promote_on="paid"), {"on_refund": "demote"}),
        (CHAIN21, {"cap_bps": 3_000}),
        (CHAIN21, {"earners": "anyone"}),
        (CHAIN21, {"peer_bps": 0}),
        (CHAIN21, {"promote_n": 0}),
        (CHAIN21, {"max_levels": 1, "team": NOTHING, "peer_bps": 0}),
        (replace(SINGLE_LEVEL, return_days=6), {"return_days": 7}),
        (replace(SINGLE_LEVEL, freeze_days=9, return_days=10), {"freeze_days": 10}),
    ],
)
def test_what_a_finding_says_would_pass_does_pass(plan: Plan, remedies: dict[str, object]) -> None:
    before, after = (
        {finding.check for finding in plan_check.check(each)} for each in (plan, replace(plan, **remedies))
    )

    # The remedy takes away a finding and brings no other.
    assert after < before


LABOUR = ((0, 2_000_000, 20), (2_000_000, 5_000_000, 30), (5_000_000, None, 40))
PLATFORM = (
    (0, 3_600_000, 3), (3_600_000, 14_400_000, 10), (14_400_000, 30_000_000, 20), (30_000_000, 42_000_000, 25),
    (42_000_000, 66_000_000, 30), (66_000_000, 96_000_000, 35), (96_000_000, None, 45),
)  # fmt: skip


def piecewise(base: int, brackets: tuple[tuple[int, int | None, int], ...]) -> int:
    """Hundredths of a fen: each part of the base at its own bracket's rate, with no quick deduction."""
    return sum(max(0, (base if high is None else min(base, high)) - low) * percent for low, high, percent in brackets)


@pytest.mark.parametrize("edge", [high for _, high, _ in LABOUR[:-1] if high] + [10_000_000])
@pytest.mark.parametrize("beside", [-100_000, -100, 0, 100, 100_000])
def test_labour_is_right_on_both_sides_of_each_bracket(edge: int, beside: int) -> None:
    base = edge + beside
    gross = base * 5 // 4

    assert withhold(LABOUR_2019, date(2026, 3, 1), gross)[0] == piecewise(base, LABOUR) // 100


@pytest.mark.parametrize("edge", [high for _, high, _ in PLATFORM[:-1] if high] + [120_000_000])
@pytest.mark.parametrize("beside", [-100_000, -100, 0, 100, 100_000])
def test_platform_is_right_on_both_sides_of_each_bracket(edge: int, beside: int) -> None:
    base = edge + beside
    gross = (base + 500_000) * 5 // 4

    assert withhold(PLATFORM_2025, date(2026, 3, 1), gross)[0] == piecewise(base, PLATFORM) // 100


@pytest.mark.parametrize(
    ("gross", "tax"), [(0, 0), (80_000, 0), (80_002, 0), (80_003, 1), (400_000, 64_000), (400_005, 64_001)]
)
def test_labour_is_right_where_its_expense_begins_and_changes(gross: int, tax: int) -> None:
    assert withhold(LABOUR_2019, date(2026, 3, 1), gross)[0] == tax


def test_no_more_is_shown_as_expense_than_was_earned() -> None:
    shown = assess(LABOUR_2019, TaxToDate(2026, 3, 1, 50_000, 0, 50_000, 0))

    assert (shown.expense, shown.taxable, shown.due) == (50_000, 0, 0)


def test_labour_of_one_month_is_not_lessened_by_the_month_before() -> None:
    first, before = withhold(LABOUR_2019, date(2026, 3, 1), 500_000)
    second, _ = withhold(LABOUR_2019, date(2026, 4, 1), 500_000, before)

    assert first == second == 80_000


def test_after_a_gap_the_months_begin_anew_even_where_figures_are_carried_over() -> None:
    before = TaxToDate(2026, 3, 3, 3_400_000, 36_600, 2_000_000, 33_000)
    tax, after = withhold(PLATFORM_2025, date(2026, 5, 1), 1_000_000, before, carry_over_gap=True)

    # 44 000 to date, less 20 % and one month's 5 000: 30 200 at 3 % is 906; 366 were withheld.
    assert (tax, after.months, after.income) == (54_000, 1, 4_400_000)


def test_a_new_year_forgets_income_and_tax_even_in_the_month_after_december_and_where_gaps_are_carried_over() -> None:
    before = TaxToDate(2025, 12, 12, 50_000_000, 7_000_000, 2_000_000, 33_000)
    tax, after = withhold(PLATFORM_2025, date(2026, 1, 1), 600_000, before, carry_over_gap=True)

    assert (tax, after.months, after.income) == (0, 1, 600_000)


def test_no_more_is_withheld_from_a_line_than_it_pays() -> None:
    before = TaxToDate(2026, 6, 6, 90_000_000, 0, 1, 0)
    tax, _ = withhold(PLATFORM_2025, date(2026, 8, 1), 100, before, carry_over_gap=True)

    assert tax == 100
