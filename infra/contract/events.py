"""Events to partners for the API document: each type with a summary and an example of its data.

A test compares the types with those that can be subscribed to, and the data with what is really sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cardstock.bank_accounts.events import BankAccountChanged
from cardstock.events import EventData
from cardstock.ledger.events import CommissionEvent, CommissionShare
from cardstock.network.events import MemberPromoted
from cardstock.orders.events import (
    EventReceiver,
    FulfilmentReduced,
    FulfilmentRequested,
    OrderEvent,
    OrderEventLine,
    ReducedLine,
    RefundEvent,
    RefundEventLine,
    RequestedLine,
    ShipmentCreated,
    ShipmentDelivered,
)
from cardstock.partners.model import CHALLENGE
from cardstock.payouts.events import EventFile, PayoutOpened, PayoutSettled

_ORDER_ID = "ord_01kbdxdh50fcazdjhcnqh2rzv5"
_MEMBER_ID = "mem_01kbdxa3w0t5m8n1q4r7s2v6x9"
_REFUND_ID = "rfd_01kbf2c7d8e9fagbhcjdkemfn0"
_TIME = "2026-12-01T08:26:00.000Z"

EVENT: Mapping[str, Any] = {
    "title": "Event",
    "description": "Something that happened (CloudEvents fields); at most 20 KB.",
    "type": "object",
    "required": ["specversion", "id", "source", "type", "subject", "time", "timestamp", "sequence", "data"],
    "properties": {
        "specversion": {"const": "1.0", "description": "Version of CloudEvents."},
        "id": {"type": "string", "description": "The same for the same event, however often it is sent."},
        "source": {"type": "string", "description": "Always `/cardstock`."},
        "type": {"type": "string", "description": "What has happened: one of the webhooks here."},
        "subject": {"type": "string", "description": "What it is about: an order id, a member id."},
        "time": {"type": "string", "format": "date-time", "description": "When it happened."},
        "timestamp": {"type": "string", "format": "date-time", "description": "The same as `time`."},
        "sequence": {"type": "string", "description": "Sorts events of one subject."},
        "data": {"type": "object", "description": "What is known about it; each type has its own fields."},
    },
}


@dataclass(frozen=True, slots=True)
class EventExample:
    """One type of event: its summary, its subject, and an example of its data, of the published type."""

    summary: str
    subject: str
    data: EventData | None

    @property
    def about(self) -> str | None:
        """Which fields only the supplier gets; None: every subscriber gets all."""
        if self.data is None or not self.data.PERSONAL:
            return None
        names = ", ".join(f"`data.{name}`" for name in sorted(self.data.PERSONAL))
        return (
            f"{names}: only endpoints of the supplier `data.supplier_id` get it. The brand's endpoints get the event "
            "without it; whoever sends goods reads it with `orders:fulfil`."
        )

    def example(self, kind: str) -> dict[str, Any]:
        """A whole event of type `kind`, as delivered."""
        return {
            "specversion": "1.0",
            "id": "evt_01kbdxdh50fcazdjhcnqh2rzv5",
            "source": "/cardstock",
            "type": kind,
            "subject": self.subject,
            "time": _TIME,
            "timestamp": _TIME,
            "sequence": "1764577560000",
            "data": {} if self.data is None else msgspec.json.decode(msgspec.json.encode(self.data)),
        }


_HOLDER = "WHITE HANGING HEART T-LIGHT HOLDER"
_PAYOUT_ID = "pay_202611"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_ORDER = OrderEvent(_ORDER_ID, _MEMBER_ID, 153000, 0, (OrderEventLine("85123A", 6, 153000),))
_REFUND = RefundEvent(
    _ORDER_ID, _REFUND_ID, "return", goodwill=False, amount_fen=25500, freight_fen=0,
    lines=(RefundEventLine("85123A", 1, 25500),),
)  # fmt: skip
_RECEIVER = EventReceiver("王小明", "13800138000", "上海市静安区南京西路1266号")


def _commission(cause: str, transaction: str, amount: int) -> CommissionEvent:
    return CommissionEvent(_ORDER_ID, transaction, cause, (CommissionShare(_MEMBER_ID, "direct", amount),))


CHALLENGED = EventExample("The first message to a new endpoint", "whe_01kbdxdh50fcazdjhcnqh2rzv5", None)
"""The message that an endpoint must answer to become active."""

TITLES_ZH: Mapping[str, str] = {
    CHALLENGE: "确认 webhook 地址",
    "member.promoted": "会员成为合伙人",
    "order.placed": "订单已下单",
    "order.paid": "订单已支付",
    "order.cancelled": "订单已取消",
    "order.expired": "订单超时未支付",
    "order.completed": "订单已全部送达",
    "receipt.confirmed": "买家已确认收货",
    "fulfilment.requested": "请供应商发货",
    "fulfilment.reduced": "发货数量减少",
    "shipment.created": "供应商已发货",
    "shipment.delivered": "包裹已送达",
    "refund.requested": "退款已申请",
    "refund.refused": "支付渠道拒绝退款",
    "refund.given_up": "退款已放弃",
    "refund.succeeded": "退款已到账",
    "commission.accrued": "奖励已计提",
    "commission.released": "奖励已解冻",
    "commission.clawed": "奖励已扣回",
    "payout.opened": "佣金发放批次已发起",
    "payout.settled": "佣金发放批次已结清",
    "bank_account.changed": "收款账户有变更",
}
"""Type of event -> its Chinese title."""

EVENTS: Mapping[str, EventExample] = {
    "member.promoted": EventExample("A member has risen to partner", _MEMBER_ID, MemberPromoted(_MEMBER_ID)),
    "order.placed": EventExample("An order was placed; its stock is reserved", _ORDER_ID, _ORDER),
    "order.paid": EventExample("An order was paid", _ORDER_ID, _ORDER),
    "order.cancelled": EventExample("An unpaid order was cancelled by its buyer", _ORDER_ID, _ORDER),
    "order.expired": EventExample("An order was not paid in time", _ORDER_ID, _ORDER),
    "order.completed": EventExample("An order has arrived as a whole", _ORDER_ID, _ORDER),
    "receipt.confirmed": EventExample("The buyer has confirmed that the order arrived", _ORDER_ID, _ORDER),
    "fulfilment.requested": EventExample(
        "A supplier is asked to send its part of a paid order",
        _ORDER_ID,
        FulfilmentRequested(_ORDER_ID, "sup_lights", (RequestedLine("85123A", _HOLDER, 6),), _RECEIVER),
    ),
    "fulfilment.reduced": EventExample(
        "Units were given back before they left: what a supplier has to send still, none where its part is cancelled",
        _ORDER_ID,
        FulfilmentReduced(_ORDER_ID, "sup_lights", (ReducedLine("85123A", _HOLDER, 4, 2),)),
    ),
    "shipment.created": EventExample(
        "A supplier has sent a parcel", _ORDER_ID, ShipmentCreated(_ORDER_ID, "sup_lights", "SF", "SF1390001234567")
    ),
    "shipment.delivered": EventExample(
        "A supplier's parcels have arrived", _ORDER_ID, ShipmentDelivered(_ORDER_ID, "sup_lights")
    ),
    "refund.requested": EventExample(
        "Units of an order are to be refunded, or a `goodwill` of the shop: no units", _ORDER_ID, _REFUND
    ),
    "refund.refused": EventExample(
        "The payment channel refuses a refund for good: the shop's staff decide", _ORDER_ID, _REFUND
    ),
    "refund.given_up": EventExample(
        "The shop's staff gave a refund up that the channel had refused: its units can be refunded anew",
        _ORDER_ID,
        _REFUND,
    ),
    "refund.succeeded": EventExample(
        "The money of a refund has gone back; `paid_another_way` outside of its channel", _ORDER_ID, _REFUND
    ),
    "commission.accrued": EventExample(
        "Rewards of a paid order were credited, frozen until its return window ends",
        _ORDER_ID,
        _commission("order.paid", f"accrue.{_ORDER_ID}", 10000),
    ),
    "commission.released": EventExample(
        "Rewards of an order became available",
        _ORDER_ID,
        _commission("window.passed", f"release.{_ORDER_ID}", 10000),
    ),
    "commission.clawed": EventExample(
        "Rewards were taken back because of a refund", _ORDER_ID, _commission("refund", f"claw.{_REFUND_ID}", -1667)
    ),
    "payout.opened": EventExample(
        "A payout batch lists everybody", _PAYOUT_ID, PayoutOpened(_PAYOUT_ID, "2026-11", "open", 12, 420000)
    ),
    "bank_account.changed": EventExample(
        "A member's bank account was set or changed, or a change was decided on: tell the member",
        _MEMBER_ID,
        BankAccountChanged(
            _MEMBER_ID, "bac_01kbdxdh50fcazdjhcnqh2rzv5", "changed", "中国工商银行", "**** 7894", "+86138****8000",
            _TIME, "**** 0128",
        ),
    ),
    "payout.settled": EventExample(
        "A payout batch has been paid and reconciled",
        _PAYOUT_ID,
        PayoutSettled(
            _PAYOUT_ID, "2026-11", "settled", _TIME, (EventFile("report.xlsx", _SHA256),), lines=12, paid_fen=401300,
            tax_fen=18700, returned_fen=0,
        ),
    ),
}  # fmt: skip
