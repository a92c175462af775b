"""The record of the staff, page by page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeAlias

from cardstock.staff.actions import RecordedAction
from cardstock.staff.model import ROOT
from cardstock.staff.ports import Actions, Persons

_PAGE: Final = 100

ActionPage: TypeAlias = tuple[Sequence[RecordedAction], str | None]


def list_actions(
    person_id: str | None,
    days: tuple[datetime | None, datetime | None],
    limit: int,
    after: str | None,
    *,
    persons: Persons,
    actions: Actions,
) -> ActionPage:
    """A page of the actions of a person (or `root`), of everybody if None, within `days`, newest first.

    One query, or one for each person that there ever was.
    """
    wanted = _everybody(persons) if person_id is None else [person_id]
    return actions.actions_of(wanted, *days, limit, after)


def _everybody(persons: Persons) -> list[str]:
    ids, after = [ROOT], None
    while True:
        found, after = persons.persons(_PAGE, after)
        ids += [person.person_id for person in found]
        if after is None:
            return ids
