"""Payments as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated, Self

from msgspec import Meta

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
