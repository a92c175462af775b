"""One run of the job: what its steps share. `opening`, `days` and `closing` are the steps."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import urllib3
from rich.console import Console

from infra.demo.companies import CHANNEL, DEVELOPMENT, Companies, books
from infra.demo.deployment import PUBLIC, STAFF
from infra.demo.shop import Member, PaidOrder, Shop, ShopError
from infra.demo.shop_data import Sale, ShopData, guide_of
from infra.local.suite import Suite

T = TypeVar("T")
R = TypeVar("R")


class DemoError(Exception):
    """The job did not finish correctly; the message says why."""


@dataclass(slots=True)
class Numbers:
    """The figures of the closing table."""

    orders: int = 0
    supplier_orders: int = 0
    sales_fen: int = 0
    refunds: int = 0
    refund_fen: int = 0
    paid: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Orders, their fen and refunds, by payment channel."""
    unmatched: dict[str, list[int]] = field(default_factory=dict)
    """Numbers of rows that only the run finds to fit nothing, by reason."""
    credit_seconds: float = 0.0
    alarms: int = 0
    schedules: Counter[str] = field(default_factory=Counter)
    messages: int = 0


class Demo:
    """One run of the job. The customers log in on `platforms` in turn, and pay there."""

    def __init__(
        self, suite: Suite, data: ShopData, console: Console, *, platforms: Sequence[str] = (DEVELOPMENT,)
    ) -> None:
        self.suite = suite
        self.data = data
        self.console = console
        self.numbers = Numbers()
        self.platforms = platforms
        companies = Companies("" if suite.platforms is None else suite.platforms.url, self._click)
        self.shop = Shop(suite.urls[PUBLIC], suite.urls[STAFF], companies=companies, now=suite.clock.now)
        self.members: dict[str, Member] = {}
        self.guides: list[Member] = []
        self.inviters: list[Member] = []
        self.cards: list[str] = []
        self.english_cards: list[str] = []
        self.bought: dict[str, list[PaidOrder]] = defaultdict(list)
        self.due: list[tuple[datetime, str, PaidOrder]] = []
        self.keys: dict[str, str] = {}
        self.phones: dict[str, Member] = {}
        """Name of a key -> the member who is its person on the phone."""
        self.files: list[Path] = []
        self.payout: dict[str, Any] = {}
        self.paid_at = 0.0
        self.sandbox = urllib3.PoolManager(maxsize=8, timeout=30.0, retries=False)
        self._pool = ThreadPoolExecutor(max_workers=4)

    def _click(self, order_no: str, amount_fen: int) -> None:
        """Press the sandbox's pay button."""
        body = json.dumps({"order_no": order_no, "amount_fen": amount_fen}).encode()
        reply = self.sandbox.request("POST", f"{self.suite.sandbox.url}/v1/pay", body=body)
        if reply.status != 200:
            raise ShopError(f"the sandbox did not pay {order_no}: {reply.status} {reply.data!r}")

    def all(self, work: Callable[[T], R], items: Iterable[T], progress: Callable[[], None]) -> list[R]:
        """`work` on every item, in parallel; the first exception ends it."""

        def one(item: T) -> R:
            result = work(item)
            progress()
            return result

        return list(self._pool.map(one, items))

    def drain(self) -> None:
        """Have all that is due done, here and at the companies: notices of payments and refunds arrive."""
        self.suite.drain()
        if self.suite.platforms is not None:
            self.suite.platforms.settle()
            self.suite.drain()

    def company_books(self) -> dict[str, dict[str, int]]:
        """What the companies know of the payments."""
        return {} if self.suite.platforms is None else books(self.suite.platforms)

    def tick(self, moment: datetime, collapse_under: timedelta | None = None) -> None:
        """Move the clock, running the schedules due on the way."""
        if moment <= self.suite.clock.now():
            return
        for ran in self.suite.tick(until=moment, collapse_under=collapse_under):
            self.numbers.schedules[ran.function] += 1
            if ran.error is not None:
                raise DemoError(f"the schedule of {ran.function} failed: {ran.error}")

    def renew(self, members: Iterable[Member]) -> None:
        """New tokens for members whose old ones have expired."""
        self.all(self.shop.renew, {member.member_id: member for member in members}.values(), lambda: None)

    def shop_for(self, sales: Sequence[Sale]) -> list[PaidOrder]:
        """A customer's invoices as orders, each from the view of a guide's card to the payment."""
        orders = []
        for sale in sales:
            member = self.members[sale.customer]
            card = self.cards[guide_of(sale.customer, len(self.cards))]
            attribution = self.shop.view_card(card, member)
            order_id, amount, suppliers = self.shop.buy(member, sale.units, attribution)
            self.paid_at = time.monotonic()
            channel = CHANNEL[member.platform]
            orders.append(PaidOrder(order_id, sale.customer, sale.at, dict(sale.units), amount, channel, suppliers))
        if self.suite.platforms is not None:
            self.suite.platforms.settle()
        self.numbers.orders += len(orders)
        self.numbers.supplier_orders += sum(len(order.suppliers) for order in orders)
        self.numbers.sales_fen += sum(order.amount_fen for order in orders)
        return orders

    def ship(self, order: PaidOrder) -> None:
        """Every supplier reports its parcel."""
        for supplier_id in order.suppliers:
            self.shop.ship(supplier_id, order.order_id)

    def receive(self, order: PaidOrder) -> None:
        """The buyer confirms the receipt of what was not returned."""
        if any(order.returnable.values()):
            self.shop.receive(self.members[order.customer], order.order_id)

    def balance(self, member: Member) -> dict[str, int]:
        """A member's balance, as the API shows it to the member."""
        return dict(self.shop.http.send("GET", "/v1/me/balance", token=member.token).body)
