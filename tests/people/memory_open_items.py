"""The port of the open items area in memory."""

from collections.abc import Iterator, Sequence
from typing import Any

from cardstock.approving import UseOnce
from cardstock.open_items.model import ConfirmedItem, Kind, OpenItem, State


class MemoryOpenItems:
    """`open_items.ports.OpenItems` in a dictionary."""

    def __init__(self) -> None:
        self.items: dict[str, OpenItem] = {}

    def add_item(self, item: OpenItem) -> bool:
        return self.items.setdefault(item.id, item) is item

    def find_item(self, item_id: str) -> OpenItem | None:
        return self.items.get(item_id)

    def save_item(self, item: OpenItem, use: UseOnce | None = None) -> bool:
        if self.items[item.id].version != item.version - 1:
            return False
        self.items[item.id] = item
        return True

    def save_with(self, changed: OpenItem | ConfirmedItem, step: Any, opened: OpenItem | None) -> bool:
        item = changed.item if isinstance(changed, ConfirmedItem) else changed
        if not self.save_item(item):
            return False
        if opened is not None:
            self.add_item(opened)
        step(None)
        return True

    def items_of_kind(self, kind: Kind) -> Iterator[OpenItem]:
        yield from [item for item in self.items.values() if item.kind == kind]

    def list_items(
        self, state: State, kind: Kind | None, limit: int, after: str | None
    ) -> tuple[Sequence[OpenItem], str | None]:
        found = sorted(
            (f"{item.opened_at.timestamp():015.3f}/{item.id}", item)
            for item in self.items.values()
            if item.state == state and kind in (None, item.kind)
        )
        rest = [(key, item) for key, item in found if after is None or key > after]
        page = rest[:limit]
        return [item for _, item in page], page[-1][0] if len(rest) > limit else None
