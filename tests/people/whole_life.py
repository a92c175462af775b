"""A shop that lives at random: everybody does something through the real handlers, and messages come as they like.

Every step is one thing that one party does: a buyer, the payment channel, a supplier, a queue, a schedule, finance. A
step may be killed at a random call; whoever took it takes it again, as buyers, channels, queues and schedules do.
"""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from moto.sqs.models import sqs_backends

from cardstock import environment
from cardstock.aws import files as s3
from cardstock.aws import queues as sqs
from cardstock.clock import rfc3339
from cardstock.orders import wiring as orders_wiring
from tests.house import faults
from tests.house.cloud import Context, http_event, queue_event
from tests.house.quick import ACCOUNT, told_by
from tests.people.buyers import RECEIVER
from tests.people.consents import login_body
from tests.people.goods import Goods, publish_goods
from tests.people.replies import Reply, reply
from tests.people.shop import Shop

REGION = "ap-east-1"
GOODS = (
    Goods("cup", "Cup", "sup_lights", 49_900, True, True, True, 100_000),
    Goods("tea", "Tea", "sup_hangers", 1_001, False, True, True, 100_000),
    Goods("jar", "Jar", "sup_lights", 33_333, True, True, True, 100_000),
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(index: int) -> str:
    """A well-formed resident identity number of an adult, one for each index."""
    digits = f"110105199005{1 + index % 28:02d}{index:03d}"
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True)) % 11]


class Life:
    """The parties, what they know, and what is on its way between them."""

    def __init__(self, shop: Shop, seed: str) -> None:
        sqs.forget_client()
        s3.forget_client()
        self.shop = shop
        self.clock = shop.clock
        self.cloud = shop.cloud
        self.seed = seed
        self.chance = random.Random(seed)
        publish_goods(GOODS, self.clock.now())
        self.secrets = {source: shop.supplier.register(source) for source in ("sup_lights", "sup_hangers")}
        self.staff = shop.staff.key(
            "network:appoint", "payouts:read", "payouts:approve", "payouts:settle", "orders:refund"
        )
        self.clerk = shop.staff.key("payouts:settle", "open_items:clear", name="Sun Yi")
        shop.publish_plan()
        self.members: dict[str, str] = {}
        """Member -> access token."""
        self.orders: dict[str, str] = {}
        """Order -> its buyer."""
        self.messages: dict[str, list[dict[str, Any]]] = {"order": [], "ledger": []}
        self.read = dict.fromkeys(("orders", "supplier-orders", "ledger"), 0)
        self.done: Counter[str] = Counter()
        self.killed = 0
        self._count = 0
        self.happenings: dict[Callable[[], object], int] = {
            self.join: 4, self.buy: 14, self.pay: 14, self.cancel: 1, self.expire: 1, self.ship: 12,
            self.receive: 11, self.give_back: 7, self.grant: 2, self.order_events: 16, self.ledger_events: 4,
            self.night: 8, self.month: 2,
        }  # fmt: skip
        """What can happen, and how often it does."""

    # What happens

    def step(self, *, kill: bool) -> str:
        """One thing, chosen at random; killed at one of its first calls if `kill`."""
        self.clock.move(seconds=self.chance.randint(1, 90))
        [happening] = self.chance.choices(list(self.happenings), list(self.happenings.values()))
        name: str = happening.__name__
        if kill:
            mode = self.chance.choice(("kill_before", "kill_after"))
            with faults.at(self.chance.randint(0, 5), mode) as seen:  # type: ignore[arg-type]  # two of the modes
                try:
                    happening()
                except faults.Killed:
                    self.killed += 1
            del seen
        else:
            happening()
        self.done[name] += 1
        self._listen()
        return name

    def finish(self) -> None:
        """What is on its way arrives; windows end; nobody does anything new."""
        for _ in range(4):
            while any(self.messages.values()):
                self.order_events()
                self.ledger_events()
                self._listen()
            self.clock.move(days=9)
            self.night()
            self._listen()

    def _listen(self) -> None:
        for table, kind in (("orders", "order"), ("supplier-orders", "order"), ("ledger", "ledger")):
            records = told_by(table, REGION, self.read[table])
            self.read[table] += len(records)
            self.messages[kind] += records

    def _key(self) -> str:
        self._count += 1
        return f"{self.seed}-{self._count}"

    def _some_order(self, *statuses: str) -> Any:
        """An order in one of these states, most likely a new one."""
        known = list(self.orders)
        self.chance.shuffle(known)
        for order_id in known:
            order = orders_wiring.orders().find_order(order_id)
            if order is not None and order.status in statuses:
                return order
        return None

    # People

    def join(self) -> None:
        from functions.members.api import app

        if len(self.members) >= 40:
            return
        index = len(self.members)
        body = login_body(f"m{index}", app_id="app")
        if self.members and index > 1:
            body["invite"] = self.chance.choice(list(self.members)[-5:])
        session = reply(app.handler(http_event("POST", "/v1/auth/sessions", body), Context()))
        assert session.status == 200, session
        member, token = session.body["member"]["member_id"], session.body["access_token"]
        person = {"name": "王小明", "id_number": id_number(index)}
        known = reply(app.handler(http_event("PUT", "/v1/me/identity", person, token=token), Context()))
        assert known.status == 200, known
        self.set_bank_account(token, index)
        self.members[member] = token
        if index < 2:
            path = f"/v1/members/{member}/partner-appointments"
            self.shop.send(app, "POST", path, {"reason": "one of the first"}, token=self.staff)

    def set_bank_account(self, token: str, index: int) -> None:
        """A passbook, to which money goes after three days."""
        from functions.bank_accounts.api import app

        account = {"holder": "王小明", "number": f"1001{index:012d}", "bank": "示例银行", "branch": "杭州支行"}
        known = reply(app.handler(http_event("PUT", "/v1/me/bank-account", account, token=token), Context()))
        assert known.status == 200, known

    def buy(self) -> None:
        if not self.members:
            return
        member = self.chance.choice(list(self.members))
        wanted = self.chance.sample([listing.sku for listing in GOODS], self.chance.randint(1, 3))
        quote = self.shop.buyer.quote({sku: self.chance.randint(1, 3) for sku in wanted}, member=member)
        placed = self.shop.buyer.send(
            "POST", "/v1/orders", {"quote": quote.body["quote"], "receiver": RECEIVER}, member=member, key=self._key()
        )
        assert placed.status == 201, placed
        self.orders[placed.body["order_id"]] = member

    def pay(self) -> None:
        order = self._some_order("placed", "placed", "expired" if self.chance.random() < 0.1 else "placed")
        if order is not None:
            notice = self.shop.channel.notice(order.order_id)
            for _ in range(self.chance.randint(1, 2)):
                assert self.shop.channel.notify(notice).status == 200

    def cancel(self) -> None:
        order = self._some_order("placed")
        if order is not None:
            self.shop.buyer.send("POST", f"/v1/orders/{order.order_id}/cancellations", member=order.member_id)

    def ship(self) -> None:
        order = self._some_order("paid")
        if order is not None:
            for source in order.supplier_ids:
                body = {
                    "type": "shipment.created",
                    "order_id": order.order_id,
                    "carrier": "SF",
                    "tracking_no": "SF1",
                }
                self._report(source, body, f"ship-{source}-{order.order_id}")

    def _report(self, source: str, body: dict[str, Any], message: str) -> Reply:
        return self.shop.supplier.report(self.secrets[source], body, source=source, message_id=message)

    def receive(self) -> None:
        order = self._some_order("shipped")
        if order is not None:
            self.shop.buyer.send("POST", f"/v1/orders/{order.order_id}/receipts", member=order.member_id)

    def give_back(self) -> None:
        order = self._some_order(*self.chance.choice((("paid", "shipped"), ("completed",), ("completed",))))
        if order is None:
            return
        left = {line.sku: line.units - line.refunded_units for line in order.lines if line.units > line.refunded_units}
        if left:
            sku = self.chance.choice(list(left))
            units = {sku: self.chance.randint(1, left[sku])}
            asked = self.shop.buyer.refund(order.order_id, units, key=self._key(), member=order.member_id)
            if asked.status != 202:
                assert asked.body["code"] == "UNITS_SENT", asked
                assert self.shop.staff.take_back(order.order_id, units, staff=self.staff, key=self._key()).status == 202

    def grant(self) -> None:
        order = self._some_order(*self.chance.choice((("paid", "shipped"), ("completed",))))
        if order is not None and order.refunded_fen < order.amount_fen:
            amount = self.chance.randint(1, order.amount_fen - order.refunded_fen)
            given = self.shop.staff.grant(order.order_id, amount, staff=self.staff, key=self._key(), second_person=True)
            if given.status == 202 and "open_item_id" in given.body:
                self.shop.staff.clear(given.body["open_item_id"], "granted", staff=self.clerk)

    # Queues and schedules

    def order_events(self) -> None:
        from functions.orders.on_change import app

        self._deliver("order", "order-events", app)

    def ledger_events(self) -> None:
        from functions.ledger.on_entry import app

        self._deliver("ledger", "ledger-events", app)

    def _deliver(self, kind: str, queue: str, app: Any) -> None:
        """Some of the messages that wait, in any order; one may come again although it was handled."""
        waiting = self.messages[kind]
        self.chance.shuffle(waiting)
        batch = waiting[: self.chance.randint(1, 10)]
        if not batch:
            return
        answer = app.handler(queue_event(queue, *batch), Context())
        failed = {entry["itemIdentifier"] for entry in answer["batchItemFailures"]}
        again = batch[:1] if self.chance.random() < 0.1 else []
        self.messages[kind] = [
            *waiting[len(batch) :], *(m for n, m in enumerate(batch) if f"m{n}" in failed), *again,
        ]  # fmt: skip
        # Who listens to the shop is not of this test, and the emulated queue gets slower with every message.
        queues = sqs_backends[ACCOUNT][REGION]
        queues.delete_queue("webhooks")
        queues.create_queue("webhooks")

    def expire(self) -> None:
        self.clock.move(minutes=31)
        self.shop.sweep()

    def night(self) -> None:
        from functions.ledger.nightly_release import app

        self.clock.move(days=self.chance.randint(1, 4))
        app.handler({"scheduled_at": rfc3339(self.clock.now())}, Context(remaining_ms=900_000))

    # Finance

    def month(self) -> None:
        """The month's payout, from the tick to the bank's results."""
        from functions.payouts.api import app as payouts
        from functions.payouts.monthly_open import app as monthly
        from functions.payouts.reports_api import app as reports

        self.clock.set((self.clock.now().replace(day=1) + timedelta(days=32)).replace(day=1))
        payout = monthly.handler({"scheduled_at": rfc3339(self.clock.now())}, Context())["payout_id"]
        self._steps()
        path = f"/v1/payouts/{payout}"
        seen = self.shop.send(payouts, "GET", path, token=self.staff).body
        approval = {"lines": seen["listed"], "listed_fen": seen["listed_fen"], "note": "checked"}
        self.shop.send(payouts, "POST", f"{path}/approvals", approval, token=self.staff)
        self._steps()
        lines = self.shop.send(reports, "GET", f"{path}/lines", token=self.staff, query={"limit": "100"}).body["items"]
        sent = [line for line in lines if line["status"] == "sent"]
        self.clock.move(hours=self.chance.randint(1, 40))
        results = [
            {"number": line["number"], "result": self.chance.choice(("paid", "paid", "paid", "failed"))}
            for line in sent
        ]
        if results:
            body = {"results": results, "all_others_paid": False}
            brought = self.shop.send(payouts, "POST", f"{path}/results", body, token=self.clerk)
            assert brought.status == 202, brought
        self._steps()

    def _steps(self) -> None:
        from functions.payouts.on_step import app

        while bodies := self.cloud.messages(environment.text("PAYOUT_STEPS_QUEUE_URL")):
            for body in bodies:
                app.handler(queue_event("payout-steps", body), Context())
