"""Where a list goes on: an opaque, signed word that is good for one list of one owner and nothing else.

Every list is read the same way, by `(limit, after) -> (items, next)`: up to `limit` items behind the position `after`,
and the position behind which the next page starts; None at the end.
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
Whose = TypeVarTuple("Whose")


class PageQuery(Model):
    """Which part of a list."""

    cursor: (
        Annotated[
            SignedToken,
            Meta(
                max_length=1024,
                description="Where the list goes on: `next_cursor` of the page before. Absent: the first page.",
            ),
        ]
        | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=100, description="Most items of a page.")] = 20


def read_page(
    signer: Signer,
    of: str,
    query: PageQuery,
    read: Callable[[*Whose, int, str | None], tuple[Sequence[Item], str | None]],
    *whose: *Whose,
) -> tuple[Sequence[Item], str | None]:
    """The page of the list `of` (`cards:mem_...`) that is asked for, and the cursor to the next; None at the end.

    `whose`: what `read` takes before limit and position. Raises `InvalidError` (CURSOR_INVALID) for any other list's
    cursor.
    """
    items, last = read(*whose, query.limit, _position_of(signer, of, query.cursor))
    return items, _cursor_to(signer, of, last)


def _cursor_to(signer: Signer, of: str, last: str | None) -> str | None:
    """The cursor that continues the list `of` (`cards:mem_...`) after `last`; `None` at the list's end."""
    return None if last is None else signer.sign(f"cursor:{of}", {"after": last})


def _position_of(signer: Signer, of: str, cursor: str | None) -> str | None:
    """After what the list `of` continues. Raises `InvalidError` (CURSOR_INVALID) for any other list's cursor."""
    if cursor is None:
        return None
    try:
        return str(signer.open(f"cursor:{of}", cursor)["after"])
    except UnauthorizedError as error:
        raise errors.CURSOR_INVALID() from error
