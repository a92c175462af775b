"""Queue: every new transaction of the ledger, for its members' statements and for whoever listens."""

from cardstock import bootstrap
from cardstock.edge import queue


def consume(body: bytes) -> None:
    """Project one transaction and announce it. A record that says one was changed or removed raises: an alarm."""
    from cardstock.ledger import service as ledger  # with the first message, not at the start

    transaction = bootstrap.ledger_transaction(queue.decode(dict[str, object], body))
    ledger.project(transaction, statements=bootstrap.statements())
    bootstrap.announcements().booked(transaction)


handler = queue.each(consume)
bootstrap.warm()
