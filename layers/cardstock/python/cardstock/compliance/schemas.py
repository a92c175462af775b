"""What the compliance guard has stopped, and what it saw, as JSON."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.compliance import errors
from cardstock.edge.http import Model
from cardstock.errors import NOT_FOUND, REASON_MISSING

if TYPE_CHECKING:
    from cardstock.compliance.model import Alarm, Hold, Share

LIFT_CODES: Final = (NOT_FOUND, REASON_MISSING)
ALARM_CODES: Final = (*LIFT_CODES, errors.ALARM_CHANGED)

# reason -> (zh-CN, en)
_REASONS: Final = {
    "same_payer": ("付款账户与他人订单或推广员相同", "the payer also paid for somebody else, or earns on the order"),
    "same_device": ("付款设备与他人订单相同", "the device also paid for somebody else"),
    "same_person": ("买家与推广员为同一实名", "the buyer and somebody who earns are one verified person"),
    "stocking_up": ("短期内购买数量过多", "the buyer has bought too many units within thirty days"),
}


class Lift(Model):
    """Why it may go on; it stays on record."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, examples=["family of four, invoices seen on 2026-11-20"])]


class Lifted(Model):
    """Who let it go on, when and why."""

    by: str
    at: str
    reason: str


class HeldReward(Model):
    """The rewards of one order, credited and kept frozen until `lifted` says otherwise."""

    order_id: str
    reasons: list[Literal["same_payer", "same_device", "same_person", "stocking_up"]]
    text: str
    members: Annotated[list[str], Meta(description="Whom the order has something in common with.")]
    held_at: str
    lifted: Lifted | None


class HeldRewards(Model):
    """Some holds by the age of their orders; `next_cursor` is null on the last page."""

    items: list[HeldReward]
    next_cursor: str | None


class ComplianceAlarm(Model):
    """A subtree of 3 or more levels and 30 or more people with money flowing. Nobody in it is paid out meanwhile.

    `asked` is the first person's word that it may be lifted; `lifted` is the second one's.
    """

    alarm_id: Annotated[str, Meta(examples=["mem_01kbdxdh50fcazdjhcnqh2rzv5.1"])]
    head: Annotated[str, Meta(description="The member at its top.")]
    people: int
    levels: int
    earning: Annotated[int, Meta(description="How many of them have or had rewards.")]
    raised_at: str
    asked: Lifted | None
    lifted: Lifted | None


class ComplianceAlarms(Model):
    """Some alarms; `next_cursor` is null on the last page."""

    items: list[ComplianceAlarm]
    next_cursor: str | None


class SalesQuery(Model):
    """The last day of the thirty that are told; yesterday if it is not given."""

    until: (
        Annotated[str, Meta(pattern=r"^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", examples=["2026-11-21"])] | None
    ) = None


class OutsideSales(Model):
    """Sales of thirty days, and what of it went to people who promote nothing: less than `floor_bps` is a warning."""

    until: str
    sales_fen: int
    outside_fen: int
    outside_bps: int
    floor_bps: int
    warns: bool


def day_of(text: str) -> date | None:
    """The day, or None for one that no calendar has."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def hold_told(hold: "Hold", language: str) -> HeldReward:
    """The view of a hold."""
    english = language == "en"
    text = ("; " if english else "；").join(_REASONS[reason][english] for reason in hold.reasons)
    lifted = None if hold.lifted_at is None else Lifted(hold.lifted_by, rfc3339(hold.lifted_at), hold.lifted_why)
    return HeldReward(hold.order_id, list(hold.reasons), text, list(hold.members), rfc3339(hold.at), lifted)


def alarm_told(alarm: "Alarm") -> ComplianceAlarm:
    """The view of an alarm."""
    return ComplianceAlarm(
        alarm_id=alarm.id,
        head=alarm.head,
        people=alarm.people,
        levels=alarm.levels,
        earning=alarm.earning,
        raised_at=rfc3339(alarm.at),
        asked=None if alarm.asked_at is None else Lifted(alarm.asked_by, rfc3339(alarm.asked_at), alarm.asked_why),
        lifted=None if alarm.lifted_at is None else Lifted(alarm.lifted_by, rfc3339(alarm.lifted_at), alarm.lifted_why),
    )


def sales_told(share: "Share", floor_bps: int) -> OutsideSales:
    """The view of thirty days of sales."""
    return OutsideSales(
        share.day.isoformat(), share.sales, share.outside, share.outside_bps, floor_bps, warns=share.warns
    )
