"""Refunds that buyers ask the channel for, and not us: unsent units go back at once, the rest waits for the staff."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from msgspec.structs import replace

from cardstock.clock import rfc3339
from cardstock.errors import STORE_BUSY, CardstockError
from cardstock.ids import RequestKey
from cardstock.money import CURRENCY
from cardstock.orders import errors
from cardstock.orders.change_model import Finding, Step
from cardstock.orders.model import Order
from cardstock.orders.payment_model import RefundAsked
from cardstock.orders.ports import AskedRefunds, Orders
from cardstock.orders.refund_amounts import return_lines
from cardstock.orders.refund_model import RefundLine
from cardstock.orders.refunds import RefundTerms, refund_step
from cardstock.orders.steps import ATTEMPTS, find_by_pay_no
from cardstock.orders.supplier_model import SupplierOrder

AskedOutcome: TypeAlias = Literal["requested", "asked", "repeated"]


def record_asked(asked: RefundAsked, *, orders: Orders) -> AskedOutcome:
    """Record what a buyer asks the channel for. A repeat changes nothing.

    - `requested`: the amount is what all unsent units of the order bring. They are refunded, and `execute_refund` has
      the channel agree.
    - `asked`: anything else. An open item says until when the staff agree or deny.
    """
    for _ in range(ATTEMPTS):
        order = find_by_pay_no(asked.order_no, orders=orders)
        if order is not None and orders.find_refund(order.order_id, asked.refund_id) is not None:
            return "repeated"
        step = None if order is None else _step(order, asked, _unsent, "", orders)
        if step is None:
            stored = orders.store_step(Step(findings=(_finding(asked, order),)))
            return "asked" if stored else "repeated"
        if orders.store_step(step):
            return "requested"
    raise STORE_BUSY()


def agree_asked(asked: RefundAsked, actor: str, item: object, *, orders: Orders) -> bool:
    """Refund what a buyer asked the channel for, as the person `actor` of the staff decides, and store the cleared
    `item` about it: one transaction. `execute_refund` has the channel agree.

    It is a return of all that is left of the order, sent or not. False, and nothing is stored, if the item has changed.
    Raises `ConflictError` REFUND_DIFFERS if the amount is another one.
    """
    for _ in range(ATTEMPTS):
        order = find_by_pay_no(asked.order_no, orders=orders)
        if order is not None and orders.find_refund(order.order_id, asked.refund_id) is not None:
            return False
        step = None if order is None else _step(order, asked, _left, actor, orders)
        if step is None:
            raise errors.REFUND_DIFFERS()
        if orders.store_step(replace(step, changed_items=(item,))):
            return True
    return False


def deny_asked(asked_no: str, channel: str, reason: str, *, channels: Mapping[str, AskedRefunds]) -> None:
    """Have the channel deny what a buyer asked it for. Raises `RefusedError` CHANNEL_MISSING, `ConflictError`
    REFUND_SUCCEEDED if the channel has agreed, and `UnavailableError` while it does not say."""
    if channel not in channels:
        raise errors.CHANNEL_MISSING()
    channels[channel].deny(asked_no, reason)


Units = Callable[[Order, Mapping[str, SupplierOrder]], dict[str, int]]


def _step(order: Order, asked: RefundAsked, units: Units, actor: str, orders: Orders) -> Step | None:
    """The step that refunds `units` of the order; None if they do not bring what was asked for."""

    def lines_of(found: Order, supplier_orders: Mapping[str, SupplierOrder]) -> tuple[RefundLine, ...]:
        return return_lines(found, units(found, supplier_orders), supplier_orders)

    payment = (order.channel, order.transaction_no, CURRENCY)
    if payment != (asked.channel, asked.transaction_no, asked.currency):
        return None
    reason = asked.reason or "asked for at the channel"
    terms = RefundTerms(
        None, "return", lines_of, reason, RequestKey("", ""), granted_by=actor, asked_no=asked.asked_no
    )  # fmt: skip
    try:
        step = refund_step(order, asked.refund_id, terms, orders)
    except CardstockError as error:
        if error.refusal in (errors.ORDER_NOT_PAID, errors.REFUND_TOO_LATE):
            return None
        raise
    (refund,) = step.refunds
    return step if refund.lines and refund.amount_fen == asked.amount_fen else None


def _left(order: Order, _supplier_orders: Mapping[str, SupplierOrder]) -> dict[str, int]:
    """The units that no refund has taken, by SKU."""
    left = {line.sku: line.units - line.refunded_units for line in order.lines}
    return {sku: units for sku, units in left.items() if units}


def _unsent(order: Order, supplier_orders: Mapping[str, SupplierOrder]) -> dict[str, int]:
    """Those of them that nobody has sent."""
    left = _left(order, supplier_orders)
    found = {}
    for line in order.lines:
        is_open = supplier_orders[line.supplier_id].status == "open"
        units = left.get(line.sku, 0) if is_open else min(left.get(line.sku, 0), line.set_aside_units)
        if units:
            found[line.sku] = units
    return found


def _finding(asked: RefundAsked, order: Order | None) -> Finding:
    facts = {
        "channel": asked.channel,
        "order_no": asked.order_no,
        "transaction_no": asked.transaction_no,
        "needs_audit": str(asked.needs_audit).lower(),
        "decide_by": rfc3339(asked.decide_by),
        "channel_reason": asked.reason,
    }
    if order is not None:
        left = order.amount_fen - order.refunded_fen
        facts |= {"order_status": order.status, "left_fen": str(left if order.is_paid else 0)}
    return Finding(
        kind="refund_asked",
        cause=f"{asked.channel}.{asked.asked_no}",
        subject=asked.asked_no,
        amount_fen=asked.amount_fen,
        currency=asked.currency,
        member_id="" if order is None else order.member_id,
        facts=facts,
    )
