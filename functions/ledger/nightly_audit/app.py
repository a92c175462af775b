"""Schedule: audits the books, and raises the alarm if something does not agree."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count, logger
from cardstock.flows import books_wiring

_PAUSE_SECONDS = 60  # between two audits: longer than a message needs through a queue
_LOGGED = 50


def run(
    _scheduled_at: datetime, deadline: schedule.Deadline, pause: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Count the findings that all audits agree on. 0 means that all books were read and agree. Without time to read all
    of them `UnfinishedError` is raised and the result is unknown: run the command on a restored copy."""
    from cardstock.flows.auditing import audit_books  # with the first tick, not at the start
    from cardstock.ledger.audit import confirmed

    needs = books_wiring.auditing()
    report = confirmed(lambda: audit_books(needs, deadline.require_time), lambda: pause(_PAUSE_SECONDS))
    count("LedgerImbalance", len(report.findings))
    for finding in report.findings[:_LOGGED]:
        logger.error(
            "the ledger does not close",
            item=finding.item,
            check=finding.check,
            expected=finding.expected,
            found=finding.found,
        )
    return {"transactions": report.transactions, "seals": report.seals, "findings": len(report.findings)}


handler = schedule.ticked(run, reserve_seconds=10)
connect()
