"""One person, several members: merged by the word of both, and what follows from it for counts in the network.

Nothing moves: orders, money, tax, edges and log-ins stay the members' own, so that a merge can be undone. One person
counts once (`network.persons`), and a reward for the own order is held (`compliance.purchases`).
"""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import MEMBER_ERASED, NOT_FOUND, STORE_BUSY
from cardstock.ids import derived_id, short_key
from cardstock.limits import CountUse
from cardstock.members import errors
from cardstock.members.merge_model import CODE_LETTERS, CODE_LIFE, Group, MergeCode, Merged, connected
from cardstock.members.model import MOST_MEMBERS, Member
from cardstock.members.ports import Merges, MergeStep
from cardstock.network.deciding import ReadPositions
from cardstock.network.persons import regrouping
from cardstock.network.ports import Network

_ATTEMPTS: Final = 8
MOST_OF_PERSON: Final = 2 * MOST_MEMBERS
"""Members of one person, closed accounts included: one transaction holds three items of each."""


class MergeNeeds(msgspec.Struct, frozen=True):
    """The ports of merging."""

    merges: Merges
    network: Network


class NewCode(msgspec.Struct, frozen=True):
    """A code, which is shown once."""

    text: str
    stored: MergeCode


def new_code(member_id: str, count: CountUse, needs: MergeNeeds) -> NewCode:
    """A code with which another account of the same person merges with the member, once, within ten minutes.

    Raises `RefusedError` LINKED_TO_STAFF, `UnauthorizedError` MEMBER_ERASED, `ThrottledError` (TOO_MANY).
    """
    _free(needs.merges.find_members({member_id}).get(member_id))
    count()
    text = short_key(CODE_LETTERS)
    code = MergeCode(_digest(text), member_id, clock.now() + CODE_LIFE)
    needs.merges.put_code(code)
    return NewCode(text, code)


def merge(text: str, member_id: str, count: CountUse, needs: MergeNeeds) -> Group:
    """The group in which the member and whoever made the code are one person from now on. A repeat changes nothing.

    The member joins the group of the other, or both begin one. Raises `RefusedError`: MERGE_CODE_INVALID (unknown,
    used, expired, or the member's own), MERGED_WITH_OTHERS (the member is in a group), MERGED_TOO_MANY,
    IDENTITIES_DIFFER, LINKED_TO_STAFF (one of them, or of those verified as the same person); `UnauthorizedError`
    MEMBER_ERASED; `ThrottledError` (TOO_MANY): every code that the member has not used is counted, whatever comes of
    it.
    """
    merges, counted = needs.merges, False
    for _ in range(_ATTEMPTS):
        code, now = merges.find_code(_digest(text)), clock.now()
        if not counted and (code is None or code.used_by != member_id):
            count()
            counted = True
        if code is None or code.member_id == member_id:
            raise errors.MERGE_CODE_INVALID()
        members = merges.find_members({code.member_id, member_id})
        own, other = _free(members.get(member_id)), _free(members.get(code.member_id))
        group = merges.find_group(other.group) if other.group else None
        if code.used_by == member_id and group is not None and group.of(member_id):
            return group
        if code.used_by or now >= code.expires_at:
            raise errors.MERGE_CODE_INVALID()
        if own.group:
            raise errors.MERGED_WITH_OTHERS()
        if other.group and group is None:
            continue  # undone in between
        began = group or Group(derived_id("grp", code.digest), (Merged(other.id, now),))
        joined = replace(began, members=(*began.members, Merged(member_id, now)))
        step = _step(members, joined, now, needs, replace(code, used_by=member_id))
        if merges.commit(step):
            return replace(joined, version=joined.version + 1)
    raise STORE_BUSY()


def group_of(member_id: str, needs: MergeNeeds) -> Group | None:
    """The member's group. Raises `UnauthorizedError` MEMBER_ERASED. Two reads at most."""
    member = needs.merges.find_members({member_id}).get(member_id)
    if member is None or member.state == "erased":
        raise MEMBER_ERASED()
    return needs.merges.find_group(member.group) if member.group else None


def part(leaving_id: str, member_id: str, needs: MergeNeeds) -> frozenset[str]:
    """Undo the merge of `leaving_id`, who leaves the group of `member_id`; returns who was in it. Counts are then as
    they were without it.

    A group of one ends. Raises `NotFoundError` if they are not in one group, `RefusedError` MERGE_FINAL,
    LINKED_TO_STAFF (one of them is or was a person of the staff, who could then act on the own orders);
    `UnauthorizedError` MEMBER_ERASED.
    """
    for _ in range(_ATTEMPTS):
        group, now = group_of(member_id, needs), clock.now()
        leaving = group.of(leaving_id) if group else None
        if group is None or leaving is None:
            raise NOT_FOUND()
        if not leaving.may_part(now):
            raise errors.MERGE_FINAL()
        found = needs.merges.find_members(group.ids)
        if any(member.staff_link or member.was_staff for member in found.values()):
            raise errors.LINKED_TO_STAFF()
        rest = replace(group, members=tuple(each for each in group.members if each.member_id != leaving_id))
        step = _step(found, rest, now, needs)
        if needs.merges.commit(step):
            return group.ids
    raise STORE_BUSY()


def join_verified(member_id: str, needs: MergeNeeds) -> None:
    """Have members who were verified as one person count as one, and a member with closed accounts of the same person.
    A repeat changes nothing; one read without others. Raises `RefusedError` MERGED_TOO_MANY."""
    for _ in range(_ATTEMPTS):
        members = needs.merges.find_members({member_id})
        if not any(member.siblings or member.former for member in members.values()):
            return
        step = _step(members, None, clock.now(), needs)
        if not step.before or needs.merges.commit(step):
            return
    raise STORE_BUSY()


def part_from_person(member_id: str, needs: MergeNeeds) -> None:
    """Have who is one person follow from what is left, after the member's identity was taken. A repeat changes
    nothing: one read, or two with others."""
    for _ in range(_ATTEMPTS):
        step = _step(needs.merges.find_members({member_id}), None, clock.now(), needs)
        if not step.before or needs.merges.commit(step):
            return
    raise STORE_BUSY()


def _step(
    members: Mapping[str, Member], group: Group | None, now: datetime, needs: MergeNeeds, code: MergeCode | None = None
) -> MergeStep:
    """The step after which `group` is as given, and every member near these is the person that follows from it."""
    before = _with_related(members, needs.merges)
    ids = group.ids if group and len(group.members) > 1 else frozenset[str]()
    grouped = {
        each.id: replace(each, group=group.id if group and each.id in ids else _kept(each, group))
        for each in before.values()
    }
    persons = connected(grouped)
    if any(len(person) > MOST_OF_PERSON for person in persons):
        raise errors.MERGED_TOO_MANY(most=MOST_OF_PERSON)
    if code is not None:
        _require_one_person(persons, before)
        # Whom the store refuses as well, by a condition: a member of no group who is staff.
        if any(member.staff_link and not member.group for member in before.values()):
            raise errors.LINKED_TO_STAFF()
    after = {
        member_id: replace(grouped[member_id], same_person=tuple(sorted(person - {member_id})))
        for person in persons
        for member_id in person
    }
    changed = {member_id for member_id, member in before.items() if after[member_id] != member}
    known = ReadPositions(needs.network, {}, lambda _: ())
    cause = group.id if group else next(iter(members))
    return MergeStep(
        {member_id: before[member_id] for member_id in sorted(changed)},
        {member_id: after[member_id] for member_id in changed},
        regrouping(persons, known, now, cause),
        group,
        code,
    )


def _require_one_person(persons: Collection[frozenset[str]], members: Mapping[str, Member]) -> None:
    for person in persons:
        verified = {found.id for member_id in person if (found := members[member_id].person)}
        if len(verified) > 1:
            raise errors.IDENTITIES_DIFFER()
        if len(person) > MOST_MEMBERS:
            raise errors.MERGED_TOO_MANY(most=MOST_MEMBERS)


def _kept(member: Member, group: Group | None) -> str:
    return "" if group is not None and member.group == group.id else member.group


def _with_related(members: Mapping[str, Member], merges: Merges) -> Mapping[str, Member]:
    """These members and all who are, or were verified as, the same person as one of them."""
    known, related = dict(members), _related(members.values())
    while missing := related - known.keys():
        found = merges.find_members(missing)
        known |= found
        related = _related(found.values())
    return known


def _related(members: Collection[Member]) -> set[str]:
    return {other for member in members for other in member.relatives}


def _free(member: Member | None) -> Member:
    if member is None or member.state == "erased":
        raise MEMBER_ERASED()
    if member.staff_link:
        raise errors.LINKED_TO_STAFF()
    return member


def _digest(text: str) -> str:
    return hashlib.sha256(text.lower().encode()).hexdigest()
