"""Factories of the cards area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment

if TYPE_CHECKING:
    from cardstock.cards.ports import Cards, Radars, Views


@cache
def cards() -> "Cards":
    """Cards and shares in DynamoDB."""
    from cardstock.cards.store import DynamoCards

    return DynamoCards()


@cache
def radars() -> "Radars":
    """The radars of cards in DynamoDB."""
    from cardstock.cards.store import DynamoRadars

    return DynamoRadars()


@cache
def views() -> "Views":
    """The queue of views to be counted."""
    from cardstock.aws.queues import Queue
    from cardstock.cards.views_queue import ViewsQueue

    return ViewsQueue(Queue(environment.text("CARD_VIEWS_QUEUE_URL")))
