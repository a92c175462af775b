"""What every store of products guarantees: the one in DynamoDB and the one in memory."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from cardstock.catalog.model import Variant
from cardstock.catalog.ports import Products, Variants
from cardstock.catalog.product_model import (
    Option,
    Product,
    Publication,
    VariantTerms,
    Wording,
    card_of,
    digest_of,
    shown_stock,
)
from cardstock.catalog.product_store import DynamoProducts
from cardstock.catalog.store import DynamoVariants
from cardstock.errors import ConflictError, NotFoundError, RefusedError, TooLargeError
from cardstock.ids import RequestKey
from tests.house.cloud import Cloud
from tests.people.goods import Goods, draft_of, old_item, publish_goods
from tests.people.memory_catalog import MemoryProducts, MemoryVariants

CONTRACT = {Products: (MemoryProducts, DynamoProducts)}

AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
COLOURS = (Wording("白色", "white"), Wording("黑色", "black"))
LAMP = Product(
    product_id="lamp",
    supplier_id="sup_a",
    title=Wording("台灯", "Desk lamp"),
    variants=(
        VariantTerms("lamp-w", 900, (0,), list_price_fen=1_200, weight_g=80),
        VariantTerms("lamp-b", 950, (1,), qualifying=True, freight_template="heavy"),
    ),
    images=("upl_" + "0" * 26,),
    options=(Option(Wording("颜色", "Colour"), COLOURS),),
)
STOCK = {"lamp-w": 30, "lamp-b": 2}


class Catalog(NamedTuple):
    """Products with the SKUs beside them."""

    products: Products
    variants: Variants

    def variant(self, sku: str) -> Variant:
        found = self.variants.find_variant(sku)
        assert found is not None
        return found

    def put(self, product: Product, stock: dict[str, int] | None = None, at: datetime = AT) -> str:
        [outcome] = self.products.publish([Publication(product, stock or {})], at)
        return outcome


@pytest.fixture(params=["memory", "dynamodb"])
def catalog(request: pytest.FixtureRequest) -> Catalog:
    if request.param == "memory":
        variants = MemoryVariants()
        return Catalog(MemoryProducts(variants), variants)
    request.getfixturevalue("cloud")
    return Catalog(DynamoProducts(), DynamoVariants())


def request_of(name: str, fingerprint: str = "f") -> RequestKey:
    return RequestKey(f"req_{name}", fingerprint)


def test_page_card_and_skus_are_published_together(catalog: Catalog) -> None:
    assert catalog.put(LAMP, STOCK) == "made"
    page = catalog.products.find_page("lamp")

    assert page is not None
    assert (page.product, page.revision) == (LAMP, 1)
    assert page.card == catalog.products.cards_by_id(["lamp", "nothing"])["lamp"] == card_of(LAMP, STOCK, AT)
    assert (page.card.price_from_fen, page.card.price_to_fen, page.card.list_price_fen) == (900, 950, 1_200)
    assert page.card.shown == {"lamp-w": 21, "lamp-b": 2}
    assert catalog.variant("lamp-b") == Variant(
        "lamp-b", "台灯 黑色", "sup_a", 950, True, True, True, 2, 0, -1, AT,
        freight_template="heavy", product_id="lamp", name_en="Desk lamp black", further=True,
    )  # fmt: skip
    assert [each.sku for each in catalog.variants.list_leading(9, None)[0]] == ["lamp-w"]
    assert [each.sku for each in catalog.variants.leading_of_supplier("sup_a", 9, None)[0]] == ["lamp-w"]
    assert catalog.products.find_page("nothing") is None
    assert catalog.products.cards_by_id([]) == {}


def test_a_repeat_changes_nothing_and_a_change_leaves_the_stock(catalog: Catalog) -> None:
    catalog.put(LAMP, STOCK)
    catalog.variants.add_stock("lamp-b", -2, request_of("sold"), AT)
    dearer = replace(LAMP, variants=(LAMP.variants[0], replace(LAMP.variants[1], price_fen=990)))
    outcomes = [catalog.put(LAMP, {"lamp-w": 9}, LATER), catalog.put(dearer, {"lamp-b": 9}, LATER)]
    page = catalog.products.find_page("lamp")

    assert outcomes == ["same", "changed"]
    assert page is not None
    assert (page.revision, page.card.price_to_fen, page.card.shown) == (2, 990, {"lamp-w": 21, "lamp-b": 0})
    assert (catalog.variant("lamp-w").stock, catalog.variant("lamp-b").stock) == (30, 0)
    assert [catalog.variant(sku).weight_g for sku in ("lamp-w", "lamp-b")] == [80, None]
    assert catalog.variant("lamp-b").price_fen == 990


def test_a_sku_that_is_left_out_is_not_for_sale_any_more_and_may_come_back(catalog: Catalog) -> None:
    catalog.put(LAMP, STOCK)
    white = replace(LAMP, variants=LAMP.variants[1:])
    catalog.put(white, at=LATER)
    gone = catalog.variant("lamp-w")
    card = catalog.products.cards_by_id(["lamp"])["lamp"]

    assert (gone.active, gone.further, gone.stock) == (False, True, 30)
    assert (card.shown, card.list_price_fen) == ({"lamp-b": 2}, None)
    assert [each.sku for each in catalog.variants.list_leading(9, None)[0]] == ["lamp-b"]
    assert catalog.put(LAMP, at=LATER) == "changed"
    assert (catalog.variant("lamp-w").active, catalog.variant("lamp-w").further) == (True, False)


def test_states_follow_and_skus_are_for_sale_with_their_product(catalog: Catalog) -> None:
    begins = AT + timedelta(days=1)
    states = []
    for state in ("draft", "on_sale", "archived", "on_sale"):
        product = replace(LAMP, state=state, on_sale_from=begins if state == "draft" else None)
        catalog.put(product, STOCK)
        states.append((catalog.variant("lamp-w").active, catalog.variant("lamp-w").on_sale_from))
    with pytest.raises(ConflictError, match="PRODUCT_STATE"):
        catalog.put(replace(LAMP, state="draft"))
    catalog.put(replace(LAMP, state="archived"))
    with pytest.raises(ConflictError) as refused:
        catalog.put(replace(LAMP, state="draft"))

    assert states == [(False, begins), (True, None), (False, None), (True, None)]
    assert refused.value.facts == {"products": ["lamp"]}


def test_skus_of_others_are_refused_and_nothing_is_published(catalog: Catalog) -> None:
    catalog.put(LAMP, STOCK)
    cup = Goods("cup", "CUP", "sup_b", 100, False, True, True, 5)
    publish_goods([cup], AT, catalog.products)
    theirs = [
        replace(LAMP, product_id="lantern", supplier_id="sup_b", title=Wording("x")),
        replace(LAMP, supplier_id="sup_b", variants=(VariantTerms("new", 1, (0,)),)),
    ]
    codes = []
    for product in theirs:
        with pytest.raises(ConflictError) as refused:
            catalog.products.publish([replace(cup, name="MUG").publication(), Publication(product)], LATER)
        codes.append((refused.value.code, refused.value.facts["skus"]))
    with pytest.raises(ConflictError) as moved:
        catalog.put(replace(LAMP, product_id="lantern"))

    assert codes == [("SKU_TAKEN", ["lamp-w", "lamp-b"]), ("SKU_TAKEN", ["lamp"])]
    assert (moved.value.code, moved.value.facts["skus"]) == ("SKU_IN_PRODUCT", ["lamp-w", "lamp-b"])
    assert catalog.variant("cup").name == "CUP"
    assert catalog.products.find_page("lantern") is None


def test_more_than_a_transaction_holds_is_refused(catalog: Catalog) -> None:
    def product(number: int, count: int, of: str = "") -> Product:
        option = Option(Wording("号"), tuple(Wording(str(each)) for each in range(count)))
        variants = tuple(VariantTerms(f"s{number}-{of}{each}", 1, (each,)) for each in range(count))
        return Product(f"p{number}", "sup_a", Wording("many"), variants, options=(option,))

    both = [Publication(product(1, 48)), Publication(product(2, 48))]
    catalog.products.publish(both, AT)
    renamed = [Publication(product(1, 48)), Publication(product(2, 48, "x"))]
    catalog.products.publish(renamed, AT)
    with pytest.raises(TooLargeError, match="PUBLICATION_TOO_LARGE"):
        catalog.products.publish([Publication(product(1, 48, "y")), Publication(product(2, 48, "y"))], AT)

    assert catalog.variant("s2-1").active is False


def test_sku_without_a_page_becomes_a_product_or_joins_one(cloud: Cloud) -> None:
    for sku in ("lamp-w", "cup"):
        cloud.dynamodb.put_item(TableName="products", Item=old_item(sku, sku, "sup_a", 900, AT, 7))
    cloud.dynamodb.put_item(TableName="products", Item=old_item("lamp-b", "squat", "sup_c", 0, AT, 7))
    catalog = Catalog(DynamoProducts(), DynamoVariants())
    outcomes = [
        catalog.put(LAMP, STOCK),
        catalog.put(Goods("cup", "C", "sup_a", 5, False, True, True, 1).publication().product),
    ]

    assert outcomes == ["made", "changed"]
    assert (catalog.variant("lamp-w").stock, catalog.variant("lamp-w").product_id) == (7, "lamp")
    assert (catalog.variant("lamp-b").stock, catalog.variant("lamp-b").supplier_id) == (2, "sup_a")
    assert catalog.products.cards_by_id(["lamp", "cup"])["cup"].shown == {"cup": 7}


def test_drafts_wait_until_they_are_accepted_as_they_are(catalog: Catalog) -> None:
    first, changed = draft_of("bag", "Bag", "sup_a", AT, 7), draft_of("bag", "Bag!", "sup_a", LATER, 7)
    other = draft_of("bag", "Sack", "sup_b", AT)
    for draft in (first, first, other):
        catalog.products.store_draft(draft)
    page, after = catalog.products.open_drafts(None, 1, None)
    rest, end = catalog.products.open_drafts(None, 1, after)
    priced = replace(first.publication.product, variants=(VariantTerms("bag", 500),), state="on_sale")
    wanted = Publication(priced, first.publication.initial_stock)

    assert sorted((*page, *rest), key=lambda each: each.supplier_id) == [first, other]
    assert end is None
    assert catalog.products.find_page("bag") is None
    with pytest.raises(ConflictError, match="DRAFT_CHANGED"):
        catalog.products.accept(wanted, changed.sha256, request_of("1"), AT)
    with pytest.raises(NotFoundError):
        catalog.products.accept(
            replace(wanted, product=replace(priced, supplier_id="sup_c")), first.sha256, request_of("2"), AT
        )
    assert [catalog.products.accept(wanted, first.sha256, request_of("3"), AT) for _ in range(2)] == [True, False]
    with pytest.raises(RefusedError, match="IDEMPOTENCY_KEY_REUSED"):
        catalog.products.accept(wanted, first.sha256, request_of("3", "other"), AT)
    assert (catalog.variant("bag").price_fen, catalog.variant("bag").stock) == (500, 7)
    assert catalog.products.open_drafts("sup_a", 9, None) == ([], None)
    assert catalog.products.find_draft("bag", "sup_a") == replace(
        first, accepted=wanted, accepted_sha256=first.sha256, accepted_at=AT
    )
    catalog.products.store_draft(changed)
    assert [each.sha256 for each in catalog.products.open_drafts("sup_a", 9, None)[0]] == [changed.sha256]
    assert catalog.products.accept(wanted, first.sha256, request_of("3"), AT) is False
    catalog.products.store_draft(first)
    assert catalog.products.open_drafts("sup_a", 9, None) == ([], None)


def test_a_draft_takes_no_sku_of_others(catalog: Catalog) -> None:
    catalog.put(LAMP, STOCK)
    for sku, supplier_id in (("lamp-w", "sup_b"), ("lamp", "sup_b")):
        with pytest.raises(ConflictError, match="SKU_TAKEN"):
            catalog.products.store_draft(draft_of(sku, "x", supplier_id, AT))
    with pytest.raises(ConflictError, match="SKU_IN_PRODUCT"):
        catalog.products.store_draft(draft_of("lamp-w", "x", "sup_a", AT))

    assert catalog.products.find_draft("lamp-w", "sup_b") is None


def test_what_is_shown_of_a_stock_is_exact_up_to_twenty() -> None:
    assert [shown_stock(units) for units in (-3, 0, 1, 20, 21, 10**9)] == [0, 0, 1, 20, 21, 21]


def test_a_digest_names_one_publication_whatever_the_order_of_its_stock() -> None:
    one, other = Publication(LAMP, {"lamp-w": 1, "lamp-b": 2}), Publication(LAMP, {"lamp-b": 2, "lamp-w": 1})

    assert digest_of(one) == digest_of(other)
    assert digest_of(one) != digest_of(Publication(LAMP, {"lamp-w": 1}))
