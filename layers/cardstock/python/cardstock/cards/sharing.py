"""Sharing cards by share keys."""

from cardstock import clock
from cardstock.cards import errors
from cardstock.cards.editing import find_own_card
from cardstock.cards.model import SHARE_KEY_LETTERS, Share
from cardstock.cards.ports import Cards
from cardstock.errors import STORE_UNAVAILABLE, Pointer
from cardstock.ids import RequestKey, RequestResult, short_key


def share_card(
    key: str, owner_id: str, audience: str, label: str, request: RequestKey, *, cards: Cards
) -> RequestResult[Share]:
    """A new share of the member's card.

    Raises `NotFoundError`, and `InvalidError` (AUDIENCE_UNKNOWN) when the card has no face for `audience`.
    """
    card = find_own_card(key, owner_id, cards=cards)
    if audience not in card.faces:
        raise errors.AUDIENCE_UNKNOWN(pointers=(Pointer("/audience", "UNKNOWN"),))
    share = Share(short_key(SHARE_KEY_LETTERS), key, owner_id, audience, label, clock.now())
    earlier = cards.add_share(share, request)
    if earlier is None:
        return RequestResult(share, replayed=False)
    stored = cards.find_share(earlier)
    if stored is None:
        raise STORE_UNAVAILABLE()
    return RequestResult(stored, replayed=True)


def owner_of_key(key: str, *, cards: Cards) -> str | None:
    """The member behind `key`, a share key or the card's own. One read."""
    found = cards.find_share(key) if len(key) == SHARE_KEY_LETTERS else cards.find_card(key)
    return found.owner_id if found else None
