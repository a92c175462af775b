"""The base of all data of events, which says which fields are about people."""

from typing import ClassVar

import msgspec


class EventData(msgspec.Struct, frozen=True):
    """The data of a type of event.

    `PERSONAL` names the fields that identify a person in clear. Only the supplier that the event is about gets them;
    ids and masked values are not among them.
    """

    PERSONAL: ClassVar[frozenset[str]] = frozenset()
