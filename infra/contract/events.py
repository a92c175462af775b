"""What partners are told, for the reference: each type of event with a summary and an example of its data.

A test holds the types against those that can be subscribed to, and the data against what is really sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
class Told:
    """One type of event."""

    summary: str
    subject: str
    data: Mapping[str, Any]

    def example(self, kind: str) -> dict[str, Any]:
        """A whole event of type `kind`, as it is delivered."""
        return {
            "specversion": "1.0",
            "id": "evt_01kbdxdh50fcazdjhcnqh2rzv5",
            "source": "/cardstock",
            "type": kind,
            "subject": self.subject,
            "time": _TIME,
            "timestamp": _TIME,
            "sequence": "1764577560000",
            "data": dict(self.data),
        }


_ORDER = {
    "order_id": _ORDER_ID,
    "member_id": _MEMBER_ID,
    "amount_fen": 153000,
    "lines": [{"sku": "85123A", "units": 6, "net_fen": 153000}],
}
_REFUND = {
    "order_id": _ORDER_ID,
    "refund_id": _REFUND_ID,
    "kind": "return",
    "goodwill": False,
    "amount_fen": 25500,
    "lines": [{"sku": "85123A", "units": 1, "amount_fen": 25500}],
}
_PART = {"order_id": _ORDER_ID, "supplier_id": "sup_lights"}
_PAYOUT_ID = "pay_202611"
_PAYOUT = {"payout_id": _PAYOUT_ID, "period": "2026-11"}


def _commission(cause: str, transaction: str, amount: int) -> dict[str, Any]:
    members = [{"member_id": _MEMBER_ID, "reward": "direct", "amount_fen": amount}]
    return {"order_id": _ORDER_ID, "transaction_id": transaction, "cause": cause, "members": members}


CHALLENGED = Told("The first message to a new endpoint", "whe_01kbdxdh50fcazdjhcnqh2rzv5", {})
"""What an endpoint has to answer to become active."""

EVENTS: Mapping[str, Told] = {
    "member.promoted": Told("A member has risen to partner", _MEMBER_ID, {"member_id": _MEMBER_ID}),
    "order.placed": Told("An order was placed; its stock is reserved", _ORDER_ID, _ORDER),
    "order.paid": Told("An order was paid", _ORDER_ID, _ORDER),
    "order.cancelled": Told("An unpaid order was cancelled by its buyer", _ORDER_ID, _ORDER),
    "order.expired": Told("An order was not paid in time", _ORDER_ID, _ORDER),
    "order.completed": Told("An order has arrived as a whole", _ORDER_ID, _ORDER),
    "receipt.confirmed": Told("The buyer has confirmed that the order arrived", _ORDER_ID, _ORDER),
    "fulfilment.requested": Told(
        "A supplier is asked to send its part of a paid order",
        _ORDER_ID,
        {
            **_PART,
            "lines": [{"sku": "85123A", "name": "WHITE HANGING HEART T-LIGHT HOLDER", "units": 6}],
            "receiver": {"name": "王小明", "phone": "13800138000", "address": "上海市静安区南京西路1266号"},
        },
    ),
    "fulfilment.reduced": Told(
        "Units were given back before they left: what a supplier has to send still, none where its part is cancelled",
        _ORDER_ID,
        {
            **_PART,
            "lines": [{"sku": "85123A", "name": "WHITE HANGING HEART T-LIGHT HOLDER", "units": 4, "cancelled": 2}],
        },
    ),
    "shipment.created": Told(
        "A supplier has sent a parcel", _ORDER_ID, {**_PART, "carrier": "SF", "tracking_no": "SF1390001234567"}
    ),
    "shipment.delivered": Told("A supplier's parcels have arrived", _ORDER_ID, _PART),
    "refund.requested": Told(
        "Units of an order are to be refunded, or a `goodwill` of the shop: no units", _ORDER_ID, _REFUND
    ),
    "refund.succeeded": Told("The money of a refund has gone back", _ORDER_ID, _REFUND),
    "commission.accrued": Told(
        "Rewards of a paid order were credited, frozen until its return window ends",
        _ORDER_ID,
        _commission("order.paid", f"accrue.{_ORDER_ID}", 10000),
    ),
    "commission.released": Told(
        "Rewards of an order became available",
        _ORDER_ID,
        _commission("window.passed", f"release.{_ORDER_ID}", 10000),
    ),
    "commission.clawed": Told(
        "Rewards were taken back because of a refund", _ORDER_ID, _commission("refund", f"claw.{_REFUND_ID}", -1667)
    ),
    "payout.opened": Told(
        "A payout batch lists everybody",
        _PAYOUT_ID,
        {**_PAYOUT, "status": "open", "lines": 12, "listed_fen": 420000},
    ),
    "payout.settled": Told(
        "A payout batch has been paid and reconciled",
        _PAYOUT_ID,
        {
            **_PAYOUT,
            "status": "settled",
            "lines": 12,
            "paid_fen": 401300,
            "tax_fen": 18700,
            "returned_fen": 0,
            "closed_at": _TIME,
            "files": [
                {"name": "report.xlsx", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
            ],
        },
    ),
}
