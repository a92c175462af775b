"""Periods, transfer numbers, who is refused, and what a channel's word does to a line."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.errors import InvalidError
from cardstock.payouts.lines import Line, LineStatus, Result, retried, transfer_number
from cardstock.payouts.payees import Balance, Payee, refusal
from cardstock.payouts.periods import Period, batch_id, period_of
from cardstock.payouts.transfer_answers import Answer, answered

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
PAYEE = Payee("mem_1", "张伟", "6222 0000", verified=True, of_age=True)
LINE = Line("pay_202611", "2026-11", "mem_1", 1, "202611x", 5_000, "sent", 5_000, 0, 5_000)


def test_a_period_is_a_month_of_shanghai() -> None:
    period = Period("2026-12")

    assert period.starts == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert period.ends == datetime(2026, 12, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "period"),
    [
        (datetime(2026, 11, 30, 16, tzinfo=UTC), "2026-11"),  # midnight in Shanghai: November has just ended
        (datetime(2026, 11, 30, 15, 59, tzinfo=UTC), "2026-10"),
        (datetime(2027, 1, 15, tzinfo=UTC), "2026-12"),
    ],
)
def test_the_month_before_a_moment_is_over_in_shanghai(moment: datetime, period: str) -> None:
    assert Period.before(moment) == Period(period)


@pytest.mark.parametrize("key", ["2026-13", "2026-1", "26-01", "2026-01\n", "", "2026-00", "20٢٦-01"])
def test_what_is_no_month_is_refused(key: str) -> None:
    with pytest.raises(InvalidError, match="PERIOD_INVALID"):
        Period(key)


def test_a_batch_id_stands_for_its_period_both_ways() -> None:
    assert batch_id(Period("2026-11")) == "pay_202611"
    assert period_of("pay_202611") == Period("2026-11")
    with pytest.raises(InvalidError):
        period_of("pay_2026-11")


def test_a_second_attempt_has_its_own_number_and_at_most_what_the_first_one_paid() -> None:
    failed = replace(LINE, status="failed", gross=3_000, tax=10, net=2_990)
    again = retried(failed, "key_li")

    assert (again.attempt, again.limit, again.gross, again.status) == (2, 3_000, 0, "pending")
    assert again.listed == failed.listed == 5_000
    assert (
        again.number == transfer_number("mem_1", Period("2026-11"), 2) != transfer_number("mem_1", Period("2026-11"), 1)
    )


@given(member=st.text(max_size=40), attempt=st.integers(1, 9))
def test_a_transfer_number_is_32_letters_and_digits(member: str, attempt: int) -> None:
    number = transfer_number(member, Period("2026-11"), attempt)

    assert len(number) == 32
    assert number.isascii()
    assert number.isalnum()


def test_a_transfer_number_differs_by_member_period_and_attempt_alone() -> None:
    numbers = {
        transfer_number(member, Period(period), attempt)
        for member in ("mem_1", "mem_2")
        for period in ("2026-10", "2026-11")
        for attempt in (1, 2)
    }

    assert len(numbers) == 8
    assert transfer_number("mem_1", Period("2026-11"), 1) in numbers


@pytest.mark.parametrize(
    ("payee", "available", "reason"),
    [
        (PAYEE, 5_000, None),
        (None, 5_000, "erased"),
        (replace(PAYEE, erased=True), 5_000, "erased"),
        (replace(PAYEE, hold=True), 5_000, "hold"),
        (replace(PAYEE, verified=False), 5_000, "unverified"),
        (replace(PAYEE, of_age=False), 5_000, "under_age"),
        (PAYEE, -1, "debt"),
    ],
)
def test_nobody_is_paid_against_a_rule(payee: Payee | None, available: int, reason: str | None) -> None:
    assert refusal(payee, Balance("mem_1", available)) == reason


@pytest.mark.parametrize("result", ["paid", "failed", "expired"])
def test_a_final_word_closes_a_line(result: Result) -> None:
    line = answered(LINE, Answer(LINE.number, result, NOON, "bank", reason="ACCOUNT_CLOSED"))

    assert (line.status, line.closed_at) == (result, NOON)
    assert line.reason == (None if result == "paid" else "ACCOUNT_CLOSED")


@pytest.mark.parametrize("status", ["paid", "failed", "expired", "dropped"])
@pytest.mark.parametrize("result", ["paid", "failed", "expired", "waiting_user"])
def test_a_final_line_never_changes(status: LineStatus, result: Result) -> None:
    line = replace(LINE, status=status, closed_at=NOON)

    assert answered(line, Answer(LINE.number, result, NOON, "bank")) is line


def test_a_line_may_wait_for_its_payee_before_it_closes() -> None:
    waiting = answered(LINE, Answer(LINE.number, "waiting_user", NOON, "wechat"))
    paid = answered(waiting, Answer(LINE.number, "paid", NOON, "wechat"))

    assert (waiting.status, waiting.closed_at, paid.status) == ("waiting_user", None, "paid")
