"""Publishing products: checks of what staff send."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from cardstock import clock
from cardstock.catalog import errors
from cardstock.catalog.model import SKU
from cardstock.catalog.ports import Products
from cardstock.catalog.product_model import MAX_TOGETHER, Outcome, Product, Publication, Wording, repeated
from cardstock.catalog.stock import STAFF
from cardstock.errors import BODY_INVALID, Pointer
from cardstock.files import UPLOAD

Prepare: TypeAlias = Callable[[Sequence[Publication]], object]
"""What is done once publications have passed all checks, before they are written; it may refuse them."""


def require_staff(acting_for: str) -> None:
    """Refuse a supplier: price, `qualifying`, `earns` and sale are the staff's. Raises `ForbiddenError`."""
    if acting_for != STAFF:
        raise errors.TERMS_FOR_STAFF()


def publish(
    publications: Sequence[Publication],
    *,
    many: bool,
    hosts: Sequence[str],
    clean: Callable[[str], str],
    prepare: Prepare,
    products: Products,
) -> Sequence[Outcome]:
    """Create or replace products with their SKUs, all or none, and what each has become. A repeat changes nothing.

    The caller checks that the suppliers exist. `hosts` may hold pictures, files, video and models; `clean` takes out of
    HTML what a page must not run; `many` says that the body is a list of products. Raises `InvalidError` for a repeated
    or malformed SKU, a choice that does not fit the options, MEDIA_HOST_UNKNOWN, what `prepare` raises, and as
    `Products.publish`.
    """
    ids = [each.product.product_id for each in publications]
    skus = [sku for each in publications for sku in each.product.skus]
    malformed = [name for name in dict.fromkeys((*ids, *skus)) if not SKU.fullmatch(name)]
    if malformed:
        raise errors.SKU_INVALID(skus=malformed)
    if many and (repeated(ids) or repeated(skus)):
        raise BODY_INVALID(pointers=(Pointer("/products", "DUPLICATE"),))
    for index, each in enumerate(publications):
        require_fitting(each.product, f"/products/{index}" if many else "", hosts)
    if sum(each.size for each in publications) > MAX_TOGETHER:
        raise errors.PUBLICATION_TOO_LARGE(most=MAX_TOGETHER)
    prepare(publications)
    return products.publish([cleaned(each, clean) for each in publications], clock.now())


def require_fitting(product: Product, at: str, hosts: Sequence[str] | None) -> None:
    """Refuse a product whose parts do not fit; `at` is the pointer to it. Without `hosts` its sources were checked
    before.

    Raises `InvalidError` BODY_INVALID for SKUs or choices that repeat, values that repeat within an option, a number of
    choices that is not that of the options, or a list price that is not above the price; MEDIA_HOST_UNKNOWN.
    """
    if repeated(product.skus):
        raise BODY_INVALID(pointers=(Pointer(f"{at}/variants", "DUPLICATE"),))
    for number, option in enumerate(product.options):
        if repeated(value.zh for value in option.values):
            raise BODY_INVALID(pointers=(Pointer(f"{at}/options/{number}/values", "DUPLICATE"),))
    for number, terms in enumerate(product.variants):
        if len(terms.choice) != len(product.options):
            raise BODY_INVALID(pointers=(Pointer(f"{at}/variants/{number}/choice", "OUT_OF_RANGE"),))
        if -1 in terms.choice:
            place = terms.choice.index(-1)
            raise BODY_INVALID(pointers=(Pointer(f"{at}/variants/{number}/choice/{place}", "UNKNOWN"),))
        if terms.list_price_fen is not None and terms.list_price_fen <= terms.price_fen:
            raise BODY_INVALID(pointers=(Pointer(f"{at}/variants/{number}/list_price_fen", "OUT_OF_RANGE"),))
    if len({terms.choice for terms in product.variants}) != len(product.variants):
        raise BODY_INVALID(pointers=(Pointer(f"{at}/variants", "DUPLICATE"),))
    if hosts is None:
        return
    foreign = tuple(
        Pointer(f"{at}{pointer}", "UNKNOWN") for pointer, source in _sources(product) if not _is_allowed(source, hosts)
    )
    if foreign:
        raise errors.MEDIA_HOST_UNKNOWN(pointers=foreign)


def cleaned(publication: Publication, clean: Callable[[str], str]) -> Publication:
    """The publication with a description that `clean` has gone over."""
    product, text = publication.product, publication.product.description
    if text is None:
        return publication
    return replace(publication, product=replace(product, description=Wording(clean(text.zh), clean(text.en))))


def _sources(product: Product) -> Iterator[tuple[str, str]]:
    yield from ((f"/images/{number}", source) for number, source in enumerate(product.images))
    yield from ((f"/files/{number}/source", each.source) for number, each in enumerate(product.files))
    yield from ((f"/{name}", source) for name in ("video", "model_3d") if (source := getattr(product, name)))


def _is_allowed(source: str, hosts: Sequence[str]) -> bool:
    """Whether a source is an upload, or an https address at one of the hosts, without credentials and port."""
    scheme, _, rest = source.partition("://")
    return source.startswith(UPLOAD) or (scheme == "https" and rest.partition("/")[0].lower() in hosts)
