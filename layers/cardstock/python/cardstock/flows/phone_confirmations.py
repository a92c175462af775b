"""The phone of a person of the staff: which steps of money wait for its answer, and the answer."""

from collections.abc import Sequence

from cardstock.members.ports import Members
from cardstock.members.profile import find_logged_in
from cardstock.staff import confirmations as verbs
from cardstock.staff import errors
from cardstock.staff.confirmation_model import Confirmation, Reply
from cardstock.staff.ports import Confirmations


def pending_confirmations(
    member_id: str, session_id: str, *, members: Members, confirmations: Confirmations
) -> Sequence[Confirmation]:
    """The steps that wait for the answer of the member, oldest first. Raises `ForbiddenError` NOT_STAFF,
    `UnauthorizedError` SESSION_ENDED."""
    return verbs.pending(_person_of(member_id, session_id, members), member_id, confirmations=confirmations)


def answer_confirmation(
    confirmation_id: str,
    reply: Reply,
    member_id: str,
    session_id: str,
    *,
    members: Members,
    confirmations: Confirmations,
) -> Confirmation:
    """The confirmation with the member's answer. Raises as `staff.confirmations.answer`, and `UnauthorizedError`
    SESSION_ENDED: a session that was ended lets no money go."""
    person_id = _person_of(member_id, session_id, members)
    return verbs.answer(confirmation_id, reply, person_id, member_id, confirmations=confirmations)


def _person_of(member_id: str, session_id: str, members: Members) -> str:
    member = find_logged_in(member_id, session_id, members=members)
    if member is None or not member.staff_link:
        raise errors.NOT_STAFF()
    return member.staff_link
