"""A life in which everything happens that leaves something behind: it is what a release records."""

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
import time_machine
from msgspec.structs import replace

from cardstock import environment
from cardstock.clock import rfc3339
from cardstock.compliance import wiring as compliance_wiring
from cardstock.compliance.alarms import raise_alarms
from cardstock.compliance.model import Subtree
from cardstock.edge import wiring as edge_wiring
from cardstock.network import wiring as network_wiring
from cardstock.network.presets import FREE_ORDER
from cardstock.signing import ACCESS
from functions.cards.on_view import app as on_view
from functions.compliance.nightly_check import app as nightly_check
from functions.ledger.nightly_seal import app as nightly_seal
from functions.network.monthly_dividends import app as monthly_dividends
from functions.orders.nightly_sales import app as nightly_sales
from functions.orders.on_change import app as on_change
from functions.payouts.monthly_open import app as monthly_open
from functions.payouts.nightly_tax import app as nightly_tax
from functions.recommendations.nightly_learning import app as nightly_learning
from tests.house.cloud import REGION, Context, http_event, queue_event
from tests.house.quick import told_by
from tests.people.buyers import RECEIVER
from tests.people.consents import login_body
from tests.people.partner_server import PartnerServer
from tests.people.payment_parties import WechatParty, notify, opened
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.staff import serve_confirmed, staff_key
from tests.people.trade import DEMO_PLAN, publish_approved
from tests.people.whole_life import Life, id_number

PLAN = replace(DEMO_PLAN, id="dividends", dividend_bps=200)
FREE = replace(FREE_ORDER, id="free")
SAMPLES = 4
"""Messages of each kind that are kept."""


class FullLife:
    """`live` runs a shop at random and then does what it left out; `messages` then has samples of all that was sent."""

    def __init__(self, shop: Shop, server: PartnerServer, seed: str, life: Life | None = None) -> None:
        self.shop = shop
        self.cloud = shop.cloud
        self.clock = shop.clock
        self.server = server
        self.seed = seed
        self.life = life or Life(shop, seed)
        self.staff = staff_key("Li Na", "debts:write_off", "payouts:approve", "webhooks:write", "network:appoint")
        self.second = staff_key("Wang Fang", "debts:write_off", "payouts:approve")
        self.requests: list[dict[str, Any]] = []
        """Requests with keys of the staff, and what they were answered."""
        self._messages: defaultdict[tuple[str, Any], list[Any]] = defaultdict(list)
        self._followed = {"orders": 0, "supplier-orders": 0}

    def live(self, steps: int) -> None:
        """Everything."""
        publish_approved(PLAN, self.clock.now())
        for number in range(steps):
            self.life.step(kill=number % 9 == 8)
        self.pay_a_reward_that_is_taken_back()
        self.write_off_debts()
        self.deliver_webhooks()
        self.show_cards()
        self.use_one_account_for_two()
        publish_approved(FREE, self.clock.now())
        self.use_a_coupon()
        self.pay_on_a_platform()
        self.life.finish()
        self.work_at_night()
        self.life.month()
        self.open_next_month()
        self.life.buy()
        self.life.pay()
        self.ask_for_an_export(self._join("newest", None))
        self._keep_streams()

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> Reply:
        """A request to whatever function has the route, which must go well."""
        answer = reply(serve_confirmed(http_event(method, path, body, **options)))
        assert answer.status < 300, (path, answer)
        if answer.status == HTTPStatus.CREATED and str(options.get("token")).startswith("csk_"):
            text = None if body is None else json.dumps(body, ensure_ascii=False)
            sent = {"path": path, "body": text, "token": options["token"], "key": options["key"]}
            self.requests.append({**sent, "status": answer.status, "answer": answer.body})
        return answer

    def named(self, name: str) -> str:
        """A name that no other life on the same account uses."""
        return f"{self.seed}-{name}"

    def keep(self, queue: str, *bodies: Any, kind: Any = None) -> None:
        """Keep some messages of each kind."""
        kept = self._messages[queue, kind]
        kept.extend(bodies[: SAMPLES - len(kept)])

    def messages(self) -> dict[str, list[Any]]:
        """Queue -> bodies."""
        found: dict[str, list[Any]] = {}
        for (queue, _), bodies in self._messages.items():
            found.setdefault(queue, []).extend(bodies)
        return found

    # What happens

    def pay_a_reward_that_is_taken_back(self) -> None:
        """A partner is paid for orders and as a share of the team's sales; the goods come back, and debt remains."""
        partner = self._join("partner", None)
        profile = {"nickname": "小明", "birth_year": 1990}
        self.send("PUT", "/v1/me", profile, token=self.shop.buyer.token(partner))
        person = {"name": "王小明", "id_number": id_number(90)}
        self.send("PUT", "/v1/me/identity", person, token=self.shop.buyer.token(partner))
        self.life.set_bank_account(self.shop.buyer.token(partner), 90)
        self.send(
            "POST",
            f"/v1/members/{partner}/partner-appointments",
            {"reason": "known"},
            token=self.staff,
            key=self.named("a"),
        )
        bought = {}
        for name in ("debt-1", "debt-2"):
            buyer = self._join(name, partner)
            order_id = self._order(buyer, name, cups=3)
            assert self.shop.buyer.pay(order_id).status == 200
            self._follow_orders()
            shipped = {
                "type": "shipment.created",
                "order_id": order_id,
                "carrier": "SF",
                "tracking_no": self.named(name),
            }
            self.shop.supplier.report(
                self.life.secrets["sup_lights"], shipped, source="sup_lights", message_id=self.named(name)
            )
            self.send(
                "POST",
                f"/v1/orders/{order_id}/receipts",
                {},
                token=self.shop.buyer.token(buyer),
                key=self.named(f"r-{name}"),
            )
            self._follow_orders()
            bought[order_id] = buyer
        self.clock.move(days=9)
        self.life.night()
        self._first_of_next_month()
        self._tick(monthly_dividends)
        self.life.month()
        for order_id, buyer in bought.items():
            asked = self.shop.staff.take_back(
                order_id, {"cup": 3}, staff=self.life.staff, key=self.named(f"back-{buyer}")
            )
            assert asked.status == 202, asked
        self._follow_orders()

    def _first_of_next_month(self) -> None:
        self.clock.set((self.clock.now().replace(day=1) + timedelta(days=32)).replace(day=1))

    def _tick(self, function: Any) -> Any:
        return function.handler({"scheduled_at": rfc3339(self.clock.now())}, Context(remaining_ms=900_000))

    def deliver_webhooks(self) -> None:
        """Two endpoints: one answers, one has failed and waits."""
        endpoint = {"url": self.server.url, "events": ["order.paid"]}
        made = self.send("POST", "/v1/webhook-endpoints", endpoint, token=self.staff, key=self.named("endpoint-1")).body
        self._follow_orders()
        for status in (204, 500):
            self.server.status = status
            self.send(
                "POST",
                f"/v1/webhook-endpoints/{made['endpoint_id']}/tests",
                {},
                token=self.staff,
                key=self.named(f"t{status}"),
            )
            for body in self._webhooks():
                self.keep("webhooks", body, kind="attempt" if "delivery_id" in body else body["type"])
                assert self.shop.webhooks.consume(body) == []
        self.keep("webhooks", *self._webhooks(), kind="later attempt")

    def _webhooks(self) -> list[Any]:
        return self._waiting("WEBHOOKS_QUEUE_URL")

    def _waiting(self, queue: str) -> list[Any]:
        """Take everything from a queue, also what becomes visible later."""
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15)):
            return self.cloud.messages(environment.text(queue))

    def show_cards(self) -> None:
        """A guide's card is shared and seen, by a member and by a stranger."""
        token, visitor = (self.shop.buyer.token(member) for member in list(self.life.members)[:2])
        face = {
            "name": "林晓雨",
            "title": "高级导购",
            "company": "山野露营",
            "phone": "+8613800138000",
            "tags": ["露营"],
        }
        card = self.send(
            "POST", "/v1/cards", {"versions": {"default": face}}, token=token, key=self.named("card-1")
        ).body
        share = self.send("POST", f"/v1/cards/{card['card']}/shares", {}, token=token, key=self.named("share-1")).body
        for credential in (visitor, None):
            seen = self.send("GET", f"/v1/cards/{share['share']}").body
            self.send("POST", "/v1/card-views", {"ticket": seen["view_ticket"]}, token=credential)
        views = self.cloud.messages(environment.text("CARD_VIEWS_QUEUE_URL"))
        self.keep("card-views", *views)
        on_view.handler(queue_event("card-views", *views), Context())

    def use_one_account_for_two(self) -> None:
        """Two members pay from one account, which holds their rewards; one hold is lifted, and a subtree is stopped."""
        buyers = [member for member in self.life.members if member not in list(self.life.members)[:2]][:6]
        for number, member in enumerate(buyers):
            assert self.shop.buyer.pay(self._order(member, f"held-{number}"), payer="one account").status == 200
            self._follow_orders()
        held = self.send("GET", "/v1/reward-holds", token=staff_key("Li Na", "payouts:read")).body["items"]
        self.send("POST", f"/v1/reward-holds/{held[0]['order_id']}/lifts", {"reason": "checked"}, token=self.staff)
        raise_alarms([Subtree(buyers[-1], 40, 4, (buyers[-1],))], alarms=compliance_wiring.alarms())

    def use_a_coupon(self) -> None:
        """With two friends who paid, the third order is free."""
        host = self._join("host", None)
        for name in ("host", "friend-1", "friend-2"):
            member = host if name == "host" else self._join(name, host)
            order_id = self._order(member, name)
            assert self.shop.buyer.pay(order_id).status == 200
            self._follow_orders()
        coupon = self.send("GET", "/v1/me/distribution", token=self.shop.buyer.token(host)).body["coupon"]
        assert coupon
        self._order(host, "free", coupon=coupon)
        self._follow_orders()

    def pay_on_a_platform(self) -> None:
        """An order is paid by WeChat Pay, a part is refunded and the rest is sent, which WeChat must know."""
        party, member = WechatParty(self.clock), self._join("on-wechat", None)
        claims = {"sub": member, "acc": party.payer}
        token = edge_wiring.signer().sign(ACCESS, claims, lifetime=timedelta(hours=2))
        with pytest.MonkeyPatch.context() as patched, opened(party, self.cloud, patched):
            quote = self.send("POST", "/v1/quotes", {"lines": [{"sku": "cup", "units": 2}]}, token=token).body["quote"]
            order = {"quote": quote, "receiver": RECEIVER}
            order_id = self.send("POST", "/v1/orders", order, token=token, key=self.named("on-wechat")).body["order_id"]
            path = f"/v1/orders/{order_id}"
            started = self.send("POST", f"{path}/payments", {"channel": party.name}, token=token).body
            party.confirm(started["parameters"])
            assert [notify(party.name, sent)["statusCode"] for sent in party.sent] == [204]
            self._follow_orders()
            asked = {"reason": "one is enough", "lines": [{"sku": "cup", "units": 1}]}
            self.send("POST", f"{path}/refunds", asked, token=token, key=self.named("wechat-refund"))
            self._follow_orders()
            shipped = {
                "type": "shipment.created",
                "order_id": order_id,
                "carrier": "SF",
                "tracking_no": self.named("wechat"),
            }
            self.shop.supplier.report(
                self.life.secrets["sup_lights"], shipped, source="sup_lights", message_id=self.named("wechat")
            )
            self._follow_orders()
        self.keep("orders-shipped", *self._waiting("ORDERS_SHIPPED_QUEUE_URL"))

    def ask_for_an_export(self, member_id: str) -> None:
        """A member asks for the own data, and the message is on its way."""
        token = self.shop.buyer.token(member_id)
        self.send("POST", "/v1/me/exports", token=token, key=self.named("export"))
        self.keep("exports", *self._waiting("EXPORTS_QUEUE_URL"))

    def open_next_month(self) -> None:
        """The next month's payout is opened, and its first step is on its way."""
        self._first_of_next_month()
        self._tick(monthly_open)
        self.keep("payout-steps", *self.cloud.messages(environment.text("PAYOUT_STEPS_QUEUE_URL")))

    def work_at_night(self) -> None:
        """Every schedule that the random life leaves out."""
        for function in (nightly_check, nightly_seal, nightly_sales, nightly_learning, nightly_tax):
            self._tick(function)

    def write_off_debts(self) -> None:
        """One debt is written off by two people, another one is asked for."""
        debts = {item["pk"]["S"]: -int(item["available"]["N"]) for item in self.cloud.items("balances")
                 if int(item.get("available", {"N": "0"})["N"]) < 0}  # fmt: skip
        for number, (member, fen) in enumerate(list(debts.items())[:2]):
            body = {"member_id": member, "amount_fen": min(fen, 100), "reason": "moved away"}
            asked = self.send(
                "POST", "/v1/debt-write-offs", body, token=self.staff, key=self.named(f"off-{number}")
            ).body
            if number == 0:
                path = f"/v1/debt-write-offs/{asked['write_off_id']}/approvals"
                self.send("POST", path, {"note": "checked"}, token=self.second, key=self.named("off-approval"))

    def _join(self, name: str, inviter: str | None) -> str:
        body = login_body(self.named(name), app_id="app")
        if inviter is not None:
            body["invite"] = inviter
        session = self.send("POST", "/v1/auth/sessions", body).body
        self.life.members[session["member"]["member_id"]] = session["access_token"]
        return str(session["member"]["member_id"])

    def _order(self, member: str, key: str, cups: int = 1, **options: Any) -> str:
        network_wiring.plans.cache_clear()  # a process of its own has read no plan yet
        quote = self.shop.buyer.quote({"cup": cups}, member=member, **options)
        placed = self.shop.buyer.place(quote.body["quote"], key=self.named(key), member=member)
        assert placed.status == 201, placed
        self.life.orders[placed.body["order_id"]] = member
        return str(placed.body["order_id"])

    def _follow_orders(self) -> None:
        """The streams of orders reach their consumer, and what it changes does too."""
        while records := [record for table in self._followed for record in self._new_records(table)]:
            assert not on_change.handler(queue_event("order-events", *records), Context())["batchItemFailures"]

    def _new_records(self, table: str) -> list[dict[str, Any]]:
        records = told_by(table, REGION, self._followed[table])
        self._followed[table] += len(records)
        return records

    def _keep_streams(self) -> None:
        """Samples of every kind of change that the streams told."""
        for table, queue in (
            ("orders", "order-events"),
            ("supplier-orders", "order-events"),
            ("ledger", "ledger-events"),
        ):
            for record in told_by(table, REGION, 0):
                image = record["dynamodb"]["NewImage"]
                kind = (table, record["eventName"], *(image[name]["S"] for name in ("status", "kind") if name in image))
                self.keep(queue, record, kind=kind)


def resume(shop: Shop, seed: str) -> Life:
    """The life of a shop whose tables are filled: everybody in them goes on."""
    life = Life(shop, seed)
    for item in shop.cloud.items("members"):
        if item["pk"]["S"].startswith("mem_") and "sk" not in item:
            life.members[item["pk"]["S"]] = shop.buyer.token(item["pk"]["S"])
    for item in shop.cloud.items("orders"):
        # A platform's order needs the platform: this life's channel is the sandbox.
        if item["pk"]["S"].startswith("ord_") and "member_id" in item and not _is_on_a_platform(item):
            life.orders[item["pk"]["S"]] = item["member_id"]["S"]
    return life


def _is_on_a_platform(item: dict[str, Any]) -> bool:
    return "pc" in item and item["pc"] != {"S": "sandbox"}
