"""Held rewards, alarms and sales shares as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from datetime import date
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.compliance import errors
from cardstock.edge.fields import MemberId, Moment, NextCursor, OrderId, PersonId
from cardstock.edge.http import Model
from cardstock.errors import NOT_FOUND, QUERY_INVALID, REASON_MISSING, SECOND_PERSON_NEEDED, Pointer
from cardstock.law import OUTSIDE_FLOOR_BPS

if TYPE_CHECKING:
    from cardstock.compliance.model import Alarm, Hold, OutsideShare
    from cardstock.compliance.model import Lift as LiftRecord

LIFT_CODES: Final = (NOT_FOUND, REASON_MISSING)
ALARM_CODES: Final = (*LIFT_CODES, errors.ALARM_CHANGED, SECOND_PERSON_NEEDED)

# reason -> (zh-CN, en)
_REASONS: Final = {
    "same_payer": ("付款账户与他人订单或推广员相同", "the payer also paid for somebody else, or earns on the order"),
    "same_device": ("付款设备与他人订单相同", "the device also paid for somebody else"),
    "same_person": ("买家与推广员为同一实名", "the buyer and somebody who earns are one verified person"),
    "stocking_up": ("短期内购买数量过多", "the buyer has bought too many units within thirty days"),
}


class Lift(Model):
    """The reason for lifting; it stays on record."""

    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=500,
            examples=["family of four, invoices seen on 2026-11-20"],
            description="Reason for lifting it; it stays on record.",
        ),
    ]


class LiftView(Model):
    """Who lifted it, when and why."""

    by: Annotated[PersonId, Meta(description="Person who lifted it.")]
    at: Annotated[Moment, Meta(description="When it was lifted.")]
    reason: Annotated[
        str, Meta(description="Reason for lifting it.", examples=["family of four, invoices seen on 2026-11-20"])
    ]

    @classmethod
    def of(cls, lift: LiftRecord | None) -> LiftView | None:
        """A person's lifting; None if nobody has lifted it yet."""
        return None if lift is None else cls(lift.by, rfc3339(lift.at), lift.reason)


class HeldReward(Model):
    """The rewards of one order, credited and kept frozen until the hold is lifted."""

    order_id: OrderId
    reasons: Annotated[
        list[Literal["same_payer", "same_device", "same_person", "stocking_up"]],
        Meta(description="Reasons for holding the rewards.", examples=[["same_payer"]]),
    ]
    text: Annotated[
        str,
        Meta(
            description="Texts of the reasons, in the language of the request.",
            examples=["付款账户与他人订单或推广员相同"],
        ),
    ]
    members: Annotated[
        list[MemberId], Meta(description="Members who share a payer, device or identity with the order.")
    ]
    held_at: Annotated[Moment, Meta(description="When the rewards were held.")]
    lifted: Annotated[LiftView | None, Meta(description="Who lifted the hold; null while the rewards are held.")]

    @classmethod
    def of(cls, hold: Hold, language: str) -> HeldReward:
        """A hold, its reasons in the language of the request."""
        english = language == "en"
        text = ("; " if english else "；").join(_REASONS[reason][english] for reason in hold.reasons)
        lifted = LiftView.of(hold.lifted)
        return cls(hold.order_id, list(hold.reasons), text, list(hold.members), rfc3339(hold.at), lifted)


class HeldRewards(Model):
    """Some holds, oldest order first."""

    items: Annotated[list[HeldReward], Meta(description="Held orders, oldest order first.")]
    next_cursor: NextCursor


class ComplianceAlarm(Model):
    """A subtree of 3 or more levels and 30 or more people with money flowing. While it is open, no member is paid
    out."""

    alarm_id: Annotated[
        str, Meta(examples=["mem_01kbdxdh50fcazdjhcnqh2rzv5.1"], description="Id of the alarm, for lifting it.")
    ]
    head: Annotated[MemberId, Meta(description="Member at the top of the subtree.")]
    people: Annotated[int, Meta(description="Members of the subtree, including its head.", examples=[34])]
    levels: Annotated[int, Meta(description="Levels of the subtree.", examples=[3])]
    earning: Annotated[int, Meta(description="Members of it who have or had rewards.", examples=[9])]
    raised_at: Annotated[Moment, Meta(description="When the nightly check found it.")]
    asked: Annotated[LiftView | None, Meta(description="The first person's request to lift it; null before.")]
    lifted: Annotated[LiftView | None, Meta(description="The second person's lifting; null before.")]

    @classmethod
    def of(cls, alarm: Alarm) -> ComplianceAlarm:
        """An alarm, lifted or not."""
        return cls(
            alarm_id=alarm.id,
            head=alarm.head,
            people=alarm.people,
            levels=alarm.levels,
            earning=alarm.earning,
            raised_at=rfc3339(alarm.at),
            asked=LiftView.of(alarm.requested),
            lifted=LiftView.of(alarm.lifted),
        )


class ComplianceAlarms(Model):
    """Some alarms, open or lifted."""

    items: Annotated[list[ComplianceAlarm], Meta(description="Alarms, open ones and lifted ones.")]
    next_cursor: NextCursor


class SalesQuery(Model):
    """The last of the thirty days."""

    until: (
        Annotated[
            str,
            Meta(
                pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z",
                examples=["2026-11-21"],
                description="Last day of the thirty; absent: yesterday.",
            ),
        ]
        | None
    ) = None

    def day(self) -> date | None:
        """The requested day; None if none. Raises `InvalidError` QUERY_INVALID for a day that does not exist."""
        try:
            return None if self.until is None else date.fromisoformat(self.until)
        except ValueError as error:
            raise QUERY_INVALID(pointers=(Pointer("#query/until", "NO_DAY"),)) from error


class OutsideSales(Model):
    """Sales of thirty days, and the part to members who promote nothing."""

    until: Annotated[str, Meta(description="Last of the thirty days.", examples=["2026-11-21"])]
    sales_fen: Annotated[int, Meta(description="Fen of all sales in these days.", examples=[1_530_000])]
    outside_fen: Annotated[
        int, Meta(description="Fen of the sales to members who promote nothing.", examples=[918_000])
    ]
    outside_bps: Annotated[int, Meta(description="Their share of all sales, in basis points.", examples=[6_000])]
    floor_bps: Annotated[int, Meta(description="Share below which it warns, in basis points.", examples=[5_000])]
    warns: Annotated[bool, Meta(description="Whether the share is below the limit.")]

    @classmethod
    def of(cls, share: OutsideShare) -> OutsideSales:
        """The share of thirty days, with the limit below which it warns."""
        return cls(
            share.day.isoformat(), share.sales, share.outside, share.outside_bps, OUTSIDE_FLOOR_BPS, warns=share.warns
        )
