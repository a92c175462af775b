"""What the queue does with a file that has arrived."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.errors import NotFoundError
from cardstock.files import Document
from cardstock.uploads import contents
from cardstock.uploads.model import CONTENTS, SIDES, Picture, Purpose, Refused, Upload, incoming_key, kept_keys
from cardstock.uploads.ports import Shrinks, UploadFiles, Uploads

Outcome: TypeAlias = Literal["ready", "refused", "gone", "known"]


class Arrival(msgspec.Struct, frozen=True):
    """A file that the store has taken; `mark` tells its content from another one."""

    purpose: Purpose
    upload_id: str
    mark: str


class ReceivingNeeds(msgspec.Struct, frozen=True):
    """The ports of receiving. `is_there`: whether the owner of an upload still is."""

    uploads: Uploads
    files: UploadFiles
    shrink: Shrinks
    is_there: Callable[[Upload], bool]


def receive(arrival: Arrival, now: datetime, needs: ReceivingNeeds) -> Outcome:
    """Make the files of an upload of what has arrived, or refuse it, and delete what has arrived.

    The first content that arrives is the upload's. Safe to repeat and to interrupt: the same content gives the same
    files under the same keys. Raises `UnavailableError`, and RuntimeError if no picture can be decoded at all: the
    message comes again.
    """
    incoming = incoming_key(arrival.purpose, arrival.upload_id)
    upload = needs.uploads.find(arrival.upload_id)
    if upload is None or not needs.is_there(upload):
        remove_upload(arrival.purpose, arrival.upload_id, uploads=needs.uploads, files=needs.files)
        return "gone"
    if upload.state in ("ready", "refused"):
        needs.files.remove(incoming)
        return "known"
    if not needs.uploads.receive(replace(upload, mark=arrival.mark)):
        return "known"  # another content is followed by its own message
    made = _made(upload, arrival.mark, needs)
    if isinstance(made, Refused):
        ended = replace(upload, state="refused", refused=made.code, ended_at=now)
        for key in kept_keys(upload.purpose, upload.id):
            needs.files.remove(key)
    else:
        ended = replace(upload, state="ready", pictures=made, ended_at=now)
    return finish(ended, needs)


def finish(ended: Upload, needs: ReceivingNeeds) -> Outcome:
    """Store how an upload ended, and delete what has arrived. Of an upload that is gone meanwhile nothing stays."""
    if not needs.uploads.finish(ended) and needs.uploads.find(ended.id) is None:
        remove_upload(ended.purpose, ended.id, uploads=needs.uploads, files=needs.files)
        return "gone"
    needs.files.remove(incoming_key(ended.purpose, ended.id))
    return "refused" if ended.refused else "ready"


def remove_upload(purpose: Purpose, upload_id: str, *, uploads: Uploads, files: UploadFiles) -> None:
    """Remove an upload: its files first, so that nothing of it is left where this is interrupted and done again."""
    for key in (incoming_key(purpose, upload_id), *kept_keys(purpose, upload_id)):
        files.remove(key)
    uploads.remove(upload_id)


def remove_uploads_of(member_id: str, *, uploads: Uploads, files: UploadFiles) -> int:
    """Remove every upload of a member; their number. Safe to repeat and to interrupt.

    It reads an index. An upload of the last second may be missed: its file is deleted when it arrives, its record goes
    after two days.
    """
    found = uploads.of_member(member_id)
    for upload in found:
        remove_upload(upload.purpose, upload.id, uploads=uploads, files=files)
    return len(found)


def _made(upload: Upload, mark: str, needs: ReceivingNeeds) -> tuple[Picture, ...] | Refused:
    """The sizes of a picture, none of a document; its files are kept then."""
    try:
        content = needs.files.read_as(incoming_key(upload.purpose, upload.id), mark)
    except NotFoundError:
        return Refused("UPLOAD_REPLACED")
    if upload.terms.content != "picture":
        return _keep_document(upload, content, needs.files)
    shrunk = needs.shrink(content, SIDES)
    if isinstance(shrunk, Refused):
        return shrunk
    for key, file in zip(kept_keys(upload.purpose, upload.id), shrunk.files, strict=True):
        needs.files.put(key, Document("", "image/webp", file))
    return shrunk.pictures


def _keep_document(upload: Upload, content: bytes, files: UploadFiles) -> tuple[()] | Refused:
    if upload.terms.content == "pdf":
        found = "pdf" if contents.is_pdf(content) else ""
    else:
        found = contents.table_type(content)
    if not found:
        return Refused("NOT_A_PDF" if upload.terms.content == "pdf" else "NOT_A_TABLE")
    media = next(media for media, end in CONTENTS[upload.terms.content].types.items() if end == found)
    (key,) = kept_keys(upload.purpose, upload.id)
    files.put(key, Document(upload.name or f"{upload.id}.{found}", media, content))
    return ()
