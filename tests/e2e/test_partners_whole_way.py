"""A supplier and the whole deployment: an endpoint on this machine, a paid order, a signed event, a signed report."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cardstock.edge.signatures import sign, verify
from infra.demo.companies import Companies
from infra.demo.deployment import PUBLIC, STAFF, start
from infra.demo.shop import Shop
from infra.local.suite import Suite
from tests.people.goods import terms_of
from tests.people.partner_server import PartnerServer

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

LIGHTS, HANGERS = "sup_lights", "sup_hangers"


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    with start(workers=1, parameters={"WebhookPrivateNetworks": "127.0.0.0/8"}) as running:
        yield running


@pytest.fixture(scope="module")
def deployed(suite: Suite) -> Shop:
    """The deployment with two suppliers and their goods."""
    stored = suite.clients.secrets.get_secret_value(SecretId=suite.environment["ADMIN_SECRET_ID"])["SecretString"]
    root = f"csk_root_{json.loads(stored)['key']}"
    deployed = Shop(
        suite.urls[PUBLIC],
        suite.urls[STAFF],
        now=suite.clock.now,
        companies=Companies("", lambda order, fen: pay(suite, order, fen)),
    )
    person, owner = (deployed.add_person(root, name) for name in ("Wang Fang", "Zhao Min"))
    deployed.give_roles(deployed.make_key(root, owner, "hiring", ["staff:write"]), person, ["operator"])
    staff = deployed.make_key(root, person, "console", ["suppliers:write", "catalog:write"])
    for supplier_id, sku in ((LIGHTS, "LAMP"), (HANGERS, "HANGER")):
        deployed.add_supplier(staff, root, supplier_id, "供应商")
        goods = terms_of(sku.title(), supplier_id, 9_900, 100)
        deployed.http.send("PUT", f"/v1/products/{sku}", goods, token=staff)
    return deployed


@pytest.fixture(scope="module")
def kept(deployed: Shop) -> dict[str, Any]:
    """An endpoint without an address. It is there before anything happens: a new one is known after half a minute."""
    return endpoint(deployed, None)


@pytest.fixture
def server() -> Iterator[PartnerServer]:
    made = PartnerServer()
    yield made
    made.close()


def pay(suite: Suite, order_no: str, amount_fen: int) -> None:
    assert suite.sandbox.pay(order_no, amount_fen)["notified"] == 200


def endpoint(deployed: Shop, url: str | None) -> dict[str, Any]:
    body = {"events": ["fulfilment.requested", "shipment.created"]} | ({"url": url} if url else {})
    made: dict[str, Any] = deployed.http.send(
        "POST", "/v1/webhook-endpoints", body, token=deployed.supplier_keys[LIGHTS]
    ).body
    return made


def buy(suite: Suite, deployed: Shop, openid: str) -> str:
    """A paid order of one lamp and two hangers."""
    member = deployed.log_in(openid)
    lines = [{"sku": "LAMP", "units": 1}, {"sku": "HANGER", "units": 2}]
    quote = deployed.http.send("POST", "/v1/quotes", {"lines": lines}, token=member.token).body["quote"]
    receiver = {"name": "王小明", "phone": "13800138000", "address": "上海市静安区南京西路1266号"}
    order = deployed.http.send("POST", "/v1/orders", {"quote": quote, "receiver": receiver}, token=member.token).body
    asked = deployed.http.send(
        "POST", f"/v1/orders/{order['order_id']}/payments", {"channel": "sandbox"}, token=member.token
    ).body
    pay(suite, asked["order_no"], asked["amount_fen"])
    return str(order["order_id"])


def test_a_supplier_is_told_of_a_paid_order_and_reports_its_shipment(
    suite: Suite, deployed: Shop, kept: dict[str, Any], server: PartnerServer
) -> None:
    made = endpoint(deployed, server.url)
    suite.drain()
    listed = deployed.http.send("GET", "/v1/webhook-endpoints", token=deployed.supplier_keys[LIGHTS]).body["items"]
    order_id = buy(suite, deployed, "anna")
    suite.drain()
    headers, body = next(got for got in server.got if json.loads(got[1])["type"] == "fulfilment.requested")
    told = json.loads(body)
    report = {"type": "shipment.created", "order_id": told["data"]["order_id"], "carrier": "SF", "tracking_no": "SF1"}
    content = json.dumps(report).encode()
    signed = sign(deployed.supplier_secrets[LIGHTS], "msg_1", suite.clock.now(), content)
    first, again = (
        deployed.http.send("POST", f"/v1/inbox/{LIGHTS}", content, headers=signed).body["repeat"] for _ in range(2)
    )
    forged = deployed.http.send("POST", f"/v1/inbox/{HANGERS}", content, headers=signed, expect=[401])
    suite.drain()
    parts = deployed.http.send("GET", "/v1/supplier-orders", token=deployed.supplier_keys[LIGHTS]).body["items"]

    assert made["status"] == "pending"
    assert {found["endpoint_id"]: found["status"] for found in listed} == {
        kept["endpoint_id"]: "active",
        made["endpoint_id"]: "active",
    }
    assert verify([made["secret"]], headers, body, suite.clock.now()) == told["id"] == headers["webhook-id"]
    assert (told["subject"], told["data"]["supplier_id"]) == (order_id, LIGHTS)
    assert told["data"]["lines"] == [{"sku": "LAMP", "name": "Lamp", "units": 1}]
    assert told["data"]["receiver"]["name"] == "王小明"
    assert (first, again, forged.body["code"]) == (False, True, "SIGNATURE_INVALID")
    assert server.types == ["endpoint.challenged", "fulfilment.requested", "shipment.created"]
    assert [part["status"] for part in parts if part["order_id"] == order_id] == ["shipped"]
    assert suite.dead_letters() == {}


def test_a_supplier_that_cannot_open_a_port_fetches_the_same_event(
    suite: Suite, deployed: Shop, kept: dict[str, Any]
) -> None:
    order_id = buy(suite, deployed, "berta")
    suite.drain()
    suite.clock.move_by(timedelta(seconds=20))
    path = f"/v1/webhook-endpoints/{kept['endpoint_id']}/deliveries"
    page = deployed.http.send("GET", path, token=deployed.supplier_keys[LIGHTS]).body
    rest = deployed.http.send(
        "GET", path, token=deployed.supplier_keys[LIGHTS], query={"cursor": page["next_cursor"]}
    ).body
    strange = deployed.http.send("GET", path, token=deployed.supplier_keys[HANGERS], expect=[404])

    mine = [found for found in page["items"] if found["event"]["subject"] == order_id]
    assert [(found["type"], found["status"]) for found in mine] == [("fulfilment.requested", "kept")]
    assert (rest["items"], rest["next_cursor"] is not None) == ([], True)
    assert strange.body["code"] == "NOT_FOUND"


def test_an_endpoint_that_fails_gets_the_event_when_it_is_well_again(
    suite: Suite, deployed: Shop, server: PartnerServer
) -> None:
    endpoint(deployed, server.url)
    suite.drain()
    server.status = 503
    server.headers = {"Retry-After": "7"}
    order_id = buy(suite, deployed, "clara")
    suite.drain()
    failed = len([body for _, body in server.got if json.loads(body)["subject"] == order_id])
    server.status = 200
    until = time.monotonic() + 60
    suite.clock.move_by(timedelta(seconds=60))  # what waits in the queue waits on the machine's clock
    while time.monotonic() < until:
        suite.drain()
        arrived = len([body for _, body in server.got if json.loads(body)["subject"] == order_id])
        if arrived > failed:
            break
        time.sleep(0.5)

    assert failed == 1
    assert arrived == 2
    assert suite.dead_letters() == {}
