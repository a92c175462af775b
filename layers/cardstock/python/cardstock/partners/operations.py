"""How the API document names and introduces the routes of the partners area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "keys",
        "API keys",
        "接口密钥",
        "Credentials of persons and of suppliers.",
        "员工和供应商的凭证。",
        {
            "POST /v1/partners/keys": Operation("createKey", "Create an API key", "创建接口密钥"),
            "GET /v1/partners/keys": Operation("listKeys", "List API keys", "列出接口密钥"),
            "DELETE /v1/partners/keys/{key_id}": Operation("revokeKey", "Revoke an API key", "吊销接口密钥"),
        },
    ),
    Family(
        "suppliers",
        "Suppliers",
        "供应商",
        "Suppliers, what they have to send, and what they report.",
        "供应商、待发货的订单，以及供应商的上报。",
        {
            "PUT /v1/suppliers/{supplier_id}": Operation("putSupplier", "Put a supplier", "新建或更名供应商"),
            "POST /v1/suppliers/{supplier_id}/secrets": Operation(
                "rotateInboxSecret", "Rotate an inbox secret", "更换收件密钥"
            ),
            "GET /v1/headquarters/suppliers": Operation("listSuppliers", "List suppliers", "总部：列出供应商"),
            "GET /v1/headquarters/suppliers/{supplier_id}": Operation(
                "getSupplier", "Get a supplier", "总部：查看供应商"
            ),
            "GET /v1/supplier-orders": Operation("listSupplierOrders", "List supplier orders", "列出供应商订单"),
            "POST /v1/inbox/{source}": Operation(
                "sendSupplierReport", "Send a supplier's report", "上报发货、签收或盘点"
            ),
        },
    ),
    Family(
        "webhooks",
        "Webhooks",
        "Webhook",
        "Endpoints that take events, and what was delivered to them.",
        "接收事件的地址，以及投递记录。",
        {
            "POST /v1/webhook-endpoints": Operation("createEndpoint", "Create an endpoint", "新建 webhook 地址"),
            "GET /v1/webhook-endpoints": Operation("listEndpoints", "List my endpoints", "列出 webhook 地址"),
            "DELETE /v1/webhook-endpoints/{endpoint_id}": Operation(
                "deleteEndpoint", "Delete an endpoint", "删除 webhook 地址"
            ),
            "POST /v1/webhook-endpoints/{endpoint_id}/secrets": Operation(
                "rotateEndpointSecret", "Rotate an endpoint's secret", "更换 webhook 密钥"
            ),
            "POST /v1/webhook-endpoints/{endpoint_id}/tests": Operation(
                "testEndpoint", "Test an endpoint", "测试 webhook 地址"
            ),
            "GET /v1/webhook-endpoints/{endpoint_id}/deliveries": Operation(
                "listDeliveries", "List deliveries", "列出投递"
            ),
            "POST /v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliveries": Operation(
                "redeliverEvent", "Redeliver an event", "重新投递事件"
            ),
        },
    ),
)
PATH_VALUES: Final = {
    "key_id": PathValue("key_01kbdxdh50fcazdjhcnqh2rzv5", "API key that is meant; not the credential itself."),
    "supplier_id": PathValue("sup_lights", "Supplier that is meant: `sup_` and 1 to 26 lower-case letters or digits."),
    "source": PathValue("sup_lights", "Supplier that sends the report."),
    "endpoint_id": PathValue("whe_01kbdxdh50fcazdjhcnqh2rzv5", "Webhook endpoint that is meant."),
    "delivery_id": PathValue("1764577560000.evt_01kbdxdh50fcazdjhcnqh2rzv5", "Delivery to be made again."),
}
