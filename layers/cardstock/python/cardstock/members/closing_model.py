"""The request to close an account, which waits until the account can be closed."""

from datetime import datetime

import msgspec

from cardstock.money import Fen


class GiveUp(msgspec.Struct, frozen=True):
    """What the member gives up, in the member's words."""

    amount: Fen
    words: str


class ClosingRequest(msgspec.Struct, frozen=True):
    """A member wants the account closed since `asked_at`, as the last call says. It goes with the closing."""

    member_id: str
    asked_at: datetime
    give_up: GiveUp | None = None
