"""Keys, suppliers and what suppliers report, from the events to the tables and back."""

import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from cardstock.clock import rfc3339
from cardstock.edge.secrets import forget_provider
from cardstock.edge.signatures import sign
from cardstock.ids import derived_id
from cardstock.orders import wiring as orders_wiring
from cardstock.partners import wiring as partners_wiring
from functions.partners.api import app as api
from functions.partners.inbox import app as inbox
from functions.partners.suppliers_api import app as suppliers_api
from functions.partners.webhooks_api import app as webhooks
from tests.house.cloud import ROOT_KEY, Cloud, Context, http_event
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.staff import person
from tests.people.suppliers import HANGERS, LIGHTS

KEYS = "/v1/partners/keys"
LI_NA = derived_id("stf", "Li Na")
NEW_KEY = {"name": "Li Na", "owner": LI_NA, "scopes": ["suppliers:write"]}
SHIPMENT = {"type": "shipment.created", "carrier": "SF", "tracking_no": "SF1"}


def outcome(answer: Reply) -> tuple[int, str]:
    return answer.status, answer.body["code"]


# --- keys ---


@pytest.fixture(autouse=True)
def li_na(cloud: Cloud) -> None:
    """Keys are asked for a person who is known."""
    person("Li Na")


def test_a_new_key_works_until_it_is_revoked(shop: Shop) -> None:
    made = shop.send(api, "POST", KEYS, NEW_KEY, token=ROOT_KEY)
    credential = made.body["key"]
    before = shop.send(suppliers_api, "PUT", "/v1/suppliers/sup_1", {"name": "a"}, token=credential)
    revoked = shop.send(api, "DELETE", f"{KEYS}/{made.body['key_id']}", token=ROOT_KEY)
    after = shop.send(suppliers_api, "PUT", "/v1/suppliers/sup_1", {"name": "b"}, token=credential)
    again = shop.send(api, "DELETE", f"{KEYS}/{made.body['key_id']}", token=ROOT_KEY)

    assert (made.status, before.status) == (201, 200)
    assert (revoked.status, again.status) == (204, 204)
    assert outcome(after) == (401, "KEY_INVALID")


def test_a_repeated_request_makes_no_second_key_and_gets_the_first_answer(shop: Shop) -> None:
    first = shop.send(api, "POST", KEYS, NEW_KEY, token=ROOT_KEY, key="k")
    before = shop.cloud.state()
    again = shop.send(api, "POST", KEYS, NEW_KEY, token=ROOT_KEY, key="k")
    other = shop.send(api, "POST", KEYS, NEW_KEY | {"name": "Wu"}, token=ROOT_KEY, key="k")

    assert again.replayed
    assert again.body == first.body
    assert outcome(other) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert shop.cloud.state() == before


def test_no_credential_is_stored_anywhere(shop: Shop) -> None:
    secret = shop.staff.key("payouts:read").removeprefix("csk_").partition("_")[2]

    assert secret not in json.dumps(shop.cloud.state(), default=str)


def test_keys_are_listed_by_owner_without_credentials_and_with_those_revoked(shop: Shop) -> None:
    made = [shop.send(api, "POST", KEYS, NEW_KEY, token=ROOT_KEY).body for _ in range(3)]
    shop.supplier.key(LIGHTS, "orders:fulfil")
    shop.send(api, "DELETE", f"{KEYS}/{made[0]['key_id']}", token=ROOT_KEY)
    first = shop.send(api, "GET", KEYS, token=ROOT_KEY, query={"owner": LI_NA, "limit": "2"}).body
    second = shop.send(
        api, "GET", KEYS, token=ROOT_KEY, query={"owner": LI_NA, "limit": "2", "cursor": first["next_cursor"]}
    ).body
    listed = {key["key_id"]: key for key in (*first["items"], *second["items"])}
    suppliers = shop.send(api, "GET", KEYS, token=ROOT_KEY, query={"owner": LIGHTS}).body["items"]

    assert set(listed) == {key["key_id"] for key in made}
    assert listed[made[0]["key_id"]]["active"] is False
    assert listed[made[1]["key_id"]]["active"] is True
    assert [key["scopes"] for key in suppliers] == [["orders:fulfil"]]
    assert second["next_cursor"] is None
    assert "secret" not in json.dumps(first)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({**NEW_KEY, "scopes": ["everything"]}, (400, "SCOPE_UNKNOWN")),
        ({**NEW_KEY, "scopes": []}, (400, "BODY_INVALID")),
        ({**NEW_KEY, "scopes": ["a"] * 99}, (400, "BODY_INVALID")),
        ({**NEW_KEY, "scopes": [1]}, (400, "BODY_INVALID")),
        ({**NEW_KEY, "owner": "mem_1"}, (400, "OWNER_UNKNOWN")),
        ({**NEW_KEY, "owner": "staff"}, (400, "OWNER_UNKNOWN")),
        ({**NEW_KEY, "owner": "stf_nobody"}, (400, "OWNER_UNKNOWN")),
        ({**NEW_KEY, "owner": "stf_" + "x" * 5_000}, (400, "OWNER_UNKNOWN")),
        ({**NEW_KEY, "owner": HANGERS, "scopes": ["orders:fulfil"]}, (400, "OWNER_UNKNOWN")),
        ({**NEW_KEY, "owner": "sup_x\n", "scopes": ["orders:fulfil"]}, (400, "OWNER_UNKNOWN")),
        ({**NEW_KEY, "owner": LIGHTS}, (422, "SCOPE_FOR_STAFF")),
        ({**NEW_KEY, "owner": LIGHTS, "scopes": ["keys:write"]}, (422, "SCOPE_FOR_STAFF")),
        ({**NEW_KEY, "name": ""}, (400, "BODY_INVALID")),
        ({**NEW_KEY, "name": "x" * 65}, (400, "BODY_INVALID")),
        ({**NEW_KEY, "name": "Li\x00Na"}, (400, "BODY_INVALID")),
        ({**NEW_KEY, "key_id": "key_mine"}, (400, "BODY_INVALID")),
        ({"name": "Li Na"}, (400, "BODY_INVALID")),
        ([], (400, "BODY_INVALID")),
        ("[" * 100_000, (400, "BODY_INVALID")),
        ('{"name":' + "9" * 5_000 + "}", (400, "BODY_INVALID")),
        ("x" * 300_000, (413, "BODY_TOO_LARGE")),
    ],
)
def test_a_wrong_request_for_a_key_makes_none(shop: Shop, body: Any, expected: tuple[int, str]) -> None:
    shop.supplier.register()
    before = shop.cloud.state()
    answer = shop.send(api, "POST", KEYS, body, token=ROOT_KEY)

    assert outcome(answer) == expected
    assert shop.cloud.state() == before


def test_a_key_without_the_scope_makes_no_keys(shop: Shop) -> None:
    staff = shop.staff.key("suppliers:write", "payouts:approve")
    supplier = shop.supplier.key(LIGHTS, "orders:fulfil", "webhooks:write")

    for credential in (staff, supplier):
        assert outcome(shop.send(api, "POST", KEYS, NEW_KEY, token=credential)) == (403, "SCOPE_MISSING")
        assert outcome(shop.send(api, "GET", KEYS, token=credential)) == (403, "SCOPE_MISSING")
        assert outcome(shop.send(api, "DELETE", f"{KEYS}/key_x", token=credential)) == (403, "SCOPE_MISSING")
        assert outcome(shop.send(suppliers_api, "PUT", "/v1/suppliers/sup_1", {"name": "a"}, token=supplier))[0] == 403


def test_the_root_key_is_good_for_keys_alone(shop: Shop) -> None:
    assert outcome(shop.send(suppliers_api, "PUT", "/v1/suppliers/sup_1", {"name": "a"}, token=ROOT_KEY))[0] == 403
    assert outcome(shop.send(api, "GET", "/v1/supplier-orders", token=ROOT_KEY))[0] == 403
    assert outcome(shop.send(webhooks, "GET", "/v1/webhook-endpoints", token=ROOT_KEY))[0] == 403
    assert outcome(shop.send(api, "DELETE", f"{KEYS}/key_root", token=ROOT_KEY)) == (404, "NOT_FOUND")


def test_members_are_no_partners(shop: Shop) -> None:
    member = shop.buyer.token()

    assert outcome(shop.send(api, "POST", KEYS, NEW_KEY, token=member)) == (403, "NOT_A_KEY")
    assert outcome(shop.send(webhooks, "GET", "/v1/webhook-endpoints", token=member)) == (403, "NOT_A_KEY")


@pytest.mark.parametrize(
    "credential",
    [
        "csk_", "csk__", "csk_x", "csk_x_y", "csk_root", "csk_root_", "csk_root_x", "csk_" + "a" * 9_000 + "_b",
        "csk_" + "密" * 3_000 + "_b", "csk_é_é", "csk_\x00_\x00", "csk_../.._x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("function", [api, webhooks])
def test_a_made_up_key_is_a_401(shop: Shop, function: Any, credential: str) -> None:
    path = KEYS if function is api else "/v1/webhook-endpoints"

    assert outcome(shop.send(function, "GET", path, token=credential)) == (401, "KEY_INVALID")


@pytest.mark.parametrize(
    "query",
    [
        {"owner": ""}, {"owner": "x" * 65}, {"limit": "0"}, {"limit": "101"}, {"limit": "many"}, {"cursor": "x"},
        {"cursor": ""}, {"cursor": "é.\x7f"}, {"owner": "a\x00"},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_query_is_refused(shop: Shop, query: dict[str, str]) -> None:
    assert shop.send(api, "GET", KEYS, token=ROOT_KEY, query={"owner": LI_NA} | query).status == 400


def test_a_cursor_is_good_for_its_own_list_alone(shop: Shop) -> None:
    for _ in range(2):
        shop.staff.key("payouts:read")
    cursor = shop.send(api, "GET", KEYS, token=ROOT_KEY, query={"owner": LI_NA, "limit": "1"}).body["next_cursor"]
    supplier = shop.supplier.key(LIGHTS, "orders:fulfil")
    others = shop.send(api, "GET", KEYS, token=ROOT_KEY, query={"owner": LIGHTS, "cursor": cursor})
    orders = shop.send(api, "GET", "/v1/supplier-orders", token=supplier, query={"cursor": cursor})

    assert outcome(others) == outcome(orders) == (400, "CURSOR_INVALID")


# --- suppliers ---


def test_a_suppliers_secret_is_shown_once_and_rotated_by_requests_that_can_be_repeated(shop: Shop) -> None:
    staff = shop.staff.key("suppliers:write")
    made = shop.send(suppliers_api, "PUT", "/v1/suppliers/sup_1", {"name": "宁波织物"}, token=staff)
    renamed = shop.send(suppliers_api, "PUT", "/v1/suppliers/sup_1", {"name": "新名"}, token=staff)
    rotated = shop.send(suppliers_api, "POST", "/v1/suppliers/sup_1/secrets", token=staff, key="r")
    repeated = shop.send(suppliers_api, "POST", "/v1/suppliers/sup_1/secrets", token=staff, key="r")

    assert made.body["inbox_url"] == "/v1/inbox/sup_1"
    assert made.body["inbox_secret"].startswith("whsec_")
    assert (renamed.body["name"], renamed.body["inbox_secret"]) == ("新名", None)
    assert rotated.status == 201
    assert repeated.body == rotated.body
    found = partners_wiring.suppliers().find("sup_1")
    assert found is not None
    assert found.inbox_secrets == (rotated.body["inbox_secret"], made.body["inbox_secret"])


@pytest.mark.parametrize("supplier_id", ["sup_A", "staff", "sup_", "sup_" + "x" * 27, "key_1", "供应商"])
def test_a_wrong_supplier_id_is_refused(shop: Shop, supplier_id: str) -> None:
    staff = shop.staff.key("suppliers:write")
    put = shop.send(suppliers_api, "PUT", f"/v1/suppliers/{supplier_id}", {"name": "a"}, token=staff)
    rotated = shop.send(suppliers_api, "POST", f"/v1/suppliers/{supplier_id}/secrets", token=staff)

    assert outcome(put) == (400, "SUPPLIER_ID_INVALID")
    assert outcome(rotated) == (404, "NOT_FOUND")


def test_an_endless_id_in_the_path_is_not_found(shop: Shop) -> None:
    staff = shop.staff.key("suppliers:write")
    endless = "x" * 3_000

    assert outcome(shop.send(suppliers_api, "PUT", f"/v1/suppliers/{endless}", {"name": "a"}, token=staff))[0] == 404
    assert outcome(shop.send(api, "DELETE", f"{KEYS}/{endless}", token=ROOT_KEY))[0] == 404
    assert shop.supplier.report("whsec_AAAA", {}, source=endless).status == 404


def test_a_supplier_sees_its_own_orders_and_nobody_elses(shop: Shop) -> None:
    order_id = shop.buyer.paid_order()
    lights = shop.supplier.key(LIGHTS, "orders:fulfil")
    hangers = shop.supplier.key(HANGERS, "orders:fulfil")
    stranger = shop.supplier.key("sup_other", "orders:fulfil")
    mine, theirs, none = (
        shop.send(api, "GET", "/v1/supplier-orders", token=key).body["items"] for key in (lights, hangers, stranger)
    )

    assert [(part["order_id"], [line["sku"] for line in part["lines"]]) for part in mine] == [
        (order_id, ["85123A", "71053"])
    ]
    assert [line["sku"] for part in theirs for line in part["lines"]] == ["84406B"]
    assert none == []
    assert mine[0]["receiver_name"] == "王小明"


def test_supplier_orders_come_in_pages_that_end(shop: Shop) -> None:
    placed = []
    for number in range(3):
        placed.append(shop.buyer.paid_order(f"order-{number}"))
        shop.clock.move(seconds=1)
    credential = shop.supplier.key(LIGHTS, "orders:fulfil")
    seen: list[str] = []
    query = {"limit": "2"}
    for _ in range(3):
        page = shop.send(api, "GET", "/v1/supplier-orders", token=credential, query=query).body
        seen += [part["order_id"] for part in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]

    assert seen == placed


def test_a_cursor_of_another_supplier_is_refused(shop: Shop) -> None:
    for number in range(2):
        shop.buyer.paid_order(f"order-{number}")
    lights, hangers = (shop.supplier.key(owner, "orders:fulfil") for owner in (LIGHTS, HANGERS))
    cursor = shop.send(api, "GET", "/v1/supplier-orders", token=lights, query={"limit": "1"}).body["next_cursor"]
    answer = shop.send(api, "GET", "/v1/supplier-orders", token=hangers, query={"cursor": cursor})

    assert outcome(answer) == (400, "CURSOR_INVALID")


def test_a_cold_function_fetches_its_secrets_itself(shop: Shop) -> None:
    credential = shop.supplier.key(LIGHTS, "webhooks:write")
    member = shop.buyer.token()
    owner = {"owner": LI_NA}
    for function, path, query in ((api, KEYS, owner), (webhooks, "/v1/webhook-endpoints", {})):
        forget_provider()
        assert shop.send(function, "GET", path, token=member).status == 403
        forget_provider()
        assert shop.send(function, "GET", path, token=ROOT_KEY, query=query).status in (200, 403)
    assert shop.send(webhooks, "GET", "/v1/webhook-endpoints", token=credential).status == 200


# --- the inbox ---


def test_a_signed_shipment_moves_the_suppliers_order_once(shop: Shop) -> None:
    secret, order_id = shop.supplier.register(), shop.buyer.paid_order()
    body = SHIPMENT | {"order_id": order_id}
    first = shop.supplier.report(secret, body)
    before = shop.cloud.state()
    shop.clock.move(minutes=2)
    again = shop.supplier.report(secret, body)
    part = orders_wiring.orders().find_supplier_orders(order_id, (LIGHTS,))[LIGHTS]

    assert (first.status, first.body) == (200, {"repeat": False})
    assert (again.status, again.body) == (200, {"repeat": True})
    assert shop.cloud.state() == before
    assert (part.status, [parcel.tracking_no for parcel in part.parcels]) == ("shipped", ["SF1"])


def test_with_the_last_suppliers_parcel_the_order_is_shipped_and_then_delivered(shop: Shop) -> None:
    lights, hangers, order_id = shop.supplier.register(), shop.supplier.register(HANGERS), shop.buyer.paid_order()
    shop.supplier.report(lights, SHIPMENT | {"order_id": order_id})
    early = shop.supplier.report(lights, {"type": "shipment.delivered", "order_id": order_id}, message_id="msg_2")
    shop.supplier.report(hangers, SHIPMENT | {"order_id": order_id}, source=HANGERS)
    order = orders_wiring.orders().find_order(order_id)

    assert early.status == 200
    assert order is not None
    assert order.status == "shipped"


def test_a_report_that_comes_before_its_time_can_come_again(shop: Shop) -> None:
    secret, order_id = shop.supplier.register(), shop.buyer.paid_order()
    delivered = {"type": "shipment.delivered", "order_id": order_id}
    early = shop.supplier.report(secret, delivered, message_id="msg_2")
    shop.supplier.report(secret, SHIPMENT | {"order_id": order_id})
    later = shop.supplier.report(secret, delivered, message_id="msg_2")

    assert outcome(early) == (409, "NOT_SHIPPED")
    assert (later.status, later.body) == (200, {"repeat": False})


def test_a_delivery_that_is_known_is_a_repeat_under_any_message_id(shop: Shop) -> None:
    secret, order_id = shop.supplier.register(), shop.buyer.paid_order()
    shop.supplier.report(secret, SHIPMENT | {"order_id": order_id})
    delivered = {"type": "shipment.delivered", "order_id": order_id}
    first = shop.supplier.report(secret, delivered, message_id="msg_2")
    shop.clock.move(hours=1)
    before = shop.cloud.items("supplier-orders")
    again = shop.supplier.report(secret, delivered, message_id="msg_3")

    assert (first.body, again.status, again.body) == ({"repeat": False}, 200, {"repeat": True})
    assert shop.cloud.items("supplier-orders") == before


def test_stock_is_what_the_newest_count_says_in_whatever_order_they_come(shop: Shop) -> None:
    shop.stock_up()
    secret = shop.supplier.register()
    for number, (version, stock) in enumerate([(2, 40), (1, 99), (3, 41)]):
        body = {"type": "inventory.updated", "sku": "85123A", "stock": stock, "version": version}
        assert shop.supplier.report(secret, body, message_id=f"msg_{number}").status == 200

    assert shop.stock()["85123A"] == (41, 0)


def test_another_suppliers_order_and_goods_are_not_found(shop: Shop) -> None:
    shop.supplier.register()
    stranger = shop.supplier.register("sup_other")
    order_id = shop.buyer.paid_order()
    before = shop.order_books()
    attempts: list[dict[str, Any]] = [
        SHIPMENT | {"order_id": order_id},
        {"type": "shipment.delivered", "order_id": order_id},
        {"type": "inventory.updated", "sku": "85123A", "stock": 0, "version": 9},
        {"type": "inventory.updated", "sku": "unknown", "stock": 0, "version": 9},
        SHIPMENT | {"order_id": "ord_" + "0" * 26},
    ]
    answers = [
        shop.supplier.report(stranger, body, source="sup_other", message_id=f"msg_{number}")
        for number, body in enumerate(attempts)
    ]

    assert [outcome(answer) for answer in answers] == [(404, "NOT_FOUND")] * 5
    assert shop.order_books() == before


def test_a_secret_signs_for_its_own_supplier_alone(shop: Shop) -> None:
    lights, _ = shop.supplier.register(), shop.supplier.register(HANGERS)
    order_id = shop.buyer.paid_order()

    assert outcome(shop.supplier.report(lights, SHIPMENT | {"order_id": order_id}, source=HANGERS)) == (
        401,
        "SIGNATURE_INVALID",
    )


@pytest.mark.parametrize(
    "source", ["sup_unknown", "staff", "key_1", "供应商", "sup_lights%00", "SUP_LIGHTS", "x" * 200]
)
def test_an_unknown_source_is_told_apart_from_a_wrong_signature_by_nothing(shop: Shop, source: str) -> None:
    secret = shop.supplier.register()
    unknown = shop.supplier.report(secret, SHIPMENT, source=source)
    forged = shop.supplier.report("whsec_AAAA", SHIPMENT)

    assert unknown.body == forged.body
    assert unknown.status == forged.status == 401


def test_the_secret_before_the_newest_is_valid_and_the_one_before_that_is_not(shop: Shop) -> None:
    staff = shop.staff.key("suppliers:write")
    secrets = [shop.supplier.register()]
    for _ in range(2):
        made = shop.send(suppliers_api, "POST", f"/v1/suppliers/{LIGHTS}/secrets", token=staff)
        secrets.append(made.body["inbox_secret"])
    order_id = shop.buyer.paid_order()
    statuses = [
        shop.supplier.report(secret, SHIPMENT | {"order_id": order_id}, message_id=f"msg_{number}").status
        for number, secret in enumerate(secrets)
    ]

    assert statuses == [401, 200, 200]


@pytest.mark.parametrize("minutes", [-6, 6, -60 * 24 * 365, 60 * 24 * 365])
def test_an_old_message_and_one_from_the_future_are_refused(shop: Shop, minutes: int) -> None:
    secret, order_id = shop.supplier.register(), shop.buyer.paid_order()
    before = shop.cloud.state()
    at = shop.clock.now() + timedelta(minutes=minutes)
    answer = shop.supplier.report(secret, SHIPMENT | {"order_id": order_id}, at=at)

    assert outcome(answer) == (401, "SIGNATURE_STALE")
    assert answer.body["time"] == answer.body["facts"]["shop_time"] == rfc3339(shop.clock.now())
    assert answer.body["facts"]["sent_at"] in answer.body["detail"]
    assert shop.cloud.state() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1,***"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,é"},
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-id": "m" * 5_000},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "9" * 5_000},
        {"webhook-timestamp": "²"},
    ],
    ids=str,
)
def test_a_forged_message_writes_nothing(shop: Shop, headers: dict[str, str]) -> None:
    secret, order_id = shop.supplier.register(), shop.buyer.paid_order()
    before = shop.cloud.state()
    answer = shop.supplier.report(secret, SHIPMENT | {"order_id": order_id}, headers=headers)

    [(name, value)] = headers.items()
    malformed = (name != "webhook-signature" and value != "msg_2") or not value
    assert outcome(answer) == (401, "SIGNATURE_MISSING" if malformed else "SIGNATURE_INVALID")
    assert shop.cloud.state() == before


def test_an_unsigned_message_is_refused_before_it_is_read(shop: Shop) -> None:
    shop.supplier.register()
    for body in ("[" * 100_000, "\x00", None, "{}"):
        answer = reply(inbox.handler(http_event("POST", f"/v1/inbox/{LIGHTS}", body), Context()))
        assert outcome(answer) == (401, "SIGNATURE_MISSING")


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "null", "[]", '"x"', "[" * 50_000, '{"type":"shipment.lost"}', '{"type":1}', "{}",
        '{"type":"shipment.created","order_id":"ord_1","carrier":"SF","tracking_no":"1"}',
        '{"type":"shipment.created","order_id":"ord_00000000000000000000000000","carrier":"","tracking_no":"1"}',
        '{"type":"inventory.updated","sku":"a","stock":-1,"version":1}',
        '{"type":"inventory.updated","sku":"a","stock":1.5,"version":1}',
        '{"type":"inventory.updated","sku":"a","stock":true,"version":1}',
        '{"type":"inventory.updated","sku":"a","stock":' + "9" * 5_000 + ',"version":1}',
        '{"type":"inventory.updated","sku":"a\\u0000","stock":1,"version":1}',
        '{"type":"inventory.updated","sku":"' + "a" * 65 + '","stock":1,"version":1}',
        '{"type":"inventory.updated","sku":"","stock":1,"version":1}',
    ],
)  # fmt: skip
def test_a_genuine_message_that_makes_no_sense_is_a_400_and_is_not_kept(shop: Shop, body: str) -> None:
    secret = shop.supplier.register()
    before = shop.cloud.state()
    answer = shop.supplier.report(secret, body)

    assert outcome(answer) == (400, "BODY_INVALID")
    assert shop.cloud.state() == before


def test_an_id_that_comes_again_with_another_body_is_refused(shop: Shop) -> None:
    secret, order_id = shop.supplier.register(), shop.buyer.paid_order()
    shop.supplier.report(secret, SHIPMENT | {"order_id": order_id})
    before = shop.cloud.state()
    answer = shop.supplier.report(secret, SHIPMENT | {"order_id": order_id, "tracking_no": "SF2"})

    assert outcome(answer) == (422, "MESSAGE_ID_REUSED")
    assert shop.cloud.state() == before


def test_bytes_that_are_no_text_are_refused(shop: Shop) -> None:
    shop.supplier.register()
    event = http_event("POST", f"/v1/inbox/{LIGHTS}", base64.b64encode(b"\xff\xfe").decode())
    event["isBase64Encoded"] = True
    event["headers"] |= {"webhook-id": "m", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}

    assert outcome(reply(inbox.handler(event, Context()))) == (401, "SIGNATURE_INVALID")


@pytest.mark.parametrize("encoding", ["gbk", "utf-16", "latin-1"])
def test_a_genuine_message_in_another_encoding_is_a_400_that_says_so(shop: Shop, encoding: str) -> None:
    secret = shop.supplier.register()
    before = shop.cloud.state()
    body = json.dumps(SHIPMENT | {"order_id": "ord_1", "note": "é"}, ensure_ascii=False).encode(encoding)
    at = int(shop.clock.now().timestamp())
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, f"msg_1.{at}.".encode() + body, "sha256")).decode()
    event = http_event("POST", f"/v1/inbox/{LIGHTS}", base64.b64encode(body).decode())
    event["isBase64Encoded"] = True
    event["headers"] |= {
        "webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}",
    }  # fmt: skip
    answer = reply(inbox.handler(event, Context()))

    assert outcome(answer) == (400, "BODY_INVALID")
    assert [each["code"] for each in answer.body["errors"]] == ["ENCODING"]
    assert shop.cloud.state() == before


def test_a_gateway_that_encodes_the_body_changes_nothing(shop: Shop) -> None:
    secret, order_id = shop.supplier.register(), shop.buyer.paid_order()
    body = json.dumps(SHIPMENT | {"order_id": order_id, "carrier": "顺丰"}, ensure_ascii=False).encode()
    headers = {name.title(): value for name, value in sign(secret, "m", shop.clock.now(), body).items()}
    event = http_event("POST", f"/v1/inbox/{LIGHTS}", base64.b64encode(body).decode(), headers=headers)
    event["isBase64Encoded"] = True

    assert reply(inbox.handler(event, Context())).status == 200


def test_the_refusal_speaks_the_senders_language(shop: Shop) -> None:
    chinese = shop.supplier.report("whsec_AAAA", SHIPMENT)
    english = shop.supplier.report("whsec_AAAA", SHIPMENT, headers={"Accept-Language": "en"})

    assert chinese.body["detail"] == "签名与内容、消息编号、时间戳不符：请检查密钥，并对原始字节签名。"
    assert (
        english.body["detail"]
        == "The signature does not fit body, message id and timestamp: check the secret, and sign the raw bytes."
    )


def test_the_warehouse_reads_what_is_to_be_sent_for_the_supplier_that_it_names(shop: Shop) -> None:
    shop.stock_up()
    shop.buyer.paid_order("order-1")
    warehouse, supplier = shop.staff.key("orders:fulfil"), shop.supplier.key(LIGHTS, "orders:fulfil")

    def read(token: str, **query: str) -> Any:
        return shop.send(api, "GET", "/v1/supplier-orders", token=token, query=query)

    own, named = read(supplier).body["items"], read(warehouse, supplier_id=LIGHTS).body["items"]

    assert own
    assert named == own == read(supplier, supplier_id=LIGHTS).body["items"]
    assert read(warehouse).body["items"] == []
    assert outcome(read(supplier, supplier_id=HANGERS)) == (404, "NOT_FOUND")
