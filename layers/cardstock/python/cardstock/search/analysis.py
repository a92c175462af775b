"""How text becomes what is compared: one form for all ways to write a word.

Full-width and half-width forms, capitals, traditional characters and accents fall together (`fold`). Latin text is
split into words, whose English plurals fall together too; a word with hyphens, or a number with its unit, is kept in
parts and in one. Chinese text stays whole, because a part of it may be asked for.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

from cardstock.search.han_tables import OTHER_READINGS, READINGS, SIMPLIFIED, TRADITIONAL

HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff"
_CHUNK: Final = re.compile(rf"[{HAN}]+|[a-z0-9]+(?:[-./_+&][a-z0-9]+)*")
_PART: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?=[a-z]|\Z)|[a-z]+[0-9]+[a-z0-9]*|[a-z]+|[a-z0-9]+")
_FOLDED: Final = str.maketrans(TRADITIONAL, SIMPLIFIED, "'’‘`´\u200b\ufeff") | str.maketrans("‐‑‒–—−×", "------x")
_KEPT: Final = ("ss", "us", "is", "as", "os")
_IRREGULAR: Final = {
    "knives": "knife", "leaves": "leaf", "shelves": "shelf", "halves": "half", "scarves": "scarf", "wolves": "wolf",
    "children": "child", "men": "man", "women": "woman", "feet": "foot", "mice": "mouse", "teeth": "tooth",
    "geese": "goose",
}  # fmt: skip


def fold(text: str) -> str:
    """One form for characters that mean the same."""
    plain = unicodedata.normalize("NFKD", text)
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", "".join([each for each in plain if not unicodedata.combining(each)]))
    return plain.casefold().translate(_FOLDED)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """An English word without the ending of its plural."""
    if len(word) < 4 or word[-1] not in "sn" or word.endswith(_KEPT):
        return _IRREGULAR.get(word, word)
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word[-1] == "n":
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zes")):
        return word[:-2]
    return word[:-1]


class Chunk:
    """Characters that stand together: Chinese ones, or Latin `parts`."""

    __slots__ = ("end", "is_han", "parts", "start", "text")

    def __init__(self, text: str, start: int) -> None:
        self.text, self.start, self.end = text, start, start + len(text)
        self.is_han = text[0] >= "\u3400"
        self.parts = [] if self.is_han else [stem(part) for part in _PART.findall(text)]


def chunks(folded: str) -> Iterator[Chunk]:
    """The chunks of folded text."""
    return (Chunk(match.group(), match.start()) for match in _CHUNK.finditer(folded))


def searchable(*texts: str) -> str:
    """Texts in the form that is searched: words and Chinese runs between blanks, then joined forms behind a bar."""
    out: list[str] = [""]
    joined: list[str] = []
    for text in texts:
        for chunk in chunks(fold(text)):
            if chunk.is_han:
                out.append(chunk.text)
            else:
                out += chunk.parts
                if len(chunk.parts) > 1:
                    joined.append("".join(chunk.parts))
        out.append("|")
    return " ".join([*out, *joined, ""])


def article_number(text: str) -> str:
    """An article number without what stands between its letters and digits."""
    return re.sub(r"[^a-z0-9]", "", fold(text))


@cache
def reading_table() -> dict[str, tuple[str, ...]]:
    """Character -> its readings without tones, the usual one first."""
    table: dict[str, tuple[str, ...]] = {}
    for line in (READINGS, OTHER_READINGS):
        for group in line.split():
            syllable = group.rstrip(group.lstrip("abcdefghijklmnopqrstuvwxyz"))
            for character in group[len(syllable) :]:
                table[character] = (*table.get(character, ()), syllable)
    return table
