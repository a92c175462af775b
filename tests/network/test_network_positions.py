"""Bindings, owners, roles and promotions, as stories in a small network."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from cardstock.errors import NotFoundError, RefusedError, UnavailableError
from cardstock.network.coupons import count_verified
from cardstock.network.deciding import position_of
from cardstock.network.model import OrderLine, Person, Position
from cardstock.network.plan import MAX_PROMOTE_N, Plan
from cardstock.network.presets import FREE_ORDER, UNLOCK
from cardstock.network.promotion import appoint_partner
from tests.people.referrals import EXAMPLE, Referrals, claws_of, credits_of

pytestmark = pytest.mark.usefixtures("clock")

SETTLED = replace(EXAMPLE, promote_on="settled", on_refund="keep")


def founded(plan: Plan = EXAMPLE) -> Referrals:
    """A network whose founder R is an appointed partner without owner."""
    shop = Referrals(plan)
    shop.appoint("R")
    return shop


def risen(plan: Plan = EXAMPLE) -> Referrals:
    """The worked example after its third step: A, brought by R, has brought B and C and is a partner."""
    shop = founded(plan)
    for buyer, inviter in (("A", "R"), ("B", "A"), ("C", "A")):
        shop.settle(shop.buy(buyer, inviter))
    return shop


def test_the_worked_example_pays_to_the_fen() -> None:
    shop = founded()

    first = shop.buy("A", "R")
    assert credits_of(first) == {"R": 30_000}
    assert (shop["A"].role, shop["A"].owner) == ("distributor", "R")

    second = shop.buy("B", "A")
    assert credits_of(second) == {"A": 10_000, "R": 20_000}
    assert (shop["B"].role, shop["B"].owner) == ("distributor", "R")

    third = shop.buy("C", "A")
    assert credits_of(third) == {"A": 10_000, "R": 20_000}
    assert (shop["A"].role, shop["A"].owner, shop["A"].peer) == ("partner", None, "R")
    assert (shop["B"].owner, shop["C"].owner) == ("R", "R")

    fourth = shop.buy("D", "A")
    assert credits_of(fourth) == {"A": 30_000, "R": 3_000}
    assert shop["D"].owner == "A"

    shop.refund(third, 19_900)
    assert claws_of(third) == {"A": 3_988, "R": 7_976}
    assert shop["A"].role == "partner"


def test_two_recruits_who_pay_at_the_same_moment_promote_once() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.bind("B", "A")
    shop.bind("C", "A")
    one, other = shop.place("B"), shop.place("C")
    shop.network.rivals = [lambda: shop.pay(other)]

    told = shop.pay(one)

    assert [event.id for event in shop.events.values() if event.kind == "promote"] == ["promote.A.1"]
    assert [event.id for event in told] == ["promote.A.1"]
    assert (shop["A"].counted, shop["A"].ascents, shop["A"].first) == (2, 1, ("C", "B"))
    assert credits_of(one) == credits_of(other) == {"A": 10_000, "R": 20_000}


def test_a_writer_who_always_loses_gives_up_and_says_so() -> None:
    shop = founded()
    shop.bind("A", "R")
    order = shop.place("A")

    def meddle() -> None:
        shop.network.positions["A"] = replace(shop["A"], rev=shop["A"].rev + 1)

    shop.network.rivals = [meddle] * 50

    with pytest.raises(UnavailableError, match="STORE_BUSY"):
        shop.pay(order)


def test_recruits_promoted_before_their_inviter_stay_partners_of_their_own() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.buy("B", "A")
    for buyer in ("B1", "B2"):
        shop.buy(buyer, "B")
    assert (shop["B"].role, shop["B"].peer) == ("partner", "R")

    shop.buy("C", "A")
    assert (shop["A"].role, shop["A"].peer) == ("partner", "R")
    assert shop["B"].peer == "R"
    assert credits_of(shop.buy("B3", "B")) == {"B": 30_000, "R": 3_000}


def test_under_leave_recruits_those_who_have_not_bought_become_the_partner_s_team() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.bind("X", "A")
    assert shop["X"].owner == "R"
    shop.buy("B", "A")
    shop.buy("C", "A")

    order = shop.buy("X")

    assert credits_of(order) == {"A": 30_000, "R": 3_000}
    assert shop["X"].owner == "A"


def test_under_keep_recruits_the_first_two_who_are_no_partners_become_the_partner_s_team() -> None:
    shop = founded(replace(EXAMPLE, leave_mode="keep_recruits"))
    shop.buy("A", "R")
    shop.buy("B", "A")
    shop.buy("E", "B")
    shop.buy("C", "A")

    assert (shop["A"].owner, shop["A"].peer) == (None, "R")
    assert [shop[name].owner for name in "BCE"] == ["A", "A", "R"]
    assert shop.events["promote.A.1"].details["moved"] == {"B": "R", "C": "R"}
    assert credits_of(shop.buy("F", "B")) == {"B": 10_000, "A": 20_000, "R": 2_000}


def test_under_keep_recruits_a_recruit_who_is_a_partner_stays() -> None:
    shop = founded(replace(EXAMPLE, leave_mode="keep_recruits"))
    shop.buy("A", "R")
    shop.buy("B", "A")
    shop.buy("B1", "B")
    shop.buy("B2", "B")
    shop.buy("C", "A")

    assert (shop["B"].role, shop["B"].owner, shop["B"].peer) == ("partner", None, "R")
    assert shop["C"].owner == "A"


def test_an_order_told_again_takes_nobody_out_of_the_team_into_which_a_promotion_put_them() -> None:
    shop = founded(replace(EXAMPLE, leave_mode="keep_recruits", promote_n=1))
    shop.buy("A", "R")
    shop.bind("B", "A")
    purchase, tea = shop.place("B"), shop.place("B", OrderLine("tea", 1, 100))
    for order in (purchase, tea):
        # The owner whom both tell is another one than at the binding.
        snapshot = replace(order.facts.snapshot, owner=Person("X", "partner"))
        order.facts = replace(order.facts, snapshot=snapshot, paid_at=order.facts.placed_at)
    shop.count(tea.facts)
    shop.count(purchase.facts)
    assert shop["B"].owner == "A"
    shop.refund(purchase)
    before = shop["B"]

    shop.count(tea.facts)

    assert shop["B"] == before


def test_under_keep_recruits_a_third_who_counted_before_the_promotion_stays_and_so_does_an_erased_one() -> None:
    shop = founded(replace(EXAMPLE, leave_mode="keep_recruits"))
    shop.bind("A", "R")
    for name in "BCD":
        shop.buy(name, "A")
    shop.erase("B")

    shop.buy("A")

    assert (shop["A"].role, [shop[name].owner for name in "BCD"]) == ("partner", ["R", "A", "R"])


def test_under_leave_mode_none_a_partner_keeps_the_owner_and_has_no_peer() -> None:
    shop = founded(replace(EXAMPLE, leave_mode="none"))
    shop.buy("A", "R")
    shop.buy("B", "A")
    shop.buy("C", "A")

    assert (shop["A"].role, shop["A"].owner, shop["A"].peer) == ("partner", "R", None)
    assert [shop[name].owner for name in "BC"] == ["R", "R"]
    assert credits_of(shop.buy("D", "A")) == {"A": 30_000}


def test_a_member_may_not_be_the_own_inviter_nor_be_brought_twice_nor_by_somebody_unknown() -> None:
    shop = founded()
    shop.bind("A", "R")

    with pytest.raises(RefusedError, match="INVITER_SELF"):
        shop.bind("X", "X")
    with pytest.raises(RefusedError, match="INVITER_BOUND"):
        shop.bind("A", "B")
    shop.erase("E")
    with pytest.raises(RefusedError, match="INVITER_UNKNOWN"):
        shop.bind("X", "E")
    with pytest.raises(RefusedError, match="MEMBER_CLOSING"):
        shop.bind("E", "R")
    assert shop["X"].referrer is None


def test_binding_to_the_same_inviter_again_changes_nothing() -> None:
    shop = founded()
    shop.bind("A", "R")
    before = (dict(shop.network.positions), shop.network.items_written)

    assert shop.bind("A", "R") == shop["A"]

    assert (shop.network.positions, shop.network.items_written) == before


def test_who_has_brought_somebody_can_not_be_brought_so_no_loop_arises() -> None:
    shop = Referrals()
    shop.bind("B", "A")
    shop.bind("C", "B")

    with pytest.raises(RefusedError, match="INVITER_HAS_REFERRED"):
        shop.bind("A", "C")
    with pytest.raises(RefusedError, match="INVITER_HAS_REFERRED"):
        shop.bind("A", "B")


def test_two_who_bind_to_each_other_at_the_same_moment_make_no_loop() -> None:
    shop = Referrals()
    shop.network.rivals = [lambda: shop.bind("B", "A")]

    with pytest.raises(RefusedError, match="INVITER_HAS_REFERRED"):
        shop.bind("A", "B")
    assert (shop["A"].referrer, shop["B"].referrer) == (None, "A")


def test_the_first_paid_order_closes_binding_and_one_with_nothing_paid_does_not() -> None:
    shop = founded()
    free = shop.place("A", OrderLine("kit", 1, 0, qualifying=True))
    shop.pay(free)
    assert shop["A"].role == "member"
    shop.bind("A", "R")

    shop.pay(shop.place("B", OrderLine("tea", 1, 1)))

    with pytest.raises(RefusedError, match="INVITER_TOO_LATE"):
        shop.bind("B", "R")


def test_an_order_placed_before_the_binding_stays_without_referrer_and_fixes_no_owner() -> None:
    shop = founded()
    order = shop.place("A")
    shop.bind("A", "R")
    shop.pay(order)

    assert credits_of(order) == {}
    assert (shop["A"].role, shop["A"].owner_edge, shop["R"].counted) == ("distributor", "provisional", 0)

    again = shop.buy("A")
    assert credits_of(again) == {"R": 30_000}
    assert (shop["A"].owner_edge, shop["A"].owner, shop["R"].counted) == ("fixed", "R", 1)


def test_the_snapshot_holds_not_the_moment_of_payment() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.buy("B", "A")
    shop.bind("X", "A")
    early = shop.place("X")
    shop.buy("C", "A")
    assert shop["A"].role == "partner"

    shop.pay(early)

    assert credits_of(early) == {"A": 10_000, "R": 20_000}
    assert shop["X"].owner == "R"


def test_later_changes_do_not_rewrite_a_fixed_owner() -> None:
    shop = risen()
    again = shop.buy("B")

    # B stays in R's team, and A earns as the partner who brought B.
    assert shop["B"].owner == "R"
    assert credits_of(again) == {"A": 30_000, "R": 3_000}


def test_a_paid_order_that_qualifies_nobody_refreshes_the_owner_without_fixing_it() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.bind("X", "A")
    shop.buy("B", "A")
    shop.buy("C", "A")
    shop.pay(shop.place("X", OrderLine("tea", 1, 5_000)))
    shop.bind("Y", "X")

    assert (shop["X"].role, shop["X"].owner, shop["X"].owner_edge) == ("member", "A", "provisional")
    assert shop["Y"].owner == "A"


def test_an_order_that_puts_its_buyer_into_another_team_leaves_an_event() -> None:
    shop = founded()
    shop.buy("A", "R")
    for name in "XY":
        shop.bind(name, "A")
    shop.buy("B", "A")
    shop.buy("C", "A")
    tea = shop.place("X", OrderLine("tea", 1, 5_000))
    shop.pay(tea)
    kit = shop.buy("Y")
    shop.buy("X")
    shop.count(tea.facts)

    moves = {event.id: event for event in shop.events.values() if event.kind == "owner"}
    assert {name: (event.member_id, event.details) for name, event in moves.items()} == {
        f"owner.{tea.id}": ("X", {"owner": "A", "before": "R"}),
        f"owner.{kit.id}": ("Y", {"owner": "A", "before": "R"}),
    }


def test_an_order_tells_its_owner_once_even_if_what_fixed_another_one_is_returned() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.bind("X", "A")
    kit = shop.place("X")
    shop.buy("B", "A")
    shop.buy("C", "A")
    tea = shop.place("X", OrderLine("tea", 1, 5_000))
    shop.pay(tea)
    shop.pay(kit)
    shop.refund(kit)
    shop.refund(tea)

    # The kit was placed under R, and nothing has told another owner since.
    assert (shop["X"].owner, shop["X"].owner_edge) == ("R", "provisional")
    assert [event for event in shop.events if event.startswith("owner")] == [f"owner.{tea.id}", f"owner.{kit.id}"]
    shop.buy("X")
    assert shop["X"].owner == "A"


def test_an_order_whose_return_was_heard_of_too_early_may_tell_its_owner_again() -> None:
    shop = founded(SETTLED)
    shop.buy("A", "R")
    shop.bind("X", "A")
    shop.appoint("A")
    kit = shop.place("X")
    kit.facts = replace(kit.facts, paid_at=shop.tick())
    settled_at = shop.tick()
    shop.refund(kit)
    shop.network.positions["A"] = replace(shop["A"], standing="distributor", membership="in_team", owner="R", peer=None)
    shop.pay(shop.place("X", OrderLine("tea", 1, 5_000)))
    between = shop["X"].owner

    shop.count(replace(kit.facts, settled_at=settled_at))

    assert (between, shop["X"].owner, shop["X"].role) == ("R", "A", "distributor")
    assert [event for event in shop.events if event.startswith("owner")] == [
        f"owner.{kit.id}", "owner.ord_3", f"owner.{kit.id}.2",
    ]  # fmt: skip


def test_an_older_order_that_is_paid_late_does_not_bring_back_an_older_owner() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.bind("X", "A")
    early = shop.place("X", OrderLine("tea", 1, 5_000))
    shop.buy("B", "A")
    shop.buy("C", "A")
    late = shop.place("X", OrderLine("tea", 1, 5_000))
    shop.pay(late)
    shop.pay(early)

    assert shop["X"].owner == "A"


def test_an_owner_who_is_demoted_later_stays_stored_and_has_the_team_back_when_rising() -> None:
    shop = risen()
    shop.buy("D", "A")
    shop.network.positions["A"] = replace(shop["A"], standing="distributor", membership="in_team", owner="R", peer=None)
    again = shop.buy("D")

    assert credits_of(again) == {"A": 10_000, "R": 20_000}
    assert shop["D"].owner == "A"
    shop.buy("E", "A")
    shop.bind("D1", "D")
    assert credits_of(shop.buy("D1")) == {"D": 10_000, "A": 20_000, "R": 2_000}


def test_the_owner_of_somebody_far_below_is_found_in_one_step() -> None:
    shop = founded()
    shop.bind("M1", "R")
    for level in range(2, 40):
        shop.bind(f"M{level}", f"M{level - 1}")
    reads = shop.network.reads
    order = shop.buy("M39")

    assert credits_of(order) == {"R": 20_000}
    assert shop.network.reads - reads <= 5


def test_a_demoted_owner_is_replaced_by_the_next_owner_and_never_by_a_second_step() -> None:
    shop = founded()
    shop.appoint("Q")
    shop.network.positions |= {
        "A": Position("A", 1, referrer="R", owner="R", standing="distributor", qualifying=1, owner_edge="fixed"),
        "D": Position("D", 1, referrer="A", owner="A", standing="distributor", qualifying=1, owner_edge="fixed"),
    }
    shop.bind("Y", "D")
    assert shop["Y"].owner == "R"
    assert credits_of(shop.place("Y")) == {"D": 10_000, "R": 20_000}
    assert credits_of(shop.place("D")) == {"A": 10_000, "R": 20_000}

    shop.network.positions["R"] = Position(
        "R", shop["R"].rev, owner="Q", standing="distributor", qualifying=1, owner_edge="fixed"
    )

    assert credits_of(shop.place("Y")) == {"D": 10_000}
    assert credits_of(shop.place("D")) == {"A": 10_000}


def test_a_binding_below_a_demoted_owner_takes_that_ones_owner() -> None:
    shop = founded()
    shop.buy("A", "R")
    b, c = shop.buy("B", "A"), shop.buy("C", "A")
    shop.buy("D", "A")
    shop.refund(b)
    assert shop["A"].role == "partner"
    shop.refund(c)
    assert (shop["A"].role, shop["D"].owner) == ("distributor", "A")

    shop.bind("Y", "D")

    assert shop["Y"].owner == "R"


def test_under_settled_nobody_counts_before_the_return_window_has_passed() -> None:
    shop = founded(SETTLED)
    shop.buy("A", "R")
    b, c = shop.buy("B", "A"), shop.buy("C", "A")
    assert (shop["A"].role, shop["A"].counted) == ("distributor", 0)

    assert shop.settle(b) == ()
    assert [event.id for event in shop.settle(c)] == ["promote.A.1"]
    assert shop["A"].role == "partner"


def test_under_settled_a_refund_in_time_never_counts() -> None:
    shop = founded(SETTLED)
    shop.buy("A", "R")
    b, c = shop.buy("B", "A"), shop.buy("C", "A")
    shop.refund(b)
    shop.settle(b)
    shop.settle(c)

    assert (shop["A"].role, shop["A"].counted, shop["B"].role) == ("distributor", 1, "member")


def test_a_refund_in_time_promotes_nobody_even_for_the_moment_when_the_order_settles() -> None:
    shop = founded(SETTLED)
    shop.buy("A", "R")
    b, c = shop.buy("B", "A"), shop.buy("C", "A")
    shop.settle(c)
    shop.refund(b)
    shop.settle(b)

    assert (shop["A"].role, shop["A"].ascents) == ("distributor", 0)


def test_what_is_given_back_in_the_moment_of_settling_has_not_settled() -> None:
    shop = founded(SETTLED)
    own = shop.buy("A", "R")
    shop.settle(shop.buy("B", "A"))
    c = shop.buy("C", "A")
    for order in (own, c):
        moment = shop.tick()
        shop.count(replace(order.facts, qualifying_refunded=49_900, refunded_at=moment, settled_at=moment))

    assert (shop["A"].role, shop["A"].counted, shop["C"].role) == ("member", 1, "member")


def test_a_refund_before_the_promotion_simply_stops_counting() -> None:
    shop = founded()
    shop.buy("A", "R")
    b = shop.buy("B", "A")
    shop.refund(b, 24_951)
    shop.buy("C", "A")

    assert (shop["A"].role, shop["A"].counted, shop["A"].first) == ("distributor", 1, ("C",))
    shop.buy("B")
    assert (shop["A"].role, shop["A"].first) == ("partner", ("C", "B"))


def test_exactly_half_refunded_still_counts() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.bind("B", "A")
    order = shop.place("B", OrderLine("kit", 1, 50_000, qualifying=True))
    shop.pay(order)

    shop.refund(order, 25_000)
    assert shop["A"].counted == 1
    shop.refund(order, 1)
    assert shop["A"].counted == 0


def test_only_the_qualifying_line_of_an_order_decides_whether_it_counts() -> None:
    shop = founded()
    shop.bind("A", "R")
    order = shop.place("A", OrderLine("kit", 1, 10_000, qualifying=True), OrderLine("tea", 1, 90_000))
    shop.pay(order)
    order.facts = replace(order.facts, qualifying_refunded=0, refunded_at=shop.tick())
    shop.count(order.facts)

    assert (shop["A"].role, shop["R"].counted) == ("distributor", 1)


def test_a_refund_after_the_promotion_demotes_under_demote_and_the_member_may_rise_again() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.buy("B", "A")
    c = shop.buy("C", "A")

    told = shop.refund(c)
    assert [event.id for event in told] == ["demote.A.1"]
    assert (shop["A"].role, shop["A"].owner, shop["A"].peer) == ("distributor", "R", None)
    assert credits_of(shop.place("B")) == {"A": 10_000, "R": 20_000}

    shop.buy("D", "A")
    assert (shop["A"].role, shop["A"].peer, shop["A"].ascents) == ("partner", "R", 2)
    assert {"promote.A.1", "demote.A.1", "promote.A.2"} <= set(shop.events)


def test_a_refund_after_the_promotion_keeps_the_role_under_keep() -> None:
    shop = founded(SETTLED)
    shop.buy("A", "R")
    b, c = shop.buy("B", "A"), shop.buy("C", "A")
    shop.settle(b)
    shop.settle(c)

    shop.refund(b)
    shop.refund(c)

    assert (shop["A"].role, shop["A"].counted) == ("partner", 0)
    assert not [event for event in shop.events.values() if event.kind == "demote"]


def test_more_recruits_than_needed_bear_a_refund() -> None:
    shop = risen()
    d = shop.buy("D", "A")

    shop.refund(d)
    assert shop["A"].role == "partner"


def test_a_stricter_plan_later_does_not_demote_who_rose_under_a_milder_one() -> None:
    shop = risen()
    shop.use(replace(EXAMPLE, version=2, promote_n=5))
    d = shop.buy("D", "A")

    shop.refund(d)

    assert (shop["A"].role, shop["A"].counted, shop["A"].needed) == ("partner", 2, 2)


def test_a_person_counts_once_and_as_long_as_any_own_order_counts() -> None:
    shop = founded()
    shop.buy("A", "R")
    first, second = shop.buy("B", "A"), shop.buy("B")
    assert (shop["A"].counted, shop["A"].role) == (1, "distributor")

    shop.refund(first)
    assert (shop["A"].counted, shop["B"].role) == (1, "distributor")
    shop.refund(second)
    assert (shop["A"].counted, shop["B"].role) == (0, "member")


def test_referrals_of_a_plain_member_count_and_the_own_purchase_lifts_the_member_twice() -> None:
    shop = founded()
    shop.bind("A", "R")
    shop.buy("B", "A")
    shop.buy("C", "A")
    assert (shop["A"].role, shop["A"].counted) == ("member", 2)

    order = shop.buy("A")

    assert (shop["A"].role, shop["A"].owner, shop["A"].peer) == ("partner", None, "R")
    assert credits_of(order) == {"R": 30_000}


def test_one_purchase_can_promote_its_buyer_and_the_referrer() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.buy("B", "A")
    shop.bind("C", "A")
    shop.buy("C1", "C")
    shop.buy("C2", "C")
    order = shop.place("C")

    told = shop.pay(order)

    assert [event.id for event in told] == ["promote.C.1", "promote.A.1"]
    assert (shop["C"].peer, shop["A"].peer) == ("R", "R")
    assert credits_of(order) == {"A": 10_000, "R": 20_000}


def test_people_who_were_inherited_into_a_team_never_count() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.buy("B", "A")
    shop.buy("B1", "B")

    assert (shop["R"].counted, shop["A"].counted, shop["B"].counted) == (1, 1, 1)


def test_with_promote_n_zero_nobody_rises() -> None:
    shop = founded(replace(EXAMPLE, promote_n=0))
    shop.buy("A", "R")
    for name in "BCD":
        shop.buy(name, "A")

    assert (shop["A"].role, shop["A"].counted) == ("distributor", 3)


def test_the_plan_of_the_counting_order_decides() -> None:
    shop = founded(replace(EXAMPLE, promote_n=3))
    shop.buy("A", "R")
    shop.bind("B", "A")
    late = shop.place("B")
    shop.buy("C", "A")
    shop.use(replace(EXAMPLE, version=2, promote_n=2))
    shop.pay(late)
    assert (shop["A"].role, shop["A"].counted) == ("distributor", 2)

    shop.buy("D", "A")
    assert (shop["A"].role, shop["A"].counted) == ("partner", 3)


def test_an_unsettled_purchase_that_is_returned_makes_its_buyer_a_plain_member_again() -> None:
    for plan in (SETTLED, EXAMPLE):
        shop = founded(plan)
        order = shop.buy("A", "R")
        shop.refund(order)

        assert (shop["A"].role, shop["A"].owner_edge) == ("member", "provisional")


def test_an_order_has_settled_when_it_first_did_however_often_that_is_told() -> None:
    shop = founded(SETTLED)
    order = shop.buy("A", "R")
    first, later = shop.tick(), shop.tick(days=9)
    shop.count(replace(order.facts, settled_at=first))
    returned = replace(order.facts, qualifying_refunded=49_900, refunded_at=later - timedelta(days=1))
    shop.count(replace(returned, settled_at=later))

    assert shop["A"].role == "distributor"


def test_a_settled_purchase_that_is_returned_costs_the_role_only_under_demote() -> None:
    for plan, role in ((SETTLED, "distributor"), (EXAMPLE, "member")):
        shop = founded(plan)
        order = shop.buy("A", "R")
        shop.settle(order)
        shop.refund(order)

        assert shop["A"].role == role


def test_a_partner_who_returns_the_own_purchase_falls_only_under_demote() -> None:
    for plan, role in ((SETTLED, "partner"), (EXAMPLE, "member")):
        shop = founded(plan)
        own = shop.buy("A", "R")
        for name in "BC":
            shop.settle(shop.buy(name, "A"))
        assert shop["A"].role == "partner"
        shop.refund(own)

        assert shop["A"].role == role


def test_a_partner_who_returns_one_of_two_own_purchases_stays() -> None:
    shop = risen()
    shop.refund(shop.buy("A"))

    assert (shop["A"].role, shop["A"].qualifying) == ("partner", 1)


def test_a_partner_who_fell_with_the_own_purchase_rises_with_the_next() -> None:
    shop = founded()
    own = shop.buy("A", "R")
    shop.buy("B", "A")
    shop.buy("C", "A")
    shop.refund(own)
    assert (shop["A"].role, shop["A"].owner) == ("member", "R")

    shop.buy("A")
    assert (shop["A"].role, shop["A"].ascents) == ("partner", 2)


@pytest.mark.parametrize("qualifying", [False, True])
def test_an_order_placed_as_a_partner_does_not_take_the_owner_from_a_demoted_buyer(qualifying: bool) -> None:
    shop = Referrals()
    shop.appoint("R")
    own = shop.buy("A", "R")
    shop.buy("B", "A")
    shop.buy("C", "A")
    later = shop.place("A", OrderLine("tea", 1, 9_000, qualifying=qualifying))
    shop.refund(own)
    fallen = shop["A"]
    shop.pay(later)
    shop.settle(later)

    assert (fallen.role, fallen.owner) == ("member", "R")
    assert (shop["A"].owner, shop["A"].peer) == ((None, "R") if qualifying else ("R", None))
    assert shop["A"].role == ("partner" if qualifying else "member")


def test_an_appointed_partner_is_never_demoted_by_rules() -> None:
    shop = founded()
    shop.buy("A", "R")
    b, c = shop.buy("B", "A"), shop.buy("C", "A")
    shop.appoint("A")
    shop.refund(b)
    shop.refund(c)
    own = shop.buy("R")
    shop.refund(own)

    assert (shop["A"].role, shop["R"].role) == ("partner", "partner")


def test_an_appointed_member_leaves_the_owner_as_in_a_promotion() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.appoint("A")
    assert (shop["A"].owner, shop["A"].peer) == (None, "R")
    assert shop.events["appoint.A"].details["reason"] == "founder"

    shop = founded(replace(EXAMPLE, leave_mode="none"))
    shop.buy("A", "R")
    shop.appoint("A")
    assert (shop["A"].owner, shop["A"].peer) == ("R", None)


def test_an_appointed_partner_may_still_be_bound_and_the_owner_becomes_the_peer() -> None:
    shop = founded()
    shop.appoint("S")
    shop.bind("S", "R")
    assert (shop["S"].owner, shop["S"].peer) == (None, "R")

    assert credits_of(shop.buy("X", "S")) == {"S": 30_000, "R": 3_000}
    assert credits_of(shop.buy("S")) == {"R": 30_000}
    assert shop["S"].owner is None


def test_an_appointed_partner_who_keeps_the_owner_is_bound_like_anybody() -> None:
    shop = founded(replace(EXAMPLE, leave_mode="none"))
    shop.appoint("S")
    shop.bind("S", "R")

    assert (shop["S"].owner, shop["S"].peer) == ("R", None)


def test_an_appointed_partner_who_was_brought_by_a_distributor_is_in_nobody_s_team() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.appoint("S")
    shop.bind("S", "A")

    assert credits_of(shop.buy("S")) == {"A": 10_000}


def test_an_order_placed_before_an_appointment_gives_the_partner_no_owner_when_it_is_paid() -> None:
    shop = founded()
    shop.bind("S", "R")
    order = shop.place("S")
    shop.appoint("S")
    shop.pay(order)

    assert credits_of(order) == {"R": 30_000}
    assert (shop["S"].owner, shop["S"].peer, shop["S"].owner_edge) == (None, "R", "fixed")


def test_appointing_a_promoted_partner_keeps_the_peer() -> None:
    shop = risen()
    shop.appoint("A")

    assert (shop["A"].owner, shop["A"].peer, shop["A"].standing) == (None, "R", "appointed_partner")


def test_an_appointment_needs_a_reason_and_happens_once() -> None:
    shop = founded()
    written = shop.network.items_written
    shop.appoint("R")
    assert shop.network.items_written == written

    with pytest.raises(RefusedError, match="REASON_MISSING"):
        appoint_partner("X", " ", "key_1", network=shop.network)
    shop.erase("X")
    with pytest.raises(NotFoundError):
        shop.appoint("X")


def test_after_the_binding_period_the_direct_reward_stops_and_counting_goes_on() -> None:
    shop = founded(replace(EXAMPLE, binding_days=30))
    shop.buy("A", "R")
    bound_at = shop.bind("B", "A").bound_at
    assert bound_at is not None
    shop.clock.set(bound_at + timedelta(days=30) - timedelta(minutes=1))
    inside = shop.place("B")
    after = shop.place("B")
    shop.pay(after)

    assert credits_of(inside) == {"A": 10_000, "R": 20_000}
    assert credits_of(after) == {"R": 20_000}
    assert shop["A"].counted == 1


def test_erased_people_earn_nothing_and_nobody_moves_up() -> None:
    shop = risen()
    shop.erase("A")

    assert credits_of(shop.place("B")) == {}
    shop.bind("D1", "B")
    assert credits_of(shop.place("D1")) == {"B": 10_000, "R": 20_000}
    with pytest.raises(RefusedError, match="INVITER_UNKNOWN"):
        shop.bind("E", "A")


def test_erased_people_are_not_counted_and_not_promoted_from_then_on() -> None:
    shop = founded(SETTLED)
    shop.buy("A", "R")
    b, c, d = shop.buy("B", "A"), shop.buy("C", "A"), shop.buy("D", "A")
    shop.settle(b)
    shop.erase("C")
    shop.settle(c)
    assert (shop["A"].role, shop["A"].counted) == ("distributor", 1)

    shop.erase("A")
    shop.settle(d)
    assert shop["A"].role == "distributor"


def test_who_is_erased_falls_no_more() -> None:
    shop = founded()
    shop.buy("A", "R")
    b, _ = shop.buy("B", "A"), shop.buy("C", "A")
    shop.erase("A")
    shop.refund(b)

    assert (shop["A"].role, shop["A"].peer, shop["A"].counted) == ("partner", "R", 1)


def test_an_order_that_counted_before_the_erasure_counts_even_if_it_is_heard_of_later() -> None:
    shop = founded(SETTLED)
    shop.buy("A", "R")
    b = shop.buy("B", "A")
    b.facts = replace(b.facts, settled_at=shop.tick())
    shop.erase("B")
    shop.count(b.facts)

    assert shop["A"].counted == 1


def test_repeats_change_nothing_and_tell_the_same_events() -> None:
    shop = founded()
    shop.buy("A", "R")
    shop.buy("B", "A")
    shop.bind("C", "A")
    order = shop.place("C")
    told = shop.pay(order)
    state = (dict(shop.network.positions), dict(shop.network.counted_orders), dict(shop.events))

    assert [event.id for event in told] == ["promote.A.1"]
    for _ in range(3):
        assert shop.count(order.facts) == told
    assert (shop.network.positions, shop.network.counted_orders, shop.network.happened) == state


def test_a_free_order_takes_the_own_purchase_and_two_friends_who_pay_and_comes_once() -> None:
    shop = Referrals(replace(FREE_ORDER, version=1))
    shop.buy("A")
    shop.buy("B", "A")
    shop.bind("C", "A")
    assert [event.id for event in shop.pay(shop.place("C"))] == ["benefit.A.1"]

    shop.buy("D", "A")
    shop.buy("E", "X")
    shop.buy("F", "X")

    assert (shop["A"].coupons, shop["X"].coupons) == (1, 0)


def test_a_free_order_comes_with_the_own_purchase_too_and_goes_with_it() -> None:
    shop = Referrals(replace(FREE_ORDER, version=1))
    shop.buy("B", "A")
    shop.buy("C", "A")
    own = shop.place("A")

    assert [event.id for event in shop.pay(own)] == ["benefit.A.1"]
    assert [event.id for event in shop.refund(own)] == ["benefit-undone.A.1"]
    assert shop["A"].coupon == "revoked"
    assert [event.id for event in shop.pay(shop.place("A"))] == ["benefit.A.2"]


def test_a_free_order_that_is_undone_can_be_earned_again() -> None:
    shop = Referrals(replace(FREE_ORDER, version=1))
    shop.buy("A")
    shop.buy("B", "A")
    c = shop.buy("C", "A")
    assert [event.id for event in shop.refund(c)] == ["benefit-undone.A.1"]

    shop.buy("D", "A")
    assert (shop["A"].coupon, shop["A"].coupons) == ("granted", 2)


def test_two_verified_referrals_unlock_once_and_orders_do_not() -> None:
    shop = Referrals(replace(UNLOCK, version=1))

    def verify(member: str) -> list[str]:
        shop.tick()
        return [event.id for event in count_verified(member, network=shop.network)]

    for name in "BCD":
        shop.bind(name, "A")
    shop.buy("B")
    assert shop["A"].coupons == 0
    assert (verify("B"), verify("B"), verify("C"), verify("D"), verify("A")) == ([], [], ["benefit.A.1"], [], [])
    assert (shop["A"].verified_referrals, shop["A"].coupons) == (3, 1)


def test_a_member_verified_before_the_binding_counts_from_the_binding_on() -> None:
    shop = Referrals(replace(UNLOCK, version=1))
    for name in "BC":
        count_verified(name, network=shop.network)
    shop.bind("B", "A")
    assert (shop["A"].verified_referrals, shop["A"].coupons) == (1, 0)

    shop.bind("C", "A")
    shop.bind("C", "A")

    assert (shop["A"].verified_referrals, shop["A"].has_referred) == (2, True)
    assert [event for event in shop.events if event.startswith("benefit")] == ["benefit.A.1"]


def test_erased_people_are_no_verified_referrals_and_get_no_benefit() -> None:
    shop = Referrals(replace(UNLOCK, version=1))
    for name in "BCDE":
        shop.bind(name, "A")
    shop.erase("B")
    for name in "BC":
        count_verified(name, network=shop.network)
    assert (shop["A"].verified_referrals, shop["A"].coupons) == (1, 0)

    shop.erase("A")
    count_verified("D", network=shop.network)

    assert (shop["A"].verified_referrals, shop["A"].coupons) == (2, 0)


def test_the_list_of_first_recruits_is_bounded() -> None:
    shop = Referrals(replace(EXAMPLE, promote_n=0))
    for number in range(MAX_PROMOTE_N + 5):
        shop.buy(f"B{number}", "A")

    assert (shop["A"].counted, len(shop["A"].first)) == (MAX_PROMOTE_N + 5, MAX_PROMOTE_N)


def test_a_member_of_whom_nothing_is_stored_is_a_plain_one() -> None:
    assert Referrals()["nobody"] == Position("nobody")
    assert position_of("nobody", network=Referrals().network).role == "member"
