"""Text as people send it and as programs read it: normalised once when it enters, one clean line when it leaves in a
file.

Patterns are compiled at first use: most calls need none of them.
"""

import re
import unicodedata
from functools import cache
from typing import Final

_JOINERS: Final = "\u200c\u200d"
_HIDDEN: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e007f"
)
INVISIBLE: Final = _HIDDEN + _JOINERS
"""What `normalise` may remove, as the inside of a class of a pattern: bidirectional controls, characters without a
width, fillers, marks of direction, tags, the byte-order mark, the soft hyphen."""
# A joiner stays where it changes what is shown: between the pictures of an emoji, after an Indic virama (both joiners),
# and between two Arabic letters (U+200C, as Persian names have it).
_PICTURE: Final = "\u2600-\u27bf\u2b00-\u2bff\u2190-\u21ff\u2300-\u23ff\U0001f000-\U0001faff\ufe0f"
_VIRAMA: Final = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u1039"
_ARABIC: Final = "\u0620-\u064a\u066e-\u06d3"
_LOOSE: Final = (
    f"(?:(?<![{_PICTURE}{_VIRAMA}])\u200d|(?<=[{_PICTURE}])\u200d(?![{_PICTURE}])"
    f"|(?<![{_ARABIC}{_VIRAMA}])\u200c|(?<=[{_ARABIC}])\u200c(?![{_ARABIC}]))"
)
CONTROLS: Final = "\x7f-\x9f\u2028\u2029"
"""Controls that JSON takes unescaped, and separators of lines that are no line end, as the inside of a class."""
_CONTROLS: Final = f"[\x00-\x09\x0b\x0c\x0e-\x1f{CONTROLS}]+"
# Every control and format character, fillers, line and paragraph separators, lone surrogates, noncharacters.
_UNPRINTABLE: Final = f"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff{INVISIBLE}]+"
_EXTENSION: Final = r"\s*[,;]?\s*(?:转|轉|分机|ext(?:ension|n)?\.?|x|#|[,;])\s*[:.=]?\s*([0-9]{1,6})"
_CALLED: Final = r"\A(?:tel|phone|电话|手机)\s*:\s*"
_PHONE: Final = r"(?P<number>\+?[0-9](?:[0-9 -]*[0-9])?)(?P<extension>转[0-9]{1,6})?"

PHONE_DIGITS: Final = (5, 20)
"""Fewest and most digits of a telephone number, without its extension."""


@cache
def _pattern(source: str, flags: int = 0) -> "re.Pattern[str]":
    return re.compile(source, flags)


def normalise(text: str) -> str:
    """`text` without invisible and bidirectional controls, in NFC, without outer blanks of any script; a tab or another
    control character that is no line end becomes a blank.

    Doing it twice changes nothing more. Emoji, letters, digits and inner blanks stay, and so do joiners that spell:
    inside an emoji, after an Indic virama, between Arabic letters.
    """
    if not text.isprintable():
        text = _pattern(_CONTROLS).sub(" ", text)
    if text.isascii():
        return text.strip()
    plain = _without(f"[{_HIDDEN}]", text)
    if "\u200d" not in plain and "\u200c" not in plain:
        return plain
    clean = _without(_LOOSE, plain)
    # Where marks moved because a joiner went, another joiner may have become loose: then none stays.
    return clean if _without(_LOOSE, clean) == clean else _without(f"[{_JOINERS}]", clean)


def narrow(text: str) -> str:
    """`text` with full-width letters, digits and signs as their usual forms, for telephone numbers and codes."""
    if text.isascii():
        return text
    narrowed = (chr(ord(letter) - 0xFEE0) if "\uff01" <= letter <= "\uff5e" else letter for letter in text)
    return normalise("".join(narrowed).replace("\u3000", " "))


def clean_phone(text: str) -> str | None:
    """A telephone number as it is stored: digits with single blanks or hyphens, a leading `+`, and `转802` at the end
    if it has an extension. None if it is no telephone number.

    Brackets, dots, slashes, typographic dashes, full-width digits and invisible marks are accepted; `+86 (0)21` is
    `+86 21`.
    """
    plain = narrow(normalise(text))
    plain = _pattern(_CALLED, re.IGNORECASE).sub("", plain)
    plain = _pattern(rf"{_EXTENSION}\Z", re.IGNORECASE).sub(r"转\1", plain)
    if plain.startswith("+"):
        plain = plain.replace("(0)", " ")  # dialled inside the country only
    plain = _pattern("[\u2010-\u2015\u2212\uff70\u30fc./]").sub("-", plain)
    plain = _pattern(r"[()\[\]\s]+").sub(" ", plain).strip()
    plain = _pattern(" *-[ -]*").sub("-", plain)
    found = _pattern(_PHONE).fullmatch(plain.replace("+ ", "+").replace(" 转", "转"))
    if found is None or not PHONE_DIGITS[0] <= sum(map(str.isdigit, found["number"])) <= PHONE_DIGITS[1]:
        return None
    return found[0]


def one_line(text: str) -> str:
    """`text` for a file or a header that another program reads: one line without control or zero-width characters.

    A run of line ends, tabs or other control characters becomes one blank; characters without a width disappear.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    return normalise(_pattern(_UNPRINTABLE).sub(_gap, text))


def lines_of(text: str) -> list[str]:
    """The lines of a text of several lines, each clean as by `one_line`."""
    return [one_line(line) for line in text.splitlines()]


def shown(text: str) -> str:
    """`text` for a terminal: its lines with their blanks, without what would steer it, turn text or hide it."""
    if text.isascii() and text.isprintable():
        return text
    return "\n".join(_pattern(_UNPRINTABLE).sub(_gap, line) for line in text.split("\n"))


def _without(pattern: str, text: str) -> str:
    """`text` without what the pattern finds, in NFC, without outer blanks."""
    return unicodedata.normalize("NFC", _pattern(pattern).sub("", text)).strip()


def _gap(found: "re.Match[str]") -> str:
    return " " if any(letter < "\xa0" or letter in "\u2028\u2029" for letter in found[0]) else ""
