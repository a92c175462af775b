"""A file before it is written, wherever it will be kept; and where public files are read."""

from typing import Final

import msgspec

UPLOAD: Final = "upl_"
"""Beginning of an upload's id."""
PICTURES: Final = ("1600.webp", "800.webp", "320.webp")
"""Names of the sizes of a picture, by their longest sides in pixels, the largest first."""
DOCUMENT: Final = "file"
"""Name of the one file of an upload that is no picture."""


class Document(msgspec.Struct, frozen=True):
    """A named file: `content` as bytes of `content_type`."""

    name: str
    content_type: str
    content: bytes


def public_address(host: str, key: str) -> str:
    """Where a file of the public host is read: `https://files.example.com/files/upl_1/800.webp`."""
    return f"{host}/{key}"


def public_key(upload_id: str, name: str) -> str:
    """Under which a file of an upload is public: `files/upl_1/800.webp`."""
    return f"files/{upload_id}/{name}"


def address_of(source: str, name: str, host: str) -> str:
    """Where a source is read: an upload's file of that name on the public host, any other address as it is."""
    return public_address(host, public_key(source, name)) if source.startswith(UPLOAD) else source
