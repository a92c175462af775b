"""What the services read and write: round trips, hints, competing writers, facts in any order."""

from itertools import permutations

import pytest
from msgspec.structs import replace

from cardstock.errors import STORE_UNAVAILABLE, UnavailableError
from cardstock.network.binding import bind_supposing
from cardstock.network.model import OrderFacts, Position
from cardstock.network.ordering import position_for_order
from cardstock.network.plan import Plan
from tests.people.referrals import EXAMPLE, Referrals, credits_of

pytestmark = pytest.mark.usefixtures("clock")


def position(shop: Referrals, member: str, hint: tuple[str, ...] = ()) -> tuple[object, tuple[str, ...], int]:
    before = shop.network.reads
    _, snapshot, right = position_for_order(member, hint, network=shop.network)
    return snapshot, right, shop.network.reads - before


def deep() -> Referrals:
    """Y, brought by D, who is in the team of A, whose peer is R."""
    shop = Referrals()
    shop.appoint("R")
    for buyer, inviter in (("A", "R"), ("B", "A"), ("C", "A"), ("D", "A")):
        shop.buy(buyer, inviter)
    shop.bind("Y", "D")
    return shop


def test_with_the_right_hint_an_order_takes_one_read() -> None:
    shop = deep()
    hint = position_for_order("Y", (), network=shop.network).hint
    snapshot, right, reads = position(shop, "Y", hint)

    assert set(hint) == {"D", "A", "R"}
    assert (set(right), reads) == (set(hint), 1)
    assert credits_of(shop.place("Y", hint=hint)) == {"D": 10_000, "A": 20_000, "R": 2_000}
    assert snapshot == position(shop, "Y")[0]


def test_a_stale_or_foreign_hint_costs_reads_and_changes_nothing() -> None:
    shop = deep()
    right, _, _ = position(shop, "Y")

    for hint in ((), ("R",), ("D",), ("B", "C"), ("nobody",) * 100):
        snapshot, _, reads = position(shop, "Y", hint)
        assert snapshot == right
        assert reads <= 4


def test_a_hint_goes_stale_when_the_referrer_rises_and_the_order_still_sees_it() -> None:
    shop = Referrals()
    shop.appoint("R")
    shop.buy("A", "R")
    shop.buy("B", "A")
    shop.bind("X", "A")
    hint = position_for_order("X", (), network=shop.network).hint
    shop.buy("C", "A")

    assert credits_of(shop.place("X", hint=hint)) == {"A": 30_000, "R": 3_000}


def test_a_member_whom_nobody_brought_takes_one_read_without_any_hint() -> None:
    shop = Referrals()

    assert position(shop, "new")[1:] == ((), 1)


def test_counting_costs_the_same_in_a_small_and_in_a_deep_and_wide_network() -> None:
    def cost(depth: int, width: int) -> tuple[int, int, int]:
        shop = Referrals(replace(EXAMPLE, promote_n=0))
        shop.appoint("R")
        shop.bind("M1", "R")
        for level in range(2, depth + 1):
            shop.bind(f"M{level}", f"M{level - 1}")
        for number in range(width):
            shop.buy(f"W{number}", f"M{depth}")
        shop.bind("X", f"M{depth}")
        order = shop.place("X")
        before = (shop.network.reads, shop.network.commits, shop.network.items_written)
        shop.pay(order)
        after = (shop.network.reads, shop.network.commits, shop.network.items_written)
        return tuple(b - a for a, b in zip(before, after, strict=True))  # type: ignore[return-value]  # three counters

    assert cost(2, 2) == cost(400, 2) == cost(2, 400) == (1, 1, 3)


def test_an_order_that_changes_nothing_writes_nothing() -> None:
    shop = Referrals()
    shop.appoint("R")
    order = shop.buy("A", "R")
    written = shop.network.commits
    shop.count(order.facts)

    assert shop.network.commits == written


def facts_of_a_life(shop: Referrals, plan: Plan) -> tuple[Referrals, list[OrderFacts]]:
    """An order of B, brought by A, that is paid, settles, and is returned: what is known after each step."""
    shop.use(plan)
    shop.appoint("R")
    shop.buy("A", "R")
    shop.bind("B", "A")
    order = shop.place("B")
    paid = replace(order.facts, paid_at=shop.tick())
    settled = replace(order.facts, settled_at=shop.tick())
    returned = replace(order.facts, qualifying_refunded=49_900, refunded_at=shop.tick())
    return shop, [paid, settled, returned]


def test_what_happened_to_an_order_may_be_heard_in_any_order() -> None:
    for promote_on, on_refund in (("paid", "demote"), ("settled", "keep"), ("settled", "demote")):
        plan = replace(EXAMPLE, version=2, promote_n=1, promote_on=promote_on, on_refund=on_refund)
        outcomes = []
        for order in permutations(range(3)):
            shop, facts = facts_of_a_life(Referrals(), plan)
            for index in (*order, *order):
                shop.count(facts[index])
            nodes = {name: replace(shop[name], rev=0) for name in "RAB"}
            outcomes.append((nodes, set(shop.events), replace(shop.network.counted_orders["ord_2"], rev=0, events=())))

        assert all(outcome == outcomes[0] for outcome in outcomes)
        assert outcomes[0][0]["A"].role == ("partner" if on_refund == "keep" else "distributor")
        assert outcomes[0][0]["B"].role == ("distributor" if on_refund == "keep" else "member")


def test_orders_may_be_counted_in_any_order() -> None:
    outcomes = []
    for order in permutations(range(4)):
        shop = Referrals()
        shop.appoint("R")
        shop.bind("A", "R")
        placed = [shop.place("A")]
        for name in "BCD":
            shop.bind(name, "A")
            placed.append(shop.place(name))
        facts = [replace(one.facts, paid_at=shop.tick()) for one in placed]
        for index in order:
            shop.count(facts[index])
        outcomes.append({name: replace(shop[name], rev=0, first=()) for name in "RABCD"})

    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert (outcomes[0]["A"].role, outcomes[0]["A"].ascents) == ("partner", 1)


def test_a_lost_answer_is_found_out_and_the_events_are_told_again() -> None:
    shop = Referrals()
    shop.appoint("R")
    shop.buy("A", "R")
    shop.buy("B", "A")
    shop.bind("C", "A")
    order = shop.place("C")
    order.facts = replace(order.facts, paid_at=shop.tick())
    commit = shop.network.commit_change

    def lost(change: object) -> bool:
        assert commit(change)  # type: ignore[arg-type]  # a Change
        raise STORE_UNAVAILABLE()

    shop.network.commit_change = lost  # type: ignore[method-assign]  # the answer of one call is lost
    try:
        shop.count(order.facts)
    except UnavailableError:
        shop.network.commit_change = commit  # type: ignore[method-assign]  # and the next one is heard

    assert [event.id for event in shop.count(order.facts)] == ["promote.A.1"]
    assert shop["A"].ascents == 1


def test_registration_gives_a_bound_position_to_write_with_the_new_member() -> None:
    shop = deep()
    change, supposed = bind_supposing(Position("N"), shop["D"], {}, shop.tick(), None)

    assert [(node.id, node.rev, node.referrer, node.owner) for node in change.positions] == [("N", 0, "D", "A")]
    assert supposed == "A"
    first, nobody = bind_supposing(Position("N"), Position("Z"), {}, shop.tick(), None)
    assert nobody is None
    assert first.positions == (
        Position("N", referrer="Z", bound_at=shop.clock.now(), owner_at=shop.clock.now()),
        Position("Z", has_referred=True),
    )
