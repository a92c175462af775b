"""A repeat of a call with its Idempotency-Key gets the first answer byte for byte, whatever has changed since."""

import importlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cardstock.catalog import wiring as catalog_wiring
from cardstock.edge.bodies import meaning_of
from cardstock.edge.callers import Callers
from cardstock.edge.first_answers import seal, unseal
from cardstock.edge.http import Answer, Api, Model, Nothing, Request
from cardstock.errors import IDEMPOTENCY_KEY_REUSED, NOT_FOUND
from cardstock.ids import RequestKey, StoredAnswer
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.channels.sandbox import SandboxTransfers
from tests.house.cloud import ROOT_KEY, Context, http_event, serve, template
from tests.people import pictures
from tests.people.exports import Exporter
from tests.people.finance import FIRST, PAYOUT
from tests.people.goods import draft_of
from tests.people.shop import Shop
from tests.people.staff import Phone, person, serve_confirmed, staff_key, supplier_key
from tests.people.suppliers import LIGHTS
from tests.people.tokens import access_token
from tests.people.uploads import Uploader

Sent = dict[str, Any]
IDEMPOTENT = {
    f"{route.method} {route.path}": route
    for function in template().functions
    for served in vars(importlib.import_module(function.module)).values()
    if isinstance(served, Api)
    for route in served.routes
    if route.idempotent
}
BUYER_CARD = {"versions": {"default": {"name": "林晓雨"}, "vip": {"name": "林晓雨", "title": "店长"}}}


def send(sent: Sent) -> tuple[int, str, bool]:
    answer = serve(http_event("POST", **sent))
    return answer["statusCode"], answer["body"], answer["headers"].get("Idempotent-Replayed") == "true"


def body_of(sent: Sent) -> Any:
    return json.loads(serve(http_event("POST", **sent))["body"])


def stock(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    shop.stock_up()
    token = staff_key("Li Na", "catalog:write")
    sent = {"path": "/v1/skus/71053/stock", "body": {"add": 5}, "token": token, "key": "k"}
    return sent, lambda: send(sent | {"key": "more"})


def accepted(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    drafts = catalog_wiring.products()
    draft = draft_of("bag", "Bag", "sup_bags", shop.clock.now())
    drafts.store_draft(draft)
    body = {"supplier_id": "sup_bags", "draft_sha256": draft.sha256, "variants": [{"price_fen": 500}]}
    sent = {
        "path": "/v1/products/bag/acceptances", "body": body, "key": "k", "token": staff_key("Li Na", "catalog:write"),
    }  # fmt: skip
    return sent, lambda: drafts.store_draft(draft_of("bag", "Sack", "sup_bags", shop.clock.now()))


def placed(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    quote = shop.buyer.quote().body["quote"]
    receiver = {"name": "王小明", "phone": "13800138000", "address": "上海"}
    body, token = {"quote": quote, "receiver": receiver}, shop.buyer.token()
    sent = {"path": "/v1/orders", "body": body, "key": "k", "token": token}
    return sent, lambda: shop.buyer.pay(body_of(sent)["order_id"])


def refunded(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    order_id = shop.buyer.paid_order()
    body = {"reason": "broken", "lines": [{"sku": "85123A", "units": 1}]}
    sent = {"path": f"/v1/orders/{order_id}/refunds", "body": body, "key": "k", "token": shop.buyer.token()}
    return sent, shop.sweep


def granted(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    order_id = shop.buyer.paid_order()
    token = staff_key("Li Na", "orders:refund")
    body = {"reason": "late", "amount_fen": 100}
    sent = {"path": f"/v1/orders/{order_id}/goodwill-refunds", "body": body, "key": "k", "token": token}
    return sent, shop.sweep


def disputed(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    shop.clock.set(FIRST)
    member, token = shop.finance.member(1), staff_key("Li Na", "open_items:clear")
    path = f"/v1/headquarters/members/{member}/identity-disputes"
    sent: Sent = {"path": path, "body": {"reason": "came with the card"}, "key": "k", "token": token}
    second = staff_key("Wu", "open_items:clear")
    return sent, lambda: shop.staff.clear(body_of(sent)["item_id"], "taken_away", staff=second)


def returned(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    order_id = shop.buyer.paid_order()
    token = staff_key("Li Na", "orders:refund")
    body = {"reason": "came back", "lines": [{"sku": "85123A", "units": 1}]}
    sent: Sent = {"path": f"/v1/orders/{order_id}/returns", "body": body, "key": "k", "token": token}
    return sent, shop.sweep


def person_created(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    token = staff_key("Wu", "staff:write")
    sent = {"path": "/v1/staff", "body": {"name": "Zhao"}, "token": ROOT_KEY, "key": "k"}
    return sent, lambda: serve(http_event("DELETE", f"/v1/staff/{body_of(sent)['person_id']}", token=token))


def written_off(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    shop.clock.set(FIRST)
    debtor = shop.finance.member(1)
    shop.finance.earn(debtor, -500)
    body = {"member_id": debtor, "amount_fen": 100, "reason": "会员已去世"}
    sent = {"path": "/v1/debt-write-offs", "body": body, "token": staff_key("Li Na", "debts:write_off"), "key": "k"}
    second = staff_key("Wu", "debts:write_off")

    def approve() -> object:
        path = f"/v1/debt-write-offs/{body_of(sent)['write_off_id']}/approvals"
        return serve_confirmed(http_event("POST", path, {"note": "ok"}, token=second, key="a"))

    return sent, approve


def card(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    token = shop.buyer.token()
    sent: Sent = {"path": "/v1/cards", "body": BUYER_CARD, "token": token, "key": "k"}
    change = {"versions": {"default": {"name": "Lin"}}}

    def changed() -> object:
        path = f"/v1/cards/{body_of(sent)['card']}"
        return serve(http_event("PUT", path, change, token=token))

    return sent, changed


def share(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    made, change = card(shop)
    key = body_of(made)["card"]
    sent = {"path": f"/v1/cards/{key}/shares", "body": {"audience": "vip"}, "token": made["token"], "key": "s"}
    return sent, change


def key_made(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    token = staff_key("Wu", "staff:write")
    owner = person("Zhao")
    body = {"name": "console", "owner": owner, "scopes": ["payouts:read"]}
    sent = {"path": "/v1/partners/keys", "body": body, "token": ROOT_KEY, "key": "k"}
    return sent, lambda: serve(http_event("DELETE", f"/v1/staff/{owner}", token=token))


def secret_rotated(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    shop.supplier.register()
    token = staff_key("Li Na", "suppliers:write")
    sent = {"path": f"/v1/suppliers/{LIGHTS}/secrets", "body": None, "token": token, "key": "k"}
    return sent, lambda: [send(sent | {"key": str(again)}) for again in range(2)]


def endpoint(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    token = supplier_key(LIGHTS, "webhooks:write")
    sent = {"path": "/v1/webhook-endpoints", "body": {"url": None, "events": ["*"]}, "token": token, "key": "k"}
    return sent, lambda: serve(
        http_event("DELETE", f"/v1/webhook-endpoints/{body_of(sent)['endpoint_id']}", token=token)
    )


def endpoint_rotated(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    made, _ = endpoint(shop)
    path = f"/v1/webhook-endpoints/{body_of(made)['endpoint_id']}/secrets"
    sent: Sent = {"path": path, "body": None, "token": made["token"], "key": "r"}
    return sent, lambda: [send(sent | {"key": str(again)}) for again in range(2)]


def plan(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    token = staff_key("Li Na", "plans:publish")
    sent = {"path": "/v1/commission-plans", "body": {"preset": "unlock"}, "token": token, "key": "k"}
    send(sent | {"key": "before"})  # publishing the plan in force changes nothing, and is a request all the same
    return sent, lambda: send(sent | {"key": "other", "body": {"preset": "free_order"}})


def payout(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    shop.clock.set(FIRST)
    shop.finance.member(1, 5_000)
    token = staff_key("Zhao", "payouts:open")
    sent = {"path": "/v1/payouts", "body": {"period": "2026-11"}, "token": token, "key": "k"}

    def change() -> object:
        shop.finance.drain()
        return shop.finance.approve()

    return sent, change


def approval(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    made, _ = payout(shop)
    send(made)
    shop.finance.drain()
    token = staff_key("Li Na", "payouts:approve")
    seen = shop.finance.payout()
    body = {"lines": seen["listed"], "listed_fen": seen["listed_fen"], "note": "ok"}
    sent = {"path": f"/v1/payouts/{PAYOUT}/approvals", "body": body, "token": token, "key": "a"}
    phone = Phone()
    member = phone.member_of(token)
    phone.say("yes", body_of(sent)["facts"]["confirmation_id"], member)
    return sent, shop.finance.drain


def line_retried(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    shop.clock.set(FIRST)
    channel = payouts_wiring.transfer_channel("sandbox")
    assert isinstance(channel, SandboxTransfers)
    member_id = shop.finance.member(1, 50_000)
    shop.finance.member(2, 50_000)
    channel.script = lambda line: "failed" if line.member == member_id and line.attempt == 1 else "stuck"
    shop.finance.sent_through("sandbox")
    number = shop.finance.lines()[member_id]["number"]
    path = f"/v1/payouts/{PAYOUT}/lines/{number}/retries"
    sent: Sent = {"path": path, "body": None, "token": staff_key("Li Na", "payouts:approve"), "key": "r"}
    return sent, shop.finance.drain


def retries_ended(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    shop.clock.set(FIRST)
    channel = payouts_wiring.transfer_channel("sandbox")
    assert isinstance(channel, SandboxTransfers)
    channel.script = lambda line: "failed"
    shop.finance.member(1, 50_000)
    shop.finance.sent_through("sandbox")
    path = f"/v1/payouts/{PAYOUT}/closings"
    sent: Sent = {"path": path, "body": None, "token": staff_key("Li Na", "payouts:settle"), "key": "c"}
    return sent, shop.finance.drain


def exported(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    exporter = Exporter(shop.cloud, shop.clock)
    anna = exporter.person("anna")
    sent: Sent = {"path": "/v1/me/exports", "body": None, "token": access_token(anna.id), "key": "k"}

    def change() -> object:
        shop.clock.move(seconds=30)
        assert exporter.work(*exporter.messages()) == 0
        return exporter.read(anna.id, body_of(sent)["export_id"])

    return sent, change


def uploaded(shop: Shop) -> tuple[Sent, Callable[[], object]]:
    body = {"purpose": "after_sale", "content_type": "image/jpeg", "size": 1000}
    token = access_token(Exporter(shop.cloud, shop.clock).person("anna").id)
    uploader = Uploader(shop.cloud, shop.clock, token)
    sent: Sent = {"path": "/v1/uploads", "body": body, "token": token, "key": "k"}
    return sent, lambda: uploader.work(uploader.put(body_of(sent)["upload_id"], pictures.from_a_phone(6)))


LIFE: dict[str, Callable[[Shop], tuple[Sent, Callable[[], object]]]] = {
    "POST /v1/skus/{sku}/stock": stock,
    "POST /v1/products/{product_id}/acceptances": accepted,
    "POST /v1/orders": placed,
    "POST /v1/orders/{order_id}/refunds": refunded,
    "POST /v1/orders/{order_id}/goodwill-refunds": granted,
    "POST /v1/orders/{order_id}/returns": returned,
    "POST /v1/headquarters/members/{member_id}/identity-disputes": disputed,
    "POST /v1/staff": person_created,
    "POST /v1/debt-write-offs": written_off,
    "POST /v1/me/exports": exported,
    "POST /v1/uploads": uploaded,
    "POST /v1/cards": card,
    "POST /v1/cards/{key}/shares": share,
    "POST /v1/partners/keys": key_made,
    "POST /v1/suppliers/{supplier_id}/secrets": secret_rotated,
    "POST /v1/webhook-endpoints": endpoint,
    "POST /v1/webhook-endpoints/{endpoint_id}/secrets": endpoint_rotated,
    "POST /v1/commission-plans": plan,
    "POST /v1/payouts": payout,
    "POST /v1/payouts/{payout_id}/approvals": approval,
    "POST /v1/payouts/{payout_id}/lines/{number}/retries": line_retried,
    "POST /v1/payouts/{payout_id}/closings": retries_ended,
}
"""Route -> a call, and what changes the thing that it made."""


@pytest.mark.parametrize("name", LIFE)
def test_a_repeat_gets_the_first_answer_whatever_has_changed(name: str, shop: Shop) -> None:
    sent, change = LIFE[name](shop)
    status, body, _ = send(sent)
    change()
    again = send(sent)
    written = isinstance(sent["body"], dict)
    other_way = json.dumps(sent["body"], indent=1, sort_keys=True) if written else sent["body"]
    by_meaning = send(sent | {"body": other_way})
    filled = msgspec.json.decode(json.dumps(sent["body"]), type=IDEMPOTENT[name].body) if written else sent["body"]
    defaults_spelled_out = send(sent | {"body": msgspec.json.encode(filled).decode() if written else filled})

    assert status in (200, 201, 202), body
    assert again == by_meaning == defaults_spelled_out == (status, body, True)


def test_every_idempotent_route_is_tried() -> None:
    assert LIFE.keys() == IDEMPOTENT.keys()


class Inner(Model):
    units: int = 1


class Asked(Model, tag_field="type", tag="asked"):
    reason: str
    lines: list[Inner] = msgspec.field(default_factory=list)
    note: str | None = None
    sent: bool | msgspec.UnsetType = msgspec.UNSET


class AskedLater(Asked, tag_field="type", tag="asked"):
    added: int = 0


@pytest.mark.parametrize(
    ("body", "same"),
    [
        ({"type": "asked", "reason": "a"}, True),
        ({"note": None, "type": "asked", "reason": "a", "lines": []}, True),
        ({"type": "asked", "reason": "a", "sent": False}, False),
        ({"type": "asked", "reason": "a", "note": ""}, False),
        ({"type": "asked", "reason": "a", "lines": [{}]}, False),
        ({"type": "asked", "reason": "b"}, False),
    ],
)
def test_a_default_means_the_same_whether_it_is_spelled_out_or_left_out(body: Sent, *, same: bool) -> None:
    plain, other = (msgspec.convert(one, Asked) for one in ({"type": "asked", "reason": "a"}, body))
    line, units = (Asked("a", [msgspec.convert(one, Inner)]) for one in ({}, {"units": 1}))

    assert (meaning_of(plain) == meaning_of(other)) is same
    assert meaning_of(line) == meaning_of(units)
    assert meaning_of(plain) == b'{"reason":"a","type":"asked"}'


def test_a_member_that_a_later_release_adds_changes_no_stored_meaning() -> None:
    assert meaning_of(AskedLater("a")) == meaning_of(Asked("a"))


def test_another_value_under_the_same_key_is_refused(shop: Shop) -> None:
    sent, _ = stock(shop)
    send(sent)
    status, body, _ = send(sent | {"body": {"add": 6}})

    assert (status, json.loads(body)["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


class Count(Model):
    number: int


class MemoryAnswers:
    def __init__(self) -> None:
        self.kept: dict[str, tuple[RequestKey, StoredAnswer]] = {}

    def find(self, request: RequestKey) -> StoredAnswer | None:
        key, answer = self.kept.get(request.id, (request, None))
        if not request.made(key.fingerprint):
            raise IDEMPOTENCY_KEY_REUSED()
        return answer

    def keep(self, request: RequestKey, answer: StoredAnswer) -> StoredAnswer:
        return self.kept.setdefault(request.id, (request, answer))[1]


def no_callers() -> Callers:
    raise LookupError("the routes below have no callers")


@pytest.mark.parametrize("kind", ["stored", "sealed"])
def test_a_stored_answer_outlives_what_it_was_about(kind: str) -> None:
    answers, numbers = MemoryAnswers(), iter(range(1))
    api = Api("test", callers=no_callers, answers=lambda: answers, server_keys=lambda: ["server"])

    @api.post("/v1/counts", body=Count, answer=Count, status=201, idempotent=True, first_answer=kind)
    def count(request: Request[Count, Nothing]) -> Answer:
        """Count."""
        if next(numbers, None) is None:
            raise NOT_FOUND()
        return Answer(request.body)

    first = api.handler(http_event("POST", "/v1/counts", {"number": 7}, key="k"), Context())
    envelope = {"Accept": "application/vnd.cardstock.envelope+json"}
    again = api.handler(http_event("POST", "/v1/counts", ' {"number":7} ', key="k"), Context())
    wrapped = api.handler(http_event("POST", "/v1/counts", {"number": 7}, key="k", headers=envelope), Context())

    assert (first["statusCode"], again["statusCode"]) == (201, 201)
    assert first["body"] == again["body"] == '{"number":7}'
    assert json.loads(wrapped["body"])["data"] == {"number": 7}
    assert [found["headers"].get("Idempotent-Replayed") for found in (first, again, wrapped)] == [None, "true", "true"]
    assert ('"number"' in str(answers.kept)) is (kind == "stored")


def test_only_the_keys_of_client_and_server_together_open_a_sealed_answer() -> None:
    request = RequestKey("req_1", "f")
    sealed = seal("a key", request, "secret", ["server"])

    assert "secret" not in sealed
    assert unseal("a key", request, sealed, ["rotated", "server"]) == "secret"
    for key, other, server in (
        ("another key", request, "server"),
        ("a key", RequestKey("req_2", "f"), "server"),
        ("a key", request, "other"),
    ):
        with pytest.raises(ValueError, match="other keys"):
            unseal(key, other, sealed, [server])


def test_a_request_of_the_release_before_is_recognised_by_its_bytes() -> None:
    request = RequestKey("req_1", "meaning", "bytes")

    assert [request.made(stored) for stored in ("meaning", "bytes", "other", "")] == [True, True, False, False]
