"""A member's place in the network, as the member sees it."""

import msgspec

from cardstock.money import Fen
from cardstock.network.model import Position


class Place(msgspec.Struct, frozen=True):
    """A member's position, and the coupon that the member may use now: its id and what it takes off an order."""

    position: Position
    coupon_id: str | None = None
    coupon_fen: Fen | None = None
