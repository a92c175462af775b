"""Views on their way to be counted: one message each in the card-views queue."""

import msgspec

from cardstock.aws.queues import Queue
from cardstock.cards.events import CardViewed
from cardstock.cards.model import View


class ViewsQueue:
    """`cards.ports.Views`."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def report_view(self, view: View) -> None:
        self._queue.send(msgspec.json.encode(CardViewed.of(view)).decode())
