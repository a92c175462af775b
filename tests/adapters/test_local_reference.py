"""The HTML reference of an OpenAPI document."""

import shlex
from typing import Any

from infra.local.reference import curl, example, operations, render

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1", "description": "Sells `things` & more."},
    "paths": {
        "/v1/orders/{order_id}/refunds": {
            "post": {
                "tags": ["orders"],
                "summary": "Refund <some> lines",
                "security": [{"bearer": []}],
                "parameters": [
                    {"name": "order_id", "in": "path", "required": True, "schema": {"const": "ord_1"}},
                    {"name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refund"}}}},
                "responses": {"202": {"description": "Taken", "content": {"application/json": {"schema": {}}}}},
            }
        }
    },
    "webhooks": {"order.paid": {"post": {"summary": "An order was paid", "requestBody": {
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refund"}}}}}}},
    "components": {
        "schemas": {
            "Refund": {
                "type": "object",
                "required": ["reason", "lines"],
                "properties": {
                    "reason": {"type": "string", "maxLength": 200, "examples": ["it's torn"]},
                    "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
                    "parent": {"anyOf": [{"$ref": "#/components/schemas/Refund"}, {"type": "null"}]},
                },
            },
            "Line": {
                "type": "object",
                "required": ["sku", "units"],
                "properties": {
                    "sku": {"type": "string", "description": "Which article", "examples": ["22139"]},
                    "units": {"type": "integer", "minimum": 1, "maximum": 999},
                },
            },
        }
    },
}  # fmt: skip


def test_the_page_shows_fields_limits_answers_and_webhooks() -> None:
    page = render(DOCUMENT, "http://api.test")

    assert "POST /v1/orders/{order_id}/refunds" in page
    assert "Refund &lt;some&gt; lines" in page
    assert "<code>lines[].sku</code>" in page
    assert "Which article" in page
    assert "integer, ≥ 1, ≤ 999" in page
    assert "202 Taken" in page
    assert "order.paid" in page
    assert "Sells <code>things</code> &amp; more." in page


def test_the_curl_command_is_complete_and_safe_to_paste() -> None:
    path, method, operation = next(operations(DOCUMENT))
    words = shlex.split(curl(DOCUMENT, "http://api.test", method, path, operation).replace("\\\n", ""))

    assert words[:4] == ["curl", "-X", "POST", "http://api.test/v1/orders/ord_1/refunds"]
    assert "authorization: Bearer $TOKEN" in words
    assert "idempotency-key: text" in words
    assert "content-type: application/json" in words
    assert words[-1] == '{"reason": "it\'s torn", "lines": [{"sku": "22139", "units": 1}]}'


def test_a_schema_that_contains_itself_has_an_example() -> None:
    schema = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Loop"}}}
    document = {"components": {"schemas": {"Loop": schema}}}

    assert isinstance(example(document, schema), dict)
