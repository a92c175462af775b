"""Headers read and written by the grammar of RFC 9110: languages, media types, entity tags, names of downloads.

A header that does not follow its grammar counts as not sent. Patterns are compiled at first use.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from cardstock.texts import one_line

LANGUAGES: Final = ("zh", "en")
"""The languages of our texts, the default first."""
LISTS: Final = frozenset({"accept", "accept-language", "if-none-match"})
"""Headers with lists that are read here: sent several times, they are one list."""

_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TEXT: Final = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
_WEIGHT: Final = r"(?:[ \t]*;[ \t]*[qQ]=(?P<q>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
_LANGUAGE: Final = rf"(?P<range>\*|[A-Za-z]{{1,8}}(?:-[A-Za-z0-9]{{1,8}})*){_WEIGHT}"
_PARAMETER: Final = rf"[ \t]*;[ \t]*(?![qQ]=){_WORD}=(?:{_WORD}|{_TEXT})"
_MEDIA: Final = rf"(?P<range>{_WORD}/{_WORD})(?:{_PARAMETER})*{_WEIGHT}(?:{_PARAMETER})*"
_TAG: Final = r'(?:W/)?(?P<range>"[\x21\x23-\x7e\x80-\xff]*")'


def language_of(header: str) -> str:
    """`zh` or `en`: what Accept-Language weighs most. `zh` if it weighs both alike by `*`, accepts neither, or is
    malformed; of two languages with one weight the one named first."""
    weights: dict[str, float] = {}
    for found in _elements(_LANGUAGE, header):
        name = found["range"].partition("-")[0].lower()
        weights[name] = max(weights.get(name, 0.0), _weight(found))
    named = sorted((name for name in LANGUAGES if name in weights), key=list(weights).index)
    others = [name for name in LANGUAGES if name not in weights] if "*" in weights else []
    best = max([*named, *others], key=lambda name: weights.get(name, weights.get("*", 0.0)), default=LANGUAGES[0])
    return best if weights.get(best, weights.get("*", 0.0)) else LANGUAGES[0]


def prefers(header: str, media_type: str, other: str) -> bool:
    """Whether Accept names `media_type` itself, and weighs it no less than `other`, which it gets without asking."""
    weights: dict[str, float] = {}
    for found in _elements(_MEDIA, header):
        name = found["range"].lower()
        weights[name] = max(weights.get(name, 0.0), _weight(found))
    ranges = (other, f"{other.partition('/')[0]}/*", "*/*")
    least = next((weights[name] for name in ranges if name in weights), 0.0)
    return weights.get(media_type, 0.0) >= max(least, 0.001)


def names_tag(header: str, tag: str) -> bool:
    """Whether If-None-Match names the entity tag, by the weak comparison; `*` names every tag."""
    if header.strip(" \t") == "*":
        return True
    opaque = tag.removeprefix("W/")
    return any(found["range"] == opaque for found in _elements(_TAG, header))


def attachment(name: str, plain: str) -> dict[str, str]:
    """Content-Disposition of a download (RFC 6266, RFC 8187): `name` for most clients, `plain`, an ASCII name, for
    those that know no other."""
    clean = one_line(name).replace("/", "_").replace("\\", "_").lstrip(".")
    octets = "".join(chr(each) if chr(each) in _UNRESERVED else f"%{each:02X}" for each in clean.encode())
    encoded = "" if clean in ("", plain) else f"; filename*=UTF-8''{octets}"
    return {"Content-Disposition": f'attachment; filename="{plain}"{encoded}'}


def sent(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of an answer as they are sent: every value one line without control characters."""
    return {name: one_line(value) for name, value in headers.items()}


def _weight(found: "re.Match[str]") -> float:
    return 1.0 if found["q"] is None else float(found["q"])


def _elements(pattern: str, header: str) -> list["re.Match[str]"]:
    """The elements of a list; none if one of them is malformed. Empty elements count for nothing."""
    try:
        return list(_each(pattern, header))
    except ValueError:
        return []


def _each(pattern: str, header: str) -> Iterator["re.Match[str]"]:
    element, gap, end = _compiled(pattern), _compiled(r"[ \t,]*"), _compiled(r"[ \t]*(?:,|\Z)")
    at = 0
    while True:
        start = gap.match(header, at)
        at = start.end() if start else at
        if at == len(header):
            return
        found = element.match(header, at)
        if found is None or not end.match(header, found.end()):
            raise ValueError("malformed")
        yield found
        at = found.end()


@cache
def _compiled(pattern: str) -> "re.Pattern[str]":
    return re.compile(pattern)
