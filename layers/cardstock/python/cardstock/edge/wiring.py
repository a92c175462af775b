"""Factories of the edge area, each lazy: a function imports and pays for what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment
from cardstock.clock import process_clock

if TYPE_CHECKING:
    from cardstock.edge.tokens import Signer


@cache
def signer() -> "Signer":
    """Signs and reads access tokens, quotes, view tickets and cursors."""
    from cardstock.edge.secrets import secret
    from cardstock.edge.tokens import Signer

    def keys() -> list[str]:
        stored = secret(environment.text("SESSION_SECRET_ID"))
        return [stored["key"], *stored["previous"]]

    return Signer(keys=keys, clock=process_clock)
