"""What the open items area needs from outside."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from cardstock.approving import UseOnce
from cardstock.open_items.model import ConfirmedItem, Kind, OpenItem, State


class OpenItems(Protocol):
    """Stored items. Nothing is ever deleted."""

    def add_item(self, item: OpenItem) -> bool:
        """Store a new item; False, and nothing is stored, if its id is known."""

    def find_item(self, item_id: str) -> OpenItem | None:
        """The item as it is now, if it exists; one call."""

    def save_item(self, item: OpenItem, use: UseOnce | None = None) -> bool:
        """Replace the item whose version is lower by one; False if it has changed."""

    def save_with(self, changed: OpenItem | ConfirmedItem, step: Any, opened: OpenItem | None) -> bool:
        """Replace an item together with a step of another area, and open another one; all of it or nothing. False if
        the item has changed, or the step's own conditions fail."""

    def items_of_kind(self, kind: Kind) -> Iterator[OpenItem]:
        """All items of a kind, cleared ones too, as they are now, in no order."""

    def list_items(
        self, state: State, kind: Kind | None, limit: int, after: str | None
    ) -> tuple[Sequence[OpenItem], str | None]:
        """A page of the items of a state, oldest first, and after which position there are more. May miss the changes
        of the last second."""
