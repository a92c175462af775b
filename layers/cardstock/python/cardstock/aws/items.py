"""Records as items: an item class declares one attribute for each field of a frozen struct, under the field's name.

How a field is stored follows from the type of its attribute alone: `EpochAttribute` for a moment, `UnicodeAttribute`
for text and for a literal, `StructAttribute(...)` for nested structs. A field whose attribute is `null=True` takes no
room while it has its default.

`aws.records` stores moments inside JSON as milliseconds, `StructAttribute` as msgspec writes them: stored items have
both forms, so neither codec can read what the other one wrote.
"""

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, TypeVar

import msgspec
from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.constants import STRING

from cardstock.aws.tables import Table

Record = TypeVar("Record", bound=msgspec.Struct)


class StructAttribute(Attribute[Any]):
    """Structs, and tuples of structs, as JSON text; moments in it are RFC 3339. Structs that are `array_like` are
    stored without the names of their fields, sets sorted.

    Raises TypeError for a value that could not be read back, such as a float in place of an amount.
    """

    attr_type = STRING

    def __init__(self, kind: Any, **options: Any) -> None:
        super().__init__(**options)
        self._kind = kind

    @cached_property
    def _decoder(self) -> "msgspec.json.Decoder[Any]":
        # When it is first needed: an import makes every attribute of a table, a call reads few of them.
        return msgspec.json.Decoder(self._kind)

    def serialize(self, value: Any) -> str:
        text = msgspec.json.encode(sorted(value) if isinstance(value, frozenset) else value).decode()
        try:
            self._decoder.decode(text)
        except msgspec.ValidationError as error:
            raise TypeError(f"{value!r} cannot be stored as {self.attr_name}") from error
        return text

    def deserialize(self, value: Any) -> Any:
        return self._decoder.decode(value)


class PrefixedAttribute(UnicodeAttribute):
    """Text that is stored behind a prefix: a sort key that says what the item is."""

    def __init__(self, prefix: str, **options: Any) -> None:
        super().__init__(**options)
        self._prefix = prefix

    def serialize(self, value: Any) -> str:
        return f"{self._prefix}{value}"

    def deserialize(self, value: Any) -> str:
        return str(value).removeprefix(self._prefix)


def fields_of(record: msgspec.Struct, item: type[Table]) -> dict[str, Any]:
    """The attributes of an item that stores `record`. Raises KeyError for a field that `item` has no attribute for."""
    attributes, defaults = _attributes(item), _defaults(type(record))
    return {
        name: None if attributes[name].null and name in defaults and defaults[name] == value else value
        for name in record.__struct_fields__
        for value in (getattr(record, name),)
    }


def record_of(kind: type[Record], item: Table) -> Record:
    """The record that an item stores; the inverse of `fields_of`. Raises ValueError for an item that lacks a field."""
    attributes, defaults = _attributes(type(item)), _defaults(kind)
    found = {}
    for name in kind.__struct_fields__:
        value = getattr(item, name)
        if value is None and not attributes[name].null:
            raise ValueError(f"{name} is missing")
        if value is not None or name not in defaults:
            found[name] = value
    return kind(**found)


@cache
def _attributes(item: type[Table]) -> Mapping[str, Attribute[Any]]:
    return item.get_attributes()


@cache
def _defaults(kind: type[msgspec.Struct]) -> Mapping[str, Any]:
    values = kind.__struct_defaults__
    names = kind.__struct_fields__[len(kind.__struct_fields__) - len(values) :]
    return dict(zip(names, values, strict=True))
