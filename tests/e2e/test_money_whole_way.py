"""The worked example of the plan `chain21` through the deployment's own surface: requests, signed reports, the pay
button, and days that pass. Fen by fen, with a goodwill refund and an after-sale that is open at the release."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.demo.companies import Companies
from infra.demo.deployment import PUBLIC, STAFF, start
from infra.demo.shop import Member, Shop
from infra.local.suite import Suite
from tests.people.goods import terms_of

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

SUPPLIER = "sup_kits"
SCOPES = ["suppliers:write", "catalog:write", "plans:publish", "network:appoint", "orders:refund"]
PLAN = {"preset": "chain21", "promote_on": "paid", "on_refund": "demote"}
CHECKS = ("levels", "peer", "fee", "cap", "head_count")


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    # One person gives more than a fifth of a line here; what asks a second one is in tests/orders.
    with start(workers=1, parameters={"GoodwillBps": "10000"}) as running:
        yield running


class Brand:
    """What people do, and what they are told."""

    def __init__(self, suite: Suite) -> None:
        stored = suite.clients.secrets.get_secret_value(SecretId=suite.environment["ADMIN_SECRET_ID"])["SecretString"]
        root = f"csk_root_{json.loads(stored)['key']}"
        self.suite = suite
        self.shop = Shop(suite.urls[PUBLIC], suite.urls[STAFF], companies=Companies("", self.pay), now=suite.clock.now)
        first, second = (self.shop.add_person(root, name) for name in ("Wang Fang", "Zhao Min"))
        self.shop.give_roles(
            self.shop.make_key(root, second, "hiring", ["staff:write"]), first, ["operator", "finance", "service"]
        )
        self.staff = self.shop.make_key(root, first, "console", SCOPES)
        self.approver = self.shop.make_key(root, second, "legal", ["plans:approve"])
        self.shop.add_supplier(self.staff, root, SUPPLIER, "Kits")
        kit = terms_of("Kit", SUPPLIER, 49_900, 100, qualifying=True)
        self.shop.http.send("PUT", "/v1/products/KIT", kit, token=self.staff)
        self.people: dict[str, Member] = {}

    def pay(self, order_no: str, amount_fen: int) -> None:
        assert self.suite.sandbox.pay(order_no, amount_fen)["notified"] == 200

    def publish(self, plan: dict[str, Any], *checks: str) -> Any:
        for check in checks:
            body = {"plan": plan, "check": check, "reason": "opinion on file"}
            self.shop.http.send("POST", "/v1/commission-plans/approvals", body, token=self.approver)
        return self.shop.http.send("POST", "/v1/commission-plans", plan, token=self.staff, expect=[201, 422]).body

    def join(self, name: str, inviter: str | None = None) -> None:
        self.people[name] = self.shop.log_in(name, self.people[inviter].member_id if inviter else None)

    def asks(self, name: str, method: str, path: str, body: Any = None) -> Any:
        member = self.people[name]
        self.shop.renew(member)
        return self.shop.http.send(method, path, body, token=member.token).body

    def buy(self, name: str) -> str:
        quote = self.asks(name, "POST", "/v1/quotes", {"lines": [{"sku": "KIT", "units": 1}]})["quote"]
        receiver = {"name": name, "phone": "13800138000", "address": "1 Nanjing East Road, Shanghai"}
        order_id = str(self.asks(name, "POST", "/v1/orders", {"quote": quote, "receiver": receiver})["order_id"])
        asked = self.asks(name, "POST", f"/v1/orders/{order_id}/payments", {"channel": "sandbox"})
        self.pay(asked["order_no"], asked["amount_fen"])
        self.suite.drain()
        return order_id

    def receive(self, name: str, order_id: str) -> None:
        assert self.shop.ship(SUPPLIER, order_id)
        self.asks(name, "POST", f"/v1/orders/{order_id}/receipts", {})
        self.suite.drain()

    def grant(self, order_id: str, amount_fen: int) -> Any:
        body = {"amount_fen": amount_fen, "reason": "came two weeks late"}
        path = f"/v1/orders/{order_id}/goodwill-refunds"
        answer = self.shop.http.send("POST", path, body, token=self.staff, expect=[202, 422]).body
        self.suite.drain()
        return answer

    def take_back(self, order_id: str, body: Any) -> Any:
        return self.shop.http.send("POST", f"/v1/orders/{order_id}/returns", body, token=self.staff).body

    def days(self, days: int) -> None:
        self.suite.tick(until=self.suite.clock.now() + timedelta(days=days))

    def has(self, *names: str) -> dict[str, tuple[int, int]]:
        """Frozen, and available less what is owed."""
        balances = {name: self.asks(name, "GET", "/v1/me/balance") for name in names}
        return {n: (b["frozen_fen"], b["available_fen"] - b["debt_fen"]) for n, b in balances.items()}

    def stands(self, name: str) -> tuple[str, str | None, str | None]:
        """Role, team owner, peer."""
        place = self.asks(name, "GET", "/v1/me/distribution")
        known = {member.member_id: name for name, member in self.people.items()}
        return place["role"], known.get(place["owner"]), known.get(place["peer"])


def test_the_worked_example_is_paid_released_and_taken_back_fen_by_fen(suite: Suite) -> None:
    brand = Brand(suite)
    refused = brand.publish(PLAN)
    published = brand.publish(PLAN, *CHECKS)
    brand.join("R")
    appointed = f"/v1/members/{brand.people['R'].member_id}/partner-appointments"
    brand.shop.http.send("POST", appointed, {"reason": "first partner"}, token=brand.staff)

    assert (refused["code"], [found["check"] for found in refused["facts"]["findings"]]) == (
        "PLAN_REFUSED",
        list(CHECKS),
    )
    assert published["plan"] == "chain21@1"

    brand.join("A", "R")
    brand.buy("A")
    assert (brand.has("R"), brand.stands("A")) == ({"R": (30_000, 0)}, ("distributor", "R", None))
    brand.join("B", "A")
    brand.buy("B")
    assert brand.has("R", "A") == {"R": (50_000, 0), "A": (10_000, 0)}
    brand.join("C", "A")
    third = brand.buy("C")
    assert brand.has("R", "A") == {"R": (70_000, 0), "A": (20_000, 0)}
    assert (brand.stands("A"), brand.stands("C")) == (("partner", None, "R"), ("distributor", "R", None))
    brand.join("D", "A")
    fourth = brand.buy("D")
    assert brand.has("R", "A") == {"R": (73_000, 0), "A": (50_000, 0)}
    assert brand.stands("D") == ("distributor", "A", None)

    over = brand.grant(third, 49_901)
    given = brand.grant(third, 19_900)
    assert (over["code"], over["facts"]["refundable_fen"]) == ("REFUND_EXCEEDS_PAID", 49_900)
    assert given["lines"] == [{"line_no": 1, "sku": "KIT", "units": 0, "amount_fen": 19_900}]
    assert brand.has("R", "A") == {"R": (73_000 - 7_976, 0), "A": (50_000 - 3_988, 0)}

    brand.receive("C", third)
    brand.receive("D", fourth)
    suite.sandbox.refund_status = "processing"
    back = {"reason": "broken", "lines": [{"sku": "KIT", "units": 1}]}
    brand.take_back(fourth, back)
    brand.days(9)
    # The third order is released, less what was taken; the fourth waits, however long, for its after-sale.
    assert brand.has("R", "A") == {"R": (53_000, 12_024), "A": (40_000, 6_012)}
    suite.sandbox.refund_status = "succeeded"
    brand.days(1)
    assert brand.has("R", "A") == {"R": (50_000, 12_024), "A": (10_000, 6_012)}
    # After a goodwill refund the unit refunds what was left of it.
    back_again = brand.take_back(third, back)
    suite.drain()
    assert back_again["amount_fen"] == 30_000
    assert brand.has("R", "A") == {"R": (50_000, 0), "A": (10_000, 0)}
    # Two of A's three people have gone: the plan demotes, and A has the old owner back.
    assert brand.stands("A") == ("distributor", "R", None)
    assert suite.dead_letters() == {}
