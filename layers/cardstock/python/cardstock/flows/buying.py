"""What quotes and orders need of other areas: the buyer's position in the referral network, and the freight."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from cardstock.delivery.errors import REGION_NEEDED
from cardstock.delivery.freight import freight_parts
from cardstock.delivery.model import Goods, Templates
from cardstock.errors import MEMBER_CLOSING
from cardstock.network.ordering import Placed, position_for_order
from cardstock.network.ports import Network
from cardstock.orders.model import Freight, FreightPart, SentGoods
from cardstock.regions import contains


class BuyerNetwork:
    """`orders.ports.ReferralNetwork`."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def position_hint(self, member_id: str) -> list[str]:
        return list(self._place(member_id, ()).hint)

    def position_snapshot(self, member_id: str, hint: Any) -> dict[str, Any]:
        return self._place(member_id, hint).snapshot.to_compact()

    def _place(self, member_id: str, hint: Any) -> Placed:
        """The buyer's place. Raises `RefusedError` (MEMBER_CLOSING) if the account is being closed, or closed."""
        placed = position_for_order(member_id, hint, network=self._network)
        if placed.buyer.erased:
            raise MEMBER_CLOSING()
        return placed


class TemplateFreight:
    """`orders.ports.FreightCharges`: by templates, and by the setting of the deployment while there is none."""

    def __init__(self, templates: Callable[[], Templates], setting: Freight) -> None:
        self._templates = templates
        self._setting = setting

    def parts_of(self, goods: Sequence[SentGoods], region: str, /) -> tuple[FreightPart, ...]:
        """Raises `RefusedError` REGION_NEEDED without a region, or for one in parts of which another rate holds, and
        REGION_NOT_SERVED."""
        templates = self._templates()
        if not templates.templates:
            return self._setting.parts_of(goods, region)
        sent = [Goods(**msgspec.structs.asdict(each)) for each in goods]
        if not region or any(_is_divided(region, each, templates) for each in sent):
            raise REGION_NEEDED()
        fees = freight_parts(sent, region, templates)
        return tuple(FreightPart(supplier_id, fee) for supplier_id, fee in fees.items() if fee)


def _is_divided(region: str, goods: Goods, templates: Templates) -> bool:
    """Whether a part of the region has a rate of its own."""
    template = templates.find(goods.template)
    named = () if template is None else (code for zone in template.zones for code in zone.regions)
    return any(code != region and contains(region, code) for code in named)
