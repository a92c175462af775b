"""Network events as partners get them: the data of each."""

from cardstock.events import EventData


class MemberPromoted(EventData, frozen=True):
    """`member.promoted`."""

    member_id: str
