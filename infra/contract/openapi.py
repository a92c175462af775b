"""Generates `infra/contract/openapi.json` (OpenAPI 3.1): routes and models of functions, and the catalogue of events.

    python -m infra.contract.openapi

The document is committed; a test compares it with the generated one, so that a change of the API is visible in review.
A test also executes every example in it.
"""

import importlib
import importlib.util
import inspect
import json
import os
import pkgutil
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

import cardstock
from cardstock.edge.operations import Family, Operation, PathValue
from infra.demo.deployment import PORTS, PUBLIC, STAFF
from infra.local.examples import example
from infra.local.loading import load
from infra.local.template import ROOT

Json = Any
DOCUMENT = ROOT / "infra/contract/openapi.json"
_REF = "#/components/schemas/{name}"
_WIDTH = 120
_DATA = frozenset({"examples", "default", "const", "enum", "required"})
"""Keywords of a schema that hold values, not schemas."""
_FIRST = ("$ref", "anyOf", "type", "enum", "const", "description", "examples")
"""The keywords that are written first, in this order."""

_ABOUT = """\
What mini-programs, suppliers and staff call. While `make serve` runs, members call port 8700 with a session token, and
staff and partners call port 8702 with an API key. `make serve` writes the logins, API keys with their persons and
scopes, inbox secrets, cards and SKUs that it has seeded to `.local/serve/seed.json`.

Amounts are integers in fen (1/100 CNY), times RFC 3339 in UTC, ids opaque strings. Success is the bare resource, or
`items` with `next_cursor` for lists; a refusal is `application/problem+json` (RFC 9457) with a stable `code`, a
`detail` in the language of `Accept-Language` (zh-CN unless it starts with `en`), `trace_id`, `retryable` and
`errors` that point at fields. An operation's `x-codes` lists the codes that it may answer, by status; the document's
own `x-codes` has their texts in both languages. With `Accept: application/vnd.cardstock.envelope+json` both come as
`{code, data, msg, trace_id}`.

A POST that creates or charges takes an `Idempotency-Key`: a repeat with the same key and body is answered as the
first time, with `Idempotent-Replayed: true`; the same key with another body is refused.

Unknown fields are refused, types are strict, a body is at most 256 KB. A path that is none of these is answered 404,
by the gateway with `{"message": "Not Found"}` or as `ROUTE_UNKNOWN`. The local gateway adds a `hint` if the other
port has the path.

Webhooks, in both directions, are signed by Standard Webhooks 1.0. The key is the secret after `whsec_`, decoded from
base64; what is signed is the message's id, its time (seconds since 1970) and the raw bytes of the body with a `.`
between them; the signature is HMAC-SHA256, in base64. The headers are `webhook-id`, `webhook-timestamp` and
`webhook-signature`, which has `v1,` before each signature and a space between several: one that holds is enough.
Refuse what is more than five minutes from now, and what you have seen under the same id. Of messages to us,
`SIGNATURE_MISSING` means a missing or malformed header, `SIGNATURE_INVALID` a wrong secret or other bytes, and
`SIGNATURE_STALE` a right signature at a wrong time."""
_ABOUT_ZH = """\
小程序、供应商和员工调用的接口。`make serve` 运行时，会员用登录凭证访问 8700 端口，员工和合作方用接口密钥访问 8702 \
端口。预置的登录名、接口密钥（及其人员和权限范围）、收件密钥、名片和 SKU 都写在 `.local/serve/seed.json` 里。标题、\
分组和错误说明是中文；字段的说明目前只有英文。

金额是以分为单位的整数，时间用 RFC 3339（UTC），编号是不解释的字符串。成功时直接返回资源，列表返回 `items` 和 \
`next_cursor`；拒绝时返回 `application/problem+json`（RFC 9457），其中有稳定的 `code`、按 `Accept-Language` 选择语言\
的 `detail`（默认 zh-CN，以 `en` 开头时用英文）、`trace_id`、`retryable`，以及指明出错字段的 `errors`。每个接口的\
 `x-codes` 按状态码列出可能的错误码，文档的 `x-codes` 有全部错误码的中英文说明。请求带 `Accept: \
application/vnd.cardstock.envelope+json` 时，成功和拒绝都返回 `{code, data, msg, trace_id}`。

创建或收费的 POST 需要 `Idempotency-Key`：同样的键和内容再次发送，得到与第一次相同的应答，并带有\
 `Idempotent-Replayed: true`；键相同而内容不同则被拒绝。

未知字段会被拒绝，类型严格检查，请求体最大 256 KB。不存在的路径返回 404：网关返回 `{"message": "Not Found"}`，或者错\
误码 `ROUTE_UNKNOWN`。

收发的 webhook 都按 Standard Webhooks 1.0 签名。密钥是 `whsec_` 之后的部分，用 base64 解码；签名内容是消息编号、时间\
（1970 年以来的秒数）和请求体的原始字节，中间用 `.` 连接；签名是 HMAC-SHA256，用 base64 编码。请求头是 `webhook-id`\
、`webhook-timestamp` 和 `webhook-signature`；每个签名前有 `v1,`，多个签名用空格分开，其中一个有效即可。时间与现在相\
差超过五分钟的，或编号已经收到过的，都应拒绝。发给我们的消息：`SIGNATURE_MISSING` 是缺少请求头或格式不正确，\
`SIGNATURE_INVALID` 是密钥或内容不符，`SIGNATURE_STALE` 是签名正确但时间不符。"""

_FIRST_CALLS: tuple[tuple[str, str, str], ...] = (
    (
        "Log in as a member: `dev:` and any name, on this machine only",
        "以会员身份登录：`dev:` 加任意名字，只在本机可用",
        """\
API={server}
field() { python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
TOKEN=$(curl -s $API/v1/auth/sessions -H "content-type: application/json" \\
  -d '{"platform": "dev", "app_id": "wxdemo", "login_code": "dev:first-buyer"}' | field access_token)""",
    ),
    ("Get a product that is seeded", "查看一件预置的商品", "curl -s $API/v1/products/85123A | python3 -m json.tool"),
    (
        "Quote two units",
        "获取两件的报价",
        """\
QUOTE=$(curl -s $API/v1/quotes -H "authorization: Bearer $TOKEN" -H "content-type: application/json" \\
  -d '{"lines": [{"sku": "85123A", "units": 2}]}' | field quote)""",
    ),
    (
        "Place the order",
        "下单",
        """\
ORDER=$(curl -s $API/v1/orders -H "authorization: Bearer $TOKEN" -H "content-type: application/json" \\
  -H "idempotency-key: first-$(date +%s)" \\
  -d '{"quote": "'$QUOTE'", "receiver": {"name": "王小明", "phone": "13800138000", "address": "上海市南京西路1号"}}' \\
  | field order_id)""",
    ),
    (
        "Pay: open the address that is printed and press the button",
        "支付：打开打印出来的地址，按下按钮",
        """\
curl -s $API/v1/orders/$ORDER/payments -H "authorization: Bearer $TOKEN" -H "content-type: application/json" \\
  -d '{"channel": "sandbox"}' | field pay_url""",
    ),
)
"""Title, Chinese title and shell lines of the calls from the log-in to the payment; `{server}` is the API's address."""

_EVENTS_ABOUT = """\
Sent to webhook endpoints that subscribed to it, signed with the endpoint's secret. Answer with 2xx; anything else is
tried again for three days. The same event may come more than once and events may come in any order: `id` tells repeats
apart, `sequence` sorts."""
_EVENTS_ABOUT_ZH = """\
发送给订阅了它的 webhook 地址，用该地址的密钥签名。请返回 2xx；其他应答会在三天内重试。同一事件可能到达多次，次序也\
可能颠倒：`id` 用来识别重复，`sequence` 用来排序。"""
_CHALLENGE_ABOUT = """\
Sent to every new endpoint with a URL, signed with its secret: check the signature, as of any event, and answer with
2xx. The endpoint is active from then on. It cannot be subscribed to."""

_ORDER = (
    "sessions", "members", "cards", "products", "orders", "payments", "commissions", "plans", "ledger", "payouts",
    "debts", "open-items", "compliance", "tax", "recommendations", "staff", "keys", "suppliers", "webhooks",
)  # fmt: skip
"""Tags in the order of the document; others follow by name."""


def _modules() -> Iterator[Any]:
    """The module `operations` of every area that has one."""
    for area in pkgutil.iter_modules(cardstock.__path__):
        name = f"cardstock.{area.name}.operations"
        if area.ispkg and area.name != "edge" and importlib.util.find_spec(name):
            yield importlib.import_module(name)


def _families() -> dict[str, Family]:
    found = {family.tag: family for module in _modules() for family in module.FAMILIES}
    ordered = sorted(found, key=lambda tag: (_ORDER.index(tag) if tag in _ORDER else len(_ORDER), tag))
    return {tag: found[tag] for tag in ordered}


PATHS: Mapping[str, PathValue] = {
    name: value for module in _modules() for name, value in getattr(module, "PATH_VALUES", {}).items()
}
PATH_VALUES: Mapping[str, str] = {name: value.example for name, value in PATHS.items()}
"""An example for every parameter in a path."""
FAMILIES: Mapping[str, Family] = _families()
"""Tag -> its family."""
_EVENTS = Family("events", "Events", "事件", _EVENTS_ABOUT, _EVENTS_ABOUT_ZH, {})

_STATUS: Mapping[int, tuple[str, str]] = {
    400: ("InvalidRequest", "A body, query parameter or header is not valid; `errors` points at each fault."),
    401: ("Unauthorized", "There is no credential, or it is not valid any more."),
    403: ("Forbidden", "The caller may not do this."),
    404: ("NotFound", "There is no such thing, or it belongs to somebody else."),
    409: ("Conflict", "The state of the resource does not allow this, or has changed meanwhile."),
    413: ("TooLarge", "The body is larger than 256 KB."),
    422: ("Refused", "The request is well formed, and a rule refuses it."),
    429: ("Throttled", "Too many requests; try again later."),
    503: ("Unavailable", "Something did not answer in time; try again."),
}
"""Status -> name and meaning of the shared answer."""

_MEDIA = {"/v1/cards/{key}/vcf": "text/vcard", "/v1/cards/{key}/qr": "image/svg+xml", "/c/{key}": "text/html"}

_NOTICE: Json = {
    "description": "The sandbox channel's notice of a payment.",
    "type": "object",
    "required": ["channel", "event", "order_no", "transaction_no", "amount_fen", "currency", "paid_at"],
    "additionalProperties": False,
    "properties": {
        "channel": {"const": "sandbox", "description": "Payment channel that reports."},
        "event": {"const": "payment.succeeded", "description": "What has happened."},
        "order_no": {
            "type": "string",
            "description": "Order that was paid.",
            "examples": [PATH_VALUES["order_id"]],
        },
        "transaction_no": {
            "type": "string",
            "description": "The channel's own number of the payment.",
            "examples": ["sbx_8f2c1d"],
        },
        "amount_fen": {"type": "integer", "minimum": 1, "description": "Fen that were paid.", "examples": [153000]},
        "currency": {"const": "CNY", "description": "Currency code (ISO 4217)."},
        "paid_at": {
            "type": "string",
            "format": "date-time",
            "description": "When the buyer paid.",
            "examples": ["2026-12-01T08:26:00.000Z"],
        },
        "payer": {
            "type": "string",
            "maxLength": 128,
            "description": "Account that paid, as the channel names it; absent if unknown.",
            "examples": ["wechat:wx0123456789abcdef:oABC"],
        },
        "device": {
            "type": "string",
            "maxLength": 128,
            "description": "Device on which it was paid; absent if unknown.",
            "examples": ["7c1f0e5a"],
        },
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
    "description": "A refusal (RFC 9457).",
    "type": "object",
    "required": ["type", "status", "code", "title", "detail", "trace_id", "retryable", "errors"],
    "properties": {
        "type": {"type": "string", "description": "Always `about:blank`: `code` tells problems apart."},
        "status": {"type": "integer", "description": "The HTTP status once more."},
        "code": {"type": "string", "description": "Stable; what a program decides by. `x-codes` lists all of them."},
        "title": {"type": "string", "description": "The same as `code`."},
        "detail": {"type": "string", "description": "For people, in the language of the request."},
        "trace_id": {"type": "string", "description": "Finds the request in our logs; send it with a question."},
        "retryable": {"type": "boolean", "description": "Whether the same request may succeed later."},
        "time": {
            "type": "string",
            "format": "date-time",
            "description": "What time it is for the shop; only in refusals that depend on it.",
        },
        "facts": {
            "type": "object",
            "description": "What the code is about: a SKU, a scope, an amount. Absent where there is nothing to add.",
        },
        "errors": {
            "type": "array",
            "description": "Fields at fault; empty where the request as a whole is refused.",
            "items": {
                "type": "object",
                "required": ["pointer", "code"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "RFC 6901 into the body as it was sent, or `#query/name`, `#path/name`. Of a "
                        "field that is missing: the object that lacks it.",
                    },
                    "code": {
                        "type": "string",
                        "description": "`MISSING`, `UNKNOWN_FIELD`, `WRONG_TYPE`, `OUT_OF_RANGE` (a number, a length, "
                        "a pattern, a choice), `JSON` or `ENCODING` (nothing could be read), `TEXT_CONTROL_CHARACTER` "
                        "(NUL, half of a surrogate pair), or what the refusal's own code means.",
                    },
                    "detail": {"type": "string", "description": "What a person reads, in the language of `detail`."},
                    "field": {"type": "string", "description": "Name of the field that is missing or unknown."},
                    "min": {"type": "integer", "description": "Smallest number that is allowed."},
                    "max": {"type": "integer", "description": "Largest number that is allowed."},
                    "min_length": {"type": "integer", "description": "Fewest letters or items."},
                    "limit": {"type": "integer", "description": "Most letters or items."},
                    "pattern": {"type": "string", "description": "The form that is demanded, in words."},
                    "expected": {"type": "string", "description": "The type that is demanded, in words."},
                    "allowed": {"type": "array", "items": {"type": "string"}, "description": "Values to choose from."},
                },
            },
        },
    },
}


_SERVERS: Mapping[str, Json] = {
    api: {"url": f"http://127.0.0.1:{PORTS[api]}", "description": said}
    for api, said in ((PUBLIC, "make serve"), (STAFF, "make serve: staff and partners"))
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


def _named() -> dict[str, tuple[str, Operation]]:
    """`METHOD path` -> tag and operation."""
    return {route: (tag, named) for tag, family in FAMILIES.items() for route, named in family.operations.items()}


def _plain(schema: Json) -> Json:
    """The schema simplified: `type: [string, null]` for nullable values, no titles, cleaned descriptions."""
    if isinstance(schema, list):
        return [_plain(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        name: value if name in _DATA else _plain(value)
        for name, value in schema.items()
        if name != "title" or not isinstance(value, str)
    }
    if isinstance(found.get("description"), str):
        found["description"] = inspect.cleandoc(found["description"])  # Python 3.13 cleans a docstring by itself
    found = dict(sorted(found.items(), key=lambda entry: _FIRST.index(entry[0]) if entry[0] in _FIRST else len(_FIRST)))
    tag = found.get("enum", ())
    if len(tag) == 1:  # the tag of a union: msgspec has no description for it
        return {
            "const": tag[0],
            "description": "Tells what this is.",
            **{k: v for k, v in found.items() if k != "enum"},
        }
    options = found.get("anyOf", [])
    if len(options) == 2 and options[1] == {"type": "null"} and isinstance(options[0].get("type"), str):
        del found["anyOf"]
        return _plain({**options[0], **found, "type": [options[0]["type"], "null"]})
    return found


def _reachable(document: Json, components: Mapping[str, Json]) -> dict[str, Json]:
    """The schemas that the document refers to, by name, except those of queries, which are parameters."""
    wanted: set[str] = set()
    waiting = [document]
    while waiting:
        for name in set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(waiting.pop()))) - wanted:
            wanted.add(name)
            waiting.append(components[name])
    return {name: components[name] for name in sorted(wanted)}


@cache
def _answered() -> Mapping[str, Any]:
    """Code -> refusal, of every refusal that an operation may answer."""
    from cardstock.edge.errors import ROUTE_UNKNOWN
    from cardstock.edge.http import refusals_of

    found = {refusal.code: refusal for _, api in apis() for route in api.routes for refusal in refusals_of(route)}
    return found | {ROUTE_UNKNOWN.code: ROUTE_UNKNOWN}


def _refusals() -> dict[str, Json]:
    """The answers that operations share, one for each status."""
    from cardstock.edge.http import PROBLEM
    from cardstock.edge.problems import RETRYABLE, status_of

    found: dict[str, Json] = {}
    for status, (name, meaning) in _STATUS.items():
        refusal = next((refusal for refusal in _answered().values() if status == status_of(refusal)), None)
        if refusal is None:
            continue
        sample = {
            "type": "about:blank",
            "status": status,
            "code": refusal.code,
            "title": refusal.code,
            "detail": re.sub(r"{\w+}", "...", refusal.en),
            "trace_id": "9d1c4c2e-8c7a-4a57-b8c1-0f7be8f6a1d3",
            "retryable": status in RETRYABLE,
            "errors": [{"pointer": "/lines/0/units", "code": "OUT_OF_RANGE", "detail": "Must be at least 1.", "min": 1}]
            if refusal.code == "BODY_INVALID"
            else [],
        }
        found[name] = {
            "description": f"{meaning} The operation's `x-codes` lists the codes it may answer.",
            "content": {PROBLEM: {"schema": {"$ref": _REF.format(name="Problem")}, "example": sample}},
        }
        if status == 401:
            found[name]["headers"] = {"WWW-Authenticate": {"$ref": "#/components/headers/WwwAuthenticate"}}
    return found


def _codes() -> dict[str, Json]:
    """Every code that an operation may answer, with its status and its texts."""
    from cardstock.edge.problems import status_of

    return {
        code: {"status": status_of(refusal), "en": refusal.en, "zh": refusal.zh}
        for code, refusal in sorted(_answered().items())
    }


def _codes_by_status(route: Any) -> dict[str, list[str]]:
    from cardstock.edge.http import refusals_of
    from cardstock.edge.problems import status_of

    found: dict[int, list[str]] = {}
    for refusal in refusals_of(route):
        found.setdefault(status_of(refusal), []).append(refusal.code)
    return {str(status): sorted(codes) for status, codes in sorted(found.items())}


def _responses(route: Any, schemas: Mapping[type, Json]) -> Json:
    from cardstock.edge.http import Nothing

    success: dict[str, Json] = {"description": inspect.cleandoc(route.answer.__doc__ or "Done.")}
    if route.answer is str:
        success = {"description": "The document.", "content": {_MEDIA[route.path]: {"schema": {"type": "string"}}}}
    elif route.answer is Nothing:
        success["description"] = "Done."
    else:
        success["content"] = {"application/json": {"schema": schemas[route.answer]}}
    if route.idempotent:
        success["headers"] = {"Idempotent-Replayed": {"$ref": "#/components/headers/IdempotentReplayed"}}
    refused = {
        status: {"$ref": f"#/components/responses/{_STATUS[int(status)][0]}"} for status in _codes_by_status(route)
    }
    return {str(route.status): success, **refused}


def _parameters(route: Any, schemas: Mapping[type, Json], components: Mapping[str, Json]) -> list[Json]:
    from cardstock.edge.http import Nothing

    found: list[Json] = []
    for name in re.findall(r"{(\w+)}", route.path):
        value, about = PATHS[name].example, PATHS[name].description
        schema: dict[str, Json] = {"type": "string"}
        found.append(
            {"name": name, "in": "path", "required": True, "description": about, "schema": schema, "example": value}
        )
    if route.query is not Nothing:
        model = components[schemas[route.query]["$ref"].rpartition("/")[2]]
        for name, known in model["properties"].items():
            schema = {key: value for key, value in known.items() if key != "description"}
            if isinstance(schema.get("type"), list):  # a query has no null
                schema["type"] = schema["type"][0]
                schema = {key: value for key, value in schema.items() if key != "default" or value is not None}
            if None in schema.get("enum", ()):
                schema["enum"] = [value for value in schema["enum"] if value is not None]
                schema = {key: value for key, value in schema.items() if key != "default" or value is not None}
            required = name in model.get("required", [])
            about = known["description"]
            found.append({"name": name, "in": "query", "required": required, "description": about, "schema": schema})
    if route.idempotent:
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if any(refusal.code == "SIGNATURE_INVALID" for refusal in route.codes):
        found += _SIGNATURE
    found.append({"$ref": "#/components/parameters/AcceptLanguage"})
    return found


def _share_parameters(document: Json) -> None:
    """Move every parameter that several operations take to the components, under a name made from it."""
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    uses = Counter(
        json.dumps(parameter)
        for operation in operations
        for parameter in operation["parameters"]
        if "name" in parameter
    )
    shared = document["components"]["parameters"]
    places: dict[str, str] = {}
    for text, count in uses.most_common():
        parameter = json.loads(text)
        name = "".join(word.title() for word in parameter["name"].split("_"))
        if count > 1 and name not in shared:
            shared[name] = parameter
            places[text] = name
    for operation in operations:
        operation["parameters"] = [
            {"$ref": f"#/components/parameters/{places[text]}"}
            if (text := json.dumps(parameter)) in places
            else parameter
            for parameter in operation["parameters"]
        ]


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
    from infra.contract.events import CHALLENGED, EVENTS, TITLES_ZH

    return {
        kind: {
            "post": {
                "operationId": "on" + "".join(part.title() for part in re.split(r"[._]", kind)),
                "x-title": {"zh": TITLES_ZH[kind]},
                "summary": said.summary,
                **({"description": _CHALLENGE_ABOUT} if kind == CHALLENGE else {}),
                "tags": ["events"],
                "security": [],
                "parameters": _SIGNATURE,
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "allOf": [
                                    {"$ref": _REF.format(name="Event")},
                                    {"properties": {"type": {"const": kind, "description": "What has happened."}}},
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


def _spell_patterns(schema: Json) -> None:
    """Write the end of each pattern as JSON Schema does: there `$` is the very end, and Python's `\\Z` is unknown."""
    if isinstance(schema, list):
        for each in schema:
            _spell_patterns(each)
    elif isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            schema["pattern"] = schema["pattern"].replace("\\Z", "$")
        for each in schema.values():
            _spell_patterns(each)


def build() -> dict[str, Json]:
    """The whole document. Call `prepare` first if no environment is set."""
    from infra.contract.events import EVENT

    found = list(apis())
    types = _types(route for _, api in found for route in api.routes)
    generated, described = msgspec.json.schema_components(types, schema_hook=_any_value, ref_template=_REF)
    _spell_patterns([*generated, described])
    schemas: dict[type, Json] = dict(zip(types, generated, strict=True))
    components: dict[str, Json] = {name: _plain(schema) for name, schema in described.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    document: dict[str, Json] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Cardstock",
            "version": project["version"],
            "description": _ABOUT,
            "x-description": {"zh": _ABOUT_ZH},
            "x-first-calls": [
                {"title": {"en": english, "zh": chinese}, "lines": lines} for english, chinese, lines in _FIRST_CALLS
            ],
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [_SERVERS[PUBLIC]],
        "tags": [
            {
                "name": tag,
                "description": family.description,
                "x-title": {"en": family.title, "zh": family.title_zh},
                "x-description": {"zh": family.description_zh},
            }
            for tag, family in {**FAMILIES, "events": _EVENTS}.items()
        ],
        "paths": {},
        "webhooks": {},
        "components": {
            "schemas": {},
            "responses": _refusals(),
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
                },
                "WwwAuthenticate": {"description": "Always `Bearer`.", "schema": {"type": "string"}},
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
    named = _named()
    order = list(named)
    routes = [route for _, api in found for route in api.routes]
    for route in sorted(routes, key=lambda route: order.index(_place(route, named))):
        operations = document["paths"].setdefault(route.path, {})
        operations[route.method.lower()] = _operation(route, named, schemas, components)
    document["webhooks"] = _webhooks()
    document["x-codes"] = _codes()
    _share_parameters(document)
    known = {**components, "Problem": _PROBLEM, "Event": EVENT, "SandboxNotice": _NOTICE}
    document["components"]["schemas"] = _reachable(document, known)
    _show_examples(document)
    return document


def _place(route: Any, named: Mapping[str, tuple[str, Operation]]) -> str:
    """`METHOD path`, which must be named."""
    place = f"{route.method} {route.path}"
    if place not in named:
        raise LookupError(f"{place} has no operation id: add one to the area's operations.py")
    return place


def _operation(
    route: Any, named: Mapping[str, tuple[str, Operation]], schemas: Mapping[type, Json], components: Mapping[str, Json]
) -> Json:
    from cardstock.edge.http import Nothing

    tag, known = named[_place(route, named)]
    scope = f"\n\nA key needs the scope `{route.scope}`." if route.scope else ""
    operation: dict[str, Json] = {
        "operationId": known.id,
        "x-title": {"en": known.title, "zh": known.title_zh},
        "summary": route.summary.rstrip("."),
        "description": (re.sub(r"\s*\n\s+", "\n", route.description) + scope).strip(),
        "tags": [tag],
        **_servers(route),
        "security": _security(route),
        "parameters": _parameters(route, schemas, components),
        "responses": _responses(route, schemas),
        "x-codes": _codes_by_status(route),
    }
    body = {"$ref": _REF.format(name="SandboxNotice")} if route.path == "/v1/payments/sandbox/notify" else None
    if route.body is not Nothing:
        body = schemas[route.body]
    if body is not None:
        files = {media: {"schema": {"type": "string", "format": "binary"}} for media in route.files}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}, **files}}
    if not operation["description"]:
        del operation["description"]
    return operation


def _servers(route: Any) -> dict[str, Json]:
    """The server that accepts keys: the API of staff and partners. Empty for routes of the public API only."""
    if route.auth not in ("key", "any"):
        return {}
    return {"servers": [_SERVERS[api] for api in ((PUBLIC, STAFF) if route.auth == "any" else (STAFF,))]}


def _show_examples(document: Json) -> None:
    """Add an example to the body of every request. Those of answers follow from the examples of their fields."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for kind, media in operation.get("requestBody", {}).get("content", {}).items():
                if kind == "application/json":
                    media["example"] = example(document, media["schema"])


def _written(value: Json, depth: int = 0) -> str:
    """JSON with short values on one line and long ones indented."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(flat) + depth <= _WIDTH:
        return flat
    inner = " " * (depth + 1)
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(name)}: {_written(entry, depth + 1)}" for name, entry in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + " " * depth + "}"
    return "[\n" + ",\n".join(inner + _written(entry, depth + 1) for entry in value) + "\n" + " " * depth + "]"


def text() -> str:
    """The document as it is committed."""
    return _written(build()) + "\n"


def main() -> None:
    """Write the document."""
    prepare()
    DOCUMENT.write_text(text(), "utf-8")
    print(f"{DOCUMENT.relative_to(ROOT)}: {len(json.loads(DOCUMENT.read_text('utf-8'))['paths'])} paths")


if __name__ == "__main__":
    main()
