"""Making the files of products public."""

from collections.abc import Collection
from datetime import datetime

from cardstock.errors import NOT_FOUND
from cardstock.uploads import errors
from cardstock.uploads.model import PUBLISHED, kept_keys, public_key
from cardstock.uploads.ports import PublicFiles, PublishQueue, Uploads


def queue_publishing(
    upload_ids: Collection[str], owners: Collection[str], *, uploads: Uploads, queue: PublishQueue
) -> int:
    """Have the files of these uploads made public, and of how many; call it before what names them is stored.

    Queued first, so that what is published has its pictures within seconds whatever is interrupted. An upload that is
    public already costs its read alone. Raises `NotFoundError` for what none of the `owners` (supplier ids, `staff`)
    has uploaded for a product, `ConflictError` (UPLOAD_NOT_READY), `UnavailableError`.
    """
    if not upload_ids:
        return 0
    found = uploads.find_many(upload_ids)
    if len(found) != len(set(upload_ids)):
        raise NOT_FOUND()
    if any(upload.owner not in owners or upload.purpose not in PUBLISHED for upload in found):
        raise NOT_FOUND()
    if any(upload.state != "ready" for upload in found):
        raise errors.UPLOAD_NOT_READY()
    waiting = [upload.id for upload in found if upload.published_at is None]
    if waiting:
        queue.send_all(waiting)
    return len(waiting)


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
