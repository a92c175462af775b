"""What people paste from a telephone book or a chat is taken and kept clean, on every route that takes it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from cardstock.cards.schemas import PostCard
from cardstock.catalog.schemas import PutProduct
from cardstock.edge.bodies import CODES, clean_json, decode, decode_query
from cardstock.edge.http import Nothing
from cardstock.ids import canonical
from cardstock.members.schemas import OpenSession
from cardstock.orders.schemas import AskQuote
from cardstock.partners import inbox_schemas
from infra.contract.routes import apis
from tests.house.cloud import ROOT, http_event, serve
from tests.house.incoming import incoming
from tests.people.buyers import RECEIVER
from tests.people.consents import login_body
from tests.people.goods import terms_of
from tests.people.shop import Shop

PHONES = {
    "\u202d138 0013 8000\u202c": "138 0013 8000",
    "(021) 6321-1234": "021 6321-1234",
    "021-63211234转802": "021-63211234转802",
    "021－6321 1234　分机：802": "021-6321 1234转802",
    "１３８００１３８０００": "13800138000",
    "+86 (0)21 6321 1234": "+86 21 6321 1234",
    "\ufeff+86\u00a0138\u200b00138000": "+86 13800138000",
}
WIDE = str.maketrans({chr(letter): chr(letter + 0xFEE0) for letter in range(0x21, 0x7F)})
ASCII_ONLY = {
    "BroughtResult.number", "PutProduct.supplier_id", "PublishedProduct.supplier_id", "AcceptDraft.supplier_id",
    "CardQuery.supplier_id", "DraftQuery.supplier_id", "SkuQuery.supplier_id", "CardQuery.named",
    "SupplierOrderQuery.supplier_id",
    "AcceptDraft.draft_sha256", "FileData.source",
    *(f"{kind}.{name}" for kind in ("PutProduct", "PublishedProduct", "PutDraft")
      for name in ("category_ids[]", "images[]", "model_3d", "video")),
    "ProductQuery.supplier_id", "AskWriteOff.member_id", "ShipmentCreated.order_id", "ShipmentDelivered.order_id",
    "PublishPlan.id", "CandidatePlan.id", "OpenPayout.period", "StatementQuery.period", "SalesQuery.until",
    "OpenSession.app_id", "PostView.scene", "PostShare.audience", "PostCard.versions key", "PutCard.versions key",
    "CardVersion.website", "MemberQuery.day", "OrderQuery.day", "OrderQuery.member_id", "OrderQuery.supplier_id",
    "SalesDaysQuery.since", "SalesDaysQuery.until", "SalesDaysQuery.supplier_id", "StaffProductQuery.supplier_id",
    "AskUpload.content_type",
    "RegionQuery.parent", "ReceiverData.region", "AskQuote.region", "ZoneData.regions[]", "TemplateData.template_id",
    "FreightTemplates.default_template", "ActionQuery.day", "ActionQuery.person_id", "AskLogin.person_id",
    "ChooseDigits.digits", "SearchQuery.attributes", "SearchQuery.category", "SearchQuery.cursor",
}  # fmt: skip
"""Texts that programs make and nobody types: full-width letters in them are refused."""


@pytest.mark.parametrize(("pasted", "kept"), PHONES.items())
def test_a_pasted_phone_is_kept_clean_by_every_route_that_takes_one(shop: Shop, pasted: str, kept: str) -> None:
    quote = shop.buyer.quote({"71053": 1}).body["quote"]
    receiver = RECEIVER | {"phone": pasted}
    order = shop.buyer.send("POST", "/v1/orders", {"quote": quote, "receiver": receiver}, key="o").body["order_id"]
    versions = {"default": {"name": "林晓雨", "phone": pasted}}
    card = shop.buyer.send("POST", "/v1/cards", {"versions": versions}, key="c").body["card"]
    put = shop.buyer.send("PUT", f"/v1/cards/{card}", {"versions": versions})

    assert shop.buyer.send("GET", f"/v1/orders/{order}").body["receiver"]["phone"] == kept
    assert shop.buyer.send("GET", f"/v1/cards/{card}").body["version"]["phone"] == kept
    assert put.status == 200


def test_the_routes_above_are_all_that_take_a_phone() -> None:
    assert {place for place in incoming() if "phone" in place} == {
        "CardVersion.phone", "ReceiverData.phone", "MemberQuery.phone",
        "OpenSession.phone_code", "PutPhone.phone_code",  # codes of the platform
    }  # fmt: skip


def test_every_text_of_ascii_alone_is_a_code_or_made_by_programs() -> None:
    refused = {
        place
        for place, (kind, _) in incoming().items()
        if kind.pattern and not any(re.search(kind.pattern, "中" * length) for length in range(1, 40))
    }

    assert {place for place in refused if name_of(place) not in CODES} == ASCII_ONLY


def name_of(place: str) -> str:
    """The name of the member at a place such as `CardVersion.shelf[]`."""
    return place.rpartition(".")[2].removesuffix("[]")


def widened(value: Any, name: str = "") -> Any:
    """A body with every code in full-width letters, digits and signs, and an invisible mark before it."""
    if isinstance(value, dict):
        return {member: widened(each, member) for member, each in value.items()}
    if isinstance(value, list):
        return [widened(each, name) for each in value]
    return f"\u200e{value.translate(WIDE)}" if isinstance(value, str) and name in CODES else value


def codes_in(value: Any, name: str = "") -> set[str]:
    if isinstance(value, dict):
        return set().union(*(codes_in(each, member) for member, each in value.items()))
    if isinstance(value, list):
        return set().union(*(codes_in(each, name) for each in value))
    return {name} & CODES


REPORTS = [
    {"type": "shipment.created", "order_id": f"ord_{'0' * 26}", "carrier": "SF", "tracking_no": "SF-139 0001"},
    {"type": "inventory.updated", "sku": "85123A", "stock": 1, "version": 1},
]
FACE = {"name": "林晓雨", "email": "lin@example.com", "wechat": "lin_xiaoyu", "shelf": ["22423"]}
CARD = {"versions": {"default": FACE}}
QUOTE = {"lines": [{"sku": "85123A", "units": 1}], "coupon": f"benefit.mem_{'0' * 26}.1"}
LAMP = terms_of("Lamp", "sup_lights", 9_900, freight_template="heavy")
LOGIN = login_body("a", invite="m3n8r5t2wd")


def bodies() -> Iterator[tuple[Any, Any]]:
    """The type and the documented example of every body, the reports of suppliers, and a full card."""
    document = json.loads((ROOT / "infra/contract/openapi.json").read_text("utf-8"))
    for _, api in apis():
        for route in api.routes:
            content = document["paths"][route.path][route.method.lower()].get("requestBody", {}).get("content", {})
            if route.body is not Nothing and "application/json" in content:
                yield route.body, content["application/json"]["example"]
    yield from ((inbox_schemas.Report, report) for report in REPORTS)
    yield from ((PostCard, CARD), (AskQuote, QUOTE), (OpenSession, LOGIN), (PutProduct, LAMP))


def test_a_code_in_full_width_letters_is_read_as_typed() -> None:
    seen: set[str] = set()
    for kind, body in bodies():
        decoder: Any = msgspec.json.Decoder(kind, strict=True)
        plain, wide = json.dumps(body).encode(), json.dumps(widened(body), ensure_ascii=False).encode()
        seen |= codes_in(body)

        assert decode(decoder, wide) == decode(decoder, plain)
        assert canonical(clean_json(wide)) == canonical(clean_json(plain))  # a repeat is recognised
    in_bodies = {name_of(place) for place in incoming()}
    assert seen == CODES & in_bodies


@pytest.mark.parametrize(
    "path", ["/v1/products/{product_id}", "/v1/cards/{key}", "/v1/cards/{key}/vcf", "/v1/cards/{key}/qr", "/c/{key}"]
)
def test_a_code_in_a_path_may_be_in_full_width_letters(shop: Shop, path: str) -> None:
    card = shop.buyer.send("POST", "/v1/cards", CARD, key="card").body["card"]
    shop.buyer.quote({"71053": 1})
    wide = path.format(product_id="71053".translate(WIDE), key=card.translate(WIDE))

    assert serve(http_event("GET", wide, resource=path))["statusCode"] == 200


def test_a_code_in_a_query_may_be_in_full_width_letters() -> None:
    [kind] = [route.query for _, api in apis() for route in api.routes if hasattr(route.query, "shown")]
    event = {"httpMethod": "GET", "queryStringParameters": {"for": "22423,85123A".translate(WIDE)}}

    assert decode_query(kind, event).shown == "22423,85123A"
