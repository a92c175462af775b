"""Holds every refusal that a function answers in a test against the document's schema and the codes that it lists."""

import importlib
import json
from functools import cache
from typing import Any

from openapi_schema_validator import OAS31Validator

from cardstock.errors import Refusal
from infra.contract.schemas import FIELD_CODES, PROBLEM_SCHEMA
from infra.local.template import ROOT


@cache
def _problems() -> OAS31Validator:
    """Of the document's schema, in which an entry of `errors` has nothing that is not declared."""
    entry = PROBLEM_SCHEMA["properties"]["errors"]["items"]
    errors = {"type": "array", "items": {**entry, "additionalProperties": False}}
    return OAS31Validator({**PROBLEM_SCHEMA, "properties": {**PROBLEM_SCHEMA["properties"], "errors": errors}})


@cache
def _codes() -> frozenset[str]:
    """Of fields, and of all refusals."""
    package = ROOT / "layers/cardstock/python"
    modules = [
        importlib.import_module(".".join(path.relative_to(package).with_suffix("").parts))
        for path in package.rglob("errors.py")
    ]
    own = {each.code for module in modules for each in vars(module).values() if isinstance(each, Refusal)}
    return frozenset(own | FIELD_CODES.keys())


def require_documented(answer: dict[str, Any]) -> None:
    """Raises AssertionError if `answer` is a refusal that the document does not describe."""
    if answer["statusCode"] < 400 or not str(answer.get("body")).startswith('{"type":"about:blank"'):
        return
    problem = json.loads(answer["body"])
    wrong = [f"{list(error.path)}: {error.message}" for error in _problems().iter_errors(problem)]
    wrong += [each["code"] for each in problem["errors"] if each["code"] not in _codes()]

    assert wrong == [], problem["code"]
