"""Making the files of products public."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from cardstock.errors import Pointer
from cardstock.uploads import errors
from cardstock.uploads.model import PUBLISHED, Purpose, Upload, kept_keys, public_key
from cardstock.uploads.ports import PublicFiles, PublishQueue, Uploads


class NamedUpload(msgspec.Struct, frozen=True):
    """An upload that a product names: `owners` (supplier ids, `staff`) may have sent it, for `purpose`. `pointer` leads
    to it in the request. Without `shown` the product is a draft, whose files stay private."""

    upload_id: str
    purpose: Purpose
    owners: frozenset[str]
    pointer: str
    shown: bool = True


def queue_publishing(named: Collection[NamedUpload], *, uploads: Uploads, queue: PublishQueue) -> int:
    """Have the files of these uploads made public, and of how many; call it before what names them is stored.

    Queued first, so that what is published has its pictures within seconds whatever is interrupted. An upload that is
    public already costs its read alone: one call for each hundred. Raises `InvalidError` (UPLOAD_UNKNOWN) for what
    nobody of its owners has sent for its purpose, `ConflictError` (UPLOAD_NOT_READY), both with the pointers, and
    `UnavailableError`.
    """
    if not named:
        return 0
    found = {upload.id: upload for upload in uploads.find_many({each.upload_id for each in named})}
    unknown = [each.pointer for each in named if not _may_name(each, found.get(each.upload_id))]
    if unknown:
        raise errors.UPLOAD_UNKNOWN(pointers=tuple(Pointer(pointer, "UNKNOWN") for pointer in unknown))
    unready = [each.pointer for each in named if found[each.upload_id].state != "ready"]
    if unready:
        raise errors.UPLOAD_NOT_READY(pointers=tuple(Pointer(pointer, "NOT_READY") for pointer in unready))
    shown = dict.fromkeys(each.upload_id for each in named if each.shown)
    waiting = [upload_id for upload_id in shown if found[upload_id].published_at is None]
    if waiting:
        queue.send_all(waiting)
    return len(waiting)


def _may_name(named: NamedUpload, upload: Upload | None) -> bool:
    if upload is None or upload.purpose not in PUBLISHED:
        return False
    return upload.owner in named.owners and upload.purpose == named.purpose


def publish(upload_id: str, now: datetime, *, uploads: Uploads, public: PublicFiles) -> bool:
    """Copy the files of an upload to the public host, then store that they are there; False if it is gone.

    Safe to repeat and to interrupt. Raises `UnavailableError`.
    """
    upload = uploads.find(upload_id)
    if upload is None or upload.state != "ready" or upload.purpose not in PUBLISHED:
        return False
    if upload.published_at is None:
        for key in kept_keys(upload.purpose, upload.id):
            public.copy(key, public_key(key))
        uploads.publish(upload_id, now)
    return True
