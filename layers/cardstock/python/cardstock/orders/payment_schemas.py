"""Payments as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from cardstock.edge.fields import (
    Currency,
    Fen,
    OrderId,
)
from cardstock.edge.http import Model
from cardstock.orders import payment_model


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


class PaymentView(Model):
    """The parameters of the channel's pay call."""

    channel: Annotated[str, Meta(description="The buyer's payment channel.", examples=["sandbox"])]
    order_no: Annotated[OrderId, Meta(description="The channel's number for the order.")]
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
            "`package`, `signType` and `paySign` for `wx.requestPayment`, `tradeNO` for `my.tradePay`. Empty where "
            "there is a `pay_url`.",
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
