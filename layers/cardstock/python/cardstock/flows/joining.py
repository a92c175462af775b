"""Members join the referral network: by an invite, by verifying their identity, or by an operator's appointment.

An invite is a member id or the key of a shared card. A login with an invite registers the member and binds the inviter
in one transaction (`members.store`); every other step between members and the network is here.
"""

from collections.abc import Callable

import msgspec

from cardstock.cards.ports import Cards
from cardstock.cards.sharing import owner_of_key
from cardstock.flows import merging
from cardstock.limits import CountUse
from cardstock.members import changing_phone, identity, inviting, login
from cardstock.members.changing_phone import PhoneRequest
from cardstock.members.consent_model import Versions
from cardstock.members.login import LoginNeeds, LoginRequest, LoginResult
from cardstock.members.model import MEMBER_ID, Member
from cardstock.members.ports import IdentityVerifier, Members, Merges
from cardstock.members.profile import find_member
from cardstock.network import binding, coupons, promotion
from cardstock.network.deciding import position_of
from cardstock.network.model import Place, Position
from cardstock.network.ports import Network
from cardstock.orders.ports import Coupons


class JoiningNeeds(msgspec.Struct, frozen=True):
    """The ports of joining. `coupons` is called only when needed: its import is slow, and few members have a coupon."""

    members: Members
    verifier: Callable[[], IdentityVerifier | None]
    versions: Callable[[], Versions]
    network: Network
    cards: Cards
    merges: Merges
    coupons: Callable[[], Coupons]


class NetworkInviters:
    """`members.ports.Inviters` by the referral network and the keys of cards."""

    def __init__(self, needs: JoiningNeeds) -> None:
        self._members = needs.members
        self._network = needs.network
        self._cards = needs.cards

    def member_behind(self, invite: str) -> str | None:
        member_id = invite if MEMBER_ID.fullmatch(invite) else owner_of_key(invite, cards=self._cards)
        # The network accepts any id as a member's, so check here that the member exists.
        member = self._members.find_member(member_id) if member_id else None
        return member.id if member and member.state != "erased" else None

    def bind_inviter(self, member_id: str, inviter_id: str) -> None:
        binding.bind_inviter(member_id, inviter_id, network=self._network)


def place_of(member_id: str, needs: JoiningNeeds) -> Place:
    """The member's place now. One read; three more for a member with a coupon, to see whether it was used."""
    return place_at(position_of(member_id, network=needs.network), needs.coupons)


def follow_invite(member_id: str, invite: str, needs: JoiningNeeds) -> Place:
    """Bind the member to the inviter behind `invite`, and return the member's place. A repeat changes nothing.

    Raises `RefusedError` (INVITER_...).
    """
    inviting.follow_invite(member_id, invite, inviters=NetworkInviters(needs))
    return place_of(member_id, needs)


def log_in(request: LoginRequest, needs: LoginNeeds, merges: merging.MergeNeeds) -> LoginResult:
    """Log in; whoever comes back after closing an account counts as the same person from then on.

    Nobody has the session before that: a log-in that was interrupted is done again. Raises what `members.login.log_in`
    raises, and `RefusedError` MERGED_TOO_MANY when a person has closed too many accounts.
    """
    result = login.log_in(request, needs)
    if not set(result.member.former) <= set(result.member.same_person):
        merging.join_verified(result.member.id, merges)
    return result


def change_phone(request: PhoneRequest, needs: LoginNeeds, merges: merging.MergeNeeds) -> Member:
    """Change the telephone number; a closed account whose number it was counts as the same person from then on.

    Raises what `members.changing_phone.change_phone` raises, and `RefusedError` MERGED_TOO_MANY.
    """
    member = changing_phone.change_phone(request, needs)
    if not set(member.former) <= set(member.same_person):
        merging.join_verified(member.id, merges)
    return member


def verify_person(member_id: str, name: str, number: str, count: CountUse, needs: JoiningNeeds) -> Member:
    """Verify the member's identity, and count a verified referral for the referrer, once for each person. A repeat
    changes nothing.

    Raises what `members.identity.verify_person` raises.
    """
    member = identity.verify_person(
        member_id, name, number, count, members=needs.members, verifier=needs.verifier(), versions=needs.versions()
    )
    merging.join_verified(member.id, merging.MergeNeeds(needs.merges, needs.network))
    coupons.count_verified(member.id, network=needs.network)
    return member


def appoint_partner(member_id: str, reason: str, actor: str, needs: JoiningNeeds) -> Place:
    """Make the member a partner whom no rule demotes; `actor` and `reason` are stored. A repeat changes nothing.

    Raises `NotFoundError` for an unknown member, `RefusedError` (REASON_MISSING).
    """
    member = find_member(member_id, members=needs.members)
    position = promotion.appoint_partner(member.id, reason, actor, network=needs.network)
    return place_at(position, needs.coupons)


def place_at(position: Position, coupons: Callable[[], Coupons]) -> Place:
    """The place of a position: with the coupon that can be used now, if there is one."""
    coupon = coupons().find_coupon(position.id, position.coupon_id) if position.coupon == "granted" else None
    return Place(position, coupon.id, coupon.fen) if coupon else Place(position)
