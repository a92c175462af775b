"""Every file of `events/` for the catalogue, orders, payments and the sweep, executed: good ones are done, bad ones get
their refusal and change nothing."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cardstock.attribution import Attribution
from cardstock.catalog import wiring as catalog_wiring
from cardstock.edge import wiring as edge_wiring
from cardstock.ids import RequestKey
from cardstock.orders import fulfilment, wiring
from cardstock.orders.agreement_model import AGREEMENT_LIFETIME, Agreement
from cardstock.orders.model import Order, OrderLine, Receiver
from cardstock.signing import ACCESS
from functions.catalog.api import app as catalog_api
from functions.catalog.drafts_api import app as drafts_api
from functions.catalog.staff_api import app as catalog_staff_api
from functions.delivery.api import app as delivery_api
from functions.delivery.staff_api import app as delivery_staff_api
from functions.orders.api import app as orders_api
from functions.orders.nightly_sales import app as nightly_sales
from functions.orders.payment_inbox import app as payment_inbox
from functions.orders.payments_api import app as orders_payments_api
from functions.orders.staff_api import app as orders_staff_api
from functions.orders.sweep import app as sweep_expired
from tests.house.cloud import ROOT, Context
from tests.house.payloads import function_of
from tests.people.agreements import ACCOUNT, AgreementHolder
from tests.people.buyers import BUYER, CART, STRANGER
from tests.people.goods import draft_of
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.uploads import store_ready

HANDLERS: dict[str, Any] = {
    "catalog/api": catalog_api.handler,
    "catalog/staff_api": catalog_staff_api.handler,
    "delivery/api": delivery_api.handler,
    "delivery/staff_api": delivery_staff_api.handler,
    "catalog/drafts_api": drafts_api.handler,
    "orders/api": orders_api.handler,
    "orders/payments_api": orders_payments_api.handler,
    "orders/staff_api": orders_staff_api.handler,
    "orders/payment_inbox": payment_inbox.handler,
    "orders/sweep": sweep_expired.handler,
    "orders/nightly_sales": nightly_sales.handler,
}
FILES = [path for folder in HANDLERS for path in sorted((ROOT / "events" / folder).glob("*.json"))]
SCHEDULES = ("orders/sweep", "orders/nightly_sales")
HTTP_FILES = [path for path in FILES if function_of(path) not in SCHEDULES]
NIGHTS = [path for path in FILES if function_of(path) == "orders/nightly_sales"]
SWEEPS = [path for path in FILES if function_of(path) == "orders/sweep"]
FIXED_ID = "ord_01kbdxdh50fcazdjhcnqh2rzv5"
"""The order whose payments are signed in the files."""
FIXED_AGREEMENT = "agr_01kbdxdh50fcazdjhcnqh2rzv5"
"""The agreement of which notices are signed in the files."""
REFUSALS = {
    "catalog/api": {
        "bad_limit": (400, "QUERY_INVALID"),
        "bad_cursor": (400, "CURSOR_INVALID"),
        "bad_unknown_product": (404, "NOT_FOUND"),
        "bad_too_many_ids": (400, "QUERY_INVALID"),
    },
    "catalog/staff_api": {
        "bad_price_zero": (400, "BODY_INVALID"),
        "bad_price_with_fraction": (400, "BODY_INVALID"),
        "bad_unknown_field": (400, "BODY_INVALID"),
        "bad_sku_of_another_supplier": (409, "SKU_TAKEN"),
        "bad_sku_twice": (400, "BODY_INVALID"),
        "bad_member_publishes": (403, "NOT_A_KEY"),
        "bad_terms_by_supplier": (403, "TERMS_FOR_STAFF"),
        "bad_supplier_of_nobody": (400, "SUPPLIER_UNKNOWN"),
        "bad_choice_unknown": (400, "BODY_INVALID"),
        "bad_media_host": (400, "MEDIA_HOST_UNKNOWN"),
        "bad_upload_unknown": (400, "UPLOAD_UNKNOWN"),
        "bad_back_to_draft": (409, "PRODUCT_STATE"),
        "bad_takes_more_than_there_is": (409, "STOCK_SHORT"),
        "bad_without_idempotency_key": (400, "IDEMPOTENCY_KEY_MISSING"),
        "bad_list_by_supplier": (403, "SCOPE_MISSING"),
        "bad_unknown_state": (400, "QUERY_INVALID"),
    },
    "delivery/api": {
        "bad_old_code": (400, "REGION_UNKNOWN"),
        "bad_short_code": (400, "QUERY_INVALID"),
    },
    "delivery/staff_api": {
        "bad_unknown_region": (400, "TEMPLATES_INVALID"),
        "bad_default": (400, "TEMPLATES_INVALID"),
        "bad_version": (409, "TEMPLATES_CHANGED"),
        "bad_step_zero": (400, "BODY_INVALID"),
        "bad_fee_below_zero": (400, "BODY_INVALID"),
        "bad_by_supplier": (403, "TERMS_FOR_STAFF"),
        "bad_read_by_member": (403, "NOT_A_KEY"),
    },
    "catalog/drafts_api": {
        "bad_with_price": (400, "BODY_INVALID"),
        "bad_by_staff": (403, "NOT_A_SUPPLIER"),
        "bad_that_is_unknown": (404, "NOT_FOUND"),
        "bad_draft_changed": (409, "DRAFT_CHANGED"),
    },
    "orders/api": {
        "bad_units_too_many": (400, "BODY_INVALID"),
        "bad_units_as_text": (400, "BODY_INVALID"),
        "bad_units_huge": (400, "BODY_INVALID"),
        "bad_units_sum_too_many": (400, "BODY_INVALID"),
        "bad_51_skus": (400, "BODY_INVALID"),
        "bad_unknown_sku": (422, "NOT_FOR_SALE"),
        "bad_more_than_in_stock": (409, "STOCK_SHORT"),
        "bad_forged_attribution": (400, "ATTRIBUTION_INVALID"),
        "bad_forged_quote": (400, "QUOTE_INVALID"),
        "bad_quote_of_another_member": (400, "QUOTE_INVALID"),
        "bad_without_idempotency_key": (400, "IDEMPOTENCY_KEY_MISSING"),
        "bad_address_with_nul": (400, "BODY_INVALID"),
        "bad_own_price": (400, "BODY_INVALID"),
        "bad_order_of_another_member": (404, "NOT_FOUND"),
        "bad_order_id": (404, "NOT_FOUND"),
        "bad_cancel_of_paid": (409, "ORDER_PAID"),
        "bad_pay_by_unknown_channel": (400, "CHANNEL_UNKNOWN"),
        "bad_pay_again": (409, "ORDER_PAID"),
        "bad_instalments_not_offered": (422, "INSTALMENTS_NOT_OFFERED"),
        "bad_instalments_below_least": (422, "INSTALMENTS_BELOW_LEAST"),
        "bad_refund_more_than_bought": (422, "REFUND_TOO_MUCH"),
        "bad_refund_of_unpaid": (409, "ORDER_NOT_PAID"),
        "bad_refund_of_sent": (409, "UNITS_SENT"),
        "bad_receipt_before_shipment": (409, "NOT_SHIPPED"),
        "bad_cursor_of_another_list": (400, "CURSOR_INVALID"),
        "bad_no_credentials": (401, "CREDENTIALS_MISSING"),
    },
    "orders/payments_api": {
        "bad_amount": (400, "QUERY_INVALID"),
        "bad_agreement_bounds": (422, "AGREEMENT_BOUNDS"),
        "bad_agreement_fraction": (400, "BODY_INVALID"),
        "bad_agreement_without_app": (409, "APP_DIFFERS"),
        "bad_end_of_another_member": (404, "NOT_FOUND"),
        "bad_charge_of_another_member": (404, "NOT_FOUND"),
        "bad_charge_under_another_member_s": (400, "AGREEMENT_UNKNOWN"),
        "bad_charge_over_limit": (422, "CHARGE_OVER_LIMIT"),
        "bad_charge_in_another_app": (409, "APP_DIFFERS"),
        "bad_charge_by_key": (403, "NOT_A_MEMBER"),
        "bad_charge_of_paid": (409, "ORDER_PAID"),
    },
    "orders/staff_api": {
        "bad_goodwill_more_than_paid": (422, "REFUND_EXCEEDS_PAID"),
        "bad_goodwill_without_reason": (400, "BODY_INVALID"),
        "bad_goodwill_by_member": (403, "NOT_A_KEY"),
        "bad_goodwill_of_unpaid": (409, "ORDER_NOT_PAID"),
        "bad_return_more_than_bought": (422, "REFUND_TOO_MUCH"),
        "bad_return_by_member": (403, "NOT_A_KEY"),
        "bad_list_by_supplier": (403, "SCOPE_MISSING"),
        "bad_read_by_member": (403, "NOT_A_KEY"),
        "bad_read_of_no_order": (404, "NOT_FOUND"),
        "bad_day_that_does_not_exist": (400, "QUERY_INVALID"),
        "bad_sales_of_32_days": (400, "QUERY_INVALID"),
        "bad_sales_by_who_reads_orders": (403, "SCOPE_MISSING"),
    },
    "orders/payment_inbox": {
        "bad_signature": (401, "SIGNATURE_INVALID"),
        "bad_tampered_amount": (401, "SIGNATURE_INVALID"),
        "bad_too_old": (401, "SIGNATURE_STALE"),
        "bad_from_the_future": (401, "SIGNATURE_STALE"),
        "bad_unsigned": (401, "SIGNATURE_MISSING"),
        "bad_agreement_forged": (401, "SIGNATURE_INVALID"),
    },
}


def fixed_order(shop: Shop) -> None:
    """The order that the payment notices in the files name."""
    lines = (
        OrderLine(1, "85123A", "Holder", 6, 25_500, 153_000, "sup_lights", True, True),
        OrderLine(2, "71053", "Lantern", 2, 33_900, 67_800, "sup_lights", False, True),
        OrderLine(3, "84406B", "Hanger", 3, 1_001, 3_003, "sup_hangers", False, True),
    )
    placed = Order(
        order_id=FIXED_ID,
        member_id="mem_" + "b" * 26,
        status="placed",
        lines=lines,
        amount_fen=223_803,
        receiver=Receiver("王小明", "13800138000", "上海"),
        attribution=Attribution("crd_1", "k7m2p9xw4t", "viw_1", "mem_1"),
        snapshot={},
        placed_at=shop.clock.now() - timedelta(minutes=5),
    )
    wiring.orders().add_order(placed, RequestKey("req_fixed", "f"))
    agreement = Agreement(
        FIXED_AGREEMENT, BUYER, "sandbox", "dev:wx1", "asked", 5_000, 12_000, shop.clock.now(),
        shop.clock.now() + AGREEMENT_LIFETIME,
    )  # fmt: skip
    wiring.agreements().store_agreement(agreement)


def placeholders(shop: Shop) -> dict[str, str]:
    """What the files name in capitals, made in a fresh shop."""
    shop.stock_up()
    fixed_order(shop)
    small = {"84406B": 3}
    placed, paid, shipped = (shop.buyer.order(small, key=f"seed-{number}") for number in range(3))
    for order_id in (paid, shipped):
        shop.buyer.pay(order_id)
    fulfilment.report_shipment("sup_hangers", shipped, "SF", "SF1", "evt_1", orders=wiring.orders())
    theirs = [
        shop.buyer.place(
            shop.buyer.quote(small, member=STRANGER).body["quote"], member=STRANGER, key=f"theirs-{number}"
        ).body
        for number in range(2)
    ]
    for supplier_id in ("sup_lights", "sup_bags"):
        shop.supplier.register(supplier_id)
    drafted = draft_of("DRAFT1", "Bag", "sup_bags", shop.clock.now())
    catalog_wiring.products().store_draft(drafted)
    store_ready("upl_" + "0" * 26, "staff")
    page = shop.buyer.send("GET", "/v1/orders", member=STRANGER, query={"limit": "1"}).body
    return {
        "ACCESS_TOKEN": shop.buyer.token(),
        "APP_TOKEN": edge_wiring.signer().sign(ACCESS, {"sub": BUYER, "acc": ACCOUNT}, lifetime=timedelta(hours=2)),
        "AGREEMENT_ID": AgreementHolder(shop).signed(),
        "STRANGERS_AGREEMENT": AgreementHolder(shop, member=STRANGER).signed(),
        "DRAFT_SHA256": drafted.sha256,
        "CATALOG_KEY": shop.staff.key("catalog:write"),
        "SUPPLIERS_KEY": shop.supplier.key("sup_bags", "catalog:write"),
        "REFUND_KEY": shop.staff.key("orders:refund"),
        "READING_KEY": shop.staff.key("orders:read", "sales:read"),
        "PRODUCTS_KEY": shop.staff.key("catalog:read"),
        "ORDERS_KEY": shop.staff.key("orders:read"),
        "ATTRIBUTION_TOKEN": shop.buyer.attribution(),
        "QUOTE_TOKEN": shop.buyer.quote(CART).body["quote"],
        "PLACED_ID": placed,
        "PAID_ID": paid,
        "SHIPPED_ID": shipped,
        "STRANGERS_QUOTE": shop.buyer.quote(small, member=STRANGER).body["quote"],
        "STRANGERS_ID": theirs[0]["order_id"],
        "STRANGERS_CURSOR": page["next_cursor"],
    }


def run(shop: Shop, path: Path, values: dict[str, str]) -> Reply:
    text = path.read_text("utf-8")
    for name, value in values.items():
        text = text.replace(name, value)
    return reply(HANDLERS[function_of(path)](json.loads(text), Context()))


@pytest.mark.parametrize("path", HTTP_FILES, ids=lambda path: f"{function_of(path)}-{path.stem}")
def test_a_request_is_answered_as_its_name_says_and_a_refusal_changes_nothing(shop: Shop, path: Path) -> None:
    values = placeholders(shop)
    before = shop.cloud.state()
    got = run(shop, path, values)

    if path.stem.startswith("bad_"):
        assert (got.status, got.body["code"]) == REFUSALS[function_of(path)][path.stem]
        assert got.headers["Content-Type"] == "application/problem+json"
        assert shop.cloud.state() == before
    else:
        assert got.status in (200, 201, 202), got


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_a_tick_sweeps_and_what_is_no_tick_raises(shop: Shop, path: Path) -> None:
    order_id = shop.buyer.order()
    event = json.loads(path.read_text("utf-8"))
    before = shop.cloud.state()
    if path.stem.startswith("bad_"):
        with pytest.raises((ValueError, msgspec.ValidationError)):
            sweep_expired.handler(event, Context())

        assert shop.cloud.state() == before
    else:
        shop.clock.move(minutes=31)

        assert sweep_expired.handler(event, Context(remaining_ms=60_000))["expired"] == 1
        assert shop.buyer.send("GET", f"/v1/orders/{order_id}").body["status"] == "expired"


@pytest.mark.parametrize("path", NIGHTS, ids=lambda path: path.stem)
def test_a_night_stores_the_days_before_and_what_is_no_tick_raises(shop: Shop, path: Path) -> None:
    shop.buyer.paid_order()
    shop.clock.move(hours=9)  # 01:00 of the next day in China
    event = json.loads(path.read_text("utf-8"))
    before = shop.cloud.state()
    if path.stem.startswith("bad_"):
        with pytest.raises((ValueError, msgspec.ValidationError)):
            nightly_sales.handler(event, Context())

        assert shop.cloud.state() == before
    else:
        done = [nightly_sales.handler(event, Context(remaining_ms=900_000)) for _ in "12"]

        assert done == [{"closed": 31, "open": 0, "left": 0}, {"closed": 0, "open": 0, "left": 0}]
        assert {item["pk"]["S"] for item in shop.cloud.items("sales")} == {"total", "sup_lights", "sup_hangers"}


def test_every_bad_file_has_its_refusal() -> None:
    bad = {(function_of(path), path.stem) for path in HTTP_FILES if path.stem.startswith("bad_")}

    assert bad == {(folder, stem) for folder, stems in REFUSALS.items() for stem in stems}
