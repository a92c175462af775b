"""Find the subtrees of the referral network that reach the law's size: pure, two passes over the members."""

from collections.abc import Iterable, Mapping

from cardstock.compliance.model import Subtree
from cardstock.law import ALARM_LEVELS, ALARM_PEOPLE


def find_subtrees(referrers: Mapping[str, str], earners: Iterable[str]) -> tuple[Subtree, ...]:
    """The subtrees that reach the law's levels and people and have earners, by head: only the highest heads, since the
    lower ones belong to their subtrees.

    `referrers`: member -> the referrer. Two passes over the members, whatever the depth; no recursion.
    """
    bottom_up = _bottom_up(referrers)
    people, levels = _sizes(referrers, bottom_up)
    wide = {head for head, count in people.items() if count >= ALARM_PEOPLE and levels[head] >= ALARM_LEVELS}
    if not wide:
        return ()
    paid = set(earners)
    earning: dict[str, list[str]] = {}
    for member_id, head in _highest_heads(referrers, bottom_up, wide).items():
        if member_id in paid:
            earning.setdefault(head, []).append(member_id)
    return tuple(
        Subtree(head, people[head], levels[head], tuple(sorted(members))) for head, members in sorted(earning.items())
    )


def _bottom_up(referrers: Mapping[str, str]) -> list[str]:
    """Every member, after all whom they brought, directly or through others."""
    unlisted: dict[str, int] = {}
    for above in referrers.values():
        unlisted[above] = unlisted.get(above, 0) + 1
    ready = [member_id for member_id in referrers if member_id not in unlisted]
    listed: list[str] = []
    while ready:
        member_id = ready.pop()
        listed.append(member_id)
        referrer = referrers.get(member_id)
        if referrer is not None:
            unlisted[referrer] -= 1
            if not unlisted[referrer]:
                ready.append(referrer)
    return listed


def _sizes(referrers: Mapping[str, str], bottom_up: Iterable[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Head -> people, and head -> levels, for every member who has brought somebody; both include the head."""
    people = dict.fromkeys(referrers.values(), 1)
    levels = dict.fromkeys(people, 1)
    for member_id in bottom_up:
        referrer = referrers.get(member_id)
        if referrer is not None:
            people[referrer] += people.get(member_id, 1)
            levels[referrer] = max(levels[referrer], 1 + levels.get(member_id, 1))
    return people, levels


def _highest_heads(referrers: Mapping[str, str], bottom_up: list[str], wide: set[str]) -> dict[str, str]:
    """Member -> the highest head of a `wide` subtree above or at the member; others are absent."""
    head_of: dict[str, str] = {}
    for member_id in reversed(bottom_up):  # from the top down: a referrer comes before those they brought
        referrer = referrers.get(member_id)
        if referrer is not None and referrer in head_of:
            head_of[member_id] = head_of[referrer]
        elif member_id in wide:
            head_of[member_id] = member_id
    return head_of
