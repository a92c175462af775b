"""Crediting a paid order's rewards, frozen; and the loop in which refunds and releases change them later.

Every step is one transaction under an id made from its cause. A repeated step changes nothing. Steps may come in any
order: a refund that arrives before its payment writes the whole credit and claws back at once, and a release takes
what refunds have left.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from cardstock import clock
from cardstock.errors import STORE_BUSY
from cardstock.ledger.model import (
    BRAND_COMMISSION,
    Accrual,
    LedgerTransaction,
    OrderRewards,
    Posting,
    account,
    nonzero,
    transaction_id,
)
from cardstock.ledger.ports import Booked, Books

Step: TypeAlias = tuple[LedgerTransaction, OrderRewards]
"""A transaction, and the rewards row after it."""

_ATTEMPTS: Final = 5
"""Tries when the row changes each time: more than concurrent refunds of one order can cause."""


def accrue(accrual: Accrual, *, books: Books) -> Booked:
    """Credit the rewards of an order, frozen. An order without rewards is not booked.

    One call, 10 WCU for three people. Raises `UnavailableError` if the outcome is unknown: repeat it.
    """
    if not accrual.credits:
        return "nothing"
    now = clock.now()
    cost = -sum(credit.amount for credit in accrual.credits)
    postings = [
        Posting(account(credit.member_id, "frozen"), credit.amount, credit.reward) for credit in accrual.credits
    ]
    transaction = LedgerTransaction(
        id=transaction_id("accrued", accrual.order_id),
        kind="accrued",
        cause=accrual.order_id,
        order_id=accrual.order_id,
        at=now,
        postings=nonzero(*postings, Posting(BRAND_COMMISSION, cost)),
        plan=accrual.plan,
        credits=accrual.credits,
    )
    rewards = OrderRewards(accrual.order_id, accrual.plan, accrual.credits, accrued_at=now)
    return books.book_accrual(transaction, rewards)


def change_rewards(accrual: Accrual, decide: Callable[[OrderRewards], Step | None], books: Books) -> Booked:
    """Book the step that `decide` returns for an order's present rewards; None means that it was booked before.

    Credits the rewards first if that is missing, and calls `decide` again after a conflict. Raises `UnavailableError`
    if the outcome is unknown: repeat it.
    """
    if not accrual.credits:
        return "nothing"
    for _ in range(_ATTEMPTS):
        rewards = books.find_rewards(accrual.order_id)
        if rewards is None:
            accrue(accrual, books=books)
            continue
        step = decide(rewards)
        booked = "repeated" if step is None else books.book_change(*step)
        if booked != "outdated":
            return booked
    raise STORE_BUSY()
