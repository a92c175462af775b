"""Eighteen more networks worked out by hand from the rules, order by order and fen by fen.

All on a plan that shares no amount with the first example: price 299.00, direct 60 as distributor and 150 as partner,
team 80, peer 15 %, two make a partner. R is an appointed partner without owner. Each line of an example is what one
order credits, or one refund takes back; the network after it is named where the next line depends on it.
"""

import pytest
from msgspec.structs import replace

from cardstock.errors import RefusedError
from cardstock.network.model import OrderLine
from cardstock.network.plan import Amount, Plan
from cardstock.network.presets import CHAIN21, SINGLE_LEVEL
from cardstock.network.rewards import net_lines
from tests.people.referrals import Order, Referrals, claws_of, credits_of

pytestmark = pytest.mark.usefixtures("clock")

PRICE = 29_900
PAID = replace(
    CHAIN21,
    id="worked",
    version=1,
    price=PRICE,
    direct_distributor=Amount(6_000),
    direct_partner=Amount(15_000),
    team=Amount(8_000),
    peer_bps=1_500,
    promote_on="paid",
    on_refund="demote",
)
SETTLED = replace(PAID, promote_on="settled", on_refund="keep")
BELOW_DISTRIBUTOR = {"A": 6_000, "R": 8_000}
BELOW_PARTNER = {"A": 15_000, "R": 2_250}


def shop_of(plan: Plan) -> Referrals:
    shop = Referrals(plan)
    shop.appoint("R")
    return shop


def kit(units: int = 1, net: int | None = None) -> OrderLine:
    return OrderLine("kit", units, units * PRICE if net is None else net, qualifying=True)


def buy(shop: Referrals, buyer: str, inviter: str | None = None, *lines: OrderLine) -> Order:
    if inviter is not None:
        shop.bind(buyer, inviter)
    order = shop.place(buyer, *(lines or (kit(),)))
    shop.pay(order)
    return order


def credited(shop: Referrals, buyer: str, inviter: str | None = None, *lines: OrderLine) -> dict[str, int]:
    return credits_of(buy(shop, buyer, inviter, *lines))


def promoted(plan: Plan) -> Referrals:
    """R brought A, A brought B and C: A is a partner."""
    shop = shop_of(plan)
    for buyer, inviter in (("A", "R"), ("B", "A"), ("C", "A")):
        order = buy(shop, buyer, inviter)
        shop.settle(order)
    assert shop["A"].is_partner
    return shop


def test_two_recruits_who_pay_at_the_same_moment() -> None:
    shop = shop_of(PAID)

    assert credited(shop, "A", "R") == {"R": 15_000}
    shop.bind("B", "A")
    shop.bind("C", "A")
    one, other = shop.place("B", kit()), shop.place("C", kit())
    shop.network.rivals = [lambda: shop.pay(other)]
    shop.pay(one)
    assert credits_of(one) == BELOW_DISTRIBUTOR
    assert credits_of(other) == BELOW_DISTRIBUTOR
    assert (shop["A"].role, shop["A"].ascents, shop["A"].peer) == ("partner", 1, "R")
    assert credited(shop, "D", "A") == BELOW_PARTNER


def test_a_member_whose_recruits_rise_before_him() -> None:
    shop = shop_of(SETTLED)

    assert credited(shop, "A", "R") == {"R": 15_000}
    first, second = buy(shop, "B", "A"), buy(shop, "C", "A")
    assert credits_of(first) == credits_of(second) == BELOW_DISTRIBUTOR
    # B brings two whose windows are over before the second one of B's inviter.
    for name in ("E", "F"):
        order = buy(shop, name, "B")
        assert credits_of(order) == {"B": 6_000, "R": 8_000}
        shop.settle(order)
    assert (shop["B"].role, shop["B"].peer, shop["A"].role) == ("partner", "R", "distributor")
    assert credited(shop, "G", "B") == {"B": 15_000, "R": 2_250}
    shop.settle(first)
    shop.settle(second)
    assert (shop["A"].role, shop["A"].peer) == ("partner", "R")
    # B has left before A became one: B's peer stays R, and A earns nothing on B's people.
    assert credited(shop, "H", "B") == {"B": 15_000, "R": 2_250}
    assert credited(shop, "I", "A") == BELOW_PARTNER


def test_leaving_recruits_behind() -> None:
    shop = shop_of(PAID)
    buy(shop, "A", "R")
    shop.bind("X", "A")  # bound, and buys only when A is a partner
    buy(shop, "B", "A")
    buy(shop, "C", "A")

    assert (shop["B"].owner, shop["C"].owner) == ("R", "R")
    assert credited(shop, "D", "B") == {"B": 6_000, "R": 8_000}
    assert credited(shop, "X") == BELOW_PARTNER
    assert shop["X"].owner == "A"
    # Below X the team is A's, and R is the peer of A's team reward: 15 % of 80.
    assert credited(shop, "Y", "X") == {"X": 6_000, "A": 8_000, "R": 1_200}


def test_keeping_the_recruits_and_nobody_further_down() -> None:
    shop = shop_of(replace(PAID, leave_mode="keep_recruits"))
    buy(shop, "A", "R")
    buy(shop, "B", "A")

    assert credited(shop, "W", "B") == {"B": 6_000, "R": 8_000}
    assert credited(shop, "C", "A") == BELOW_DISTRIBUTOR
    assert (shop["B"].owner, shop["C"].owner, shop["W"].owner) == ("A", "A", "R")
    assert credited(shop, "X", "C") == {"C": 6_000, "A": 8_000, "R": 1_200}
    # W bought before: W and W's referrals stay with R.
    assert credited(shop, "V", "W") == {"W": 6_000, "R": 8_000}


def test_rising_without_leaving() -> None:
    shop = promoted(replace(PAID, leave_mode="none"))

    assert (shop["A"].owner, shop["A"].peer) == ("R", None)
    assert credited(shop, "D", "A") == {"A": 15_000}
    assert credited(shop, "E", "D") == {"D": 6_000, "A": 8_000}
    assert credited(shop, "F", "B") == {"B": 6_000, "R": 8_000}


def test_a_cap_that_cuts() -> None:
    shop = shop_of(replace(PAID, cap_bps=3_000))

    # 30 % of 299.00 is 89.70. Alone: cut from 150.
    assert credited(shop, "A", "R") == {"R": 8_970}
    # 60 and 80 wanted: 38.442 and 51.257; the last fen goes to the larger remainder.
    second = buy(shop, "B", "A")
    assert credits_of(second) == {"A": 3_844, "R": 5_126}
    assert [reward.cap_cut for reward in second.rewards] == [2_156, 2_874]
    assert credited(shop, "C", "A") == {"A": 3_844, "R": 5_126}
    # 150 and the peer's 22.50 of it, before the cut: 78.00 and 11.70.
    assert credited(shop, "D", "A") == {"A": 7_800, "R": 1_170}
    shop.refund(second, PRICE)
    assert claws_of(second) == {"A": 3_844, "R": 5_126}


def test_a_referral_undone_before_the_promotion() -> None:
    shop = shop_of(PAID)
    buy(shop, "A", "R")
    reverted = buy(shop, "B", "A")

    assert credits_of(reverted) == BELOW_DISTRIBUTOR
    shop.refund(reverted, 20_000)
    # 60 * 200 / 299 and 80 * 200 / 299, half-up.
    assert claws_of(reverted) == {"A": 4_013, "R": 5_351}
    assert shop["A"].counted == 0
    assert credited(shop, "C", "A") == BELOW_DISTRIBUTOR
    assert not shop["A"].is_partner
    assert credited(shop, "D", "A") == BELOW_DISTRIBUTOR
    assert shop["A"].is_partner
    assert credited(shop, "E", "A") == BELOW_PARTNER


def test_a_referral_undone_after_the_promotion_under_demote() -> None:
    shop = shop_of(PAID)
    buy(shop, "A", "R")
    reverted = buy(shop, "B", "A")
    buy(shop, "C", "A")

    assert shop["A"].role == "partner"
    shop.refund(reverted, PRICE)
    assert claws_of(reverted) == BELOW_DISTRIBUTOR
    assert (shop["A"].role, shop["A"].owner, shop["A"].peer) == ("distributor", "R", None)
    # The order that promotes again is paid at the role before it.
    assert credited(shop, "D", "A") == BELOW_DISTRIBUTOR
    assert (shop["A"].role, shop["A"].ascents) == ("partner", 2)
    assert credited(shop, "E", "A") == BELOW_PARTNER
    assert [event for event in shop.events if event.startswith(("promote", "demote"))] == [
        "promote.A.1", "demote.A.1", "promote.A.2",
    ]  # fmt: skip


def test_a_referral_undone_after_the_promotion_under_keep() -> None:
    shop = shop_of(SETTLED)
    buy(shop, "A", "R")
    reverted, other = buy(shop, "B", "A"), buy(shop, "C", "A")
    shop.settle(reverted)
    shop.settle(other)

    shop.refund(reverted, PRICE)
    assert claws_of(reverted) == BELOW_DISTRIBUTOR
    assert shop["A"].role == "partner"
    assert credited(shop, "D", "A") == BELOW_PARTNER


def test_oneself_and_loops() -> None:
    shop = shop_of(PAID)
    shop.bind("B", "A")
    for member, inviter, code in (("C", "C", "INVITER_SELF"), ("A", "B", "INVITER_HAS_REFERRED")):
        with pytest.raises(RefusedError, match=code):
            shop.bind(member, inviter)

    # Nobody stands above A, and A is a plain member when B buys: both orders credit nobody.
    assert credited(shop, "C") == {}
    assert credited(shop, "B") == {}
    assert credited(shop, "A") == {}
    assert credited(shop, "B") == {"A": 6_000}
    for member, inviter in (("A", "B"), ("C", "A")):
        with pytest.raises(RefusedError, match="INVITER_TOO_LATE"):
            shop.bind(member, inviter)


@pytest.mark.parametrize(("plan", "fourth"), [(PAID, BELOW_PARTNER), (SETTLED, BELOW_DISTRIBUTOR)])
def test_counting_when_paid_and_when_settled(plan: Plan, fourth: dict[str, int]) -> None:
    shop = shop_of(plan)
    buy(shop, "A", "R")
    orders = [buy(shop, name, "A") for name in ("B", "C")]

    assert [credits_of(order) for order in orders] == [BELOW_DISTRIBUTOR] * 2
    assert credited(shop, "D", "A") == fourth
    for order in orders:
        shop.settle(order)
    assert credited(shop, "E", "A") == BELOW_PARTNER


def test_what_people_buy_themselves() -> None:
    shop = promoted(PAID)

    assert credited(shop, "R") == {}
    # A partner's own order: the referrer's direct reward, and nobody's team or peer reward.
    assert credited(shop, "A") == {"R": 15_000}
    assert credited(shop, "B") == BELOW_PARTNER
    # Two kits at once: fixed amounts are per unit.
    assert credited(shop, "C", None, kit(2)) == {"A": 30_000, "R": 4_500}


def test_coupons_and_freight() -> None:
    shop = shop_of(PAID)
    buy(shop, "A", "R")
    # 299.00 and 101.00 of tea, 10.00 off by value: 7.475 and 2.525, the tie to the first line. Freight is no line.
    net = net_lines([29_900, 10_100], 1_000)
    lines = (kit(1, net[0]), OrderLine("tea", 2, net[1]))
    order = buy(shop, "B", "A", *lines)

    assert net == [29_152, 9_848]
    assert credits_of(order) == BELOW_DISTRIBUTOR
    # Half of everything by amount, 195.00: 145.76 of it from the kit, which the rewards are measured on.
    shop.refund(order, 19_500)
    assert order.refunded == (14_576, 4_924)
    assert claws_of(order) == {"A": 3_000, "R": 4_000}
    # A coupon above the goods counts as the goods: nothing paid, nothing earned, nobody qualified, binding still open.
    free = buy(shop, "C", "A", kit(1, net_lines([29_900], 50_000)[0]))
    assert credits_of(free) == {}
    assert (shop["C"].role, shop["A"].counted) == ("member", 1)


def test_a_rate_on_what_a_coupon_leaves() -> None:
    shop = Referrals(replace(SINGLE_LEVEL, version=1))
    net = net_lines([29_900, 10_100, 999], 1_000)
    lines = (kit(1, net[0]), OrderLine("tea", 2, net[1]), OrderLine("gift", 1, net[2], earns=False))

    # 729.28, 246.35, 24.37 fen of the coupon: 729, 246 and 24, the last fen to the third. 10 % of what earns.
    assert net == [29_171, 9_854, 974]
    order = buy(shop, "N", "M", *lines)
    assert credits_of(order) == {"M": 3_903}
    shop.refund(order, 20_000)
    # 145.86, 49.27 and 4.87 back; of the 390.25 that earned, 195.13: half-up of 39.03 * 195.13 / 390.25.
    assert order.refunded == (14_586, 4_927, 487)
    assert claws_of(order) == {"M": 1_952}
    shop.refund(order)
    assert claws_of(order) == {"M": 3_903}


def test_refunds_in_three_parts_add_up_to_everything() -> None:
    shop = shop_of(PAID)
    buy(shop, "A", "R")
    order = buy(shop, "B", "A", kit(3, 99_999))

    assert credits_of(order) == {"A": 18_000, "R": 24_000}
    for amount, taken in (
        (10_000, {"A": 1_800, "R": 2_400}),
        (55_555, {"A": 11_800, "R": 15_733}),
        (34_444, {"A": 18_000, "R": 24_000}),
    ):
        shop.refund(order, amount)
        assert claws_of(order) == taken


def test_a_peer_whom_the_earner_pays() -> None:
    shop = promoted(replace(PAID, peer_funding="earner"))

    assert credited(shop, "D", "A") == {"A": 12_750, "R": 2_250}
    assert credited(shop, "E", "D") == {"D": 6_000, "A": 6_800, "R": 1_200}


def test_a_binding_that_has_lapsed() -> None:
    shop = shop_of(replace(PAID, binding_days=30))
    buy(shop, "A", "R")
    shop.bind("B", "A")

    shop.tick(days=31)
    # The direct reward has stopped, the team's has not, and B counts for A all the same.
    assert credited(shop, "B") == {"R": 8_000}
    assert shop["A"].counted == 1
    assert credited(shop, "C", "A") == BELOW_DISTRIBUTOR
    assert credited(shop, "D", "A") == BELOW_PARTNER


def test_an_inviter_who_has_not_bought_himself() -> None:
    shop = shop_of(PAID)
    shop.bind("A", "R")

    # A plain member earns nothing where earners must be qualified, and the member's referrals count meanwhile.
    assert credited(shop, "B", "A") == {"R": 8_000}
    assert credited(shop, "C", "A") == {"R": 8_000}
    assert (shop["A"].role, shop["A"].counted) == ("member", 2)
    # The member's own purchase promotes twice; it is paid at the role before it.
    assert credited(shop, "A") == {"R": 15_000}
    assert (shop["A"].role, shop["A"].peer) == ("partner", "R")
    assert credited(shop, "D", "A") == BELOW_PARTNER
