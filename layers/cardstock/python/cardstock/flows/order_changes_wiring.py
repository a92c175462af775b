"""Factories of what follows a changed order, each lazy: a function loads only what it uses."""

from typing import TYPE_CHECKING

from cardstock.flows.wiring import announcements, dividends, purchase_checks, rules
from cardstock.ledger import wiring as ledger_wiring
from cardstock.network import wiring as network_wiring
from cardstock.orders import wiring as orders_wiring

if TYPE_CHECKING:
    from cardstock.flows.coupons import CouponRevocation
    from cardstock.flows.order_changes import Needs as OrderChangeNeeds


def coupon_revocation() -> "CouponRevocation":
    """Revokes coupons whose referrals no longer count."""
    from cardstock.flows.coupons import CouponRevocation

    return CouponRevocation(orders_wiring.orders(), orders_wiring.coupon_uses(), ledger_wiring.books())


def order_changes() -> "OrderChangeNeeds":
    """The ports of the followers of changed orders."""
    from cardstock.edge.observability import count, logger
    from cardstock.flows.order_changes import Needs

    def alarm(refund_id: str) -> None:
        logger.error("refund refused by its channel", refund_id=refund_id)
        count("OpenItemsOpened")

    return Needs(
        orders=orders_wiring.orders(),
        channels=orders_wiring.payment_channels(),
        rules=rules(),
        purchase_checks=purchase_checks(),
        books=ledger_wiring.books(),
        calendar=ledger_wiring.calendar(),
        network=network_wiring.network(),
        plans=network_wiring.plans(),
        dividends=dividends(),
        coupons=coupon_revocation(),
        events=announcements(),
        shipments=orders_wiring.shipments(),
        alarm=alarm,
    )
