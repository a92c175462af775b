"""A file before it is written, wherever it will be kept."""

import msgspec


class Document(msgspec.Struct, frozen=True):
    """A named file: `content` as bytes of `content_type`."""

    name: str
    content_type: str
    content: bytes
