"""The three-way reconciliation fails closed, and the report is the same whatever order its parts come in."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from cardstock.payouts.books import Booking, LedgerLine
from cardstock.payouts.lines import Line, LineStatus
from cardstock.payouts.model import Batch, Rules
from cardstock.payouts.periods import Period
from cardstock.payouts.report.content import Report, assemble, reconcile
from cardstock.payouts.transfer_answers import Answer

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
RULES = Rules(1_000, "bank_file", 10, "labour", "labour-2019")
BATCH = Batch("pay_202611", Period("2026-11"), "closed", RULES, "schedule", NOON, closed_at=NOON)


def line(member: str, status: LineStatus = "paid", gross: int = 500_000, tax: int = 80_000, attempt: int = 1) -> Line:
    number = f"n{member}{attempt}"
    return Line(BATCH.id, "2026-11", member, attempt, number, 500_000, status, gross, tax, gross - tax, "名")


PAID = line("a")
FAILED = line("b", "failed")
DROPPED = replace(line("c", "dropped", 0, 0), reason="hold")
LINES = (PAID, FAILED, DROPPED)
BOOKINGS = {
    "na1": Booking("na1", "a", 500_000, paid=420_000, tax=80_000),
    "nb1": Booking("nb1", "b", 500_000, returned=500_000),
}
ANSWERS = {
    "na1": (Answer("na1", "paid", NOON, "bank", amount=420_000),),
    "nb1": (Answer("nb1", "failed", NOON, "bank", reason="ACCOUNT_CLOSED"),),
}


def test_three_books_that_agree_close() -> None:
    books = reconcile(LINES, BOOKINGS, ANSWERS)

    assert books.closes
    assert books.ledger == books.batch == books.channel
    assert (books.batch.count, books.batch.claimed, books.batch.paid) == (2, 1_000_000, 420_000)
    assert (books.batch.tax, books.batch.returned) == (80_000, 500_000)


@pytest.mark.parametrize(
    ("code", "lines", "bookings", "answers"),
    [
        ("UNANSWERED", (replace(PAID, status="sent"),), {"na1": replace(BOOKINGS["na1"], paid=0, tax=0)}, {}),
        (
            "UNANSWERED",
            (replace(PAID, status="waiting_user"),),
            {"na1": replace(BOOKINGS["na1"], paid=0, tax=0)},
            {"na1": (Answer("na1", "waiting_user", NOON, "wechat"),)},
        ),
        ("CLAIM", (PAID,), {}, ANSWERS),
        ("CLAIM", (PAID,), {"na1": replace(BOOKINGS["na1"], claimed=499_999)}, ANSWERS),
        ("CLAIM", (replace(PAID, status="dropped", gross=0, tax=0, net=0),), BOOKINGS, {}),
        ("TAX", (PAID,), {"na1": replace(BOOKINGS["na1"], tax=79_999, paid=420_001)}, ANSWERS),
        ("OUTCOME", (PAID,), {"na1": replace(BOOKINGS["na1"], paid=0, tax=80_000)}, ANSWERS),
        ("OUTCOME", (PAID,), {"na1": replace(BOOKINGS["na1"], returned=500_000)}, ANSWERS),
        ("OUTCOME", (PAID,), BOOKINGS, {"na1": (Answer("na1", "failed", NOON, "bank"),)}),
        ("OUTCOME", (FAILED,), {"nb1": replace(BOOKINGS["nb1"], returned=499_999)}, ANSWERS),
        ("OUTCOME", (FAILED,), BOOKINGS, {"nb1": (Answer("nb1", "paid", NOON, "bank"),)}),
        ("AMOUNT", (PAID,), BOOKINGS, {"na1": (Answer("na1", "paid", NOON, "bank", amount=1),)}),
        ("ARITHMETIC", (replace(PAID, net=419_999),), BOOKINGS, ANSWERS),
    ],
)
def test_each_disagreement_is_named(
    code: str, lines: Sequence[Line], bookings: dict[str, Booking], answers: dict[str, tuple[Answer, ...]]
) -> None:
    books = reconcile(lines, bookings, {number: answers[number] for number in answers if number == lines[0].number})

    assert not books.closes
    assert (books.differences[0].code, books.differences[0].number) == (code, lines[0].number)


def test_a_wrong_amount_stays_a_difference_until_the_right_one_is_named() -> None:
    wrong, silent, right = (Answer("na1", "paid", NOON, "bank", amount=amount) for amount in (420_001, None, 420_000))
    lifted = Answer("na1", "failed", NOON, "bank", amount=0)
    bookings = {"na1": BOOKINGS["na1"]}
    still_open = reconcile((PAID,), bookings, {"na1": (wrong, lifted, silent)})

    assert [difference.code for difference in still_open.differences] == ["AMOUNT"]
    assert still_open.channel.paid == 420_001
    assert reconcile((PAID,), bookings, {"na1": (wrong, silent, right)}).closes
    assert reconcile((PAID,), bookings, {"na1": (silent,)}).closes


def test_a_number_that_only_the_ledger_or_the_channel_knows_is_a_difference() -> None:
    books = reconcile(
        LINES,
        BOOKINGS | {"nx1": Booking("nx1", "x", 7, paid=7)},
        ANSWERS | {"ny1": (Answer("ny1", "paid", NOON, "bank"),)},
    )

    assert [(found.number, found.member, found.code) for found in books.differences] == [
        ("nx1", "x", "UNLISTED"),
        ("ny1", "", "UNLISTED"),
    ]


def test_an_incident_stays_open_until_the_channel_repeats_its_first_word() -> None:
    first = Answer("na1", "paid", NOON, "bank")
    second = Answer("na1", "failed", NOON + timedelta(hours=1), "bank")
    third = Answer("na1", "paid", NOON + timedelta(hours=2), "bank")
    open_books = reconcile((PAID,), {"na1": BOOKINGS["na1"]}, {"na1": (first, second)})
    closed = reconcile((PAID,), {"na1": BOOKINGS["na1"]}, {"na1": (first, second, third)})

    assert not open_books.closes
    assert closed.closes


def report(seed: int = 0) -> Report:
    shuffle = random.Random(seed).sample
    postings = [
        LedgerLine("a", NOON - timedelta(days=20), "accrue.o1", "accrued", "o1", "frozen", 600_000),
        LedgerLine("a", NOON - timedelta(days=9), "release.o1", "released", "o1", "frozen", -600_000),
        LedgerLine("a", NOON - timedelta(days=9), "release.o1", "released", "o1", "available", 600_000),
        LedgerLine("a", NOON - timedelta(days=5), "claw.r1", "clawed", "r1", "available", -100_000),
        LedgerLine("z", NOON - timedelta(days=5), "accrue.o2", "accrued", "o2", "frozen", 1),
    ]
    return assemble(
        brand="卡栈",
        batch=BATCH,
        lines=shuffle(LINES, len(LINES)),
        bookings=dict(shuffle(list(BOOKINGS.items()), len(BOOKINGS))),
        answers=dict(shuffle(list(ANSWERS.items()), len(ANSWERS))),
        postings=shuffle(postings, len(postings)),
    )


def test_a_report_is_the_same_whatever_order_its_parts_come_in() -> None:
    assert report(1) == report(2) == report(3)


def test_a_statement_says_what_was_credited_released_clawed_and_paid() -> None:
    first, second, third = report().statements

    assert (first.opening, first.credited, first.released, first.clawed) == (0, 600_000, 600_000, 100_000)
    assert (first.gross, first.tax, first.net) == (500_000, 80_000, 420_000)
    assert (second.gross, third.gross) == (0, 0)
    assert [posting.member for posting in report().postings] == ["a"] * 4


def test_findings_name_what_a_person_should_look_at() -> None:
    retried = replace(line("b", "paid", 400_000, 0, attempt=2), number="nb2", net=400_000)
    made = assemble(
        brand="卡栈",
        batch=BATCH,
        lines=(*LINES, retried),
        bookings=BOOKINGS | {"nb2": Booking("nb2", "b", 400_000, paid=400_000)},
        answers=ANSWERS
        | {"na1": (*ANSWERS["na1"], Answer("na1", "failed", NOON, "bank"), *ANSWERS["na1"])}
        | {"nb2": (Answer("nb2", "paid", NOON, "bank"),)},
        postings=(),
    )

    assert [(found.code, found.member, found.amount, found.reason) for found in made.findings] == [
        ("incident", "a", 500_000, "paid -> failed -> paid"),
        ("failed", "b", 500_000, ""),
        ("shrunk", "b", 100_000, ""),
        ("retried", "b", 400_000, "2"),
        ("dropped", "c", 500_000, "hold"),
    ]


def test_control_totals_change_with_any_fen() -> None:
    before = {control.name: control for control in report().controls}
    other = assemble(
        brand="卡栈",
        batch=BATCH,
        lines=(replace(PAID, listed=500_001), FAILED, DROPPED),
        bookings=BOOKINGS,
        answers=ANSWERS,
        postings=(),
    )
    after = {control.name: control for control in other.controls}

    assert before["lines"].sha256 != after["lines"].sha256
    assert before["bookings"] == after["bookings"]
    assert (before["lines"].rows, before["lines"].amount, before["paid"].amount) == (3, 1_000_000, 420_000)


def test_an_open_batch_has_no_report() -> None:
    with pytest.raises(ValueError, match="not closed"):
        assemble(brand="", batch=replace(BATCH, closed_at=None), lines=(), bookings={}, answers={}, postings=())
    with pytest.raises(ValueError, match="differ"):
        assemble(brand="", batch=BATCH, lines=LINES, bookings={}, answers=ANSWERS, postings=())
