"""Quotes as they are answered, with their tokens."""

from collections.abc import Callable

from cardstock import clock
from cardstock.orders.model import Quote, Receiver
from cardstock.orders.placement import QuoteNeeds, make_fresh_quote
from cardstock.orders.schemas import QuoteView
from cardstock.orders.tokens import sign_quote
from cardstock.signing import Signer


def offer(signer: Signer, quote: Quote) -> QuoteView:
    """A quote for its member."""
    return QuoteView.of(quote, at=clock.now(), token=sign_quote(signer, quote))


def requote(
    signer: Callable[[], Signer], needs: Callable[[], QuoteNeeds], quote: Quote | None, receiver: Receiver
) -> QuoteView | None:
    """The offer in place of a quote that holds no more, sent where the receiver is; None if nothing is left of it."""
    fresh = quote and make_fresh_quote(needs(), quote, receiver.region or quote.region)
    return None if fresh is None else offer(signer(), fresh)
