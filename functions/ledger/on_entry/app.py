"""Queue: every new transaction of the ledger, for its members' statements, its seal, and partners."""

from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.edge.observability import count
from cardstock.flows import wiring as flows_wiring
from cardstock.ledger import wiring as ledger_wiring


def consume(body: bytes) -> None:
    """Follow one transaction. A record that says that one was changed or removed, and a transaction that does not
    balance, raise and sound the alarm."""
    from cardstock.flows import ledger_entries  # with the first message, not at the start

    record = queue.decode(dict[str, object], body)
    try:
        transaction = ledger_wiring.ledger_transaction(record)
    except ValueError:
        count("LedgerImbalance")
        raise
    ledger_entries.follow_entry(transaction, flows_wiring.ledger_entries())


handler = queue.each(consume, finish=lambda: flows_wiring.announcements().flush())
connect()
