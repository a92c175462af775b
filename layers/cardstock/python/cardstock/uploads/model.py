"""An upload: what for, whose, in which state, and which files it has."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock import files
from cardstock.limits import Limit

UploadState: TypeAlias = Literal["asked", "received", "ready", "refused"]
TRANSITIONS: Final[Mapping[UploadState, frozenset[UploadState]]] = {
    "asked": frozenset({"received"}),
    "received": frozenset({"ready", "refused"}),
    "ready": frozenset(),
    "refused": frozenset(),
}
Purpose: TypeAlias = Literal["product_image", "product_file", "import", "after_sale", "chat", "card"]
Content: TypeAlias = Literal["picture", "pdf", "table"]

SIDES: Final = (1600, 800, 320)
"""Longest sides of the sizes of a picture, in pixels. A smaller picture keeps its size."""
FORM_LIFE: Final = timedelta(minutes=10)
"""From the asking on: until when the store takes the file."""
_MB: Final = 1 << 20
MEMBER_UPLOADS: Final = Limit("uploads", most=60, window=timedelta(days=1))
"""Of one member."""
GOODS_UPLOADS: Final = Limit("goods-uploads", most=5_000, window=timedelta(days=1))
"""Of all staff together, or of one supplier."""
UNFINISHED_LIFE: Final = timedelta(days=2)
"""How long it can be seen that a file was asked for and never came."""
REFUSED_LIFE: Final = timedelta(days=30)
"""How long it can be seen why a file was refused."""


class ContentTerms(msgspec.Struct, frozen=True):
    """The media types that may be asked for, each with the end of its stored file, and the names of what is kept."""

    types: Mapping[str, str]
    kept: tuple[str, ...]


CONTENTS: Final[Mapping[Content, ContentTerms]] = {
    "picture": ContentTerms(
        {"image/jpeg": "webp", "image/png": "webp", "image/webp": "webp", "image/gif": "webp"},
        files.PICTURES,
    ),
    "pdf": ContentTerms({"application/pdf": "pdf"}, (files.DOCUMENT,)),
    "table": ContentTerms(
        {"text/csv": "csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx"},
        (files.DOCUMENT,),
    ),
}
MAX_NAME: Final = 100
HEIC: Final = frozenset({"image/heic", "image/heif"})
"""Refused by name: the decoders that exist are under the GPL and LGPL, and the format is patented."""


class PurposeTerms(msgspec.Struct, frozen=True):
    """What files of a purpose are, and who may have to do with them.

    `of_members`: members send them; else staff and suppliers do. `scope`: staff with it reads them; empty: nobody does.
    `keep`: how long a file is kept; None: as long as its owner, or what names it, is there.
    """

    content: Content
    most_bytes: int
    of_members: bool
    scope: str
    keep: timedelta | None


PURPOSES: Final[Mapping[Purpose, PurposeTerms]] = {
    "product_image": PurposeTerms("picture", 20 * _MB, False, "catalog:write", None),
    "product_file": PurposeTerms("pdf", 20 * _MB, False, "catalog:write", None),
    "import": PurposeTerms("table", 10 * _MB, False, "catalog:write", timedelta(days=30)),
    "after_sale": PurposeTerms("picture", 10 * _MB, True, "orders:refund", timedelta(days=3 * 366)),
    "chat": PurposeTerms("picture", 10 * _MB, True, "orders:refund", timedelta(days=365)),
    "card": PurposeTerms("picture", 10 * _MB, True, "", None),
}
PUBLISHED: Final = frozenset({"product_image", "product_file"})
"""Purposes whose files become public with a product."""


class Picture(msgspec.Struct, frozen=True):
    """One size of a picture: in pixels, `size` in bytes. `longest` is one of `SIDES`."""

    longest: int
    width: int
    height: int
    size: int


class ShrunkPicture(msgspec.Struct, frozen=True):
    """A picture in its sizes, and the file of each."""

    pictures: tuple[Picture, ...]
    files: tuple[bytes, ...]


class Refused(msgspec.Struct, frozen=True):
    """What arrived is not taken; a code of `errors.CONTENT`."""

    code: str


class Upload(msgspec.Struct, frozen=True):
    """An upload. `owner` is a member id, a supplier id or `staff`, `asked_by` who acted; `size` the most bytes that
    were asked for; `mark` tells one content from another."""

    id: str
    owner: str
    asked_by: str
    purpose: Purpose
    content_type: str
    size: int
    asked_at: datetime
    name: str = ""
    state: UploadState = "asked"
    mark: str = ""
    ended_at: datetime | None = None
    refused: str = ""
    pictures: tuple[Picture, ...] = ()
    published_at: datetime | None = None

    @property
    def terms(self) -> PurposeTerms:
        """The terms of its purpose."""
        return PURPOSES[self.purpose]

    @property
    def limit(self) -> Limit:
        """How many its owner may ask for."""
        return MEMBER_UPLOADS if self.terms.of_members else GOODS_UPLOADS

    @property
    def form_ends(self) -> datetime:
        """Until when the store takes its file."""
        return self.asked_at + FORM_LIFE

    @property
    def forgotten_at(self) -> datetime | None:
        """When its record goes; None: not by itself."""
        if self.ended_at is None:
            return self.asked_at + UNFINISHED_LIFE
        if self.state == "refused":
            return self.ended_at + REFUSED_LIFE
        return None if self.terms.keep is None else self.asked_at + self.terms.keep


def incoming_key(purpose: Purpose, upload_id: str) -> str:
    """Under which the file of an upload arrives."""
    return f"incoming/{purpose}/{upload_id}"


def kept_keys(purpose: Purpose, upload_id: str) -> tuple[str, ...]:
    """Under which its files are kept, the largest first."""
    return tuple(f"kept/{purpose}/{upload_id}/{name}" for name in CONTENTS[PURPOSES[purpose].content].kept)


def public_key(kept: str) -> str:
    """Under which a kept file is public."""
    return files.public_key(*kept.split("/")[2:])
