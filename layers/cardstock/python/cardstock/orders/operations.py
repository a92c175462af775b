"""How the API document names and introduces the routes of the orders area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, PathValue

FAMILIES: Final = (
    Family(
        "orders",
        "Orders",
        "订单",
        "Quotes, orders, their payments, refunds and shipments.",
        {
            "POST /v1/quotes": "askQuote",
            "POST /v1/orders": "placeOrder",
            "GET /v1/orders": "listOrders",
            "GET /v1/orders/{order_id}": "getOrder",
            "POST /v1/orders/{order_id}/cancellations": "cancelOrder",
            "POST /v1/orders/{order_id}/payments": "startPayment",
            "POST /v1/orders/{order_id}/refunds": "askRefund",
            "GET /v1/orders/{order_id}/refunds": "listRefunds",
            "POST /v1/orders/{order_id}/goodwill-refunds": "grantRefund",
            "POST /v1/orders/{order_id}/receipts": "confirmReceipt",
            "GET /v1/orders/{order_id}/shipments": "listShipments",
        },
    ),
    Family(
        "payments",
        "Payment notices",
        "支付通知",
        "What payment channels report.",
        {
            "POST /v1/payments/sandbox/notify": "reportSandboxPayment",
        },
    ),
)
PATH_VALUES: Final = {
    "order_id": PathValue("ord_01kbdxdh50fcazdjhcnqh2rzv5", "Order that is meant, by the id that placing it answered."),
}
