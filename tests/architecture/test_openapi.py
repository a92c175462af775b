"""The committed OpenAPI document is the one that the code makes, is valid, and its examples work."""

import json
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import validate

from cardstock.edge.http import Nothing, Route
from cardstock.partners.model import CHALLENGE, EVENT_TYPES
from infra.contract.events import EVENTS
from infra.contract.openapi import DOCUMENT, apis, text

ROUTES = [(route.method, route.path, route) for _, api in apis() for route in api.routes]
IDS = [f"{method} {path}" for method, path, _ in ROUTES]


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(DOCUMENT.read_text("utf-8"))


def test_the_committed_document_is_what_the_code_makes() -> None:
    assert DOCUMENT.read_text("utf-8") == text(), "run: python -m infra.contract.openapi"


def test_the_document_is_valid(document: Any) -> None:
    validate(document)


def test_schemas_have_names_of_their_own(document: Any) -> None:
    assert [name for name in document["components"]["schemas"] if "." in name] == []


@pytest.mark.parametrize(("method", "path", "route"), ROUTES, ids=IDS)
def test_the_example_of_a_request_is_one_that_the_route_takes(
    document: Any, method: str, path: str, route: Route
) -> None:
    operation = document["paths"][path][method.lower()]
    if route.body is Nothing:
        assert "requestBody" not in operation or route.raw
        return

    shown = operation["requestBody"]["content"]["application/json"]["example"]

    msgspec.json.decode(json.dumps(shown), type=route.body, strict=True)


@pytest.mark.parametrize(("method", "path", "route"), ROUTES, ids=IDS)
def test_the_example_of_an_answer_is_one_that_the_route_gives(
    document: Any, method: str, path: str, route: Route
) -> None:
    answer = document["paths"][path][method.lower()]["responses"][str(route.status)]
    if route.answer in (Nothing, str):
        assert "application/json" not in answer.get("content", {})
        return

    shown = answer["content"]["application/json"]["example"]

    msgspec.json.decode(json.dumps(shown), type=route.answer, strict=True)


def test_no_example_is_made_of_filler(document: Any) -> None:
    assert ': "text"' not in json.dumps(document["paths"])


def test_the_document_names_every_event_that_partners_can_subscribe_to(document: Any) -> None:
    assert set(document["webhooks"]) == {CHALLENGE, *EVENTS} == {CHALLENGE, *EVENT_TYPES}
