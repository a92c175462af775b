"""View tickets and attributions: signed proof that a card was shown, and of what follows from it.

A ticket (two hours) comes with a card and is handed back when it was looked at; an attribution (thirty days) is the
answer, and goes into the quotes of whoever looked.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from cardstock.cards.model import Shown
from cardstock.edge.tokens import Signer
from cardstock.ids import short_key

ATTRIBUTION: Final = "attribution"
"""Purpose of the token with the claims `card`, `share` (`""`: none), `view` and `guide`, the owner's member id."""
ATTRIBUTION_LIFETIME: Final = timedelta(days=30)
TICKET_LIFETIME: Final = timedelta(hours=2)
_TICKET: Final = "view"


def ticket_for(signer: Signer, shown: Shown) -> str:
    """A ticket for one look at what is shown."""
    claims = {"card": shown.card.key, "share": shown.share, "view": short_key(), "guide": shown.card.owner_id}
    return signer.sign(_TICKET, claims, lifetime=TICKET_LIFETIME)


def open_ticket(signer: Signer, ticket: str) -> dict[str, Any]:
    """The ticket's claims. Raises `UnauthorizedError` (TOKEN_INVALID, TOKEN_EXPIRED)."""
    return signer.open(_TICKET, ticket)


def attribution_of(signer: Signer, claims: Mapping[str, Any]) -> str:
    """The attribution that a ticket's claims earn."""
    return signer.sign(ATTRIBUTION, dict(claims), lifetime=ATTRIBUTION_LIFETIME)
