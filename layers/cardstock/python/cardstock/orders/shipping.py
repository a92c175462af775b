"""Telling the platform that took a payment what was sent for it."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from cardstock import clock
from cardstock.errors import RefusedError
from cardstock.money import CURRENCY
from cardstock.orders.change_model import Finding, Step
from cardstock.orders.model import Order
from cardstock.orders.ports import Orders, ShippingReports

ShippingOutcome: TypeAlias = Literal["reported", "not_needed", "refused", "repeated"]


def report_shipping(order_id: str, *, orders: Orders, platforms: Mapping[str, ShippingReports]) -> ShippingOutcome:
    """Tell the platform of a shipped order's payment which parcels have left. Safe to repeat.

    What it never takes is an open item (`refused`; `repeated` if that stands already). Raises `UnavailableError` while
    it gives no usable answer, and LookupError for an order that does not exist.
    """
    order = orders.find_order(order_id)
    if order is None:
        raise LookupError(f"no order {order_id}")
    if order.channel is None or order.channel not in platforms or order.shipped_at is None:
        return "not_needed"
    parts = orders.find_supplier_orders(order_id, order.supplier_ids)
    parcels = [parcel for supplier_id in order.supplier_ids for parcel in parts[supplier_id].parcels]
    try:
        needed = platforms[order.channel].report(order, parcels, clock.now())
    except RefusedError as error:
        finding = _finding(order, str(error.facts.get("reason", "")))
        return "refused" if orders.store_step(Step(findings=(finding,))) else "repeated"
    return "reported" if needed else "not_needed"


def _finding(order: Order, reason: str) -> Finding:
    return Finding(
        kind="shipping_refused",
        cause=order.order_id,
        subject=order.order_id,
        amount_fen=order.amount_fen,
        currency=CURRENCY,
        member_id=order.member_id,
        facts={
            "channel": order.channel or "",
            "transaction_no": order.transaction_no or "",
            "channel_reason": reason,
        },
    )
