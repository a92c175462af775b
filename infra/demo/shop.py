"""Clients of the deployment's APIs: what a shop's customers, guides, suppliers and finance do.

Every method does what one of them could do with an HTTP client: requests to the gateway, signed messages, a click on
the sandbox's pay button. Nothing here uses a table, a queue or a handler.
"""

import json
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import urllib3
from standardwebhooks import Webhook

from infra.demo.companies import CHANNEL, DEVELOPMENT, Companies

TIMEOUT_SECONDS = 30.0
RENEWED_BEFORE = timedelta(minutes=15)


class ShopError(Exception):
    """An unexpected answer: the request, the status, and the problem."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: Any


KEY = "csk_"
"""Prefix of every API key: calls with a key go to the staff API, others to the public one."""


class Client:
    """An HTTP client of one deployment; reuses connections, safe for threads. `calls` counts requests."""

    def __init__(self, url: str, staff_url: str, *, connections: int = 8) -> None:
        self._url = url
        self._staff_url = staff_url
        self._pool = urllib3.PoolManager(maxsize=connections, timeout=TIMEOUT_SECONDS, retries=False)
        self._lock = threading.Lock()
        self.calls = 0

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        expect: Sequence[int] = (200, 201, 202, 204),
    ) -> Answer:
        """Send one request. POSTs carry a new Idempotency-Key. Raises `ShopError` unless the status is one of
        `expect`."""
        sent = {"Content-Type": "application/json", "Accept-Language": "en", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if method == "POST":
            sent.setdefault("Idempotency-Key", secrets.token_hex(16))
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        base = self._staff_url if token is not None and token.startswith(KEY) else self._url
        url = base + path + (f"?{urlencode(query)}" if query else "")
        with self._lock:
            self.calls += 1
        reply = self._pool.request(method, url, body=data, headers=sent)
        content = json.loads(reply.data) if reply.data[:1] in (b"{", b"[") else reply.data.decode(errors="replace")
        if reply.status not in expect:
            raise ShopError(f"{method} {path}: {reply.status} {content}")
        return Answer(reply.status, content)


@dataclass(slots=True)
class Member:
    """A logged-in member; `token` is valid until `expires_at`."""

    member_id: str
    token: str
    name: str
    openid: str
    refresh_token: str
    expires_at: datetime
    platform: str = DEVELOPMENT
    app_id: str = ""


@dataclass(slots=True)
class PaidOrder:
    """A paid order, and the units per SKU that can still be returned."""

    order_id: str
    customer: str
    at: datetime
    returnable: dict[str, int]
    amount_fen: int
    channel: str
    suppliers: list[str] = field(default_factory=list)


class Shop:
    """The people who use one deployment."""

    def __init__(self, url: str, staff_url: str, *, companies: Companies, now: Callable[[], datetime]) -> None:
        self.http = Client(url, staff_url)
        self._companies = companies
        self._now = now
        self.supplier_secrets: dict[str, str] = {}
        self.supplier_keys: dict[str, str] = {}

    # Staff

    def add_person(self, token: str, name: str) -> str:
        """The id of the person of this name, created unless an earlier run on the same state has done so."""
        known = self.http.send("GET", "/v1/staff", token=token, query={"limit": "100"}).body["items"]
        for person in known:
            if person["name"] == name and person["active"]:
                return str(person["person_id"])
        return str(self.http.send("POST", "/v1/staff", {"name": name}, token=token).body["person_id"])

    def give_roles(self, owner: str, person_id: str, roles: Sequence[str]) -> None:
        """Give the person these roles, with an owner's key."""
        body = {"roles": list(roles), "reason": "opening the shop"}
        self.http.send("PUT", f"/v1/staff/{person_id}/roles", body, token=owner)

    def make_key(self, root: str, owner: str, name: str, scopes: Sequence[str]) -> str:
        """A new API key of a person or a supplier, shown once."""
        body = {"name": name, "owner": owner, "scopes": list(scopes)}
        return str(self.http.send("POST", "/v1/partners/keys", body, token=root).body["key"])

    def link_phone(self, inviter: str, person_id: str, openid: str) -> Member:
        """Log in on the development platform as the phone of a person of the staff, who is linked with that member;
        `inviter` is the key that invites."""
        member = self.log_in(openid)
        known = self.http.send("GET", "/v1/staff", token=inviter, query={"limit": "100"}).body["items"]
        if any(person["member_id"] == member.member_id for person in known):
            return member
        invited = self.http.send("PUT", f"/v1/staff/{person_id}/invitation", token=inviter).body["invitation"]
        self.http.send("PUT", "/v1/me/staff", {"invitation": invited}, token=member.token)
        return member

    def approve(self, path: str, body: Any, *, token: str, phone: Member) -> Answer:
        """Send a step of money with the key `token`; where the phone must confirm it, answer yes there and send it
        again."""
        once, path_of = {"Idempotency-Key": secrets.token_hex(16)}, "/v1/me/staff/confirmations"
        answer = self.http.send("POST", path, body, token=token, headers=once, expect=(200, 201, 202, 409))
        if answer.status != 409:
            return answer
        if answer.body["code"] != "CONFIRMATION_NEEDED":
            raise ShopError(f"POST {path}: {answer.body}")
        self.renew(phone)
        asked = answer.body["facts"]["confirmation_id"]
        self.http.send("PUT", f"{path_of}/{asked}", {"answer": "yes"}, token=phone.token)
        return self.http.send("POST", path, body, token=token, headers=once)

    def add_supplier(self, staff: str, root: str, supplier_id: str, name: str) -> None:
        """Register a supplier, and keep its inbox secret and a new key of it."""
        answer = self.http.send("PUT", f"/v1/suppliers/{supplier_id}", {"name": name}, token=staff)
        if answer.body["inbox_secret"] is None:  # shown once, in an earlier run on the same state
            answer = self.http.send("POST", f"/v1/suppliers/{supplier_id}/secrets", token=staff)
        self.supplier_secrets[supplier_id] = str(answer.body["inbox_secret"])
        self.supplier_keys[supplier_id] = self.make_key(
            root, supplier_id, f"ERP of {name}", ["orders:fulfil", "catalog:write", "webhooks:write"]
        )

    # Members

    def log_in(self, openid: str, invite: str | None = None, platform: str = DEVELOPMENT) -> Member:
        """Log in on a platform; a newcomer's inviter is bound in the same call."""
        codes = self._companies.codes(platform, openid)
        body: dict[str, Any] = {**codes, "consents": self._consents()}
        if invite is not None:
            body["invite"] = invite
        answer = self.http.send("POST", "/v1/auth/sessions", body).body
        expires_at = self._now() + timedelta(seconds=answer["expires_in"])
        member_id = str(answer["member"]["member_id"])
        tokens = answer["access_token"], answer["refresh_token"]
        return Member(member_id, tokens[0], openid, openid, tokens[1], expires_at, platform, codes["app_id"])

    def _consents(self) -> list[dict[str, Any]]:
        """Consents to everything that the shop asks for, in the versions whose texts it shows."""
        purposes = self.http.send("GET", "/v1/consent-purposes").body["items"]
        return [{"purpose": each["purpose"], "version": each["version"]} for each in purposes]

    def renew(self, member: Member) -> None:
        """Renew an access token that ends soon, as a client does; by a login if it is too late for that."""
        if member.expires_at > self._now() + RENEWED_BEFORE:
            return
        answer = self.http.send(
            "POST", "/v1/auth/refreshes", {"refresh_token": member.refresh_token}, expect=(200, 401)
        )
        if answer.status == 401:
            again = self.log_in(member.openid, platform=member.platform)
            member.token, member.refresh_token, member.expires_at = again.token, again.refresh_token, again.expires_at
            return
        member.token, member.refresh_token = answer.body["access_token"], answer.body["refresh_token"]
        member.expires_at = self._now() + timedelta(seconds=answer.body["expires_in"])

    # Buying

    def view_card(self, key: str, viewer: Member | None = None) -> str:
        """Open a shared card and report the view; returns the attribution token."""
        card = self.http.send("GET", f"/v1/cards/{key}").body
        body = {"ticket": card["view_ticket"], "seconds": 12}
        token = viewer.token if viewer else None
        return str(self.http.send("POST", "/v1/card-views", body, token=token).body["attribution"])

    def buy(self, member: Member, units: Mapping[str, int], attribution: str) -> tuple[str, int, list[str]]:
        """Quote, order, pay: returns the order's id, its amount in fen, and its suppliers."""
        lines = [{"sku": sku, "units": count} for sku, count in units.items()]
        quote = self.http.send(
            "POST", "/v1/quotes", {"lines": lines, "attribution": attribution}, token=member.token
        ).body
        receiver = {"name": member.name, "phone": "13800138000", "address": "1 Nanjing East Road, Shanghai"}
        order = self.http.send(
            "POST", "/v1/orders", {"quote": quote["quote"], "receiver": receiver}, token=member.token
        ).body
        chosen = {"channel": CHANNEL[member.platform]}
        started = self.http.send("POST", f"/v1/orders/{order['order_id']}/payments", chosen, token=member.token).body
        self._companies.pay(member.platform, member.openid, member.app_id, started)
        suppliers = sorted({str(line["supplier_id"]) for line in order["lines"]})
        return str(order["order_id"]), int(order["amount_fen"]), suppliers

    def give_back(self, member: Member, order_id: str, units: Mapping[str, int], *, staff: str) -> str:
        """Ask for a refund of exactly these units; if they were sent, staff take them back."""
        lines = [{"sku": sku, "units": count} for sku, count in units.items()]
        body = {"reason": "returned", "lines": lines}
        path = f"/v1/orders/{order_id}"
        asked = self.http.send("POST", f"{path}/refunds", body, token=member.token, expect=(202, 409))
        if asked.status == 409:
            asked = self.http.send("POST", f"{path}/returns", body, token=staff)
        return str(asked.body["refund_id"])

    def receive(self, member: Member, order_id: str) -> None:
        """Confirm the receipt."""
        self.http.send("POST", f"/v1/orders/{order_id}/receipts", {}, token=member.token)

    # Suppliers

    def ship(self, supplier_id: str, order_id: str) -> bool:
        """Report a shipment by signed webhook; False if everything was refunded before."""
        report = {
            "type": "shipment.created",
            "order_id": order_id,
            "carrier": "SF",
            "tracking_no": f"SF{order_id[-12:]}",
        }
        answer = self._report(supplier_id, f"ship-{supplier_id}-{order_id}", report, expect=(200, 409))
        return answer.status == 200

    def _report(self, supplier_id: str, message_id: str, report: Mapping[str, Any], expect: Sequence[int]) -> Answer:
        body = json.dumps(report).encode()
        now = self._now()
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.supplier_secrets[supplier_id]).sign(message_id, now, body.decode()),
        }
        return self.http.send("POST", f"/v1/inbox/{supplier_id}", body, headers=headers, expect=expect)
