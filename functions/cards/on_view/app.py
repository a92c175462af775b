"""Queue: counts views of cards, a batch at a time: one read for all cards, one write per card."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated

import msgspec

from cardstock.aws.tables import connect
from cardstock.cards import service, wiring
from cardstock.cards.model import View
from cardstock.clock import from_epoch_ms, process_clock
from cardstock.edge import queue
from cardstock.edge.observability import count, logger

Key = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-z]{10,12}$")]


class Viewed(msgspec.Struct, forbid_unknown_fields=True):
    """A message of the card-views queue."""

    view: Key
    card: Key
    share: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-z]{10})?$")]
    visitor: Annotated[str, msgspec.Meta(pattern=r"^(mem_[0-9a-hjkmnp-tv-z]{26})?$")]
    scene: Annotated[str, msgspec.Meta(pattern=r"^([a-z0-9_-]{1,16})?$")]
    seconds: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None
    at: Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000)]


def consume(messages: Sequence[tuple[str, bytes]]) -> list[str]:
    """Count the views; the ids of the messages that could not be read or whose card could not be written."""
    now = process_clock().now()
    failed, views, by_card = [], [], defaultdict(list)
    for message_id, body in messages:
        try:
            viewed = queue.decode(Viewed, body)
        except (msgspec.DecodeError, UnicodeError) as error:
            logger.error("message failed", message_id=message_id, error=str(error))
            failed.append(message_id)
            continue
        # A report from the future would stay the latest one for ever.
        at = min(from_epoch_ms(viewed.at), now)
        views.append(View(viewed.view, viewed.card, viewed.share, viewed.visitor, viewed.scene, viewed.seconds, at))
        by_card[viewed.card].append(message_id)
    unwritten = service.count_views(views, radars=wiring.radars())
    count("CardViews", len(views))
    return failed + [message_id for card in unwritten for message_id in by_card[card]]


handler = queue.together(consume)
connect()
