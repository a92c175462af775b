"""Asking a person's phone to confirm a step of money, and what the phone answers.

The first call of a step stores a confirmation and is refused with CONFIRMATION_NEEDED. The linked member says yes or
no. The same call again does the step after a yes, within ten minutes of the first one, and uses the confirmation up.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.approving import MoneyStep, UseOnce
from cardstock.clock import rfc3339
from cardstock.errors import NOT_FOUND, STORE_BUSY, CardstockError
from cardstock.staff import errors
from cardstock.staff.confirmation_model import LIFE, Confirmation, ConfirmationState, Reply, confirmation_id, window_of
from cardstock.staff.model import Person
from cardstock.staff.ports import Confirmations

_ATTEMPTS: Final = 2


class Asker(msgspec.Struct, frozen=True):
    """Who asks for a step: the person, None for callers who are none; and with what, as the phone shows it."""

    person_id: str | None
    credential_id: str
    credential: str


def require_confirmation(step: MoneyStep, asker: Asker, *, confirmations: Confirmations) -> UseOnce:
    """The phone's yes to exactly this step by this person, to be used up in the step's transaction.

    Person, link and answer are what is stored now. Costs one read; without a confirmation also one write, which asks
    for it. Raises `ForbiddenError` PERSON_NEEDED, PERSON_INACTIVE; `RefusedError` PHONE_NEEDED; `ConflictError`
    CONFIRMATION_NEEDED (with the confirmation's id, sum and count, and until when), CONFIRMATION_DECLINED.
    """
    if asker.person_id is None:
        raise errors.PERSON_NEEDED()
    for _ in range(_ATTEMPTS):
        now = clock.now()
        window = window_of(now)
        ids = [confirmation_id(asker.person_id, step, start) for start in (window - LIFE, window)]
        person, known = confirmations.find_with_person(asker.person_id, ids)
        if person is None or person.state != "active":
            raise errors.PERSON_INACTIVE()
        if person.member_id is None:
            raise errors.PHONE_NEEDED(person_id=person.person_id)
        lasting = [each for each in known if each.lasts(now)]
        if lasting:
            return _answered(lasting[-1], person, confirmations)
        asked = Confirmation(
            ids[-1], person.person_id, person.member_id, step, asker.credential_id, asker.credential, now, now + LIFE
        )
        if confirmations.ask(asked):
            raise _needed(asked)
        # Stored meanwhile: by this very call, whose answer got lost, or by the same one beside it.
    raise STORE_BUSY()


def _answered(found: Confirmation, person: Person, confirmations: Confirmations) -> UseOnce:
    if found.state == "declined" or found.member_id != person.member_id:
        raise errors.CONFIRMATION_DECLINED(expires_at=rfc3339(found.expires_at))
    if found.state == "asked":
        raise _needed(found)
    # A used one too: its transaction fails, and the step finds itself done.
    return confirmations.use(found, clock.now())


def _needed(asked: Confirmation) -> CardstockError:
    step, until = asked.step, rfc3339(asked.expires_at)
    return errors.CONFIRMATION_NEEDED(
        confirmation_id=asked.id, action=step.action, amount_fen=step.amount, count=step.count, expires_at=until
    )


def pending(person_id: str, member_id: str, *, confirmations: Confirmations) -> Sequence[Confirmation]:
    """The steps that wait for the member's answer now, oldest first. Raises `ForbiddenError` NOT_STAFF."""
    _require_linked(confirmations.find_with_person(person_id, ())[0], member_id)
    now = clock.now()
    found = confirmations.asked_since(person_id, window_of(now) - LIFE)
    waiting = [each for each in found if each.state == "asked" and each.member_id == member_id and each.lasts(now)]
    return sorted(waiting, key=lambda each: (each.asked_at, each.id))


def answer(
    confirmation_id: str, reply: Reply, person_id: str, member_id: str, *, confirmations: Confirmations
) -> Confirmation:
    """The confirmation with the member's answer, which is given once; the same answer again changes nothing.

    Raises `ForbiddenError` NOT_STAFF, `NotFoundError` (also for another person's), `ConflictError`
    CONFIRMATION_EXPIRED, CONFIRMATION_ANSWERED.
    """
    for _ in range(_ATTEMPTS):
        person, known = confirmations.find_with_person(person_id, (confirmation_id,))
        _require_linked(person, member_id)
        if not known or known[0].member_id != member_id:
            raise NOT_FOUND()
        found, now = known[0], clock.now()
        if found.state != "asked":
            if (found.state == "declined") != (reply == "no"):
                raise errors.CONFIRMATION_ANSWERED()
            return found
        if not found.lasts(now):
            raise errors.CONFIRMATION_EXPIRED()
        state: ConfirmationState = "confirmed" if reply == "yes" else "declined"
        if confirmations.answer(found, state, now):
            return replace(found, state=state, answered_at=now)
        # Answered meanwhile: by this very call, whose answer got lost, or by another one.
    raise STORE_BUSY()


def _require_linked(person: Person | None, member_id: str) -> None:
    if person is None or person.state != "active" or person.member_id != member_id:
        raise errors.NOT_STAFF()
