"""Generates `infra/contract/openapi.json` (OpenAPI 3.1): routes and models of functions, and the catalogue of events.

    python -m infra.contract.openapi

The document is committed; a test compares it with the generated one, so that a change of the API is visible in review.
A test also executes every example in it.
"""

import json
import re
import tomllib

import msgspec

from infra.contract.about import ABOUT, ABOUT_ZH, CHALLENGE_ABOUT, FIRST_CALLS
from infra.contract.operations import (
    SERVERS,
    SIGNATURE,
    SIGNED,
    all_codes,
    operation_of,
    share_parameters,
    shared_refusals,
)
from infra.contract.routes import EVENTS_FAMILY, FAMILIES, apis, named_operations, place_of, prepare
from infra.contract.schemas import (
    NOTICE_SCHEMA,
    PROBLEM_SCHEMA,
    REF,
    Json,
    any_value,
    plain,
    reachable,
    spell_patterns,
    types_of,
)
from infra.demo.deployment import PUBLIC
from infra.local.examples import example
from infra.local.template import ROOT

DOCUMENT = ROOT / "infra/contract/openapi.json"
SHOWN = {"OpenSession": ("consents",), "PutConsent": ("version",)}
"""Fields of requests that may be left out, and that the example needs all the same."""
_WIDTH = 120


def build() -> dict[str, Json]:
    """The whole document. Call `prepare` first if no environment is set."""
    from cardstock.edge.http import IDEMPOTENCY_KEY
    from infra.contract.events import EVENT

    found = list(apis())
    types = types_of(route for _, api in found for route in api.routes)
    generated, described = msgspec.json.schema_components(types, schema_hook=any_value, ref_template=REF)
    spell_patterns([*generated, described])
    schemas: dict[type, Json] = dict(zip(types, generated, strict=True))
    components: dict[str, Json] = {name: plain(schema) for name, schema in described.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    document: dict[str, Json] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Cardstock",
            "version": project["version"],
            "description": ABOUT,
            "x-description": {"zh": ABOUT_ZH},
            "x-first-calls": [
                {"title": {"en": english, "zh": chinese}, "lines": lines} for english, chinese, lines in FIRST_CALLS
            ],
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [SERVERS[PUBLIC]],
        "tags": [
            {
                "name": tag,
                "description": family.description,
                "x-title": {"en": family.title, "zh": family.title_zh},
                "x-description": {"zh": family.description_zh},
            }
            for tag, family in {**FAMILIES, "events": EVENTS_FAMILY}.items()
        ],
        "paths": {},
        "webhooks": {},
        "components": {
            "schemas": {},
            "responses": shared_refusals(),
            "parameters": {
                "IdempotencyKey": {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": True,
                    "description": "Made by the client, once per thing it wants to happen; kept for seven days.",
                    "schema": {"type": "string", "pattern": IDEMPOTENCY_KEY},
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
                    for key, (name, said, shown) in SIGNED.items()
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
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-staff",
                    "description": "Session of a person in the console. Other methods than GET come as JSON from "
                    "the page of the API's own host (`Origin`).",
                },
            },
        },
    }
    named = named_operations()
    order = list(named)
    routes = [route for _, api in found for route in api.routes]
    for route in sorted(routes, key=lambda route: order.index(place_of(route, named))):
        operations = document["paths"].setdefault(route.path, {})
        operations[route.method.lower()] = operation_of(route, named, schemas, components)
    document["webhooks"] = _webhooks()
    document["x-codes"] = all_codes()
    share_parameters(document)
    known = {**components, "Problem": PROBLEM_SCHEMA, "Event": EVENT, "SandboxNotice": NOTICE_SCHEMA}
    document["components"]["schemas"] = reachable(document, known)
    _show_examples(document)
    return document


def _described(about: str | None) -> Json:
    return {} if about is None else {"description": about}


def _webhooks() -> Json:
    from cardstock.partners.model import CHALLENGE
    from infra.contract.events import CHALLENGED, EVENTS, TITLES_ZH

    return {
        kind: {
            "post": {
                "operationId": "on" + "".join(part.title() for part in re.split(r"[._]", kind)),
                "x-title": {"zh": TITLES_ZH[kind]},
                "summary": said.summary,
                **_described(CHALLENGE_ABOUT if kind == CHALLENGE else said.about),
                "tags": ["events"],
                "security": [],
                "parameters": SIGNATURE,
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "allOf": [
                                    {"$ref": REF.format(name="Event")},
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


def _show_examples(document: Json) -> None:
    """Add an example to the body of every request. Those of answers follow from the examples of their fields."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for kind, media in operation.get("requestBody", {}).get("content", {}).items():
                if kind == "application/json":
                    media["example"] = example(document, media["schema"])
                    name = media["schema"].get("$ref", "").rpartition("/")[2]
                    for field in SHOWN.get(name, ()):
                        media["example"][field] = example(
                            document, document["components"]["schemas"][name]["properties"][field]
                        )


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
