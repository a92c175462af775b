"""Structs as plain data that a `JsonAttribute` stores: the type of a field decides how it is stored.

| Field | Stored as |
|---|---|
| `datetime` | milliseconds since 1970-01-01T00:00Z |
| `date` | `2026-11-30` |
| struct | a map of its fields; fields that are missing in what is stored take their defaults |
| `tuple[X, ...]` | a list |
| `X or None` | as `X`, or null |
| `str`, `int`, `bool`, a literal | itself |

Payout batches and tax files are stored so. Everything else uses `aws.items`, whose JSON msgspec reads and writes by
itself; it cannot write a moment as milliseconds.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from cardstock.clock import from_epoch_ms, to_epoch_ms

S = TypeVar("S", bound=msgspec.Struct)
_PLAIN = (str, int, bool, NoneType)
_DECODERS: Mapping[Any, Callable[[Any], Any]] = {datetime: from_epoch_ms, date: date.fromisoformat}


def to_record(value: Any) -> Any:
    """The plain data of a struct, or of a field of one. Raises TypeError for what cannot be stored, such as a float."""
    if isinstance(value, datetime):
        return to_epoch_ms(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, msgspec.Struct):
        return {name: to_record(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [to_record(item) for item in value]
    if isinstance(value, _PLAIN):
        return value
    raise TypeError(f"{value!r} cannot be stored")


def from_record(kind: type[S], data: dict[str, Any]) -> S:
    """The struct that `to_record` stored."""
    types = _types(kind)
    return kind(**{name: _restore(types[name], value) for name, value in data.items()})


@cache
def _types(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(kind)


def _restore(kind: Any, data: Any) -> Any:
    if data is None:
        return None
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
        return _restore(kind, data)
    if origin is tuple:
        return tuple(_restore(get_args(kind)[0], item) for item in data)
    if kind in _DECODERS:
        return _DECODERS[kind](data)
    return from_record(kind, data) if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else data
