"""Products are published for suppliers that exist: what is for sale has somebody who sends it. Their pictures and
documents become public with them."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from cardstock.catalog import drafting, publishing
from cardstock.catalog.drafting import Acceptance, AcceptedDraft
from cardstock.catalog.ports import Products
from cardstock.catalog.product_model import Outcome, Publication
from cardstock.catalog.stock import STAFF
from cardstock.errors import QUEUE_UNAVAILABLE, SUPPLIER_UNKNOWN, Pointer
from cardstock.files import UPLOAD
from cardstock.ids import RequestKey
from cardstock.partners.ports import Suppliers
from cardstock.partners.suppliers import find_supplier
from cardstock.uploads.errors import UPLOAD_NOT_READY, UPLOAD_UNKNOWN
from cardstock.uploads.ports import PublishQueue, Uploads
from cardstock.uploads.publishing import NamedUpload, queue_publishing

UPLOAD_CODES: Final = (UPLOAD_UNKNOWN, UPLOAD_NOT_READY, QUEUE_UNAVAILABLE)
"""What every route that publishes may refuse because of the uploads that a product names."""


def publish_products(
    publications: Sequence[Publication],
    *,
    many: bool,
    hosts: Sequence[str],
    clean: Callable[[str], str],
    products: Products,
    suppliers: Suppliers,
    uploads: Uploads,
    queue: PublishQueue,
) -> Sequence[Outcome]:
    """Create or replace products, all or none, as `catalog.publishing.publish` does; their uploads become public.

    Raises like it, `InvalidError` SUPPLIER_UNKNOWN that points at each product's `supplier_id`, and as
    `queue_publishing`; `many` says that the body is a list of products. Costs a read a supplier, and for products that
    name uploads a read and, unless those are public, a message for each ten.
    """
    known = {
        supplier_id
        for supplier_id in {each.product.supplier_id for each in publications}
        if find_supplier(supplier_id, suppliers=suppliers) is not None
    }
    unknown = tuple(
        Pointer(f"/products/{index}/supplier_id" if many else "/supplier_id", "UNKNOWN")
        for index, each in enumerate(publications)
        if each.product.supplier_id not in known
    )
    if unknown:
        raise SUPPLIER_UNKNOWN(pointers=unknown)
    prepare = partial(_queue, many=many, uploads=uploads, queue=queue)
    return publishing.publish(publications, many=many, hosts=hosts, clean=clean, prepare=prepare, products=products)


def accept_draft(
    acceptance: Acceptance, request: RequestKey, *, products: Products, uploads: Uploads, queue: PublishQueue
) -> AcceptedDraft:
    """Publish a supplier's draft as `catalog.drafting.accept_draft` does, and have its uploads made public.

    Raises like it, and as `queue_publishing` with pointers into the draft.
    """
    prepare = partial(_queue, many=False, uploads=uploads, queue=queue)
    return drafting.accept_draft(acceptance, request, prepare=prepare, products=products)


def _queue(publications: Sequence[Publication], *, many: bool, uploads: Uploads, queue: PublishQueue) -> None:
    named = [
        each
        for index, publication in enumerate(publications)
        for each in _named(publication, f"/products/{index}" if many else "")
    ]
    queue_publishing(named, uploads=uploads, queue=queue)


def _named(publication: Publication, at: str) -> Iterator[NamedUpload]:
    product = publication.product
    owners, shown = frozenset({product.supplier_id, STAFF}), product.state != "draft"
    for number, source in enumerate(product.images):
        if source.startswith(UPLOAD):
            yield NamedUpload(source, "product_image", owners, f"{at}/images/{number}", shown)
    for number, file in enumerate(product.files):
        if file.source.startswith(UPLOAD):
            yield NamedUpload(file.source, "product_file", owners, f"{at}/files/{number}/source", shown)
