"""Operations of the API document: parameters, bodies, answers, refusals, servers, and the parts that several share."""

import inspect
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from cardstock.edge.operations import Operation
from infra.contract.files import answer_file, files_about, request_file
from infra.contract.routes import PATHS, answered, apis_of, place_of
from infra.contract.schemas import REF, Json
from infra.demo.deployment import PORTS, PUBLIC, STAFF

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


SIGNED: Mapping[str, Json] = {
    "WebhookId": ("webhook-id", "The same when it is sent again.", "msg_2KWPBgLlAfxdpx2A"),
    "WebhookTimestamp": ("webhook-timestamp", "Seconds since 1970, at most five minutes from now.", "1764577560"),
    "WebhookSignature": (
        "webhook-signature",
        "`v1,` and base64 of HMAC-SHA256 over id, time and body.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}
SIGNATURE = [{"$ref": f"#/components/parameters/{name}"} for name in SIGNED]

SERVERS: Mapping[str, Json] = {
    api: {"url": f"http://127.0.0.1:{PORTS[api]}", "description": said}
    for api, said in ((PUBLIC, "make serve"), (STAFF, "make serve: staff and partners"))
}


def operation_of(
    route: Any, named: Mapping[str, tuple[str, Operation]], schemas: Mapping[type, Json], components: Mapping[str, Json]
) -> Json:
    from cardstock.edge.http import Nothing

    tag, known = named[place_of(route, named)]
    scope = f"\n\nA key or a session needs the scope `{route.scope}`." if route.scope else ""
    operation: dict[str, Json] = {
        "operationId": known.id,
        "x-title": {"en": known.title, "zh": known.title_zh},
        "summary": route.summary.rstrip("."),
        "description": (re.sub(r"\s*\n\s+", "\n", route.description) + scope + _files(route)).strip(),
        "tags": [tag],
        **_servers(route),
        "security": _security(route),
        "parameters": _parameters(route, schemas, components),
        "responses": _responses(route, schemas),
        "x-codes": _codes_by_status(route),
    }
    body = {"$ref": REF.format(name="SandboxNotice")} if route.path == "/v1/payments/sandbox/notify" else None
    if route.body is not Nothing:
        body = schemas[route.body]
    if body is not None:
        files = {media: request_file(media) for media in route.files}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}, **files}}
    if not operation["description"]:
        del operation["description"]
    return operation


def _files(route: Any) -> str:
    return files_about() if getattr(route.answer, "__name__", "") == "PayoutReport" else ""


def _servers(route: Any) -> dict[str, Json]:
    """The servers of a route that the API of staff and partners has. Empty for routes of the public API only."""
    found = apis_of(route.method, route.path)
    return {} if found == [PUBLIC] else {"servers": [SERVERS[api] for api in found]}


def _security(route: Any) -> list[Json]:
    kinds = {
        "member": ["member"],
        "key": ["key", "session"],
        "session": ["session"],
        "any": ["member", "key", "session"],
        None: [],
    }[route.auth]
    return [{kind: [route.scope] if kind == "key" and route.scope else []} for kind in kinds]


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
        found += SIGNATURE
    found.append({"$ref": "#/components/parameters/AcceptLanguage"})
    return found


def _responses(route: Any, schemas: Mapping[type, Json]) -> Json:
    from cardstock.edge.http import Nothing

    success: dict[str, Json] = {"description": inspect.cleandoc(route.answer.__doc__ or "Done.")}
    if route.answer is str:
        media, shown = answer_file(route.path)
        success = {"description": "The document.", "content": {media: shown}}
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


def _codes_by_status(route: Any) -> dict[str, list[str]]:
    from cardstock.edge.http import refusals_of
    from cardstock.edge.problems import status_of

    found: dict[int, list[str]] = {}
    for refusal in refusals_of(route):
        found.setdefault(status_of(refusal), []).append(refusal.code)
    return {str(status): sorted(codes) for status, codes in sorted(found.items())}


def shared_refusals() -> dict[str, Json]:
    """The answers that operations share, one for each status."""
    from cardstock.edge.http import PROBLEM
    from cardstock.edge.problems import RETRYABLE, status_of

    found: dict[str, Json] = {}
    for status, (name, meaning) in _STATUS.items():
        refusal = next((refusal for refusal in answered().values() if status == status_of(refusal)), None)
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
            "content": {PROBLEM: {"schema": {"$ref": REF.format(name="Problem")}, "example": sample}},
        }
        if status == 401:
            found[name]["headers"] = {"WWW-Authenticate": {"$ref": "#/components/headers/WwwAuthenticate"}}
    return found


def all_codes() -> dict[str, Json]:
    """Every code that an operation may answer, with its status and its texts."""
    from cardstock.edge.problems import status_of

    return {
        code: {"status": status_of(refusal), "en": refusal.en, "zh": refusal.zh}
        for code, refusal in sorted(answered().items())
    }


def share_parameters(document: Json) -> None:
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
