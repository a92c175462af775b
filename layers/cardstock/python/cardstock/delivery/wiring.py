"""Factories of the delivery area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardstock.delivery.ports import FreightTemplates


@cache
def freight_templates() -> "FreightTemplates":
    """Freight templates in DynamoDB."""
    from cardstock.delivery.store import DynamoFreightTemplates

    return DynamoFreightTemplates()
