"""Runs in a process of its own, without credentials: a picture in on standard input, its sizes out on standard output.

    python decode.py MOST_PIXELS QUALITY SIDE...

The output is one byte, written once everything is imported; then the length of a JSON text in four bytes, that text,
and the files one after the other. The text has `pictures` (longest side, width, height and bytes of each), or
`refused`: a code of `uploads.errors`. Nothing of the input is passed on but its pixels: the orientation is applied, the
colours become sRGB, and every picture is made anew, without EXIF, XMP, text, profile or thumbnail. Of an animation the
first frame is taken. The same bytes give the same files.
"""

import io
import json
import sys
import warnings
from typing import BinaryIO, Final

from PIL import Image, ImageCms, UnidentifiedImageError

STARTED: Final = b"\x01"
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
"""By content. Pillow opens no other format: each is one more parser that strangers reach."""
_HEIC: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_EFFORT: Final = 4
"""Of the WebP encoder, of 6."""
_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class _RefusedError(Exception):
    """The picture is not taken; the text is the code."""


def shrink(content: bytes, most_pixels: int, quality: int, sides: list[int]) -> tuple[dict[str, object], list[bytes]]:
    """The description and the files of a picture, the largest first."""
    try:
        upright = _upright(content, most_pixels, max(sides))
        files: list[bytes] = []
        described: list[dict[str, int]] = []
        for side in sorted(sides, reverse=True):
            upright.thumbnail((side, side), Image.Resampling.LANCZOS)
            target = io.BytesIO()
            upright.save(target, "WEBP", quality=quality, method=_EFFORT)
            files.append(target.getvalue())
            described.append(
                {"longest": side, "width": upright.width, "height": upright.height, "size": len(files[-1])}
            )
    except _RefusedError as refused:
        return {"refused": str(refused)}, []
    except MemoryError:
        return {"refused": "PICTURE_TOO_HARD"}, []
    except Exception:  # whatever a decoder raises about a broken file, of its many kinds
        return {"refused": "PICTURE_UNREADABLE"}, []
    return {"pictures": described}, files


def _upright(content: bytes, most_pixels: int, longest: int) -> Image.Image:
    """The first frame, no larger than needed, upright, in sRGB with or without transparency, and nothing beside."""
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        raise _RefusedError("PICTURE_IS_HEIC")
    try:
        picture: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise _RefusedError("NOT_A_PICTURE") from None
    if picture.width * picture.height > most_pixels:  # by the header, before any pixel is decoded
        raise _RefusedError("TOO_MANY_PIXELS")
    profile, turn = picture.info.get("icc_profile"), _TURNS.get(picture.getexif().get(_ORIENTATION, 1))
    if picture.mode not in ("CMYK", "L", "RGB", "RGBA") or "transparency" in picture.info:
        picture = _plain(picture)
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture = _in_srgb(picture, profile)
    upright = picture if turn is None else picture.transpose(turn)
    bare = Image.new(upright.mode, upright.size)
    bare.paste(upright)
    return bare


def _plain(picture: Image.Image) -> Image.Image:
    """In a mode that can be made smaller: Pillow takes single pixels of a palette instead of mixing them."""
    if picture.mode.startswith("I"):  # 16 bits of grey; Pillow's conversion would cut them off at 255
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    see_through = picture.has_transparency_data
    return picture.convert("RGBA" if see_through else "RGB")


def _in_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """Its colours in sRGB. A profile that cannot be read, or is for other colours, counts as sRGB."""
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    if isinstance(profile, bytes):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            changed = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
        except (ImageCms.PyCMSError, OSError, ValueError):
            changed = None
        if changed is not None:
            return changed
    return picture.convert(mode)


def main(arguments: list[str], source: BinaryIO, target: BinaryIO) -> None:
    """Read, shrink, write."""
    warnings.simplefilter("ignore")  # of broken files; the result says what matters
    Image.MAX_IMAGE_PIXELS = None  # `most_pixels` is the bound, and it refuses instead of warning
    most_pixels, quality, *sides = map(int, arguments)
    target.write(STARTED)
    target.flush()
    described, files = shrink(source.read(), most_pixels, quality, sides)
    text = json.dumps(described).encode()
    target.write(len(text).to_bytes(4, "big") + text + b"".join(files))


if __name__ == "__main__":
    main(sys.argv[1:], sys.stdin.buffer, sys.stdout.buffer)
