"""Records as they were at a moment: what happened between that moment and the reading is taken off again.

Pure. Each function gives None for a record that did not exist yet.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec.structs import replace

from cardstock.compliance.model import Hold
from cardstock.ledger.model import MemberReward
from cardstock.orders.agreement_model import Agreement
from cardstock.orders.model import ENDED_UNPAID, Order
from cardstock.orders.refund_model import Refund
from cardstock.orders.supplier_model import SupplierOrder
from cardstock.payouts import lines as payout_lines
from cardstock.payouts.lines import Line
from cardstock.uploads.model import Upload


def agreement_as_of(found: Agreement, at: datetime) -> Agreement | None:
    """The payment agreement at `at`. That the member was ending it has no time: it is as it is read."""
    if found.asked_at > at:
        return None
    if found.status == "ended" and _is_after(found.ended_at, at):
        found = replace(found, status="active" if found.signed_at else "asked", ended_at=None, ended_by=None)
    if _is_after(found.signed_at, at):
        found = replace(found, status="asked" if found.status == "active" else found.status, signed_at=None)
    over = found.status in ("asked", "active") and at >= found.ends_at
    return replace(found, status="ended") if over else found


def changed_after(refund: Refund, at: datetime) -> bool:
    """Whether the refund changed the lines of its order after `at`."""
    return refund.part_of_order and (refund.requested_at > at or _is_after(refund.given_up_at, at))


def order_as_of(order: Order, refunds: Sequence[Refund], at: datetime) -> Order | None:
    """The order at `at`. `refunds` are all of it, as they were when `order` was read."""
    if order.placed_at > at:
        return None
    order = _without_later_refunds(order, refunds, at)
    if order.status in ENDED_UNPAID and _is_after(order.closed_at, at):
        order = replace(order, status="placed", closed_at=None)
    if order.status == "completed" and _is_after(order.received_at, at):
        order = replace(order, status="shipped", received_at=None)
    if order.status == "shipped" and _is_after(order.shipped_at, at):
        order = replace(order, status="paid", shipped_at=None)
    if order.status == "paid" and _is_after(order.paid_at, at):
        order = replace(order, status="placed", paid_at=None, channel=None, transaction_no=None, payer="", device="")
    return order


def _without_later_refunds(order: Order, refunds: Sequence[Refund], at: datetime) -> Order:
    units, fen, aside = Counter[int](), Counter[int](), Counter[int]()
    for refund in refunds:
        if not changed_after(refund, at):
            continue
        then = refund.requested_at <= at
        more = (refund.given_up_at is None) - then  # 1: it is on the lines now, and was not; -1: it was
        for line in refund.lines:
            units[line.line_no] += more * line.units
            fen[line.line_no] += more * line.amount_fen
            aside[line.line_no] += line.units if line.restock and refund.given_up_at is not None else 0
    if not units:
        return order
    lines = tuple(
        replace(
            line,
            refunded_units=line.refunded_units - units[line.line_no],
            refunded_fen=line.refunded_fen - fen[line.line_no],
            set_aside_units=max(0, line.set_aside_units - aside[line.line_no]),
        )
        for line in order.lines
    )
    return replace(order, lines=lines)


def refund_as_of(refund: Refund, at: datetime) -> Refund | None:
    """The refund at `at`."""
    if refund.requested_at > at:
        return None
    if _is_after(refund.succeeded_at, at):
        refund = replace(refund, status="refused" if refund.refused_at else "requested", succeeded_at=None, place=0)
        refund = replace(refund, paid_another_way=False)
    if _is_after(refund.given_up_at, at):
        refund = replace(refund, status="refused", given_up_at=None)
    if _is_after(refund.refused_at, at):
        refund = replace(refund, status="requested", refused_at=None)
    return refund


def supplier_order_as_of(part: SupplierOrder, later: Sequence[Refund], at: datetime) -> SupplierOrder | None:
    """A supplier's part of an order at `at`. `later` are the order's refunds that were requested after `at`."""
    if part.created_at > at:
        return None
    part = replace(part, parcels=tuple(parcel for parcel in part.parcels if parcel.at <= at))
    if part.status == "delivered" and _is_after(part.delivered_at, at):
        part = replace(part, status="shipped", delivered_at=None)
    if part.status == "shipped" and _is_after(part.shipped_at, at):
        part = replace(part, status="open", shipped_at=None)
    back = Counter[str]()
    for refund in later:
        for line in refund.lines:
            back[line.sku] += line.units if line.restock else 0
    if back:
        lines = tuple(replace(line, cancelled=max(0, line.cancelled - back[line.sku])) for line in part.lines)
        open_again = part.status == "cancelled" and any(line.cancelled < line.units for line in lines)
        part = replace(part, lines=lines, status="open" if open_again else part.status)
    return part


def line_as_of(line: Line, at: datetime) -> Line:
    """A payment to the member at `at`."""
    line = payout_lines.as_of(line, at)
    if _is_after(line.closed_at, at):
        line = replace(line, status="sent" if line.sent_at else "pending", closed_at=None, reason=None)
    if _is_after(line.sent_at, at):
        line = Line(
            batch=line.batch, period=line.period, member=line.member, attempt=line.attempt, number=line.number,
            listed=line.listed, retried_by=line.retried_by, at_most=line.at_most,
        )  # fmt: skip
    return line


def hold_as_of(hold: Hold | None, at: datetime) -> Hold | None:
    """A hold at `at`."""
    if hold is None or hold.at > at:
        return None
    if hold.lifted is not None and hold.lifted.at > at:
        return replace(hold, state="open", lifted=None)
    return hold


def rewards_as_of(rewards: Sequence[MemberReward], clawed: Collection[str], at: datetime) -> tuple[MemberReward, ...]:
    """A member's rewards on an order at `at`. `clawed` are the refunds that had taken something back by then."""
    return tuple(_reward_as_of(reward, clawed, at) for reward in rewards if reward.accrued_at <= at)


def _reward_as_of(reward: MemberReward, clawed: Collection[str], at: datetime) -> MemberReward:
    reward = replace(reward, claws=tuple(claw for claw in reward.claws if claw[0] in clawed))
    if _is_after(reward.released_at, at):
        reward = replace(reward, state="frozen", released_at=None)
    return reward


def _is_after(moment: datetime | None, at: datetime) -> bool:
    return moment is not None and moment > at


def upload_as_of(upload: Upload, at: datetime) -> Upload | None:
    """The upload at `at`. When its file came is not stored: one that ended later counts as asked for."""
    if upload.asked_at > at:
        return None
    if upload.ended_at is None or upload.ended_at > at:
        return replace(upload, state="asked", ended_at=None, refused="", pictures=())
    return upload
