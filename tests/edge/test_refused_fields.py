"""Every refused field is named by a pointer that resolves in the body as it was sent, with the broken bound."""

import copy
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from cardstock import errors
from cardstock.edge.bodies import decode
from cardstock.edge.faults import PATTERNS, detail_of, shown_bounds
from cardstock.edge.http import Api, Model, Nothing, Route
from tests.house.cloud import ROOT, template

ROUTES = [
    route
    for function in template().functions
    for served in vars(importlib.import_module(function.module)).values()
    if isinstance(served, Api)
    for route in served.routes
    if route.body is not Nothing
]
HOSTILE: tuple[Any, ...] = (None, True, -1, 10**30, 1.5, "", "\x00", "x" * 5_000, [None], {"a/b~c": {}})
DOCUMENT = json.loads((ROOT / "infra/contract/openapi.json").read_text())


MORE: dict[str, Any] = {
    "PUT /v1/cards/{key}": {"versions": {"default": {"name": "x"}, "vip": {"name": "y"}}, "revision": 3},
    "POST /v1/me/inviter": {"inviter": "mem_01kbdxdh50fcazdjhcnqh2rzv5"},
}
"""Bodies of routes without an event."""


def good_bodies(route: Route) -> Iterator[Any]:
    """The bodies of the events of this route that are right by themselves."""
    decoder = msgspec.json.Decoder(route.body, strict=True)
    if f"{route.method} {route.path}" in MORE:
        yield MORE[f"{route.method} {route.path}"]
    form = re.compile(re.sub(r"{\w+}", "[^/]+", route.path) + r"\Z")
    for path in sorted(Path(ROOT / "events").rglob("*.json")):
        event = json.loads(path.read_text())
        if event.get("httpMethod") == route.method and form.match(event["path"]) and event.get("body"):
            try:
                decode(decoder, event["body"].encode())
            except errors.InvalidError:
                continue
            yield json.loads(event["body"])


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in `value`, the whole first."""
    yield at
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*at, key))


def changed(value: Any, at: tuple[Any, ...], item: Any) -> Any:
    if not at:
        return item
    copied = copy.deepcopy(value)
    parent = copied
    for key in at[:-1]:
        parent = parent[key]
    parent[at[-1]] = item
    return copied


def without(value: Any, at: tuple[Any, ...]) -> Any:
    copied = copy.deepcopy(value)
    parent = copied
    for key in at[:-1]:
        parent = parent[key]
    del parent[at[-1]]
    return copied


def mutants(body: Any) -> Iterator[Any]:
    """`body` with each of its parts replaced, left out, or joined by a stranger."""
    for at in places(body):
        yield from (changed(body, at, item) for item in HOSTILE)
        if at:
            yield without(body, at)
        found: Any = body
        for key in at:
            found = found[key]
        if isinstance(found, dict):
            yield changed(body, at, {**found, "a/b~c`.d[1]": 1})
            yield changed(body, at, {**found, "A": next(iter(found.values()), 1)})


def resolve(value: Any, pointer: str) -> Any:
    """What an RFC 6901 pointer leads to. Raises LookupError."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_pointer_resolves_in_the_body_that_was_sent(route: Route) -> None:
    decoder = msgspec.json.Decoder(route.body, strict=True)
    bodies = sorted(good_bodies(route), key=lambda body: len(str(body)))[-2:]
    refused = 0
    for body in bodies:
        for mutant in mutants(body):
            try:
                decode(decoder, json.dumps(mutant).encode())
            except errors.InvalidError as error:
                refused += 1
                for pointer in error.pointers:
                    resolve(mutant, pointer.pointer)
                    shown = [detail_of(pointer, error.refusal, error.facts, language) for language in ("zh", "en")]
                    assert all(shown)
                    assert shown[0] != shown[1]
                    if pointer.code == "MISSING":
                        assert pointer.bounds["field"] not in resolve(mutant, pointer.pointer)

    assert refused > 5


@pytest.mark.parametrize(
    ("body", "code", "english", "chinese", "bounds"),
    [
        ("{}", "MISSING", "quote is missing.", "缺少 quote。", {"field": "quote"}),
        (
            '{"quote":"","receiver":1}',
            "OUT_OF_RANGE",
            "Must be at least 1 long.",
            "应为：长度不少于 1。",
            {"min_length": 1},
        ),
        ('{"quote":1,"receiver":1}', "WRONG_TYPE", "Must be a text.", "应为：文本。", {"expected": "a text"}),
    ],
)
def test_a_refused_field_says_what_would_pass(
    body: str, code: str, english: str, chinese: str, bounds: dict[str, Any]
) -> None:
    [route] = [route for route in ROUTES if (route.method, route.path) == ("POST", "/v1/orders")]
    with pytest.raises(errors.InvalidError) as refused:
        decode(msgspec.json.Decoder(route.body, strict=True), body.encode())
    [pointer, other] = refused.value.pointers

    assert (other.pointer, other.bounds.get("field")) in {("/receiver", None), ("", "receiver")}
    assert pointer.code == code
    assert detail_of(pointer, refused.value.refusal, {}, "en") == english
    assert detail_of(pointer, refused.value.refusal, {}, "zh") == chinese
    assert shown_bounds(pointer, "en") == bounds


class Part(Model):
    units: Annotated[int, msgspec.Meta(ge=1)]


class Whole(Model):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    part: Part
    parts: list[Part] = msgspec.field(default_factory=list)
    kind: Literal["a", "b"] = "a"
    note: str | None = None


class Tagged(Model, tag_field="type", tag="one"):
    number: int
    text: str


class Other(Model, tag_field="type", tag="two"):
    number: int


def refused(kind: Any, body: Any) -> list[tuple[str, str]]:
    """Pointer (or the member that is missing or unknown) and code of each fault."""
    with pytest.raises(errors.InvalidError) as error:
        decode(msgspec.json.Decoder(kind, strict=True), json.dumps(body).encode())
    return [(one.pointer or one.bounds.get("field", ""), one.code) for one in error.value.pointers]


@pytest.mark.parametrize(
    ("kind", "body", "faults"),
    [
        (
            Whole,
            {"name": "", "part": {"units": 0}, "parts": [{"units": 1}, {"units": "x"}], "kind": "c", "note": 1, "z": 1},
            [
                ("/name", "OUT_OF_RANGE"), ("/part/units", "OUT_OF_RANGE"), ("/parts/1/units", "WRONG_TYPE"),
                ("/kind", "OUT_OF_RANGE"), ("/note", "WRONG_TYPE"), ("/z", "UNKNOWN_FIELD"),
            ],
        ),
        (Whole, {}, [("name", "MISSING"), ("part", "MISSING")]),
        (Whole, {"name": "x", "part": {}}, [("/part", "MISSING")]),
        (Whole, {"z": 1}, [("/z", "UNKNOWN_FIELD"), ("name", "MISSING"), ("part", "MISSING")]),
        (Tagged | Other, {"type": "one", "number": "1"}, [("/number", "WRONG_TYPE"), ("text", "MISSING")]),
        (Tagged | Other, {"type": "three", "number": "1"}, [("/type", "OUT_OF_RANGE")]),
        (Whole, [], [("", "WRONG_TYPE")]),
    ],
)  # fmt: skip
def test_every_wrong_member_of_the_top_level_object_is_named(
    kind: Any, body: Any, faults: list[tuple[str, str]]
) -> None:
    assert refused(kind, body) == faults


def test_at_most_ten_faults_are_named() -> None:
    assert len(refused(Whole, {f"x{index}": 1 for index in range(50)})) == 10


def test_a_good_body_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("a good body is not looked at member by member")

    monkeypatch.setattr("cardstock.edge.faults.faults_in_body", never)

    assert decode(msgspec.json.Decoder(Part, strict=True), b'{"units":1}') == Part(1)


def test_a_choice_names_what_there_is_to_choose_from() -> None:
    [route] = [route for route in ROUTES if route.path == "/v1/payouts/{payout_id}/results"]
    body = {"results": [{"number": "0" * 32, "result": "lost"}]}
    with pytest.raises(errors.InvalidError) as refused:
        decode(msgspec.json.Decoder(route.body, strict=True), json.dumps(body).encode())
    [pointer] = refused.value.pointers

    assert (pointer.pointer, pointer.bounds) == ("/results/0/result", {"allowed": ["expired", "failed", "paid"]})


def test_a_wrong_member_of_a_map_is_named() -> None:
    [route] = [route for route in ROUTES if (route.method, route.path) == ("POST", "/v1/cards")]
    body = {"versions": {"default": {"name": "x"}, "vip": {"name": ""}, "b": {"name": "y"}}}
    with pytest.raises(errors.InvalidError) as refused:
        decode(msgspec.json.Decoder(route.body, strict=True), json.dumps(body).encode())

    assert [one.pointer for one in refused.value.pointers] == ["/versions/vip/name"]


def test_every_pattern_of_a_body_has_words() -> None:
    def patterns(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("pattern"), str):
                yield value["pattern"]
            for item in value.values():
                yield from patterns(item)
        elif isinstance(value, list):
            for item in value:
                yield from patterns(item)

    assert {*patterns(DOCUMENT["paths"]), *patterns(DOCUMENT["components"])} == PATTERNS.keys()
