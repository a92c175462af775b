"""Reading an upload: its owner, and staff with a scope of its purpose."""

from collections.abc import Collection

import msgspec

from cardstock.errors import NOT_FOUND
from cardstock.files import public_address
from cardstock.uploads import errors
from cardstock.uploads.model import Upload, kept_keys, public_key
from cardstock.uploads.ports import UploadFiles, Uploads


class Reader(msgspec.Struct, frozen=True):
    """Who reads: a member id, a supplier id or `staff`, and with which scopes."""

    owner: str
    scopes: frozenset[str]
    is_member: bool
    is_staff: bool


class UploadStanding(msgspec.Struct, frozen=True):
    """An upload, and where its files can be read, the largest first; empty unless it is ready."""

    upload: Upload
    links: tuple[str, ...]


def find_upload(reader: Reader, upload_id: str, *, uploads: Uploads, files: UploadFiles, host: str) -> UploadStanding:
    """An upload, with links: on `host` for what is public, else signed ones that are good for a quarter of an hour.

    Raises `NotFoundError`, also for somebody else's.
    """
    upload = uploads.find(upload_id)
    if upload is None or not _may_read(reader, upload):
        raise NOT_FOUND()
    if upload.state != "ready":
        return UploadStanding(upload, ())
    keys = kept_keys(upload.purpose, upload.id)
    if upload.published_at is not None:
        return UploadStanding(upload, tuple(public_address(host, public_key(key)) for key in keys))
    return UploadStanding(upload, tuple(files.sign(key) for key in keys))


def _may_read(reader: Reader, upload: Upload) -> bool:
    if reader.is_staff:
        return upload.terms.scope in reader.scopes
    return upload.owner == reader.owner


def import_content(owner: str, upload_id: str, *, uploads: Uploads, files: UploadFiles) -> bytes:
    """The bytes of a CSV or XLSX table that `owner` (a supplier id or `staff`) has uploaded for an import.

    Raises `NotFoundError` for somebody else's and for what is no import, `ConflictError` (UPLOAD_NOT_READY).
    """
    upload = uploads.find(upload_id)
    if upload is None or upload.owner != owner or upload.purpose != "import":
        raise NOT_FOUND()
    if upload.state != "ready":
        raise errors.UPLOAD_NOT_READY()
    return files.read(kept_keys(upload.purpose, upload.id)[0])


def list_uploads(member_id: str, *, uploads: Uploads) -> Collection[Upload]:
    """A member's uploads, oldest first."""
    return sorted(uploads.of_member(member_id), key=lambda each: (each.asked_at, each.id))
