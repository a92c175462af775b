"""Queue: every new transaction of the ledger, for its members' statements and for whoever listens."""

from cardstock import bootstrap
from cardstock.edge import queue
from cardstock.edge.observability import count


def consume(body: bytes) -> None:
    """Project one transaction, let it be sealed, and announce it. One that does not balance, and a record that says
    that one was changed or removed, raises and sounds the alarm."""
    from cardstock.ledger import sealing  # with the first message, not at the start
    from cardstock.ledger import service as ledger

    record = queue.decode(dict[str, object], body)
    try:
        transaction = bootstrap.ledger_transaction(record)
        if transaction.total:
            raise ValueError(f"{transaction.id}: postings add up to {transaction.total}, not to zero")
    except ValueError:
        count("LedgerImbalance")
        raise
    ledger.project(transaction, statements=bootstrap.statements())
    sealing.note(transaction, seals=bootstrap.seals())
    bootstrap.announcements().booked(transaction)


handler = queue.each(consume, finish=lambda: bootstrap.announcements().flush())
bootstrap.warm()
