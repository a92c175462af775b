"""Factories of uploads, each lazy."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock.members import wiring as members_wiring
from cardstock.uploads import wiring as uploads_wiring

if TYPE_CHECKING:
    from cardstock.uploads.receiving import ReceivingNeeds


@cache
def receiving_needs() -> "ReceivingNeeds":
    """The ports of receiving what has arrived."""
    from cardstock.flows.uploading import owner_is_there
    from cardstock.uploads.receiving import ReceivingNeeds

    return ReceivingNeeds(
        uploads=uploads_wiring.uploads(),
        files=uploads_wiring.upload_files(),
        shrink=uploads_wiring.shrink(),
        is_there=owner_is_there(members_wiring.members()),
    )


def remove_uploads_of(member_id: str) -> int:
    """Remove every upload of a member, with its files; their number. Safe to repeat and to interrupt."""
    from cardstock.uploads import receiving

    return receiving.remove_uploads_of(member_id, uploads=uploads_wiring.uploads(), files=uploads_wiring.upload_files())
