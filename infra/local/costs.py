"""The cost of AWS calls: counted one by one, in capacity units computed from item sizes by DynamoDB's documented rules.

No emulator reports capacity correctly (moto mostly wrong, ministack without the upkeep of indexes in transactions), so
a `Meter` computes it from each request, the items before and after, and the indexes. It is attached to this process's
clients for benchmarks and tests, and to the emulator (`emulator.py`) for the calls of functions.

Sources: "Read/write capacity mode", "Item sizes and formats", "Considerations for global secondary indexes" and
"TransactWriteItems" of the DynamoDB Developer Guide.
"""

import base64
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Item = Mapping[str, Any]
Find = Callable[[str, Item], Item | None]
"""The item of a table under a key, as stored now; None if there is none."""

FUNCTIONS = "local-functions"
"""The application id of functions' clients (AWS_SDK_UA_APP_ID): the emulator counts only their calls."""
COSTS_PATH = "/_local/costs"
"""Path at which the emulator returns the costs of functions so far."""
WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
_WRITES = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's key and indexes. `indexes`: name -> (key attributes, projected attributes; None is all)."""

    key: tuple[str, ...]
    indexes: Mapping[str, tuple[tuple[str, ...], frozenset[str] | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Costs:
    """The cost of some work. `by_call` counts `service:Operation`, `by_table` units written; capacity is in units of 1
    KB and 4 KB."""

    calls: int = 0
    wcu: float = 0.0
    rcu: float = 0.0
    by_call: Mapping[str, int] = field(default_factory=dict)
    by_table: Mapping[str, float] = field(default_factory=dict)

    def __sub__(self, earlier: "Costs") -> "Costs":
        by_call = Counter(self.by_call)
        by_call.subtract(earlier.by_call)
        by_table = {table: units - earlier.by_table.get(table, 0) for table, units in self.by_table.items()}
        return Costs(
            self.calls - earlier.calls, self.wcu - earlier.wcu, self.rcu - earlier.rcu, dict(+by_call), by_table
        )


def shape_of(definition: Mapping[str, Any]) -> Shape:
    """The shape of a table from the input of CreateTable or the output of DescribeTable."""
    key = _key(definition)
    indexes: dict[str, tuple[tuple[str, ...], frozenset[str] | None]] = {}
    for index in definition.get("GlobalSecondaryIndexes") or []:
        projection = index["Projection"]
        own = _key(index)
        projected = None
        if projection["ProjectionType"] != "ALL":
            projected = frozenset((*key, *own, *projection.get("NonKeyAttributes", [])))
        indexes[index["IndexName"]] = (own, projected)
    return Shape(key, indexes)


def _key(definition: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(entry["AttributeName"] for entry in definition["KeySchema"])


def size_of(item: Item | None) -> int:
    """Bytes of an item: UTF-8 names and values, numbers two digits a byte; 0 for an absent item."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items()) if item else 0


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    return _SIZES[kind](content) if kind in _SIZES else 1  # NULL, BOOL


def _number_size(text: str) -> int:
    digits = text.lstrip("+-").replace(".", "").strip("0")
    return 1 + (len(digits) + 1) // 2 + text.startswith("-")


def _binary_size(content: bytes | str) -> int:
    """Clients have bytes, the emulator their base64 text."""
    return len(content) if isinstance(content, bytes) else len(base64.b64decode(content))


_SIZES: Mapping[str, Callable[[Any], int]] = {
    "S": lambda text: len(text.encode()),
    "N": _number_size,
    "B": _binary_size,
    "SS": lambda texts: sum(len(text.encode()) for text in texts),
    "NS": lambda texts: sum(_number_size(text) for text in texts),
    "L": lambda values: 3 + sum(1 + _size(value) for value in values),
    "M": lambda values: 3 + sum(1 + len(name.encode()) + _size(value) for name, value in values.items()),
}


def write_units(old: Item | None, new: Item | None, shape: Shape, *, transactional: bool = False) -> float:
    """The cost of writing `new` over `old`, including the indexes."""
    own = _units(max(size_of(old), size_of(new)), WRITE_UNIT_BYTES) * (2 if transactional else 1)
    return own + sum(_index_units(old, new, *index) for index in shape.indexes.values())


def _index_units(old: Item | None, new: Item | None, key: Sequence[str], projected: frozenset[str] | None) -> int:
    before, after = _entry(old, key, projected), _entry(new, key, projected)
    if before == after:
        return 0
    if before is None or after is None or any(before[name] != after[name] for name in key):
        # It appears, disappears, or moves: a move is a delete and a put.
        return sum(_units(size_of(entry), WRITE_UNIT_BYTES) for entry in (before, after) if entry is not None)
    return _units(max(size_of(before), size_of(after)), WRITE_UNIT_BYTES)


def _entry(item: Item | None, key: Sequence[str], projected: frozenset[str] | None) -> Item | None:
    if item is None or any(name not in item for name in key):
        return None
    return item if projected is None else {name: value for name, value in item.items() if name in projected}


def _units(size: int, unit: int) -> int:
    return max(1, -(-size // unit))


def read_units(size: int, *, consistent: bool = False, transactional: bool = False) -> float:
    """The cost of reading `size` bytes; reading nothing costs as much as the smallest item."""
    return _units(size, READ_UNIT_BYTES) * (2.0 if transactional else 1.0 if consistent else 0.5)


Write = tuple[str, Item, Item | None]
"""Table, key, and the item before."""


class Meter:
    """Sums calls and capacity. `find` reads stored items without being counted; `shapes` has the tables."""

    def __init__(self, *, find: Find, shapes: Mapping[str, Shape]) -> None:
        self._find = find
        self._shapes = shapes
        self._by_call: Counter[str] = Counter()
        self._by_table: dict[str, float] = {}
        self._rcu = 0.0

    @property
    def costs(self) -> Costs:
        """The costs so far. Subtract an earlier value to get those since then."""
        written = sum(self._by_table.values())
        return Costs(self._by_call.total(), written, self._rcu, dict(self._by_call), dict(self._by_table))

    def before(self, service: str, operation: str, request: Mapping[str, Any]) -> list[Write]:
        """Count a call before it is made. Pass the result to `after`."""
        self._by_call[f"{service}:{operation}"] += 1
        if service != "dynamodb":
            return []
        return [(table, key, self._find(table, key)) for table, key in self._written(operation, request)]

    def after(
        self, operation: str, request: Mapping[str, Any], answer: Mapping[str, Any], writes: Sequence[Write]
    ) -> None:
        """Charge a DynamoDB call that was answered, with success or with a failed condition."""
        transactional = operation.startswith("Transact")
        for table, key, old in writes:
            units = write_units(old, self._find(table, key), self._shapes[table], transactional=transactional)
            self._by_table[table] = self._by_table.get(table, 0.0) + units
        self._rcu += self._read(operation, request, answer)

    def _written(self, operation: str, request: Mapping[str, Any]) -> list[tuple[str, Item]]:
        if operation in _WRITES:
            return [self._target(_WRITES[operation], request)]
        if operation == "TransactWriteItems":
            return [self._target(kind, action) for entry in request["TransactItems"] for kind, action in entry.items()]
        if operation == "BatchWriteItem":
            return [
                self._target(kind.removesuffix("Request"), {"TableName": table, **action})
                for table, entries in request["RequestItems"].items()
                for entry in entries
                for kind, action in entry.items()
            ]
        return []

    def _target(self, kind: str, action: Mapping[str, Any]) -> tuple[str, Item]:
        table = action["TableName"]
        if kind == "Put":
            return table, {name: action["Item"][name] for name in self._shapes[table].key}
        return table, action["Key"]

    def _read(self, operation: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
        if operation == "GetItem":
            size = size_of(self._find(request["TableName"], request["Key"]))
            return read_units(size, consistent=bool(request.get("ConsistentRead")))
        if operation == "BatchGetItem":
            return sum(
                read_units(size_of(self._find(table, key)), consistent=bool(wanted.get("ConsistentRead")))
                for table, wanted in request["RequestItems"].items()
                for key in wanted["Keys"]
            )
        if operation == "TransactGetItems":
            gets = [entry["Get"] for entry in request["TransactItems"]]
            return sum(
                read_units(size_of(self._find(get["TableName"], get["Key"])), transactional=True) for get in gets
            )
        if operation in ("Query", "Scan"):
            found = answer.get("Items", [])
            size = sum(size_of(item) for item in found)
            if found and answer.get("ScannedCount", 0) > len(found):
                # Items that a filter drops were read, too. Their size is unknown here, so they count as average ones.
                size = size * int(answer["ScannedCount"]) // len(found)
            return read_units(size, consistent=bool(request.get("ConsistentRead")))
        return 0.0


_active: Meter | None = None


def install() -> None:
    """Let `attach` see the calls of every botocore client created in this process from now on."""
    import botocore.handlers

    hooks: list[tuple[str, Any]] = [("before-parameter-build", _sent), ("after-call", _answered)]
    botocore.handlers.BUILTIN_HANDLERS.extend(hook for hook in hooks if hook not in botocore.handlers.BUILTIN_HANDLERS)


@contextmanager
def attach(meter: Meter) -> Iterator[Meter]:
    """Count this process's calls until the block ends. Needs `install` before the first client was created."""
    global _active  # noqa: PLW0603 - botocore's hooks are global, too
    earlier, _active = _active, meter
    try:
        yield meter
    finally:
        _active = earlier


def _sent(params: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
    if _active is not None:
        service = model.service_model.service_name
        context["local_meter"] = (_active, params, _active.before(service, model.name, params))


def _answered(parsed: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
    if "local_meter" in context and model.service_model.service_name == "dynamodb":
        meter, request, writes = context.pop("local_meter")
        meter.after(model.name, request, parsed, writes)
