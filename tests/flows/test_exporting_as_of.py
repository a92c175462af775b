"""An export of a moment is the same whenever it is written: at once, or after everything that can happen meanwhile."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.compliance.model import Hold, Lift
from cardstock.errors import CardstockError
from cardstock.flows.exporting_as_of import (
    hold_as_of,
    line_as_of,
    order_as_of,
    refund_as_of,
    rewards_as_of,
    supplier_order_as_of,
)
from cardstock.ledger.model import Credit, MemberReward
from cardstock.orders import placement, refund_ends
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.model import Order, Receiver
from cardstock.orders.payment_model import RefundNotice
from cardstock.orders.refund_model import Refund, RefundLine
from cardstock.orders.supplier_model import Parcel, SupplierLine, SupplierOrder
from cardstock.payouts.lines import Correction, Line
from tests.house.cloud import Snapshot
from tests.people.exports import Exporter, Person, book_statements
from tests.people.shop import Shop
from tests.people.trade import line

LISTS = (
    "orders",
    "holds",
    "statement",
    "balance",
    "rewards",
    "cards",
    "shares",
    "coupons",
    "payouts",
    "merges",
    "sessions",
)


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


AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
BEFORE, AFTER = AT - timedelta(hours=1), AT + timedelta(hours=1)
PLACED = Order(
    "ord_1", "mem_1", "paid", (line(1, 3),), 3 * 49_900, Receiver("a", "b", "c"), None, {}, BEFORE, paid_at=BEFORE,
    channel="sandbox", transaction_no="t", payer="mark",
)  # fmt: skip


def refund_of(requested_at: datetime, **more: Any) -> Refund:
    lines = (RefundLine(1, "sku1", 1, 49_900, restock=True),)
    return Refund(
        "rfd_1", "ord_1", "mem_1", "return", more.pop("status", "requested"), 49_900, lines, "no", "sandbox", "t",
        3 * 49_900, requested_at, **more,
    )  # fmt: skip


def with_lines(refunded: int, aside: int) -> Order:
    changed = replace(PLACED.lines[0], refunded_units=refunded, refunded_fen=refunded * 49_900, set_aside_units=aside)
    return replace(PLACED, lines=(changed,))


@pytest.mark.parametrize(("refund", "now", "then", "status"), [
    (refund_of(BEFORE), (1, 0), (1, 0), "requested"),
    (refund_of(AT), (1, 0), (1, 0), "requested"),
    (refund_of(AFTER), (1, 0), (0, 0), None),
    (refund_of(BEFORE, status="succeeded", succeeded_at=AT), (1, 0), (1, 0), "succeeded"),
    (refund_of(BEFORE, status="succeeded", succeeded_at=AFTER, paid_another_way=True), (1, 0), (1, 0), "requested"),
    (refund_of(BEFORE, status="succeeded", refused_at=AT, succeeded_at=AFTER), (1, 0), (1, 0), "refused"),
    (refund_of(BEFORE, status="refused", refused_at=AFTER), (1, 0), (1, 0), "requested"),
    (refund_of(BEFORE, status="given_up", refused_at=BEFORE, given_up_at=AT), (0, 1), (0, 1), "given_up"),
    (refund_of(BEFORE, status="given_up", refused_at=AT, given_up_at=AFTER), (0, 1), (1, 0), "refused"),
    (refund_of(BEFORE, status="given_up", refused_at=AFTER, given_up_at=AFTER), (0, 1), (1, 0), "requested"),
    (refund_of(AFTER, status="given_up", refused_at=AFTER, given_up_at=AFTER), (0, 1), (0, 0), None),
])  # fmt: skip
def test_a_refund_and_its_order_are_what_they_were(
    refund: Refund, now: tuple[int, int], then: tuple[int, int], status: str | None
) -> None:
    order, shown = order_as_of(with_lines(*now), (refund,), AT), refund_as_of(refund, AT)

    assert order == with_lines(*then)
    assert (shown.status if shown else None) == status
    if shown is not None and shown.status != "succeeded":
        assert (shown.succeeded_at, shown.paid_another_way, shown.place) == (None, False, 0)
    if shown is not None:
        assert [at for at in (shown.refused_at, shown.given_up_at) if at is not None and at > AT] == []


@pytest.mark.parametrize(("status", "moments", "then"), [
    ("completed", {"received_at": AFTER, "shipped_at": AFTER, "paid_at": AFTER}, "placed"),
    ("completed", {"received_at": AFTER, "shipped_at": AFTER, "paid_at": AT}, "paid"),
    ("completed", {"received_at": AFTER, "shipped_at": AT}, "shipped"),
    ("completed", {"received_at": AT, "shipped_at": AT}, "completed"),
    ("expired", {"closed_at": AFTER, "paid_at": None}, "placed"),
    ("cancelled", {"closed_at": AT, "paid_at": None}, "cancelled"),
])  # fmt: skip
def test_an_order_has_the_status_and_the_moments_that_it_had(status: Any, moments: dict[str, Any], then: str) -> None:
    found = order_as_of(replace(PLACED, status=status, **moments), (), AT)

    assert found is not None
    assert found.status == then
    shown = (found.paid_at, found.shipped_at, found.received_at, found.closed_at)
    assert [at for at in shown if at is not None and at > AT] == []
    if then == "placed" and status == "completed":
        assert (found.channel, found.transaction_no, found.payer) == (None, None, "")
    assert order_as_of(replace(PLACED, placed_at=AFTER), (), AT) is None


def test_a_transfer_is_what_it_was() -> None:
    sent = Line(
        "pay_202611", "2026-11", "mem_1", 1, "n1", 500, "paid", 500, 50, 450, "Name", "account", sent_at=BEFORE,
        closed_at=AT, tax_month="2026-12",
    )  # fmt: skip
    late = replace(sent, closed_at=AFTER, reason="x")
    corrected = Correction("oit_1", "n1", AFTER, "failed", "NO_FUNDS", "paid")

    assert line_as_of(sent, AT) == sent
    assert line_as_of(late, AT) == replace(sent, status="sent", closed_at=None)
    assert line_as_of(replace(late, sent_at=AFTER), AT) == Line("pay_202611", "2026-11", "mem_1", 1, "n1", 500)
    assert line_as_of(replace(sent, corrections=(corrected,)), AT) == replace(sent, status="failed", reason="NO_FUNDS")


def test_a_hold_and_a_reward_are_what_they_were() -> None:
    hold = Hold("ord_1", ("same_payer",), (), AT, "lifted", Lift("stf_1", AFTER, "fine"))
    credit = Credit("direct", "mem_1", "partner", "r", 1, "bps", 1, 1, 1, 9)
    reward = MemberReward(credit, "p@1", "available", BEFORE, AFTER, (("rfd_1", 2), ("rfd_2", 3)))

    assert hold_as_of(hold, AT) == replace(hold, state="open", lifted=None)
    assert hold_as_of(hold, AFTER) == hold
    assert hold_as_of(hold, BEFORE) is hold_as_of(None, AT) is None
    assert rewards_as_of((reward,), {"rfd_2"}, AT) == (
        replace(reward, state="frozen", released_at=None, claws=(("rfd_2", 3),)),
    )
    assert rewards_as_of((reward,), {"rfd_1", "rfd_2"}, AFTER) == (reward,)
    assert rewards_as_of((replace(reward, accrued_at=AFTER),), (), AT) == ()


def test_a_part_of_an_order_is_what_it_was() -> None:
    parcels = (Parcel("e1", "SF", "1", AT), Parcel("e2", "SF", "2", AFTER))
    part = SupplierOrder(
        "sup_1", "ord_1", "delivered", (SupplierLine("sku1", "Ware", 1, 1),), PLACED.receiver, BEFORE, "delivered",
        parcels, AFTER, AFTER,
    )  # fmt: skip
    cancelled = replace(part, status="cancelled", parcels=(), shipped_at=None, delivered_at=None)

    shown = supplier_order_as_of(part, (), AT)
    assert shown == replace(part, status="open", parcels=parcels[:1], shipped_at=None, delivered_at=None)
    assert supplier_order_as_of(replace(part, created_at=AFTER), (), AT) is None
    assert supplier_order_as_of(cancelled, (refund_of(AFTER),), AT) == replace(
        cancelled, status="open", lines=(SupplierLine("sku1", "Ware", 1, 0),)
    )
    assert supplier_order_as_of(cancelled, (), AT) == cancelled
