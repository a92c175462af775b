"""Network events as partners get them: the data of each."""

import msgspec


class MemberPromoted(msgspec.Struct, frozen=True):
    """`member.promoted`."""

    member_id: str
