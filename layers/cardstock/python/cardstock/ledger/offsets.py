"""Offsets: available money of a member repays what a closed account of the same person owes."""

from datetime import datetime

from cardstock.clock import brand_day
from cardstock.ledger.model import LedgerTransaction, Posting, account, transaction_id
from cardstock.ledger.ports import Booked, Debts
from cardstock.money import Fen


def offset_debt(closed_id: str, member_id: str, amount: Fen, now: datetime, *, debts: Debts) -> Booked:
    """Repay `amount` fen of a closed account's debt with the member's available money: one transaction.

    Once a day for each pair: a repeat of the day changes nothing. `outdated`: the member has less by now, or the
    account owes less. Raises `UnavailableError` if the outcome is unknown: repeat it.
    """
    return debts.book_offset(offset(closed_id, member_id, amount, now))


def offset(closed_id: str, member_id: str, amount: Fen, now: datetime) -> LedgerTransaction:
    """The entry of an offset; its id follows from both accounts and the day."""
    cause = f"{closed_id}.{member_id}.{brand_day(now).isoformat()}"
    return LedgerTransaction(
        id=transaction_id("offset", cause),
        kind="offset",
        cause=cause,
        at=now,
        postings=(
            Posting(account(member_id, "available"), -amount),
            Posting(account(closed_id, "available"), amount),
        ),
    )


def parties_of(cause: str) -> tuple[str, str]:
    """The closed account and the member of an offset's cause. Raises ValueError for another cause."""
    closed_id, member_id, _ = cause.split(".")
    return closed_id, member_id
