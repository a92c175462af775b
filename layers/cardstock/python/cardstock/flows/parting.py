"""Parting accounts that were merged: files in which one account has the other's data go with it."""

import msgspec

from cardstock.errors import NotFoundError
from cardstock.flows import merging
from cardstock.members.exports import remove_parted
from cardstock.members.ports import ExportFiles, Exports, Members, Merges


class PartingNeeds(msgspec.Struct, frozen=True):
    """The ports of parting merged accounts."""

    merging: merging.MergeNeeds
    members: Members
    merges: Merges
    exports: Exports
    files: ExportFiles


def undo_merge(leaving_id: str, member_id: str, needs: PartingNeeds) -> None:
    """Undo the merge of `leaving_id`, and remove the files of exports that have data of both: a link that was given out
    stops too.

    Raises what `merging.part` raises. Nothing is handed out from then on. A repeat after an
    interruption removes what is left, and is refused as `NotFoundError`.
    """
    try:
        ids = merging.part(leaving_id, member_id, needs.merging)
    except NotFoundError:
        _remove_files(frozenset((leaving_id, member_id)), needs)
        raise
    _remove_files(ids, needs)


def _remove_files(ids: frozenset[str], needs: PartingNeeds) -> None:
    remove_parted(ids, members=needs.members, merges=needs.merges, exports=needs.exports, files=needs.files)
