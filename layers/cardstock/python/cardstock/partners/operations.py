"""How the API document names and introduces the routes of the partners area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, PathValue

FAMILIES: Final = (
    Family(
        "keys",
        "API keys",
        "接口密钥",
        "Credentials of persons and of suppliers.",
        {
            "POST /v1/partners/keys": "createKey",
            "GET /v1/partners/keys": "listKeys",
            "DELETE /v1/partners/keys/{key_id}": "revokeKey",
        },
    ),
    Family(
        "suppliers",
        "Suppliers",
        "供应商",
        "Suppliers, what they have to send, and what they report.",
        {
            "PUT /v1/suppliers/{supplier_id}": "putSupplier",
            "POST /v1/suppliers/{supplier_id}/secrets": "rotateInboxSecret",
            "GET /v1/supplier-orders": "listSupplierOrders",
            "POST /v1/inbox/{source}": "sendSupplierReport",
        },
    ),
    Family(
        "webhooks",
        "Webhooks",
        "回调",
        "Endpoints that take events, and what was delivered to them.",
        {
            "POST /v1/webhook-endpoints": "createEndpoint",
            "GET /v1/webhook-endpoints": "listEndpoints",
            "DELETE /v1/webhook-endpoints/{endpoint_id}": "deleteEndpoint",
            "POST /v1/webhook-endpoints/{endpoint_id}/secrets": "rotateEndpointSecret",
            "POST /v1/webhook-endpoints/{endpoint_id}/tests": "testEndpoint",
            "GET /v1/webhook-endpoints/{endpoint_id}/deliveries": "listDeliveries",
            "POST /v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliveries": "redeliverEvent",
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
