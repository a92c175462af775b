"""Members give and withdraw consents, and what a withdrawal removes in other areas: in one transaction with it."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cardstock.limits import CountUse
from cardstock.members.consent_model import Purpose, Versions
from cardstock.members.consents import change_consent
from cardstock.members.model import Member
from cardstock.members.ports import Members


class ConsentNeeds(msgspec.Struct, frozen=True):
    """The ports of consents. `removals`: by purpose, what deletes that of a member which only the consent allowed, as a
    part of the withdrawal's transaction."""

    members: Members
    versions: Versions
    removals: Mapping[Purpose, Callable[[str], Any]]


def say(
    member_id: str,
    purpose: Purpose,
    version: int | None,
    app: str,
    needs: ConsentNeeds,
    *,
    granted: bool,
    count: CountUse,
) -> Member:
    """The member, who has agreed to the purpose or withdrawn that. Raises what `consents.change_consent` raises.

    What only the consent allowed is deleted with the withdrawal: what was learnt for recommendations, bank accounts. A
    repeat deletes it again.
    """
    removal = None if granted else needs.removals.get(purpose)
    steps = () if removal is None else (removal(member_id),)
    return change_consent(
        member_id,
        purpose,
        version,
        app,
        granted=granted,
        count=count,
        members=needs.members,
        versions=needs.versions,
        steps=steps,
    )
