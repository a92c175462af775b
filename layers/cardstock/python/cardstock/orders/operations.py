"""How the API document names and introduces the routes of the orders area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "orders",
        "Orders",
        "订单",
        "Quotes, orders, their payments, refunds and shipments.",
        "报价、订单、支付、退款和发货。",
        {
            "POST /v1/quotes": Operation("askQuote", "Quote a cart", "获取报价"),
            "POST /v1/orders": Operation("placeOrder", "Place an order", "下单"),
            "GET /v1/orders": Operation("listOrders", "List my orders", "列出我的订单"),
            "GET /v1/orders/{order_id}": Operation("getOrder", "Get my order", "查看订单"),
            "POST /v1/orders/{order_id}/cancellations": Operation("cancelOrder", "Cancel an order", "取消订单"),
            "POST /v1/orders/{order_id}/payments": Operation("startPayment", "Start a payment", "发起支付"),
            "GET /v1/payment-channels": Operation("listPaymentChannels", "List payment channels", "列出支付方式"),
            "POST /v1/orders/{order_id}/charges": Operation("chargeOrder", "Charge an order", "免密支付订单"),
            "POST /v1/me/payment-agreements": Operation("askAgreement", "Ask for an agreement", "申请免密支付协议"),
            "GET /v1/me/payment-agreements": Operation("listAgreements", "List my agreements", "列出我的免密支付协议"),
            "POST /v1/me/payment-agreements/{agreement_id}/checks": Operation(
                "checkAgreement", "Check an agreement", "查询免密支付协议"
            ),
            "DELETE /v1/me/payment-agreements/{agreement_id}": Operation(
                "endAgreement", "End an agreement", "解除免密支付协议"
            ),
            "POST /v1/orders/{order_id}/refunds": Operation("askRefund", "Request a refund", "申请退款"),
            "GET /v1/orders/{order_id}/refunds": Operation("listRefunds", "List refunds", "列出退款"),
            "POST /v1/orders/{order_id}/returns": Operation("acceptReturn", "Take units back", "退货退款"),
            "POST /v1/orders/{order_id}/goodwill-refunds": Operation(
                "grantRefund", "Grant a goodwill refund", "发放补偿退款"
            ),
            "POST /v1/orders/{order_id}/receipts": Operation("confirmReceipt", "Confirm the receipt", "确认收货"),
            "GET /v1/orders/{order_id}/shipments": Operation("listShipments", "List shipments", "列出发货"),
            "GET /v1/headquarters/orders": Operation("listAllOrders", "List all orders", "总部：列出订单"),
            "GET /v1/headquarters/orders/{order_id}": Operation("getAnyOrder", "Get any order", "总部：查看订单"),
            "GET /v1/headquarters/sales": Operation("getSalesByDay", "Get sales by day", "总部：每日销售"),
        },
    ),
    Family(
        "payments",
        "Payment notices",
        "支付通知",
        "What payment channels report.",
        "支付渠道的通知。",
        {
            "POST /v1/payments/sandbox/notify": Operation(
                "reportSandboxPayment", "Report a sandbox payment", "上报沙箱支付"
            ),
            "POST /v1/payments/wechat/notify": Operation(
                "reportWechatPayment", "Report a WeChat payment", "上报微信支付"
            ),
            "GET /v1/payments/wechat/pushes/{app_id}": Operation(
                "checkWechatAddress", "Check the push address", "微信：校验推送地址"
            ),
            "POST /v1/payments/wechat/pushes/{app_id}": Operation(
                "pushWechatEvent", "Push a WeChat event", "微信：推送事件"
            ),
            "POST /v1/payments/alipay/notify": Operation(
                "reportAlipayPayment", "Report an Alipay payment", "上报支付宝支付"
            ),
            "POST /v1/payments/douyin/notify": Operation(
                "reportDouyinPayment", "Report a Douyin payment", "上报抖音支付"
            ),
        },
    ),
)
PATH_VALUES: Final = {
    "app_id": PathValue("wx0000000000000001", "Mini-program whose push it is."),
    "agreement_id": PathValue("agr_01kbdxdh50fcazdjhcnqh2rzv5", "Payment agreement, by its id."),
    "order_id": PathValue("ord_01kbdxdh50fcazdjhcnqh2rzv5", "Order that is meant, by the id that placing it answered."),
}
