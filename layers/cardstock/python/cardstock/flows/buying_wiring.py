"""Factories of quotes, orders and what is learnt from them, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock.catalog import wiring as catalog_wiring
from cardstock.network import wiring as network_wiring
from cardstock.orders import wiring as orders_wiring

if TYPE_CHECKING:
    from cardstock.flows.buying import BuyerNetwork
    from cardstock.flows.coupons import GrantedCoupons
    from cardstock.orders.placement import QuoteNeeds
    from cardstock.recommendations.ports import Purchases


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
    from cardstock.orders.placement import QuoteNeeds

    return QuoteNeeds(catalog_wiring.products(), buyer_network(), orders_wiring.freight(), coupons)


def coupons() -> "GrantedCoupons":
    """Members' unused coupons."""
    from cardstock.flows.coupons import GrantedCoupons

    return GrantedCoupons(network_wiring.network(), network_wiring.plans(), orders_wiring.coupon_uses())
