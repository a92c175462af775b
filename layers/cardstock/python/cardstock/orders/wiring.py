"""Factories of the orders area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING, Any

from cardstock import clock, environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from cardstock.orders.change_model import OrderChange, RefundChange, SupplierOrderChange
    from cardstock.orders.model import Freight
    from cardstock.orders.ports import CouponUses, OrderDays, Orders, PaidOrders, PaymentChannel, Sales


def order_change(record: dict[str, Any]) -> "OrderChange | RefundChange | SupplierOrderChange | None":
    """The change in a record of the streams of orders and supplier orders. Raises on anything else."""
    from cardstock.orders.store import change_of

    return change_of(record)


@cache
def freight() -> "Freight":
    """The brand's freight setting."""
    from cardstock.orders.model import Freight

    return Freight(environment.number("FREIGHT_FEN"), environment.number("FREIGHT_FREE_FROM_FEN"))


def goodwill_bound() -> int:
    """What one person may give of each line as goodwill, in basis points."""
    return environment.number("GOODWILL_BPS")


@cache
def orders() -> "Orders":
    """Orders, refunds and supplier orders in DynamoDB."""
    from cardstock.orders.store import DynamoOrders

    return DynamoOrders()


@cache
def order_days() -> "OrderDays":
    """Orders and refunds by day in DynamoDB."""
    from cardstock.orders.days_store import DynamoOrderDays

    return DynamoOrderDays()


@cache
def stored_sales() -> "Sales":
    """Stored sales of days in DynamoDB."""
    from cardstock.orders.days_store import DynamoSales

    return DynamoSales()


@cache
def paid_orders() -> "PaidOrders":
    """The history of paid orders in DynamoDB."""
    from cardstock.orders.history_store import DynamoPaidOrders

    return DynamoPaidOrders()


@cache
def coupon_uses() -> "CouponUses":
    """The uses of coupons in DynamoDB."""
    from cardstock.orders.coupon_store import DynamoCouponUses

    return DynamoCouponUses()


_payment_transport: "httpx.BaseTransport | None" = None


def set_payment_transport(new: "httpx.BaseTransport | None") -> None:
    """Replace the HTTP transport of the payment channels; for tests."""
    global _payment_transport  # noqa: PLW0603 - tests replace the transport here
    _payment_transport = new
    payment_channels.cache_clear()


@cache
def payment_channels() -> "Mapping[str, PaymentChannel]":
    """The payment channels by name: the sandbox if it has an address."""
    from cardstock.edge.secrets import secret
    from cardstock.edge.signatures import sign, verify
    from cardstock.orders.channels.sandbox import SandboxChannel

    def key() -> str:
        return str(secret(environment.text("PAYMENT_SECRET_ID"))["sandbox_key"])

    if not environment.text("PAYMENT_SANDBOX_URL"):
        return {}
    sandbox = SandboxChannel(
        environment.text("PAYMENT_SANDBOX_URL"),
        verify=lambda headers, raw: verify([key()], headers, raw, clock.now()),
        sign=lambda message_id, body: sign(key(), message_id, clock.now(), body),
        transport=_payment_transport,
    )
    return {sandbox.name: sandbox}
