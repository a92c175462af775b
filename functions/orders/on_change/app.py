"""Queue: every change of an order, of a refund and of a supplier order, and what follows from it."""

from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.flows import wiring as flows_wiring
from cardstock.orders import wiring as orders_wiring


def consume(body: bytes) -> None:
    """Follow one change. A message that cannot be read raises, and ends in the dead-letter queue alone."""
    from cardstock.flows import order_changes  # with the first message: its areas cost a third of a start

    change = orders_wiring.order_change(queue.decode(dict[str, object], body))
    order_changes.follow(flows_wiring.order_changes(), change)


handler = queue.each(consume, finish=lambda: flows_wiring.announcements().flush())
connect()
