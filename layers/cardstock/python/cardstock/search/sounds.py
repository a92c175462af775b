"""Chinese words of a catalogue by how they are read.

Each character stands for its syllable: text is translated character by character, so that a word that sounds alike is a
substring at the same place.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Final

from cardstock.search.analysis import reading_table

_FIRST: Final = 0xE000
_STANDING: Final = ((1, 3), (2, 6))
"""What a place says for a word: inside of a Chinese run, at its end, at its beginning, alone."""
_MOST_PLACES: Final = 2_000


@cache
def _numbers() -> dict[str, str]:
    """Syllable -> the character that stands for it; those without a vowel left out."""
    syllables = {each for readings in reading_table().values() for each in readings}
    spoken = sorted(syllables.difference(("n", "m", "ng", "hm", "hng")))
    return {syllable: chr(_FIRST + number) for number, syllable in enumerate(spoken)}


@cache
def _tables() -> tuple[dict[int, str], dict[int, str], dict[int, str]]:
    """How a text becomes its usual readings, its other readings, its initials."""
    numbers = _numbers()
    items = reading_table().items()
    usual = {ord(each): numbers.get(readings[0], each) for each, readings in items}
    other = usual | {ord(each): numbers.get(readings[1], each) for each, readings in items if len(readings) > 1}
    return usual, other, {ord(each): readings[0][0] for each, readings in items}


def is_syllable(letters: str) -> bool:
    """Whether some character is read so."""
    return letters in _numbers()


def syllables_in(letters: str, most: int = 4) -> list[tuple[str, ...]]:
    """The ways to read letters as pinyin, few syllables first; the last syllable may be a beginning."""
    known = _numbers()
    starts = frozenset([each[:length] for each in known for length in range(1, len(each))])
    ways: list[list[tuple[str, ...]]] = [[] for _ in range(len(letters) + 1)]
    ways[0].append(())
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - 6), end):
            part = letters[start:end]
            if ways[start] and (part in known or (end == len(letters) and part in starts)):
                ways[end] += [(*before, part) for before in ways[start]]
        ways[end] = sorted(ways[end], key=len)[: 2 * most]
    return ways[-1][:most]


def readings_of(run: str) -> list[tuple[str, ...]]:
    """The usual reading of a Chinese run, and the one with other readings where there are such."""
    options = [reading_table().get(character, (character,)) for character in run]
    return list(dict.fromkeys([tuple([each[0] for each in options]), tuple([each[-1] for each in options])]))


class Sounds:
    """Chinese runs, one a line, that can be looked for by their readings."""

    def __init__(self, runs: str) -> None:
        self._runs = f"\n{runs}\n"
        usual, other, initials = _tables()
        self._spoken = (self._runs.translate(usual), self._runs.translate(other))
        self._initials = self._runs.translate(initials)

    def words_read(self, way: Sequence[str]) -> Counter[str]:
        """What is read as these syllables, and how much stands for each word. The last may be a beginning."""
        numbers = _numbers()
        whole = [numbers[each] for each in way if each in numbers]
        if len(whole) == len(way):
            lasts = [""]
        elif len(whole) == len(way) - 1 and whole:
            lasts = [number for syllable, number in numbers.items() if syllable.startswith(way[-1])]
        else:
            return Counter()
        found: Counter[str] = Counter()
        for last in lasts:
            for text in self._spoken:
                self._find(text, "".join(whole) + last, found)
        return found

    def words_beginning(self, letters: str) -> Counter[str]:
        """What has syllables that begin with these letters."""
        found: Counter[str] = Counter()
        self._find(self._initials, letters, found)
        return found

    def _find(self, text: str, needle: str, found: Counter[str]) -> None:
        runs, size = self._runs, len(needle)
        place, seen = text.find(needle), 0
        while place >= 0 and seen < _MOST_PLACES:
            word = runs[place : place + size]
            standing = _STANDING[runs[place - 1] == "\n"][runs[place + size] == "\n"]
            found[word] = max(found[word], standing)
            place, seen = text.find(needle, place + 1), seen + 1
