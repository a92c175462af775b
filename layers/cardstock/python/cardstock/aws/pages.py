"""A page of a list: one read tells what is on it, and whether anything follows."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

Item = TypeVar("Item")


def read_page(
    read: Callable[..., Iterable[Item]], *of: Any, limit: int, start: Mapping[str, str] | None, **how: Any
) -> tuple[list[Item], Item | None]:
    """Up to `limit` items that `read` finds behind the key `start`, and the last of them if others follow it.

    One item more than is asked for is read, so that the page that ends the list says so: nobody turns to an empty one.
    """
    key = None if start is None else {name: {"S": value} for name, value in start.items()}
    items = list(read(*of, limit=limit + 1, page_size=limit + 1, last_evaluated_key=key, **how))
    return items[:limit], items[limit - 1] if len(items) > limit else None
