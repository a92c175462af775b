"""Products in DynamoDB: what pages and lists show, and drafts of suppliers.

Table `product_pages`: partition key `pk` = product id, sort key `sk`: `page#content`, `page#card`, `draft#<supplier>`;
index `open_drafts` (`open_of`, `pk`), keys only, which holds the drafts that are not accepted as they are.

| Access pattern | How |
|---|---|
| a page | Query `page#`: one call, content and card |
| cards of a list | BatchGetItem |
| publish | one consistent read of products, cards and SKUs, one TransactWriteItems on condition of their revisions |
| a supplier's draft | GetItem, consistent; one put |
| drafts that wait | Scan of `open_drafts`, or Query for a supplier, then BatchGetItem |
| accept a draft | publish, with the request and on condition of the draft's hash |

Content and prices of the SKUs are written together, so no page shows a price that is not the SKU's. A card is written
under its own revision by publishing and by the upkeep of its stock: whoever read it before the other wrote reads again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from cardstock.aws import requests
from cardstock.aws.items import PrefixedAttribute, StructAttribute, record_of
from cardstock.aws.pages import read_page
from cardstock.aws.tables import ConditionFailedError, EpochAttribute, Table, Transaction
from cardstock.catalog import errors
from cardstock.catalog.product_model import Draft, Outcome, ProductCard, ProductPage, Publication
from cardstock.catalog.publication_store import (
    CARD,
    CONTENT,
    CardItem,
    ContentItem,
    outcome_of,
    read,
    require_free,
    write,
)
from cardstock.errors import NOT_FOUND, STORE_BUSY
from cardstock.ids import RequestKey

_ATTEMPTS: Final = 5


class OpenDrafts(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """The drafts that wait for staff, by supplier."""

    class Meta:
        index_name = "open_drafts"
        projection = KeysOnlyProjection()

    open_of = UnicodeAttribute(hash_key=True)
    product_id = UnicodeAttribute(range_key=True, attr_name="pk")


class DraftItem(Table):
    """What a supplier says of a product."""

    class Meta:
        variable = "PRODUCT_PAGES_TABLE"

    product_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    supplier_id = PrefixedAttribute("draft#", range_key=True, attr_name="sk")
    publication = StructAttribute(Publication)
    sha256 = UnicodeAttribute()
    updated_at = EpochAttribute()
    accepted = StructAttribute(Publication, null=True)
    accepted_sha256 = UnicodeAttribute(null=True)
    accepted_at = EpochAttribute(null=True)
    open_of = UnicodeAttribute(null=True)
    open_drafts = OpenDrafts()


class DynamoProducts:
    """`catalog.ports.Products`."""

    def find_page(self, product_id: str) -> ProductPage | None:
        keys = ContentItem.sk.startswith("page#")
        found = {item["sk"]["S"]: item for item in ContentItem.query_raw(product_id, keys, first_page=10, late=True)}
        if CONTENT not in found or CARD not in found:
            return None
        content, card = ContentItem.from_raw_data(found[CONTENT]), CardItem.from_raw_data(found[CARD])
        return ProductPage(content.product, record_of(ProductCard, card), content.revision)

    def cards_by_id(self, product_ids: Iterable[str], /) -> dict[str, ProductCard]:
        keys = [(product_id, CARD) for product_id in dict.fromkeys(product_ids)]
        return {item.product_id: record_of(ProductCard, item) for item in CardItem.batch_get(keys)}

    def publish(self, publications: Sequence[Publication], at: datetime) -> Sequence[Outcome]:
        tried: Mapping[str, Outcome] = {}
        for _ in range(_ATTEMPTS):
            stored = read(publications)
            require_free(publications, stored)
            outcomes = {each.product.product_id: outcome_of(each.product, stored) for each in publications}
            changed = [each for each in publications if outcomes[each.product.product_id] != "same"]
            if not changed:
                # Written at this very moment: by this call, whose answer got lost.
                own = [name for name in outcomes if stored.contents[name].updated_at == at]
                return [tried.get(name, "same") if name in own else "same" for name in outcomes]
            try:
                write(changed, stored, at)
            except ConditionFailedError:
                tried = outcomes
                continue
            return list(outcomes.values())
        raise STORE_BUSY()

    def find_draft(self, product_id: str, supplier_id: str) -> Draft | None:
        item = DraftItem.find(product_id, supplier_id)
        return None if item is None else record_of(Draft, item)

    def store_draft(self, draft: Draft) -> None:
        require_free([draft.publication], read([draft.publication]), states=False)
        before = DraftItem.find(draft.product_id, draft.supplier_id)
        is_accepted = before is not None and before.accepted_sha256 == draft.sha256
        if before is not None and before.sha256 == draft.sha256:
            return
        item = DraftItem(draft.product_id, draft.supplier_id)
        item.update([
            DraftItem.publication.set(draft.publication),
            DraftItem.sha256.set(draft.sha256),
            DraftItem.updated_at.set(draft.updated_at),
            DraftItem.open_of.remove() if is_accepted else DraftItem.open_of.set(draft.supplier_id),
        ])  # fmt: skip

    def open_drafts(self, supplier_id: str | None, limit: int, after: str | None) -> tuple[Sequence[Draft], str | None]:
        start = None
        if after is not None:
            product_id, _, of = after.partition("#")
            start = {"pk": product_id, "sk": f"draft#{of}", "open_of": of}
        if supplier_id is None:
            found, last = read_page(DraftItem.open_drafts.scan, limit=limit, start=start)
        else:
            found, last = read_page(DraftItem.open_drafts.query, supplier_id, limit=limit, start=start)
        keys = [(item.product_id, item.open_of) for item in found]
        drafts = {(item.product_id, item.supplier_id): record_of(Draft, item) for item in DraftItem.batch_get(keys)}
        return [drafts[key] for key in keys if key in drafts], f"{last.product_id}#{last.open_of}" if last else None

    def accept(self, publication: Publication, sha256: str, request: RequestKey, at: datetime) -> bool:
        product = publication.product

        def first(transaction: Transaction) -> None:
            requests.remember(transaction, request, product.product_id, at)
            transaction.update(
                DraftItem(product.product_id, product.supplier_id),
                actions=[
                    DraftItem.accepted.set(publication),
                    DraftItem.accepted_sha256.set(sha256),
                    DraftItem.accepted_at.set(at),
                    DraftItem.open_of.remove(),
                ],
                condition=DraftItem.sha256 == sha256,
            )

        for _ in range(_ATTEMPTS):
            draft = self.find_draft(product.product_id, product.supplier_id)
            if draft is None:
                raise NOT_FOUND()
            if draft.sha256 != sha256:
                if requests.find(request) is not None:
                    return False
                raise errors.DRAFT_CHANGED()
            stored = read([publication])
            require_free([publication], stored)
            try:
                write([publication] if outcome_of(product, stored) != "same" else [], stored, at, first)
            except ConditionFailedError as error:
                if 0 in error.failed:
                    requests.result_of(error.failed[0], request)
                    return False
                continue
            return True
        raise STORE_BUSY()
