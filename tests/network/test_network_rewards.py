"""What an order pays, and what refunds take back, fen by fen."""

import pytest
from msgspec.structs import replace

from cardstock.errors import RefusedError
from cardstock.network.model import LineRefunds, OrderLine, Person, Snapshot
from cardstock.network.plan import NOTHING, Amount, Plan
from cardstock.network.presets import FREE_ORDER, SINGLE_LEVEL, UNLOCK
from cardstock.network.rewards import (
    clawed,
    dividend,
    explain,
    net_lines,
    nothing_refunded,
    refund_amount,
    refund_units,
    rewards_for,
)
from tests.people.referrals import EXAMPLE

R = Person("mem_r", "partner")
A = Person("mem_a", "distributor")
KIT = OrderLine("kit", 1, 49_900, qualifying=True)


def paid(lines: tuple[OrderLine, ...], snapshot: Snapshot, plan: Plan = EXAMPLE) -> list[tuple[str, str, int]]:
    return [(reward.kind, reward.member_id, reward.amount) for reward in rewards_for(lines, snapshot, plan)]


def under(referrer: Person | None = None, owner: Person | None = None, peer: Person | None = None) -> Snapshot:
    return Snapshot("chain21", 1, referrer=referrer, owner=owner, peer=peer)


def test_a_partner_earns_the_direct_reward_alone_on_a_referral() -> None:
    assert paid((KIT,), under(R, R)) == [("direct", "mem_r", 30_000)]


def test_a_distributor_and_the_team_owner_share_an_order() -> None:
    assert paid((KIT,), under(A, R)) == [("direct", "mem_a", 10_000), ("team", "mem_r", 20_000)]


def test_the_peer_of_the_partner_who_earns_gets_a_share_of_that_reward() -> None:
    partner = replace(A, role="partner")

    assert paid((KIT,), under(partner, partner, R)) == [("direct", "mem_a", 30_000), ("peer", "mem_r", 3_000)]
    assert paid((KIT,), under(A, R, Person("mem_q", "partner"))) == [
        ("direct", "mem_a", 10_000),
        ("team", "mem_r", 20_000),
        ("peer", "mem_q", 2_000),
    ]


def test_a_peer_who_is_no_partner_any_more_gets_nothing() -> None:
    assert paid((KIT,), under(R, R, A)) == [("direct", "mem_r", 30_000)]


def test_a_plain_referrer_earns_only_where_anyone_does_and_the_owner_earns_either_way() -> None:
    plain = replace(A, role="member")

    assert paid((KIT,), under(plain, R)) == [("team", "mem_r", 20_000)]
    assert paid((KIT,), under(plain, R), replace(EXAMPLE, earners="anyone")) == [
        ("direct", "mem_a", 10_000),
        ("team", "mem_r", 20_000),
    ]


def test_without_owner_the_team_reward_stays_with_the_brand() -> None:
    assert paid((KIT,), under(A)) == [("direct", "mem_a", 10_000)]
    assert paid((KIT,), under()) == []


def test_erased_people_earn_nothing_and_nobody_moves_up() -> None:
    gone = replace(R, erased=True)

    assert paid((KIT,), under(replace(A, erased=True), R)) == [("team", "mem_r", 20_000)]
    assert paid((KIT,), under(gone, gone, Person("mem_q", "partner"))) == []
    assert paid((KIT,), under(A, gone, Person("mem_q", "partner"))) == [("direct", "mem_a", 10_000)]
    assert paid((KIT,), under(R, R, replace(gone, id="mem_q"))) == [("direct", "mem_r", 30_000)]


def test_after_the_binding_period_only_the_direct_reward_stops() -> None:
    lapsed = replace(under(A, R, Person("mem_q", "partner")), lapsed=True)

    assert paid((KIT,), lapsed) == [("team", "mem_r", 20_000), ("peer", "mem_q", 2_000)]


def test_the_buyer_earns_nothing_even_if_the_snapshot_names_him() -> None:
    rewards = rewards_for((KIT,), under(A, R), EXAMPLE, buyer_id="mem_r")

    assert [reward.member_id for reward in rewards] == ["mem_a"]


def test_fixed_amounts_count_units_of_qualifying_lines_that_were_paid() -> None:
    lines = (
        replace(KIT, units=3, net=149_700),
        OrderLine("tea", 5, 5_000),
        OrderLine("gift", 1, 0, qualifying=True),
        OrderLine("kit-2", 1, 49_900, qualifying=True, earns=False),
    )

    assert paid(lines, under(R, R)) == [("direct", "mem_r", 90_000)]


def test_rates_count_all_paid_lines_that_earn_and_round_once() -> None:
    plan = replace(EXAMPLE, direct_partner=Amount(1_000, "bps"))
    lines = (OrderLine("a", 1, 1_004), OrderLine("b", 1, 1_004), OrderLine("c", 9, 99_999, earns=False))

    # 200.8 rounds to 201; line by line it would be 100 + 100.
    assert paid(lines, under(R, R), plan) == [("direct", "mem_r", 201)]


def test_a_reward_never_exceeds_what_was_paid_for_its_lines_and_the_peer_is_measured_after_that() -> None:
    cheap = (replace(KIT, net=15_000), OrderLine("tea", 1, 100_000))

    # Direct is limited to 15 000; with the peer's 1 500 the sum is again limited to the 15 000 paid for that line.
    assert paid(cheap, under(R, R, Person("mem_q", "partner"))) == [
        ("direct", "mem_r", 13_636),
        ("peer", "mem_q", 1_364),
    ]


def test_two_rewards_on_different_lines_are_limited_to_the_union_of_those_lines() -> None:
    plan = replace(EXAMPLE, direct_distributor=Amount(9_000, "bps"))
    lines = (replace(KIT, net=20_000), OrderLine("tea", 1, 1_000))

    # Direct 90 % of 21 000 = 18 900, team 20 000: together scaled to 21 000.
    assert paid(lines, under(A, R), plan) == [("direct", "mem_a", 10_203), ("team", "mem_r", 10_797)]


def test_the_cap_scales_all_rewards_with_the_largest_remainder_and_keeps_what_it_cut() -> None:
    rewards = rewards_for((KIT,), under(A, R, Person("mem_q", "partner")), replace(EXAMPLE, cap_bps=3_000))

    assert [(r.kind, r.full, r.amount, r.cap_cut) for r in rewards] == [
        ("direct", 10_000, 4_678, 5_322),
        ("team", 20_000, 9_356, 10_644),
        ("peer", 2_000, 936, 1_064),
    ]
    assert sum(r.amount for r in rewards) == 14_970


def test_ties_of_the_cap_go_to_the_direct_reward_first() -> None:
    plan = replace(EXAMPLE, direct_distributor=Amount(100), team=Amount(100), cap_bps=1)
    rewards = rewards_for((replace(KIT, net=10_000),), under(A, R), plan)

    assert [(r.kind, r.amount) for r in rewards] == [("direct", 1), ("team", 0)]


def test_a_reward_cut_to_zero_keeps_its_row() -> None:
    rewards = rewards_for((KIT,), under(A, R), replace(EXAMPLE, cap_bps=0))

    assert [(r.kind, r.amount, r.cap_cut) for r in rewards] == [("direct", 0, 10_000), ("team", 0, 20_000)]


def test_the_cap_is_taken_of_the_whole_order_and_floored() -> None:
    plan = replace(EXAMPLE, cap_bps=3_333)
    lines = (KIT, OrderLine("tea", 1, 101, earns=False))

    # 3 333 bps of 50 001 is 16 665.33.
    assert sum(amount for _, _, amount in paid(lines, under(A, R), plan)) == 16_665


def test_the_earner_can_pay_for_the_peer() -> None:
    plan = replace(EXAMPLE, peer_funding="earner")

    assert paid((KIT,), under(A, R, Person("mem_q", "partner")), plan) == [
        ("direct", "mem_a", 10_000),
        ("team", "mem_r", 18_000),
        ("peer", "mem_q", 2_000),
    ]


def test_one_level_pays_neither_team_nor_peer() -> None:
    plan = replace(EXAMPLE, max_levels=1)

    assert paid((KIT,), under(A, R, Person("mem_q", "partner")), plan) == [("direct", "mem_a", 10_000)]


def test_presets_without_cash_pay_nothing_and_single_level_pays_anyone() -> None:
    plain = Person("mem_a", "member")

    assert paid((KIT,), under(plain, R), UNLOCK) == []
    assert paid((KIT,), under(plain, R), FREE_ORDER) == []
    assert paid((KIT,), under(plain, R), SINGLE_LEVEL) == [("direct", "mem_a", 4_990)]


def test_coupons_spread_by_value_and_freight_is_no_line() -> None:
    assert net_lines([10_000, 10_000, 10_000], 100) == [9_966, 9_967, 9_967]
    assert net_lines([300, 0, 700], 1_000_000) == [0, 0, 0]
    assert net_lines([300, 700], 0) == [300, 700]


def test_rewards_are_reckoned_on_what_a_coupon_leaves() -> None:
    plan = replace(EXAMPLE, direct_partner=Amount(1_000, "bps"))
    first, second = net_lines([40_000, 20_000], 6_000)
    lines = (replace(KIT, net=first), OrderLine("tea", 2, second))

    assert (first, second) == (36_000, 18_000)
    assert paid(lines, under(R, R), plan) == [("direct", "mem_r", 5_400)]


def test_a_partial_refund_takes_the_half_up_share() -> None:
    direct, team = rewards_for((KIT,), under(A, R), EXAMPLE)
    refunded = refund_amount((KIT,), nothing_refunded((KIT,)), 19_900).fen

    assert clawed(direct, refunded) == 3_988
    assert clawed(team, refunded) == 7_976


def test_refunds_add_up_to_everything_in_any_split() -> None:
    line = replace(KIT, units=3, net=100_000)
    (reward,) = rewards_for((line,), under(R, R), replace(EXAMPLE, direct_partner=Amount(100)))
    done, seen = nothing_refunded((line,)), []
    for _ in range(3):
        done = refund_units((line,), done, {0: 1})
        seen.append((done.fen[0], clawed(reward, done.fen)))

    assert seen == [(33_333, 100), (66_667, 200), (100_000, 300)]


def test_a_refund_of_lines_that_a_reward_is_not_measured_on_takes_nothing_of_it() -> None:
    lines = (KIT, OrderLine("tea", 1, 10_000))
    (reward,) = rewards_for(lines, under(R, R), EXAMPLE)
    done = refund_units(lines, nothing_refunded(lines), {1: 1})

    assert done.fen == (0, 10_000)
    assert clawed(reward, done.fen) == 0


def test_an_amount_without_lines_is_spread_over_what_is_left_of_all_lines() -> None:
    lines = (replace(KIT, units=2, net=60_000), OrderLine("tea", 1, 30_001))
    done = refund_units(lines, nothing_refunded(lines), {0: 1})

    assert refund_amount(lines, done, 1_000).fen == (30_500, 500)
    assert refund_amount(lines, done, 60_001).fen == (60_000, 30_001)


def test_more_than_was_paid_is_refused_whole() -> None:
    lines = (replace(KIT, units=2), OrderLine("tea", 1, 100))
    done = refund_units(lines, nothing_refunded(lines), {0: 1})
    (reward,) = rewards_for((KIT,), under(R, R), EXAMPLE)

    for wrong in ({0: 2}, {1: 1, 0: 2}, {2: 1}, {0: 0}, {0: -1}):
        with pytest.raises(RefusedError, match="REFUND_EXCEEDS_PAID"):
            refund_units(lines, done, wrong)
    for amount in (0, -1, 50_000):
        with pytest.raises(RefusedError, match="REFUND_EXCEEDS_PAID"):
            refund_amount(lines, done, amount)
    with pytest.raises(RefusedError, match="REFUND_EXCEEDS_PAID"):
        clawed(reward, (49_901,))


def test_a_unit_gives_back_its_share_or_what_amounts_have_left_of_its_line() -> None:
    lines = (replace(KIT, units=2, net=100), OrderLine("tea", 1, 100))
    done = LineRefunds((0, 0), (30, 40))  # 70 were given back without units

    once = refund_units(lines, done, {0: 1, 1: 1})
    assert once.fen == (80, 100)
    assert refund_units(lines, once, {0: 1}).fen == (100, 100)


def test_every_kind_of_reward_is_explained_due_or_not() -> None:
    def outcomes(snapshot: Snapshot, plan: Plan = EXAMPLE, lines: tuple[OrderLine, ...] = (KIT,)) -> list[str]:
        return [case.outcome for case in explain(lines, snapshot, plan, buyer_id="mem_x").cases]

    plain = replace(A, role="member")
    assert outcomes(under()) == ["nobody", "nobody", "no_earning_partner"]
    assert outcomes(under(A, R)) == ["earned", "earned", "nobody"]
    assert outcomes(under(R, R, A)) == ["earned", "referrer_is_partner", "peer_not_partner"]
    assert outcomes(under(plain, A)) == ["not_qualified", "owner_not_partner", "no_earning_partner"]
    assert outcomes(replace(under(A, R), lapsed=True))[0] == "binding_over"
    assert outcomes(under(replace(A, erased=True), replace(R, erased=True)))[:2] == ["erased", "erased"]
    assert outcomes(under(A, R), replace(EXAMPLE, cap_bps=0))[:2] == ["cut_to_zero", "cut_to_zero"]
    assert outcomes(under(A, R), lines=(OrderLine("tea", 1, 100),))[:2] == ["nothing_measured", "nothing_measured"]
    assert outcomes(under(A, R), replace(EXAMPLE, team=NOTHING, peer_bps=0))[1:] == ["not_in_plan", "not_in_plan"]
    assert outcomes(under(Person("mem_x", "distributor"), Person("mem_x", "partner")))[:2] == ["own_order", "own_order"]


def test_an_explanation_names_rule_rate_cap_and_limit() -> None:
    told = explain((KIT,), under(A, R), replace(EXAMPLE, cap_bps=3_000))
    reward = told.cases[0].reward

    assert reward is not None
    assert (told.plan, told.net, told.cap, told.limit) == ("chain21@1", 49_900, 14_970, 14_970)
    assert (reward.rule, reward.rate, reward.role, reward.base) == (
        "direct_distributor",
        Amount(10_000),
        "distributor",
        49_900,
    )
    assert told.cases[0].edge == "referrer"


def test_a_dividend_divides_its_pool_exactly() -> None:
    plan = replace(EXAMPLE, dividend_bps=200)

    assert dividend(plan, 100_049, {"mem_a": 1, "mem_b": 1, "mem_c": 1}) == {"mem_a": 667, "mem_b": 667, "mem_c": 666}
    assert dividend(plan, 100_000, {}) == {}
    assert dividend(EXAMPLE, 100_000, {"mem_a": 1}) == {}


def test_a_snapshot_survives_its_compact_form_and_is_small() -> None:
    long = "mem_" + "0" * 26
    full = Snapshot(
        "chain21",
        12,
        "distributor",
        Person(long, "distributor"),
        Person(long, "partner", True),
        Person(long, "partner"),
        True,
    )

    for snapshot in (full, under(R, R), under(), replace(full, owner=None)):
        assert Snapshot.from_compact(snapshot.to_compact()) == snapshot
    assert len(str(full.to_compact())) < 180
