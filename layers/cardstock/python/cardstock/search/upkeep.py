"""The upkeep of the stored index: changes are merged into it, and none is lost when two are at it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.errors import STORE_BUSY, NotFoundError
from cardstock.search.index import build, merged
from cardstock.search.index_model import MOST_PRODUCTS, Contents
from cardstock.search.model import Entry
from cardstock.search.ports import StoredIndex

_ATTEMPTS: Final = 5
Outcome: TypeAlias = Literal["merged", "rebuilt", "same"]


class Changes(msgspec.Struct, frozen=True):
    """What products have become: entries of those that buyers may see, and the versions of the others."""

    entries: Sequence[Entry]
    gone: Mapping[str, int] = {}


def apply_changes(
    read: Callable[[], Changes], at: datetime, *, every_entry: Callable[[], Iterable[Entry]], stored: StoredIndex
) -> Outcome:
    """Merge changes into the stored index. Safe to repeat.

    `read` reads the products consistently, after the index: so whoever stores an index knows at least what those knew
    who stored one before, and no older state of a product comes back. Without an index, or with one of another form, it
    is built of `every_entry`. Two calls beside those of `read`, and all again for each index that came between. Raises
    `UnavailableError` STORE_BUSY when others kept coming between.
    """
    for _ in range(_ATTEMPTS):
        old, tag = _read(stored)
        outcome: Outcome = "rebuilt"
        if old is None:
            made = build(every_entry(), at)
        else:
            changes = read()
            made, outcome = merged(old, changes.entries, changes.gone, at), "merged"
            if (made.rows, made.values, made.gone) == (old.rows, old.values, old.gone):
                return "same"
        if stored.replace(_bounded(made), tag):
            return outcome
    raise STORE_BUSY()


def rebuild(at: datetime, *, every_entry: Callable[[], Iterable[Entry]], stored: StoredIndex) -> int:
    """Replace the stored index by one of all products: how many there are. Safe to repeat.

    The products are read after the index, so that a change that comes meanwhile makes another attempt.
    """
    for _ in range(_ATTEMPTS):
        _, tag = _read(stored)
        made = _bounded(build(every_entry(), at))
        if stored.replace(made, tag):
            return len(made.rows)
    raise STORE_BUSY()


def _read(stored: StoredIndex) -> tuple[Contents | None, str | None]:
    try:
        found = stored.read_newer(None)
    except NotFoundError:
        return None, None
    return found or (None, None)


def _bounded(contents: Contents) -> Contents:
    if len(contents.rows) > MOST_PRODUCTS:
        raise ValueError(f"{len(contents.rows)} products: more than an index may have")
    return contents
