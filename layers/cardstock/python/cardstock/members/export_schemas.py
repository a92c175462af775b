"""The JSON of exports."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment, NextCursor
from cardstock.edge.http import Model
from cardstock.errors import MEMBER_ERASED, NOT_FOUND, QUEUE_UNAVAILABLE, TOO_MANY
from cardstock.members.export_model import Export, ExportStanding, ExportState

ASKING_CODES: Final = (MEMBER_ERASED, QUEUE_UNAVAILABLE, TOO_MANY)
LISTING_CODES: Final = (MEMBER_ERASED,)
READING_CODES: Final = (MEMBER_ERASED, NOT_FOUND)

ExportId = Annotated[
    str,
    Meta(description="Under which it can be read; starts with `exp_`.", examples=["exp_01kbdxdh50fcazdjhcnqh2rzv5"]),
]
AsOf = Annotated[Moment, Meta(description="When it was asked for: the file has what was stored then.")]
ExpiresAt = Annotated[Moment, Meta(description="Until when the file can be read.")]


class AskedExport(Model):
    """An export that will be written."""

    export_id: ExportId
    as_of: AsOf
    expires_at: ExpiresAt

    @classmethod
    def of(cls, export: Export) -> AskedExport:
        """An export as it was asked for, so that a repeat gets the same answer."""
        return cls(export.id, rfc3339(export.asked_at), rfc3339(export.expires_at))


class ExportView(Model):
    """An export, and how it stands."""

    export_id: ExportId
    state: Annotated[
        ExportState,
        Meta(
            description="`waiting`, usually for less than a minute; `ready`: its file can be read; `failed`: ask for "
            "another one; `expired`: its file is deleted, or a merge of accounts that are in it was undone."
        ),
    ]
    as_of: AsOf
    expires_at: ExpiresAt
    ready_at: Annotated[Moment | None, Meta(description="When the file was written; null unless it is ready.")]
    size: Annotated[int | None, Meta(description="Bytes of the file; null unless it is ready.", examples=[20_480])]
    sha256: Annotated[
        str | None,
        Meta(description="SHA-256 of the file in hexadecimal; null unless it is ready.", examples=["9f86d081884c7d65"]),
    ]
    counts: Annotated[
        dict[str, int],
        Meta(
            description="Number of records by section of the file; empty unless it is ready.", examples=[{"orders": 3}]
        ),
    ]

    @classmethod
    def of(cls, standing: ExportStanding) -> ExportView:
        """An export as it stands."""
        export = standing.export
        # Of a file that is deleted, nothing is known but that there was one.
        file = export.file if standing.state == "ready" else None
        return cls(
            export_id=export.id,
            state=standing.state,
            as_of=rfc3339(export.asked_at),
            expires_at=rfc3339(export.expires_at),
            ready_at=rfc3339(file.ready_at) if file else None,
            size=file.size if file else None,
            sha256=file.sha256 if file else None,
            counts=dict(file.counts) if file else {},
        )


class ExportWithLink(ExportView, kw_only=True):
    """An export, and a link to its file."""

    link: Annotated[
        str | None,
        Meta(
            description="Where the file can be read for the next quarter of an hour, by anybody who has the link: do "
            "not pass it on. Null unless it is ready.",
            examples=["https://example.com/exports/exp_01kbdxdh50fcazdjhcnqh2rzv5.json"],
        ),
    ]

    @classmethod
    def with_link(cls, standing: ExportStanding) -> ExportWithLink:
        """An export as it stands, with its link."""
        view = ExportView.of(standing)
        return cls(**{name: getattr(view, name) for name in view.__struct_fields__}, link=standing.link)


class ExportList(Model):
    """The member's exports, newest first."""

    items: Annotated[list[ExportView], Meta(description="Those of the last thirty days; all of them are on this page.")]
    next_cursor: NextCursor = None

    @classmethod
    def of(cls, exports: Sequence[ExportStanding]) -> ExportList:
        """The exports as they stand."""
        return cls([ExportView.of(standing) for standing in exports])
