"""Refunds as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import asdict

from cardstock.clock import rfc3339
from cardstock.edge.fields import (
    ArticleNumber,
    Currency,
    Fen,
    Moment,
    OrderId,
    PersonId,
    RefundId,
)
from cardstock.edge.http import SAID, Model
from cardstock.money import CURRENCY, MAX_FEN
from cardstock.orders import model, refund_model
from cardstock.orders.schemas import Lines, moment_or_none, requested_units


def _reason(example: str, reader: str) -> Meta:
    return Meta(
        min_length=1, max_length=200, pattern=SAID, examples=[example], description=f"Reason; {reader} can read it."
    )


class AskRefund(Model):
    """The units to be refunded, and why."""

    reason: Annotated[str, _reason("arrived broken", "staff")]
    lines: Lines

    def units(self) -> list[model.RequestedUnits]:
        """The lines as `RequestedUnits`."""
        return requested_units(self.lines)


class AcceptReturn(Model):
    """The units that staff take back, and why."""

    reason: Annotated[str, _reason("arrived broken, came back", "the buyer")]
    lines: Lines

    def units(self) -> list[model.RequestedUnits]:
        """The lines as `RequestedUnits`."""
        return requested_units(self.lines)


class GrantRefund(Model):
    """The amount of a goodwill refund, and its reason, which the buyer can read."""

    reason: Annotated[str, _reason("came two weeks late", "the buyer")]
    amount_fen: Annotated[
        int,
        Meta(ge=1, le=MAX_FEN, examples=[19900], description="Fen to refund, at most what is left of the order."),
    ]
    second_person: Annotated[
        bool,
        Meta(
            description="Whether to ask for a second person if it is more than one person may give (`GOODWILL_LIMIT`).",
            examples=[False],
        ),
    ] = False


class RefundLineView(Model):
    """Units of one line and this refund's part of what was paid for it. A goodwill refund has no units."""

    line_no: Annotated[int, Meta(description="Place of the line in the order, from 1.", examples=[1])]
    sku: ArticleNumber
    units: Annotated[int, Meta(description="Returned units; 0 in a goodwill refund.", examples=[1])]
    amount_fen: Annotated[Fen, Meta(description="Refunded fen of the line.", examples=[25_500])]

    @classmethod
    def of(cls, line: refund_model.RefundLine) -> Self:
        """One line of a refund."""
        return cls(line.line_no, line.sku, line.units, line.amount_fen)


class RequestedRefund(Model):
    """A refund that was accepted; the money follows."""

    refund_id: RefundId
    order_id: OrderId
    amount_fen: Annotated[Fen, Meta(description="Refunded fen, including freight.", examples=[25_500])]
    freight_fen: Annotated[
        int,
        Meta(examples=[0], description="Freight in it: the whole freight with the last unit, if nothing was sent."),
    ]
    currency: Currency
    lines: Annotated[list[RefundLineView], Meta(description="Each line's part of it.")]
    reason: Annotated[str, Meta(description="Why it was asked for.", examples=["arrived broken"])]
    requested_at: Annotated[Moment, Meta(description="When it was asked for.")]
    open_item_id: Annotated[
        str | UnsetType,
        Meta(
            description="Open item that another person must clear as `granted` before anything is refunded; `lines` is "
            "empty then. Absent: nobody has to.",
            examples=["oit_01kbdxdh50fcazdjhcnqh2rzv5"],
        ),
    ] = UNSET

    @classmethod
    def of_goodwill(cls, made: refund_model.Refund | refund_model.AskedGoodwill) -> RequestedRefund:
        """A goodwill refund as it was requested, or as it was asked for."""
        if isinstance(made, refund_model.Refund):
            return RequestedRefund.of(made)
        return RequestedRefund(
            made.refund_id, made.order_id, made.amount_fen, 0, CURRENCY, [], made.reason, rfc3339(made.asked_at),
            made.item_id,
        )  # fmt: skip

    @classmethod
    def of(cls, refund: refund_model.Refund) -> RequestedRefund:
        """A refund as it was requested, without later changes, so that a repeat gets the same answer."""
        return RequestedRefund(
            refund_id=refund.refund_id,
            order_id=refund.order_id,
            amount_fen=refund.amount_fen,
            freight_fen=refund.freight_fen,
            currency=CURRENCY,
            lines=[RefundLineView.of(line) for line in refund.lines],
            reason=refund.reason,
            requested_at=rfc3339(refund.requested_at),
        )


class RefundView(RequestedRefund, kw_only=True):
    """A refund and its status."""

    kind: Annotated[
        Literal["return", "stray"],
        Meta(description="`return` of a paid order, or `stray`: a payment for an order that was not waiting for one."),
    ]
    goodwill: Annotated[bool, Meta(description="Whether it is a goodwill refund, without units.")]
    granted_by: Annotated[
        PersonId | None,
        Meta(
            description="Person who decided it (goodwill, or a return of sent units), for staff only; otherwise null."
        ),
    ]
    asked_by: Annotated[
        PersonId | None,
        Meta(
            description="Person who asked for goodwill that another person had to grant, for staff only; otherwise "
            "null."
        ),
    ]
    status: Annotated[
        refund_model.RefundStatus,
        Meta(
            description="Whether the money was refunded. `refused`: the channel will never do it, and the shop's staff "
            "decide. `given_up`: they have; its units and fen can be refunded anew."
        ),
    ]
    succeeded_at: Annotated[Moment | None, Meta(description="When the money was refunded; null before.")]
    paid_another_way: Annotated[
        bool, Meta(description="Whether the buyer got the money outside of the payment channel.")
    ]
    refused_at: Annotated[Moment | None, Meta(description="When the channel refused it for good; null otherwise.")]
    given_up_at: Annotated[Moment | None, Meta(description="When it was given up; null otherwise.")]

    @classmethod
    def of(cls, refund: refund_model.Refund, *, for_staff: bool = False) -> RefundView:
        """A refund for the buyer; staff also see who granted it, and who asked for it."""
        return RefundView(
            **asdict(RequestedRefund.of(refund)),
            kind="return" if refund.part_of_order else "stray",
            goodwill=refund.kind == "goodwill",
            granted_by=(refund.granted_by or None) if for_staff else None,
            asked_by=(refund.asked_by or None) if for_staff else None,
            status=refund.status,
            succeeded_at=moment_or_none(refund.succeeded_at),
            paid_another_way=refund.paid_another_way,
            refused_at=moment_or_none(refund.refused_at),
            given_up_at=moment_or_none(refund.given_up_at),
        )


class RefundList(Model):
    """All refunds of an order, oldest first."""

    items: Annotated[list[RefundView], Meta(description="Refunds, oldest first.")]

    @classmethod
    def of(cls, refunds: Sequence[refund_model.Refund], *, for_staff: bool) -> Self:
        """The refunds of an order."""
        return cls([RefundView.of(refund, for_staff=for_staff) for refund in refunds])
