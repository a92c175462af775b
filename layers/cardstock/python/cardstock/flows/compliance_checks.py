"""Compliance checks of orders: an order as a purchase, and the hold on its rewards."""

from cardstock.compliance import purchases
from cardstock.compliance.model import Hold, Purchase
from cardstock.compliance.purchases import CheckNeeds
from cardstock.ledger.model import Accrual
from cardstock.network.model import Snapshot
from cardstock.orders.model import Order


class PurchaseChecks:
    """Checks orders when they are paid, and again before their rewards are released."""

    def __init__(self, needs: CheckNeeds) -> None:
        self._needs = needs

    def log_and_check(self, order: Order, accrual: Accrual) -> Hold | None:
        """Log a paid order, and hold its rewards if it is suspicious. Returns the open hold, if any."""
        return purchases.log_and_check(purchase_of(order, accrual), self._needs)

    def open_hold(self, order: Order, accrual: Accrual) -> Hold | None:
        """The open hold on the order's rewards, checked again with later purchases."""
        return purchases.check_purchase(purchase_of(order, accrual), self._needs)


def purchase_of(order: Order, accrual: Accrual) -> Purchase:
    """A paid order as a purchase. Raises ValueError for an unpaid one."""
    if not order.is_paid:
        raise ValueError(f"{order.order_id} is not paid")
    assert order.paid_at is not None
    return Purchase(
        order_id=order.order_id,
        buyer_id=order.member_id,
        paid_at=order.paid_at,
        net=order.goods_fen,
        units=sum(line.units for line in order.lines if line.earns and line.net_fen),
        promoter=Snapshot.from_compact(order.snapshot).buyer_role != "member",
        earners=tuple(sorted({credit.member_id for credit in accrual.credits})),
        payer=order.payer,
        device=order.device,
    )
