"""Verifying whom a member is."""

from datetime import timedelta
from typing import Any, Final

from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import STORE_BUSY
from cardstock.limits import CountUse, Limit
from cardstock.members import errors
from cardstock.members.consent_model import Versions
from cardstock.members.consents import require_consent
from cardstock.members.model import Member, Person, born_on, hash_number, mask_number, person_id
from cardstock.members.ports import IdentityVerifier, Members
from cardstock.members.profile import find_caller

IDENTITY_CHECKS: Final = Limit("identity-checks", most=10, window=timedelta(days=1))
"""Of one member: how often a verifier is asked. It is paid for each check, and whoever tries numbers must not find one
that fits a name."""

_ATTEMPTS: Final = 5


def verify_person(
    member_id: str,
    name: str,
    number: str,
    count: CountUse,
    *,
    members: Members,
    verifier: IdentityVerifier | None,
    versions: Versions,
) -> Member:
    """The member, verified as the person of that name and identity number. The same person again changes nothing.

    Raises `InvalidError` (ID_NUMBER_INVALID), `RefusedError`: IDENTITY_FIXED (the member is verified as somebody else),
    CONSENT_MISSING and IDENTITY_TAKEN (nothing is sent to the service then), IDENTITY_MISMATCH, IDENTITY_IN_USE
    (`MOST_MEMBERS` are this person now), VERIFICATION_MISSING (this deployment has no verifier); `ThrottledError`
    (TOO_MANY) instead of asking the verifier once more.
    """
    number = number.upper()
    now = clock.now()
    born = born_on(number, now.date())
    person: Person | None = None
    for _ in range(_ATTEMPTS):
        member = find_caller(member_id, members=members)
        if member.state != "registered":
            break
        require_consent(member, "identity_check", versions)
        if verifier is None:
            raise errors.VERIFICATION_MISSING()
        if person is None:
            salted = hash_number(number, members.identity_salt())
            if person_id(salted) in member.taken_identities:
                raise errors.IDENTITY_TAKEN()
            count()
            method = verifier.verify(name, number)
            person = Person(name, mask_number(number), salted, born, method, verified_at=now)
        if members.add_person(member.id, person, member.consents):
            return replace(member, person=person, state="verified")
    else:
        raise STORE_BUSY()
    if member.person is None or member.person.name != name or not member.person.is_number(number):
        raise errors.IDENTITY_FIXED()
    return member


def take_identity(member: Member, *, members: Members) -> Any:
    """What takes the verified identity from a member who is not that person, as a part of another area's transaction
    (`Members.identity_taken`). The member must have one."""
    return members.identity_taken(member)
