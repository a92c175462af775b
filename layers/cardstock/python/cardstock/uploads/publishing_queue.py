"""The queue of uploads whose files shall be public."""

from collections.abc import Iterable

import msgspec

from cardstock.aws.files import Files
from cardstock.aws.queues import Queue


class PublishMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An upload whose files shall be public."""

    upload_id: str


class PublishingQueue:
    """`uploads.ports.PublishQueue`."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def send_all(self, upload_ids: Iterable[str]) -> None:
        self._queue.send_all([msgspec.json.encode(PublishMessage(each)).decode() for each in upload_ids])


class PublicCopies:
    """`uploads.ports.PublicFiles`."""

    def __init__(self, private: Files, bucket: str) -> None:
        self._private, self._bucket = private, bucket

    def copy(self, source: str, key: str) -> None:
        self._private.copy_to(self._bucket, source, key)
