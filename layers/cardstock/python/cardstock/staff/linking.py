"""Which member a person of the staff is: by an invitation that the member accepts on the phone, until an owner ends it.

An invitation reads `sti_<person>_<secret>`. It is good once, for thirty minutes, until a newer one replaces it.
"""

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Final, NamedTuple

from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import MEMBER_ERASED, NOT_FOUND, STORE_BUSY
from cardstock.staff import errors
from cardstock.staff.model import ROOT, Invitation, Person
from cardstock.staff.ports import Links

INVITATION_LIFE: Final = timedelta(minutes=30)
_TOKEN: Final = re.compile(r"sti_([0-9a-z]{26})_([A-Za-z0-9_-]{43})")


class NewInvitation(NamedTuple):
    """An invitation and its token, which is never shown again."""

    invitation: Invitation
    token: str


def invite(person_id: str, inviter_id: str | None, *, links: Links) -> NewInvitation:
    """A new invitation for the person; an earlier one ends.

    `inviter_id` is None for the root key, which invites the persons that it created. Nobody invites themself. Raises
    `NotFoundError`, `RefusedError` OWN_RIGHTS, FIRST_PERSONS_ONLY, PERSON_LINKED, `ForbiddenError` PERSON_INACTIVE.
    """
    if inviter_id == person_id:
        raise errors.OWN_RIGHTS()
    person = _person(person_id, links)
    if inviter_id is None and person.created_by != ROOT:
        raise errors.FIRST_PERSONS_ONLY()
    secret = secrets.token_urlsafe(32)
    invitation = Invitation(_digest(secret), inviter_id or ROOT, clock.now() + INVITATION_LIFE)
    if not links.invite(person_id, invitation):
        raise errors.PERSON_LINKED() if _person(person_id, links).member_id else NOT_FOUND()
    return NewInvitation(invitation, f"sti_{person_id.removeprefix('stf_')}_{secret}")


def accept(token: str, member_id: str, *, links: Links) -> Person:
    """The person whom the member is from now on. A repeat by the same member changes nothing.

    Raises `RefusedError`: INVITATION_INVALID (unknown, expired, replaced or used), MEMBER_IS_STAFF (the member is
    another person); `UnauthorizedError` (MEMBER_ERASED). Costs one read and one transaction.
    """
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise errors.INVITATION_INVALID()
    person_id, digest, now = f"stf_{parts[1]}", _digest(parts[2]), clock.now()
    for _ in range(2):
        found = links.find_invited(person_id)
        invitation = found[1] if found else None
        if found is None or invitation is None or not hmac.compare_digest(invitation.digest, digest):
            raise errors.INVITATION_INVALID()
        person = found[0]
        if person.member_id == member_id and person.state == "active":
            return person
        if person.state != "active" or person.member_id is not None or now >= invitation.expires_at:
            raise errors.INVITATION_INVALID()
        outcome = links.link(person_id, invitation, member_id, now)
        if outcome == "linked":
            return replace(person, member_id=member_id, linked_at=now, linked_by=invitation.made_by)
        if outcome == "member_linked":
            raise errors.MEMBER_IS_STAFF()
        if outcome == "member_gone":
            raise MEMBER_ERASED()
        # The person has changed: by this very call, whose answer got lost, or by another one.
    raise STORE_BUSY()


def release(person_id: str, actor_id: str | None, *, links: Links) -> None:
    """End the link of the person with a member. A repeat changes nothing.

    Sessions of the console that the link had confirmed end with it. Raises `NotFoundError`, `ForbiddenError`
    PERSON_NEEDED, `RefusedError` OWN_RIGHTS.
    """
    if actor_id is None:
        raise errors.PERSON_NEEDED()
    if actor_id == person_id:
        raise errors.OWN_RIGHTS()
    for _ in range(2):
        person = _person(person_id, links)
        if person.member_id is None or links.release(person):
            return
    raise STORE_BUSY()


def _person(person_id: str, links: Links) -> Person:
    found = links.find_invited(person_id)
    if found is None:
        raise NOT_FOUND()
    return found[0]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
