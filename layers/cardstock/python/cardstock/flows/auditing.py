"""Audit the books: what orders, payouts, coupons, dividends and write-offs should have booked, against what is booked;
and refunds that their channels have refused, against the open items about them.

Everything is read: a large shop takes minutes. Its scans are not one snapshot: see `ledger.audit.confirmed`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import NotFoundError
from cardstock.flows.rewarding import PlanRules
from cardstock.ledger.audit import audit
from cardstock.ledger.audit_model import (
    ClearingTruth,
    CorrectionTruth,
    Ended,
    Finding,
    OrderTruth,
    Report,
    SealTruth,
    SingleTruth,
    TransferTruth,
)
from cardstock.ledger.charges import charge_reduction_cause, dividend_cause
from cardstock.ledger.model import AccountClosing, Balance, LedgerTransaction, OrderRewards, Seal, WriteOff
from cardstock.ledger.ports import SealArchive
from cardstock.ledger.sealing import from_bytes
from cardstock.network.dividends import month_of, shares
from cardstock.network.model import TeamSale, holder_of
from cardstock.network.ports import Plans
from cardstock.open_items.model import OpenItem, item_id
from cardstock.orders.coupon_model import CouponUse
from cardstock.orders.coupons import returned_discounts
from cardstock.orders.model import Order
from cardstock.orders.ports import Orders
from cardstock.orders.refund_model import Refund
from cardstock.payouts.lines import Line

_ENDED: dict[str, Ended] = {"paid": "paid", "failed": "returned", "expired": "returned"}
_UNCLAIMED = frozenset({"pending", "dropped"})


class AuditNeeds(msgspec.Struct, frozen=True):
    """The reads of an audit. Each `every_...` reads everything stored, consistently and in no order."""

    every_transaction: Callable[[], Iterable[LedgerTransaction]]
    every_balance: Callable[[], Iterable[Balance]]
    every_rewards_row: Callable[[], Iterable[OrderRewards]]
    every_write_off: Callable[[], Iterable[WriteOff]]
    every_closing: Callable[[], Iterable[AccountClosing]]
    every_seal: Callable[[], Iterable[Seal]]
    """Oldest first."""
    every_order: Callable[[], Iterable[Order]]
    every_refund: Callable[[], Iterable[Refund]]
    every_coupon_charge: Callable[[], Iterable[CouponUse]]
    every_payout_line: Callable[[], Iterable[Line]]
    every_open_item: Callable[[], Iterable[OpenItem]]
    every_team_sale: Callable[[], Iterable[tuple[str, TeamSale]]]
    """Month and sale."""
    orders: Orders
    plans: Plans
    rules: PlanRules
    archive: SealArchive


def audit_books(needs: AuditNeeds, go_on: Callable[[], None] = lambda: None) -> Report:
    """Compare all bookings with those that should exist.

    `go_on` is called for every item read; an exception from it ends the audit without a result.
    """
    every_refund = list(_watched(needs.every_refund(), go_on))
    every_item = list(_watched(needs.every_open_item(), go_on))
    report = audit(
        _watched(needs.every_transaction(), go_on),
        _watched(needs.every_balance(), go_on),
        _watched(needs.every_rewards_row(), go_on),
        _watched(_orders(needs, every_refund), go_on),
        _watched(map(_transfer, needs.every_payout_line()), go_on),
        clearings=_clearings(every_item),
        singles=_watched(_singles(needs), go_on),
        seals=_watched(_seals(needs), go_on),
        closed=[closing.member_id for closing in _watched(needs.every_closing(), go_on)],
    )
    return replace(report, findings=(*report.findings, *_refusals(every_refund, every_item)))


def _refusals(every_refund: Iterable[Refund], every_item: Iterable[OpenItem]) -> Iterator[Finding]:
    """Refunds and the open items about their refusals that do not fit each other, in either direction.

    A refund that is refused has an open item. One that people have ended has an item that two persons have cleared with
    this end. No other refund has one, and every such item has its refund.
    """
    items = {item.id: item for item in every_item if item.kind == "refund_refused"}
    for refund in every_refund:
        expected = _expected_end(refund)
        item = items.pop(item_id("refund_refused", refund.refund_id), None)
        if item is None and expected:
            yield Finding(f"orders/{refund.order_id}/{refund.refund_id}", "missing", f"an item: {expected}", "none")
        elif item is not None and _end_of(item) != expected:
            found = f"{refund.refund_id} {refund.status}"
            yield Finding(f"open-items/{item.id}", "unexplained", f"a refund that is {_end_of(item)}", found)
    for item in items.values():
        yield Finding(f"open-items/{item.id}", "unexplained", f"a refund {item.subject}", "none")


def _expected_end(refund: Refund) -> str:
    """How the item about a refund's refusal stands; empty if there is none."""
    if refund.status == "refused":
        return "open"
    if refund.status == "succeeded":
        return "paid_another_way" if refund.paid_another_way else ""
    return "given_up" if refund.status == "given_up" else ""


def _end_of(item: OpenItem) -> str:
    if item.cleared is None:
        return item.state
    two = item.requested is not None and item.requested.by != item.cleared.by
    return item.cleared.outcome if two else f"{item.cleared.outcome} by one person"


def _orders(needs: AuditNeeds, every_refund: Iterable[Refund]) -> Iterator[OrderTruth]:
    """The bookings that each order should have, by its lines, snapshot, plan and refunds."""
    refunds: dict[str, list[Refund]] = {}
    for refund in every_refund:
        if refund.part_of_order:
            refunds.setdefault(refund.order_id, []).append(refund)
    for order in needs.every_order():
        own = refunds.get(order.order_id, [])
        yield OrderTruth(
            order_id=order.order_id,
            paid=order.is_paid,
            received=order.status == "completed",
            accrual=needs.rules.accrual(order),
            taken=needs.rules.taken(order, own),
        )


def _transfer(line: Line) -> TransferTruth:
    """The bookings that a payout line should have, by its first final status and its corrections."""
    first = line.corrections[0].before if line.corrections else line.status
    return TransferTruth(
        number=line.number,
        member_id=line.member,
        claimed=line.status not in _UNCLAIMED,
        ended=_ENDED.get(first, "no"),
        gross=line.gross,
        net=line.net,
        tax=line.tax,
        corrections=tuple(CorrectionTruth(one.cause, one.item, one.after == "paid") for one in line.corrections),
    )


def _clearings(every_item: Iterable[OpenItem]) -> Iterator[ClearingTruth]:
    """Transfers with contradicting results that two persons have cleared. One that only one has cleared is a finding
    where it has corrected the books."""
    for item in every_item:
        if item.kind == "payout_contradiction" and item.requested is not None and item.cleared is not None:
            if item.requested.by == item.cleared.by:
                continue
            outcome = item.cleared.outcome
            yield ClearingTruth(
                item=item.id,
                number=item.subject,
                arrived=outcome == "was_paid",
                corrects=outcome != item.facts["booked"],
                persons=(item.requested.by, item.cleared.by),
            )


def _seals(needs: AuditNeeds) -> Iterator[SealTruth]:
    """Every listed seal with its object in the archive."""
    for seal in needs.every_seal():
        try:
            kept = from_bytes(needs.archive.read_seal(seal.number))
        except (NotFoundError, ValueError, TypeError, KeyError):
            kept = None
        yield SealTruth(seal, kept)


def _singles(needs: AuditNeeds) -> Iterator[SingleTruth]:
    """Steps that change one member's available money and belong to no order's rewards."""
    yield from _coupon_charges(needs)
    yield from _write_offs(needs)
    for closing in needs.every_closing():
        if closing.amount:
            yield SingleTruth(closing.kind, closing.member_id, closing.member_id, -closing.amount)
    yield from _dividend_shares(needs)


def _coupon_charges(needs: AuditNeeds) -> Iterator[SingleTruth]:
    """The charge of each coupon revoked after its order shipped, less what refunds gave back of it."""
    for use in needs.every_coupon_charge():
        member_id = holder_of(use.coupon_id)
        yield SingleTruth("owed", use.coupon_id, member_id, -use.fen)
        order = needs.orders.find_order(use.order_id)
        if order is not None:
            for refund_id, part in returned_discounts(order, needs.orders.refunds_of_order(use.order_id)):
                yield SingleTruth("owed", charge_reduction_cause(use.coupon_id, refund_id), member_id, part)


def _write_offs(needs: AuditNeeds) -> Iterator[SingleTruth]:
    """Write-offs approved by two people. An entry approved by only one is a finding."""
    for found in needs.every_write_off():
        if found.state == "booked" and found.approved_by != found.asked_by:
            approved_by = (found.asked_by, found.approved_by)
            yield SingleTruth("written_off", found.id, found.member_id, found.amount, approved_by)


def _dividend_shares(needs: AuditNeeds) -> Iterator[SingleTruth]:
    """The shares of the team dividend of every month that is over."""
    this_month = month_of(clock.now())
    months: dict[str, list[TeamSale]] = {}
    for month, sale in needs.every_team_sale():
        if month < this_month:
            months.setdefault(month, []).append(sale)
    for month in sorted(months):
        for share in shares(months[month], plans=needs.plans):
            yield SingleTruth("shared", dividend_cause(share.plan, month, share.member_id), share.member_id, share.fen)


_Read = TypeVar("_Read")


def _watched(items: Iterable[_Read], go_on: Callable[[], None]) -> Iterator[_Read]:
    for item in items:
        go_on()
        yield item
