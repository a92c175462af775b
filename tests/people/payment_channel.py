"""The payment channel's side of payments and refunds, behind httpx's transport."""

import json
from datetime import datetime
from typing import Any

import httpx

from cardstock.clock import now, rfc3339
from cardstock.edge.signatures import sign, verify
from cardstock.orders import wiring as orders_wiring
from tests.house.cloud import SECRETS, Context, http_event
from tests.people.clock import TestClock
from tests.people.replies import Reply, reply


class PaymentChannel:
    """The sandbox payment channel, which knows of no payment at first.

    `answers` False: it does as it is asked, but no answer arrives. `calls` keeps each request for a refund as it came,
    repeats included.
    """

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.payments: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.calls: list[dict[str, Any]] = []
        self.refund_status = "succeeded"
        self.answers = True

    def open(self) -> None:
        """Be the channel that the functions of this process talk to, until `close`."""
        orders_wiring.set_payment_transport(httpx.MockTransport(self.handle))

    def close(self) -> None:
        """Leave the functions with their own way to the channel."""
        orders_wiring.set_payment_transport(None)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """What `httpx.MockTransport` calls."""
        kind, number = request.url.path.removeprefix("/v1/").partition("/")[::2]
        if kind == "payments":
            found = self.payments.get(number, {"order_no": number, "status": "unpaid"})
        else:
            headers = {name.lower(): value for name, value in request.headers.items()}
            verify([SECRETS["PAYMENT_SECRET_ID"]["sandbox_key"]], headers, request.content, now())
            asked = json.loads(request.content)
            self.calls.append(asked)
            found = self.refunds.setdefault(asked["refund_no"], asked | {"status": self.refund_status})
        if not self.answers:
            raise httpx.ReadTimeout("no answer", request=request)
        return httpx.Response(200, json=found)

    def notice(self, order_id: str, **other: Any) -> dict[str, Any]:
        """The channel's notice of a payment; `other` replaces fields."""
        sent = {
            "channel": "sandbox",
            "event": "payment.succeeded",
            "order_no": order_id,
            "transaction_no": f"sbx_{order_id[-10:]}",
            "amount_fen": other.pop("amount_fen", None) or amount_of(order_id),
            "currency": "CNY",
            "paid_at": rfc3339(self.clock.now()),
        }
        return sent | other

    def notify(self, notice: dict[str, Any] | str, *, at: datetime | None = None, key: str | None = None) -> Reply:
        """Tell the payment inbox, signed at `at` with `key`."""
        from functions.orders.payment_inbox import app as payment_inbox

        body = notice if isinstance(notice, str) else json.dumps(notice)
        secret = key or SECRETS["PAYMENT_SECRET_ID"]["sandbox_key"]
        headers = sign(secret, "msg_1", at or self.clock.now(), body.encode())
        event = http_event("POST", "/v1/payments/sandbox/notify", body, headers=headers)
        return reply(payment_inbox.handler(event, Context()))


def amount_of(order_id: str) -> int:
    """What an order costs, in fen."""
    found = orders_wiring.orders().find_order(order_id)
    assert found is not None
    return found.amount_fen
