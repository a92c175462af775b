"""The message of the card-views queue: one type for the function that reports a view and the one that counts it.

Not in `schemas.py`, because the queue function would import the HTTP edge, which takes a tenth of a second.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from cardstock.cards.model import View
from cardstock.clock import from_epoch_ms, to_epoch_ms

Key = Annotated[str, Meta(pattern=r"^[0-9a-z]{10,12}\Z")]


class CardViewed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A report of a view. `at` is in epoch milliseconds."""

    view: Key
    card: Key
    share: Annotated[str, Meta(pattern=r"^([0-9a-z]{10})?\Z")]
    visitor: Annotated[str, Meta(pattern=r"^(mem_[0-9a-hjkmnp-tv-z]{26})?\Z")]
    scene: Annotated[str, Meta(pattern=r"^([a-z0-9_-]{1,16})?\Z")]
    seconds: Annotated[int, Meta(ge=0, le=86_400)] | None
    at: Annotated[int, Meta(ge=0, le=4_102_444_800_000)]

    @classmethod
    def of(cls, view: View) -> "CardViewed":
        """The message that reports `view`."""
        return cls(view.id, view.card, view.share, view.visitor, view.scene, view.seconds, to_epoch_ms(view.at))

    def to_view(self, now: datetime) -> View:
        """The reported view. A time in the future is replaced by `now`, or it would stay the latest one for ever."""
        at = min(from_epoch_ms(self.at), now)
        return View(self.view, self.card, self.share, self.visitor, self.scene, self.seconds, at)
