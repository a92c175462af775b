"""Queue: every new transaction of the ledger, for its members' statements and for whoever listens."""

from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.edge.observability import count
from cardstock.flows import wiring as flows_wiring
from cardstock.ledger import wiring as ledger_wiring


def consume(body: bytes) -> None:
    """Project one transaction, let it be sealed, and announce it. One that does not balance, and a record that says
    that one was changed or removed, raises and sounds the alarm."""
    from cardstock.ledger import (
        sealing,  # with the first message, not at the start
        statements,
    )

    record = queue.decode(dict[str, object], body)
    try:
        transaction = ledger_wiring.ledger_transaction(record)
        if transaction.total:
            raise ValueError(f"{transaction.id}: postings add up to {transaction.total}, not to zero")
    except ValueError:
        count("LedgerImbalance")
        raise
    statements.project(transaction, statements=ledger_wiring.statements())
    sealing.note(transaction, seals=ledger_wiring.seals())
    flows_wiring.announcements().booked(transaction)


handler = queue.each(consume, finish=lambda: flows_wiring.announcements().flush())
connect()
