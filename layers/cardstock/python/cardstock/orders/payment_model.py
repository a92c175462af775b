"""Types of payments: what a client passes to a channel, and what a channel says."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from cardstock.money import Fen


class PaymentParameters(msgspec.Struct, frozen=True):
    """What a client passes to the channel's pay call."""

    channel: str
    order_no: str
    amount_fen: Fen
    currency: str
    pay_url: str


class PaymentNotice(msgspec.Struct, frozen=True):
    """A payment reported by its channel: authentic, but not yet compared with the order."""

    channel: str
    order_no: str
    transaction_no: str
    amount_fen: Fen
    currency: str
    paid_at: datetime
    payer: str = ""
    """The payer's id at the channel; `platform:app:openid` if members log in with that platform."""
    device: str = ""
    """The device used for the payment, if the channel reports one."""


Closing: TypeAlias = Literal["open", "closed"]
"""Whether a channel may still take money for an order that is not paid. A channel that does not know says neither."""
