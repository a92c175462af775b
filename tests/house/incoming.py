"""Every text that comes in, found in the types of bodies and queries."""

from collections.abc import Iterator
from typing import Any

from msgspec import inspect

from cardstock.partners import inbox_schemas
from infra.contract.routes import apis


def texts(kind: inspect.Type, place: str, seen: frozenset[Any] = frozenset()) -> Iterator[tuple[str, Any, list[str]]]:
    """Every text below a type: where it stands, its type, and its examples."""
    if isinstance(kind, inspect.Metadata):
        given = (kind.extra_json_schema or {}).get("examples", [])
        for where, text, examples in texts(kind.type, place, seen):
            yield where, text, [*examples, *(each for each in given if isinstance(each, str))]
    elif isinstance(kind, inspect.StrType):
        yield place, kind, []
    elif isinstance(kind, inspect.StructType) and kind.cls not in seen:
        for field in kind.fields:
            yield from texts(field.type, f"{kind.cls.__name__}.{field.name}", seen | {kind.cls})
    elif isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from texts(each, place, seen)
    elif isinstance(kind, inspect.ListType | inspect.VarTupleType):
        yield from texts(kind.item_type, f"{place}[]", seen)
    elif isinstance(kind, inspect.DictType):
        yield from texts(kind.key_type, f"{place} key", seen)
        yield from texts(kind.value_type, f"{place}{{}}", seen)


def incoming() -> dict[str, tuple[Any, list[str]]]:
    """Every text that a client or a partner sends as JSON or in a query."""
    types = [part for _, api in apis() for route in api.routes for part in (route.body, route.query)]
    found = [entry for each in (*types, inbox_schemas.Report) for entry in texts(inspect.type_info(each), "body")]
    return {place: (kind, examples) for place, kind, examples in found}
