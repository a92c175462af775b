"""How members come into the referral network, in memory."""

from datetime import UTC, datetime
from typing import NoReturn

import pytest
from msgspec.structs import replace

from cardstock.cards.model import Card, Face, Share
from cardstock.errors import NotFoundError, RefusedError
from cardstock.flows.joining import (
    JoiningNeeds,
    NetworkInviters,
    appoint_partner,
    follow_invite,
    place_of,
    verify_person,
)
from cardstock.ids import RequestKey, new_id
from cardstock.members.consent_model import FIRST
from cardstock.members.login_platforms.development import SelfAssertedIdentity
from cardstock.members.model import Account, Member
from cardstock.network.deciding import position_of
from tests.people.arrivals import register
from tests.people.clock import TestClock
from tests.people.memory_cards import MemoryCards
from tests.people.memory_counts import uncounted
from tests.people.memory_members import MemoryMembers, MemoryMerges
from tests.people.memory_network import MemoryNetwork
from tests.people.memory_orders import MemoryCoupons

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
NUMBERS = ("11010519491231002X", "110101199003070011")


class Joining:
    """Members, a network and cards in memory."""

    def __init__(self) -> None:
        self.members = MemoryMembers()
        self.network = MemoryNetwork()
        self.cards = MemoryCards()
        self.coupons = MemoryCoupons()
        self.needs = JoiningNeeds(
            self.members,
            SelfAssertedIdentity,
            lambda: FIRST,
            self.network,
            self.cards,
            MemoryMerges(self.members, self.network),
            coupons=lambda: self.coupons,
        )

    def register(self, openid: str) -> str:
        account = Account("dev", "wx1", openid)
        member = Member(new_id("mem", NOW), account.name, NOW)
        return register(self.members, member, account).id

    def erase(self, member_id: str) -> None:
        self.members.members[member_id] = replace(self.members.members[member_id], erased_at=NOW, state="erased")

    def share(self, owner_id: str) -> tuple[str, str]:
        """A card of the member: its key, and a share key of it."""
        self.cards.add_card(Card("k7m2p9xw4tab", owner_id, {"default": Face("Lin")}, 1, NOW, NOW), asked("card"))
        self.cards.add_share(Share("k7m2p9xw4t", "k7m2p9xw4tab", owner_id, "default", "", NOW), asked("share"))
        return "k7m2p9xw4tab", "k7m2p9xw4t"


def asked(name: str) -> RequestKey:
    return RequestKey(f"req_{name}", "f")


def no_coupons() -> NoReturn:
    raise AssertionError("nobody holds a coupon")


@pytest.fixture
def joining(clock: TestClock) -> Joining:
    return Joining()


def test_an_invite_is_a_member_id_or_a_key_of_the_member_s_card(joining: Joining) -> None:
    guide = joining.register("guide")
    card, share = joining.share(guide)
    inviters = NetworkInviters(joining.needs)

    assert [inviters.member_behind(invite) for invite in (guide, card, share)] == [guide] * 3


def test_an_unknown_or_erased_member_is_behind_no_invite(joining: Joining) -> None:
    gone = joining.register("gone")
    card, share = joining.share(gone)
    joining.erase(gone)
    inviters = NetworkInviters(joining.needs)
    invites = (gone, card, share, new_id("mem", NOW), "x7k2m9pq4tab", "x7k2m9pq4t")

    assert [inviters.member_behind(invite) for invite in invites] == [None] * 6


def test_a_followed_invite_binds_once(joining: Joining) -> None:
    guide, rival, anna = (joining.register(openid) for openid in ("guide", "rival", "anna"))
    place = follow_invite(anna, guide, joining.needs)
    again = follow_invite(anna, guide, joining.needs)
    with pytest.raises(RefusedError, match="INVITER_BOUND"):
        follow_invite(anna, rival, joining.needs)

    assert (place.position.referrer, place.position.bound_at) == (guide, NOW)
    assert again == place == place_of(anna, joining.needs)


def test_an_unknown_invite_binds_nobody(joining: Joining) -> None:
    anna = joining.register("anna")
    with pytest.raises(RefusedError, match="INVITER_UNKNOWN"):
        follow_invite(anna, "x7k2m9pq4t", joining.needs)

    assert place_of(anna, joining.needs).position.referrer is None


def test_a_verified_member_counts_for_the_referrer_once(joining: Joining) -> None:
    guide, anna = joining.register("guide"), joining.register("anna")
    follow_invite(anna, guide, joining.needs)
    for _ in range(2):
        member = verify_person(anna, "王小明", NUMBERS[0], uncounted, joining.needs)

    assert member.state == "verified"
    assert place_of(guide, joining.needs).position.verified_referrals == 1


def test_two_verified_referrals_give_a_coupon_until_it_is_used(joining: Joining) -> None:
    guide = joining.register("guide")
    for openid, number in zip(("anna", "bert"), NUMBERS, strict=True):
        friend = joining.register(openid)
        follow_invite(friend, guide, joining.needs)
        verify_person(friend, "王小明", number, uncounted, joining.needs)
    coupon_id = position_of(guide, network=joining.network).coupon_id
    joining.coupons.grant(guide, coupon_id, 2_000)
    held = place_of(guide, joining.needs)
    joining.coupons.uses.revoke_unused(coupon_id)
    used = place_of(guide, joining.needs)

    assert (held.coupon_id, held.coupon_fen) == (held.position.coupon_id, 2_000)
    assert (used.coupon_id, used.coupon_fen, used.position) == (None, None, held.position)


def test_the_place_of_a_member_without_coupon_asks_for_none(joining: Joining) -> None:
    anna = joining.register("anna")
    needs = replace(joining.needs, coupons=no_coupons)

    assert place_of(anna, needs).coupon_id is None
    assert joining.network.reads == 1


def test_an_appointed_member_is_a_partner_and_stays_one(joining: Joining) -> None:
    anna = joining.register("anna")
    places = [appoint_partner(anna, "Founding partner", "key_1", joining.needs) for _ in range(2)]

    assert [place.position.standing for place in places] == ["appointed_partner"] * 2
    assert joining.network.commits == 1


def test_nobody_is_appointed_without_a_reason_or_unless_registered(joining: Joining) -> None:
    anna, gone = joining.register("anna"), joining.register("gone")
    joining.erase(gone)
    with pytest.raises(RefusedError, match="REASON_MISSING"):
        appoint_partner(anna, "  ", "key_1", joining.needs)
    for member_id in (gone, new_id("mem", NOW), "bind.mem_01kbdxdh50fcazdjhcnqh2rzv5"):
        with pytest.raises(NotFoundError):
            appoint_partner(member_id, "Founding partner", "key_1", joining.needs)

    assert joining.network.positions == {}
