"""Generates `infra/contract/openapi.json` (OpenAPI 3.1): routes and models of functions, and the catalogue of events.

    python -m infra.contract.openapi

The document is committed; a test compares it with what this makes, so that a change of the API is seen where it is
reviewed. Every example in it is executed by a test too.
"""

import importlib
import inspect
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from infra.local.reference import example
from infra.local.template import ROOT, load

Json = Any
DOCUMENT = ROOT / "infra/contract/openapi.json"
_REF = "#/components/schemas/{name}"

_ABOUT = """\
What mini-programs and partners call.

Amounts are integers in fen (1/100 CNY), times RFC 3339 in UTC, ids opaque strings. Success is the bare resource, or
`items` with `next_cursor` for lists; a refusal is `application/problem+json` (RFC 9457) with a stable `code`, a
`detail` in the language of `Accept-Language` (zh-CN unless it starts with `en`), `trace_id`, `retryable` and
`errors` that point at fields. With `Accept: application/vnd.cardstock.envelope+json` both come as `{code, data,
msg, trace_id}`.

A POST that creates or charges takes an `Idempotency-Key`: a repeat with the same key and body is answered as the
first time, with `Idempotent-Replayed: true`; the same key with another body is refused.

Unknown fields are refused, types are strict, a body is at most 256 KB. A path that is none of these is answered 404,
by the gateway with `{"message": "Not Found"}` or as `ROUTE_UNKNOWN`.

Webhooks, in both directions, are signed by Standard Webhooks 1.0. The key is the secret after `whsec_`, decoded from
base64; what is signed is the message's id, its time (seconds since 1970) and the raw bytes of the body with a `.`
between them; the signature is HMAC-SHA256, in base64. The headers are `webhook-id`, `webhook-timestamp` and
`webhook-signature`, which has `v1,` before each signature and a space between several: one that holds is enough.
Refuse what is more than five minutes from now, and what you have seen under the same id."""

_EVENTS_ABOUT = """\
Sent to webhook endpoints that subscribed to it, signed with the endpoint's secret. Answer with 2xx; anything else is
tried again for three days. The same event may come more than once and events may come in any order: `id` tells repeats
apart, `sequence` sorts."""
_CHALLENGE_ABOUT = """\
Sent to every new endpoint with a URL, signed with its secret: check the signature, as of any event, and answer with
2xx. The endpoint is active from then on. It cannot be subscribed to."""

PATH_VALUES: Mapping[str, str] = {
    "order_id": "ord_01kbdxdh50fcazdjhcnqh2rzv5",
    "member_id": "mem_01kbdxdh50fcazdjhcnqh2rzv5",
    "sku": "85123A",
    "key": "x7k2m9pq4t",
    "key_id": "key_01kbdxdh50fcazdjhcnqh2rzv5",
    "supplier_id": "sup_lights",
    "source": "sup_lights",
    "endpoint_id": "whe_01kbdxdh50fcazdjhcnqh2rzv5",
    "delivery_id": "1764577560000.evt_01kbdxdh50fcazdjhcnqh2rzv5",
    "payout_id": "pay_202611",
    "number": "2026110vgk3qxnq5p7m1a9c2d4e6f8g0",
    "plan_id": "chain21",
    "transaction_id": "release.ord_01kbdxdh50fcazdjhcnqh2rzv5",
    "name": "report.xlsx",
    "alarm_id": "mem_01kbdxdh50fcazdjhcnqh2rzv5.1",
    "write_off_id": "wro_01kbdxdh50fcazdjhcnqh2rzv5",
    "year": "2026",
}
"""An example for every name that stands in a path."""

FIELD_VALUES: Mapping[str, Json] = {
    **{name: value for name, value in PATH_VALUES.items() if name not in {"key", "name", "year"}},
    "app_id": "wx1234567890abcdef",
    "currency": "CNY",
    "mch_id": "1900000001",
    "package": "affffddafdfafddffda==",
    "retried_by": "key_01kbdxdh50fcazdjhcnqh2rzv5",
    **dict.fromkeys(("guide", "member", "owner", "referrer", "peer", "bound_inviter"), PATH_VALUES["member_id"]),
    **dict.fromkeys(
        ("access_token", "refresh_token", "quote", "attribution", "ticket", "view_ticket", "next_cursor"),
        "eyJzdWIiOiJtZW1fMDEifQ.Zb8kTq3mX1n5r7u9w2y4A6C8E0g",
    ),
    "approved_by": "key_01kbdxdh50fcazdjhcnqh2rzv5",
    "at": "2026-12-01T08:26:00.000Z",
    "audience": "default",
    "because": "85123A",
    "birth_year": 1990,
    "card": "x7k2m9pq4t",
    "carrier": "SF",
    "channel": "sandbox",
    "confirmed_by": "key_01kbdxdh50fcazdjhcnqh2rzv5",
    "content_type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "events": ["fulfilment.requested", "refund.requested"],
    "expires_in": 7200,
    "id_number": "110101********002X",
    "inbox_secret": "whsec_Zb8kTq3mX1n5r7u9w2y4A6C8E0gJ2kL4",
    "inbox_url": "/v1/inbox/sup_lights",
    "key": "csk_01kbdxdh50fcazdjhcnqh2rzv5_Zb8kTq3mX1n5r7u9w2y4A6C8E0gJ2kL4",
    "label": "WeChat group",
    "name": "王小明",
    "nickname": "小明",
    "opened_by": "schedule",
    "period": "2026-11",
    "phone": "138****8000",
    "reason": "arrived broken",
    "receiver_address": "上海市静安区南京西路1266号",
    "receiver_name": "王小明",
    "receiver_phone": "13800138000",
    "scopes": ["orders:fulfil", "webhooks:write"],
    "secret": "whsec_Zb8kTq3mX1n5r7u9w2y4A6C8E0gJ2kL4",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "share": "m3n8r5t2wd",
    "skus": ["85123A"],
    "stock": 120,
    "tax_table": "labour-2019",
    "tracking_no": "SF1390001234567",
    "type": "fulfilment.requested",
    "url": "https://erp.example.com/cardstock",
    "asked_by": "key_01kbdxdh50fcazdjhcnqh2rzv6",
    "available_from": "2026-12-15T08:26:00.000Z",
    "BookDifference.batch": "12345",
    "Otherwise.what": "role",
    "Otherwise.value": "partner",
    "Otherwise.amount_fen": 30_000,
    "Otherwise.text": "若下单时身份为合伙人：300.00 元。",
    "OwedFor.entry_id": "claw.rfd_01kbf2c7d8e9fagbhcjdkemfn0",
    "OwedFor.kind": "clawed",
    "OwedFor.text": "订单退款，奖励相应扣回",
    "OwedFor.cause": "rfd_01kbf2c7d8e9fagbhcjdkemfn0",
    "WrittenOff.entry_id": "write-off.wro_01kbdxdh50fcazdjhcnqh2rzv5",
    "WrittenOff.note": "seen the file",
    "BookDifference.channel": "0",
    "BookDifference.code": "AMOUNT",
    "BookDifference.ledger": "12345",
    "CreatedKey.name": "Li Na, finance",
    "CreatedKey.owner": "staff",
    "ExplainedReward.accrued_at": "2026-12-01T08:26:04.000Z",
    "ExplainedReward.amount_fen": 22950,
    "ExplainedReward.base_fen": 153000,
    "ExplainedReward.cap_cut_fen": 0,
    "ExplainedReward.full_fen": 22950,
    "ExplainedReward.limited_fen": 22950,
    "ExplainedReward.plan": "chain21@3",
    "ExplainedReward.rate": 1500,
    "ExplainedReward.rest_fen": 19125,
    "ExplainedReward.role": "partner",
    "ExplainedReward.rule": "direct_partner",
    "ExplainedReward.text": "推荐奖励：您推荐了买家。下单时身份为合伙人，1530.00 元的 15.00%，共 229.50 元。",
    "MadeAttempt.error": "TIMEOUT",
    "NoticeTaken.code": "SUCCESS",
    "Payout.note": "Checked against the ledger",
    "Payout.status": "approved",
    "PayoutDetail.note": "Checked against the ledger",
    "PayoutDetail.status": "approved",
    "PayoutLine.reason": "unverified",
    "PayoutLine.status": "dropped",
    "ComplianceAlarm.head": PATH_VALUES["member_id"],
    "AskQuote.coupon": "benefit.mem_01kbdxdh50fcazdjhcnqh2rzv5.1",
    "Distribution.coupon": "benefit.mem_01kbdxdh50fcazdjhcnqh2rzv5.1",
    "HeldReward.reasons": ["same_payer"],
    "HeldReward.members": [PATH_VALUES["member_id"]],
    "HeldReward.text": "付款账户与他人订单或推广员相同",
    "Lifted.by": "key_01kbdxdh50fcazdjhcnqh2rzv5",
    "Lifted.reason": "family of four, invoices seen on 2026-11-20",
    "OutsideSales.until": "2026-11-21",
    "PayoutReport.status": "settled",
    "ShownApproval.approver": "Ms Zhao, legal",
    "ShownApproval.check": "levels",
    "ShownApproval.reason": "opinion of 2026-11-20 on file",
    "ShownFinding.check": "levels",
    "ShownFinding.clause": "State Council order 444, article 7",
    "ShownFinding.found": "2",
    "ShownFinding.passes": "1",
    "ShownPlan.published_by": "key_01kbdxdh50fcazdjhcnqh2rzv5",
    "StatementEntry.cause": PATH_VALUES["order_id"],
    "StatementEntry.entry_id": f"accrue.{PATH_VALUES['order_id']}",
    "StatementEntry.text": "订单已付款，奖励待结算",
    "Withdrawal.status": "waiting_user",
    "Withdrawal.text": "待收款人确认",
    "Withdrawal.reason": "OVERDUE_CLOSE",
    "ReportFile.name": "report.xlsx",
    "ReportFile.url": "https://reports.example.com/pay_202611/report.xlsx?X-Amz-Signature=5dc9da79",
    "ShareKey.path": "/c/m3n8r5t2wd",
    "ShipmentLine.name": "WHITE HANGING HEART T-LIGHT HOLDER",
    "StoredDelivery.status": "delivered",
    "StoredEndpoint.status": "active",
    "StoredKey.name": "Ningbo Textiles, ERP",
    "StoredKey.owner": "sup_lights",
    "StoredSupplier.name": "宁波织物有限公司",
    "Taken.amount_fen": 3825,
    "Wanted.name": "WHITE HANGING HEART T-LIGHT HOLDER",
    "number": "2026110vgk3qxnq5p7m1a9c2d4e6f8g0",
    "refund_id": "rfd_01kbf2c7d8e9fagbhcjdkemfn0",
    "versions": {"default": {"name": "林晓雨", "title": "高级导购"}},
    "verification": "dev",
    "view": "6bza5umcju",
}
"""An example for fields whose model gives none, by `Model.field` or by the name alone."""

_MEDIA = {"/v1/cards/{key}/vcf": "text/vcard", "/v1/cards/{key}/qr": "image/svg+xml", "/c/{key}": "text/html"}

_NOTICE: Json = {
    "title": "SandboxNotice",
    "description": "The sandbox channel's notice of a payment.",
    "type": "object",
    "required": ["channel", "event", "order_no", "transaction_no", "amount_fen", "currency", "paid_at"],
    "additionalProperties": False,
    "properties": {
        "channel": {"const": "sandbox"},
        "event": {"const": "payment.succeeded"},
        "order_no": {"type": "string", "examples": [PATH_VALUES["order_id"]]},
        "transaction_no": {"type": "string", "examples": ["sbx_8f2c1d"]},
        "amount_fen": {"type": "integer", "minimum": 1, "examples": [153000]},
        "currency": {"const": "CNY"},
        "paid_at": {"type": "string", "format": "date-time", "examples": ["2026-12-01T08:26:00.000Z"]},
        "payer": {"type": "string", "maxLength": 128, "examples": ["wechat:wx0123456789abcdef:oABC"]},
        "device": {"type": "string", "maxLength": 128, "examples": ["7c1f0e5a"]},
    },
}

_SIGNED: Mapping[str, Json] = {
    "WebhookId": ("webhook-id", "The same when it is sent again.", "msg_2KWPBgLlAfxdpx2A"),
    "WebhookTimestamp": ("webhook-timestamp", "Seconds since 1970, at most five minutes from now.", "1764577560"),
    "WebhookSignature": (
        "webhook-signature",
        "`v1,` and base64 of HMAC-SHA256 over id, time and body.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}
_SIGNATURE = [{"$ref": f"#/components/parameters/{name}"} for name in _SIGNED]

_PROBLEM: Json = {
    "title": "Problem",
    "description": "A refusal (RFC 9457).",
    "type": "object",
    "required": ["type", "status", "code", "title", "detail", "trace_id", "retryable", "errors"],
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; what a program decides by."},
        "title": {"type": "string"},
        "detail": {"type": "string", "description": "For people, in the language of the request."},
        "trace_id": {"type": "string"},
        "retryable": {"type": "boolean", "description": "Whether the same request may succeed later."},
        "facts": {"type": "object", "description": "What the code is about: a SKU, a scope, an amount."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901 into the body, or `#query/name`."},
                    "code": {
                        "type": "string",
                        "description": "`MISSING`, `UNKNOWN_FIELD`, `WRONG_TYPE`, `OUT_OF_RANGE` (a number, a length, "
                        "a pattern, a choice), `JSON` or `ENCODING` (nothing could be read), `TEXT_CONTROL_CHARACTER`, "
                        "`TEXT_NOT_NFC`, or what the refusal's own code means.",
                    },
                },
            },
        },
    },
}


def prepare() -> None:
    """Give this process an environment in which functions can be imported. What is set already stays."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    for name, value in load(ROOT / "template.yaml").environment().items():
        os.environ.setdefault(name, value)


def apis() -> Iterator[tuple[str, Any]]:
    """Name of the function's folder and its `Api`, for every HTTP function of the template."""
    from cardstock.edge.http import Api

    for function in load(ROOT / "template.yaml").functions:
        if function.routes:
            module = importlib.import_module(function.module)
            api = next(value for value in vars(module).values() if isinstance(value, Api))
            yield function.folder.removeprefix("functions/"), api


def _about(folder: str) -> str:
    return str(importlib.import_module(f"functions.{folder.replace('/', '.')}.app").__doc__).strip()


def _operation_id(handler: Any) -> str:
    head, *rest = str(handler.__name__).split("_")
    return head + "".join(word.title() for word in rest)


_JSON_TYPES: Mapping[type, str] = {str: "string", int: "integer", list: "array", dict: "object"}


def _value_of(model: str, name: str, schema: Json) -> Json:
    """An example for a field, or None where its schema says enough itself."""
    if any(word in schema for word in ("examples", "enum", "const", "$ref")):
        return None
    kinds = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    kind = kinds[0].get("type")
    for key in (f"{model}.{name}", name, "at" if name.endswith("_at") else ""):
        if key in FIELD_VALUES and _JSON_TYPES[type(FIELD_VALUES[key])] == kind:
            return FIELD_VALUES[key]
    return None


def _give_examples(components: Mapping[str, Json]) -> None:
    for model, component in components.items():
        for name, schema in component.get("properties", {}).items():
            value = _value_of(model, name, schema)
            if value is not None:
                schema["examples"] = [value]


def _refusal(status: int, refusals: Iterable[Any]) -> Json:
    from cardstock.edge.http import PROBLEM
    from cardstock.edge.problems import RETRYABLE

    said = {refusal.code: refusal.en for refusal in refusals}
    first = next(iter(said))
    sample = {
        "type": "about:blank",
        "status": status,
        "code": first,
        "title": first,
        "detail": re.sub(r"{\w+}", "...", said[first]),
        "trace_id": "9d1c4c2e-8c7a-4a57-b8c1-0f7be8f6a1d3",
        "retryable": status in RETRYABLE,
        "errors": [{"pointer": "/lines/0/units", "code": "OUT_OF_RANGE"}] if first == "BODY_INVALID" else [],
    }
    return {
        "description": "\n".join(f"- `{code}` {meaning}" for code, meaning in said.items()),
        "content": {PROBLEM: {"schema": {"$ref": _REF.format(name="Problem")}, "example": sample}},
    }


def _responses(route: Any, schemas: Mapping[type, Json]) -> Json:
    from cardstock.edge.http import Nothing, refusals_of
    from cardstock.edge.problems import status_of

    success: dict[str, Json] = {"description": inspect.cleandoc(route.answer.__doc__ or "Done.")}
    if route.answer is str:
        success = {"description": "The document.", "content": {_MEDIA[route.path]: {"schema": {"type": "string"}}}}
    elif route.answer is Nothing:
        success["description"] = "Done."
    else:
        success["content"] = {"application/json": {"schema": schemas[route.answer]}}
    if route.idempotent:
        success["headers"] = {"Idempotent-Replayed": {"$ref": "#/components/headers/IdempotentReplayed"}}
    refused: dict[int, list[Any]] = {}
    for refusal in refusals_of(route):
        refused.setdefault(status_of(refusal), []).append(refusal)
    return {
        str(route.status): success,
        **{str(status): _refusal(status, refused[status]) for status in sorted(refused)},
    }


def _parameters(route: Any, schemas: Mapping[type, Json], components: Mapping[str, Json]) -> list[Json]:
    from cardstock.edge.http import Nothing

    found: list[Json] = []
    for name in re.findall(r"{(\w+)}", route.path):
        schema = {"type": "string"}
        found.append({"name": name, "in": "path", "required": True, "schema": schema, "example": PATH_VALUES[name]})
    if route.query is not Nothing:
        model = components[schemas[route.query]["$ref"].rpartition("/")[2]]
        for name, schema in model["properties"].items():
            found.append({"name": name, "in": "query", "required": name in model.get("required", []), "schema": schema})
    if route.idempotent:
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if any(refusal.code == "SIGNATURE_INVALID" for refusal in route.codes):
        found += _SIGNATURE
    found.append({"$ref": "#/components/parameters/AcceptLanguage"})
    return found


def _security(route: Any) -> list[Json]:
    kinds = {"member": ["member"], "key": ["key"], "any": ["member", "key"], None: []}[route.auth]
    return [{kind: [route.scope] if kind == "key" and route.scope else []} for kind in kinds]


def _any_value(kind: type) -> Json:
    if kind is object:
        return {"description": "Any JSON value."}
    raise TypeError(f"{kind} has no JSON schema")


def _types(routes: Iterable[Any]) -> list[type]:
    from cardstock.edge.http import Nothing

    named = [kind for route in routes for kind in (route.body, route.query, route.answer)]
    return [kind for kind in dict.fromkeys(named) if kind not in (Nothing, str)]


def _webhooks() -> Json:
    from cardstock.partners.model import CHALLENGE
    from infra.contract.events import CHALLENGED, EVENTS

    return {
        kind: {
            "post": {
                "operationId": "on" + "".join(part.title() for part in re.split(r"[._]", kind)),
                "summary": said.summary,
                "description": _CHALLENGE_ABOUT if kind == CHALLENGE else _EVENTS_ABOUT,
                "tags": ["webhooks"],
                "security": [],
                "parameters": _SIGNATURE,
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "allOf": [
                                    {"$ref": _REF.format(name="Event")},
                                    {"properties": {"type": {"const": kind}}},
                                ]
                            },
                            "example": said.example(kind),
                        }
                    },
                },
                "responses": {"2XX": {"description": "Taken."}},
            }
        }
        for kind, said in {CHALLENGE: CHALLENGED, **EVENTS}.items()
    }


def build() -> dict[str, Json]:
    """The whole document. Call `prepare` first where no environment is set."""
    from infra.contract.events import EVENT

    found = list(apis())
    types = _types(route for _, api in found for route in api.routes)
    generated, components = msgspec.json.schema_components(types, schema_hook=_any_value, ref_template=_REF)
    schemas: dict[type, Json] = dict(zip(types, generated, strict=True))
    for schema in components.values():
        if "description" in schema:  # a docstring, which Python 3.13 cleans by itself
            schema["description"] = inspect.cleandoc(schema["description"])
    _give_examples(components)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    document: dict[str, Json] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Cardstock",
            "version": project["version"],
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8700", "description": "make serve"}],
        "tags": [{"name": api.name, "description": _about(folder)} for folder, api in found],
        "paths": {},
        "webhooks": {},
        "components": {
            "schemas": {
                **dict(sorted(components.items())),
                "Problem": _PROBLEM,
                "Event": EVENT,
                "SandboxNotice": _NOTICE,
            },
            "parameters": {
                "IdempotencyKey": {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": True,
                    "description": "Made by the client, once per thing it wants to happen; kept for seven days.",
                    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
                    "example": "5f2b1f2e-6f0c-4c3c-9d62-6f2f6d8f1a10",
                },
                "AcceptLanguage": {
                    "name": "Accept-Language",
                    "in": "header",
                    "required": False,
                    "description": "Language of texts for people.",
                    "schema": {"type": "string", "default": "zh-CN"},
                },
                **{
                    key: {
                        "name": name,
                        "in": "header",
                        "required": True,
                        "description": said,
                        "schema": {"type": "string"},
                        "example": shown,
                    }
                    for key, (name, said, shown) in _SIGNED.items()
                },
            },
            "headers": {
                "IdempotentReplayed": {
                    "description": "`true` when this is the answer to an earlier request with the same key.",
                    "schema": {"type": "string"},
                }
            },
            "securitySchemes": {
                "member": {"type": "http", "scheme": "bearer", "description": "`access_token` of a session."},
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "API key `csk_...` of a partner or of staff.",
                },
            },
        },
    }
    for _, api in found:
        for route in api.routes:
            operations = document["paths"].setdefault(route.path, {})
            operations[route.method.lower()] = _operation(api.name, route, schemas, components)
    document["webhooks"] = _webhooks()
    _show_examples(document)
    return document


def _operation(tag: str, route: Any, schemas: Mapping[type, Json], components: Mapping[str, Json]) -> Json:
    from cardstock.edge.http import Nothing

    scope = f"\n\nA key needs the scope `{route.scope}`." if route.scope else ""
    operation: dict[str, Json] = {
        "operationId": _operation_id(route.handler),
        "summary": route.summary.rstrip("."),
        "description": re.sub(r"\s*\n\s+", "\n", route.description) + scope,
        "tags": [tag],
        "security": _security(route),
        "parameters": _parameters(route, schemas, components),
        "responses": _responses(route, schemas),
    }
    body = {"$ref": _REF.format(name="SandboxNotice")} if route.path == "/v1/payments/sandbox/notify" else None
    if route.body is not Nothing:
        body = schemas[route.body]
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if not operation["description"]:
        del operation["description"]
    return operation


def _show_examples(document: Json) -> None:
    """Write an example beside every schema of a request or an answer, so that nobody has to make one up."""
    for operations in document["paths"].values():
        for operation in operations.values():
            holders = [operation.get("requestBody") or {}, *operation["responses"].values()]
            for holder in holders:
                for media in (holder.get("content") or {}).values():
                    if "example" not in media and media["schema"].get("type") != "string":
                        media["example"] = example(document, media["schema"])


def text() -> str:
    """The document as it is committed."""
    return json.dumps(build(), ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write the document."""
    prepare()
    DOCUMENT.write_text(text(), "utf-8")
    print(f"{DOCUMENT.relative_to(ROOT)}: {len(json.loads(DOCUMENT.read_text('utf-8'))['paths'])} paths")


if __name__ == "__main__":
    main()
