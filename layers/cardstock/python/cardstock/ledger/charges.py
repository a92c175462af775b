"""Money between the brand and one member outside of an order's rewards: dividend shares and revoked coupons."""

from datetime import datetime

from cardstock import clock
from cardstock.ledger.model import (
    BRAND_COMMISSION,
    Kind,
    LedgerTransaction,
    Posting,
    account,
    nonzero,
    transaction_id,
)
from cardstock.ledger.ports import Booked, Books
from cardstock.money import Fen


def share_dividend(plan: str, month: str, member_id: str, fen: Fen, *, books: Books) -> Booked:
    """Credit a member's share of one plan's and month's team dividend. Available at once: its sales have settled."""
    cause = dividend_cause(plan, month, member_id)
    return books.book_transaction(_charge("shared", cause, member_id, fen, clock.now(), plan=plan))


def dividend_cause(plan: str, month: str, member_id: str) -> str:
    """`team_dividend@1.2026-11.mem_..`."""
    return f"{plan}.{month}.{member_id}"


def charge_coupon(coupon_id: str, member_id: str, order_id: str, fen: Fen, *, books: Books) -> Booked:
    """Charge a member for a coupon revoked after its order had shipped: from available money, else as debt."""
    return books.book_transaction(_charge("owed", coupon_id, member_id, -fen, clock.now(), order_id=order_id))


def reduce_coupon_charge(
    coupon_id: str, refund_id: str, member_id: str, order_id: str, fen: Fen, *, books: Books
) -> Booked:
    """Reduce a coupon's charge by what a refund of its order gave back of the coupon."""
    cause = charge_reduction_cause(coupon_id, refund_id)
    return books.book_transaction(_charge("owed", cause, member_id, fen, clock.now(), order_id=order_id))


def charge_reduction_cause(coupon_id: str, refund_id: str) -> str:
    """`benefit.mem_...1.ref_..`."""
    return f"{coupon_id}.{refund_id}"


def _charge(
    kind: Kind, cause: str, member_id: str, fen: Fen, at: datetime, *, order_id: str = "", plan: str = ""
) -> LedgerTransaction:
    """A transaction from the brand to a member's available money; below zero from the member to the brand."""
    return LedgerTransaction(
        id=transaction_id(kind, cause),
        kind=kind,
        cause=cause,
        order_id=order_id,
        at=at,
        postings=nonzero(Posting(account(member_id, "available"), fen), Posting(BRAND_COMMISSION, -fen)),
        plan=plan,
    )
