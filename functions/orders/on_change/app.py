"""Queue: every change of an order, of a refund and of a supplier's order, and what follows from it.

Changes arrive in any order and more than once; each step here changes nothing when it was done before. Areas are
imported by what needs them: together they cost a third of a start.
"""

from typing import TYPE_CHECKING

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge import queue
from cardstock.errors import UnavailableError
from cardstock.flows import wiring as flows_wiring
from cardstock.ledger import wiring as ledger_wiring
from cardstock.network import wiring as network_wiring
from cardstock.orders import errors
from cardstock.orders import wiring as orders_wiring

if TYPE_CHECKING:
    from cardstock.network.model import OrderFacts
    from cardstock.orders.model import Order, Refund


def consume(body: bytes) -> None:
    """Follow one change. What cannot be read raises, and ends in the dead-letter queue alone."""
    from cardstock.orders.model import OrderChange, RefundChange, SupplierOrderChange

    change = orders_wiring.order_change(queue.decode(dict[str, object], body))
    if isinstance(change, SupplierOrderChange):
        flows_wiring.announcements().supplier_order(change.supplier_order, change.previous)
    elif isinstance(change, RefundChange) and change.refund.status != change.previous:
        refund_changed(change.refund)
    elif isinstance(change, OrderChange) and change.order.status != change.previous:
        order_changed(change.order)


def order_changed(order: "Order") -> None:
    """An order has a new status."""
    if order.status == "paid":
        paid(order)
    elif order.status == "completed":
        received(order)
    flows_wiring.announcements().order(order)


def paid(order: "Order") -> None:
    """Let the guard look, credit the rewards, and let the order count in the network."""
    from cardstock.ledger import service as ledger

    rules = flows_wiring.rules()
    accrual = rules.accrual(order)
    # Before the credit: what has to be held is held from its first moment.
    flows_wiring.watchman().watch(order, accrual)
    ledger.accrue(accrual, books=ledger_wiring.books(), clock=process_clock())
    count(rules.facts(order))


def received(order: "Order") -> None:
    """The windows of return and freeze have begun: put the order into the day on which they end."""
    from cardstock.ledger import service as ledger

    rules = flows_wiring.rules()
    if order.received_at is not None and order.paid_at is not None and rules.concerns(order):
        ledger.await_release(
            order.order_id,
            order.received_at,
            order.paid_at,
            rules.waits_days(order),
            calendar=ledger_wiring.calendar(),
            clock=process_clock(),
        )


def refund_changed(refund: "Refund") -> None:
    """A refund was requested, or has gone through."""
    from cardstock.orders import service as orders

    flows_wiring.announcements().refund(refund)
    if refund.status == "requested":
        try:
            orders.execute_refund(
                refund.order_id, refund.refund_id, orders=orders_wiring.orders(),
                channels=orders_wiring.payment_channels(), clock=process_clock(),
            )  # fmt: skip
        except UnavailableError as error:
            # Without an answer the change comes again; one that is worked on the sweep asks for, however long it takes.
            if error.refusal is not errors.REFUND_PENDING:
                raise
    elif refund.kind == "return":
        take_back(refund)


def take_back(refund: "Refund") -> None:
    """Take the rewards' part back, and let the order count less."""
    from cardstock.ledger import service as ledger

    order = orders_wiring.orders().find(refund.order_id)
    if order is None:
        raise LookupError(f"{refund.refund_id} belongs to no order")
    rules, refunds = flows_wiring.rules(), orders_wiring.orders().refunds_of(refund.order_id)
    ledger.claw(
        refund.refund_id,
        rules.taken(order, refund, refunds),
        rules.accrual(order),
        books=ledger_wiring.books(),
        clock=process_clock(),
    )
    flows_wiring.dividends().given_back(order, refund)
    if order.coupon:
        flows_wiring.undoing().given_back(order, refund, refunds)
    count(rules.facts(order, refunds))


def count(facts: "OrderFacts") -> None:
    """Let the network draw its conclusions, and tell who has risen by them."""
    from cardstock.network import service as network

    moved = network.count_order(facts, network=network_wiring.network(), plans=network_wiring.plans())
    flows_wiring.announcements().positions(moved)
    if any(event.kind == "benefit_undone" for event in moved):
        flows_wiring.undoing().follow(moved)


handler = queue.each(consume, finish=lambda: flows_wiring.announcements().flush())
connect()
