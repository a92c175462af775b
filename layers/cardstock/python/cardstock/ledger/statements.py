"""Members' statements: a line for each transaction that changed a member's money, written from the ledger's stream."""

from datetime import datetime

from cardstock.ledger.model import LedgerTransaction, StatementLine, changes, milliseconds
from cardstock.ledger.ports import Statements


def project(transaction: LedgerTransaction, *, statements: Statements) -> None:
    """Write a transaction to its members' statements. Safe to repeat."""
    statements.put_lines(statement_lines(transaction))


def statement_lines(transaction: LedgerTransaction) -> tuple[StatementLine, ...]:
    """The statement lines of a transaction: one for each of its members, the same in every call."""
    lines = []
    for member_id, change in changes(transaction.postings).items():
        own = f"member:{member_id}:"
        rewards = dict.fromkeys(
            posting.reward for posting in transaction.postings if posting.reward and posting.account.startswith(own)
        )
        lines.append(
            StatementLine(
                member_id=member_id,
                key=statement_key(transaction.at, transaction.id),
                transaction_id=transaction.id,
                kind=transaction.kind,
                cause=transaction.cause,
                order_id=transaction.order_id,
                at=transaction.at,
                rewards=tuple(rewards),
                change=change,
            )
        )
    return tuple(lines)


def statement_key(at: datetime, transaction: str = "") -> str:
    """Sorts a member's lines by time: 13 digits of milliseconds, then the transaction."""
    return f"{milliseconds(at)}#{transaction}"
