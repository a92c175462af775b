"""Names of members for what commands print."""

import os
from collections.abc import Mapping


def names_of(member_ids: set[str]) -> Mapping[str, str]:
    """The nicknames of members, where the members' table is named; erased members have none."""
    if not member_ids or "MEMBERS_TABLE" not in os.environ:
        return {}
    from cardstock.members import wiring as members_wiring

    return members_wiring.members().nicknames_of(member_ids)
