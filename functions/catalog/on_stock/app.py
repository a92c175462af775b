"""Queue: brings cards up to date whose products have another stock, a batch at a time."""

from collections.abc import Sequence

from cardstock.aws.tables import connect
from cardstock.catalog import upkeep, wiring
from cardstock.edge import queue
from cardstock.edge.observability import logger


def keep_cards(messages: Sequence[tuple[str, bytes]]) -> list[str]:
    """The ids of unreadable messages, and of those whose card could not be written."""
    changes, failed = {}, []
    for message_id, body in messages:
        try:
            change = wiring.stock_change(queue.decode(dict[str, object], body))
        except ValueError as error:
            logger.error("message failed", message_id=message_id, error=str(error))
            failed.append(message_id)
            continue
        if change is not None:
            changes[message_id] = change
    unwritten = upkeep.keep_cards(changes.values(), cards=wiring.cards())
    return failed + [message_id for message_id, change in changes.items() if change.product_id in unwritten]


handler = queue.together(keep_cards)
connect()
