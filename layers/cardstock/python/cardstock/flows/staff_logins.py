"""Which person of the staff a member is, as both sides have it."""

from cardstock.members.ports import Members
from cardstock.members.profile import find_logged_in
from cardstock.staff.ports import Persons


def person_of(member_id: str, session_id: str, persons: Persons, members: Members) -> str | None:
    """The id of the active person who the member is; None for everybody else. Two reads for staff, one for others.

    Raises `UnauthorizedError` (SESSION_ENDED): a session that was ended lets no browser in.
    """
    member = find_logged_in(member_id, session_id, members=members)
    if member is None or member.state == "erased" or not member.staff_link:
        return None
    person = persons.find_person(member.staff_link)
    return person.person_id if person is not None and person.active and person.member_id == member_id else None
