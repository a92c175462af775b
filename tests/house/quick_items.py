"""Makes moto's items quick: they are compared, copied and measured by what they are, and found by their key.

moto adds up a whole item for each attribute that is put, compares texts by way of five calls, and sorts a table for
each query. Whatever is no text or number goes moto's way.
"""

import copy
from collections import defaultdict
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from tests.house.swaps import swap

_FLAT = frozenset({"S", "N", "B", "BOOL", "NULL"})
"""Kinds of values that moto never changes where they are."""
_PLAIN = frozenset({"S", "BOOL"})
"""Kinds of values that compare as Python's own."""
_SAFE_BYTES = 400_000
"""Below moto's limit of an item: nobody need add up exactly."""

_moto_equals = DynamoType.__eq__
_moto_hashes = DynamoType.__hash__
_moto_orders = DynamoType.__lt__
_moto_copies = DynamoType.__deepcopy__
_moto_sets = LimitedSizeDict.__setitem__
_moto_queries = Table.query


def _equals(one: DynamoType, other: DynamoType) -> bool:
    if one.type in _PLAIN:
        return one.type == other.type and bool(one.value == other.value)
    return _moto_equals(one, other)


def _differs(one: DynamoType, other: DynamoType) -> bool:
    return not _equals(one, other)


def _hash(one: DynamoType) -> int:
    return hash((one.type, one.value)) if one.type in _PLAIN else _moto_hashes(one)


def _orders(one: DynamoType, other: DynamoType) -> bool:
    if one.type == other.type == "S":
        return bool(one.value < other.value)
    return _moto_orders(one, other)


def _copy(one: DynamoType, memo: dict[int, Any]) -> DynamoType:
    return one if one.type in _FLAT else _moto_copies(one, memo)


def _copy_item(item: Item, memo: dict[int, Any]) -> Any:
    made: Any = Item.__new__(Item)
    made.hash_key, made.range_key, made.attrs = item.hash_key, item.range_key, LimitedSizeDict.__new__(LimitedSizeDict)
    attrs = {name: value if value.type in _FLAT else _moto_copies(value, memo) for name, value in item.attrs.items()}
    dict.update(made.attrs, attrs)
    vars(made.attrs).update(vars(item.attrs))
    return made


def _set(attrs: LimitedSizeDict, name: str, value: Any) -> None:
    kept = vars(attrs)
    most = kept.get("most")  # an upper bound of its size: what is replaced or removed still counts
    flat = type(value) is DynamoType and value.type in _FLAT and (most is not None or not attrs)
    if most is None:
        most = sum(_most_bytes(*entry) for entry in attrs.items())
    most += _most_bytes(name, value)
    if flat and most < _SAFE_BYTES:
        kept["most"] = most
    else:
        kept.pop("most", None)  # a list, a map or a set may grow where it is
    if most < _SAFE_BYTES:
        dict.__setitem__(attrs, name, value)
    else:
        _moto_sets(attrs, name, value)


def _most_bytes(name: str, value: Any) -> int:
    return len(name) * 4 + (value.size() if type(value) is DynamoType else _SAFE_BYTES)


def _query(table: Table, hash_key: DynamoType | None, *more: Any, **how: Any) -> Any:
    """Query a table that holds what has the hash key alone."""
    asked = dict(how.get("hash_key_conditions") or ())
    held: Any = copy.copy(table)
    index = more[6] if len(more) > 6 else how.get("index_name")
    if index is None and hash_key is not None:
        held.items = {hash_key: table.items[hash_key]} if hash_key in table.items else {}
    elif index is not None and asked:
        held.items = _meeting(table, asked)
    return _moto_queries(held, hash_key, *more, **how)


def _meeting(table: Table, asked: dict[str, DynamoType]) -> Any:
    if not table.range_key_attr:
        return {key: item for key, item in table.items.items() if _meets(item, asked)}
    found: Any = defaultdict(dict)
    for key, rows in table.items.items():
        for own, item in rows.items():
            if _meets(item, asked):
                found[key][own] = item
    return found


def _meets(item: Any, asked: dict[str, DynamoType]) -> bool:
    attrs = item.attrs
    return all(name in attrs and attrs[name] == value for name, value in asked.items())


def pytest_configure() -> None:
    """From the first call on."""
    swap(DynamoType, "__eq__", _equals)
    swap(DynamoType, "__ne__", _differs)
    swap(DynamoType, "__hash__", _hash)
    swap(DynamoType, "__lt__", _orders)
    swap(DynamoType, "__deepcopy__", _copy)
    swap(Item, "__deepcopy__", _copy_item)
    swap(LimitedSizeDict, "__setitem__", _set)
    swap(Table, "query", _query)
