"""Quotes and attributions as signed tokens."""

from cardstock.attribution import Attribution, open_attribution
from cardstock.edge import errors as edge_errors
from cardstock.edge.tokens import Signer
from cardstock.errors import Pointer, UnauthorizedError
from cardstock.orders import errors as orders_errors
from cardstock.orders.compact import pack_quote, unpack_quote
from cardstock.orders.model import QUOTE_LIFETIME, Quote

QUOTE = "quote"


def sign_quote(signer: Signer, quote: Quote) -> str:
    """The token of `quote`."""
    return signer.sign(QUOTE, pack_quote(quote), lifetime=QUOTE_LIFETIME)


def open_quote(signer: Signer, token: str, member_id: str) -> Quote | None:
    """The quote that was made for this member; None when it has expired. Raises `InvalidError` QUOTE_INVALID."""
    try:
        claims = signer.open(QUOTE, token)
    except UnauthorizedError as error:
        if error.refusal is edge_errors.TOKEN_EXPIRED:
            return None
        raise orders_errors.QUOTE_INVALID(pointers=(Pointer("/quote", "QUOTE_INVALID"),)) from error
    if claims["m"] != member_id:
        raise orders_errors.QUOTE_INVALID(pointers=(Pointer("/quote", "QUOTE_INVALID"),))
    return unpack_quote(claims)


def attribution_of(signer: Signer, token: str | None) -> Attribution | None:
    """The card view that a token vouches for; None without one, and when it has expired.

    Raises `InvalidError` ATTRIBUTION_INVALID for a token that is not ours.
    """
    if token is None:
        return None
    try:
        return open_attribution(signer, token)
    except UnauthorizedError as error:
        if error.refusal is edge_errors.TOKEN_EXPIRED:
            return None
        pointers = (Pointer("/attribution", "ATTRIBUTION_INVALID"),)
        raise orders_errors.ATTRIBUTION_INVALID(pointers=pointers) from error
