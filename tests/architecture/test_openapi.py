"""The committed OpenAPI document is the one that the code makes, is valid, explains itself, and its examples work."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from cardstock.edge.errors import ROUTE_UNKNOWN
from cardstock.edge.http import PROBLEM, Nothing, Route, refusals_of
from cardstock.partners.model import CHALLENGE, EVENT_TYPES
from infra.contract.events import EVENTS
from infra.contract.openapi import DOCUMENT, text
from infra.contract.routes import FAMILIES, apis
from infra.local.examples import example, resolve

ROUTES = [(route.method, route.path, route) for _, api in apis() for route in api.routes]
IDS = [f"{method} {path}" for method, path, _ in ROUTES]


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(DOCUMENT.read_text("utf-8"))


def test_the_committed_document_is_what_the_code_makes() -> None:
    assert DOCUMENT.read_text("utf-8") == text(), "run: python -m infra.contract.openapi"


def test_the_document_is_valid(document: Any) -> None:
    validate(document)


def operations(document: Any) -> Iterator[Any]:
    """Every operation of the paths."""
    for item in document["paths"].values():
        yield from item.values()


def properties(schema: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Where each property of `schema` stands, however deep, with its own schema."""
    if isinstance(schema, list):
        for entry in schema:
            yield from properties(entry, place)
    elif isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            yield f"{place}.{name}", inner
            yield from properties(inner, f"{place}.{name}")
        for keyword in ("items", "additionalProperties", "anyOf", "oneOf", "allOf"):
            yield from properties(schema.get(keyword), place)


def all_properties(document: Any) -> list[tuple[str, Any]]:
    bodies = {
        name: item["post"]["requestBody"]["content"]["application/json"]["schema"]
        for name, item in document["webhooks"].items()
    }
    schemas = document["components"]["schemas"] | bodies
    return [found for name, schema in schemas.items() for found in properties(schema, name)]


def words(text: str) -> set[str]:
    """The words of a text or a name that say something, in the singular."""
    little = {"a", "an", "the", "of", "its", "it", "s", "or", "and", "in", "at", "id"}
    return {word.removesuffix("s") for word in re.findall(r"[a-z]+", text.lower())} - little


def test_every_property_of_every_schema_says_what_it_is(document: Any) -> None:
    assert [place for place, schema in all_properties(document) if not schema.get("description")] == []


def test_the_description_of_an_operation_stands_without_space_around_it(document: Any) -> None:
    texts = [operation.get("description", "-") for operation in operations(document)]

    assert [text for text in texts if text != text.strip()] == []


def test_every_parameter_and_header_says_what_it_is(document: Any) -> None:
    shared = [*document["components"]["parameters"].values(), *document["components"]["headers"].values()]
    own = [resolve(document, entry) for operation in operations(document) for entry in operation["parameters"]]

    assert [entry for entry in (*shared, *own) if not entry.get("description")] == []


def test_no_description_only_repeats_the_name(document: Any) -> None:
    found = [
        (place, schema["description"])
        for place, schema in all_properties(document)
        if words(schema["description"]) <= words(place.rpartition(".")[2].replace("_", " "))
    ]

    assert found == []


def test_a_description_is_a_plain_sentence(document: Any) -> None:
    assert [
        place for place, schema in all_properties(document) if not schema["description"].strip().endswith(".")
    ] == []


def test_every_example_of_a_field_fits_its_schema(document: Any) -> None:
    components = {"components": document["components"]}
    wrong = [
        (place, shown, error.message)
        for place, schema in all_properties(document)
        for shown in schema.get("examples", [])
        for error in OAS31Validator({**schema, **components}).iter_errors(shown)
    ]

    assert wrong == []


def test_operation_ids_are_names_that_clients_can_use(document: Any) -> None:
    named = [operation["operationId"] for operation in operations(document)]
    sent = [item["post"]["operationId"] for item in document["webhooks"].values()]

    assert [name for name in named + sent if not re.fullmatch(r"[a-z]+([A-Z][a-z0-9]+)+", name) or len(name) > 30] == []
    assert len({name.lower() for name in named + sent}) == len(named + sent)


def test_every_operation_belongs_to_one_family_that_the_document_introduces(document: Any) -> None:
    tags = {tag["name"]: tag for tag in document["tags"]}

    assert {tuple(operation["tags"]) for operation in operations(document)} == {(name,) for name in FAMILIES}
    assert set(FAMILIES) | {"events"} == set(tags)
    assert all(tag["description"] and tag["x-title"]["en"] and tag["x-title"]["zh"] for tag in tags.values())


def test_every_operation_and_event_has_a_short_title_in_both_languages(document: Any) -> None:
    titles = [operation["x-title"] for operation in operations(document)]
    events = [item["post"]["x-title"]["zh"] for item in document["webhooks"].values()]
    introductions = [tag["x-description"]["zh"] for tag in document["tags"]]

    assert [title["en"] for title in titles if not 2 <= len(title["en"].split()) <= 4] == []
    assert len({title["en"] for title in titles}) == len({title["zh"] for title in titles}) == len(titles)
    chinese = [title["zh"] for title in titles] + events + introductions
    assert [text for text in chinese if not re.search(r"[\u4e00-\u9fff]", text)] == []


def test_no_operation_id_is_kept_for_a_route_that_is_gone() -> None:
    assert {route for family in FAMILIES.values() for route in family.operations} == set(IDS)


@pytest.mark.parametrize(("method", "path", "route"), ROUTES, ids=IDS)
def test_an_operation_lists_its_codes_under_the_statuses_that_it_answers(
    document: Any, method: str, path: str, route: Route
) -> None:
    operation = document["paths"][path][method.lower()]
    listed = operation["x-codes"]

    assert {code for codes in listed.values() for code in codes} == {refusal.code for refusal in refusals_of(route)}
    assert all(document["x-codes"][code]["status"] == int(status) for status, codes in listed.items() for code in codes)
    assert set(operation["responses"]) == {str(route.status), *listed}
    assert {"QUERY_INVALID"} <= set(listed["400"])  # no route takes a parameter that it does not know


def test_refusals_are_shared_and_have_the_type_of_a_problem(document: Any) -> None:
    shared = document["components"]["responses"]
    for operation in operations(document):
        for status in operation["x-codes"]:
            name = operation["responses"][status]["$ref"].removeprefix("#/components/responses/")
            [(kind, media)] = shared[name]["content"].items()

            assert kind == PROBLEM
            assert media["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert media["example"]["status"] == int(status)


def test_every_code_has_its_text_in_both_languages(document: Any) -> None:
    answered = {code for operation in operations(document) for codes in operation["x-codes"].values() for code in codes}

    assert answered <= set(document["x-codes"])
    assert {code: (said["zh"], said["en"]) for code, said in document["x-codes"].items()} == {
        refusal.code: (refusal.zh, refusal.en)
        for refusal in [ROUTE_UNKNOWN, *(refusal for _, _, route in ROUTES for refusal in refusals_of(route))]
    }


def test_the_document_keeps_no_schema_that_nothing_refers_to(document: Any) -> None:
    whole = json.dumps(document)

    assert [name for name in document["components"]["schemas"] if f'schemas/{name}"' not in whole] == []


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

    shown = example(document, answer["content"]["application/json"]["schema"])

    msgspec.json.decode(json.dumps(shown), type=route.answer, strict=True)


def test_no_example_is_made_of_filler(document: Any) -> None:
    schemas = document["components"]["schemas"]
    made = [
        example(document, {"$ref": f"#/components/schemas/{name}"}) for name in schemas.keys() - {"Problem", "Event"}
    ]
    whole = json.dumps([document["paths"], made])

    assert not re.search(r'[:\[,] ?"text"[,\]}]', whole)


def test_the_document_names_every_event_that_partners_can_subscribe_to(document: Any) -> None:
    assert set(document["webhooks"]) == {CHALLENGE, *EVENTS} == {CHALLENGE, *EVENT_TYPES}
