"""What a query asks for: its units.

A *unit* is a word of the query that a hit should have: a Latin word, a piece of a Chinese run, an article number. It
has *needles*, texts that are looked for, each with a weight: the word itself, the word with its typing error corrected,
a synonym, Chinese words that sound as the letters or the wrong characters do.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from cardstock.search.analysis import Chunk, article_number, chunks, fold
from cardstock.search.index import Index
from cardstock.search.sounds import is_syllable, readings_of, syllables_in
from cardstock.search.spelling import corrections
from cardstock.search.synonyms import FILLERS, HAN_FILLERS, PREPOSITIONS, VAGUE, shop_words

PREFIX, INNER = 0.75, 0.6
"""A word that the index does not have, at the beginning of one that it has, or inside."""
BEGUN, JOINED, LAST = 0.4, 0.7, 0.3
"""A word that the index has, inside of another, or joined with another that it has; the last part of a joined word."""
CORRECTED, SYNONYM, SOUND, INITIALS, CHARACTER = 0.85, 0.6, 0.95, 0.85, 0.55
HEAD_WEIGHT: Final = 1.5
"""How much more the word counts that says what the thing is: in English the last before a preposition."""
VAGUE_WEIGHT: Final = 0.4
"""How much less a word counts beside others that says little."""
COHESION: Final = 0.12
"""A pair of characters that stands in fewer of the rows that have its rarer character is two words."""
RARE: Final = 0.05
"""A character that stands in fewer of all rows says something by itself."""
_MOST_WORDS: Final = 20
_LONGEST_SOUND: Final = 6


class Needle(NamedTuple):
    """A text that is looked for, as `Index.rows_with` takes it, and how much it counts."""

    text: str
    weight: float


class Unit(NamedTuple):
    """A word of a query, and what is looked for."""

    text: str
    needles: tuple[Needle, ...]
    weight: float = 1.0
    is_article: bool = False
    """Whether `text` begins article numbers, and no needles are looked for."""
    corrected: str = ""
    """What was looked for in its place, if it seems wrong or is pinyin."""


def units_of(text: str, index: Index) -> list[Unit]:
    """The units of a query, fillers left out unless there is nothing else."""
    number = article_number(text)
    if len(number) > 2 and any("0" <= each <= "9" for each in number) and _begins_article(number, index):
        return [Unit(number, (), is_article=True)]
    found = list(chunks(fold(text)))
    kept = [each for each in found if each.text not in FILLERS] or found
    head = _head(found, kept)
    units: list[Unit] = []
    place = 0
    while place < len(kept):
        made, taken = _next_units(kept[place:], index)
        if head in kept[place : place + taken] and made:
            made[-1] = made[-1]._replace(weight=HEAD_WEIGHT)
        if len(kept) > 1:
            made = [unit._replace(weight=VAGUE_WEIGHT) if unit.text in VAGUE else unit for unit in made]
        units += made
        place += taken
    return list(dict.fromkeys(units))


def _head(found: Sequence[Chunk], kept: Sequence[Chunk]) -> Chunk | None:
    """The word that says what the thing is."""
    before: Chunk | None = None
    for each in found:
        if each.text in PREPOSITIONS and before:
            return before
        if each in kept:
            before = each
    return before


def _next_units(rest: Sequence[Chunk], index: Index) -> tuple[list[Unit], int]:
    """The units of the first chunks of `rest`, and how many chunks they are."""
    here = rest[0]
    group = _spoken_group(rest, index)
    if group is not None:
        return [group[0]], group[1]
    if here.is_han:
        return _han_units(here.text, index), 1
    if _is_article(here, index):
        return [Unit(article_number(here.text), (), is_article=True)], 1
    compound = _compound(here, rest[1], index) if len(rest) > 1 else None
    return ([compound], 2) if compound else (_latin_units(here, index), 1)


def _begins_article(number: str, index: Index) -> bool:
    return f" {number}" in index.articles


def _is_article(chunk: Chunk, index: Index) -> bool:
    number = article_number(chunk.text)
    return len(number) > 4 and number not in index.places and not number.isalpha() and _begins_article(number, index)


# Latin words


def _latin_units(chunk: Chunk, index: Index) -> list[Unit]:
    """A unit for a word; for a word of parts one that has them together."""
    parts, words = chunk.parts, index.places
    if len(parts) > 1:
        phrase, joined = " ".join(parts), "".join(parts)
        return [Unit(phrase, (Needle(f" {phrase} ", 1.0), Needle(f" {joined} ", 1.0), *_synonyms(phrase)))]
    word = parts[0]
    if word in words or not word.isalpha():
        return [Unit(word, tuple(_known(word, index)))]
    for place in range(3, len(word) - 2):
        if word[:place] in words and word[place:] in words and index.rows_with(f" {word[:place]} {word[place:]} "):
            first, last = word[:place], word[place:]
            return [
                Unit(first, tuple(_known(first, index)), corrected=f"{first} {last}"),
                Unit(last, tuple(_known(last, index))),
            ]
    return [_unknown(word, index)]


def _compound(here: Chunk, after: Chunk, index: Index) -> Unit | None:
    """Two words that the index or the synonyms have as one."""
    if after.is_han or len(here.parts) != 1 or len(after.parts) != 1:
        return None
    joined, phrase = here.parts[0] + after.parts[0], f"{here.parts[0]} {after.parts[0]}"
    synonyms = list(_synonyms(phrase))
    if joined in index.places:
        synonyms += [*_synonyms(joined), Needle(joined, PREFIX)]
    elif not synonyms:
        return None
    needles = (Needle(f" {joined} ", 1.0), Needle(f" {phrase} ", 1.0), Needle(f" {after.parts[0]} ", LAST))
    return Unit(phrase, (*needles, *synonyms))


def _known(word: str, index: Index) -> Iterable[Needle]:
    """A word that the index has."""
    yield Needle(f" {word} ", 1.0)
    size, words = len(word), index.places
    if size > 2:
        longer = [each for each in words if word in each and len(each) > size + 2]
        starts = [each for each in longer if each[:size] == word and each[size:] in words]
        ends = [each for each in longer if each[-size:] == word and each[:-size] in words]
        yield from (Needle(f" {each} ", JOINED) for each in (*starts, *ends))
    if size > 3:
        yield Needle(word, BEGUN)
        for place in range(3, size - 2):
            if word[:place] in words and word[place:] in words:
                yield Needle(f" {word[:place]} {word[place:]} ", 1.0)
                yield Needle(f" {word[place:]} ", LAST)
    yield from _synonyms(word)


def _unknown(word: str, index: Index) -> Unit:
    """A word that the index does not have: pinyin, a part of a word, a typing error, initials."""
    sounds = [way for way in syllables_in(word) if is_syllable(way[-1])] if len(word) > 1 else []
    spoken = [each for way in sounds for each in _han_of_sounds(way, index)][:3]
    if spoken:
        needles = [Needle(each, SOUND) for each in spoken]
        return Unit(word, (*needles, Needle(f" {word}", PREFIX)), corrected=spoken[0])
    begun = index.rows_with(f" {word}") if len(word) > 2 else ()
    fixed = corrections(word, index.places) if len(word) > 2 else []
    needles = [*_synonyms(word), Needle(f" {word}", PREFIX)]
    if len(word) > 3:
        needles.append(Needle(word, INNER))
    initials = _han_of_initials(word, index)[:3] if 1 < len(word) < 7 else []
    needles += [Needle(each, INITIALS) for each in initials]
    needles += [Needle(f" {each} ", near * (SYNONYM if begun else CORRECTED)) for each, near in fixed]
    if begun or not (fixed or initials):
        partial = [] if begun else [each for way in syllables_in(word) for each in _han_of_sounds(way, index)]
        needles += [Needle(each, SOUND) for each in partial[:2]]
        return Unit(word, tuple(needles), corrected=partial[0] if partial else "")
    if initials and (len(word) < 4 or not fixed):
        return Unit(word, tuple(needles), corrected=initials[0])
    return Unit(word, tuple(needles), corrected=fixed[0][0])


def _synonyms(word: str) -> Iterable[Needle]:
    for each in shop_words().get(word, ()):
        yield Needle(each if each[0] >= "\u3400" else f" {each} ", SYNONYM)


# Chinese, by characters and by sound


def _han_units(run: str, index: Index) -> list[Unit]:
    """The pieces of a Chinese run, each a unit."""
    parts = _without_fillers(run) or [run]
    return [unit for part in parts for piece in _pieces(part, index) for unit in _piece_units(piece, index)]


def _piece_units(piece: str, index: Index) -> Iterable[Unit]:
    if len(piece) == 1 or index.rows_with(piece):
        yield Unit(piece, (Needle(piece, 1.0), *_synonyms(piece)))
        return
    fixed = _sounding_alike(piece, index)
    if fixed or piece in shop_words():
        needles = [Needle(fixed, CORRECTED), *_synonyms(fixed)] if fixed else []
        yield Unit(piece, (*needles, *_synonyms(piece)), corrected=fixed)
        return
    # Words of two characters that stand somewhere, and characters that say enough by themselves.
    start = 0
    while start < len(piece):
        pair = piece[start : start + 2]
        if len(pair) == 2 and index.rows_with(pair):
            yield Unit(pair, (Needle(pair, 1.0), *_synonyms(pair)))
            start += 2
        else:
            rare = index.count(pair[0]) < RARE * index.size
            yield Unit(pair[0], (Needle(pair[0], CHARACTER),) if rare else ())
            start += 1


def _without_fillers(run: str) -> list[str]:
    for filler in HAN_FILLERS:
        if len(filler) < len(run):
            run = run.replace(filler, " ")
    return run.split()


def _pieces(run: str, index: Index) -> list[str]:
    """Words of a run: cut where two characters seldom stand together."""
    cuts = set()
    for place in range(1, len(run)):
        pair = len(index.rows_with(run[place - 1 : place + 1]))
        rarer = min(index.count(run[place - 1]), index.count(run[place]))
        if pair < COHESION * rarer or (pair == 0 and rarer > 0):
            cuts.add(place)
    pieces: list[str] = []
    for start, end in pairwise([0, *sorted(cuts), len(run)]):
        # Single characters stay with their neighbours: together they may be a word that is written wrongly.
        if pieces and (end - start == 1 or len(pieces[-1]) == 1):
            pieces[-1] += run[start:end]
        else:
            pieces.append(run[start:end])
    return pieces


def _sounding_alike(piece: str, index: Index) -> str:
    """What the catalogue has instead of a piece that it does not have; empty if nothing sounds so."""
    for length in range(min(len(piece), _LONGEST_SOUND), 1, -1):
        for start in range(len(piece) - length + 1):
            window = piece[start : start + length]
            if length < len(piece) and index.rows_with(window):
                continue
            for reading in readings_of(window):
                found = [each for each in _han_of_sounds(reading, index) if each != window]
                if found:
                    return piece[:start] + found[0] + piece[start + length :]
    return ""


def _spoken_group(rest: Sequence[Chunk], index: Index) -> tuple[Unit, int] | None:
    """Chunks that together are a Chinese word: syllables with blanks between, or letters beside characters."""
    group = [rest[0]]
    for each in rest[1:]:
        latin = not each.is_han and not group[-1].is_han
        if not latin and (each.start != group[-1].end or each.is_han == group[-1].is_han):
            break
        group.append(each)
    letters = [each.text for each in group if not each.is_han]
    if len(group) < 2 or not all(each.isalpha() for each in letters):
        return None
    if all(each.parts[0] in index.places for each in group if not each.is_han):
        return None
    ways: list[tuple[str, ...]] = [()]
    for each in group:
        options = readings_of(each.text) if each.is_han else syllables_in(each.text)
        if each is not group[-1]:
            options = [option for option in options if each.is_han or is_syllable(option[-1])]
        ways = [(*way, *option) for way in ways for option in options][:8]
    found = [each for way in ways for each in _han_of_sounds(way, index)]
    if not found:
        return None
    needles = tuple([Needle(each, SOUND) for each in found[:3]])
    return Unit("".join([each.text for each in group]), needles, corrected=found[0]), len(group)


def _han_of_sounds(way: Sequence[str], index: Index) -> list[str]:
    """Chinese words of the catalogue that are read so, the frequent ones first."""
    return _frequent(index.sounds.words_read(way), index)


def _han_of_initials(letters: str, index: Index) -> list[str]:
    """Chinese words of the catalogue whose syllables begin with these letters."""
    return _frequent(index.sounds.words_beginning(letters), index)


def _frequent(found: Counter[str], index: Index) -> list[str]:
    """Words that stand in many rows, whole words before parts of words; not those with less than half of the most."""
    likely = {word: standing * len(index.rows_with(word)) for word, standing in found.most_common(_MOST_WORDS)}
    most = max(likely.values(), default=0)
    return sorted([word for word in likely if likely[word] > most / 2], key=lambda word: (-likely[word], word))
