"""QR codes, by segno."""

from io import BytesIO

import segno


def svg_of(text: str) -> str:
    """A QR code of `text`, error correction M, as an SVG document without size: it fills its box, black on white."""
    out = BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", border=2, omitsize=True, dark="#111", light="#fff", xmldecl=False, nl=False
    )
    return out.getvalue().decode()
