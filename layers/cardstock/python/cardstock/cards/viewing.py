"""Showing cards to visitors, and reporting their views."""

from cardstock.cards.model import DEFAULT, KEY, SHARE_KEY_LETTERS, OpenedCard, View
from cardstock.cards.ports import Cards, Views
from cardstock.errors import NOT_FOUND


def open_card(key: str, *, cards: Cards) -> OpenedCard:
    """The card for a visitor with `key`, a card's own or a share key.

    A share key shows the face of its audience while the card has one, else the default face. One read, two by a share
    key. Raises `NotFoundError`.
    """
    if not KEY.fullmatch(key):
        raise NOT_FOUND()
    if len(key) != SHARE_KEY_LETTERS:
        card = cards.find_card(key)
        if card is None:
            raise NOT_FOUND()
        return OpenedCard(card, DEFAULT, share="")
    share = cards.find_share(key)
    card = cards.find_card(share.card) if share else None
    if share is None or card is None:
        raise NOT_FOUND()
    return OpenedCard(card, share.audience if share.audience in card.faces else DEFAULT, share=key)


def report_view(view: View, owner_id: str, *, views: Views) -> None:
    """Queue `view` for counting. The owner's own views are not counted.

    Raises `UnavailableError`; the visitor's client then reports it again.
    """
    if view.visitor != owner_id:
        views.report_view(view)
