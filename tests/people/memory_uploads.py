"""The ports of the uploads area in memory."""

from collections.abc import Iterable


class MemoryPublishQueue:
    """`uploads.ports.PublishQueue`."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send_all(self, upload_ids: Iterable[str]) -> None:
        self.sent += upload_ids
