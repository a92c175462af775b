"""Reading and replacing the templates."""

from typing import Final

from msgspec.structs import replace

from cardstock import regions
from cardstock.delivery import errors
from cardstock.delivery.model import MAX_REGIONS, Template, Templates
from cardstock.delivery.ports import FreightTemplates
from cardstock.errors import Pointer

_NO_TEMPLATE: Final = (
    "应为上面某个模板的编号；没有模板时留空。",
    "Must be the id of one of the templates; empty without templates.",
)
_NO_REGION: Final = ("没有这个行政区划代码。", "There is no region with this code.")
_TOO_MANY_REGIONS: Final = (
    f"所有模板的地区合计不得超过 {MAX_REGIONS} 个：可用省代替其下各市。",
    f"All zones together name at most {MAX_REGIONS} regions: name the province instead of its cities.",
)


def replace_templates(wanted: Templates, *, store: FreightTemplates) -> Templates:
    """Replace all templates; `wanted.version` is the one that was read. The same again changes nothing.

    Raises `InvalidError` TEMPLATES_INVALID with what is wrong where, `ConflictError` TEMPLATES_CHANGED.
    """
    check_templates(wanted)
    after = replace(wanted, version=wanted.version + 1)
    if store.replace(after):
        return after
    stored = store.read()
    if replace(stored, version=0) == replace(wanted, version=0):
        return stored
    raise errors.TEMPLATES_CHANGED()


def check_templates(wanted: Templates) -> None:
    """Refuse templates that contradict themselves or name what does not exist. Raises `InvalidError`."""
    wrong: list[Pointer] = []
    ids = [each.template_id for each in wanted.templates]
    for at, template in enumerate(wanted.templates):
        if template.template_id in ids[:at]:
            wrong.append(Pointer(f"/templates/{at}/template_id", "DUPLICATE"))
        wrong += _wrong_regions(f"/templates/{at}/zones", template)
    if (wanted.default_template not in ids) if ids else wanted.default_template:
        wrong.append(Pointer("/default_template", "TEMPLATE_UNKNOWN", {"text": _NO_TEMPLATE}))
    if sum(len(zone.regions) for template in wanted.templates for zone in template.zones) > MAX_REGIONS:
        wrong.append(Pointer("/templates", "OUT_OF_RANGE", {"text": _TOO_MANY_REGIONS}))
    if wrong:
        raise errors.TEMPLATES_INVALID(pointers=tuple(wrong))


def _wrong_regions(zones: str, template: Template) -> list[Pointer]:
    wrong: list[Pointer] = []
    seen: set[str] = set()
    for number, zone in enumerate(template.zones):
        for at, code in enumerate(zone.regions):
            pointer = f"{zones}/{number}/regions/{at}"
            if not regions.is_valid(code):
                wrong.append(Pointer(pointer, "REGION_UNKNOWN", {"text": _NO_REGION}))
            elif code in seen:
                wrong.append(Pointer(pointer, "DUPLICATE"))
            seen.add(code)
    return wrong
