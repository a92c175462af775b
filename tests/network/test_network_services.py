"""What the services read and write: round trips, hints, competing writers, facts in any order."""

from itertools import permutations

from msgspec.structs import replace

from cardstock.errors import STORE_UNAVAILABLE, UnavailableError
from cardstock.network import service
from cardstock.network.model import Node, OrderFacts, Plan
from tests.people.network_world import EXAMPLE, World, credits_of


def position(world: World, member: str, hint: tuple[str, ...] = ()) -> tuple[object, tuple[str, ...], int]:
    before = world.network.reads
    snapshot, right = service.position_for_order(member, hint, network=world.network, clock=world.clock)
    return snapshot, right, world.network.reads - before


def deep() -> World:
    """Y, brought by D, who is in the team of A, whose peer is R."""
    world = World()
    world.appoint("R")
    for buyer, inviter in (("A", "R"), ("B", "A"), ("C", "A"), ("D", "A")):
        world.buy(buyer, inviter)
    world.bind("Y", "D")
    return world


def test_with_the_right_hint_an_order_takes_one_read() -> None:
    world = deep()
    hint = service.hint_for("Y", network=world.network, clock=world.clock)
    snapshot, right, reads = position(world, "Y", hint)

    assert set(hint) == {"D", "A", "R"}
    assert (set(right), reads) == (set(hint), 1)
    assert credits_of(world.place("Y", hint=hint)) == {"D": 10_000, "A": 20_000, "R": 2_000}
    assert snapshot == position(world, "Y")[0]


def test_a_stale_or_foreign_hint_costs_reads_and_changes_nothing() -> None:
    world = deep()
    right, _, _ = position(world, "Y")

    for hint in ((), ("R",), ("D",), ("B", "C"), ("nobody",) * 100):
        snapshot, _, reads = position(world, "Y", hint)
        assert snapshot == right
        assert reads <= 4


def test_a_hint_goes_stale_when_the_referrer_rises_and_the_order_still_sees_it() -> None:
    world = World()
    world.appoint("R")
    world.buy("A", "R")
    world.buy("B", "A")
    world.bind("X", "A")
    hint = service.hint_for("X", network=world.network, clock=world.clock)
    world.buy("C", "A")

    assert credits_of(world.place("X", hint=hint)) == {"A": 30_000, "R": 3_000}


def test_a_member_whom_nobody_brought_takes_one_read_without_any_hint() -> None:
    world = World()

    assert position(world, "new")[1:] == ((), 1)


def test_counting_costs_the_same_in_a_small_and_in_a_deep_and_wide_network() -> None:
    def cost(depth: int, width: int) -> tuple[int, int, int]:
        world = World(replace(EXAMPLE, promote_n=0))
        world.appoint("R")
        world.bind("M1", "R")
        for level in range(2, depth + 1):
            world.bind(f"M{level}", f"M{level - 1}")
        for number in range(width):
            world.buy(f"W{number}", f"M{depth}")
        world.bind("X", f"M{depth}")
        order = world.place("X")
        before = (world.network.reads, world.network.commits, world.network.items_written)
        world.pay(order)
        after = (world.network.reads, world.network.commits, world.network.items_written)
        return tuple(b - a for a, b in zip(before, after, strict=True))  # type: ignore[return-value]  # three counters

    assert cost(2, 2) == cost(400, 2) == cost(2, 400) == (1, 1, 3)


def test_an_order_that_changes_nothing_writes_nothing() -> None:
    world = World()
    world.appoint("R")
    order = world.buy("A", "R")
    written = world.network.commits
    world.count(order.facts)

    assert world.network.commits == written


def facts_of_a_life(world: World, plan: Plan) -> tuple[World, list[OrderFacts]]:
    """An order of B, brought by A, that is paid, settles, and is returned: what is known after each step."""
    world.use(plan)
    world.appoint("R")
    world.buy("A", "R")
    world.bind("B", "A")
    order = world.place("B")
    paid = replace(order.facts, paid_at=world.tick())
    settled = replace(order.facts, settled_at=world.tick())
    returned = replace(order.facts, qualifying_refunded=49_900, refunded_at=world.tick())
    return world, [paid, settled, returned]


def test_what_happened_to_an_order_may_be_heard_in_any_order() -> None:
    for promote_on, on_refund in (("paid", "demote"), ("settled", "keep"), ("settled", "demote")):
        plan = replace(EXAMPLE, version=2, promote_n=1, promote_on=promote_on, on_refund=on_refund)
        outcomes = []
        for order in permutations(range(3)):
            world, facts = facts_of_a_life(World(), plan)
            for index in (*order, *order):
                world.count(facts[index])
            nodes = {name: replace(world[name], rev=0) for name in "RAB"}
            outcomes.append((nodes, set(world.events), replace(world.network.marks["ord_2"], rev=0, events=())))

        assert all(outcome == outcomes[0] for outcome in outcomes)
        assert outcomes[0][0]["A"].role == ("partner" if on_refund == "keep" else "distributor")
        assert outcomes[0][0]["B"].role == ("distributor" if on_refund == "keep" else "member")


def test_orders_may_be_counted_in_any_order() -> None:
    outcomes = []
    for order in permutations(range(4)):
        world = World()
        world.appoint("R")
        world.bind("A", "R")
        placed = [world.place("A")]
        for name in "BCD":
            world.bind(name, "A")
            placed.append(world.place(name))
        facts = [replace(one.facts, paid_at=world.tick()) for one in placed]
        for index in order:
            world.count(facts[index])
        outcomes.append({name: replace(world[name], rev=0, first=()) for name in "RABCD"})

    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert (outcomes[0]["A"].role, outcomes[0]["A"].ascents) == ("partner", 1)


def test_a_lost_answer_is_found_out_and_the_events_are_told_again() -> None:
    world = World()
    world.appoint("R")
    world.buy("A", "R")
    world.buy("B", "A")
    world.bind("C", "A")
    order = world.place("C")
    order.facts = replace(order.facts, paid_at=world.tick())
    commit = world.network.commit

    def lost(change: object) -> bool:
        assert commit(change)  # type: ignore[arg-type]  # a Change
        raise STORE_UNAVAILABLE()

    world.network.commit = lost  # type: ignore[method-assign]  # the answer of one call is lost
    try:
        world.count(order.facts)
    except UnavailableError:
        world.network.commit = commit  # type: ignore[method-assign]  # and the next one is heard

    assert [event.id for event in world.count(order.facts)] == ["promote.A.1"]
    assert world["A"].ascents == 1


def test_registration_gives_a_bound_position_to_write_with_the_new_member() -> None:
    world = deep()
    change = service.registration("N", "D", world.tick(), network=world.network)

    assert [(node.id, node.rev, node.referrer, node.owner) for node in change.nodes] == [("N", 0, "D", "A")]
    first = service.registration("N", "Z", world.tick(), network=world.network)
    assert first.nodes == (
        Node("N", referrer="Z", bound_at=world.clock.at, owner_at=world.clock.at),
        Node("Z", has_referred=True),
    )
