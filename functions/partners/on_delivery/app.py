"""Queue: events for endpoints, and due attempts."""

from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.edge.observability import count, logger
from cardstock.partners import attempts, deliveries, wiring
from cardstock.partners.messages import EventMessage, read_message


def consume(body: bytes) -> None:
    """Add an event for its endpoints, or make one attempt."""
    message = read_message(queue.decode(dict[str, object], body))
    if isinstance(message, EventMessage):
        deliveries.publish(message.event(), needs=wiring.webhook_needs())
        return
    outcome = attempts.attempt(message.due(), needs=wiring.attempt_needs())
    count(f"Webhooks{outcome.title()}")
    if outcome == "disabled":
        logger.warning("endpoint disabled", owner=message.owner, endpoint_id=message.endpoint_id)


handler = queue.each(consume)
connect()
