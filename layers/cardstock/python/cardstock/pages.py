"""Pages of those items of a list that fit a filter."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, TypeVar

Item = TypeVar("Item")
Read: TypeAlias = Callable[[int, str | None], tuple[Sequence[Item], str | None]]

READ_AT_ONCE: Final = 100
"""Most items that a filtered page looks at."""


def fitting_page(
    read: Read[Item], fits: Callable[[Item], bool] | None, id_of: Callable[[Item], str], limit: int, after: str | None
) -> tuple[Sequence[Item], str | None]:
    """A page of the items that `fits`, and the id after which the next one starts; None at the end.

    Without a filter it is a page of `read`. With one it looks at the next `READ_AT_ONCE` items and no others: so it
    costs the same whatever fits, and may hold fewer than `limit` items, or none, though others follow.
    """
    if fits is None:
        return read(limit, after)
    found, last = read(READ_AT_ONCE, after)
    chosen = [item for item in found if fits(item)]
    return chosen[:limit], id_of(chosen[limit - 1]) if len(chosen) > limit else last
