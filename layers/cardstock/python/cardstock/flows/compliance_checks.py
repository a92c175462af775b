"""The compliance guard between orders and the ledger: what it sees of an order, and what it stops."""

from collections.abc import Callable

from cardstock.clock import Clock
from cardstock.compliance import service
from cardstock.compliance.model import Hold, Purchase
from cardstock.compliance.ports import Holds, Identities, Traces
from cardstock.ledger.model import Accrual
from cardstock.network.model import Snapshot
from cardstock.orders.model import Order


class Watchman:
    """Looks at orders when they are paid and before their rewards are released. `stocking_units`: see the service."""

    def __init__(
        self,
        traces: Traces,
        identities: Identities,
        holds: Holds,
        *,
        stocking_units: int,
        clock: Callable[[], Clock],
    ) -> None:
        self._traces = traces
        self._identities = identities
        self._holds = holds
        self._stocking_units = stocking_units
        self._clock = clock

    def watch(self, order: Order, accrual: Accrual) -> Hold | None:
        """Note a paid order; the hold on its rewards, if there is reason for one."""
        return self._look(service.watch, order, accrual)

    def held(self, order: Order, accrual: Accrual) -> Hold | None:
        """The open hold on its rewards, with all that was noted since."""
        return self._look(service.held, order, accrual)

    def _look(self, look: Callable[..., Hold | None], order: Order, accrual: Accrual) -> Hold | None:
        return look(
            purchase_of(order, accrual),
            self._stocking_units,
            traces=self._traces,
            identities=self._identities,
            holds=self._holds,
            clock=self._clock(),
        )


def purchase_of(order: Order, accrual: Accrual) -> Purchase:
    """A paid order as the guard sees it. Raises ValueError for one that is not paid."""
    if order.paid_at is None:
        raise ValueError(f"{order.order_id} is not paid")
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
