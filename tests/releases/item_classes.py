"""The item classes of the package, and which of them a recorded item belongs to."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cardstock
from cardstock.aws.tables import Table
from tests.house.cloud import template
from tests.releases import recording
from tests.releases.recording import Recording

PACKAGE = Path(cardstock.__file__).parent
STACK = "cardstock-"


def item_classes() -> list[type[Table]]:
    """Every item class of the package."""
    for path in PACKAGE.rglob("*store.py"):
        importlib.import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
    importlib.import_module("cardstock.aws.requests")
    return [kind for kind in below(Table) if kind.__module__.startswith("cardstock.")]


def below(kind: type[Table]) -> Iterator[type[Table]]:
    for found in kind.__subclasses__():
        yield found
        yield from below(found)


def names_of(kind: type[Table]) -> set[str]:
    """The stored names that an item class reads."""
    return {attribute.attr_name for attribute in kind.get_attributes().values()}


def reads(kind: type[Table], item: dict[str, Any]) -> bool:
    """Whether an item class knows every name of a recorded item, and writes the values as they were."""
    if not item.keys() <= names_of(kind):
        return False
    again = kind.from_raw_data(recording.as_sent(item)).to_dynamodb_dict()
    return all(_ordered(again.get(name)) == _ordered(value) for name, value in item.items())


def _ordered(value: Any) -> Any:
    """A stored value; the texts of a set, which has no sequence, are sorted."""
    return {"SS": sorted(value["SS"])} if value and "SS" in value else value


ENVIRONMENT = template().environment()
CLASSES = item_classes()


def classes_of(table: str) -> list[type[Table]]:
    """The item classes of a table, which is named without the stack's name."""
    return [kind for kind in CLASSES if table_of(kind) == table]


def table_of(kind: type[Table]) -> str:
    """The table of an item class, without the stack's name."""
    return ENVIRONMENT[kind.Meta.variable].removeprefix(STACK)  # type: ignore[attr-defined]


def items_by_class(release: Recording) -> dict[type[Table], list[dict[str, Any]]]:
    """Item class -> the recorded items that it reads whole; of several classes, those that miss the fewest names."""
    found: dict[type[Table], list[dict[str, Any]]] = {}
    for table, items in release.tables.items():
        kinds = classes_of(table)
        for item in items:
            missed = {kind: len(names_of(kind) - item.keys()) for kind in kinds if reads(kind, item)}
            for kind in (kind for kind, number in missed.items() if number == min(missed.values())):
                found.setdefault(kind, []).append(item)
    return found
