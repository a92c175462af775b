"""View tickets: signed proof that a card was shown.

A ticket, valid for two hours, comes with an opened card. The visitor's client sends it with each report of the view,
and gets the attribution of the ticket.
"""

from datetime import timedelta
from typing import Final

from msgspec.structs import asdict

from cardstock.attribution import Attribution
from cardstock.cards import errors
from cardstock.cards.model import OpenedCard
from cardstock.errors import TOKEN_EXPIRED, UnauthorizedError
from cardstock.ids import short_key
from cardstock.signing import Signer

LIFETIME: Final = timedelta(hours=2)
_PURPOSE: Final = "view"


def sign_ticket(signer: Signer, opened: OpenedCard) -> str:
    """A ticket for one view of the opened card."""
    view = Attribution(card=opened.card.key, share=opened.share, view=short_key(), guide=opened.card.owner_id)
    return signer.sign(_PURPOSE, asdict(view), lifetime=LIFETIME)


def open_ticket(signer: Signer, ticket: str) -> Attribution:
    """The attribution of the ticket's view. Raises `InvalidError` (TICKET_INVALID, TICKET_EXPIRED)."""
    try:
        return Attribution(**signer.open(_PURPOSE, ticket))
    except UnauthorizedError as error:
        raise (errors.TICKET_EXPIRED if error.code == TOKEN_EXPIRED.code else errors.TICKET_INVALID)() from error
