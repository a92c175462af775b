"""Types of payments: what a client passes to a channel, and what a channel says."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from cardstock.ids import derived_id
from cardstock.money import Fen
from cardstock.orders.agreement_model import AgreementNotice


class PaymentParameters(msgspec.Struct, frozen=True):
    """What a client needs to have an order paid: a page of the channel, or parameters for the platform's pay call."""

    channel: str
    order_no: str
    amount_fen: Fen
    currency: str
    pay_url: str = ""
    """The channel's page; empty where the platform's own pay call takes `parameters`."""
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
    """The fields of the platform's pay call, to be passed on unchanged."""
    open_until: datetime | None = None
    """Until when they may be used, where the platform has no closing; None: closing the order ends them."""


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
    gave_back: bool = False
    """Whether the channel has given back some of it or all, at whoever's request."""
    instalments: int = 1
    """In how many parts the buyer pays the channel, as it states; 1: at once. The brand has received the whole."""


class InstalmentOffer(msgspec.Struct, frozen=True):
    """In how many parts a channel lets buyers pay an order of `least_fen` or more. The channel pays the brand at once,
    and what a refund gives back goes the way it was paid."""

    numbers: tuple[int, ...]
    least_fen: Fen

    def for_amount(self, amount: Fen) -> tuple[int, ...]:
        """The numbers for an order of `amount` fen; none below the least."""
        return self.numbers if amount >= self.least_fen else ()


class RefundNotice(msgspec.Struct, frozen=True):
    """A refund reported by its channel: authentic, but not yet compared with ours. `must_act`: it waits until the
    merchant has acted."""

    channel: str
    order_no: str
    refund_no: str
    transaction_no: str
    status: Literal["succeeded", "refused", "must_act"]
    amount_fen: Fen | None
    """What this refund gave back; None where the channel does not tell it from earlier ones."""
    reason: str = ""
    asked: bool = False
    """Whether the buyer asked the channel for it, and not us."""


class RefundAsked(msgspec.Struct, frozen=True):
    """A refund that a buyer, or the channel's own service, asks for at the channel: authentic, not compared yet.

    Nothing has moved. Where it `needs_audit` the channel waits for the merchant to agree or to deny until `decide_by`,
    and agrees itself then.
    """

    channel: str
    order_no: str
    asked_no: str
    """The channel's number for it."""
    transaction_no: str
    amount_fen: Fen
    currency: str
    needs_audit: bool
    decide_by: datetime
    reason: str = ""

    @property
    def refund_id(self) -> str:
        """The id of its refund here: the same for every repeat."""
        return derived_id("rfd", self.channel, self.asked_no)


class ClosedNotice(msgspec.Struct, frozen=True):
    """An order that its channel has ended unpaid: it takes no money for it any more."""

    channel: str
    order_no: str
    by_buyer: bool
    """Whether the buyer ended it, or its time."""


RefundProgress: TypeAlias = Literal["succeeded", "processing", "none"]
"""How a refund stands at its channel."""
Notice: TypeAlias = PaymentNotice | RefundNotice | RefundAsked | ClosedNotice | AgreementNotice


Closing: TypeAlias = Literal["open", "closed"]
"""Whether a channel may still take money for an order that is not paid. A channel that does not know says neither."""
