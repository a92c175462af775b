"""View tickets: signed proof that a card was shown.

A ticket, valid for two hours, comes with a card. Whoever looked at the card sends it back with the view, and gets the
attribution that the ticket's claims make.
"""

from datetime import timedelta
from typing import Final

from msgspec.structs import asdict

from cardstock.attribution import Attribution
from cardstock.cards.model import Shown
from cardstock.edge.tokens import Signer
from cardstock.ids import short_key

TICKET_LIFETIME: Final = timedelta(hours=2)
_TICKET: Final = "view"


def ticket_for(signer: Signer, shown: Shown) -> str:
    """A ticket for one look at what is shown."""
    view = Attribution(shown.card.key, shown.share, short_key(), shown.card.owner_id)
    return signer.sign(_TICKET, asdict(view), lifetime=TICKET_LIFETIME)


def open_ticket(signer: Signer, ticket: str) -> Attribution:
    """The view that the ticket is good for. Raises `UnauthorizedError` (TOKEN_INVALID, TOKEN_EXPIRED)."""
    return Attribution(**signer.open(_TICKET, ticket))
