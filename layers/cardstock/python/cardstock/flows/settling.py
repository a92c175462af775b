"""Settling an order: its receipt schedules the release, and the night after its release day releases its rewards.

Every step may be repeated. A killed night continues where it ended and repeats at most the last few orders.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

import msgspec

from cardstock import clock
from cardstock.flows.compliance_checks import PurchaseChecks
from cardstock.flows.dividends import Dividends
from cardstock.flows.rewarding import PlanRules
from cardstock.ledger import release
from cardstock.ledger.ports import Books, Calendar
from cardstock.network.counting import count_order
from cardstock.network.model import Event
from cardstock.network.ports import Network, Plans
from cardstock.orders.model import Order
from cardstock.orders.ports import Orders

Outcome: TypeAlias = Literal["settled", "held", "waiting"]
"""`held`: compliance holds its rewards; lifting the hold schedules it again. `waiting`: tried again the next night."""


class PromotionEvents(Protocol):
    """Collects events about the network."""

    def positions(self, moved: tuple[Event, ...], /) -> None:
        """Collect the events of these changes until `flush`."""

    def flush(self) -> None:
        """Send the collected events. Raises `UnavailableError` if some may not have been sent: repeat the step."""


class ReleaseNeeds(msgspec.Struct, frozen=True):
    """The ports of scheduling a release."""

    orders: Orders
    rules: PlanRules
    calendar: Calendar


class SettlingNeeds(msgspec.Struct, frozen=True):
    """The ports of settling an order."""

    orders: Orders
    rules: PlanRules
    purchase_checks: PurchaseChecks
    dividends: Dividends
    books: Books
    calendar: Calendar
    network: Network
    plans: Plans
    events: PromotionEvents


class NightResult(msgspec.Struct, frozen=True):
    """Numbers of orders in one night. `failed`: those that raised; they are tried again the next night. Not `finished`:
    the time was up, and the next run continues."""

    settled: int
    held: int
    waiting: int
    failed: tuple[str, ...]
    finished: bool


def schedule_release(order: Order, *, rules: PlanRules, calendar: Calendar) -> None:
    """Schedule the release of an order's rewards at the end of its release day, or of today if that day is over.

    Does nothing before the receipt or the payment; a repeat changes nothing.
    """
    if order.status == "completed":
        assert order.received_at is not None
        assert order.paid_at is not None
        release.schedule_release(
            order.order_id, order.received_at, order.paid_at, rules.waits_days(order), calendar=calendar
        )


def schedule_release_again(order_id: str, needs: ReleaseNeeds) -> None:
    """Schedule the release of an order whose hold is lifted. Ignores an order that does not exist."""
    order = needs.orders.find_order(order_id)
    if order is not None:
        schedule_release(order, rules=needs.rules, calendar=needs.calendar)


def settle_order(order_id: str, needs: SettlingNeeds) -> Outcome:
    """Release an order's rewards and count it in the network, unless it is held or an after-sale of it is open.

    Safe to repeat. Raises LookupError for an order that does not exist, and `UnavailableError` if the outcome of a step
    is unknown.
    """
    order = needs.orders.find_order(order_id)
    if order is None:
        raise LookupError(f"{order_id} is due but does not exist")
    rules, refunds = needs.rules, needs.orders.refunds_of_order(order_id)
    settled_at = rules.settles_at(order, refunds)
    if settled_at is None or settled_at > clock.now():
        return "waiting"
    accrual = rules.accrual(order)
    if needs.purchase_checks.open_hold(order, accrual) is not None:
        return "held"
    if not needs.dividends.count_settled(order):
        return "waiting"
    release.release(accrual, books=needs.books)
    facts = rules.facts(order, refunds, settled_at=settled_at)
    needs.events.positions(count_order(facts, network=needs.network, plans=needs.plans))
    needs.events.flush()
    return "settled"


def settle_night(
    until: datetime,
    needs: SettlingNeeds,
    *,
    time_left: Callable[[], bool],
    on_failure: Callable[[str], None],
) -> NightResult:
    """Settle all orders whose release day was over at `until`, each day's by receipt, then payment.

    An order that raises does not stop the others: `on_failure` is called with its id while the error is handled, and it
    is tried again the next night.
    """
    outcomes: list[Outcome] = []
    failed: list[str] = []

    def settle(order_id: str) -> bool:
        try:
            outcomes.append(settle_order(order_id, needs))
        except Exception:  # any error of one order is reported, and the caller fails the run
            on_failure(order_id)
            failed.append(order_id)
            return False
        return outcomes[-1] != "waiting"

    swept = release.sweep(until, settle, calendar=needs.calendar, time_left=time_left)
    return NightResult(outcomes.count("settled"), outcomes.count("held"), swept.waiting, tuple(failed), swept.finished)
