"""Factories of the brand's webhook endpoints."""

from typing import TYPE_CHECKING

from cardstock.partners import wiring as partners_wiring
from cardstock.staff import wiring as staff_wiring

if TYPE_CHECKING:
    from cardstock.flows.brand_endpoints import BrandEndpointNeeds


def brand_endpoint_needs() -> "BrandEndpointNeeds":
    """The ports of endpoints that have a person."""
    from cardstock.flows.brand_endpoints import BrandEndpointNeeds

    return BrandEndpointNeeds(
        partners_wiring.endpoints(), partners_wiring.deliveries(), partners_wiring.due_queue(), staff_wiring.persons()
    )
