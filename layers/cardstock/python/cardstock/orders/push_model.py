"""Types of pushes: what a platform tells a shop unasked about the trade that it manages."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec


class FundsPush(msgspec.Struct, frozen=True):
    """The money of a payment becomes the merchant's to use: `freed_at` says since when, `expected_at` when it should.

    It says nothing about who has received the goods.
    """

    channel: str
    order_no: str
    transaction_no: str
    expected_at: datetime | None
    freed_at: datetime | None


class ShippingPush(msgspec.Struct, frozen=True):
    """The platform waits for the report of what was sent for a payment."""

    channel: str
    order_no: str
    transaction_no: str
    text: str


class ManagedPush(msgspec.Struct, frozen=True):
    """The platform manages an app's trade, and no report of what was sent has come from it."""

    app_id: str
    text: str


class OtherPush(msgspec.Struct, frozen=True):
    """Something that is not needed here."""

    name: str


Push: TypeAlias = FundsPush | ShippingPush | ManagedPush | OtherPush
PushOutcome: TypeAlias = Literal["recorded", "reminded", "managed", "repeated", "unresolved", "other"]
