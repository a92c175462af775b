"""Payments as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from cardstock.edge.fields import (
    Currency,
    Fen,
)
from cardstock.edge.http import Model
from cardstock.money import MAX_FEN
from cardstock.orders import payment_model

if TYPE_CHECKING:
    from cardstock.orders.payment import Instalments


class StartPayment(Model):
    """The buyer's payment channel."""

    channel: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=16,
            examples=["sandbox"],
            description="The buyer's payment channel; `sandbox` on a development machine.",
        ),
    ]
    instalments: Annotated[
        int,
        Meta(
            ge=1,
            le=99,
            examples=[1],
            description="In how many parts the buyer pays the channel: 1, or a number that `GET /v1/payment-channels` "
            "answers for the amount. The order is paid in full at once.",
        ),
    ] = 1


class PaymentView(Model):
    """The parameters of the channel's pay call."""

    channel: Annotated[str, Meta(description="The buyer's payment channel.", examples=["sandbox"])]
    order_no: Annotated[
        str,
        Meta(
            description="The channel's number for this payment: the order's id, or that with `_2` to `_9` where the "
            "channel has closed one before.",
            examples=["ord_01kbdxdh50fcazdjhcnqh2rzv5"],
        ),
    ]
    amount_fen: Annotated[Fen, Meta(description="Fen to pay.")]
    currency: Currency
    pay_url: Annotated[
        str,
        Meta(
            examples=["https://pay.example.com/pay/ord_01kbdxdh50fcazdjhcnqh2rzv5"],
            description="Page of the channel where the buyer pays; empty where the platform's pay call shows it.",
        ),
    ]
    parameters: Annotated[
        dict[str, str],
        Meta(
            examples=[{}],
            description="What the platform's pay call takes, to be passed on unchanged: `timeStamp`, `nonceStr`, "
            "`package`, `signType` and `paySign` for `wx.requestPayment`, `tradeNO` for `my.tradePay`, `data` and "
            "`byteAuthorization` for `tt.requestOrder`. Empty where there is a `pay_url`.",
        ),
    ]

    @classmethod
    def of(cls, parameters: payment_model.PaymentParameters) -> Self:
        """A channel's parameters for an order."""
        return cls(
            parameters.channel,
            parameters.order_no,
            parameters.amount_fen,
            parameters.currency,
            parameters.pay_url,
            parameters.parameters,
        )


class ChannelQuery(Model):
    """For which amount."""

    amount_fen: Annotated[Fen, Meta(ge=1, le=MAX_FEN, description="What the order costs.")]


class ChannelView(Model):
    """A payment channel of the caller's app."""

    channel: Annotated[str, Meta(description="Name of the channel.", examples=["sandbox"])]
    instalments: Annotated[
        list[int],
        Meta(
            description="Numbers of instalments that it offers for the amount; empty: the buyer pays at once.",
            examples=[[3, 6, 12]],
        ),
    ]
    agreements: Annotated[
        bool, Meta(description="Whether members can sign payment agreements with it (`charges`).", examples=[True])
    ]


class ChannelList(Model):
    """The payment channels of the caller's app."""

    items: Annotated[list[ChannelView], Meta(description="Channels, each once.")]

    @classmethod
    def of(cls, names: Iterable[str], instalments: Instalments, agreeing: Collection[str], amount: int) -> Self:
        """The channels for an order of `amount` fen."""
        offers = {name: offering.offer.for_amount(amount) for name, offering in instalments.items()}
        return cls([ChannelView(name, list(offers.get(name, ())), name in agreeing) for name in names])


class NoticeTaken(Model):
    """The answer that the channel expects for a recorded notice."""

    code: Annotated[
        str, Meta(description="Always `SUCCESS`: the channel stops sending the notice.", examples=["SUCCESS"])
    ]


class DouyinPage(Model):
    """The page of an order in the mini-program."""

    path: Annotated[str, Meta(description="Its path, without a leading slash.", examples=["pages/order/detail"])]
    params: Annotated[
        str,
        Meta(description="Its parameters, a JSON text.", examples=['{"order_id":"ord_01kbdxdh50fcazdjhcnqh2rzv5"}']),
    ]


class AskedRefundTaken(Model):
    """What Douyin needs to know of a refund that a buyer asked it for."""

    out_refund_no: Annotated[
        str,
        Meta(
            description="The number of the refund here; the same for every repeat.",
            examples=["ord_01kbdxdh50fcazdjhcnqh2rzv5-a-rfd_01kbdxdh50fcazdjhcnqh2rzv5"],
        ),
    ]
    order_entry_schema: Annotated[DouyinPage, Meta(description="Where the buyer sees it.")]
    notify_url: Annotated[
        str,
        Meta(
            description="Where its end is reported.",
            examples=["https://api.example.com/v1/payments/douyin/notify"],
        ),
    ]


class CallbackTaken(Model):
    """The answer that Douyin expects for a recorded callback."""

    err_no: Annotated[int, Meta(description="Always 0: Douyin stops sending the callback.", examples=[0])]
    err_tips: Annotated[str, Meta(description="Always `success`.", examples=["success"])]
    data: Annotated[
        AskedRefundTaken | UnsetType, Meta(description="For a refund that a buyer asked Douyin for; else absent.")
    ] = UNSET
