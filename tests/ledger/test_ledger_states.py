"""The charts of the area against the data, and the data against what the verbs book."""

import re
from collections.abc import Callable
from typing import get_args

import pytest
from msgspec.structs import replace

from cardstock import ledger
from cardstock.errors import CardstockError
from cardstock.ids import RequestKey
from cardstock.ledger import model
from cardstock.ledger.accrual import accrue
from cardstock.ledger.charges import charge_coupon, reduce_coupon_charge, share_dividend
from cardstock.ledger.claw_back import claw_back
from cardstock.ledger.closings import close_account
from cardstock.ledger.model import (
    MOVES,
    REWARD_TRANSITIONS,
    WRITE_OFF_TRANSITIONS,
    AccountClosing,
    Balance,
    ClosingKind,
    Kind,
    LedgerTransaction,
    RewardState,
    WriteOffState,
    pocket_of,
)
from cardstock.ledger.offsets import offset
from cardstock.ledger.payout_steps import claimed, corrected, paid, returned
from cardstock.ledger.release import release
from cardstock.ledger.write_offs import approve_write_off, ask_write_off
from cardstock.network import model as network_model
from tests.people.clock import START, TestClock
from tests.people.memory_ledger import MemoryBooks, MemoryClosings, MemoryWriteOffs, accrual
from tests.people.staff import unasked

ARROW = re.compile(r"^    (\w+) --(\w+)--> (\w+)$", re.MULTILINE)


def chart() -> list[tuple[str, str, str]]:
    return ARROW.findall(ledger.__doc__ or "")


def test_the_chart_of_money_is_the_data() -> None:
    drawn = {(kind, origin, end) for origin, kind, end in chart() if kind in MOVES}

    assert drawn == {(kind, origin, end) for kind, moves in MOVES.items() for origin, end in moves}
    assert MOVES.keys() == set(get_args(Kind))


def test_the_charts_of_states_are_the_data() -> None:
    verbs = [(origin, verb, end) for origin, verb, end in chart() if verb not in MOVES]
    drawn = {(origin, end) for origin, _, end in verbs}
    data: set[tuple[str, str]] = {(origin, end) for origin, ends in REWARD_TRANSITIONS.items() for end in ends}
    data |= {(origin, end) for origin, ends in WRITE_OFF_TRANSITIONS.items() for end in ends}

    assert drawn == data
    assert REWARD_TRANSITIONS.keys() == set(get_args(RewardState))
    assert WRITE_OFF_TRANSITIONS.keys() == set(get_args(WriteOffState))
    assert [verb for _, verb, _ in verbs] == [release.__name__, approve_write_off.__name__]


def moves_of(transaction: LedgerTransaction) -> set[tuple[str, str]]:
    """Between which pockets a transaction moves money, of one member or of two; the brand's accounts are one."""
    pockets: dict[tuple[str, str], int] = {}
    for posting in transaction.postings:
        key = pocket_of(posting.account) or ("", "brand")
        pockets[key] = pockets.get(key, 0) + posting.amount
    origins = [name for (_, name), amount in pockets.items() if amount < 0]
    ends = [name for (_, name), amount in pockets.items() if amount > 0]
    return {(origin, end) for origin in origins for end in ends}


def test_every_verb_makes_moves_of_the_chart_and_no_other(clock: TestClock) -> None:
    write_offs = MemoryWriteOffs()
    books = write_offs.books
    accrue(accrual(), books=books)
    claw_back("rfd_1", {"direct": 10}, accrual(), books=books)
    release(accrual(), books=books)
    claw_back("rfd_2", {"direct": 10}, accrual(), books=books)
    share_dividend("plan@1", "2026-11", "mem_r", 5, books=books)
    charge_coupon("benefit.mem_r.1", "mem_r", "ord_1", 40_000, books=books)
    reduce_coupon_charge("benefit.mem_r.1", "rfd_3", "mem_r", "ord_1", 7, books=books)
    for step in (
        claimed("n1", "mem_t", 100, START), paid("n1", "mem_t", 90, 10, START),
        claimed("n2", "mem_t", 100, START), returned("n2", "mem_t", 100, START),
        corrected("n1", "mem_t", 90, 10, START, arrived=False, approved_by=("prs_1", "prs_2")),
        corrected("n2", "mem_t", 90, 10, START, arrived=True, approved_by=("prs_1", "prs_2")),
    ):  # fmt: skip
        books.book_transaction(step)
    asked, _ = ask_write_off(
        "mem_r",
        9,
        "reason",
        "key_1",
        RequestKey("req_1", "f"),
        is_member=lambda _: True,
        books=books,
        write_offs=write_offs,
    )
    approve_write_off(asked.id, "", "key_2", can_approve=lambda _: True, confirm=unasked, write_offs=write_offs)
    closings = MemoryClosings(books)
    for kind, member in zip(get_args(ClosingKind), ("mem_x", "mem_y"), strict=True):
        books.balances[member] = Balance(member, free=5)
        assert close_account(AccountClosing(member, START, kind, 5), lambda: True, closings=closings) == "booked"

    books.book_transaction(offset("mem_x", "mem_t", 5, START))

    made = {(kind, move) for t in books.transactions.values() for kind in (t.kind,) for move in moves_of(t)}
    assert made == {(kind, move) for kind, moves in MOVES.items() for move in moves}


def test_released_rewards_never_freeze_again(clock: TestClock) -> None:
    books = MemoryBooks()
    release(accrual(), books=books)
    again: list[Callable[[], object]] = [
        lambda: accrue(accrual(), books=books),
        lambda: release(accrual(), books=books),
        lambda: claw_back("rfd_1", {"direct": 1}, accrual(), books=books),
    ]
    for verb in again:
        verb()
        row = books.find_rewards("ord_1")

        assert row is not None
        assert row.state == "available"


def test_a_booked_write_off_stays_as_it_is(clock: TestClock) -> None:
    write_offs = MemoryWriteOffs()
    charge_coupon("benefit.mem_r.1", "mem_r", "ord_1", 500, books=write_offs.books)
    asked, _ = ask_write_off(
        "mem_r",
        500,
        "reason",
        "key_1",
        RequestKey("req_1", "f"),
        is_member=lambda _: True,
        books=write_offs.books,
        write_offs=write_offs,
    )
    booked = approve_write_off(
        asked.id, "n", "key_2", can_approve=lambda _: True, confirm=unasked, write_offs=write_offs
    )

    assert (asked.state, booked.state) == ("asked", "booked")
    assert (
        approve_write_off(
            asked.id, "other", "key_3", can_approve=lambda _: True, confirm=unasked, write_offs=write_offs
        )
        == booked
    )


def test_a_write_off_that_one_person_asks_and_approves_is_refused(clock: TestClock) -> None:
    write_offs = MemoryWriteOffs()
    charge_coupon("benefit.mem_r.1", "mem_r", "ord_1", 500, books=write_offs.books)
    asked, _ = ask_write_off(
        "mem_r",
        500,
        "reason",
        "key_1",
        RequestKey("req_1", "f"),
        is_member=lambda _: True,
        books=write_offs.books,
        write_offs=write_offs,
    )

    with pytest.raises(CardstockError) as refused:
        approve_write_off(
            asked.id, "", "key_1", can_approve=lambda key: key != "key_1", confirm=unasked, write_offs=write_offs
        )
    assert refused.value.code == "SECOND_PERSON_NEEDED"
    assert replace(asked, state="asked") == write_offs.find_write_off(asked.id)


def test_the_ledger_and_the_network_have_the_same_kinds_of_rewards() -> None:
    assert get_args(model.RewardKind) == get_args(network_model.RewardKind)
