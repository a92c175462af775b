"""The shop of the tests: one brand on an emulated account, with its parties as parts.

A part is made when a test first uses it, so that a test pays only for what it uses:

    shop.buyer      members who quote, order and refund over HTTP; the goods are published with it
    shop.channel    the payment channel: notices of payments, answers to refunds
    shop.supplier   registration, keys and signed reports of suppliers
    shop.staff      people of the staff and their keys
    shop.webhooks   endpoints and the queue of deliveries
    shop.finance    members with money, and the payout from its schedule to the bank's results
    shop.trade      members who refer each other, through the verbs: orders, streams, rewards, nights
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pytest

from cardstock.clock import rfc3339
from cardstock.network.plan import Plan
from tests.house.cloud import Cloud, Context, http_event
from tests.people.buyers import Buyers
from tests.people.clock import TestClock
from tests.people.finance import FIRST, Finance
from tests.people.goods import Goods, publish_goods
from tests.people.payment_channel import PaymentChannel
from tests.people.replies import Reply, reply
from tests.people.staff import Staff, serve_confirmed
from tests.people.suppliers import HANGERS, LIGHTS, Suppliers
from tests.people.trade import DEMO_PLAN, Trade, publish_approved
from tests.people.webhooks import Webhooks

GOODS = (
    Goods("85123A", "WHITE HANGING HEART T-LIGHT HOLDER", LIGHTS, 25_500, True, True, True, 100),
    Goods("71053", "WHITE METAL LANTERN", LIGHTS, 33_900, False, True, True, 100),
    Goods("84406B", "CREAM CUPID HEARTS COAT HANGER", HANGERS, 1_001, False, True, True, 100),
)


class Shop:
    """One brand and all who deal with it. `plan` is in force from the first use of `trade`."""

    def __init__(self, cloud: Cloud, clock: TestClock, *, plan: Plan = DEMO_PLAN) -> None:
        self.cloud = cloud
        self.clock = clock
        self.plan = plan
        self.orders: dict[str, str] = {}
        """Orders that a test calls by a name."""
        self._requests = 0
        self._stocked = self._published = False

    @cached_property
    def buyer(self) -> Buyers:
        """Members who buy the shop's goods over HTTP."""
        self.stock_up()
        return Buyers(self.channel)

    @cached_property
    def channel(self) -> PaymentChannel:
        """The payment channel that the functions talk to from now on."""
        made = PaymentChannel(self.clock)
        made.open()
        return made

    @cached_property
    def supplier(self) -> Suppliers:
        """Suppliers of the goods."""
        return Suppliers(self.clock, self.staff)

    @cached_property
    def staff(self) -> Staff:
        """People of the staff."""
        return Staff()

    @cached_property
    def webhooks(self) -> Webhooks:
        """Webhook endpoints and their deliveries."""
        return Webhooks(self.cloud)

    @cached_property
    def finance(self) -> Finance:
        """The people who pay members out."""
        return Finance(self.cloud, self.clock)

    @cached_property
    def trade(self) -> Trade:
        """Members who refer each other and trade under `plan`."""
        self.publish_plan()
        return Trade(self.cloud, self.clock)

    def close(self) -> None:
        """Leave the functions with their own way to the payment channel."""
        if "channel" in vars(self):
            self.channel.close()

    def reopen(self) -> None:
        """Forget the parties, whose requests and keys count from one again. The account stays as it is."""
        self.close()
        for name, kind in vars(Shop).items():
            if isinstance(kind, cached_property):
                vars(self).pop(name, None)
        self._requests, self._stocked, self._published = 0, False, False

    def stock_up(self) -> None:
        """Publish the goods, a hundred units of each, unless that was done."""
        if not self._stocked:
            self._stocked = True
            publish_goods(GOODS, self.clock.now())

    def publish_plan(self) -> None:
        """Put `plan` in force, unless that was done."""
        if not self._published:
            self._published = True
            publish_approved(self.plan, self.clock.now())

    def send(self, function: Any, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        """A request to a function, whose module is given; POSTs get a fresh Idempotency-Key unless `key` is given. The
        phone confirms what it must."""
        if method == "POST":
            self._requests += 1
            more.setdefault("key", f"request-{self._requests}")
        event = http_event(method, path, body, **more)
        return reply(serve_confirmed(event, lambda sent: function.handler(sent, Context())))

    def sweep(self, *, remaining_ms: int = 60_000) -> dict[str, Any]:
        """The schedule that expires orders and finishes refunds fires."""
        from functions.orders.sweep import app as sweep_expired

        event = {"scheduled_at": rfc3339(self.clock.now())}
        return sweep_expired.handler(event, Context(remaining_ms=remaining_ms))

    def stock(self) -> dict[str, tuple[int, int]]:
        """What can be sold and what is held, per SKU."""
        return {
            item["pk"]["S"]: (int(item["stock"]["N"]), int(item["held"]["N"])) for item in self.cloud.items("products")
        }

    def order_books(self) -> Any:
        """All that must not differ after faults: stock, orders, refunds, supplier orders and open items without ids
        and times."""
        orders: list[Any] = []
        refunds: list[Any] = []
        for item in self.cloud.items("orders"):
            figures = {name: item[name] for name in ("st", "a", "l", "v")}
            (orders if item["sk"]["S"] == "order" else refunds).append(figures)
        parts = [{name: item[name] for name in ("pk", "st", "l", "v")} for item in self.cloud.items("supplier-orders")]
        items = [
            {name: item[name] for name in ("pk", "state", "amount_fen", "version")}
            for item in self.cloud.items("open-items")
        ]
        agreements = [
            {name: item[name] for name in ("st", "charges", "contract_no", "ended_by", "v") if name in item}
            for item in self.cloud.items("agreements")
        ]
        return [self.stock(), *(sorted(part, key=repr) for part in (orders, refunds, parts, items, agreements))]


@pytest.fixture
def shop(cloud: Cloud, clock: TestClock) -> Iterator[Shop]:
    """A shop whose parties have done nothing yet."""
    opened = Shop(cloud, clock)
    yield opened
    opened.close()


@pytest.fixture
def finance(shop: Shop) -> Finance:
    """`shop.finance` on the first of December, at the hour of the monthly schedule."""
    shop.clock.set(FIRST)
    return shop.finance
