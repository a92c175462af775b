"""The queue of exports to be written."""

import msgspec

from cardstock.aws.queues import Queue
from cardstock.members.export_model import SETTLES_AFTER, Export


class ExportMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An export that waits for its file."""

    export_id: str
    member_id: str


class ExportsQueue:
    """`members.ports.ExportQueue`."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def send(self, export: Export) -> None:
        body = msgspec.json.encode(ExportMessage(export.id, export.member_id)).decode()
        self._queue.send(body, delay_seconds=int(SETTLES_AFTER.total_seconds()))
