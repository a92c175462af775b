"""What is left to be erased of closed accounts."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from cardstock.marks import Marker
from cardstock.retention import TEN_YEARS, THREE_YEARS

ERASURE_WAITS: Final = timedelta(hours=1)
"""From the closing to the erasure: tokens end, and indexes have everything by then."""
FORMER_KEPT: Final = THREE_YEARS
"""How long it is kept whose an account, a union id or a number was."""
NEAR: Final = timedelta(days=60)
"""An erasure that goes on later than that is looked up by its year, so that it costs nothing every night."""


class Erasure(msgspec.Struct, frozen=True):
    """The erasure of one closed account. It stays until nothing is left to be erased."""

    member_id: str
    closed_at: datetime
    next_at: datetime
    """When something can be erased again."""

    @property
    def name_until(self) -> datetime:
        """Until when a verified name is kept if anything was paid out to the member."""
        return self.closed_at + TEN_YEARS


def former_key(key: str, marker: Marker) -> str:
    """Under which it is stored whose the account, union id or telephone number of this key was before it was closed."""
    return f"former#{marker.of('phone' if key.startswith('phone#') else 'account', key)}"


def first_erasure(member_id: str, closed_at: datetime) -> Erasure:
    """The erasure that a closing leaves."""
    return Erasure(member_id, closed_at, closed_at + ERASURE_WAITS)
