"""The shop's days: orders, parcels, receipts and refunds, as the invoices tell them."""

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from infra.demo.figures import UNKNOWN_PURCHASE
from infra.demo.one_run import Demo
from infra.demo.shop_data import Return, Sale, windows

# Events of one hour run in parallel; an hour of the shop is much longer than any of its steps.
WINDOW = timedelta(hours=1)
SHIPPED_AFTER = timedelta(days=1)
RECEIVED_AFTER = timedelta(days=3)


def live(demo: Demo, tick: Callable[[], None]) -> None:
    """Play the days: every invoice an order, every cancellation a refund, parcels a day later, receipts three days
    later."""
    for opening, events in windows(demo.data.events()):
        advance(demo, opening)
        sales = [event for event in events if isinstance(event, Sale)]
        returns = [event for event in events if isinstance(event, Return)]
        by_customer: dict[str, list[Sale]] = defaultdict(list)
        for sale in sales:
            by_customer[sale.customer].append(sale)
        demo.renew(demo.members[customer] for customer in by_customer)
        bought = demo.all(demo.shop_for, by_customer.values(), lambda: None)
        for orders in bought:
            for order in orders:
                demo.bought[order.customer].append(order)
                demo.numbers.paid[order.channel].update(orders=1, paid_fen=order.amount_fen)
                demo.due.append((order.at + SHIPPED_AFTER, "ship", order))
                demo.due.append((order.at + RECEIVED_AFTER, "receive", order))
                tick()
        if sales and not demo.numbers.credit_seconds:
            measure_credit(demo)
        for event in returns:
            give_back(demo, event)
            tick()
        demo.drain()
    while demo.due:
        advance(demo, min(moment for moment, _, _ in demo.due))


def advance(demo: Demo, moment: datetime) -> None:
    """Let time pass until `moment`, with the schedules, parcels and receipts due until then."""
    while demo.due:
        soonest = min(at for at, _, _ in demo.due)
        if soonest > moment:
            break
        opening = max(soonest, demo.suite.clock.now())
        demo.tick(opening)
        now = [entry for entry in demo.due if entry[0] <= opening + WINDOW]
        demo.due = [entry for entry in demo.due if entry[0] > opening + WINDOW]
        demo.all(lambda entry: demo.ship(entry[2]), [entry for entry in now if entry[1] == "ship"], lambda: None)
        received = [entry for entry in now if entry[1] == "receive"]
        demo.renew(demo.members[entry[2].customer] for entry in received)
        demo.all(lambda entry: demo.receive(entry[2]), received, lambda: None)
        demo.drain()
    demo.tick(moment)


def give_back(demo: Demo, event: Return) -> None:
    """Refund a cancelled row: this customer's latest purchases of the article first."""
    left = event.units
    for order in reversed(demo.bought[event.customer]):
        for sku in [sku for sku in order.returnable if sku.rpartition("-")[0] == event.code]:
            units = min(left, order.returnable[sku])
            if units:
                demo.renew([demo.members[event.customer]])
                buyer = demo.members[event.customer]
                demo.shop.give_back(buyer, order.order_id, {sku: units}, staff=demo.keys["shop"])
                order.returnable[sku] -= units
                demo.numbers.refunds += 1
                demo.numbers.paid[order.channel].update(refunds=1)
                left -= units
        if not left:
            return
    demo.numbers.unmatched.setdefault(UNKNOWN_PURCHASE, []).append(event.row)


def measure_credit(demo: Demo) -> None:
    """How long after the payment of the latest order its earners can see its rewards."""
    demo.suite.drain()
    demo.numbers.credit_seconds = time.monotonic() - demo.paid_at
