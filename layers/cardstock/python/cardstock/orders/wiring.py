"""Factories of the orders area, each lazy: a function imports and pays for what it uses."""

from functools import cache
from typing import TYPE_CHECKING, Any

from cardstock import environment
from cardstock.clock import process_clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from cardstock.orders import ports as orders_ports
    from cardstock.orders.model import Freight, OrderChange, RefundChange, SupplierOrderChange


def order_change(record: dict[str, Any]) -> "OrderChange | RefundChange | SupplierOrderChange | None":
    """What a record of the streams of orders and supplier orders says. Raises on anything else."""
    from cardstock.orders.store import change_of

    return change_of(record)


@cache
def freight() -> "Freight":
    """What sending an order costs the buyer, as the brand has set it."""
    from cardstock.orders.model import Freight

    return Freight(environment.number("FREIGHT_FEN"), environment.number("FREIGHT_FREE_FROM_FEN"))


@cache
def offers() -> "orders_ports.Catalogue":
    """What orders need of the catalogue."""
    from cardstock.catalog.store import DynamoProducts

    return DynamoProducts()


@cache
def orders() -> "orders_ports.Orders":
    """Orders, refunds and supplier orders in DynamoDB."""
    from cardstock.orders.store import DynamoOrders

    return DynamoOrders()


_payment_transport: "httpx.BaseTransport | None" = None


def set_payment_transport(new: "httpx.BaseTransport | None") -> None:
    """Replace the network between us and the payment channels; for tests."""
    global _payment_transport  # noqa: PLW0603 - the one seam through which channels are replaced
    _payment_transport = new
    payment_channels.cache_clear()


@cache
def payment_channels() -> "Mapping[str, orders_ports.PaymentChannel]":
    """The ways to pay, by name: the sandbox where it has an address."""
    from cardstock.edge.secrets import secret
    from cardstock.edge.signatures import sign, verify
    from cardstock.orders.channels.sandbox import SandboxChannel

    def key() -> str:
        return str(secret(environment.text("PAYMENT_SECRET_ID"))["sandbox_key"])

    if not environment.text("PAYMENT_SANDBOX_URL"):
        return {}
    sandbox = SandboxChannel(
        environment.text("PAYMENT_SANDBOX_URL"),
        verify=lambda headers, raw: verify([key()], headers, raw, process_clock().now()),
        sign=lambda message_id, body: sign(key(), message_id, process_clock().now(), body),
        transport=_payment_transport,
    )
    return {sandbox.name: sandbox}
