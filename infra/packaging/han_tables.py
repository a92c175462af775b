"""Write the tables of Chinese characters that the search reads: `cardstock/search/han_tables.py`.

The sources are packages that nothing here installs. Run it when they have a new release, and commit what it writes:

    .venv/bin/uv run --no-project --with pypinyin==0.55.0 --with opencc-python-reimplemented==0.1.7 \
        python infra/packaging/han_tables.py

Characters are those of GB 2312. A further reading counts if at least two phrases of pypinyin, and one in ten of the
character's, have it.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from importlib import import_module, resources
from pathlib import Path
from typing import Final

TARGET: Final = Path(__file__).parents[2] / "layers/cardstock/python/cardstock/search/han_tables.py"
WIDTH: Final = 100
HEAD: Final = '''"""Readings and simplified forms of Chinese characters: data, by `infra/packaging/han_tables.py`.

Readings are those of pypinyin 0.55.0 (MIT, copyright mozillazg and contributors), simplified forms those of OpenCC's
`TSCharacters` in opencc-python-reimplemented 0.1.7 (Apache-2.0, copyright Yichen Huang, and BYVoid for OpenCC).
"""

from typing import Final
'''


def plain(reading: str) -> str:
    """A reading without its tone, `v` for `ü`."""
    parts = (
        part for part in unicodedata.normalize("NFD", reading) if part == "\u0308" or not unicodedata.combining(part)
    )
    return unicodedata.normalize("NFC", "".join(parts)).replace("ü", "v")


def characters() -> Iterator[str]:
    """The characters of GB 2312."""
    for first in range(0xB0, 0xF8):
        for second in range(0xA1, 0xFF):
            yield from bytes([first, second]).decode("gb2312", "ignore")


def readings() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Reading -> characters that have it first; and those that have it besides."""
    singles: Mapping[int, str] = import_module("pypinyin.pinyin_dict").pinyin_dict
    phrases: Mapping[str, list[list[str]]] = import_module("pypinyin.phrases_dict").phrases_dict
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for phrase, parts in phrases.items():
        if len(phrase) == len(parts):
            for character, part in zip(phrase, parts, strict=True):
                seen[character][plain(part[0])] += 1
    main: defaultdict[str, str] = defaultdict(str)
    other: defaultdict[str, str] = defaultdict(str)
    for character in characters():
        found = [plain(each) for each in singles[ord(character)].split(",")]
        counts = seen[character]
        main[found[0]] += character
        for each in dict.fromkeys(found[1:]):
            if each != found[0] and counts[each] >= max(2, counts.total() / 10):
                other[each] += character
    return main, other


def simplified() -> tuple[str, str]:
    """Traditional characters, and the simplified form of each."""
    text = resources.files("opencc").joinpath("dictionary/TSCharacters.txt").read_text("utf-8")
    pairs = [(line.split()[0], line.split()[1]) for line in text.splitlines() if line.strip()]
    kept = [(old, new) for old, new in pairs if old != new and max(old, new) <= "\uffff" and len(old + new) == 2]
    return "".join(old for old, _ in kept), "".join(new for _, new in kept)


def lines_of(name: str, text: str) -> str:
    """A constant over lines of `WIDTH` characters."""
    parts = [text[start : start + WIDTH // 2] for start in range(0, len(text), WIDTH // 2)]
    return f"{name}: Final = (\n" + "".join(f'    "{part}"\n' for part in parts) + ")\n"


def main() -> None:
    """Write the module."""
    old, new = simplified()
    first, other = (" ".join(f"{reading}{table[reading]}" for reading in sorted(table)) for table in readings())
    TARGET.write_text(
        "\n".join(
            [
                HEAD,
                lines_of("READINGS", first) + '"""Each reading before the characters that have it."""',
                lines_of("OTHER_READINGS", other) + '"""The same for further readings of a character."""',
                lines_of("TRADITIONAL", old),
                lines_of("SIMPLIFIED", new)
                + '"""At each place the simplified form of the character there in `TRADITIONAL`."""\n',
            ]
        ),
        "utf-8",
    )


if __name__ == "__main__":
    main()
