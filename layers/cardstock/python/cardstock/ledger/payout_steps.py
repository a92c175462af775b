"""The steps of a payout, as transactions that the payouts area books with its lines. `number` is the transfer's."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec.structs import replace

from cardstock.ledger.model import Kind, LedgerTransaction, Pocket, Posting, account, nonzero, transaction_id
from cardstock.money import Fen


class TransferPosting(msgspec.Struct, frozen=True):
    """One posting on one pocket of a member, as payouts report it. `amount` is signed."""

    member_id: str
    at: datetime
    transaction_id: str
    kind: str
    cause: str
    pocket: str
    amount: Fen


def claimed(number: str, member_id: str, gross: Fen, at: datetime) -> LedgerTransaction:
    """Claim a payout's money: available -> paying. Book it with `covered`, so that nothing is paid twice."""
    return _payout("claimed", number, member_id, at, {"available": -gross, "paying": gross})


def paid(number: str, member_id: str, net: Fen, tax: Fen, at: datetime) -> LedgerTransaction:
    """End a paid transfer: paying -> paid, and withheld for the tax."""
    return _payout("paid", number, member_id, at, {"paying": -net - tax, "paid": net, "withheld": tax})


def returned(number: str, member_id: str, gross: Fen, at: datetime) -> LedgerTransaction:
    """Undo the claim of a failed transfer: paying -> available, where the money repays debt first."""
    return _payout("returned", number, member_id, at, {"paying": -gross, "available": gross})


def corrected(
    cause: str, member_id: str, net: Fen, tax: Fen, at: datetime, *, arrived: bool, approved_by: tuple[str, str]
) -> LedgerTransaction:
    """Correct the end of a transfer that two persons have cleared. `arrived`: it was booked as returned, and the payee
    has the money: available -> paid and withheld, if need be below zero, which is debt. Otherwise it was booked as
    paid, and the payee does not have it: both go back to available, where the money repays debt first."""
    sign = 1 if arrived else -1
    moved: Mapping[Pocket, Fen] = {"available": -sign * (net + tax), "paid": sign * net, "withheld": sign * tax}
    return replace(_payout("corrected", cause, member_id, at, moved), approved_by=approved_by)


def _payout(kind: Kind, number: str, member_id: str, at: datetime, moved: Mapping[Pocket, Fen]) -> LedgerTransaction:
    return LedgerTransaction(
        id=transaction_id(kind, number),
        kind=kind,
        cause=number,
        at=at,
        postings=nonzero(*(Posting(account(member_id, pocket), amount) for pocket, amount in moved.items())),
    )
