"""Members who say that they are one person: a group that one joins by a code of another, and may leave for a month."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from cardstock.limits import Limit
from cardstock.members.model import Member

CODE_LIFE: Final = timedelta(minutes=10)
"""How long a code is good: time to log in on the other account."""
CODE_LETTERS: Final = 12
UNDO_WINDOW: Final = timedelta(days=30)
"""How long a merge can be undone. Later whoever got hold of a code could be left with what was counted."""
MERGE_CODES: Final = Limit("merge-codes", most=20, window=timedelta(days=1))
"""Of one member."""
MERGE_TRIES: Final = Limit("merge-tries", most=20, window=timedelta(days=1))
"""Of one member, without repeats: codes are not to be found by trying."""


class Merged(msgspec.Struct, frozen=True):
    """A member of a group, and since when."""

    member_id: str
    at: datetime

    def may_part(self, now: datetime) -> bool:
        """Whether this merge can still be undone."""
        return now < self.at + UNDO_WINDOW


class Group(msgspec.Struct, frozen=True):
    """Members who said that they are one person. `version` counts the writes; 0: not stored."""

    id: str
    members: tuple[Merged, ...]
    version: int = 0

    @property
    def ids(self) -> frozenset[str]:
        """The members' ids."""
        return frozenset(each.member_id for each in self.members)

    def of(self, member_id: str) -> Merged | None:
        """The member's part in it."""
        return next((each for each in self.members if each.member_id == member_id), None)


class MergeCode(msgspec.Struct, frozen=True):
    """A code by which another account merges with the member, once. Only the code's hash is stored."""

    digest: str
    member_id: str
    expires_at: datetime
    used_by: str = ""


def connected(members: Mapping[str, Member]) -> tuple[frozenset[str], ...]:
    """The members by persons: members of one group, those who were verified as one, and closed accounts of one of them
    are one person."""
    persons = {member_id: {member_id} for member_id in members}
    grouped: dict[str, list[str]] = {}
    for member in members.values():
        grouped.setdefault(member.group, []).append(member.id)
    grouped.pop("", None)
    for ids in (*grouped.values(), *((member.id, *member.siblings, *member.former) for member in members.values())):
        union: set[str] = set().union(*(persons[member_id] for member_id in ids if member_id in persons))
        persons |= dict.fromkeys(union, union)
    return tuple(sorted({frozenset(person) for person in persons.values()}, key=sorted))
