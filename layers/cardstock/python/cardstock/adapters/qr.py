"""QR codes, by segno."""

import segno


def svg_of(text: str) -> str:
    """A QR code of `text`, error correction M, as an SVG document without size: it fills its box, black on white."""
    code = segno.make(text, error="m", micro=False)
    return str(code.svg_inline(border=2, omitsize=True, dark="#111", light="#fff", xmldecl=False, svgns=True))
