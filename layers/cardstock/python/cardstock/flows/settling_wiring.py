"""Factories of settling and releasing, each lazy: a function loads only what it uses."""

from typing import TYPE_CHECKING

from cardstock.flows.wiring import announcements, dividends, purchase_checks, rules
from cardstock.ledger import wiring as ledger_wiring
from cardstock.network import wiring as network_wiring
from cardstock.orders import wiring as orders_wiring

if TYPE_CHECKING:
    from cardstock.flows.settling import ReleaseNeeds, SettlingNeeds


def release() -> "ReleaseNeeds":
    """The ports of scheduling an order's release."""
    from cardstock.flows.settling import ReleaseNeeds

    return ReleaseNeeds(orders_wiring.orders(), rules(), ledger_wiring.calendar())


def settling() -> "SettlingNeeds":
    """The ports of settling an order."""
    from cardstock.flows.settling import SettlingNeeds

    return SettlingNeeds(
        orders=orders_wiring.orders(),
        rules=rules(),
        purchase_checks=purchase_checks(),
        dividends=dividends(),
        books=ledger_wiring.books(),
        calendar=ledger_wiring.calendar(),
        network=network_wiring.network(),
        plans=network_wiring.plans(),
        events=announcements(),
    )
