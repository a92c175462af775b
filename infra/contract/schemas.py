"""Schemas of the API document that no type of the code declares, and how generated ones are written."""

import inspect
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from infra.contract.routes import PATH_VALUES

Json = Any
REF = "#/components/schemas/{name}"
_DATA = frozenset({"examples", "default", "const", "enum", "required"})
"""Keywords of a schema that hold values, not schemas."""
_FIRST = ("$ref", "anyOf", "type", "enum", "const", "description", "examples")
"""The keywords that are written first, in this order."""

NOTICE_SCHEMA: Json = {
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

_FIELDS: Mapping[str, str] = {
    "it is needed": "MISSING missing",
    "there is no such field": "UNKNOWN_FIELD unknown",
    "another type": "WRONG_TYPE",
    "a number, a length, a pattern, a choice": "OUT_OF_RANGE range key text choice amount number",
    "a number beyond every bound": "NUMBER",
    "there is no such day": "NO_DAY",
    "an item occurs twice": "DUPLICATE",
    "nothing could be read": "JSON ENCODING NOTICE",
    "NUL, half of a surrogate pair": "TEXT_CONTROL_CHARACTER",
    "the code or the number is not valid": "INVALID",
    "there is nothing of that name": "UNKNOWN TEMPLATE_UNKNOWN",
    "not among `allowed`": "NOT_OFFERED",
    "its pictures are still being made": "NOT_READY",
    "of an account's number": "NOT_DIGITS LENGTH CHECK_DIGIT",
    "no address that may be called": "URL",
    "who approved it and why": "by_and_reason",
    "a batch's sums": "COUNT_DIFFERS SUM_DIFFERS",
    "a file of a bank's results": "EMPTY NO_ROWS CSV HEADER_MISSING COLUMN_MISSING_REFERENCE "
    "COLUMN_MISSING_RESULT COLUMN_MISSING_AMOUNT COLUMN_MISSING_HOLDER NUMBER_MISSING TRANSFER_MISSING "
    "TRANSFER_UNKNOWN TRANSFER_TWICE RESULTS_CONTRADICT RESULT_UNKNOWN AMOUNT_INVALID AMOUNT_DIFFERS HOLDER_MISSING "
    "HOLDER_DIFFERS ACCOUNT_DIFFERS",
}
FIELD_CODES: Mapping[str, str] = {code: meaning for meaning, codes in _FIELDS.items() for code in codes.split()}
"""Codes of wrong fields that are no refusal's own code, and what they mean."""

PROBLEM_SCHEMA: Json = {
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
                        "description": "RFC 6901 into the body as it was sent, or `#query/name`, `#path/name`, "
                        "`#header/name`. Of a field that is missing: the object that lacks it.",
                    },
                    "code": {
                        "type": "string",
                        "description": "What is wrong: "
                        + ", ".join(f"`{'`, `'.join(codes.split())}` ({meaning})" for meaning, codes in _FIELDS.items())
                        + "; or one of the document's `x-codes`, which it means then.",
                    },
                    "detail": {"type": "string", "description": "What a person reads, in the language of `detail`."},
                    "field": {"type": "string", "description": "Name of the field that is missing or unknown."},
                    "min": {
                        "type": ["integer", "string"],
                        "description": "Smallest number or first day allowed.",
                    },
                    "max": {
                        "type": ["integer", "string"],
                        "description": "Largest number or last day allowed.",
                    },
                    "min_length": {"type": "integer", "description": "Fewest letters or items."},
                    "limit": {"type": "integer", "description": "Most letters or items."},
                    "pattern": {"type": "string", "description": "The form that is demanded, in words."},
                    "expected": {"type": "string", "description": "The type or the value that is demanded, in words."},
                    "row": {"type": "integer", "description": "Row of a file, as a spreadsheet counts it."},
                    "given": {"type": "string", "description": "What a file or a body has in place of `expected`."},
                    "allowed": {
                        "type": "array",
                        "items": {"type": ["string", "integer"]},
                        "description": "Values to choose from.",
                    },
                },
            },
        },
    },
}


def plain(schema: Json) -> Json:
    """The schema simplified: `type: [string, null]` for nullable values, no titles, cleaned descriptions."""
    if isinstance(schema, list):
        return [plain(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        name: value if name in _DATA else plain(value)
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
        return plain({**options[0], **found, "type": [options[0]["type"], "null"]})
    return found


def reachable(document: Json, components: Mapping[str, Json]) -> dict[str, Json]:
    """The schemas that the document refers to, by name, except those of queries, which are parameters."""
    wanted: set[str] = set()
    waiting = [document]
    while waiting:
        for name in set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(waiting.pop()))) - wanted:
            wanted.add(name)
            waiting.append(components[name])
    return {name: components[name] for name in sorted(wanted)}


def any_value(kind: type) -> Json:
    if kind is object:
        return {"description": "Any JSON value."}
    raise TypeError(f"{kind} has no JSON schema")


def types_of(routes: Iterable[Any]) -> list[type]:
    from cardstock.edge.http import Nothing

    named = [kind for route in routes for kind in (route.body, route.query, route.answer)]
    return [kind for kind in dict.fromkeys(named) if kind not in (Nothing, str)]


def spell_patterns(schema: Json) -> None:
    """Write the end of each pattern as JSON Schema does: there `$` is the very end, and Python's `\\Z` is unknown."""
    if isinstance(schema, list):
        for each in schema:
            spell_patterns(each)
    elif isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            schema["pattern"] = schema["pattern"].replace("\\Z", "$")
        for each in schema.values():
            spell_patterns(each)
