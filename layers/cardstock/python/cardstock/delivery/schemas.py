"""Freight templates as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated, Final, Self

from msgspec import Meta

from cardstock.delivery import model
from cardstock.edge.fields import RegionCode, TemplateId
from cardstock.edge.http import LINE, Model

Steps = Annotated[int, Meta(ge=1, le=model.MAX_STEP, examples=[1])]
Fee = Annotated[int, Meta(ge=0, le=model.MAX_FEE, examples=[1200])]


_RATE: Final = {"first": 1, "first_fen": 1200, "further": 1, "further_fen": 600, "free_from_fen": 19900}
_EXAMPLE: Final = [
    {
        "template_id": "heavy", "name": "Heavy goods", "measure": "unit", "rate": _RATE,
        "zones": [{"regions": ["330000"], "rate": _RATE}, {"regions": ["650000"], "rate": None}],
    }
]  # fmt: skip


class RateData(Model):
    """What a part of an order costs by one template."""

    first: Annotated[Steps, Meta(description="Units or grams that the first fee is for.")]
    first_fen: Annotated[Fee, Meta(description="Fee for these, in fen.")]
    further: Annotated[Steps, Meta(description="Units or grams of each further step; a part of one counts as a whole.")]
    further_fen: Annotated[Fee, Meta(description="Fee for each further step, in fen.", examples=[600])]
    free_from_fen: Annotated[
        int,
        Meta(
            ge=0, le=10**9, examples=[9900],
            description="Free if the order's goods of the template cost this much in fen after coupons; 0: never.",
        ),
    ] = 0  # fmt: skip

    @classmethod
    def of(cls, rate: model.Rate) -> Self:
        """A stored rate."""
        return cls(rate.first, rate.first_fen, rate.further, rate.further_fen, rate.free_from_fen)

    def rate(self) -> model.Rate:
        """The inverse of `of`."""
        return model.Rate(self.first, self.first_fen, self.further, self.further_fen, self.free_from_fen)


class ZoneData(Model):
    """Regions with a rate of their own."""

    regions: Annotated[
        list[RegionCode],
        Meta(
            min_length=1, max_length=model.MAX_REGIONS,
            description="Provinces, cities and districts; the smallest one around an address decides.",
        ),
    ]  # fmt: skip
    rate: Annotated[RateData | None, Meta(description="Their rate; null: nothing is sent there.")]

    @classmethod
    def of(cls, zone: model.Zone) -> Self:
        """A stored zone."""
        return cls(list(zone.regions), None if zone.rate is None else RateData.of(zone.rate))

    def zone(self) -> model.Zone:
        """The inverse of `of`."""
        return model.Zone(tuple(self.regions), None if self.rate is None else self.rate.rate())


class TemplateData(Model):
    """How freight is reckoned for the products that name it."""

    template_id: TemplateId
    name: Annotated[
        str,
        Meta(min_length=1, max_length=40, pattern=LINE, examples=["Heavy goods"], description="Name for the staff."),
    ]
    measure: Annotated[
        model.Measure, Meta(description="Whether units or grams are counted. A product without weight has 0 grams.")
    ]
    rate: Annotated[RateData, Meta(description="Rate of every region that no zone names.")]
    zones: Annotated[list[ZoneData], Meta(max_length=model.MAX_ZONES, description="Regions with rates of their own.")]

    @classmethod
    def of(cls, template: model.Template) -> Self:
        """A stored template."""
        zones = [ZoneData.of(zone) for zone in template.zones]
        return cls(template.template_id, template.name, template.measure, RateData.of(template.rate), zones)

    def template(self) -> model.Template:
        """The inverse of `of`."""
        zones = tuple(zone.zone() for zone in self.zones)
        return model.Template(self.template_id, self.name, self.measure, self.rate.rate(), zones)


class FreightTemplates(Model):
    """All freight templates."""

    templates: Annotated[
        list[TemplateData],
        Meta(
            max_length=model.MAX_TEMPLATES,
            description="All templates; none: the setting of the deployment holds.",
            examples=[_EXAMPLE],
        ),
    ]
    default_template: Annotated[
        TemplateId | None, Meta(description="Template of products that name none; null only without templates.")
    ]
    version: Annotated[
        int, Meta(ge=0, le=2**53, examples=[0], description="Version that was read; a change raises it by one.")
    ]

    @classmethod
    def of(cls, templates: model.Templates) -> Self:
        """The stored templates."""
        listed = [TemplateData.of(each) for each in templates.templates]
        return cls(listed, templates.default_template or None, templates.version)

    def replacement(self) -> model.Templates:
        """The inverse of `of`."""
        listed = tuple(each.template() for each in self.templates)
        return model.Templates(listed, self.default_template or "", self.version)
