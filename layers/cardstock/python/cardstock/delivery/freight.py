"""What sending costs: pure rules."""

from collections.abc import Sequence

from cardstock import regions
from cardstock.delivery import errors
from cardstock.delivery.model import Goods, Rate, Template, Templates
from cardstock.money import Fen


def freight_parts(goods: Sequence[Goods], region: str, templates: Templates) -> dict[str, Fen]:
    """The freight of each supplier's part, for goods that are sent to a valid `region`.

    `templates` has at least one. Raises `RefusedError` REGION_NOT_SERVED with the SKUs that are not sent there.
    """
    lines_of: dict[str, list[Goods]] = {}
    template_of: dict[str, Template] = {}
    for each in goods:
        template = templates.find(each.template)
        assert template is not None
        template_of[template.template_id] = template
        lines_of.setdefault(template.template_id, []).append(each)
    fees = {each.supplier_id: 0 for each in goods}
    refused: list[str] = []
    for template_id, lines in lines_of.items():
        template = template_of[template_id]
        rate = rate_for(template, region)
        if rate is None:
            refused += [each.sku for each in lines]
            continue
        goods_fen = sum(each.net_fen for each in lines)
        for supplier_id in {each.supplier_id for each in lines}:
            part = [each for each in lines if each.supplier_id == supplier_id]
            fees[supplier_id] += rate.of(sum(_amount(each, template) for each in part), goods_fen)
    if refused:
        name, skus = "".join(regions.names_of(region)), sorted(refused)
        raise errors.REGION_NOT_SERVED(skus=skus, region=region, name=name, articles=", ".join(skus))
    return fees


def rate_for(template: Template, region: str) -> Rate | None:
    """The rate of a template for a valid region: that of the smallest region around it which a zone names, else the one
    for everywhere. None: nothing is sent there."""
    for around in reversed(regions.path_of(region)):
        for zone in template.zones:
            if around in zone.regions:
                return zone.rate
    return template.rate


def _amount(goods: Goods, template: Template) -> int:
    """Units or grams that the template counts."""
    return goods.units if template.measure == "unit" else goods.units * (goods.weight_g or 0)
