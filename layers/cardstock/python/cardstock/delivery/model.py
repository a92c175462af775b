"""Types of delivery: templates, zones, rates, and goods to be sent."""

import re
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.money import Fen

Measure: TypeAlias = Literal["unit", "gram"]
TEMPLATE_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,23}")
MAX_TEMPLATES: Final = 20
MAX_ZONES: Final = 40
MAX_REGIONS: Final = 1_000
"""Regions that all zones of all templates name: every quote may have to read them."""
MAX_STEP: Final = 10**7
MAX_FEE: Final[Fen] = 10**6


class Rate(msgspec.Struct, frozen=True, array_like=True):
    """`first_fen` for the first `first` units or grams, `further_fen` for each further `further`; a part of a step
    counts as a whole one. Nothing if the goods cost `free_from_fen` or more (0: never free). Stored as an array: do not
    move its fields."""

    first: int
    first_fen: Fen
    further: int
    further_fen: Fen
    free_from_fen: Fen = 0

    def of(self, amount: int, goods_fen: Fen) -> Fen:
        """The fee for `amount` units or grams of one part, where the goods of the template cost `goods_fen`."""
        if self.free_from_fen and goods_fen >= self.free_from_fen:
            return 0
        return self.first_fen + -(-max(0, amount - self.first) // self.further) * self.further_fen


class Zone(msgspec.Struct, frozen=True, array_like=True):
    """Regions with a rate of their own; None: nothing is sent there. Stored as an array: do not move its fields."""

    regions: tuple[str, ...]
    rate: Rate | None


class Template(msgspec.Struct, frozen=True, array_like=True):
    """How freight is reckoned for the SKUs that name it. Stored as an array: do not move its fields."""

    template_id: str
    name: str
    measure: Measure
    rate: Rate
    zones: tuple[Zone, ...] = ()


class Templates(msgspec.Struct, frozen=True):
    """All templates of the brand, replaced together. `version` counts that; 0: there have never been any."""

    templates: tuple[Template, ...] = ()
    default_template: str = ""
    """The template of SKUs that name none, or one that is gone. Empty only without templates."""
    version: int = 0

    def find(self, template_id: str) -> Template | None:
        """The template with this id, else the default one; None without templates."""
        by_id = {each.template_id: each for each in self.templates}
        return by_id.get(template_id) or by_id.get(self.default_template)


NO_TEMPLATES: Final = Templates()


class Goods(msgspec.Struct, frozen=True):
    """Units of one SKU that `supplier_id` sends. `net_fen`: their price after coupons, before points."""

    sku: str
    supplier_id: str
    units: int
    net_fen: Fen
    template: str = ""
    weight_g: int | None = None
    """Grams of one unit; None if that is not known: it then counts as none."""
