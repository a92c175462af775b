"""Who may call which route, as a table: each kind of caller is sent to every route, and a new route needs its row.

`test_every_caller` sends strangers and the root key. Here are members (the owner of a thing and another one),
suppliers' keys (of the supplier concerned and of another one) and staff keys with and without the route's scope.
"""

from typing import Any

import pytest

from cardstock.catalog import wiring as catalog_wiring
from cardstock.edge.http import Route
from cardstock.ids import new_id
from cardstock.members import wiring as members_wiring
from cardstock.members.model import Member
from cardstock.members.session_model import Arrival, Known
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.agreement_model import AGREEMENT_LIFETIME, Agreement
from cardstock.partners.model import SCOPES, SUPPLIER_SCOPES
from infra.contract.routes import PATH_VALUES, apis
from tests.house.cloud import Context, http_event
from tests.people.arrivals import session_of
from tests.people.buyers import BUYER, STRANGER
from tests.people.goods import draft_of, terms_of
from tests.people.replies import Reply, reply
from tests.people.shop import Shop

ROUTES = {f"{route.method} {route.path}": (api, route) for _, api in apis() for route in api.routes}
DONE = "done"

SUPPLIERS = {
    # The call: what the supplier concerned gets, and what another supplier gets.
    "GET /v1/product-drafts": (DONE, DONE),  # each its own list
    "GET /v1/products/{product_id}/draft": (DONE, "NOT_FOUND"),
    "PUT /v1/products/{product_id}/draft": (DONE, DONE),  # each its own draft: staff accept one
    "POST /v1/products/{product_id}/acceptances": ("TERMS_FOR_STAFF", "TERMS_FOR_STAFF"),
    "PUT /v1/products/{product_id}": ("TERMS_FOR_STAFF", "TERMS_FOR_STAFF"),
    "PUT /v1/products": ("TERMS_FOR_STAFF", "TERMS_FOR_STAFF"),
    "POST /v1/skus/{sku}/stock": (DONE, "NOT_FOUND"),
    "POST /v1/uploads": (DONE, DONE),  # each its own upload
    "GET /v1/uploads/{upload_id}": ("NOT_FOUND", "NOT_FOUND"),  # it is a member's
    "GET /v1/freight-templates": ("TERMS_FOR_STAFF", "TERMS_FOR_STAFF"),
    "PUT /v1/freight-templates": ("TERMS_FOR_STAFF", "TERMS_FOR_STAFF"),
    "GET /v1/supplier-orders": (DONE, DONE),  # each its own list
    "POST /v1/webhook-endpoints": (DONE, DONE),  # each its own endpoint
    "GET /v1/webhook-endpoints": (DONE, DONE),  # each its own list
    "POST /v1/webhook-endpoints/{endpoint_id}/secrets": (DONE, "NOT_FOUND"),
    "POST /v1/webhook-endpoints/{endpoint_id}/tests": (DONE, "NOT_FOUND"),
    "GET /v1/webhook-endpoints/{endpoint_id}/deliveries": (DONE, "NOT_FOUND"),
    "POST /v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliveries": ("NOT_FOUND", "NOT_FOUND"),
    "DELETE /v1/webhook-endpoints/{endpoint_id}": (DONE, "NOT_FOUND"),
}
"""Every route of a scope that suppliers' keys can have."""

MEMBERS = {
    # The call: what the owner of the thing in the path gets, and what another member gets.
    "GET /v1/orders/{order_id}": (DONE, "NOT_FOUND"),
    "POST /v1/orders/{order_id}/cancellations": ("ORDER_PAID", "NOT_FOUND"),
    "POST /v1/orders/{order_id}/payments": ("ORDER_PAID", "NOT_FOUND"),
    "POST /v1/orders/{order_id}/charges": ("AGREEMENT_UNKNOWN", "NOT_FOUND"),  # there is no agreement
    "POST /v1/me/payment-agreements/{agreement_id}/checks": (DONE, "NOT_FOUND"),
    "DELETE /v1/me/payment-agreements/{agreement_id}": (DONE, "NOT_FOUND"),
    "POST /v1/orders/{order_id}/refunds": (DONE, "NOT_FOUND"),
    "GET /v1/orders/{order_id}/refunds": (DONE, "NOT_FOUND"),
    "POST /v1/orders/{order_id}/receipts": ("NOT_SHIPPED", "NOT_FOUND"),
    "GET /v1/orders/{order_id}/shipments": (DONE, "NOT_FOUND"),
    "GET /v1/me/commissions/{order_id}": (DONE, "NOT_FOUND"),
    "PUT /v1/cards/{key}": (DONE, "NOT_FOUND"),
    "POST /v1/cards/{key}/shares": (DONE, "NOT_FOUND"),
    "GET /v1/cards/{key}/visitors": (DONE, "NOT_FOUND"),
    "GET /v1/ledger/proofs/{transaction_id}": ("NOT_FOUND", "NOT_FOUND"),  # there is none
    "PUT /v1/me/consents/{purpose}": ("CONSENT_NEEDED", "CONSENT_NEEDED"),  # each the own
    "DELETE /v1/me/sessions/{session_id}": (DONE, "NOT_FOUND"),
    "DELETE /v1/me/merges/{member_id}": ("NOT_FOUND", "NOT_FOUND"),  # neither has merged
    "GET /v1/me/exports/{export_id}": (DONE, "NOT_FOUND"),
    "GET /v1/uploads/{upload_id}": (DONE, "NOT_FOUND"),
    "PUT /v1/me/staff/confirmations/{confirmation_id}": ("NOT_STAFF", "NOT_STAFF"),  # neither is linked with a person
    "PUT /v1/me/staff-logins/{login_id}": ("NOT_FOUND", "NOT_FOUND"),  # none of them is staff
    "GET /v1/me/tax/{year}": (DONE, DONE),  # each the own figures
}
"""Every route of members that names a thing."""

NOT_FOR_STAFF = {"PUT /v1/products/{product_id}/draft": "NOT_A_SUPPLIER"}

PHOTO = {"purpose": "after_sale", "content_type": "image/jpeg", "size": 1}
FACE = {"versions": {"default": {"name": "林晓雨"}}}
TERMS = terms_of("Bag", "sup_lights", 1, qualifying=True)
ACCEPTED = {"supplier_id": "sup_lights", "draft_sha256": "0" * 64, "variants": [{"price_fen": 1}]}
BODIES: dict[str, Any] = {
    "PUT /v1/products/{product_id}/draft": {"title": {"zh": "Bag"}, "variants": [{}]},
    "POST /v1/products/{product_id}/acceptances": ACCEPTED,
    "PUT /v1/products/{product_id}": TERMS,
    "PUT /v1/products": {"products": [{"product_id": "DRAFT1", **TERMS}]},
    "POST /v1/skus/{sku}/stock": {"add": 1},
    "PUT /v1/freight-templates": {"templates": [], "default_template": None, "version": 0},
    "POST /v1/webhook-endpoints": {"events": ["shipment.created"]},
    "POST /v1/uploads": {"purpose": "product_image", "content_type": "image/png", "size": 1},
    "POST /v1/orders/{order_id}/payments": {"channel": "sandbox"},
    "POST /v1/orders/{order_id}/charges": {"agreement_id": "agr_" + "z" * 26},
    "POST /v1/orders/{order_id}/refunds": {"reason": "mine", "lines": [{"sku": "84406B", "units": 1}]},
    "PUT /v1/me/staff-logins/{login_id}": {"digits": "47"},
    "PUT /v1/cards/{key}": FACE,
    "POST /v1/cards/{key}/shares": {},
    "PUT /v1/me/consents/{purpose}": {"granted": False},
    "PUT /v1/me/staff/confirmations/{confirmation_id}": {"answer": "yes"},
}


class World:
    """A shop with a paid order, a card, a draft and an endpoint, and callers of each kind."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._count = 0
        self.owner, self.other = shop.buyer.token(BUYER), shop.buyer.token(STRANGER)
        self.concerned, self.another = (
            shop.supplier.key(name, *SUPPLIER_SCOPES) for name in ("sup_lights", "sup_hangers")
        )
        for name in ("sup_lights", "sup_hangers"):
            shop.supplier.register(name)
        shop.publish_plan()
        catalog_wiring.products().store_draft(draft_of("DRAFT1", "Bag", "sup_lights", shop.clock.now()))
        for member_id in (STRANGER, BUYER):
            session = session_of(member_id, shop.clock.now())
            known = Known(Member(member_id, session.account, session.made_at))
            assert members_wiring.members().enter(Arrival(known, session, is_new=True))
        made = self.send("POST /v1/cards", self.owner, body=FACE).body
        endpoint = self.send("POST /v1/webhook-endpoints", self.concerned).body
        agreement = Agreement(
            new_id("agr", shop.clock.now()), BUYER, "sandbox", "dev:wx1", "asked", 1, 1, shop.clock.now(),
            shop.clock.now() + AGREEMENT_LIFETIME,
        )  # fmt: skip
        assert orders_wiring.agreements().store_agreement(agreement)
        self.things = {
            **PATH_VALUES,
            "agreement_id": agreement.agreement_id,
            "order_id": shop.buyer.paid_order(),
            "key": made["card"],
            "sku": "71053",
            "product_id": "DRAFT1",
            "endpoint_id": endpoint["endpoint_id"],
            "transaction_id": "accrue.ord_01kbdxdh50fcazdjhcnqh2rzv5",
            "year": "2026",
            "session_id": session.id,
            "purpose": "account",
            "upload_id": self.send("POST /v1/uploads", self.owner, body=PHOTO).body["upload_id"],
            "export_id": self.send("POST /v1/me/exports", self.owner).body["export_id"],
        }

    def send(self, call: str, token: str, *, things: dict[str, str] | None = None, body: Any = None) -> Reply:
        api, route = ROUTES[call]
        self._count += 1
        event = http_event(
            route.method, route.path.format_map(things or {}), BODIES.get(call, {}) if body is None else body,
            resource=route.path, token=token, key=f"call-{self._count}",
        )  # fmt: skip
        return reply(api.handler(event, Context()))

    def outcome(self, call: str, token: str) -> str:
        """`DONE`, or the code of the refusal."""
        got = self.send(call, token, things=self.things)
        return DONE if got.status < 300 else str(got.body["code"])


@pytest.fixture
def world(shop: Shop) -> World:
    return World(shop)


def keyed() -> dict[str, Route]:
    """The routes that keys call."""
    return {call: route for call, (_, route) in ROUTES.items() if route.auth in ("key", "any")}


def test_every_route_has_its_row() -> None:
    of_members = {call for call, (_, route) in ROUTES.items() if route.auth in ("member", "any") and "{" in route.path}

    assert set(SUPPLIERS) == {call for call, route in keyed().items() if route.scope in SUPPLIER_SCOPES}
    assert set(MEMBERS) == of_members
    assert [call for call, route in keyed().items() if route.scope not in SCOPES] == []


def test_a_key_without_the_scope_is_refused_everywhere_and_changes_nothing(world: World) -> None:
    for scope in sorted(SCOPES):
        token = world.shop.staff.key(*(SCOPES - {scope}))
        before = world.shop.cloud.state()
        calls = [call for call, route in keyed().items() if route.scope == scope]

        assert {call: world.outcome(call, token) for call in calls} == dict.fromkeys(calls, "SCOPE_MISSING")
        assert world.shop.cloud.state() == before


def test_a_staff_key_with_the_scope_alone_is_let_in(world: World) -> None:
    for scope in sorted(SCOPES):
        token = world.shop.staff.key(scope)
        refused = {"SCOPE_MISSING", "NOT_A_KEY", "KEY_INVALID", *NOT_FOR_STAFF.values()}
        found = {call: world.outcome(call, token) for call, route in keyed().items() if route.scope == scope}

        assert {call: code for call, code in found.items() if code in refused} == {
            call: code for call, code in NOT_FOR_STAFF.items() if call in found
        }


def test_a_supplier_gets_what_its_row_says(world: World) -> None:
    others = {call: "SCOPE_MISSING" for call, route in keyed().items() if route.scope not in SUPPLIER_SCOPES}
    before = world.shop.cloud.state()

    assert {call: world.outcome(call, world.concerned) for call in others} == others
    assert world.shop.cloud.state() == before
    for call, (_, by_another) in SUPPLIERS.items():
        assert (call, world.outcome(call, world.another)) == (call, by_another)
    for call, (own, _) in SUPPLIERS.items():
        assert (call, world.outcome(call, world.concerned)) == (call, own)


def test_a_supplier_sees_its_own_orders_and_endpoints_only(world: World) -> None:
    for call in ("GET /v1/supplier-orders", "GET /v1/webhook-endpoints"):
        own, theirs = (world.send(call, token).body["items"] for token in (world.concerned, world.another))

        assert own
        assert [item for item in own if item in theirs] == []


def stored(world: World) -> Any:
    """Everything, except how often a route with a limit was called."""
    state = world.shop.cloud.state()
    return state | {"requests": [item for item in state["requests"] if not item["pk"]["S"].startswith("count#")]}


def test_a_member_gets_what_the_row_says_and_nothing_of_the_staff(world: World) -> None:
    staffs = [call for call, route in keyed().items() if route.auth == "key"]
    before = stored(world)

    assert {call: world.outcome(call, world.owner) for call in staffs} == dict.fromkeys(staffs, "NOT_A_KEY")
    assert {call: world.outcome(call, world.other) for call in MEMBERS} == {
        call: by_another for call, (_, by_another) in MEMBERS.items()
    }
    assert stored(world) == before
    for call, (own, _) in MEMBERS.items():
        assert (call, world.outcome(call, world.owner)) == (call, own)


def test_a_key_is_no_member(world: World) -> None:
    calls = [call for call, (_, route) in ROUTES.items() if route.auth == "member"]
    staff = world.shop.staff.key(*SCOPES)
    before = world.shop.cloud.state()

    for token in (staff, world.concerned):
        assert {call: world.outcome(call, token) for call in calls} == dict.fromkeys(calls, "NOT_A_MEMBER")
    assert world.shop.cloud.state() == before
