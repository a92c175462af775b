"""What members agree to: asked for by every verb that needs it, given and withdrawn at any time."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import BODY_INVALID, CONSENT_MISSING, STORE_BUSY, Pointer
from cardstock.limits import CountUse, Limit
from cardstock.members import errors
from cardstock.members.consent_model import Purpose, Versions, allows, with_consent
from cardstock.members.consent_texts import TERMS
from cardstock.members.model import Member
from cardstock.members.ports import Members
from cardstock.members.profile import find_caller

AGREEMENTS: Final = Limit("agreements", most=30, window=timedelta(days=1))
"""Of one member, over all purposes. Each is kept on record; a withdrawal is never refused, and follows an agreement."""
_ATTEMPTS: Final = 5


def require_current(purpose: Purpose, version: int, versions: Versions, pointer: str) -> None:
    """Raises `RefusedError` (CONSENT_OUTDATED), pointing at `pointer`, unless the version is the one in force."""
    if version != versions[purpose]:
        wrong = Pointer(pointer, "CONSENT_OUTDATED")
        raise errors.CONSENT_OUTDATED(pointers=(wrong,), purpose=purpose, version=versions[purpose])


def require_consent(member: Member, purpose: Purpose, versions: Versions) -> None:
    """Raises `RefusedError` (CONSENT_MISSING) unless the member agrees to the purpose as it is now."""
    if not allows(member, purpose, versions):
        raise CONSENT_MISSING(purpose=purpose, version=versions[purpose])


def agreeing(member_ids: Collection[str], purpose: Purpose, *, members: Members, versions: Versions) -> frozenset[str]:
    """Those of the members who agree to the purpose now. One read per hundred; none without a member."""
    found = members.find_members(member_ids) if member_ids else {}
    return frozenset(key for key, member in found.items() if allows(member, purpose, versions))


class CardVisitors:
    """`cards.ports.Visitors`: members who agree that the owners of cards see their visits."""

    def __init__(self, members: Members, versions: Versions) -> None:
        self._members = members
        self._versions = versions

    def names_of(self, member_ids: Collection[str]) -> Mapping[str, str]:
        found = self._members.find_members(member_ids) if member_ids else {}
        return {key: one.nickname for key, one in found.items() if allows(one, "card_visits", self._versions)}


def change_consent(
    member_id: str,
    purpose: Purpose,
    version: int | None,
    app: str,
    *,
    granted: bool,
    count: CountUse,
    members: Members,
    versions: Versions,
    steps: Sequence[Any] = (),
) -> Member:
    """The member, who has agreed to the purpose or withdrawn that; `steps` become part of the same transaction.

    What was said before changes nothing, and the steps are done again. `version` is the one that the member has read;
    a withdrawal needs none. `app` is the platform's app in which it is said. Raises `InvalidError` (BODY_INVALID: there
    is no version); `RefusedError`: CONSENT_OUTDATED; CONSENT_NEEDED (the purpose is withdrawn by closing the account);
    `UnauthorizedError` (MEMBER_ERASED); `ThrottledError` (TOO_MANY), only where the member agrees anew.
    """
    if not granted and not TERMS[purpose].withdrawable:
        raise errors.CONSENT_NEEDED(purpose=purpose, call="PUT /v1/me/closing")
    if granted and version is None:
        raise BODY_INVALID(pointers=(Pointer("/version", "MISSING", {"field": "version"}),))
    if granted and version is not None:
        require_current(purpose, version, versions, "/version")
    counted = False
    for _ in range(_ATTEMPTS):
        member = find_caller(member_id, members=members)
        said = member.consents.get(purpose)
        named = versions[purpose] if granted or said is None else said.version
        consents = with_consent(member.consents, purpose, named, clock.now(), granted=granted)
        if consents is member.consents and not steps:
            return member
        if granted and not counted:
            count()
            counted = True
        if members.change_consents(member, consents, app, *steps):
            return replace(member, consents=consents)
    raise STORE_BUSY()
