"""Everything that the ledger should have booked, read from the tables of orders and payouts. Scans: for audits only."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from cardstock.errors import NotFoundError
from cardstock.flows.rewarding import PlanRules
from cardstock.ledger.audit import Ended, OrderTruth, Report, SealTruth, SingleTruth, TransferTruth, audit
from cardstock.ledger.charges import charge_reduction_cause, dividend_cause
from cardstock.ledger.ports import SealArchive
from cardstock.ledger.sealing import from_bytes
from cardstock.ledger.seals_store import every_seal
from cardstock.ledger.store import every_balance, every_rewards_row, every_transaction, every_write_off
from cardstock.network.dividends import shares
from cardstock.network.model import TeamSale, holder_of
from cardstock.network.ports import Plans
from cardstock.network.team_sales_store import all_team_sales
from cardstock.orders import coupon_store as coupons
from cardstock.orders.coupons import given_back
from cardstock.orders.model import Refund
from cardstock.orders.store import DynamoOrders, every_order, every_refund
from cardstock.payouts.store import LineItem

_LINE = "line#"
_ENDED: dict[str, Ended] = {"paid": "paid", "failed": "returned", "expired": "returned"}
_UNCLAIMED = frozenset({"pending", "dropped"})


def order_truths(rules: PlanRules) -> Iterator[OrderTruth]:
    """What each order should have led to, by its own lines, snapshot, plan and refunds."""
    refunds: dict[str, list[Refund]] = {}
    for refund in every_refund():
        if refund.part_of_order:
            refunds.setdefault(refund.order_id, []).append(refund)
    for order in every_order():
        own = refunds.get(order.order_id, [])
        yield OrderTruth(
            order_id=order.order_id,
            paid_at=order.paid_at,
            received=order.received_at is not None,
            accrual=rules.accrual(order),
            taken={refund.refund_id: rules.taken(order, refund, own) for refund in own if refund.status == "succeeded"},
        )


def transfer_truths() -> Iterator[TransferTruth]:
    """What each payout line should have led to, by its status."""
    for item in LineItem.scan(filter_condition=LineItem.sk.startswith(_LINE), consistent_read=True):
        yield TransferTruth(
            number=item.sk.removeprefix(_LINE),
            member_id=item.member,
            claimed=item.status not in _UNCLAIMED,
            ended=_ENDED.get(item.status, "no"),
            gross=item.gross,
            net=item.net,
            tax=item.tax,
        )


def seal_truths(archive: SealArchive) -> Iterator[SealTruth]:
    """Every listed seal with its object."""
    for seal in every_seal():
        try:
            kept = from_bytes(archive.read_seal(seal.number))
        except (NotFoundError, ValueError, TypeError, KeyError):
            kept = None
        yield SealTruth(seal, kept)


def single_truths(plans: Plans, this_month: str) -> Iterator[SingleTruth]:
    """What is owed for free orders that were undone, what two people wrote off, and the shares of every month that is
    over."""
    for coupon_id, order_id, fen in coupons.all_owed():
        member_id = holder_of(coupon_id)
        yield SingleTruth("owed", coupon_id, member_id, -fen)
        yield from _given_back(coupon_id, order_id, member_id)
    for each in every_write_off():
        # By one person alone nothing is forgiven: an entry without a second one is unexplained.
        if each.approved_by and each.approved_by != each.asked_by:
            approved_by = (each.asked_by, each.approved_by)
            yield SingleTruth("written_off", each.id, each.member_id, each.amount, approved_by)
    months: dict[str, list[TeamSale]] = {}
    for month, sale in all_team_sales():
        months.setdefault(month, []).append(sale)
    for month in sorted(months):
        if month < this_month:
            for share in shares(months[month], plans=plans):
                cause = dividend_cause(share.plan, month, share.member_id)
                yield SingleTruth("shared", cause, share.member_id, share.fen)


def _given_back(coupon_id: str, order_id: str, member_id: str) -> Iterator[SingleTruth]:
    """What refunds of a free order took off what is owed for it."""
    order, refunds = DynamoOrders().find(order_id), DynamoOrders().refunds_of(order_id)
    for refund_id, fen in given_back(order, refunds) if order is not None else ():
        yield SingleTruth("owed", charge_reduction_cause(coupon_id, refund_id), member_id, fen)


def audit_tables(
    rules: PlanRules, plans: Plans, archive: SealArchive, this_month: str, go_on: Callable[[], None] = lambda: None
) -> Report:
    """Audit what the tables and the archive hold now. `go_on` is called with everything that is read: what it raises
    ends the audit."""
    return audit(
        _watched(every_transaction(), go_on),
        _watched(every_balance(), go_on),
        _watched(every_rewards_row(), go_on),
        _watched(order_truths(rules), go_on),
        _watched(transfer_truths(), go_on),
        singles=_watched(single_truths(plans, this_month), go_on),
        seals=_watched(seal_truths(archive), go_on),
    )


_Read = TypeVar("_Read")


def _watched(items: Iterable[_Read], go_on: Callable[[], None]) -> Iterator[_Read]:
    for item in items:
        go_on()
        yield item
