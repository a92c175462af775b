"""The HTTP answer that lists regions."""

from collections.abc import Mapping
from typing import Final

from cardstock import regions
from cardstock.delivery.region_schemas import Regions
from cardstock.edge.headers import names_tag
from cardstock.edge.http import Answer
from cardstock.errors import REGION_UNKNOWN, Pointer

MAX_AGE_SECONDS: Final = 86_400


def regions_answer(parent: str, headers: Mapping[str, str]) -> Answer:
    """The parts of a region; 304 without a body if `If-None-Match` names it. Anybody may keep it for a day.

    Raises `InvalidError` REGION_UNKNOWN for a code that no region in force has.
    """
    if parent and not regions.is_valid(parent):
        raise REGION_UNKNOWN(pointers=(Pointer("#query/parent", "REGION_UNKNOWN"),))
    tag = f'"{regions.edition()}"'
    answer_headers = {"ETag": tag, "Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}
    if names_tag(headers.get("if-none-match", ""), tag):
        return Answer("", status=304, headers=answer_headers)
    return Answer(Regions.of(parent), headers=answer_headers)
