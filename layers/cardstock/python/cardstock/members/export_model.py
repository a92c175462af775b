"""A member's export: what is stored of the member, in one file that can be read for a week."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.limits import Limit

ExportState: TypeAlias = Literal["waiting", "ready", "failed", "expired"]
TRANSITIONS: Final[Mapping[ExportState, frozenset[ExportState]]] = {
    "waiting": frozenset({"ready", "failed"}),
    "ready": frozenset({"expired"}),
    "failed": frozenset(),
    "expired": frozenset(),
}

EXPORTS: Final = Limit("exports", most=5, window=timedelta(days=1))
"""New ones of one member. Each reads all that is stored of the member."""
SETTLES_AFTER: Final = timedelta(seconds=30)
"""From the asking to the reading: indexes and statements, which follow their tables within seconds, have all of it."""
GIVES_UP_AFTER: Final = timedelta(hours=3)
"""From the asking on. Five attempts of the queue, half an hour apart, are over by then."""
FILE_LIFE: Final = timedelta(days=7)
"""From the asking on; the bucket deletes a file a week after it was written."""
RECORD_LIFE: Final = timedelta(days=30)
"""How long it can be seen that there was an export."""


class ExportFile(msgspec.Struct, frozen=True):
    """A written file: `size` in bytes, `sha256` of them, `counts` the records of each section,
    `merged` the ids of the other members whose data are in it."""

    size: int
    sha256: str
    counts: dict[str, int]
    ready_at: datetime
    merged: tuple[str, ...] = ()


class Export(msgspec.Struct, frozen=True):
    """An export. The file says what was stored at `asked_at`, its texts in `language` (`zh` or `en`)."""

    id: str
    member_id: str
    language: str
    asked_at: datetime
    file: ExportFile | None = None

    @property
    def key(self) -> str:
        """Under which its file is stored."""
        return export_key(self.member_id, self.id)

    @property
    def expires_at(self) -> datetime:
        """When its file cannot be read any more."""
        return self.asked_at + FILE_LIFE

    @property
    def forgotten_at(self) -> datetime:
        """When its record goes."""
        return self.asked_at + RECORD_LIFE


class ExportStanding(msgspec.Struct, frozen=True):
    """An export, how it stands, and a link to its file if that can be read."""

    export: Export
    state: ExportState
    link: str | None = None


def state_at(export: Export, now: datetime, group: Collection[str] = ()) -> ExportState:
    """How an export stands: by time, and by `group`, who have been merged with its member since it was asked for;
    nothing is stored for that.

    A file with data of a member who is not merged any more has expired.
    """
    if export.file is not None:
        return "ready" if now < export.expires_at and set(export.file.merged) <= set(group) else "expired"
    return "waiting" if now < export.asked_at + GIVES_UP_AFTER else "failed"


def export_key(member_id: str, export_id: str) -> str:
    """Under which the file of an export is stored: `exports/mem_.../exp_....json`."""
    return f"exports/{member_id}/{export_id}.json"
