"""Members' places in the referral network, as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import MemberId, Moment
from cardstock.edge.http import Model

if TYPE_CHECKING:
    from cardstock.network.model import Place


class Distribution(Model):
    """The member's place in the referral network."""

    member_id: MemberId
    role: Annotated[
        Literal["member", "distributor", "partner"],
        Meta(description="Role in the network: `distributor` by a qualifying purchase, `partner` by promotion."),
    ]
    appointed: Annotated[bool, Meta(description="Whether an operator made the member a partner, whom no rule demotes.")]
    referrer: Annotated[MemberId | None, Meta(description="Member who brought this one; null if there is none.")]
    bound_at: Annotated[Moment | None, Meta(description="When the referrer was bound; null without one.")]
    owner: Annotated[
        MemberId | None, Meta(description="Partner whose team the member belongs to; null if there is none.")
    ]
    peer: Annotated[
        MemberId | None,
        Meta(description="Partner whose team the member left on becoming a partner; null if there is none."),
    ]
    counted: Annotated[
        int, Meta(description="Number of direct referrals whose qualifying purchase counts now.", examples=[2])
    ]
    verified_referrals: Annotated[int, Meta(description="Number of direct referrals who are verified.", examples=[2])]
    unlocked: Annotated[
        bool, Meta(description="Whether the member's referrals have earned the coupon of a plan without cash.")
    ]
    coupon: (
        Annotated[
            str,
            Meta(
                description="Unused coupon, for a quote; null if there is none.",
                examples=["benefit.mem_01kbdxdh50.1"],
            ),
        ]
        | None
    )
    coupon_fen: Annotated[
        int | None,
        Meta(
            description="The most that it takes off the goods of an order, in fen; null without a coupon.",
            examples=[2000],
        ),
    ]

    @classmethod
    def of(cls, place: Place) -> Distribution:
        """A member's place for the member and for operators."""
        position = place.position
        return cls(
            member_id=position.id,
            role=position.role,
            appointed=position.standing == "appointed_partner",
            referrer=position.referrer,
            bound_at=rfc3339(position.bound_at) if position.bound_at else None,
            owner=position.owner,
            peer=position.peer,
            counted=position.counted,
            verified_referrals=position.verified_referrals,
            unlocked=position.coupon == "granted",
            coupon=place.coupon_id,
            coupon_fen=place.coupon_fen,
        )


class AppointPartner(Model):
    """Why an operator makes this member a partner."""

    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            examples=["Founding partner of the Hangzhou region"],
            description="Reason for the appointment; it stays on record.",
        ),
    ]
