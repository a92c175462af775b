"""Typing errors in Latin words: words of the index at a small distance.

An edit is a letter that is wrong, missing, too many, or swapped with its neighbour. A word with one edit keeps its
first or its second half, unless the swap is in the middle; a word with two keeps one of three parts. So few words of
the vocabulary are compared.
"""

from collections.abc import Mapping
from typing import Final

LONG: Final = 7
"""Letters from which on two edits count."""
_MOST: Final = 4


def distance(one: str, other: str, most: int) -> int:
    """Edits between two words; `most + 1` if there are more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [i] * (len(other) + 1)
        for j, against in enumerate(other, 1):
            cost = before[j - 1] + (letter != against)
            if before[j] < cost:
                cost = before[j] + 1
            if row[j - 1] < cost:
                cost = row[j - 1] + 1
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against and older[j - 2] + 1 < cost:
                cost = older[j - 2] + 1
            row[j] = cost
    return min(row[-1], most + 1)


def corrections(word: str, words: Mapping[str, bytes]) -> list[tuple[str, float]]:
    """Up to four words at the least distance, frequent ones first, each with a weight up to 1."""
    middle = len(word) // 2
    head, tail = word[:middle], word[middle:]
    size = len(word)
    near = [each for each in words if each[:middle] == head or each[middle - size :] == tail]
    near += [
        swapped
        for place in range(size - 1)
        if (swapped := word[:place] + word[place + 1] + word[place] + word[place + 2 :]) in words
    ]
    found = {
        each: 1 for each in near if size - 2 < len(each) < size + 2 and len(each) > 1 and distance(word, each, 1) == 1
    }
    if not found and size >= LONG:
        third = size // 3
        parts = (word[:third], word[third : 2 * third], word[2 * third :])
        near = [each for each in words if parts[0] in each or parts[1] in each or parts[2] in each]
        found = {each: 2 for each in near if size - 3 < len(each) < size + 3 and distance(word, each, 2) == 2}
    best = sorted(found, key=lambda each: (each[0] != word[0], -len(words[each]), each))[:_MOST]
    return [(each, 1.0 / (found[each] + 0.15 * place)) for place, each in enumerate(best)]
