"""Names of members for what commands print."""

import os
from collections.abc import Mapping


def names_of(member_ids: set[str]) -> Mapping[str, str]:
    """The nicknames of members, where the members' table is named; erased members have none."""
    if not member_ids or "MEMBERS_TABLE" not in os.environ:
        return {}
    from cardstock.members import wiring as members_wiring

    found = members_wiring.members().find_members(member_ids)
    return {key: one.nickname for key, one in found.items() if one.nickname and one.state != "erased"}
