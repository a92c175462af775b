"""A page of a list, and whether others follow, by one read."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

Item = TypeVar("Item")


def read_page(
    read: Callable[..., Iterable[Item]], *of: Any, limit: int, start: Mapping[str, str] | None, **how: Any
) -> tuple[list[Item], Item | None]:
    """Up to `limit` items that `read` finds after the key `start`, and the last of them if others follow it.

    One more item than requested is read, so that the last page has no cursor to an empty one.
    """
    key = None if start is None else {name: {"S": value} for name, value in start.items()}
    items = list(read(*of, limit=limit + 1, page_size=limit + 1, last_evaluated_key=key, **how))
    return items[:limit], items[limit - 1] if len(items) > limit else None
