"""A file before it is written, wherever it will be kept."""

import msgspec


class Document(msgspec.Struct, frozen=True):
    """A named file: `content` as bytes of `content_type`."""

    name: str
    content_type: str
    content: bytes


def public_address(host: str, key: str) -> str:
    """Where a file of the public host is read: `https://files.example.com/files/upl_1/800.webp`."""
    return f"{host}/{key}"
