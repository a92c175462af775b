"""The font of printed reports, embedded in each PDF: a subset of WenQuanYi Micro Hei with every character of GBK.

It is in the layer of the report writers, which Lambda unpacks below `/opt`; elsewhere it is read from the repository.
"""

from functools import cache
from pathlib import Path
from typing import Final

NAME: Final = "CardstockCJK"
_FILE: Final = "cardstock-cjk.ttf"
_FOLDERS: Final = (Path("/opt/fonts"), Path(__file__).resolve().parents[5] / "reports" / "fonts")
_MISSING: Final = "\u3013"
"""Printed for a character that the font does not have, as printers do."""


def register() -> str:
    """Make the font known to reportlab; its name. Raises FileNotFoundError without the layer."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    if NAME not in pdfmetrics.getRegisteredFontNames():
        path = next((folder / _FILE for folder in _FOLDERS if (folder / _FILE).exists()), None)
        if path is None:
            raise FileNotFoundError(f"{_FILE} is in none of {_FOLDERS}")
        pdfmetrics.registerFont(TTFont(NAME, str(path)))
    return NAME


@cache
def _known() -> frozenset[int]:
    from reportlab.pdfbase import pdfmetrics

    return frozenset(pdfmetrics.getFont(register()).face.charToGlyph)


def drawable(text: str) -> str:
    """The text with every character that the font lacks replaced by a geta mark (\u3013)."""
    return "".join(character if ord(character) in _known() else _MISSING for character in text)
