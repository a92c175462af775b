"""Exports of members with many orders: each record once, calls by pages and orders, memory by the size of the file."""

import gc
import random
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from cardstock.compliance.model import Hold
from cardstock.flows.explaining_schemas import Explanation
from cardstock.flows.exporting import collect
from cardstock.flows.exporting_wiring import exporting_needs
from cardstock.ids import new_id
from cardstock.ledger.model import StatementLine
from cardstock.ledger.statements import statement_key
from cardstock.ledger.statements_store import StatementItem, statement_item
from cardstock.ledger.store import BalanceItem
from cardstock.members.export_model import Export
from cardstock.members.item_store import members_of
from cardstock.orders.model import Order, OrderLine, Receiver
from cardstock.orders.refund_model import Refund, RefundLine
from cardstock.orders.store import OrderItem, RefundItem, order_item, refund_item
from cardstock.orders.supplier_model import SupplierOrder
from tests.house import faults
from tests.house.cloud import Cloud
from tests.people.clock import TestClock
from tests.people.exports import Exporter, Person
from tests.people.memory_orders import MemoryOrders

SNAPSHOT = {"p": "unlock@1", "b": "m"}


def order_of(member_id: str, number: int, at: datetime) -> Order:
    """A paid order of three units."""
    line = OrderLine(1, "sku1", "Ware", 3, 1_000, 3_000, "sup_1", True, True)
    return Order(
        new_id("ord", at), member_id, "paid", (line,), 3_000, Receiver("王", "13800138000", "上海"), None, SNAPSHOT, at,
        paid_at=at, channel="sandbox", transaction_no=f"t{number}",
    )  # fmt: skip


class Hoarder:
    """A member with so many orders and statement lines, in no sequence, some of them refunded."""

    def __init__(self, exporter: Exporter, orders: int) -> None:
        self.exporter, self.chance = exporter, random.Random(7)
        self.person: Person = exporter.person("hoarder")
        self.ids: list[str] = []
        self.refunds: list[str] = []
        now = exporter.clock.now()
        moments = [now - timedelta(minutes=17 * number + 1) for number in range(orders)]
        self.chance.shuffle(moments)
        with OrderItem.batch_write() as stored, RefundItem.batch_write() as refunded:
            for number, at in enumerate(moments):
                order = order_of(self.person.id, number, at)
                if number % 10 == 0:
                    line = replace(order.lines[0], refunded_units=1, refunded_fen=1_000)
                    order = replace(order, lines=(line,))
                    refund = Refund(
                        new_id("rfd", at), order.order_id, self.person.id, "return", "succeeded", 1_000,
                        (RefundLine(1, "sku1", 1, 1_000),), "no", "sandbox", f"t{number}", 3_000, at, at,
                    )  # fmt: skip
                    refunded.save(refund_item(refund))
                    self.refunds.append(refund.refund_id)
                stored.save(order_item(order))
                self.ids.append(order.order_id)
        with StatementItem.batch_write() as lines:
            for number, at in enumerate(moments):
                entry = f"shared.{number}"
                said = StatementLine(
                    self.person.id, statement_key(at, entry), entry, "shared", str(number), "", at, (), {"available": 7}
                )
                lines.save(statement_item(said))
        BalanceItem(pk=self.person.id, available=7 * orders).save()

    def export(self) -> tuple[str, Counter[str]]:
        """An export that is ready, and the calls of its writing."""
        export_id = self.exporter.ask(self.person.id).body["export_id"]
        self.exporter.clock.move(seconds=30)
        messages = self.exporter.messages()
        with faults.watch() as calls:
            assert self.exporter.work(*messages) == 0
        return str(export_id), Counter(calls)


@pytest.mark.parametrize("orders", [99, 100, 101, 401])
def test_every_order_refund_and_line_is_in_the_file_once_whatever_pages_there_are(
    orders: int, cloud: Cloud, clock: TestClock
) -> None:
    hoarder = Hoarder(Exporter(cloud, clock), orders)
    export_id, calls = hoarder.export()
    read = hoarder.exporter.read(hoarder.person.id, export_id)
    first, pages = read["members"][0], -(-orders // 100)
    ids = [one["order"]["order_id"] for one in first["orders"]]
    refunds = [refund["refund_id"] for one in first["orders"] for refund in one["refunds"]]

    assert ids == sorted(hoarder.ids, reverse=True)
    assert sorted(refunds) == sorted(hoarder.refunds)
    assert sorted(int(line["cause"]) for line in first["statement"]) == list(range(orders))
    assert read["counts"]["orders"] == read["counts"]["statement"] == orders
    # One query for each order's refunds, and one for each page of orders and of the statement; the others do not grow.
    assert calls["dynamodb.Query"] == orders + 2 * pages + 8
    # Of each page: orders, supplier orders, holds.
    assert calls["dynamodb.BatchGetItem"] == 3 * pages + 4
    assert calls["dynamodb.GetItem"] == 5
    assert (calls["dynamodb.TransactWriteItems"], calls["s3.PutObject"]) == (1, 1)


class EndlessOrders(MemoryOrders):
    """So many orders of a member, each made when it is asked for."""

    def __init__(self, member_id: str, count: int, now: datetime) -> None:
        super().__init__()
        self.member_id, self.count, self.now = member_id, count, now
        self.calls: Counter[str] = Counter()

    def orders_of_member(self, member_id: str, limit: int, after: str | None) -> tuple[Sequence[Order], str | None]:
        self.calls["pages"] += 1
        start = int(after or 0)
        end = min(start + limit, self.count)
        page = [order_of(self.member_id, number, self.now) for number in range(start, end)]
        return page, str(end) if end < self.count else None

    def refunds_of_order(self, order_id: str) -> tuple[Refund, ...]:
        self.calls["refunds"] += 1
        return ()


def test_writing_needs_memory_for_the_file_and_not_for_what_was_read(cloud: Cloud, clock: TestClock) -> None:
    """The records, the file made of them, and the same indented: three to four times the file, however many orders."""
    exporter = Exporter(cloud, clock)
    person = exporter.person("hoarder")
    export = Export("exp_1", person.id, "zh", clock.now())
    member = members_of([person.id])[person.id]
    for count in (1_000, 5_000):
        orders = EndlessOrders(person.id, count, clock.now() - timedelta(hours=1))
        needs = replace(exporting_needs(Explanation.of), orders=orders, parts_of=no_parts, holds_of=no_holds)
        collect(export, member, needs)  # what is imported and cached at the first time
        gc.collect()
        tracemalloc.start()
        content = collect(export, member, needs)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert orders.calls == {"pages": 2 * count // 100, "refunds": 2 * count}
        assert peak < 5 * len(content), (count, peak, len(content))


def no_parts(_orders: Sequence[Order]) -> dict[str, list[SupplierOrder]]:
    return {}


def no_holds(_order_ids: Sequence[str]) -> dict[str, Hold]:
    return {}
