"""What a release stored has the same names and values in today's item classes.

A nullable attribute under another name reads as None without an error, so reading alone does not show a renamed one.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cardstock
from cardstock.aws.tables import Table
from tests.house.cloud import template
from tests.releases import recording

PACKAGE = Path(cardstock.__file__).parent
STACK = "cardstock-"
NOT_RECORDED = {
    "CouponUseItem": {"fen"},
    "EndpointItem": {"failing_since"},
    "LineItem": {"confirmation", "reason", "retried_by"},
    "MemberItem": {"birth_year", "erased_at", "nickname", "phone", "scene", "siblings"},
    "NotedItem": {"at", "leaf", "pk", "sk"},
    "OrderItem": {"at", "pd"},
    "RefundItem": {"due_bucket"},
    "SupplierOrderItem": {"td"},
}
"""Item class -> stored names that no item of the newest recording has: rarely used, gone when a thing ends, or new."""
ADDED = {"OpenItemItem"}
"""Item classes that were added after the newest release. Empty this when the next one is recorded."""


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
    return all(again.get(name) == value for name, value in item.items())


ENVIRONMENT = template().environment()
CLASSES = item_classes()


def classes_of(table: str) -> list[type[Table]]:
    """The item classes of a table, which is named without the stack's name."""
    return [kind for kind in CLASSES if ENVIRONMENT[kind.Meta.variable].removeprefix(STACK) == table]  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", recording.versions())
def test_every_recorded_item_is_read_whole_and_written_as_it_was(version: str) -> None:
    unread = {
        (table, item["pk"]["S"], *sorted(item))
        for table, items in recording.read(version).tables.items()
        for item in items
        if not any(reads(kind, item) for kind in classes_of(table))
    }

    assert unread == set()


def test_the_newest_recording_has_every_name_that_an_item_class_reads() -> None:
    tables = recording.read(recording.versions()[-1]).tables
    missing = {}
    for kind in CLASSES:
        items = tables.get(ENVIRONMENT[kind.Meta.variable].removeprefix(STACK), [])  # type: ignore[attr-defined]
        found = {name for item in items if item.keys() <= names_of(kind) for name in item}
        missing[kind.__name__] = names_of(kind) - found

    assert {kind: names for kind, names in missing.items() if names and kind not in ADDED} == NOT_RECORDED
