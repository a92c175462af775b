"""Products and SKUs as headquarters lists them: drafts and those that are not for sale too."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from cardstock.catalog.model import Variant
from cardstock.catalog.ports import Variants
from cardstock.pages import fitting_page

VariantState: TypeAlias = Literal["draft", "active", "inactive"]


def state_of(variant: Variant) -> VariantState:
    """Whether staff have published a SKU, and whether its product is on sale."""
    if variant.is_draft:
        return "draft"
    return "active" if variant.active else "inactive"


def list_variants(
    supplier_id: str | None, state: VariantState | None, limit: int, after: str | None, *, variants: Variants
) -> tuple[Sequence[Variant], str | None]:
    """A page of the SKUs of a supplier or of all, in the state or in any, and the SKU after which the next starts.

    With a state it looks at a hundred SKUs, and may hold none though others follow.
    """

    def read(most: int, behind: str | None) -> tuple[Sequence[Variant], str | None]:
        return variants.every_variant(supplier_id, most, behind)

    fits = None if state is None else lambda variant: state_of(variant) == state
    return fitting_page(read, fits, lambda variant: variant.sku, limit, after)
