"""Quotes as signed tokens, and the attribution token in a quote request."""

from typing import Final

import msgspec

from cardstock.attribution import Attribution, open_attribution
from cardstock.errors import TOKEN_EXPIRED, Pointer, UnauthorizedError
from cardstock.orders import errors
from cardstock.orders.model import QUOTE_LIFETIME, Quote
from cardstock.orders.packing import PackedQuote, pack_quote, unpack_quote
from cardstock.signing import Signer

_PURPOSE: Final = "quote"
_QUOTE: Final = "q"
"""The token's only claim besides its expiry: a `PackedQuote`."""


def sign_quote(signer: Signer, quote: Quote) -> str:
    """The token of `quote`, valid for fifteen minutes. Opaque to clients."""
    return signer.sign(_PURPOSE, {_QUOTE: msgspec.to_builtins(pack_quote(quote))}, lifetime=QUOTE_LIFETIME)


def open_quote(signer: Signer, token: str, member_id: str) -> Quote | None:
    """The quote for this member; None if it has expired. Raises `InvalidError` QUOTE_INVALID."""
    try:
        claims = signer.open(_PURPOSE, token)
    except UnauthorizedError as error:
        if error.refusal is TOKEN_EXPIRED:
            return None
        raise errors.QUOTE_INVALID(pointers=(Pointer("/quote", "QUOTE_INVALID"),)) from error
    try:
        quote = unpack_quote(msgspec.convert(claims[_QUOTE], PackedQuote))
    except (KeyError, msgspec.ValidationError) as error:  # signed by an earlier version of this code
        raise errors.QUOTE_INVALID(pointers=(Pointer("/quote", "QUOTE_INVALID"),)) from error
    if quote.member_id != member_id:
        raise errors.QUOTE_INVALID(pointers=(Pointer("/quote", "QUOTE_INVALID"),))
    return quote


def attribution_of(signer: Signer, token: str | None) -> Attribution | None:
    """The card view in a signed token; None without a token, and if it has expired.

    Raises `InvalidError` ATTRIBUTION_INVALID for a token that was not signed here.
    """
    if token is None:
        return None
    try:
        return open_attribution(signer, token)
    except UnauthorizedError as error:
        if error.refusal is TOKEN_EXPIRED:
            return None
        pointers = (Pointer("/attribution", "ATTRIBUTION_INVALID"),)
        raise errors.ATTRIBUTION_INVALID(pointers=pointers) from error
