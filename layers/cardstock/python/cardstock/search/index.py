"""The index: what a search reads of all products, in one object.

It holds a *row* for each product, with its text in searchable form, and for each Latin word and Chinese character the
numbers of the rows that have it. A longer Chinese word is looked for in the rows that have its rarest character.
`merged` replaces the rows of products that changed.
"""

import zlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from math import ceil
from typing import Final

import msgspec

from cardstock.search.analysis import article_number, searchable
from cardstock.search.index_model import FORM, Contents, Row, Value
from cardstock.search.model import Category, Entry
from cardstock.search.sounds import Sounds
from cardstock.search.suggesting import completions_of

_LEVEL: Final = 6
_KEPT_LOOKUPS: Final = 500


class Index:
    """An index that is ready to be searched."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.rows = contents.rows
        self.size = len(contents.rows)
        self.places = contents.places
        self.values = {(each.facet, each.value): number for number, each in enumerate(contents.values)}
        self.named = [each.title + each.brand + each.kind + each.category + each.attributes for each in contents.rows]
        self.most_sold = max([row.sold for row in contents.rows], default=0)
        self._found: dict[str, Sequence[int]] = {}

    @cached_property
    def sounds(self) -> Sounds:
        """What is read in which way."""
        return Sounds(self.contents.runs)

    @cached_property
    def articles(self) -> str:
        """All article numbers, each behind a blank."""
        return "".join([row.articles for row in self.rows])

    def count(self, word: str) -> int:
        """In how many rows a Latin word or a Chinese character stands."""
        return len(self.places.get(word, b"")) // 2

    def rows_with(self, needle: str) -> Sequence[int]:
        """Numbers of the rows in whose text `needle` stands.

        A needle is Chinese, or Latin words: between blanks whole ones, with a leading blank alone a beginning.
        """
        found = self._found.get(needle)
        if found is None:
            if len(self._found) > _KEPT_LOOKUPS:
                self._found.clear()
            found = self._found[needle] = self._look_up(needle)
        return found

    def _look_up(self, needle: str) -> Sequence[int]:
        if needle[0] < "\u3400" and needle[-1] != " ":
            word = needle.strip()
            if needle[0] == " ":
                size = len(word)
                words = [each for each in self.places if each[:size] == word]
            else:
                words = [each for each in self.places if word in each]
            return sorted({place for each in words for place in memoryview(self.places[each]).cast("H")})
        parts = needle.split() if needle[0] < "\u3400" else list(needle)
        rarest = min([self.places.get(each, b"") for each in parts], key=len)
        candidates = memoryview(rarest).cast("H")
        if len(parts) == 1:
            return candidates.tolist()
        named, rows = self.named, self.rows
        return [place for place in candidates if needle in named[place] or needle in rows[place].description]


def encode(contents: Contents) -> bytes:
    """An index as bytes."""
    return zlib.compress(msgspec.msgpack.encode(contents), _LEVEL)


def decode(data: bytes) -> Contents | None:
    """The index of bytes; None if it is of another form."""
    try:
        contents = _DECODER.decode(zlib.decompress(data))
    except msgspec.ValidationError:
        return None
    return contents if contents.form == FORM else None


_DECODER: Final = msgspec.msgpack.Decoder(Contents)


def build(entries: Iterable[Entry], at: datetime) -> Contents:
    """The index of all products."""
    return merged(None, entries, {}, at)


def merged(old: Contents | None, changed: Iterable[Entry], gone: Mapping[str, int], at: datetime) -> Contents:
    """An index in which `changed` replace their older versions, and without products that are `gone` at a version.

    What is older than what the index knows of its product is left out, so that changes may come in any sequence and
    again.
    """
    left = dict(old.gone) if old else {}
    rows = {row.product_id: row for row in old.rows} if old else {}
    values = list(old.values) if old else []
    numbers = {(each.facet, each.value): number for number, each in enumerate(values)}
    for entry in changed:
        before = rows.get(entry.product_id)
        if (before is None or before.version <= entry.version) and left.get(entry.product_id, -1) < entry.version:
            rows[entry.product_id] = _row(entry, values, numbers)
            left.pop(entry.product_id, None)
    for product_id, version in gone.items():
        before = rows.get(product_id)
        if before is None or before.version <= version:
            rows.pop(product_id, None)
            left[product_id] = max(version, left.get(product_id, -1))
    kept = sorted(rows.values(), key=lambda row: row.product_id)
    return Contents(FORM, at, kept, values, _places(kept), _runs(kept), completions_of(kept, values), left)


def _row(entry: Entry, values: list[Value], numbers: dict[tuple[str, str], int]) -> Row:
    steps = [searchable(step.zh, step.en) for step in entry.categories]
    articles = dict.fromkeys(article_number(each) for each in (entry.product_id, *entry.skus))
    return Row(
        product_id=entry.product_id,
        version=entry.version,
        title=searchable(entry.title_zh, entry.title_en),
        brand=searchable(entry.brand),
        kind=steps[-1] if steps else "",
        category="".join(steps[:-1]),
        attributes=searchable(*[name for each in entry.attributes for name in (each.value_zh, each.value_en)]),
        description=searchable(entry.description),
        articles=" ".join(["", *articles, ""]),
        values=tuple([_number(value, values, numbers) for value in _values(entry)]),
        price_fen=entry.price_fen,
        list_price_fen=entry.list_price_fen,
        in_stock=entry.in_stock,
        sold=entry.sold,
        published=int(entry.published_at.timestamp()) if entry.published_at else 0,
        begins=ceil(entry.begins_at.timestamp()) if entry.begins_at else 0,
    )


def _values(entry: Entry) -> Iterable[Value]:
    if entry.brand:
        yield Value("brand", entry.brand, entry.brand, entry.brand)
    steps: Sequence[Category] = entry.categories
    yield from (Value("category", step.id, step.zh or step.en, step.en or step.zh) for step in steps)
    for each in entry.attributes:
        zh, en = each.value_zh or each.value_en, each.value_en or each.value_zh
        names = (each.name_zh or each.name_en, each.name_en or each.name_zh)
        yield Value(f"attribute:{each.id}", each.value, zh or each.value, en or each.value, *names)


def _number(value: Value, values: list[Value], numbers: dict[tuple[str, str], int]) -> int:
    """Which number a value has; the newest names of it hold."""
    key = (value.facet, value.value)
    number = numbers.setdefault(key, len(values))
    if number == len(values):
        values.append(value)
    else:
        values[number] = value
    return number


def _runs(rows: Iterable[Row]) -> str:
    texts = [each.title + each.brand + each.kind + each.category + each.attributes for each in rows]
    return "\n".join(sorted({word for text in texts for word in text.split() if word[0] >= "\u3400"}))


def _places(rows: Iterable[Row]) -> dict[str, bytes]:
    """Word or character -> the numbers of its rows."""
    places: defaultdict[str, array[int]] = defaultdict(lambda: array("H"))
    for number, row in enumerate(rows):
        found: set[str] = set()
        for word in (row.title + row.brand + row.kind + row.category + row.attributes + row.description).split():
            if word[0] >= "\u3400":
                found.update(word)
            elif word != "|":
                found.add(word)
        for each in found:
            places[each].append(number)
    return {word: places[word].tobytes() for word in sorted(places)}
