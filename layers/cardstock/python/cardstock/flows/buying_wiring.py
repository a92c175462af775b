"""Factories of quotes, orders and what is learnt from them, each lazy: a function loads only what it uses."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

from cardstock import clock
from cardstock.catalog import wiring as catalog_wiring
from cardstock.delivery.model import NO_TEMPLATES, Templates
from cardstock.network import wiring as network_wiring
from cardstock.orders import wiring as orders_wiring

if TYPE_CHECKING:
    from cardstock.catalog.model import Variant
    from cardstock.flows.buying import BuyerNetwork
    from cardstock.flows.coupons import GrantedCoupons
    from cardstock.orders.placement import QuoteNeeds
    from cardstock.recommendations.ports import Purchases

KEPT: Final = timedelta(minutes=1)
"""How long a process goes on with the freight templates that it has read."""


@cache
def purchases() -> "Purchases":
    """Paid orders for recommendations."""
    from cardstock.flows.learning import OrderPurchases

    return OrderPurchases(orders_wiring.paid_orders())


@cache
def buyer_network() -> "BuyerNetwork":
    """The buyer's position in the referral network."""
    from cardstock.flows.buying import BuyerNetwork

    return BuyerNetwork(network_wiring.network())


def quoting() -> "QuoteNeeds":
    """The ports of a quote."""
    from cardstock.flows.buying import TemplateFreight
    from cardstock.orders.placement import QuoteNeeds

    reads = QuoteReads(kept_templates())
    freight = TemplateFreight(reads.templates, orders_wiring.freight())
    return QuoteNeeds(reads, buyer_network(), freight, coupons)


@cache
def kept_templates() -> "KeptTemplates":
    """The freight templates, as this process last read them."""
    return KeptTemplates()


class KeptTemplates:
    """The freight templates, kept for a minute: that long after a change quotes may still follow the old ones."""

    def __init__(self) -> None:
        self.templates = NO_TEMPLATES
        self._until: datetime | None = None

    @property
    def are_stale(self) -> bool:
        """Whether they are to be read again."""
        return self._until is None or clock.now() >= self._until

    def keep(self, templates: Templates) -> None:
        """Keep what was read now."""
        self.templates, self._until = templates, clock.now() + KEPT


class QuoteReads:
    """The catalogue of one quote: the read of its products includes the freight templates."""

    def __init__(self, kept: KeptTemplates) -> None:
        self._kept = kept

    def variants_by_sku(self, skus: Iterable[str], /) -> "Mapping[str, Variant]":
        """The existing ones of `skus`; the templates are read with them if they are stale. One call."""
        if not self._kept.are_stale:
            return catalog_wiring.variants().variants_by_sku(skus)
        from cardstock.aws.tables import get_together
        from cardstock.catalog.store import VariantItem, variant_of
        from cardstock.delivery.store import KEY, TemplatesItem, templates_of

        variants, templates = {}, NO_TEMPLATES
        wanted = {VariantItem: [(sku,) for sku in skus], TemplatesItem: [(KEY,)]}
        for item in get_together(wanted, eventual=True):
            if isinstance(item, VariantItem):
                variants[item.sku] = variant_of(item)
            elif isinstance(item, TemplatesItem):
                templates = templates_of(item)
        self._kept.keep(templates)
        return variants

    def templates(self) -> Templates:
        """The templates, after the products were read."""
        return self._kept.templates


def coupons() -> "GrantedCoupons":
    """Members' unused coupons."""
    from cardstock.flows.coupons import GrantedCoupons

    return GrantedCoupons(network_wiring.network(), network_wiring.plans(), orders_wiring.coupon_uses())
