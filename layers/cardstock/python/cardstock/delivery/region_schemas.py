"""Regions as JSON, for pickers of addresses."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated, Self

from msgspec import Meta

from cardstock import regions
from cardstock.edge.fields import RegionCode
from cardstock.edge.http import Model


class RegionQuery(Model):
    """Of which region."""

    parent: Annotated[RegionCode | None, Meta(description="Region whose parts are listed; absent: the provinces.")] = (
        None
    )


class RegionView(Model):
    """A region."""

    region: RegionCode
    name: Annotated[str, Meta(description="Its own name, in Chinese.", examples=["西湖区"])]
    level: Annotated[
        regions.Level,
        Meta(description="A district may be directly in a province: of a municipality, and 仙桃市 in 湖北省."),
    ]
    has_children: Annotated[bool, Meta(description="Whether it has parts; some cities have none (东莞市).")]


class Regions(Model):
    """The parts of a region."""

    items: Annotated[list[RegionView], Meta(description="Parts of the region, by code.")]

    @classmethod
    def of(cls, parent: str) -> Self:
        """The parts of a region; the provinces for an empty code."""
        return cls(
            [
                RegionView(each.code, each.name, each.level, regions.has_children(each.code))
                for each in regions.children_of(parent)
            ]
        )
