"""Freight by templates, from the quote to the refund: per supplier's part, by region, refused by name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.delivery import wiring as delivery_wiring
from cardstock.delivery.model import Rate, Template, Templates, Zone
from cardstock.flows.buying_wiring import kept_templates
from cardstock.orders import fulfilment
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.model import FreightPart, Order, OrderLine, Receiver
from cardstock.orders.refund_amounts import add_refund, cancel_unsent, drop_refund, return_lines
from cardstock.orders.refund_model import Refund
from cardstock.orders.steps import follow_suppliers
from cardstock.orders.supplier_model import SupplierLine, SupplierOrder
from tests.house import faults
from tests.people.buyers import RECEIVER
from tests.people.clock import START
from tests.people.goods import publish_goods
from tests.people.replies import Reply
from tests.people.shop import GOODS, Shop

KIT, LANTERN, HANGER = "85123A", "71053", "84406B"
"""255.00, 339.00 and 10.01 yuan a unit: the first two of `sup_lights`, the last of `sup_hangers`."""
XIHU, NINGBO, URUMQI = "330106", "330203", "650102"
RATE = Rate(1, 1_200, 1, 600)
ZONES = (
    Zone(("330000",), replace(RATE, first_fen=800)),
    Zone((XIHU,), replace(RATE, first_fen=500)),
    Zone(("650000",), None),
)
PLAIN = Template("plain", "Plain", "unit", RATE, ZONES)


@pytest.fixture
def selling(shop: Shop) -> Shop:
    shop.stock_up()
    delivery_wiring.freight_templates().replace(Templates((PLAIN,), "plain", 1))
    return shop


def place(shop: Shop, quote: str, *, key: str = "order-1", **receiver: Any) -> Reply:
    body = {"quote": quote, "receiver": RECEIVER | receiver}
    return shop.buyer.send("POST", "/v1/orders", body, key=key)


def parts_of(shown: Any) -> dict[str, int]:
    return {part["supplier_id"]: part["freight_fen"] for part in shown["freight_parts"]}


def test_each_part_has_its_freight_from_the_quote_to_the_order(selling: Shop) -> None:
    quote = selling.buyer.quote({KIT: 2, LANTERN: 1, HANGER: 1}, region=XIHU).body
    placed = place(selling, quote["quote"], region=XIHU).body
    order = selling.buyer.send("GET", f"/v1/orders/{placed['order_id']}").body

    assert (quote["region"], order["receiver"]["region"]) == (XIHU, XIHU)
    for shown in (quote, order):
        assert parts_of(shown) == {"sup_lights": 1_700, "sup_hangers": 500}
    for shown in (quote, placed, order):
        assert shown["freight_fen"] == 2_200
        assert shown["amount_fen"] == 2_200 + sum(line["net_fen"] for line in shown["lines"])


def test_a_region_that_is_not_served_is_refused_by_name_before_placing(selling: Shop) -> None:
    refused = selling.buyer.quote({KIT: 1, HANGER: 1}, region=URUMQI)
    without = selling.buyer.quote({KIT: 1})
    divided = selling.buyer.quote({KIT: 1}, region="330100")
    unknown = [selling.buyer.quote({KIT: 1}, region=code) for code in ("330001", "330000", "110100")]

    assert (refused.status, refused.body["code"]) == (422, "REGION_NOT_SERVED")
    assert refused.body["facts"]["skus"] == [HANGER, KIT]
    assert "新疆维吾尔自治区乌鲁木齐市天山区" in refused.body["detail"]
    assert (without.status, without.body["code"]) == (422, "REGION_NEEDED")
    assert (divided.status, divided.body["code"]) == (422, "REGION_NEEDED")  # 西湖区 has a rate of its own
    assert [(each.status, each.body["code"]) for each in unknown] == [(400, "REGION_UNKNOWN")] * 3


def test_a_receiver_outside_the_region_of_the_quote_is_refused_with_a_fresh_quote(selling: Shop) -> None:
    quote = selling.buyer.quote({KIT: 1}, region=XIHU).body["quote"]
    before = selling.cloud.state()
    nowhere, far = place(selling, quote), place(selling, quote, region=URUMQI)
    refused = place(selling, quote, region=NINGBO)
    unchanged = selling.cloud.state() == before
    fresh = refused.body["quote"]
    placed = place(selling, fresh["quote"], region=NINGBO)

    assert unchanged
    assert [(each.status, each.body["code"]) for each in (nowhere, far, refused)] == [(409, "REGION_DIFFERS")] * 3
    assert "quote" not in far.body  # nothing is sent there
    assert (nowhere.body["quote"]["region"], nowhere.body["quote"]["freight_fen"]) == (XIHU, 500)
    assert (fresh["region"], fresh["freight_fen"], fresh["amount_fen"]) == (NINGBO, 800, 26_300)
    assert (placed.status, placed.body["amount_fen"]) == (201, 26_300)


@pytest.mark.parametrize("price_fen", [25_400, 25_600])
def test_a_price_that_changed_either_way_is_refused_with_a_fresh_quote(selling: Shop, price_fen: int) -> None:
    quote = selling.buyer.quote({KIT: 1, HANGER: 1}, region=XIHU).body["quote"]
    dearer = replace(GOODS[0], price_fen=price_fen)
    publish_goods([dearer, replace(GOODS[2], active=False)], selling.clock.now())
    refused = place(selling, quote, region=XIHU)
    placed = place(selling, refused.body["quote"]["quote"], region=XIHU)

    assert (refused.status, refused.body["code"]) == (409, "PRICE_CHANGED")
    assert [(line["sku"], line["net_fen"]) for line in refused.body["quote"]["lines"]] == [(KIT, price_fen)]
    assert (placed.status, placed.body["amount_fen"]) == (201, price_fen + 500)


def test_what_is_short_is_refused_with_a_fresh_quote_of_what_is_there(selling: Shop) -> None:
    quote = selling.buyer.quote({KIT: 3, HANGER: 1}, region=XIHU).body["quote"]
    alone = selling.buyer.quote({KIT: 3}, region=XIHU).body["quote"]
    answers = list[Reply]()
    for taken, late in ((selling.stock()[KIT][0] - 1, quote), (1, alone)):
        other = selling.buyer.quote({KIT: taken}, region=XIHU).body["quote"]
        assert place(selling, other, key=f"taken-{taken}", region=XIHU).status == 201
        answers.append(place(selling, late, key=f"late-{taken}", region=XIHU))
    refused, gone = answers

    assert (refused.status, refused.body["code"]) == (409, "STOCK_SHORT")
    assert [(line["sku"], line["units"]) for line in refused.body["quote"]["lines"]] == [(KIT, 1), (HANGER, 1)]
    assert (gone.status, "quote" in gone.body) == (409, False)


def test_the_freight_of_a_part_goes_back_with_its_last_unit_and_stays_once_it_was_sent(selling: Shop) -> None:
    quote = selling.buyer.quote({KIT: 1, HANGER: 2}, region=XIHU).body["quote"]
    order_id = place(selling, quote, region=XIHU).body["order_id"]
    selling.buyer.pay(order_id)
    back = [selling.buyer.refund(order_id, {HANGER: 1}, key=f"refund-{number}").body for number in range(2)]
    fulfilment.report_shipment("sup_lights", order_id, "SF", "SF1", "evt_1", orders=orders_wiring.orders())
    staff = selling.staff.key("orders:refund")
    sent = selling.staff.take_back(order_id, {KIT: 1}, staff=staff, key="kit").body
    after = selling.buyer.send("GET", f"/v1/orders/{order_id}").body

    assert [(made["amount_fen"], made["freight_fen"]) for made in back] == [(1_001, 0), (1_001 + 1_100, 1_100)]
    assert (sent["amount_fen"], sent["freight_fen"]) == (25_500, 0)
    assert after["amount_fen"] - after["refunded_fen"] == 500


def test_a_quote_reads_the_templates_with_its_products_once_a_minute(selling: Shop) -> None:
    selling.buyer.token()
    kept_templates.cache_clear()
    with faults.watch() as cold:
        assert selling.buyer.quote({KIT: 1}, region=XIHU).body["freight_fen"] == 500
    delivery_wiring.freight_templates().replace(Templates((replace(PLAIN, zones=()),), "plain", 2))
    kept = selling.buyer.quote({KIT: 1}, region=XIHU).body["freight_fen"]
    selling.clock.move(seconds=60)
    fresh = selling.buyer.quote({KIT: 1}, region=XIHU).body["freight_fen"]

    assert cold == ["dynamodb.BatchGetItem"] * 2
    assert (kept, fresh) == (500, 1_200)
    assert not kept_templates().are_stale


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 999), st.sampled_from("abc")), min_size=1, max_size=5),
    st.tuples(st.integers(1, 900), st.integers(1, 900), st.integers(1, 900)),
    st.lists(st.tuples(st.sampled_from(("send", "return", "drop")), st.integers(0, 4)), max_size=14),
    st.lists(st.tuples(st.sampled_from(("return", "drop")), st.integers(0, 19)), max_size=8),
)
def test_the_freight_of_a_part_goes_back_once_and_only_if_nothing_of_it_was_sent(
    bought: list[tuple[int, int, str]],
    fees: tuple[int, int, int],
    steps: list[tuple[str, int]],
    later: list[tuple[str, int]],
) -> None:
    lines = tuple(
        OrderLine(number, f"sku{number}", "n", units, 1, net, f"sup_{supplier}", False, True)
        for number, (units, net, supplier) in enumerate(bought, 1)
    )
    suppliers = list(dict.fromkeys(line.supplier_id for line in lines))
    freight = tuple(FreightPart(supplier, fee) for supplier, fee in zip(suppliers, fees, strict=False))
    total = sum(line.net_fen for line in lines) + sum(part.fen for part in freight)
    order = Order(
        "ord_1", "mem_1", "paid", lines, total, Receiver("n", "1", "a"), None, {}, START, freight_parts=freight
    )
    parts = {
        supplier: SupplierOrder(
            supplier, "ord_1", "open",
            tuple(SupplierLine(line.sku, "n", line.units) for line in lines if line.supplier_id == supplier),
            order.receiver, START,
        )
        for supplier in suppliers
    }  # fmt: skip
    sent, refunds = set[str](), list[Refund]()
    everything = [("return", index % len(bought)) for index in range(4 * len(bought))]
    for kind, index in [*steps, *everything, *later, *everything]:
        line = order.lines[index % len(order.lines)]
        before = order
        if kind == "send" and parts[line.supplier_id].status == "open":
            parts[line.supplier_id] = replace(parts[line.supplier_id], status="shipped")
            sent.add(line.supplier_id)
            order = follow_suppliers(order, parts, START)
        elif kind == "return" and line.refunded_units < line.units:
            taken = return_lines(order, {line.sku: 1}, parts)
            parts |= cancel_unsent(order, parts, taken, START)
            order = add_refund(order, taken, parts, START)
            of = tuple(a.supplier_id for a, b in zip(order.freight_parts, before.freight_parts, strict=True) if a != b)
            amount = order.refunded_fen - before.refunded_fen
            refunds.append(Refund(
                f"r{len(refunds)}", "ord_1", "mem_1", "return", "requested", amount, taken, "", "c", "t", total, START,
                freight_of=of,
            ))  # fmt: skip
        elif kind == "drop" and refunds:
            order = drop_refund(order, refunds.pop(index % len(refunds)))

        assert order.refunded_fen == sum(refund.amount_fen for refund in refunds)
        assert order.refunded_fen >= before.refunded_fen or kind == "drop"
    kept = sum(part.fen for part in freight if part.supplier_id in sent)
    assert min((refund.amount_fen for refund in refunds), default=0) >= 0
    assert order.amount_fen - order.refunded_fen == kept
