"""Schedule: releases the rewards of orders whose return window and freeze are over, and lets them count as settled."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge import schedule
from cardstock.edge.observability import count, logger
from cardstock.flows import wiring as flows_wiring
from cardstock.ledger import wiring as ledger_wiring
from cardstock.network import wiring as network_wiring
from cardstock.orders import wiring as orders_wiring

# An order takes some 30 ms; conflicts are retried for a second.
_RESERVE_MS = 10_000


class UnsettledError(Exception):
    """Orders that could not be settled. They were put into the next day; somebody should look."""


def settle(order_id: str, held: list[str] | None = None) -> bool:
    """Release an order's rewards and let it count. False while one of its after-sales is open.

    One that the guard holds is done for tonight, and noted in `held`: lifting the hold puts it into a day again."""
    from cardstock.ledger import service as ledger
    from cardstock.network import service as network

    order = orders_wiring.orders().find(order_id)
    if order is None:
        raise LookupError(f"{order_id} is due but does not exist")
    rules, refunds = flows_wiring.rules(), orders_wiring.orders().refunds_of(order_id)
    settled_at = rules.settles_at(order, refunds)
    if settled_at is None or settled_at > process_clock().now():
        return False
    accrual = rules.accrual(order)
    if flows_wiring.watchman().held(order, accrual) is not None:
        if held is not None:
            held.append(order_id)
        return True
    if not flows_wiring.dividends().settled(order):
        return False
    ledger.release(accrual, books=ledger_wiring.books(), clock=process_clock())
    facts = rules.facts(order, refunds, settled_at=settled_at)
    moved = network.count_order(facts, network=network_wiring.network(), plans=network_wiring.plans())
    announcements = flows_wiring.announcements()
    announcements.positions(moved)
    announcements.flush()
    return True


def run(scheduled_at: datetime, context: Any) -> dict[str, Any]:
    """Settle what was due before `scheduled_at`. One bad order does not keep the others waiting."""
    from cardstock.ledger import service as ledger  # with the first tick, not at the start

    failed: list[str] = []
    held: list[str] = []

    def settle_or_wait(order_id: str) -> bool:
        try:
            return settle(order_id, held)
        except Exception:  # whatever is wrong with one order: it is named below, and fails the run
            logger.exception("order not settled", order_id=order_id)
            failed.append(order_id)
            return False

    swept = ledger.sweep(
        scheduled_at,
        settle_or_wait,
        calendar=ledger_wiring.calendar(),
        clock=process_clock(),
        time_left=lambda: context.get_remaining_time_in_millis() > _RESERVE_MS,
    )
    count("OrdersSettled", swept.settled - len(held))
    count("OrdersHeld", len(held))
    if not swept.finished:
        count("ReleaseUnfinished")
    if failed:
        raise UnsettledError(f"{len(failed)} orders, the first {failed[0]}")
    settled = swept.settled - len(held)
    return {"settled": settled, "held": len(held), "waiting": swept.waiting, "finished": swept.finished}


handler = schedule.ticked(run)
connect()
