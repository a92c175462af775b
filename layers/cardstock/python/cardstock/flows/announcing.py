"""The webhooks queue as announcements: one message per event, whose id is made from its cause.

What changed is told in the words of the catalogue of events (`partners.model.EVENT_TYPES`); changes that it does not
name are not told. A change that comes again makes the same events again, which nobody gets twice. What a batch of
changes tells is held until `flush`, which sends ten events a call.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cardstock.aws.queues import Queue
from cardstock.clock import rfc3339
from cardstock.ids import derived_id
from cardstock.ledger.model import Kind, LedgerTransaction, pocket_of
from cardstock.network.model import Event as Moved
from cardstock.orders.model import Order, Refund, SupplierOrder
from cardstock.partners.model import Event

_COMMISSION: Final[dict[Kind, str]] = {
    "accrued": "commission.accrued",
    "released": "commission.released",
    "clawed": "commission.clawed",
}


class Announcements:
    """Tells whoever listens what happened, at the next `flush`."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._held: list[Event] = []

    def order(self, order: Order) -> None:
        """An order has a new status."""
        moments = {
            "placed": (("order.placed", order.placed_at),),
            "paid": (("order.paid", order.paid_at),),
            "cancelled": (("order.cancelled", order.closed_at),),
            "expired": (("order.expired", order.closed_at),),
            "completed": (("receipt.confirmed", order.received_at), ("order.completed", order.received_at)),
        }
        data: dict[str, object] = {
            "order_id": order.order_id,
            "member_id": order.member_id,
            "amount_fen": order.amount_fen,
            "freight_fen": order.freight_fen,
            "lines": [{"sku": line.sku, "units": line.units, "net_fen": line.net_fen} for line in order.lines],
        }
        self._held += [event(kind, order.order_id, at, data) for kind, at in moments.get(order.status, ()) if at]

    def refund(self, refund: Refund) -> None:
        """A refund was requested, or has gone through."""
        data: dict[str, object] = {
            "order_id": refund.order_id,
            "refund_id": refund.refund_id,
            "kind": "return" if refund.part_of_order else "stray",
            "goodwill": refund.kind == "goodwill",
            "amount_fen": refund.amount_fen,
            "freight_fen": refund.freight_fen,
            "lines": [{"sku": line.sku, "units": line.units, "amount_fen": line.amount_fen} for line in refund.lines],
        }
        at = refund.requested_at if refund.succeeded_at is None else refund.succeeded_at
        self._held.append(event(f"refund.{refund.status}", refund.order_id, at, data, cause=refund.refund_id))

    def supplier_order(self, part: SupplierOrder) -> None:
        """A supplier's order is new, or has moved on; the supplier is among those who are told."""
        told: dict[str, object] = {"order_id": part.order_id, "supplier_id": part.supplier_id}
        if part.last_event == "requested":
            told["lines"] = [{"sku": line.sku, "name": line.name, "units": line.units} for line in part.lines]
            told["receiver"] = {
                "name": part.receiver.name,
                "phone": part.receiver.phone,
                "address": part.receiver.address,
            }
            self._held.append(
                event("fulfilment.requested", part.order_id, part.created_at, told, cause=part.supplier_id)
            )
        elif part.last_event == "delivered" and part.delivered_at is not None:
            self._held.append(
                event("shipment.delivered", part.order_id, part.delivered_at, told, cause=part.supplier_id)
            )
        elif part.last_event == "parcel_sent":
            parcel = part.parcels[-1]
            told |= {"carrier": parcel.carrier, "tracking_no": parcel.tracking_no}
            cause = f"{part.supplier_id} {parcel.event_id}"
            self._held.append(event("shipment.created", part.order_id, parcel.at, told, cause=cause))
        elif part.last_event == "reduced" and part.reduced_at is not None:
            told["lines"] = [
                {"sku": line.sku, "name": line.name, "units": line.units - line.cancelled, "cancelled": line.cancelled}
                for line in part.lines
            ]
            cause = f"{part.supplier_id} {sum(line.cancelled for line in part.lines)}"
            self._held.append(event("fulfilment.reduced", part.order_id, part.reduced_at, told, cause=cause))

    def positions(self, moved: Sequence[Moved]) -> None:
        """Somebody has risen in the network."""
        self._held += [
            event("member.promoted", step.member_id, step.at, {"member_id": step.member_id}, cause=step.id)
            for step in moved
            if step.kind == "promote"
        ]

    def booked(self, transaction: LedgerTransaction) -> None:
        """The ledger has credited, released or taken back."""
        kind = _COMMISSION.get(transaction.kind)
        if kind is None:
            return
        members = []
        for posting in transaction.postings:
            owner = pocket_of(posting.account)
            # A release moves between two pockets of one person: it is told once, by what becomes available.
            if owner is not None and not (transaction.kind == "released" and owner[1] == "frozen"):
                members.append({"member_id": owner[0], "reward": posting.reward, "amount_fen": posting.amount})
        data: dict[str, object] = {
            "order_id": transaction.order_id,
            "transaction_id": transaction.id,
            "cause": transaction.cause,
            "members": members,
        }
        self._held.append(event(kind, transaction.order_id, transaction.at, data, cause=transaction.id))

    def flush(self) -> None:
        """Send what is held. `UnavailableError` when some of it may not have been taken: repeat the whole batch."""
        held, self._held = self._held, []
        self.send(held)

    def send(self, events: Sequence[Event]) -> None:
        """Put `events` into the queue now, ten a call. `UnavailableError`: some of them may be missing, repeat."""
        bodies = [
            json.dumps(
                {"id": e.id, "type": e.type, "subject": e.subject, "time": rfc3339(e.time), "data": e.data},
                ensure_ascii=False,
                separators=(",", ":"),
            )
            for e in events
        ]
        if len(bodies) == 1:
            self._queue.send(bodies[0])
        elif bodies:
            self._queue.send_all(bodies)


def event(kind: str, subject: str, at: datetime, data: dict[str, object], *, cause: str = "") -> Event:
    """An event about `subject` (an order id, a member id). `cause` tells apart events of one kind about one subject."""
    return Event(derived_id("evt", kind, subject, cause), kind, subject, at, data)
