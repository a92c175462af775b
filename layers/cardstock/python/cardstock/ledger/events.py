"""Ledger events as partners get them: the data of each."""

import msgspec

from cardstock.events import EventData
from cardstock.ledger.model import LedgerTransaction, pocket_of
from cardstock.money import Fen


class CommissionShare(msgspec.Struct, frozen=True):
    """The change of a member's reward; below zero for a claw-back."""

    member_id: str
    reward: str | None
    amount_fen: Fen


class CommissionEvent(EventData, frozen=True):
    """`commission.*`."""

    order_id: str
    transaction_id: str
    cause: str
    members: tuple[CommissionShare, ...]

    @classmethod
    def of(cls, transaction: LedgerTransaction) -> "CommissionEvent":
        """`transaction` for partners. A release, which moves money between two pockets of one member, appears once."""
        members = []
        for posting in transaction.postings:
            pocket = pocket_of(posting.account)
            if pocket is not None and not (transaction.kind == "released" and pocket[1] == "frozen"):
                members.append(CommissionShare(pocket[0], posting.reward, posting.amount))
        return cls(transaction.order_id, transaction.id, transaction.cause, tuple(members))
