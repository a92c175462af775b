"""Payment agreements as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import Currency, Fen, Moment, OrderId
from cardstock.edge.http import Model
from cardstock.money import CURRENCY, MAX_FEN
from cardstock.orders import agreement_model, agreements
from cardstock.orders.schemas import moment_or_none

AgreementId = Annotated[
    str,
    Meta(
        description="Opaque id of a payment agreement; starts with `agr_`.",
        examples=["agr_01kbdxdh50fcazdjhcnqh2rzv5"],
    ),
]
_MOST = "The most for one charge, in fen."
_MOST_OF_A_DAY = "The most for a day (Asia/Shanghai), in fen."


class AskAgreement(Model):
    """What the member lets the channel pay this shop."""

    channel: Annotated[
        str,
        Meta(min_length=1, max_length=16, examples=["sandbox"], description="Channel of `GET /v1/payment-channels`."),
    ]
    charge_fen: Annotated[int, Meta(ge=1, le=MAX_FEN, description=_MOST, examples=[10_000])]
    day_fen: Annotated[int, Meta(ge=1, le=MAX_FEN, description=_MOST_OF_A_DAY, examples=[30_000])]


class AgreementView(Model):
    """A payment agreement."""

    agreement_id: AgreementId
    channel: Annotated[str, Meta(description="Payment channel.", examples=["sandbox"])]
    app: Annotated[str, Meta(description="App in which it is used.", examples=["wechat:wx123"])]
    status: Annotated[
        agreement_model.AgreementStatus,
        Meta(
            description="`asked`: not signed yet. `active`. `ending`: ended here, and the channel has not said that it "
            "has ended it: call again. `ended`.",
            examples=["active"],
        ),
    ]
    charge_fen: Annotated[Fen, Meta(description=_MOST)]
    day_fen: Annotated[Fen, Meta(description=_MOST_OF_A_DAY)]
    currency: Currency
    asked_at: Annotated[Moment, Meta(description="When it was asked for.")]
    ends_at: Annotated[Moment, Meta(description="When it ends at the latest.")]
    signed_at: Annotated[Moment | None, Meta(description="When the shop learnt that it was signed; null before.")]
    ended_at: Annotated[Moment | None, Meta(description="When the shop learnt that it had ended; null before.")]
    ended_by: Annotated[
        agreement_model.EndedBy | None, Meta(description="The member here, or the channel; null before.")
    ]

    @classmethod
    def of(cls, found: agreement_model.Agreement, now: datetime) -> Self:
        """An agreement; one whose last day is over has `ended`."""
        over = found.status in ("asked", "active") and now >= found.ends_at
        return cls(
            agreement_id=found.agreement_id,
            channel=found.channel,
            app=found.app,
            status="ended" if over else found.status,
            charge_fen=found.charge_fen,
            day_fen=found.day_fen,
            currency=CURRENCY,
            asked_at=rfc3339(found.asked_at),
            ends_at=rfc3339(found.ends_at),
            signed_at=moment_or_none(found.signed_at),
            ended_at=moment_or_none(found.ended_at),
            ended_by=found.ended_by,
        )


class AgreementToSign(Model):
    """An agreement, and what its channel needs to have it signed."""

    agreement: Annotated[AgreementView, Meta(description="What is to be signed; `asked` until then.")]
    sign_url: Annotated[
        str,
        Meta(
            description="Page of the channel where the member signs; empty where the platform's call shows it.",
            examples=["https://pay.example.com/agreements/agr_01kbdxdh50fcazdjhcnqh2rzv5"],
        ),
    ]
    parameters: Annotated[
        dict[str, str],
        Meta(description="What the platform's signing call takes, to be passed on unchanged.", examples=[{}]),
    ]

    @classmethod
    def of(cls, found: agreement_model.Agreement, signing: agreement_model.SigningParameters, now: datetime) -> Self:
        """An agreement to be signed."""
        return cls(AgreementView.of(found, now), signing.sign_url, signing.parameters)


class AgreementList(Model):
    """The member's agreements."""

    items: Annotated[list[AgreementView], Meta(description="Agreements, oldest first.")]

    @classmethod
    def of(cls, found: Sequence[agreement_model.Agreement], now: datetime) -> Self:
        """Agreements."""
        return cls([AgreementView.of(each, now) for each in found])


class ChargeOrder(Model):
    """The agreement under which the order is paid."""

    agreement_id: AgreementId


class ChargeView(Model):
    """An order after its charge."""

    order_id: OrderId
    status: Annotated[
        Literal["paid", "open"],
        Meta(description="`open`: its channel works on it; the order is paid when it says so.", examples=["paid"]),
    ]

    @classmethod
    def of(cls, charged: agreements.Charged) -> Self:
        """What became of a charge."""
        return cls(charged.order_id, charged.status)
