"""Factories of the edge area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment

if TYPE_CHECKING:
    from cardstock.edge.tokens import Signer
    from cardstock.marks import Marker


@cache
def signer() -> "Signer":
    """Makes and opens access tokens, quotes, view tickets, attributions and cursors."""
    from cardstock.edge.tokens import Signer

    return Signer(keys=session_keys)


def session_keys() -> list[str]:
    """The server's own keys: the first one signs and seals, the previous ones still open."""
    from cardstock.edge.secrets import secret

    stored = secret(environment.text("SESSION_SECRET_ID"))
    return [stored["key"], *stored["previous"]]


@cache
def marker() -> "Marker":
    """Makes marks of payers, devices and closed accounts. Its key never changes: another one would recognise nobody."""
    from cardstock.edge.secrets import secret
    from cardstock.marks import Marker

    return Marker(lambda: str(secret(environment.text("MARKS_SECRET_ID"))["key"]))
