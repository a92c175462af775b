"""Where a list goes on: an opaque, signed word that is good for one list of one owner and nothing else."""

from cardstock.edge.tokens import Signer
from cardstock.errors import InvalidError, UnauthorizedError


def cursor_to(signer: Signer, of: str, last: str | None) -> str | None:
    """The cursor that continues the list `of` (`cards:mem_...`) after `last`; `None` at the list's end."""
    return None if last is None else signer.sign(f"cursor:{of}", {"after": last})


def position_of(signer: Signer, of: str, cursor: str | None) -> str | None:
    """After what the list `of` continues. Raises `InvalidError` (CURSOR_INVALID) for any other list's cursor."""
    if cursor is None:
        return None
    try:
        return str(signer.open(f"cursor:{of}", cursor)["after"])
    except UnauthorizedError as error:
        raise InvalidError("CURSOR_INVALID") from error
