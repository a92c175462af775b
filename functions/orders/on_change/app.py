"""Queue: handles every change of an order, a refund and a supplier order."""

from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.flows import order_changes_wiring
from cardstock.flows import wiring as flows_wiring
from cardstock.orders import wiring as orders_wiring


def consume(body: bytes) -> None:
    """Handle one change. An unreadable message raises, and only it ends in the dead-letter queue."""
    from cardstock.flows import order_changes  # importing it takes a third of the cold start

    change = orders_wiring.order_change(queue.decode(dict[str, object], body))
    order_changes.follow(order_changes_wiring.order_changes(), change)


handler = queue.each(consume, finish=lambda: flows_wiring.announcements().flush())
connect()
