"""Every file of `events/` for partners and webhooks, executed: good ones are done, bad ones get their refusal and have
no effect."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cardstock.ids import RequestKey
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.model import Order, OrderLine, Receiver
from cardstock.partners import wiring as partners_wiring
from cardstock.partners.model import Supplier
from functions.partners.api import app as partners_api
from functions.partners.inbox import app as partner_inbox
from functions.partners.on_delivery import app as on_webhook_due
from functions.partners.suppliers_api import app as suppliers_api
from functions.partners.webhooks_api import app as webhooks_api
from tests.house.cloud import ROOT, ROOT_KEY, Context
from tests.house.payloads import function_of
from tests.people.replies import reply
from tests.people.shop import Shop
from tests.people.staff import person
from tests.people.suppliers import HANGERS, LIGHTS

HANDLERS: dict[str, Any] = {
    "partners/api": partners_api.handler,
    "partners/suppliers_api": suppliers_api.handler,
    "partners/webhooks_api": webhooks_api.handler,
    "partners/inbox": partner_inbox.handler,
    "partners/on_delivery": on_webhook_due.handler,
}
FILES = [path for folder in HANDLERS for path in sorted((ROOT / "events" / folder).glob("*.json"))]
HTTP_FILES = [path for path in FILES if function_of(path) != "partners/on_delivery"]
QUEUED = [path for path in FILES if function_of(path) == "partners/on_delivery"]
REFUSALS = {
    "partners/api": {
        "bad_unknown_scope": (400, "SCOPE_UNKNOWN"),
        "bad_key_of_another": (403, "KEY_OF_ANOTHER"),
        "bad_owner_without_an_id": (400, "OWNER_UNKNOWN"),
        "bad_right_of_staff_for_a_supplier": (422, "SCOPE_FOR_STAFF"),
        "bad_supplier_makes_a_key": (403, "SCOPE_MISSING"),
        "bad_revoked_key": (401, "KEY_INVALID"),
        "bad_without_idempotency_key": (400, "IDEMPOTENCY_KEY_MISSING"),
        "bad_deep": (400, "BODY_INVALID"),
        "bad_cursor_of_another_supplier": (400, "CURSOR_INVALID"),
    },
    "partners/suppliers_api": {
        "bad_unknown_field": (400, "BODY_INVALID"),
        "bad_supplier_id": (400, "SUPPLIER_ID_INVALID"),
        "bad_list_by_supplier": (403, "SCOPE_MISSING"),
        "bad_read_of_nobody": (404, "NOT_FOUND"),
    },
    "partners/webhooks_api": {
        "bad_url_of_this_machine": (400, "URL_REFUSED"),
        "bad_url_in_disguise": (400, "URL_REFUSED"),
        "bad_url_without_tls": (400, "URL_REFUSED"),
        "bad_unknown_event": (400, "EVENT_UNKNOWN"),
        "bad_event_of_staff": (400, "EVENT_UNKNOWN"),
        "bad_endpoint_of_another_supplier": (404, "NOT_FOUND"),
        "bad_redeliver_what_is_fetched": (409, "ENDPOINT_NOT_ACTIVE"),
        "bad_member": (403, "NOT_A_KEY"),
        "bad_root_key": (403, "SCOPE_MISSING"),
    },
    "partners/inbox": {
        "bad_signature": (401, "SIGNATURE_INVALID"),
        "bad_tampered": (401, "SIGNATURE_INVALID"),
        "bad_too_old": (401, "SIGNATURE_STALE"),
        "bad_from_the_future": (401, "SIGNATURE_STALE"),
        "bad_unsigned": (401, "SIGNATURE_MISSING"),
        "bad_unknown_source": (401, "SIGNATURE_INVALID"),
        "bad_order_of_another_supplier": (404, "NOT_FOUND"),
        "bad_goods_of_another_supplier": (404, "NOT_FOUND"),
        "bad_delivered_before_it_was_sent": (409, "NOT_SHIPPED"),
        "bad_unknown_type": (400, "BODY_INVALID"),
        "bad_stock_as_text": (400, "BODY_INVALID"),
        "bad_stock_below_zero": (400, "BODY_INVALID"),
        "bad_deep": (400, "BODY_INVALID"),
    },
}
FAILED = {
    "bad_not_json": ["m0"],
    "bad_one_of_three": ["m1"],
    "bad_time_without_zone": ["m0"],
    "bad_unknown_field": ["m0"],
}
FIXED_ID = "ord_01kbdxdh50fcazdjhcnqh2rzv5"
"""The order that the signed files name, and below the secrets that they are signed with."""
INBOX_SECRETS = {
    LIGHTS: "whsec_dGhlIGluYm94IHNlY3JldCBvZiBzdXBfbGlnaHRzISE=",
    "sup_other": "whsec_YW5vdGhlciBzdXBwbGllcidzIGluYm94IHNlY3JldCE=",
}


def fixed_order(shop: Shop) -> None:
    placed = Order(
        order_id=FIXED_ID,
        member_id="mem_" + "b" * 26,
        status="placed",
        lines=(OrderLine(1, "85123A", "Holder", 6, 25_500, 153_000, LIGHTS, True, True),),
        amount_fen=153_000,
        receiver=Receiver("王小明", "13800138000", "上海"),
        attribution=None,
        snapshot={},
        placed_at=shop.clock.now() - timedelta(minutes=5),
    )
    orders_wiring.orders().add_order(placed, RequestKey("req_fixed", "f"))
    assert shop.buyer.pay(FIXED_ID).status == 200


def placeholders(shop: Shop) -> dict[str, str]:
    """What the files name in capitals, made in a fresh shop."""
    shop.stock_up()
    fixed_order(shop)
    for number in range(2):
        shop.buyer.paid_order(f"order-{number}")
    for supplier_id, secret in INBOX_SECRETS.items():
        partners_wiring.suppliers().add(Supplier(supplier_id, "供应商", (secret,), shop.clock.now()))
    supplier = shop.supplier.key(LIGHTS, "webhooks:write", "orders:fulfil")
    stranger = shop.supplier.key(HANGERS, "webhooks:write", "orders:fulfil")
    revoked = shop.supplier.key(LIGHTS, "orders:fulfil")
    partners_wiring.partner_keys().revoke("key_" + revoked.split("_")[1])
    push = shop.webhooks.endpoint(supplier, "https://erp.example.com/hook", "*")["endpoint_id"]
    pull = shop.webhooks.endpoint(supplier, None, "*")["endpoint_id"]
    shop.webhooks.consume({
        "id": "evt_kept",
        "type": "order.paid",
        "subject": "ord_1",
        "time": "2026-12-01T08:00:00Z",
        "data": {"supplier_id": LIGHTS},
    })  # fmt: skip
    before = "9999999999999"
    ((kept,), _) = partners_wiring.deliveries().page(pull, before, 10, None)
    pushed, _ = partners_wiring.deliveries().page(push, before, 10, None)
    challenge = next(delivery for delivery in pushed if delivery.event_type != "order.paid")
    page = shop.send(partners_api, "GET", "/v1/supplier-orders", token=stranger, query={"limit": "1"})
    shop.webhooks.waiting()
    return {
        "ROOT_KEY": ROOT_KEY,
        "PERSON_ID": person("Li Na"),
        "STAFF_KEY": shop.staff.key("suppliers:write"),
        "READING_KEY": shop.staff.key("suppliers:read"),
        "KEYS_KEY": shop.staff.key("keys:write", "payouts:approve"),
        "OTHER_PERSON": person("Wang Fang"),
        "SUPPLIER_KEY_ID": "key_" + supplier.split("_")[1],
        "SUPPLIER_KEY": supplier,
        "REVOKED_KEY": revoked,
        "ACCESS_TOKEN": shop.buyer.token(),
        "STRANGERS_CURSOR": page.body["next_cursor"],
        "STRANGERS_ENDPOINT": shop.webhooks.endpoint(stranger, None, "*")["endpoint_id"],
        "PUSH_ENDPOINT": push,
        "PULL_ENDPOINT": pull,
        "KEPT_DELIVERY": kept.delivery_id,
        "CHALLENGE_DELIVERY": challenge.delivery_id,
    }


def load(path: Path, values: dict[str, str]) -> dict[str, Any]:
    text = path.read_text("utf-8")
    for name, value in values.items():
        text = text.replace(name, value)
    return dict(json.loads(text))


@pytest.mark.parametrize("path", HTTP_FILES, ids=lambda path: f"{function_of(path)}-{path.stem}")
def test_a_request_is_answered_as_its_name_says_and_a_refusal_takes_no_effect(shop: Shop, path: Path) -> None:
    event = load(path, placeholders(shop))
    before = shop.cloud.state()
    got = reply(HANDLERS[function_of(path)](event, Context()))

    if not path.stem.startswith("bad_"):
        assert got.status in (200, 201, 202, 204), got
        return
    after = shop.cloud.state()
    if got.status in (404, 409) and function_of(path) == "partners/inbox":
        # What is genuine is kept as it came, also when it has no effect.
        after["partners"] = [item for item in after["partners"] if not item["sk"]["S"].startswith("inbox#")]
    assert (got.status, got.body["code"]) == REFUSALS[function_of(path)][path.stem]
    assert got.headers["Content-Type"] == "application/problem+json"
    assert after == before
    assert shop.webhooks.waiting() == []


@pytest.mark.parametrize("path", QUEUED, ids=lambda path: path.stem)
def test_messages_are_handled_and_only_those_that_cannot_be_come_again(shop: Shop, path: Path) -> None:
    event = load(path, placeholders(shop))
    failed = on_webhook_due.handler(event, Context())["batchItemFailures"]

    assert [entry["itemIdentifier"] for entry in failed] == FAILED.get(path.stem, [])


def test_every_bad_file_has_its_refusal() -> None:
    bad = {(function_of(path), path.stem) for path in FILES if path.stem.startswith("bad_")}
    expected = {(folder, stem) for folder, stems in REFUSALS.items() for stem in stems}

    assert bad == expected | {("partners/on_delivery", stem) for stem in FAILED}
