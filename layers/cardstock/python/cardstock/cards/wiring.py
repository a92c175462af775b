"""Factories of the cards area, each lazy: a function imports and pays for what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment

if TYPE_CHECKING:
    from cardstock.cards.ports import Cards, Radars, Views


@cache
def cards() -> "Cards":
    """Cards in DynamoDB."""
    from cardstock.cards.store import DynamoCards

    return DynamoCards()


@cache
def radars() -> "Radars":
    """Views of cards added up, in DynamoDB."""
    from cardstock.cards.store import DynamoRadars

    return DynamoRadars()


@cache
def views() -> "Views":
    """Views of cards on their way to be counted, through the card-views queue."""
    from cardstock.aws.queues import Queue
    from cardstock.cards.queue import QueuedViews

    return QueuedViews(Queue(environment.text("CARD_VIEWS_QUEUE_URL")))


def qr_code(text: str) -> str:
    """A QR code of `text` as an SVG document that scales to its box."""
    from cardstock.cards.qr import svg_of

    return svg_of(text)
