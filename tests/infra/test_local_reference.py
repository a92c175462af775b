"""The HTML reference of an OpenAPI document."""

import shlex
import shutil
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest

from cardstock.edge.signatures import verify
from infra.contract.openapi import build, prepare
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


def test_the_page_says_what_things_are_in_lists_in_maps_in_choices_and_left_out() -> None:
    one = {"title": "Sent", "description": "A parcel.", "properties": {"type": {"const": "sent"}}, "required": ["type"]}
    two = {"title": "Gone", "description": "No parcel.", "properties": {"why": {"type": "string", "minLength": 1}}}
    schema = {
        "properties": {
            "rows": {"type": "array", "items": {"description": "A row."}},
            "by": {
                "type": "object",
                "additionalProperties": {"type": "object", "properties": {"n": {"type": "integer"}}},
            },
            "note": {"anyOf": [{"type": "string", "description": "A word."}, {"type": "null"}]},
            "limit": {"type": "integer", "default": 20},
            "report": {"anyOf": [one, two]},
        }
    }
    answer = {"200": {"description": "Done", "content": {"application/json": {"schema": schema}}}}
    page = render({"paths": {"/v1/x": {"get": {"responses": answer}}}}, "http://api.test")

    for shown in ("A row.", "A word.", "A parcel.", "No parcel.", "<code>by.*.n</code>", "object of object"):
        assert shown in page
    assert "&quot;sent&quot;" in page
    assert "string, not empty" in page
    assert "integer, 20 if left out" in page


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the script signs with openssl")
def test_the_script_of_a_signed_call_makes_a_signature_that_holds() -> None:
    prepare()
    document = build()
    path = "/v1/inbox/{source}"
    script = curl(document, "http://api.test", "post", path, document["paths"][path]["post"])
    said = subprocess.run(
        ["sh", "-c", 'curl() { printf "%s\\0" "$@"; }\n' + script], capture_output=True, check=True, timeout=20
    ).stdout.decode().split("\0")  # fmt: skip
    headers = dict(word.split(": ", 1) for word in said if word.startswith("webhook-"))

    verify(["whsec_Zb8kTq3mX1n5r7u9w2y4A6C8E0gJ2kL4"], headers, said[said.index("-d") + 1].encode(), datetime.now(UTC))


def test_a_schema_that_contains_itself_has_an_example() -> None:
    schema = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Loop"}}}
    document = {"components": {"schemas": {"Loop": schema}}}

    assert isinstance(example(document, schema), dict)
