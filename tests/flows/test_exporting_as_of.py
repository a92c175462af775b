"""An export of a moment is the same whenever it is written: at once, or after everything that can happen meanwhile."""

import json
import random
from typing import Any

import pytest

from cardstock.errors import CardstockError
from cardstock.orders import placement, refund_ends
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.payment_model import RefundNotice
from tests.house.cloud import Snapshot
from tests.people.exports import Exporter, Person, book_statements
from tests.people.shop import Shop
from tests.people.trade import line

LISTS = ("orders", "holds", "statement", "balance", "rewards", "cards", "coupons", "payouts", "merges", "sessions")


class Wanderings:
    """Two members of whom one earns on the other, and everything that happens to their orders, at random."""

    def __init__(self, shop: Shop, seed: int) -> None:
        _ = shop.channel  # refunds go through there
        self.trade, self.clock, self.cloud = shop.trade, shop.clock, shop.cloud
        self.exporter, self.chance = Exporter(shop.cloud, shop.clock), random.Random(seed)
        self.anna: Person = self.exporter.person("anna")
        self.bert: Person = self.exporter.person("bert", invite=self.anna.id)
        self.trade.appoint(self.anna.id)
        self.orders: list[str] = []
        self.refunds: list[tuple[str, str]] = []

    def happen(self, times: int, *, seconds: int, days: int) -> None:
        """So many things, with at most so much time between two of them, and before a night."""
        self.days = days
        for _ in range(times):
            self.clock.move(seconds=self.chance.randint(1, seconds))
            step = self.chance.choice(
                (self.place, self.place, self.pay, self.pay, self.receive, self.ask_back, self.ask_back, self.give_back,
                 self.refuse, self.cancel, self.goodwill, self.night, self.trade.settle_down, self.trade.settle_down)
            )  # fmt: skip
            try:
                step()
            except CardstockError:
                continue  # it was not its time
        book_statements(self.trade)

    def place(self) -> None:
        buyer = self.chance.choice((self.anna, self.bert))
        lines = [line(number, self.chance.randint(1, 3)) for number in self.chance.sample((1, 2, 3), 2)]
        numbered = [type(each)(**{**_fields(each), "line_no": place}) for place, each in enumerate(lines, 1)]
        self.orders.append(self.trade.place(buyer.id, *numbered))

    def pay(self) -> None:
        self.trade.pay(self._order())

    def receive(self) -> None:
        order = self._stored()
        if order.is_paid:
            self.trade.receive(order.order_id)

    def ask_back(self) -> None:
        order = self._stored()
        left = [each for each in order.lines if each.refunded_units < each.units]
        if order.is_paid and left:
            chosen = self.chance.choice(left)
            refund_id = self.trade.ask_back(order.order_id, **{chosen.sku: 1})
            self.refunds.append((order.order_id, refund_id))

    def give_back(self) -> None:
        if self.refunds:
            self.trade.give_back(*self.chance.choice(self.refunds))

    def refuse(self) -> None:
        if self.refunds:
            order_id, refund_id = self.chance.choice(self.refunds)
            refund = orders_wiring.orders().find_refund(order_id, refund_id)
            assert refund is not None
            notice = RefundNotice("sandbox", order_id, refund_id, refund.transaction_no, "refused", refund.amount_fen)
            refund_ends.record_refund(notice, orders=orders_wiring.orders())

    def goodwill(self) -> None:
        self.trade.refund_fen(self._order(), self.chance.randint(1, 900))

    def cancel(self) -> None:
        order = self._stored()
        placement.cancel_order(order.member_id, order.order_id, orders=orders_wiring.orders(), channels={})

    def night(self) -> None:
        self.clock.move(days=self.chance.randint(0, self.days))
        self.trade.night()

    def _order(self) -> str:
        if not self.orders:
            self.place()
        return self.chance.choice(self.orders)

    def _stored(self) -> Any:
        return orders_wiring.orders().find_order(self._order())


def _fields(struct: Any) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def listed(exporter: Exporter, member_id: str, export_id: str) -> dict[str, Any]:
    """The lists of an export's file."""
    (found,) = json.loads(exporter.content(member_id, export_id))["members"]
    return {name: found[name] for name in LISTS}


@pytest.mark.parametrize("seed", range(12))
def test_an_export_is_the_same_when_it_is_written_late(seed: int, shop: Shop) -> None:
    life = Wanderings(shop, seed)
    life.happen(40, seconds=3_000, days=12)
    asked = {person.id: life.exporter.ask(person.id).body["export_id"] for person in (life.anna, life.bert)}
    messages = life.exporter.messages()
    then: Snapshot = life.cloud.snapshot()
    assert life.exporter.work(*messages) == 0
    at_once = {member_id: listed(life.exporter, member_id, export_id) for member_id, export_id in asked.items()}
    then.restore()
    life.clock.move(seconds=1)
    before = life.clock.now()
    life.happen(40, seconds=60, days=0)
    assert (life.clock.now() - before).total_seconds() < 3 * 3600
    assert life.exporter.work(*messages) == 0

    for member_id, export_id in asked.items():
        assert listed(life.exporter, member_id, export_id) == at_once[member_id]
