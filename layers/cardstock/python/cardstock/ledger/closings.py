"""Closing a member's account: what is available is given up by the member, or set aside because it cannot be paid."""

from typing import Any

from cardstock.ledger.model import (
    BRAND_GIVEN_UP,
    BRAND_UNCLAIMED,
    AccountClosing,
    LedgerTransaction,
    Posting,
    account,
    transaction_id,
)
from cardstock.ledger.ports import Booked, Closings


def close_account(closing: AccountClosing, step: Any, *, closings: Closings) -> Booked:
    """Close the account with exactly its available money; `step` is the members' part of it. See `ledger.ports`.

    The money's id follows from the member: an account is closed once.
    """
    return closings.close_account(closing, _transaction(closing) if closing.amount else None, step)


def _transaction(closing: AccountClosing) -> LedgerTransaction:
    to = BRAND_GIVEN_UP if closing.kind == "given_up" else BRAND_UNCLAIMED
    return LedgerTransaction(
        id=transaction_id(closing.kind, closing.member_id),
        kind=closing.kind,
        cause=closing.member_id,
        at=closing.at,
        postings=(
            Posting(account(closing.member_id, "available"), -closing.amount),
            Posting(to, closing.amount),
        ),
    )
