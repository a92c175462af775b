"""Schedule: proves the books, and sounds the alarm when something does not close."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count, logger
from cardstock.flows import wiring

_RESERVE_MS = 10_000
_PAUSE_SECONDS = 60
"""Between two looks: longer than a message takes through a queue."""
_LOGGED = 50


class AuditUnfinishedError(Exception):
    """There was no time to read everything: nothing is known about the books. Run the command on a restored copy."""


def run(_scheduled_at: datetime, context: Any, pause: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """Count what every look finds wrong; 0 says that somebody has looked."""
    from cardstock.ledger import audit  # with the first tick, not at the start

    def go_on() -> None:
        if context.get_remaining_time_in_millis() < _RESERVE_MS:
            raise AuditUnfinishedError

    report = audit.confirmed(lambda: wiring.audit(go_on), lambda: pause(_PAUSE_SECONDS))
    count("LedgerImbalance", len(report.findings))
    for finding in report.findings[:_LOGGED]:
        logger.error("the ledger does not close", item=finding.item, check=finding.check, expected=finding.expected,
                     found=finding.found)  # fmt: skip
    return {"transactions": report.transactions, "seals": report.seals, "findings": len(report.findings)}


handler = schedule.ticked(run)
connect()
