"""Factories of erasing old orders, each lazy."""

from typing import TYPE_CHECKING

from cardstock.compliance import wiring as compliance_wiring
from cardstock.flows.erasing_wiring import settles_at
from cardstock.orders import wiring as orders_wiring

if TYPE_CHECKING:
    from cardstock.flows.order_retention import OrderRetentionNeeds


def order_retention() -> "OrderRetentionNeeds":
    """The ports of erasing old orders."""
    from cardstock.flows.order_retention import OrderRetentionNeeds

    return OrderRetentionNeeds(
        orders=orders_wiring.orders(),
        days=orders_wiring.order_days(),
        erased=orders_wiring.erased_days(),
        log=compliance_wiring.purchase_log(),
        settles_at=settles_at,
    )
