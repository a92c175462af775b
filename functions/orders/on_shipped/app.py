"""Queue: tells the platform of an order's payment what was sent."""

from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.edge.observability import count, logger
from cardstock.orders import shipping, wiring
from cardstock.orders.shipped_queue import ShippedMessage


def consume(body: bytes) -> None:
    """Report one shipped order. A platform without a usable answer is asked again with the next delivery."""
    message = queue.decode(ShippedMessage, body)
    outcome = shipping.report_shipping(message.order_id, orders=wiring.orders(), platforms=wiring.shipping_reports())
    logger.info("shipping reported", order_id=message.order_id, outcome=outcome)
    if outcome == "refused":
        count("OpenItemsOpened")


handler = queue.each(consume)
connect()
