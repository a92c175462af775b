"""Queue: counts views of cards in batches: one read for all cards, one write per card."""

from collections.abc import Sequence

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.cards import radar, wiring
from cardstock.cards.events import CardViewed
from cardstock.edge import queue
from cardstock.edge.observability import count
from cardstock.members.wiring import card_visitors


def count_views(messages: Sequence[tuple[str, bytes]]) -> list[str]:
    """The ids of unreadable messages, and of those whose card could not be written."""
    events, failed = queue.decode_each(CardViewed, messages)
    views = {message_id: event.to_view(clock.now()) for message_id, event in events.items()}
    unwritten = radar.count_views(views.values(), radars=wiring.radars(), visitors=card_visitors())
    count("CardViews", len(views))
    return failed + [message_id for message_id, view in views.items() if view.card in unwritten]


handler = queue.together(count_views)
connect()
