"""The payment channel's side of payments and refunds, behind httpx's transport."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx

from cardstock.clock import now, rfc3339
from cardstock.edge.signatures import sign, verify
from cardstock.orders import wiring as orders_wiring
from infra.local.sandbox import Sandbox
from infra.local.small_server import NoAnswerError
from tests.house import faults
from tests.house.cloud import SECRETS, Context, http_event
from tests.people.clock import TestClock
from tests.people.replies import Reply, reply


class PaymentChannel:
    """The sandbox payment channel, which knows of no payment at first.

    `company` is the sandbox itself: it pays and closes orders. Refunds are those of this class, which gives every
    refund that it is asked for. `answers` False: it does as it is asked, but no answer arrives. `calls` keeps each
    request for a refund as it came, repeats included.
    """

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.company = Sandbox(tell=lambda _body, _headers: None, key=_key, now=clock.now)
        self.refunds: dict[str, dict[str, Any]] = {}
        self.calls: list[dict[str, Any]] = []
        self.refund_status = "succeeded"
        self.answers = True
        self._seen: list[str] = []
        self._fault: tuple[int, faults.Mode] | None = None

    def open(self) -> None:
        """Be the channel that the functions of this process talk to, until `close`."""
        orders_wiring.set_payment_transports({"sandbox": httpx.MockTransport(self.handle)})

    def close(self) -> None:
        """Leave the functions with their own way to the channel."""
        orders_wiring.set_payment_transports({})

    @contextmanager
    def at(self, index: int, mode: faults.Mode) -> Iterator[list[str]]:
        """`mode` happens to call `index` of those made inside: the function is killed before or after it, or its answer
        is lost. Gives the paths of the calls."""
        self._seen, self._fault = [], (index, mode)
        try:
            yield self._seen
        finally:
            self._seen, self._fault = [], None

    def handle(self, request: httpx.Request) -> httpx.Response:
        """What `httpx.MockTransport` calls."""
        index, mode = self._fault or (-1, None)
        hit = index == len(self._seen)
        self._seen.append(request.url.path)
        if hit and mode == "kill_before":
            raise faults.Killed
        answer = self._answer(request)
        if hit and mode == "kill_after":
            raise faults.Killed
        if not self.answers or (hit and mode == "lose_answer"):
            raise httpx.ReadTimeout("no answer", request=request)
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if request.url.path == "/v1/refund-queries":
            number = json.loads(request.content)["refund_no"]
            self.company.refunds = {number: self.refunds[number]} if number in self.refunds else {}
        if request.url.path != "/v1/refunds":
            target = request.url.raw_path.decode()
            try:
                status, sent, content = self.company.answer(request.method, target, headers, request.content)
            except NoAnswerError:
                raise httpx.ReadTimeout("no answer", request=request) from None
            return httpx.Response(status, content=content, headers=sent)
        verify([_key()], headers, request.content, now())
        asked = json.loads(request.content)
        self.calls.append(asked)
        if self.refunds.get(asked["refund_no"], {}).get("status") == "unfunded":
            del self.refunds[asked["refund_no"]]
        found = self.refunds.setdefault(asked["refund_no"], asked | {"status": self.refund_status})
        content = json.dumps(found).encode()
        return httpx.Response(200, content=content, headers=sign(_key(), "ans_1", now(), content))

    def pay(self, order_id: str, amount_fen: int | None = None, *, instalments: int = 1) -> dict[str, Any]:
        """A buyer pays: the notice, which has not been sent. Raises `SandboxError` if the order was closed."""
        paid = self.company.pay(order_id, amount_fen or amount_of(order_id), instalments=instalments, notify=False)
        names = ("transaction_no", "amount_fen", "currency", "paid_at", "instalments")
        return self.notice(order_id, **{name: paid[name] for name in names if name in paid})

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

    def agreement_notice(self, agreement_id: str, event: str, **other: Any) -> dict[str, Any]:
        """The channel's notice that an agreement was signed, or has ended; `other` replaces fields."""
        contract_no = self.company.agreements.get(agreement_id, {}).get("contract_no", "")
        sent = {"channel": "sandbox", "event": f"agreement.{event}", "agreement_no": agreement_id}
        return sent | {"contract_no": contract_no} | other

    def notify(self, notice: dict[str, Any] | str, *, at: datetime | None = None, key: str | None = None) -> Reply:
        """Tell the payment inbox, signed at `at` with `key`."""
        from functions.orders.payment_inbox import app as payment_inbox

        body = notice if isinstance(notice, str) else json.dumps(notice)
        headers = sign(key or _key(), "msg_1", at or self.clock.now(), body.encode())
        event = http_event("POST", "/v1/payments/sandbox/notify", body, headers=headers)
        return reply(payment_inbox.handler(event, Context()))


def amount_of(order_id: str) -> int:
    """What an order costs, in fen."""
    found = orders_wiring.orders().find_order(order_id)
    assert found is not None
    return found.amount_fen


def _key() -> str:
    return str(SECRETS["PAYMENT_SECRET_ID"]["sandbox_key"])
