"""What happens in the network, as partners get it: the data of each event."""

import msgspec


class MemberPromoted(msgspec.Struct, frozen=True):
    """`member.promoted`."""

    member_id: str
