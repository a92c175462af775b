"""Queue: handles every new transaction of the ledger: its members' statements, its note for sealing, its event."""

from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.edge.observability import count
from cardstock.flows import books_wiring
from cardstock.flows import wiring as flows_wiring
from cardstock.ledger import wiring as ledger_wiring


def consume(body: bytes) -> None:
    """Handle one transaction. If the record says that one was changed or removed, or if it does not balance: raise, and
    count LedgerImbalance."""
    from cardstock.flows import ledger_entries  # with the first message, not at the start

    record = queue.decode(dict[str, object], body)
    try:
        transaction = ledger_wiring.ledger_transaction(record)
    except ValueError:
        count("LedgerImbalance")
        raise
    ledger_entries.follow_entry(transaction, books_wiring.ledger_entries())


handler = queue.each(consume, finish=lambda: flows_wiring.announcements().flush())
connect()
