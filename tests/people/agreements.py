"""A member who pays under an agreement, over HTTP."""

from datetime import timedelta
from typing import Any

from cardstock.edge import wiring as edge_wiring
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.agreement_model import Agreement
from cardstock.signing import ACCESS
from tests.house.cloud import http_event, serve
from tests.people.buyers import BUYER, RECEIVER
from tests.people.replies import Reply, reply
from tests.people.shop import Shop

ACCOUNT = "dev:wx1:payer"


class AgreementHolder:
    """A member who logged in on `account`, orders coat hangers (1,001 fen each) and has them charged."""

    def __init__(self, shop: Shop, *, member: str = BUYER, account: str = ACCOUNT) -> None:
        self.shop, self.member, self.account = shop, member, account
        self.orders = 0
        shop.stock_up()
        self.channel = shop.channel

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        claims = {"sub": more.pop("member", self.member), "acc": more.pop("account", self.account)}
        token = edge_wiring.signer().sign(ACCESS, claims, lifetime=timedelta(hours=2))
        return reply(serve(http_event(method, path, body, token=token, **more)))

    def ask(self, charge_fen: int = 5_000, day_fen: int = 12_000, **more: Any) -> Reply:
        body = {"channel": "sandbox", "charge_fen": charge_fen, "day_fen": day_fen}
        return self.send("POST", "/v1/me/payment-agreements", body | more.pop("body", {}), **more)

    def asked(self, **more: Any) -> str:
        """The id of an agreement that is not signed."""
        made = self.ask(**more)
        assert made.status == 201, made
        return str(made.body["agreement"]["agreement_id"])

    def signed(self, **more: Any) -> str:
        """The id of an active agreement: signed, and the notice has come."""
        agreement_id = self.asked(**more)
        self.channel.company.sign_agreement(agreement_id)
        assert self.tell(agreement_id, "signed").status == 200
        return agreement_id

    def tell(self, agreement_id: str, event: str, **other: Any) -> Reply:
        """The channel's notice arrives."""
        return self.channel.notify(self.channel.agreement_notice(agreement_id, event, **other))

    def order(self, units: int = 3, *, account: str | None = None) -> str:
        """An order of 3,003 fen."""
        self.orders += 1
        who = {} if account is None else {"account": account}
        cart = {"lines": [{"sku": "84406B", "units": units}]}
        quote = self.send("POST", "/v1/quotes", cart, **who).body["quote"]
        placed = self.send(
            "POST", "/v1/orders", {"quote": quote, "receiver": RECEIVER}, key=f"held-{self.member}-{self.orders}", **who
        )
        assert placed.status == 201, placed
        return str(placed.body["order_id"])

    def charge(self, order_id: str, agreement_id: str, **who: Any) -> Reply:
        return self.send("POST", f"/v1/orders/{order_id}/charges", {"agreement_id": agreement_id}, **who)

    def end(self, agreement_id: str, **who: Any) -> Reply:
        return self.send("DELETE", f"/v1/me/payment-agreements/{agreement_id}", **who)

    def check(self, agreement_id: str) -> Reply:
        return self.send("POST", f"/v1/me/payment-agreements/{agreement_id}/checks")

    def status(self, order_id: str) -> str:
        return str(self.send("GET", f"/v1/orders/{order_id}").body["status"])

    def stored(self, agreement_id: str) -> Agreement:
        found = orders_wiring.agreements().find_agreement(agreement_id)
        assert found is not None
        return found

    def charged_fen(self, agreement_id: str) -> int:
        """What counts against the day."""
        return sum(charge.fen for charge in self.stored(agreement_id).charges)
