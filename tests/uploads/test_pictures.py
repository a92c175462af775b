"""Pictures, read back in each size: upright, with true colours, and with nothing beside the pixels."""

import io
import itertools
import sys
from pathlib import Path

import pytest
from PIL import Image

from cardstock.uploads import errors
from cardstock.uploads.model import SIDES, Refused, ShrunkPicture
from cardstock.uploads.pictures.process import PictureProcess
from tests.people import pictures

SECRETS = (b"Exif", b"GPS", b"SECRET", b"ICCP", b"EXIF", b"XMP ", b"<script", b"<html")
shrink = PictureProcess()


def made(content: bytes) -> ShrunkPicture:
    """The sizes of a picture that is taken, checked against what is said of them."""
    found = shrink(content, SIDES)
    assert isinstance(found, ShrunkPicture), found
    assert [each.longest for each in found.pictures] == list(SIDES)
    for described, file in zip(found.pictures, found.files, strict=True):
        opened = Image.open(io.BytesIO(file))
        assert (opened.format, opened.size) == ("WEBP", (described.width, described.height))
        assert (len(file), max(opened.size) <= described.longest) == (described.size, True)
        assert not opened.getexif()
        assert "icc_profile" not in opened.info
        assert [secret for secret in SECRETS if secret in file] == []
    return found


@pytest.mark.parametrize(
    ("orientation", "size", "quarters"),
    [
        (1, (400, 300), ["red", "green", "blue", "white"]),
        (2, (400, 300), ["green", "red", "white", "blue"]),
        (3, (400, 300), ["white", "blue", "green", "red"]),
        (4, (400, 300), ["blue", "white", "red", "green"]),
        (5, (300, 400), ["red", "blue", "green", "white"]),
        (6, (300, 400), ["blue", "red", "white", "green"]),
        (7, (300, 400), ["white", "green", "blue", "red"]),
        (8, (300, 400), ["green", "white", "red", "blue"]),
        (0, (400, 300), ["red", "green", "blue", "white"]),
        (9, (400, 300), ["red", "green", "blue", "white"]),
    ],
)
def test_a_photo_stands_upright_in_every_size_and_says_no_place(
    orientation: int, size: tuple[int, int], quarters: list[str]
) -> None:
    content = pictures.from_a_phone(orientation)
    found = made(content)

    assert b"SECRET-CAMERA" in content
    assert b"SECRET-COMMENT" in content
    assert [(each.width, each.height) for each in found.pictures] == [size, size, tuple(side * 4 // 5 for side in size)]
    assert [pictures.corners(file) for file in found.files] == [quarters] * 3


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_orientation_counts_in_every_format_that_carries_one(form: str) -> None:
    found = made(pictures.from_a_phone(6, form))

    assert [pictures.corners(file) for file in found.files] == [["blue", "red", "white", "green"]] * 3


UPRIGHT = ["red", "green", "blue", "white"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("png with texts", pictures.with_texts()),
        ("jpeg with html behind it", pictures.from_a_phone(1) + pictures.HTML),
        ("gif with html behind it", pictures.saved(pictures.quarters(), "GIF") + pictures.HTML),
        ("cmyk jpeg", pictures.saved(pictures.quarters(mode="CMYK"), "JPEG", quality=95)),
        ("progressive jpeg", pictures.saved(pictures.quarters(), "JPEG", progressive=True)),
        ("palette png", pictures.saved(pictures.quarters(mode="P"), "PNG")),
        ("webp without loss", pictures.saved(pictures.quarters(), "WEBP", lossless=True)),
        ("animated gif", pictures.animation("GIF")),
        ("animated webp", pictures.animation("WEBP")),
        ("animated png", pictures.animation("PNG")),
        ("large jpeg", pictures.saved(pictures.quarters(4000, 3000), "JPEG")),
    ],
)
def test_a_picture_of_every_kind_is_the_same_picture_afterwards(name: str, content: bytes) -> None:
    found = made(content)

    assert [pictures.corners(file) for file in found.files] == [UPRIGHT] * 3, name
    assert [getattr(Image.open(io.BytesIO(file)), "n_frames", 1) for file in found.files] == [1] * 3


def test_a_large_picture_has_three_sizes_and_a_small_one_is_not_made_larger() -> None:
    large, small = made(pictures.saved(pictures.quarters(4000, 1000), "JPEG")), made(
        pictures.saved(Image.new("RGB", (1, 1), (200, 30, 30)), "PNG")
    )  # fmt: skip

    assert [(each.width, each.height) for each in large.pictures] == [(1600, 400), (800, 200), (320, 80)]
    assert [(each.width, each.height) for each in small.pictures] == [(1, 1)] * 3


def test_grey_of_sixteen_bits_is_not_cut_off() -> None:
    ramp = Image.new("I;16", (256, 16))
    ramp.putdata([x * 256 for _ in range(16) for x in range(256)])
    found = made(pictures.saved(ramp, "PNG"))
    read = Image.open(io.BytesIO(found.files[0])).convert("L")

    assert [abs(int(str(read.getpixel((x, 8)))) - x) <= 4 for x in (10, 64, 128, 192, 245)] == [True] * 5


def test_what_is_transparent_stays_transparent() -> None:
    picture = pictures.quarters(mode="RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 200, 150))
    as_palette = pictures.quarters().quantize(8, dither=Image.Dither.NONE)
    for content in (
        pictures.saved(picture, "PNG"), pictures.saved(picture, "WEBP"),
        pictures.saved(as_palette, "PNG", transparency=as_palette.getpixel((10, 10))),
    ):  # fmt: skip
        for file in made(content).files:
            read = Image.open(io.BytesIO(file))
            first, last = read.convert("RGBA").getpixel((5, 5)), read.convert("RGBA").getpixel((read.width - 5, 5))

            assert (isinstance(first, tuple) and first[3], isinstance(last, tuple) and last[3]) == (0, 255)


def test_colours_of_another_profile_become_srgb() -> None:
    from PIL import ImageCms

    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    broken = b"no profile"
    for profile in (lab, broken):
        content = pictures.saved(pictures.quarters(), "JPEG", icc_profile=profile)

        assert isinstance(shrink(content, SIDES), ShrunkPicture)


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("NOT_A_PICTURE", pictures.SVG),
        ("NOT_A_PICTURE", pictures.HTML),
        ("NOT_A_PICTURE", b""),
        ("NOT_A_PICTURE", b"\x00"),
        ("NOT_A_PICTURE", pictures.PDF),
        ("NOT_A_PICTURE", pictures.saved(pictures.quarters(), "TIFF")),
        ("NOT_A_PICTURE", pictures.saved(pictures.quarters(), "BMP")),
        ("NOT_A_PICTURE", pictures.saved(pictures.quarters(), "PPM")),
        ("NOT_A_PICTURE", pictures.HTML + pictures.from_a_phone(1)),
        ("PICTURE_IS_HEIC", pictures.HEIC),
        ("TOO_MANY_PIXELS", pictures.header_of(20_000, 20_000)),
        ("TOO_MANY_PIXELS", pictures.header_of(50_000_001, 1)),
        ("PICTURE_UNREADABLE", pictures.header_of(5_000, 5_000)),
        ("PICTURE_UNREADABLE", pictures.from_a_phone(6)[:2000]),
        ("PICTURE_UNREADABLE", pictures.with_texts()[:-40]),
        ("PICTURE_UNREADABLE", pictures.saved(pictures.quarters(), "WEBP")[:-100]),
    ],
)
def test_what_is_no_whole_picture_is_refused_by_its_content(code: str, content: bytes) -> None:
    assert shrink(content, SIDES) == Refused(code)
    assert code in errors.CONTENT


def test_the_same_bytes_are_the_same_files() -> None:
    content = pictures.from_a_phone(6)

    assert made(content) == made(content)


def test_any_cut_or_changed_byte_is_a_picture_or_a_refusal() -> None:
    content = bytearray(pictures.from_a_phone(6))
    for at in itertools.islice(range(3, len(content), len(content) // 12), 12):
        changed = bytes(content[:at]) + bytes([content[at] ^ 0xFF]) + bytes(content[at + 1 :])
        found = shrink(changed, (320,))

        assert isinstance(found, ShrunkPicture) or found.code in errors.CONTENT


def program(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "decoder.py"
    path.write_text(text, "utf-8")
    return path


START = "import sys; sys.stdout.buffer.write(b'\\x01'); sys.stdout.buffer.flush(); sys.stdin.buffer.read()\n"


@pytest.mark.parametrize(
    "does",
    [
        "import time; time.sleep(60)",
        "while True: pass",
        "held = [bytearray(1 << 20) for _ in range(4000)]",
        "import os; os.abort()",
        "sys.exit(3)",
    ],
    ids=["sleeps", "runs on", "takes memory", "crashes", "fails"],
)
def test_a_picture_that_stops_its_decoder_is_refused(does: str, tmp_path: Path) -> None:
    bounded = PictureProcess(
        program=program(tmp_path, START + does), memory_bytes=512 << 20, cpu_seconds=1, seconds=3.0
    )

    assert bounded(b"any", SIDES) == Refused("PICTURE_TOO_HARD")


def test_a_decoder_that_does_not_start_refuses_nobody(tmp_path: Path) -> None:
    for text in ("import nothing_of_this_name", "import time; time.sleep(60)"):
        bounded = PictureProcess(program=program(tmp_path, text), seconds=1.0)

        with pytest.raises(RuntimeError, match="did not start"):
            bounded(b"any", SIDES)


def test_the_decoder_holds_no_credentials_and_no_variable_of_the_function(tmp_path: Path) -> None:
    text = START + "import json, os; sys.stderr.write(json.dumps(sorted(os.environ))); sys.exit(0)"
    wrapper = text.replace("sys.exit(0)", "body = json.dumps({'refused': ' '.join(sorted(os.environ))}).encode(); "
                           "sys.stdout.buffer.write(len(body).to_bytes(4, 'big') + body)")  # fmt: skip
    found = PictureProcess(program=program(tmp_path, wrapper))(b"any", SIDES)

    assert isinstance(found, Refused)
    assert set(found.code.split()) <= {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LC_CTYPE"}
    assert sys.executable
