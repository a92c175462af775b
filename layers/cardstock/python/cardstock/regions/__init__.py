"""Regions of China by their codes (GB/T 2260): provinces, cities and districts, and the region of an address.

A code has six digits. `codes.txt` has every region that is in force, with its name; `README.md` says where it is from.
It is read at the first question, not at the import (65 KB, about 2 ms). A municipality (北京市) has districts and no
city; some counties (仙桃市, 429004) are directly below their province; some cities (东莞市) have no districts.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

Level: TypeAlias = Literal["province", "city", "district"]

_FILE: Final = Path(__file__).with_name("codes.txt")
_KINDS: Final = (
    "特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "自治州", "自治县", "自治旗", "地区", "林区",
    "省", "市", "盟", "区", "县", "旗",
)  # fmt: skip
"""What the name of a region ends with. People and platforms leave it out, and a county that became a district changed
nothing else."""


class Region(msgspec.Struct, frozen=True):
    """A region: its code, its own name, and its level."""

    code: str
    name: str
    level: Level


class FoundRegion(msgspec.Struct, frozen=True):
    """The region of an address that another platform wrote.

    `by`: whether its code was known, or its names decided because the code is missing, unknown or out of force.
    `whole`: whether every name was understood; if not, the region is the smallest one that was.
    """

    code: str
    by: Literal["code", "names"]
    whole: bool


def is_valid(code: str) -> bool:
    """Whether a region in force has the code."""
    return code in _names()


def find_region(code: str) -> Region | None:
    """The region of a code; None if no region in force has it."""
    name = _names().get(code)
    return None if name is None else Region(code, name, _level_of(code))


def parent_of(code: str) -> str:
    """The code of the region that a valid region is directly in; empty for a province."""
    if code.endswith("0000"):
        return ""
    city = f"{code[:4]}00"
    return city if code != city and city in _names() else f"{code[:2]}0000"


def children_of(code: str) -> tuple[Region, ...]:
    """The regions directly below a region, by code; the provinces for an empty code."""
    return tuple(Region(each, _names()[each], _level_of(each)) for each in _children().get(code, ()))


def has_children(code: str) -> bool:
    """Whether there are regions below a region."""
    return code in _children()


def path_of(code: str) -> tuple[str, ...]:
    """The codes of a valid region and of those that it is in, from the province on."""
    path = [code]
    while parent := parent_of(path[0]):
        path.insert(0, parent)
    return tuple(path)


def names_of(code: str) -> tuple[str, ...]:
    """The names of a valid region and of those that it is in, from the province on: 湖北省, 仙桃市.

    Raises KeyError for a code that is not valid.
    """
    return tuple(_names()[each] for each in path_of(code))


def contains(outer: str, inner: str) -> bool:
    """Whether the region `inner` is `outer` or in it. False if either code is not valid."""
    return is_valid(outer) and is_valid(inner) and outer in path_of(inner)


def is_precise(code: str) -> bool:
    """Whether goods can be sent to an address of which no more than this region is known: any region but a province,
    and a municipality."""
    return is_valid(code) and (
        not code.endswith("0000") or all(child.level == "district" for child in children_of(code))
    )


def region_of(code: str, names: Sequence[str]) -> FoundRegion | None:
    """The region of an address by its code, else by the names of province, city and district; empty ones are left out.

    A known code holds, whatever the names are; they only make it more exact, where they name a region in it. A name is
    the whole one, or one that differs in its kind alone (`密云县`, `密云` for 密云区) if a single region can be meant.
    None if not even the province is known.
    """
    named = _by_names([name for name in names if name])
    if not is_valid(code):
        return named
    if named is not None and contains(code, named.code):
        return FoundRegion(named.code, "code", True)
    return FoundRegion(code, "code", True)


def _by_names(names: Sequence[str]) -> FoundRegion | None:
    """The smallest region that the names lead to.

    A name that repeats the one before it (北京市, 北京市), or is no region (省直辖县级行政区划), is passed over. It
    matters only if nothing smaller is found.
    """
    if not names or (code := _match(names[0], _children()[""])) is None:
        return None
    understood = True
    for name in names[1:]:
        below = tuple(_below(code))
        found = _match(name, _children().get(code, ())) or _match(name, below)
        if found is not None:
            code, understood = found, True
        elif below and name not in names_of(code):
            understood = False
    return FoundRegion(code, "names", understood and is_precise(code))


def _match(name: str, codes: Iterable[str]) -> str | None:
    """The only one of `codes` with this name, else the only one whose name differs in its kind alone."""
    known = [(code, _names()[code]) for code in codes]
    same = [code for code, each in known if each == name]
    alike = same or [code for code, each in known if _stem(each) == _stem(name)]
    return alike[0] if len(alike) == 1 else None


def _stem(name: str) -> str:
    """The name without its kind; a name of two letters keeps it (东区)."""
    kind = next((kind for kind in _KINDS if name.endswith(kind) and len(name) - len(kind) > 1), "")
    return name.removesuffix(kind)


def _below(code: str) -> Iterator[str]:
    for child in _children().get(code, ()):
        yield child
        yield from _below(child)


def _level_of(code: str) -> Level:
    if code.endswith("0000"):
        return "province"
    return "city" if code.endswith("00") else "district"


@cache
def edition() -> str:
    """What tells one edition of the codes from another: the head of the hash of the file."""
    return hashlib.sha256(_FILE.read_bytes()).hexdigest()[:16]


@cache
def _names() -> Mapping[str, str]:
    lines = _FILE.read_text("utf-8").splitlines()
    return {line[:6]: line[7:] for line in lines}


@cache
def _children() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for code in _names():
        found.setdefault(parent_of(code), []).append(code)
    return {parent: tuple(codes) for parent, codes in found.items()}
