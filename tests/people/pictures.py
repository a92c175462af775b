"""Pictures as phones, editors and attackers make them."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

CORNER = {"red": (200, 30, 30), "green": (30, 160, 30), "blue": (30, 30, 200), "white": (240, 240, 240)}


def quarters(width: int = 400, height: int = 300, mode: str = "RGB") -> Image.Image:
    """A picture whose quarters are red and green above, blue and white below."""
    picture = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    half, middle = width // 2, height // 2
    draw.rectangle((0, 0, half - 1, middle - 1), fill=CORNER["red"])
    draw.rectangle((half, 0, width, middle - 1), fill=CORNER["green"])
    draw.rectangle((0, middle, half - 1, height), fill=CORNER["blue"])
    draw.rectangle((half, middle, width, height), fill=CORNER["white"])
    return picture.convert(mode)


def corners(content: bytes) -> list[str]:
    """What the quarters of a picture are: above left and right, below left and right."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    width, height = picture.size
    found = []
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
        seen = picture.getpixel((int(width * x), int(height * y)))
        assert isinstance(seen, tuple)
        found.append(min(CORNER, key=lambda name: sum((a - b) ** 2 for a, b in zip(CORNER[name], seen, strict=True))))
    return found


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    """The file of a picture."""
    target = io.BytesIO()
    picture.save(target, form, **options)
    return target.getvalue()


def exif(orientation: int) -> bytes:
    """What a phone notes: how it was held, where, and with which camera, and a thumbnail's marker."""
    noted = Image.Exif()
    noted[0x0112] = orientation
    noted[0x010F] = "SECRET-CAMERA"
    place = noted.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (30.0, 15.0, 0.0), "E", (120.0, 9.0, 0.0)
    return noted.tobytes()


def from_a_phone(orientation: int, form: str = "JPEG") -> bytes:
    """400x300 as stored, with the place, the camera, a comment and a profile of other colours."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    more: dict[str, Any] = {"comment": b"SECRET-COMMENT", "quality": 95} if form == "JPEG" else {}
    return saved(quarters(), form, exif=exif(orientation), icc_profile=profile, **more)


def with_texts() -> bytes:
    """A PNG with text chunks."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "SECRET-TEXT")
    texts.add_itxt("XML:com.adobe.xmp", "SECRET-XMP")
    return saved(quarters(), "PNG", pnginfo=texts)


def header_of(width: int, height: int) -> bytes:
    """A PNG whose header says a size and whose pixels are not there."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\x00" * 1000))
    )


def animation(form: str) -> bytes:
    """Two frames: the quarters, and then black."""
    return saved(quarters(), form, save_all=True, append_images=[Image.new("RGB", (400, 300))], duration=100)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 64
"""The beginning of a photograph as iPhones store it."""
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
