"""Cursors: opaque, signed positions in a list. A cursor is valid for one list of one owner only.

Every list is read the same way, by `(limit, after) -> (items, last)`: up to `limit` items after the position `after`,
and the position after which the next page begins; None at the end.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar, TypeVarTuple

from msgspec import Meta

from cardstock.edge import errors
from cardstock.edge.fields import SignedToken
from cardstock.edge.http import Model
from cardstock.edge.tokens import Signer
from cardstock.errors import UnauthorizedError

Item = TypeVar("Item")
Owner = TypeVarTuple("Owner")


class PageQuery(Model):
    """Which part of a list."""

    cursor: (
        Annotated[
            SignedToken,
            Meta(
                max_length=1024,
                description="`next_cursor` of the page before; absent: the first page.",
            ),
        ]
        | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=100, description="Largest number of items in a page.")] = 20


def read_page(
    signer: Signer,
    list_name: str,
    query: PageQuery,
    read: Callable[[*Owner, int, str | None], tuple[Sequence[Item], str | None]],
    *owner: *Owner,
) -> tuple[Sequence[Item], str | None]:
    """The page of the list `list_name` (`cards:mem_...`) that `query` asks for, and the next cursor; None at the end.

    `read` is called with `owner`, limit and position. Raises `InvalidError` (CURSOR_INVALID) for another list's cursor.
    """
    items, last = read(*owner, query.limit, _position_of(signer, list_name, query.cursor))
    return items, _cursor_to(signer, list_name, last)


def _cursor_to(signer: Signer, list_name: str, last: str | None) -> str | None:
    return None if last is None else signer.sign(f"cursor:{list_name}", {"after": last})


def _position_of(signer: Signer, list_name: str, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        return str(signer.open(f"cursor:{list_name}", cursor)["after"])
    except UnauthorizedError as error:
        raise errors.CURSOR_INVALID() from error
