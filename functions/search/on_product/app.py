"""Queue: brings the search index up to date with products that changed, a batch at a time."""

from collections.abc import Sequence

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.catalog import wiring as catalog_wiring
from cardstock.edge import queue
from cardstock.edge.observability import logger
from cardstock.flows.finding_products import follow_products
from cardstock.search import wiring


def follow(messages: Sequence[tuple[str, bytes]]) -> list[str]:
    """The ids of unreadable messages."""
    changed, failed = set(), []
    for message_id, body in messages:
        try:
            changed.add(wiring.changed_product(queue.decode(dict[str, object], body)))
        except ValueError as error:
            logger.error("message failed", message_id=message_id, error=str(error))
            failed.append(message_id)
    if changed:
        follow_products(
            changed,
            clock.now(),
            pages=catalog_wiring.pages(),
            variants=catalog_wiring.variants(),
            stored=wiring.stored_index(),
        )
    return failed


handler = queue.together(follow)
connect()
