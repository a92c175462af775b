"""The states of positions and counted orders: the charts are the data, and the verbs make no other step."""

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock import network as area
from cardstock.errors import RefusedError, UnauthorizedError
from cardstock.network import model
from cardstock.network.coupons import count_verified
from cardstock.network.model import Change, CountedOrder, Position
from cardstock.network.plan import LeaveMode, Plan
from cardstock.network.presets import FREE_ORDER, UNLOCK
from tests.house.charts import steps_in, steps_of
from tests.people.memory_network import MemoryNetwork
from tests.people.referrals import EXAMPLE, Referrals

pytestmark = pytest.mark.usefixtures("clock")

POSITION_STATES: Mapping[str, Mapping[Any, frozenset[Any]]] = {
    "standing": model.STANDINGS,
    "owner_edge": model.OWNER_EDGES,
    "membership": model.MEMBERSHIPS,
    "coupon": model.COUPON_STATES,
}
ORDER_STATES: Mapping[str, Mapping[Any, frozenset[Any]]] = {
    "qualifying": model.QUALIFYINGS,
    "counting": model.COUNTINGS,
}
NAMES = [f"m{number}" for number in range(14)]


class WatchedNetwork(MemoryNetwork):
    """Records every step of every state that is committed."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: dict[str, set[tuple[str, str]]] = {name: set() for name in (*POSITION_STATES, *ORDER_STATES)}

    def commit_change(self, change: Change) -> bool:
        positions, orders = dict(self.positions), dict(self.counted_orders)
        if not super().commit_change(change):
            return False
        for position in change.positions:
            self._record(positions.get(position.id) or Position(position.id), position, POSITION_STATES)
        if change.counted is not None:
            before = orders.get(change.counted.order_id) or CountedOrder(change.counted.order_id)
            self._record(before, change.counted, ORDER_STATES)
        return True

    def _record(self, before: object, after: object, names: Mapping[str, object]) -> None:
        for name in names:
            step = getattr(before, name), getattr(after, name)
            if step[0] != step[1]:
                self.steps[name].add(step)


def live(plan: Plan, seed: int, network: WatchedNetwork) -> None:
    """Sixty random things happen to fourteen people, and every position agrees with itself after each."""
    rng = random.Random(seed)
    shop = Referrals(plan)
    shop.network = network
    network.in_force = plan
    network.positions.clear()
    network.counted_orders.clear()
    network.happened.clear()
    paid = []

    def bind() -> None:
        shop.bind(rng.choice(NAMES), rng.choice(NAMES))

    def buy() -> None:
        buyer = rng.choice(NAMES)
        with suppress(RefusedError, UnauthorizedError):
            shop.bind(buyer, rng.choice(NAMES[:3]))
        order = shop.place(buyer)
        if rng.random() < 0.8:
            shop.pay(order)
        else:  # heard of at once: paid, settled and refunded
            order.facts = replace(order.facts, paid_at=shop.tick(), settled_at=shop.tick())
            shop.refund(order)
        paid.append(order)

    def settle() -> None:
        shop.settle(rng.choice(paid))

    def refund() -> None:
        shop.refund(rng.choice(paid))

    def hear_of_a_settlement_after_its_refund() -> None:
        order = rng.choice(paid)
        if order.facts.settled_at is None:
            settled_at = shop.tick()
            shop.refund(order)
            order.facts = replace(order.facts, settled_at=settled_at)
            shop.count(order.facts)

    def appoint() -> None:
        shop.appoint(rng.choice(NAMES))

    def verify() -> None:
        count_verified(rng.choice(NAMES), network=network)

    happenings: dict[Callable[[], None], float] = {
        bind: 2,
        buy: 6,
        settle: 3,
        refund: 3,
        hear_of_a_settlement_after_its_refund: 1,
        appoint: 0.4,
        verify: 1,
    }
    for _ in range(60):
        with suppress(RefusedError, UnauthorizedError, IndexError):
            rng.choices(list(happenings), list(happenings.values()))[0]()
        for position in network.positions.values():
            check_consistency(position)


def check_consistency(position: Position) -> None:
    """No two fields of a position contradict each other."""
    assert (position.standing == "member") <= (position.qualifying == 0)
    assert (position.standing == "distributor") <= (position.qualifying > 0)
    assert (position.membership == "left") <= (position.is_partner and position.owner is None)
    assert (position.membership == "in_team") <= (position.peer is None)
    assert (position.owner_edge == "fixed") <= (position.qualifying > 0)
    assert (position.coupon == "none") == (position.coupons == 0)


def test_the_charts_draw_the_transitions() -> None:
    drawn = {(step.before, step.after) for step in steps_in(area.__doc__)}
    data = set[tuple[str, str]]()
    for transitions in (*POSITION_STATES.values(), *ORDER_STATES.values()):
        data |= steps_of(transitions)

    assert drawn == data


def test_random_lives_take_every_step_of_the_charts_and_no_other() -> None:
    network = WatchedNetwork()
    leave_modes: tuple[LeaveMode, ...] = ("leave_recruits", "keep_recruits", "none")
    plans = [
        *(replace(EXAMPLE, leave_mode=mode, promote_n=n, id=f"p{n}") for mode in leave_modes for n in (1, 2)),
        replace(EXAMPLE, promote_on="settled", on_refund="keep"),
        replace(FREE_ORDER, version=1, benefit_n=1),
        replace(UNLOCK, version=1, benefit_n=1),
    ]
    for number in range(10 * len(plans)):
        live(plans[number % len(plans)], number, network)

    for name, transitions in {**POSITION_STATES, **ORDER_STATES}.items():
        assert network.steps[name] == steps_of(transitions), name
