"""A member asks for an export, sees how it stands, and reads its file. What is in it is `flows.exporting`."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import NOT_FOUND
from cardstock.files import Document
from cardstock.ids import RequestKey, RequestResult, derived_id
from cardstock.members.export_model import Export, ExportFile, ExportStanding, export_key, state_at
from cardstock.members.merge_model import Group
from cardstock.members.model import Member
from cardstock.members.ports import ExportFiles, ExportQueue, Exports, Members, Merges
from cardstock.members.profile import find_caller


def ask_export(
    member_id: str, language: str, request: RequestKey, *, exports: Exports, queue: ExportQueue
) -> RequestResult[Export]:
    """Keep that the member wants an export, and have it written. Raises `UnauthorizedError` (MEMBER_ERASED),
    `ThrottledError` (TOO_MANY: `EXPORTS` new ones were asked for).

    Safe to repeat and to interrupt: the request makes one export, and is queued again as long as that waits.
    """
    now = clock.now()
    asked = Export(derived_id("exp", request.id), member_id, language, now)
    known = exports.add(asked)
    if state_at(known, now) == "waiting":
        queue.send(known)
    return RequestResult(known, replayed=known is not asked)


def find_export(
    member_id: str, export_id: str, *, members: Members, merges: Merges, exports: Exports, files: ExportFiles
) -> ExportStanding:
    """The member's own export, and a link to its file if it is ready. The link is good for a quarter of an hour.

    Whoever undid a merge, the file with the other's data is handed out no more.

    Raises `NotFoundError`, `UnauthorizedError` (MEMBER_ERASED).
    """
    member = find_caller(member_id, members=members)
    found = exports.find(export_id)
    if found is None or found.member_id != member_id:
        raise NOT_FOUND()
    [standing] = _standing(member, [found], merges)
    return replace(standing, link=files.link(found.key)) if standing.state == "ready" else standing


def list_exports(member_id: str, *, members: Members, merges: Merges, exports: Exports) -> Sequence[ExportStanding]:
    """The member's exports of the last month, newest first. Raises `UnauthorizedError` (MEMBER_ERASED)."""
    member = find_caller(member_id, members=members)
    found = sorted(exports.of_member(member_id), key=lambda export: (export.asked_at, export.id), reverse=True)
    return _standing(member, found, merges)


def remove_parted(
    member_ids: Collection[str], *, members: Members, merges: Merges, exports: Exports, files: ExportFiles
) -> None:
    """Remove the files of these members' exports that have data of a member who is not merged with them any more.

    Safe to repeat and to interrupt. It reads an index: an export of the last second may be missed; nobody gets a link
    to that one, and its file goes after a week.
    """
    for member in members.find_members(member_ids).values():
        for standing in _standing(member, exports.of_member(member.id), merges):
            file = standing.export.file
            if standing.state == "expired" and file is not None and file.merged:
                files.remove(standing.export.key)


def _standing(member: Member, exports: Sequence[Export], merges: Merges) -> Sequence[ExportStanding]:
    """How the member's exports stand. One read more if other members' data are in one."""
    is_shared = any(export.file and export.file.merged for export in exports)
    group = merges.find_group(member.group) if is_shared and member.group else None
    now = clock.now()
    return [
        ExportStanding(export, state_at(export, now, _merged_since(group, member.id, export.asked_at)))
        for export in exports
    ]


def _merged_since(group: Group | None, member_id: str, at: datetime) -> Collection[str]:
    """Who has been merged with the member without an end since `at`: who merges again later is not."""
    ids = {one.member_id for one in group.members if one.at <= at} if group else set[str]()
    return ids if member_id in ids else ()


class _OfMember(msgspec.Struct):
    """Whose data a part of a file has."""

    member_id: str


class _Written(msgspec.Struct):
    """What a file says of itself."""

    counts: dict[str, int]
    members: list[_OfMember] = []


def finish(export: Export, document: Document, now: datetime, *, exports: Exports, files: ExportFiles) -> bool:
    """Write the file of an export and mark it ready, with what the stored file is; False if its member is gone.

    The first file that was written stays, whoever else writes one: size, hash and counts are always of that one.
    """
    content = files.put_first(export.key, document)
    written = msgspec.json.decode(content, type=_Written)
    merged = tuple(one.member_id for one in written.members if one.member_id != export.member_id)
    file = ExportFile(len(content), hashlib.sha256(content).hexdigest(), written.counts, now, merged)
    if exports.finish(export, file):
        return True
    discard(export.member_id, export.id, exports=exports, files=files)
    return False


def discard(member_id: str, export_id: str, *, exports: Exports, files: ExportFiles) -> None:
    """Remove an export: its file first, so that nothing of it is left where this is interrupted and done again."""
    files.remove(export_key(member_id, export_id))
    exports.remove(export_id)


def delete_exports_of(member_id: str, *, exports: Exports, files: ExportFiles) -> int:
    """Delete every export of the member, with its file; their number. Safe to repeat and to interrupt.

    It reads an index: an export of the last second may be missed. Nobody reads or writes that one any more once the
    member is erased; its record goes after thirty days.
    """
    found = exports.of_member(member_id)
    for export in found:
        discard(member_id, export.id, exports=exports, files=files)
    return len(found)
