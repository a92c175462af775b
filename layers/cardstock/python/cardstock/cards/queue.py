"""Views of cards on their way to be counted: one message each in the card-views queue."""

import json

from cardstock.aws.queues import Queue
from cardstock.cards.model import View
from cardstock.clock import to_epoch_ms


class QueuedViews:
    """`cards.ports.Views`."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def report(self, view: View) -> None:
        message = {
            "view": view.id,
            "card": view.card,
            "share": view.share,
            "visitor": view.visitor,
            "scene": view.scene,
            "seconds": view.seconds,
            "at": to_epoch_ms(view.at),
        }
        self._queue.send(json.dumps(message, separators=(",", ":")))
