"""Completions of what is typed: brands, categories, and words and phrases of titles that several products have."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from cardstock.search.analysis import fold
from cardstock.search.index_model import Completion, Row, Value
from cardstock.search.model import Suggestion
from cardstock.search.sounds import readings_of

_LONGEST: Final = 3
"""Words of a Latin phrase."""
_MOST: Final = 4_000


def completions_of(rows: Iterable[Row], values: Sequence[Value]) -> list[Completion]:
    """What can be suggested over these products, the best first."""
    products: defaultdict[str, int] = defaultdict(int)
    sold: defaultdict[str, int] = defaultdict(int)
    names: dict[str, str] = {}
    for row in rows:
        found: dict[str, None] = {}
        for place in row.values:
            value = values[place]
            if value.facet in ("brand", "category"):
                for name in (value.zh, value.en):
                    key = " ".join(fold(name).split())
                    names[key] = name
                    found[key] = None
        for part in row.title.split(" | ")[:-1]:
            found.update(dict.fromkeys(_phrases(part.split())))
        for text in found:
            products[text] += 1
            sold[text] += row.sold
    named = {text for text, count in products.items() if count > 1 or text in names}
    best = sorted(named, key=lambda text: (-products[text], -sold[text], text))[:_MOST]
    return [Completion(names.get(text, text), _forms(text), products[text], sold[text]) for text in best if text]


def _phrases(words: Sequence[str]) -> Iterable[str]:
    """Single Chinese words of a title, and Latin words in sequence."""
    for start, word in enumerate(words):
        if word[0] >= "\u3400":
            if 2 <= len(word) <= 8:
                yield word
            continue
        if len(word) < 3 or word[0].isdigit():
            continue
        for length in range(1, _LONGEST + 1):
            part = words[start : start + length]
            if len(part) == length and all("a" <= each[0] <= "z" for each in part) and len(part[-1]) > 2:
                yield " ".join(part)


def _forms(text: str) -> str:
    """What may be typed for `text`, each behind a line's end."""
    forms = [text]
    run = "".join([each for each in text if each >= "\u3400"])
    if run and run == text:
        for reading in readings_of(run):
            forms += ["".join(reading), "".join([each[0] for each in reading])]
    return "\n" + "\n".join(forms)


def suggest(typed: str, completions: Iterable[Completion], limit: int = 8) -> list[Suggestion]:
    """Completions of `typed`, most products first; of the last word alone if nothing begins with all of it."""
    text = " ".join(fold(typed).split())
    if not text:
        return []
    before, _, last = text.rpartition(" ")
    for needle, kept in ((text, ""), (last, before)):
        begun = f"\n{needle}"
        found = [each for each in completions if begun in each.forms][:limit] if needle else []
        if found:
            return [Suggestion(f"{kept} {each.text}".strip(), each.products) for each in found]
    return []
