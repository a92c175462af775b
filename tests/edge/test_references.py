"""What a body names exists: an id that nobody has is refused where it comes in, and nothing is stored.

Each field of a body that names something needs its row. What a path names is 404, which `test_who_may_what` shows.
"""

import re
from typing import Any

import pytest

from tests.house.cloud import http_event, serve
from tests.house.incoming import incoming
from tests.people.buyers import BUYER
from tests.people.consents import login_body
from tests.people.goods import terms_of
from tests.people.replies import reply
from tests.people.shop import Shop
from tests.people.suppliers import LIGHTS

NAMES = re.compile(
    r"(_id|owner|sku|skus|invite|inviter|coupon|number|approver|channel|platform|\w+\[\])\Z|\.(order|member|supplier)\Z"
)
MADE_UP = {
    "PublishedProduct.product_id": "names a new product",
    "VariantData.sku": "names a new SKU",
    "DraftVariant.sku": "names a new SKU",
    "PutProduct.category_ids[]": "a category may come later",
    "PublishedProduct.category_ids[]": "a category may come later",
    "PutDraft.category_ids[]": "a category may come later",
    "CardQuery.supplier_id": "a filter that finds nothing",
    "SkuQuery.supplier_id": "a filter that finds nothing",
    "DraftQuery.supplier_id": "a filter that finds nothing",
    "PublishPlan.id": "names a new plan",
    "PutBankAccount.number": "checked by its last digit",
    "PayeeAccount.number": "checked by its last digit",
    "PutIdentity.id_number": "checked by its last digit",
    "OpenSession.app_id": "the platform knows it",
    "CardVersion.tags[]": "labels",
    "CardVersion.shelf[]": "shown by nobody yet",
    "SimulatedOrder.order_id": "of the simulation alone",
    "SimulatedOrder.member_id": "of the simulation alone",
    "SimulatedOrder.inviter_id": "of the simulation alone",
    "SimulatedLine.sku": "of the simulation alone",
    "Simulate.partners[]": "of the simulation alone",
    "AssumedApproval.approver": "of the simulation alone",
    "TemplateData.template_id": "a new name",
    "ProductQuery.supplier_id": "a filter that finds nothing",
    "SupplierOrderQuery.supplier_id": "a filter that finds nothing",
    "KeyPage.owner": "a filter that finds nothing",
    "OrderQuery.member_id": "a filter that finds nothing",
    "OrderQuery.supplier_id": "a filter that finds nothing",
    "SalesDaysQuery.supplier_id": "a filter that finds nothing",
    "StaffProductQuery.supplier_id": "a filter that finds nothing",
    "ActionQuery.person_id": "a filter that finds nothing",
    "AskLogin.person_id": "an unknown person gets the same answer",
}
"""Fields that look like names of something that exists, and are none."""

ELSE = "https://elsewhere.example/x.jpg"
NOBODY, NO_ORDER = "mem_" + "z" * 26, "ord_" + "z" * 26
RATE = {"first": 1, "first_fen": 1, "further": 1, "further_fen": 1}
TERMS = terms_of("Bag", "sup_nobody", 1)
CALLS: dict[str, tuple[str, str, str, Any, str]] = {
    # Field: caller, method, path, body, code.
    "PutProduct.supplier_id": ("catalog:write", "PUT", "/v1/products/x", TERMS, "SUPPLIER_UNKNOWN"),
    "PublishedProduct.supplier_id": (
        "catalog:write", "PUT", "/v1/products", {"products": [{"product_id": "x", **TERMS}]}, "SUPPLIER_UNKNOWN",
    ),
    "PutProduct.images[]": (
        "catalog:write", "PUT", "/v1/products/x", TERMS | {"supplier_id": LIGHTS, "images": [ELSE]},
        "MEDIA_HOST_UNKNOWN",
    ),
    "PublishedProduct.images[]": (
        "catalog:write", "PUT", "/v1/products",
        {"products": [{"product_id": "x", **TERMS, "supplier_id": LIGHTS, "images": [ELSE]}]}, "MEDIA_HOST_UNKNOWN",
    ),
    "VariantData.choice[]": (
        "catalog:write", "PUT", "/v1/products/x",
        TERMS | {
            "supplier_id": LIGHTS, "options": [{"name": {"zh": "颜色"}, "values": [{"zh": "白"}]}],
            "variants": [{"price_fen": 1, "choice": ["黑"]}],
        },
        "BODY_INVALID",
    ),
    "AcceptDraft.supplier_id": (
        "catalog:write", "POST", "/v1/products/x/acceptances",
        {"supplier_id": "sup_nobody", "draft_sha256": "0" * 64, "variants": [{"price_fen": 1}]}, "NOT_FOUND",
    ),
    "Line.sku": ("member", "POST", "/v1/quotes", {"lines": [{"sku": "x", "units": 1}]}, "NOT_FOR_SALE"),
    "ZoneData.regions[]": (
        "catalog:write", "PUT", "/v1/freight-templates",
        {"templates": [{"template_id": "a", "name": "A", "measure": "unit", "rate": RATE,
                        "zones": [{"regions": ["999999"], "rate": None}]}], "default_template": "a", "version": 0},
        "TEMPLATES_INVALID",
    ),
    "AskQuote.coupon": (
        "member", "POST", "/v1/quotes",
        {"lines": [{"sku": "71053", "units": 1}], "coupon": f"benefit.{NOBODY}.1"}, "COUPON_UNKNOWN",
    ),
    "AskWriteOff.member_id": (
        "debts:write_off", "POST", "/v1/debt-write-offs", {"member_id": NOBODY, "amount_fen": 1, "reason": "r"},
        "NOT_FOUND",
    ),
    "CreateKey.owner": (
        "keys:write", "POST", "/v1/partners/keys", {"name": "n", "owner": "sup_nobody", "scopes": ["orders:fulfil"]},
        "OWNER_UNKNOWN",
    ),
    "CreateKey.scopes[]": (
        "keys:write", "POST", "/v1/partners/keys", {"name": "n", "owner": LIGHTS, "scopes": ["x"]}, "SCOPE_UNKNOWN",
    ),
    "CreateEndpoint.events[]": ("webhooks:write", "POST", "/v1/webhook-endpoints", {"events": ["x"]}, "EVENT_UNKNOWN"),
    "OpenSession.platform": (
        "nobody", "POST", "/v1/auth/sessions", {"platform": "x", "app_id": "a", "login_code": "dev:a"},
        "PLATFORM_UNKNOWN",
    ),
    "OpenSession.invite": (
        "nobody", "POST", "/v1/auth/sessions",
        login_body("a", invite=NOBODY), "INVITER_UNKNOWN",
    ),
    "StartPayment.channel": ("member", "POST", "/v1/orders/PLACED/payments", {"channel": "x"}, "CHANNEL_UNKNOWN"),
    "AskAgreement.channel": (
        "member", "POST", "/v1/me/payment-agreements", {"channel": "x", "charge_fen": 1, "day_fen": 1},
        "CHANNEL_UNKNOWN",
    ),
    "ChargeOrder.agreement_id": (
        "member", "POST", "/v1/orders/PLACED/charges", {"agreement_id": "agr_" + "z" * 26}, "AGREEMENT_UNKNOWN",
    ),
    "ShipmentCreated.order_id": (
        "supplier", "POST", "",
        {"type": "shipment.created", "order_id": NO_ORDER, "carrier": "SF", "tracking_no": "1"}, "NOT_FOUND",
    ),
    "ShipmentDelivered.order_id": (
        "supplier", "POST", "", {"type": "shipment.delivered", "order_id": NO_ORDER}, "NOT_FOUND",
    ),
    "InventoryUpdated.sku": (
        "supplier", "POST", "", {"type": "inventory.updated", "sku": "84406B", "stock": 1, "version": 1}, "NOT_FOUND",
    ),
}  # fmt: skip
ELSEWHERE = {
    "PutDraft.images[]": "test_catalog_function: MEDIA_HOST_UNKNOWN of a draft",
    "DraftVariant.choice[]": "test_catalog_function: a choice of a draft that is unknown",
    "AcceptedVariant.sku": "test_catalog_function: BODY_INVALID for another SKU than the draft's",
    "BroughtResult.number": "test_payouts_functions: TRANSFER_UNKNOWN",
    "DecideChange.account_id": "test_bank_accounts_functions: a change that is not the newest",
    "PutInviter.inviter": "test_members_function: INVITER_UNKNOWN",
}


def test_every_field_that_names_something_has_its_row() -> None:
    named = {place for place in incoming() if NAMES.search(place)}

    assert named - set(MADE_UP) == set(CALLS) | set(ELSEWHERE)


def resolve(value: Any, pointer: str) -> Any:
    """What an RFC 6901 pointer leads to. Raises LookupError."""
    for part in pointer.split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


@pytest.fixture
def ready(shop: Shop) -> tuple[Shop, str, str]:
    """The shop, the inbox secret of one of its suppliers, and an order that waits for its payment."""
    return shop, shop.supplier.register(), shop.buyer.order({"71053": 1})


def test_what_nobody_has_is_refused_by_name_and_changes_nothing(ready: tuple[Shop, str, str]) -> None:
    shop, secret, placed = ready
    for place, (caller, method, path, body, code) in CALLS.items():
        token = {"member": shop.buyer.token(BUYER), "nobody": None, "supplier": None}.get(caller, caller)
        token = shop.staff.key(caller) if token == caller else token
        before = shop.cloud.state()
        if caller == "supplier":
            got = shop.supplier.report(secret, body, message_id=place)
        else:
            event = http_event(method, path.replace("PLACED", placed), body, token=token, key="unknown")
            got = reply(serve(event))

        assert (place, got.status < 500, got.body.get("code")) == (place, True, code)
        pointers = [each["pointer"] for each in got.body["errors"]]
        assert (place, len(pointers)) == (place, 1)
        resolve(body, pointers[0])
        assert place.rpartition(".")[2].removesuffix("[]") in pointers[0].split("/"), place
        if caller != "supplier":  # the raw message is kept
            assert (place, shop.cloud.state() == before) == (place, True)
