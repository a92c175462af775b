"""Every list in DynamoDB by pages: nothing is left out or told twice, and the last page says that it is the last."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.cards.model import Card, Face
from cardstock.cards.store import DynamoCards
from cardstock.catalog.store import DynamoVariants
from cardstock.compliance.model import Alarm, Hold
from cardstock.compliance.store import DynamoAlarms, DynamoHolds
from cardstock.ids import RequestKey, new_id
from cardstock.ledger.model import Seal, SealedLeaves, StatementLine, WriteOff
from cardstock.ledger.seals_store import DynamoSeals
from cardstock.ledger.statements import statement_key
from cardstock.ledger.statements_store import DynamoStatements
from cardstock.ledger.store import DynamoWriteOffs
from cardstock.network.plan import PublishedPlan
from cardstock.network.plans_store import DynamoPlans
from cardstock.network.presets import SINGLE_LEVEL
from cardstock.orders.change_model import Step
from cardstock.orders.model import Order, Receiver
from cardstock.orders.store import DynamoOrders
from cardstock.orders.supplier_model import SupplierOrder
from cardstock.partners.model import ApiKey, Delivery
from cardstock.partners.store import DynamoDeliveries, DynamoKeys
from cardstock.payouts.lines import new_line
from cardstock.payouts.model import Batch, Rules
from cardstock.payouts.payees import Balance
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.store import DynamoPayouts
from tests.house.cloud import Cloud
from tests.house.faults import watch
from tests.people.goods import Goods, publish_goods
from tests.people.marks import MARKER

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
NUMBERS = range(1, 5)
Read = Callable[[int, str | None], tuple[Sequence[Any], str | None]]


def asked(number: int) -> RequestKey:
    return RequestKey(f"req_{number}", "f")


def own_cards() -> Read:
    for number in NUMBERS:
        DynamoCards().add_card(
            Card(f"k7m2p9xw4ta{number}", "mem_a", {"default": Face("Lin")}, 1, AT, AT), asked(number)
        )
    return partial(DynamoCards().cards_of_member, "mem_a")


def products() -> Read:
    listings = [Goods(f"sku{number}", "Ware", "sup_1", 100, True, True, True, 1) for number in NUMBERS]
    publish_goods(listings, AT)
    return DynamoVariants().list_leading


def products_of_a_supplier() -> Read:
    products()
    publish_goods([Goods("other", "Ware", "sup_2", 100, True, True, True, 1)], AT)
    return partial(DynamoVariants().leading_of_supplier, "sup_1")


def placed(number: int) -> Order:
    order_id = new_id("ord", AT + timedelta(seconds=number))
    return Order(order_id, "mem_a", "placed", (), 0, Receiver("a", "b", "c"), None, {}, AT)


def orders_of_a_member() -> Read:
    for number in NUMBERS:
        DynamoOrders(MARKER).add_order(placed(number), asked(number))
    return partial(DynamoOrders(MARKER).orders_of_member, "mem_a")


def orders_of_a_supplier() -> Read:
    parts = tuple(
        SupplierOrder("sup_1", f"ord_{number}", "open", (), Receiver("a", "b", "c"), AT) for number in NUMBERS
    )
    DynamoOrders(MARKER).store_step(Step(supplier_orders=parts))
    return partial(DynamoOrders(MARKER).orders_of_supplier, "sup_1")


def keys() -> Read:
    for number in NUMBERS:
        DynamoKeys().add(ApiKey(f"key_{number}", "x", frozenset(), "stf_1", "Li Na", "n", AT), asked(number))
    return partial(DynamoKeys().keys_of_owner, "stf_1")


def deliveries() -> Read:
    for number in NUMBERS:
        delivery = Delivery("whe_1", f"{number:013d}.evt", "order.paid", "{}", "waiting", (), 0, AT)
        DynamoDeliveries().add(replace(delivery, delivery_id=f"{number:013d}.evt_{number}"), AT + timedelta(days=9))
    return partial(DynamoDeliveries().page, "whe_1", "9")


def plans() -> Read:
    store, before = DynamoPlans(), None
    for number in NUMBERS:
        record = PublishedPlan(replace(SINGLE_LEVEL, version=number), AT, "key_1")
        assert store.save_plan(record, instead_of=before)
        before = record
    return store.list_plans


def holds() -> Read:
    for number in NUMBERS:
        DynamoHolds().save_new_hold(Hold(f"ord_{number}", ("same_payer",), (), AT))
    return DynamoHolds().list_holds


def alarms() -> Read:
    for number in NUMBERS:
        DynamoAlarms().save_alarm(Alarm(f"mem_{number}.1", f"mem_{number}", 30, 3, 1, AT))
    return DynamoAlarms().list_alarms


def write_offs() -> Read:
    for number in NUMBERS:
        DynamoWriteOffs().keep_write_off(WriteOff(f"wro_{number}", "mem_a", 1, "a", AT, "r"), asked(number))
    return DynamoWriteOffs().list_write_offs


def seals() -> Read:
    for number in NUMBERS:
        DynamoSeals().keep_seal(SealedLeaves(Seal(number, "", 1, "", "", "", "", ()), ()))
    return DynamoSeals().list_seals


def statement() -> Read:
    days = [datetime(2026, 12, number, tzinfo=UTC) for number in (*NUMBERS, 9)]
    DynamoStatements().put_lines(
        [
            StatementLine("mem_a", statement_key(at, f"t{at}"), f"t{at}", "accrued", "c", "", at, (), {"frozen": 1})
            for at in days
        ]
    )
    return partial(DynamoStatements().lines_of_member, "mem_a", days[0], days[-1])


def payouts() -> Read:
    for number in NUMBERS:
        DynamoPayouts().open_batch(batch_of(number))
    return DynamoPayouts().batch_page


def batch_of(number: int) -> Batch:
    period = Period(f"2026-{number:02d}")
    rules = Rules(1_000, "bank_file", 10, "labour", "labour-2019")
    return Batch(batch_id(period), period, "listing", rules, "schedule", AT)


def lines_of_a_payout() -> Read:
    batch = batch_of(1)
    DynamoPayouts().open_batch(batch)
    DynamoPayouts().add_lines(batch, [new_line(batch, Balance(f"mem_{number}", 5_000)) for number in NUMBERS])
    return partial(DynamoPayouts().line_page, batch.id)


LISTS = (
    own_cards, products, products_of_a_supplier, orders_of_a_member, orders_of_a_supplier, keys, deliveries, plans,
    holds, alarms, write_offs, seals, statement, payouts, lines_of_a_payout,
)  # fmt: skip


@pytest.mark.parametrize("fill", LISTS)
def test_pages_tell_everything_once_and_a_full_last_page_promises_no_other(
    cloud: Cloud, fill: Callable[[], Read]
) -> None:
    read = fill()
    whole, end = read(len(NUMBERS), None)
    with watch() as calls:
        first, following = read(2, None)
        second, nothing = read(2, following)
    odd, further = read(3, None)
    rest, none = read(3, further)

    assert (len(whole), end, nothing, none) == (4, None, None, None)
    assert following is not None
    assert [*first, *second] == [*odd, *rest] == list(whole)
    assert sum(call.endswith(("Query", "Scan")) for call in calls) == 2


def test_an_empty_list_is_one_empty_page(cloud: Cloud) -> None:
    assert DynamoHolds().list_holds(20, None) == ([], None)
    assert DynamoVariants().list_leading(20, None) == ([], None)
    assert DynamoVariants().leading_of_supplier("sup_1", 20, None) == ([], None)
    assert DynamoCards().cards_of_member("mem_a", 20, None) == ([], None)
    assert DynamoStatements().lines_of_member("mem_a", None, None, 20, None) == ([], None)
    assert DynamoOrders(MARKER).orders_of_member("mem_a", 20, None) == ([], None)
