"""A small shop for tests: goods, members, and every step from the quote to the receipt through the real handlers.

Functions are imported where they are called: an import makes the process's client, which the
rights plugin must see.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from cardstock.attribution import Attribution, sign_attribution
from cardstock.catalog import wiring as catalog_wiring
from cardstock.catalog.model import Listing
from cardstock.clock import now, rfc3339
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.callers import ACCESS
from cardstock.edge.signatures import sign, verify
from cardstock.orders import wiring as orders_wiring
from tests.house.cloud import SECRETS, Cloud, Context, http_event, serve
from tests.people.clock import TestClock
from tests.people.staff import staff_key

BUYER = "mem_" + "b" * 26
STRANGER = "mem_" + "s" * 26
RECEIVER = {"name": "王小明", "phone": "13800138000", "address": "上海市静安区南京西路1266号恒隆广场2座1801室"}
GOODS = (
    Listing("85123A", "WHITE HANGING HEART T-LIGHT HOLDER", "sup_lights", 25_500, True, True, True, 100),
    Listing("71053", "WHITE METAL LANTERN", "sup_lights", 33_900, False, True, True, 100),
    Listing("84406B", "CREAM CUPID HEARTS COAT HANGER", "sup_hangers", 1_001, False, True, True, 100),
)
CART = {"85123A": 6, "71053": 2, "84406B": 3}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answered."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def replayed(self) -> bool:
        return self.headers.get("Idempotent-Replayed") == "true"


def reply(answer: Mapping[str, Any]) -> Reply:
    """A handler's answer, decoded."""
    headers = {**answer.get("headers", {})}
    headers.update({name: values[0] for name, values in answer.get("multiValueHeaders", {}).items()})
    return Reply(answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None, headers)


class Channel:
    """The sandbox payment channel behind httpx's transport. `answers` False: it does what it is told, silently."""

    def __init__(self) -> None:
        self.payments: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.refund_status = "succeeded"
        self.answers = True

    def handle(self, request: httpx.Request) -> httpx.Response:
        """What `httpx.MockTransport` calls."""
        kind, number = request.url.path.removeprefix("/v1/").partition("/")[::2]
        if kind == "payments":
            found = self.payments.get(number, {"order_no": number, "status": "unpaid"})
        else:
            headers = {name.lower(): value for name, value in request.headers.items()}
            verify([SECRETS["PAYMENT_SECRET_ID"]["sandbox_key"]], headers, request.content, now())
            asked = json.loads(request.content)
            found = self.refunds.setdefault(asked["refund_no"], asked | {"status": self.refund_status})
        if not self.answers:
            raise httpx.ReadTimeout("no answer", request=request)
        return httpx.Response(200, json=found)


class Shop:
    """What buyers, the payment channel and the clock do."""

    def __init__(self, cloud: Cloud, clock: TestClock, channel: Channel) -> None:
        self.cloud = cloud
        self.clock = clock
        self.channel = channel
        catalog_wiring.products().publish_listings(GOODS, clock.now())

    def token(self, member: str = BUYER) -> str:
        """A member's access token."""
        return edge_wiring.signer().sign(ACCESS, {"sub": member}, lifetime=timedelta(hours=2))

    def attribution(self) -> str:
        """What a card view answers."""
        viewed = Attribution("crd_" + "c" * 26, "k7m2p9xw4t", "viw_" + "v" * 26, "mem_" + "g" * 26)
        return sign_attribution(edge_wiring.signer(), viewed)

    def send(self, method: str, path: str, body: Any = None, *, member: str = BUYER, **more: Any) -> Reply:
        """A member's request to the orders function."""
        return reply(serve(http_event(method, path, body, token=self.token(member), **more)))

    def quote(self, units: Mapping[str, int] = CART, *, member: str = BUYER, **more: Any) -> Reply:
        """Ask for a quote."""
        lines = [{"sku": sku, "units": count} for sku, count in units.items()]
        return self.send("POST", "/v1/quotes", {"lines": lines, **more}, member=member)

    def place(self, quote: str, *, key: str = "order-1", member: str = BUYER) -> Reply:
        """Place an order."""
        return self.send("POST", "/v1/orders", {"quote": quote, "receiver": RECEIVER}, member=member, key=key)

    def order(self, units: Mapping[str, int] = CART, *, key: str = "order-1") -> str:
        """Quote and place: the order's id."""
        placed = self.place(self.quote(units, attribution=self.attribution()).body["quote"], key=key)
        assert placed.status == 201, placed
        return str(placed.body["order_id"])

    def amount(self, order_id: str) -> int:
        """What the order costs."""
        found = orders_wiring.orders().find_order(order_id)
        assert found is not None
        return found.amount_fen

    def notice(self, order_id: str, **other: Any) -> dict[str, Any]:
        """The channel's notice of a payment."""
        sent = {
            "channel": "sandbox",
            "event": "payment.succeeded",
            "order_no": order_id,
            "transaction_no": f"sbx_{order_id[-10:]}",
            "amount_fen": other.pop("amount_fen", None) or self.amount(order_id),
            "currency": "CNY",
            "paid_at": rfc3339(self.clock.now()),
        }
        return sent | other

    def notify(self, notice: dict[str, Any] | str, *, at: datetime | None = None, key: str | None = None) -> Reply:
        """Have the channel tell the payment inbox, signed at `at` with `key`."""
        from functions.orders.payment_inbox import app as payment_inbox

        body = notice if isinstance(notice, str) else json.dumps(notice)
        secret = key or SECRETS["PAYMENT_SECRET_ID"]["sandbox_key"]
        headers = sign(secret, "msg_1", at or self.clock.now(), body.encode())
        event = http_event("POST", "/v1/payments/sandbox/notify", body, headers=headers)
        return reply(payment_inbox.handler(event, Context()))

    def pay(self, order_id: str, **other: Any) -> Reply:
        """Pay an order."""
        return self.notify(self.notice(order_id, **other))

    def refund(self, order_id: str, units: Mapping[str, int], *, key: str = "refund-1", member: str = BUYER) -> Reply:
        """Ask for a refund."""
        lines = [{"sku": sku, "units": count} for sku, count in units.items()]
        body = {"reason": "broken", "lines": lines}
        return self.send("POST", f"/v1/orders/{order_id}/refunds", body, key=key, member=member)

    def staff(self, *scopes: str) -> str:
        """A new key of the staff."""
        return staff_key("Wang Fang", *scopes)

    def grant(self, order_id: str, amount: int, *, staff: str, key: str = "grant-1", reason: str = "late") -> Reply:
        """Have somebody of the staff give money back without units."""
        body = {"amount_fen": amount, "reason": reason}
        event = http_event("POST", f"/v1/orders/{order_id}/goodwill-refunds", body, token=staff, key=key)
        return reply(serve(event))

    def sweep(self, *, remaining_ms: int = 60_000) -> dict[str, Any]:
        """Let the schedule tick."""
        from functions.orders.sweep import app as sweep_expired

        event = {"scheduled_at": rfc3339(self.clock.now())}
        return sweep_expired.handler(event, Context(remaining_ms=remaining_ms))

    def stock(self) -> dict[str, tuple[int, int]]:
        """What can be sold and what is held, per SKU."""
        return {
            item["pk"]["S"]: (int(item["stock"]["N"]), int(item["held"]["N"])) for item in self.cloud.items("products")
        }

    def books(self) -> Any:
        """All that must not differ after faults: stock, orders, refunds and supplier orders without ids and times."""
        orders: list[Any] = []
        refunds: list[Any] = []
        for item in self.cloud.items("orders"):
            figures = {name: item[name] for name in ("st", "a", "l", "v")}
            (orders if item["sk"]["S"] == "order" else refunds).append(figures)
        parts = [{name: item[name] for name in ("pk", "st", "l", "v")} for item in self.cloud.items("supplier-orders")]
        return [self.stock(), *(sorted(part, key=repr) for part in (orders, refunds, parts))]


@pytest.fixture
def channel() -> Iterator[Channel]:
    """A payment channel that knows of no payment."""
    made = Channel()
    orders_wiring.set_payment_transport(httpx.MockTransport(made.handle))
    yield made
    orders_wiring.set_payment_transport(None)


@pytest.fixture
def shop(cloud: Cloud, clock: TestClock, channel: Channel) -> Shop:
    """A shop with goods."""
    return Shop(cloud, clock, channel)
