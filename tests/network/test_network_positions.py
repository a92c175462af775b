"""Bindings, owners, roles and promotions, as stories in a small network."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from cardstock.errors import NotFoundError, RefusedError, UnauthorizedError, UnavailableError
from cardstock.network import service
from cardstock.network.model import MAX_PROMOTE_N, Node, OrderLine, Person, Plan
from cardstock.network.presets import FREE_ORDER, UNLOCK
from tests.people.network_world import EXAMPLE, World, claws_of, credits_of

SETTLED = replace(EXAMPLE, promote_on="settled", on_refund="keep")


def founded(plan: Plan = EXAMPLE) -> World:
    """A network whose founder R is an appointed partner without owner."""
    world = World(plan)
    world.appoint("R")
    return world


def risen(plan: Plan = EXAMPLE) -> World:
    """The worked example after its third step: A, brought by R, has brought B and C and is a partner."""
    world = founded(plan)
    for buyer, inviter in (("A", "R"), ("B", "A"), ("C", "A")):
        world.settle(world.buy(buyer, inviter))
    return world


def test_the_worked_example_pays_to_the_fen() -> None:
    world = founded()

    first = world.buy("A", "R")
    assert credits_of(first) == {"R": 30_000}
    assert (world["A"].role, world["A"].owner) == ("distributor", "R")

    second = world.buy("B", "A")
    assert credits_of(second) == {"A": 10_000, "R": 20_000}
    assert (world["B"].role, world["B"].owner) == ("distributor", "R")

    third = world.buy("C", "A")
    assert credits_of(third) == {"A": 10_000, "R": 20_000}
    assert (world["A"].role, world["A"].owner, world["A"].peer) == ("partner", None, "R")
    assert (world["B"].owner, world["C"].owner) == ("R", "R")

    fourth = world.buy("D", "A")
    assert credits_of(fourth) == {"A": 30_000, "R": 3_000}
    assert world["D"].owner == "A"

    world.refund(third, 19_900)
    assert claws_of(third) == {"A": 3_988, "R": 7_976}
    assert world["A"].role == "partner"


def test_two_recruits_who_pay_at_the_same_moment_promote_once() -> None:
    world = founded()
    world.buy("A", "R")
    world.bind("B", "A")
    world.bind("C", "A")
    one, other = world.place("B"), world.place("C")
    world.network.rivals = [lambda: world.pay(other)]

    told = world.pay(one)

    assert [event.id for event in world.events.values() if event.kind == "promote"] == ["promote.A.1"]
    assert [event.id for event in told] == ["promote.A.1"]
    assert (world["A"].counted, world["A"].ascents, world["A"].first) == (2, 1, ("C", "B"))
    assert credits_of(one) == credits_of(other) == {"A": 10_000, "R": 20_000}


def test_a_writer_who_always_loses_gives_up_and_says_so() -> None:
    world = founded()
    world.bind("A", "R")
    order = world.place("A")

    def meddle() -> None:
        world.network.nodes["A"] = replace(world["A"], rev=world["A"].rev + 1)

    world.network.rivals = [meddle] * 50

    with pytest.raises(UnavailableError, match="STORE_BUSY"):
        world.pay(order)


def test_recruits_promoted_before_their_inviter_stay_partners_of_their_own() -> None:
    world = founded()
    world.buy("A", "R")
    world.buy("B", "A")
    for buyer in ("B1", "B2"):
        world.buy(buyer, "B")
    assert (world["B"].role, world["B"].peer) == ("partner", "R")

    world.buy("C", "A")
    assert (world["A"].role, world["A"].peer) == ("partner", "R")
    assert world["B"].peer == "R"
    assert credits_of(world.buy("B3", "B")) == {"B": 30_000, "R": 3_000}


def test_under_leave_recruits_those_who_have_not_bought_become_his_team() -> None:
    world = founded()
    world.buy("A", "R")
    world.bind("X", "A")
    assert world["X"].owner == "R"
    world.buy("B", "A")
    world.buy("C", "A")

    order = world.buy("X")

    assert credits_of(order) == {"A": 30_000, "R": 3_000}
    assert world["X"].owner == "A"


def test_under_keep_recruits_the_first_two_who_are_no_partners_become_his_team() -> None:
    world = founded(replace(EXAMPLE, leave_mode="keep_recruits"))
    world.buy("A", "R")
    world.buy("B", "A")
    world.buy("E", "B")
    world.buy("C", "A")

    assert (world["A"].owner, world["A"].peer) == (None, "R")
    assert [world[name].owner for name in "BCE"] == ["A", "A", "R"]
    assert world.events["promote.A.1"].details["moved"] == {"B": "R", "C": "R"}
    assert credits_of(world.buy("F", "B")) == {"B": 10_000, "A": 20_000, "R": 2_000}


def test_under_keep_recruits_a_recruit_who_is_a_partner_stays_where_he_is() -> None:
    world = founded(replace(EXAMPLE, leave_mode="keep_recruits"))
    world.buy("A", "R")
    world.buy("B", "A")
    world.buy("B1", "B")
    world.buy("B2", "B")
    world.buy("C", "A")

    assert (world["B"].role, world["B"].owner, world["B"].peer) == ("partner", None, "R")
    assert world["C"].owner == "A"


def test_an_order_told_again_takes_nobody_out_of_the_team_into_which_a_promotion_put_him() -> None:
    world = founded(replace(EXAMPLE, leave_mode="keep_recruits", promote_n=1))
    world.buy("A", "R")
    world.bind("B", "A")
    purchase, tea = world.place("B"), world.place("B", OrderLine("tea", 1, 100))
    for order in (purchase, tea):
        # The owner whom both tell is another one than at the binding.
        snapshot = replace(order.facts.snapshot, owner=Person("X", "partner"))
        order.facts = replace(order.facts, snapshot=snapshot, paid_at=order.facts.placed_at)
    world.count(tea.facts)
    world.count(purchase.facts)
    assert world["B"].owner == "A"
    world.refund(purchase)
    before = world["B"]

    world.count(tea.facts)

    assert world["B"] == before


def test_under_keep_recruits_a_third_who_counted_before_the_promotion_stays_and_so_does_an_erased_one() -> None:
    world = founded(replace(EXAMPLE, leave_mode="keep_recruits"))
    world.bind("A", "R")
    for name in "BCD":
        world.buy(name, "A")
    world.erase("B")

    world.buy("A")

    assert (world["A"].role, [world[name].owner for name in "BCD"]) == ("partner", ["R", "A", "R"])


def test_under_leave_mode_none_he_keeps_his_owner_and_has_no_peer() -> None:
    world = founded(replace(EXAMPLE, leave_mode="none"))
    world.buy("A", "R")
    world.buy("B", "A")
    world.buy("C", "A")

    assert (world["A"].role, world["A"].owner, world["A"].peer) == ("partner", "R", None)
    assert [world[name].owner for name in "BC"] == ["R", "R"]
    assert credits_of(world.buy("D", "A")) == {"A": 30_000}


def test_a_member_may_not_bring_himself_nor_be_brought_twice_nor_by_somebody_unknown() -> None:
    world = founded()
    world.bind("A", "R")

    with pytest.raises(RefusedError, match="INVITER_SELF"):
        world.bind("X", "X")
    with pytest.raises(RefusedError, match="INVITER_BOUND"):
        world.bind("A", "B")
    world.erase("E")
    with pytest.raises(RefusedError, match="INVITER_UNKNOWN"):
        world.bind("X", "E")
    with pytest.raises(UnauthorizedError, match="MEMBER_ERASED"):
        world.bind("E", "R")
    assert world["X"].referrer is None


def test_binding_to_the_same_inviter_again_changes_nothing() -> None:
    world = founded()
    world.bind("A", "R")
    before = (dict(world.network.nodes), world.network.items_written)

    assert world.bind("A", "R") == world["A"]

    assert (world.network.nodes, world.network.items_written) == before


def test_who_has_brought_somebody_can_not_be_brought_so_no_loop_arises() -> None:
    world = World()
    world.bind("B", "A")
    world.bind("C", "B")

    with pytest.raises(RefusedError, match="INVITER_HAS_REFERRED"):
        world.bind("A", "C")
    with pytest.raises(RefusedError, match="INVITER_HAS_REFERRED"):
        world.bind("A", "B")


def test_two_who_bind_to_each_other_at_the_same_moment_make_no_loop() -> None:
    world = World()
    world.network.rivals = [lambda: world.bind("B", "A")]

    with pytest.raises(RefusedError, match="INVITER_HAS_REFERRED"):
        world.bind("A", "B")
    assert (world["A"].referrer, world["B"].referrer) == (None, "A")


def test_the_first_paid_order_closes_binding_and_one_with_nothing_paid_does_not() -> None:
    world = founded()
    free = world.place("A", OrderLine("kit", 1, 0, qualifying=True))
    world.pay(free)
    assert world["A"].role == "member"
    world.bind("A", "R")

    world.pay(world.place("B", OrderLine("tea", 1, 1)))

    with pytest.raises(RefusedError, match="INVITER_TOO_LATE"):
        world.bind("B", "R")


def test_an_order_placed_before_the_binding_stays_without_referrer_and_fixes_no_owner() -> None:
    world = founded()
    order = world.place("A")
    world.bind("A", "R")
    world.pay(order)

    assert credits_of(order) == {}
    assert (world["A"].role, world["A"].fixed, world["R"].counted) == ("distributor", False, 0)

    again = world.buy("A")
    assert credits_of(again) == {"R": 30_000}
    assert (world["A"].fixed, world["A"].owner, world["R"].counted) == (True, "R", 1)


def test_the_snapshot_holds_not_the_moment_of_payment() -> None:
    world = founded()
    world.buy("A", "R")
    world.buy("B", "A")
    world.bind("X", "A")
    early = world.place("X")
    world.buy("C", "A")
    assert world["A"].role == "partner"

    world.pay(early)

    assert credits_of(early) == {"A": 10_000, "R": 20_000}
    assert world["X"].owner == "R"


def test_later_changes_do_not_rewrite_a_fixed_owner() -> None:
    world = risen()
    again = world.buy("B")

    # B stays in R's team, and A earns on him as the partner who brought him.
    assert world["B"].owner == "R"
    assert credits_of(again) == {"A": 30_000, "R": 3_000}


def test_a_paid_order_that_qualifies_nobody_refreshes_the_owner_without_fixing_it() -> None:
    world = founded()
    world.buy("A", "R")
    world.bind("X", "A")
    world.buy("B", "A")
    world.buy("C", "A")
    world.pay(world.place("X", OrderLine("tea", 1, 5_000)))
    world.bind("Y", "X")

    assert (world["X"].role, world["X"].owner, world["X"].fixed) == ("member", "A", False)
    assert world["Y"].owner == "A"


def test_an_order_that_puts_its_buyer_into_another_team_leaves_an_event() -> None:
    world = founded()
    world.buy("A", "R")
    for name in "XY":
        world.bind(name, "A")
    world.buy("B", "A")
    world.buy("C", "A")
    tea = world.place("X", OrderLine("tea", 1, 5_000))
    world.pay(tea)
    kit = world.buy("Y")
    world.buy("X")
    world.count(tea.facts)

    moves = {event.id: event for event in world.events.values() if event.kind == "owner"}
    assert {name: (event.member_id, event.details) for name, event in moves.items()} == {
        f"owner.{tea.id}": ("X", {"owner": "A", "before": "R"}),
        f"owner.{kit.id}": ("Y", {"owner": "A", "before": "R"}),
    }


def test_an_order_tells_its_owner_once_even_if_what_fixed_another_one_is_returned() -> None:
    world = founded()
    world.buy("A", "R")
    world.bind("X", "A")
    kit = world.place("X")
    world.buy("B", "A")
    world.buy("C", "A")
    tea = world.place("X", OrderLine("tea", 1, 5_000))
    world.pay(tea)
    world.pay(kit)
    world.refund(kit)
    world.refund(tea)

    # The kit was placed under R, and nothing has told another owner since.
    assert (world["X"].owner, world["X"].fixed) == ("R", False)
    assert [event for event in world.events if event.startswith("owner")] == [f"owner.{tea.id}", f"owner.{kit.id}"]
    world.buy("X")
    assert world["X"].owner == "A"


def test_an_order_whose_return_was_heard_of_too_early_may_tell_its_owner_again() -> None:
    world = founded(SETTLED)
    world.buy("A", "R")
    world.bind("X", "A")
    world.appoint("A")
    kit = world.place("X")
    kit.facts = replace(kit.facts, paid_at=world.tick())
    settled_at = world.tick()
    world.refund(kit)
    world.network.nodes["A"] = replace(world["A"], partner=False, owner="R", peer=None)
    world.pay(world.place("X", OrderLine("tea", 1, 5_000)))
    between = world["X"].owner

    world.count(replace(kit.facts, settled_at=settled_at))

    assert (between, world["X"].owner, world["X"].role) == ("R", "A", "distributor")
    assert [event for event in world.events if event.startswith("owner")] == [
        f"owner.{kit.id}", "owner.ord_3", f"owner.{kit.id}.2",
    ]  # fmt: skip


def test_an_older_order_that_is_paid_late_does_not_bring_back_an_older_owner() -> None:
    world = founded()
    world.buy("A", "R")
    world.bind("X", "A")
    early = world.place("X", OrderLine("tea", 1, 5_000))
    world.buy("B", "A")
    world.buy("C", "A")
    late = world.place("X", OrderLine("tea", 1, 5_000))
    world.pay(late)
    world.pay(early)

    assert world["X"].owner == "A"


def test_an_owner_who_is_demoted_later_stays_stored_and_has_his_team_back_when_he_rises() -> None:
    world = risen()
    world.buy("D", "A")
    world.network.nodes["A"] = replace(world["A"], partner=False, owner="R", peer=None)
    again = world.buy("D")

    assert credits_of(again) == {"A": 10_000, "R": 20_000}
    assert world["D"].owner == "A"
    world.buy("E", "A")
    world.bind("D1", "D")
    assert credits_of(world.buy("D1")) == {"D": 10_000, "A": 20_000, "R": 2_000}


def test_the_owner_of_somebody_far_below_is_found_in_one_step() -> None:
    world = founded()
    world.bind("M1", "R")
    for level in range(2, 40):
        world.bind(f"M{level}", f"M{level - 1}")
    reads = world.network.reads
    order = world.buy("M39")

    assert credits_of(order) == {"R": 20_000}
    assert world.network.reads - reads <= 5


def test_a_demoted_owner_is_replaced_by_his_own_owner_and_never_by_a_second_step() -> None:
    world = founded()
    world.appoint("Q")
    world.network.nodes |= {
        "A": Node("A", 1, referrer="R", owner="R", holding=1, fixed=True),
        "D": Node("D", 1, referrer="A", owner="A", holding=1, fixed=True),
    }
    world.bind("Y", "D")
    assert world["Y"].owner == "R"
    assert credits_of(world.place("Y")) == {"D": 10_000, "R": 20_000}
    assert credits_of(world.place("D")) == {"A": 10_000, "R": 20_000}

    world.network.nodes["R"] = Node("R", world["R"].rev, owner="Q", holding=1, fixed=True)

    assert credits_of(world.place("Y")) == {"D": 10_000}
    assert credits_of(world.place("D")) == {"A": 10_000}


def test_a_binding_below_a_demoted_owner_takes_that_ones_owner() -> None:
    world = founded()
    world.buy("A", "R")
    b, c = world.buy("B", "A"), world.buy("C", "A")
    world.buy("D", "A")
    world.refund(b)
    assert world["A"].role == "partner"
    world.refund(c)
    assert (world["A"].role, world["D"].owner) == ("distributor", "A")

    world.bind("Y", "D")

    assert world["Y"].owner == "R"


def test_under_settled_nobody_counts_before_the_return_window_has_passed() -> None:
    world = founded(SETTLED)
    world.buy("A", "R")
    b, c = world.buy("B", "A"), world.buy("C", "A")
    assert (world["A"].role, world["A"].counted) == ("distributor", 0)

    assert world.settle(b) == ()
    assert [event.id for event in world.settle(c)] == ["promote.A.1"]
    assert world["A"].role == "partner"


def test_under_settled_a_refund_in_time_never_counts() -> None:
    world = founded(SETTLED)
    world.buy("A", "R")
    b, c = world.buy("B", "A"), world.buy("C", "A")
    world.refund(b)
    world.settle(b)
    world.settle(c)

    assert (world["A"].role, world["A"].counted, world["B"].role) == ("distributor", 1, "member")


def test_a_refund_in_time_promotes_nobody_even_for_the_moment_when_the_order_settles() -> None:
    world = founded(SETTLED)
    world.buy("A", "R")
    b, c = world.buy("B", "A"), world.buy("C", "A")
    world.settle(c)
    world.refund(b)
    world.settle(b)

    assert (world["A"].role, world["A"].ascents) == ("distributor", 0)


def test_what_is_given_back_in_the_moment_of_settling_has_not_settled() -> None:
    world = founded(SETTLED)
    own = world.buy("A", "R")
    world.settle(world.buy("B", "A"))
    c = world.buy("C", "A")
    for order in (own, c):
        moment = world.tick()
        world.count(replace(order.facts, qualifying_refunded=49_900, refunded_at=moment, settled_at=moment))

    assert (world["A"].role, world["A"].counted, world["C"].role) == ("member", 1, "member")


def test_a_refund_before_the_promotion_simply_stops_counting() -> None:
    world = founded()
    world.buy("A", "R")
    b = world.buy("B", "A")
    world.refund(b, 24_951)
    world.buy("C", "A")

    assert (world["A"].role, world["A"].counted, world["A"].first) == ("distributor", 1, ("C",))
    world.buy("B")
    assert (world["A"].role, world["A"].first) == ("partner", ("C", "B"))


def test_exactly_half_refunded_still_counts() -> None:
    world = founded()
    world.buy("A", "R")
    world.bind("B", "A")
    order = world.place("B", OrderLine("kit", 1, 50_000, qualifying=True))
    world.pay(order)

    world.refund(order, 25_000)
    assert world["A"].counted == 1
    world.refund(order, 1)
    assert world["A"].counted == 0


def test_only_the_qualifying_line_of_an_order_decides_whether_it_counts() -> None:
    world = founded()
    world.bind("A", "R")
    order = world.place("A", OrderLine("kit", 1, 10_000, qualifying=True), OrderLine("tea", 1, 90_000))
    world.pay(order)
    order.facts = replace(order.facts, qualifying_refunded=0, refunded_at=world.tick())
    world.count(order.facts)

    assert (world["A"].role, world["R"].counted) == ("distributor", 1)


def test_a_refund_after_the_promotion_demotes_under_demote_and_he_may_rise_again() -> None:
    world = founded()
    world.buy("A", "R")
    world.buy("B", "A")
    c = world.buy("C", "A")

    told = world.refund(c)
    assert [event.id for event in told] == ["demote.A.1"]
    assert (world["A"].role, world["A"].owner, world["A"].peer) == ("distributor", "R", None)
    assert credits_of(world.place("B")) == {"A": 10_000, "R": 20_000}

    world.buy("D", "A")
    assert (world["A"].role, world["A"].peer, world["A"].ascents) == ("partner", "R", 2)
    assert {"promote.A.1", "demote.A.1", "promote.A.2"} <= set(world.events)


def test_a_refund_after_the_promotion_keeps_the_role_under_keep() -> None:
    world = founded(SETTLED)
    world.buy("A", "R")
    b, c = world.buy("B", "A"), world.buy("C", "A")
    world.settle(b)
    world.settle(c)

    world.refund(b)
    world.refund(c)

    assert (world["A"].role, world["A"].counted) == ("partner", 0)
    assert not [event for event in world.events.values() if event.kind == "demote"]


def test_more_recruits_than_needed_bear_a_refund() -> None:
    world = risen()
    d = world.buy("D", "A")

    world.refund(d)
    assert world["A"].role == "partner"


def test_a_stricter_plan_later_does_not_demote_who_rose_under_a_milder_one() -> None:
    world = risen()
    world.use(replace(EXAMPLE, version=2, promote_n=5))
    d = world.buy("D", "A")

    world.refund(d)

    assert (world["A"].role, world["A"].counted, world["A"].needed) == ("partner", 2, 2)


def test_a_person_counts_once_and_as_long_as_any_of_his_orders_counts() -> None:
    world = founded()
    world.buy("A", "R")
    first, second = world.buy("B", "A"), world.buy("B")
    assert (world["A"].counted, world["A"].role) == (1, "distributor")

    world.refund(first)
    assert (world["A"].counted, world["B"].role) == (1, "distributor")
    world.refund(second)
    assert (world["A"].counted, world["B"].role) == (0, "member")


def test_whoever_he_brought_as_a_plain_member_counts_and_his_own_purchase_lifts_him_twice() -> None:
    world = founded()
    world.bind("A", "R")
    world.buy("B", "A")
    world.buy("C", "A")
    assert (world["A"].role, world["A"].counted) == ("member", 2)

    order = world.buy("A")

    assert (world["A"].role, world["A"].owner, world["A"].peer) == ("partner", None, "R")
    assert credits_of(order) == {"R": 30_000}


def test_one_purchase_can_promote_its_buyer_and_his_referrer() -> None:
    world = founded()
    world.buy("A", "R")
    world.buy("B", "A")
    world.bind("C", "A")
    world.buy("C1", "C")
    world.buy("C2", "C")
    order = world.place("C")

    told = world.pay(order)

    assert [event.id for event in told] == ["promote.C.1", "promote.A.1"]
    assert (world["C"].peer, world["A"].peer) == ("R", "R")
    assert credits_of(order) == {"A": 10_000, "R": 20_000}


def test_people_who_were_inherited_into_a_team_never_count() -> None:
    world = founded()
    world.buy("A", "R")
    world.buy("B", "A")
    world.buy("B1", "B")

    assert (world["R"].counted, world["A"].counted, world["B"].counted) == (1, 1, 1)


def test_with_promote_n_zero_nobody_rises() -> None:
    world = founded(replace(EXAMPLE, promote_n=0))
    world.buy("A", "R")
    for name in "BCD":
        world.buy(name, "A")

    assert (world["A"].role, world["A"].counted) == ("distributor", 3)


def test_the_plan_of_the_counting_order_decides() -> None:
    world = founded(replace(EXAMPLE, promote_n=3))
    world.buy("A", "R")
    world.bind("B", "A")
    late = world.place("B")
    world.buy("C", "A")
    world.use(replace(EXAMPLE, version=2, promote_n=2))
    world.pay(late)
    assert (world["A"].role, world["A"].counted) == ("distributor", 2)

    world.buy("D", "A")
    assert (world["A"].role, world["A"].counted) == ("partner", 3)


def test_an_unsettled_purchase_that_is_returned_makes_its_buyer_a_plain_member_again() -> None:
    for plan in (SETTLED, EXAMPLE):
        world = founded(plan)
        order = world.buy("A", "R")
        world.refund(order)

        assert (world["A"].role, world["A"].fixed) == ("member", False)


def test_an_order_has_settled_when_it_first_did_however_often_that_is_told() -> None:
    world = founded(SETTLED)
    order = world.buy("A", "R")
    first, later = world.tick(), world.tick(days=9)
    world.count(replace(order.facts, settled_at=first))
    returned = replace(order.facts, qualifying_refunded=49_900, refunded_at=later - timedelta(days=1))
    world.count(replace(returned, settled_at=later))

    assert world["A"].role == "distributor"


def test_a_settled_purchase_that_is_returned_costs_the_role_only_under_demote() -> None:
    for plan, role in ((SETTLED, "distributor"), (EXAMPLE, "member")):
        world = founded(plan)
        order = world.buy("A", "R")
        world.settle(order)
        world.refund(order)

        assert world["A"].role == role


def test_a_partner_who_returns_his_own_purchase_falls_only_under_demote() -> None:
    for plan, role in ((SETTLED, "partner"), (EXAMPLE, "member")):
        world = founded(plan)
        own = world.buy("A", "R")
        for name in "BC":
            world.settle(world.buy(name, "A"))
        assert world["A"].role == "partner"
        world.refund(own)

        assert world["A"].role == role


def test_a_partner_who_returns_one_of_two_own_purchases_stays() -> None:
    world = risen()
    world.refund(world.buy("A"))

    assert (world["A"].role, world["A"].holding) == ("partner", 1)


def test_a_partner_who_fell_with_his_own_purchase_rises_with_the_next() -> None:
    world = founded()
    own = world.buy("A", "R")
    world.buy("B", "A")
    world.buy("C", "A")
    world.refund(own)
    assert (world["A"].role, world["A"].owner) == ("member", "R")

    world.buy("A")
    assert (world["A"].role, world["A"].ascents) == ("partner", 2)


@pytest.mark.parametrize("qualifying", [False, True])
def test_what_he_bought_as_a_partner_does_not_take_the_owner_from_whoever_has_fallen_since(qualifying: bool) -> None:
    world = World()
    world.appoint("R")
    own = world.buy("A", "R")
    world.buy("B", "A")
    world.buy("C", "A")
    later = world.place("A", OrderLine("tea", 1, 9_000, qualifying=qualifying))
    world.refund(own)
    fallen = world["A"]
    world.pay(later)
    world.settle(later)

    assert (fallen.role, fallen.owner) == ("member", "R")
    assert (world["A"].owner, world["A"].peer) == ((None, "R") if qualifying else ("R", None))
    assert world["A"].role == ("partner" if qualifying else "member")


def test_an_appointed_partner_is_never_demoted_by_rules() -> None:
    world = founded()
    world.buy("A", "R")
    b, c = world.buy("B", "A"), world.buy("C", "A")
    world.appoint("A")
    world.refund(b)
    world.refund(c)
    own = world.buy("R")
    world.refund(own)

    assert (world["A"].role, world["R"].role) == ("partner", "partner")


def test_an_appointed_member_leaves_his_owner_as_in_a_promotion() -> None:
    world = founded()
    world.buy("A", "R")
    world.appoint("A")
    assert (world["A"].owner, world["A"].peer) == (None, "R")
    assert world.events["appoint.A"].details["reason"] == "founder"

    world = founded(replace(EXAMPLE, leave_mode="none"))
    world.buy("A", "R")
    world.appoint("A")
    assert (world["A"].owner, world["A"].peer) == ("R", None)


def test_an_appointed_partner_may_still_be_bound_and_his_owner_becomes_his_peer() -> None:
    world = founded()
    world.appoint("S")
    world.bind("S", "R")
    assert (world["S"].owner, world["S"].peer) == (None, "R")

    assert credits_of(world.buy("X", "S")) == {"S": 30_000, "R": 3_000}
    assert credits_of(world.buy("S")) == {"R": 30_000}
    assert world["S"].owner is None


def test_an_appointed_partner_who_keeps_owners_is_bound_under_his_owner_like_anybody() -> None:
    world = founded(replace(EXAMPLE, leave_mode="none"))
    world.appoint("S")
    world.bind("S", "R")

    assert (world["S"].owner, world["S"].peer) == ("R", None)


def test_an_appointed_partner_who_was_brought_by_a_distributor_is_in_nobody_s_team() -> None:
    world = founded()
    world.buy("A", "R")
    world.appoint("S")
    world.bind("S", "A")

    assert credits_of(world.buy("S")) == {"A": 10_000}


def test_an_order_placed_before_an_appointment_gives_the_partner_no_owner_when_it_is_paid() -> None:
    world = founded()
    world.bind("S", "R")
    order = world.place("S")
    world.appoint("S")
    world.pay(order)

    assert credits_of(order) == {"R": 30_000}
    assert (world["S"].owner, world["S"].peer, world["S"].fixed) == (None, "R", True)


def test_appointing_who_has_risen_already_keeps_his_peer() -> None:
    world = risen()
    world.appoint("A")

    assert (world["A"].owner, world["A"].peer, world["A"].appointed) == (None, "R", True)


def test_an_appointment_needs_a_reason_and_happens_once() -> None:
    world = founded()
    written = world.network.items_written
    world.appoint("R")
    assert world.network.items_written == written

    with pytest.raises(RefusedError, match="REASON_MISSING"):
        service.appoint_partner("X", " ", "key_1", network=world.network, clock=world.clock)
    world.erase("X")
    with pytest.raises(NotFoundError):
        world.appoint("X")


def test_after_the_binding_period_the_direct_reward_stops_and_counting_goes_on() -> None:
    world = founded(replace(EXAMPLE, binding_days=30))
    world.buy("A", "R")
    bound_at = world.bind("B", "A").bound_at
    assert bound_at is not None
    world.clock.at = bound_at + timedelta(days=30) - timedelta(minutes=1)
    inside = world.place("B")
    after = world.place("B")
    world.pay(after)

    assert credits_of(inside) == {"A": 10_000, "R": 20_000}
    assert credits_of(after) == {"R": 20_000}
    assert world["A"].counted == 1


def test_erased_people_earn_nothing_and_nobody_moves_up() -> None:
    world = risen()
    world.erase("A")

    assert credits_of(world.place("B")) == {}
    world.bind("D1", "B")
    assert credits_of(world.place("D1")) == {"B": 10_000, "R": 20_000}
    with pytest.raises(RefusedError, match="INVITER_UNKNOWN"):
        world.bind("E", "A")


def test_erased_people_are_not_counted_and_not_promoted_from_then_on() -> None:
    world = founded(SETTLED)
    world.buy("A", "R")
    b, c, d = world.buy("B", "A"), world.buy("C", "A"), world.buy("D", "A")
    world.settle(b)
    world.erase("C")
    world.settle(c)
    assert (world["A"].role, world["A"].counted) == ("distributor", 1)

    world.erase("A")
    world.settle(d)
    assert world["A"].role == "distributor"


def test_who_is_erased_falls_no_more() -> None:
    world = founded()
    world.buy("A", "R")
    b, _ = world.buy("B", "A"), world.buy("C", "A")
    world.erase("A")
    world.refund(b)

    assert (world["A"].role, world["A"].peer, world["A"].counted) == ("partner", "R", 1)


def test_an_order_that_counted_before_the_erasure_counts_even_if_it_is_heard_of_later() -> None:
    world = founded(SETTLED)
    world.buy("A", "R")
    b = world.buy("B", "A")
    b.facts = replace(b.facts, settled_at=world.tick())
    world.erase("B")
    world.count(b.facts)

    assert world["A"].counted == 1


def test_repeats_change_nothing_and_tell_the_same_events() -> None:
    world = founded()
    world.buy("A", "R")
    world.buy("B", "A")
    world.bind("C", "A")
    order = world.place("C")
    told = world.pay(order)
    state = (dict(world.network.nodes), dict(world.network.marks), dict(world.events))

    assert [event.id for event in told] == ["promote.A.1"]
    for _ in range(3):
        assert world.count(order.facts) == told
    assert (world.network.nodes, world.network.marks, world.network.happened) == state


def test_a_free_order_takes_the_own_purchase_and_two_friends_who_pay_and_comes_once() -> None:
    world = World(replace(FREE_ORDER, version=1))
    world.buy("A")
    world.buy("B", "A")
    world.bind("C", "A")
    assert [event.id for event in world.pay(world.place("C"))] == ["benefit.A.1"]

    world.buy("D", "A")
    world.buy("E", "X")
    world.buy("F", "X")

    assert (world["A"].benefits, world["X"].benefits) == (1, 0)


def test_a_free_order_comes_with_the_own_purchase_too_and_goes_with_it() -> None:
    world = World(replace(FREE_ORDER, version=1))
    world.buy("B", "A")
    world.buy("C", "A")
    own = world.place("A")

    assert [event.id for event in world.pay(own)] == ["benefit.A.1"]
    assert [event.id for event in world.refund(own)] == ["benefit-undone.A.1"]
    assert world["A"].benefit_held is False
    assert [event.id for event in world.pay(world.place("A"))] == ["benefit.A.2"]


def test_a_free_order_that_is_undone_can_be_earned_again() -> None:
    world = World(replace(FREE_ORDER, version=1))
    world.buy("A")
    world.buy("B", "A")
    c = world.buy("C", "A")
    assert [event.id for event in world.refund(c)] == ["benefit-undone.A.1"]

    world.buy("D", "A")
    assert (world["A"].benefit_held, world["A"].benefits) == (True, 2)


def test_two_verified_referrals_unlock_once_and_orders_do_not() -> None:
    world = World(replace(UNLOCK, version=1))

    def verify(member: str) -> list[str]:
        world.tick()
        return [event.id for event in service.count_verified(member, network=world.network, clock=world.clock)]

    for name in "BCD":
        world.bind(name, "A")
    world.buy("B")
    assert world["A"].benefits == 0
    assert (verify("B"), verify("B"), verify("C"), verify("D"), verify("A")) == ([], [], ["benefit.A.1"], [], [])
    assert (world["A"].verified_referrals, world["A"].benefits) == (3, 1)


def test_who_was_verified_before_he_was_brought_counts_from_his_binding_on() -> None:
    world = World(replace(UNLOCK, version=1))
    for name in "BC":
        service.count_verified(name, network=world.network, clock=world.clock)
    world.bind("B", "A")
    assert (world["A"].verified_referrals, world["A"].benefits) == (1, 0)

    world.bind("C", "A")
    world.bind("C", "A")

    assert (world["A"].verified_referrals, world["A"].has_referred) == (2, True)
    assert [event for event in world.events if event.startswith("benefit")] == ["benefit.A.1"]


def test_erased_people_are_no_verified_referrals_and_get_no_benefit() -> None:
    world = World(replace(UNLOCK, version=1))
    for name in "BCDE":
        world.bind(name, "A")
    world.erase("B")
    for name in "BC":
        service.count_verified(name, network=world.network, clock=world.clock)
    assert (world["A"].verified_referrals, world["A"].benefits) == (1, 0)

    world.erase("A")
    service.count_verified("D", network=world.network, clock=world.clock)

    assert (world["A"].verified_referrals, world["A"].benefits) == (2, 0)


def test_the_list_of_first_recruits_is_bounded() -> None:
    world = World(replace(EXAMPLE, promote_n=0))
    for number in range(MAX_PROMOTE_N + 5):
        world.buy(f"B{number}", "A")

    assert (world["A"].counted, len(world["A"].first)) == (MAX_PROMOTE_N + 5, MAX_PROMOTE_N)


def test_a_member_of_whom_nothing_is_stored_is_a_plain_one() -> None:
    assert World()["nobody"] == Node("nobody")
    assert service.position("nobody", network=World().network).role == "member"
