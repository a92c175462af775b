"""Many requests for the same goods and orders at once, on an engine that isolates transactions as AWS does."""

from typing import Any

import pytest

from cardstock.catalog import wiring as catalog_wiring
from cardstock.clock import SystemClock
from cardstock.errors import ConflictError
from cardstock.flows import buying_wiring
from cardstock.ids import RequestKey, new_id
from cardstock.orders import fulfilment, payment, placement, refund_ends, refunds
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.model import OrderLine, Quote, Receiver, RequestedUnits
from cardstock.orders.payment_model import PaymentNotice
from tests.house.racing import at_once
from tests.people.goods import Goods, publish_goods

pytestmark = pytest.mark.engine

TABLES = ("orders", "supplier-orders", "products", "product-pages", "requests", "network", "plans")
CLOCK = SystemClock()
BUYER = "mem_" + "b" * 26


def stocked(units: int, *skus: str) -> None:
    goods = [Goods(sku, f"Ware {sku}", f"sup_{sku}", 1_000, False, True, True, units) for sku in skus]
    publish_goods(goods, CLOCK.now())


def place(units: dict[str, int], key: str, order_id: str = "") -> str:
    lines = tuple(
        OrderLine(number, sku, f"Ware {sku}", count, 1_000, count * 1_000, f"sup_{sku}", False, True)
        for number, (sku, count) in enumerate(units.items(), 1)
    )
    placed = placement.place_order(
        BUYER,
        Quote(BUYER, lines, None, [], order_id=order_id),
        Receiver("n", "1", "a"),
        RequestKey(key, "f"),
        orders=orders_wiring.orders(),
        network=buying_wiring.buyer_network(),
    )
    return placed.order.order_id


def test_one_quote_placed_with_sixteen_keys_at_once_is_one_order(tables: None) -> None:
    stocked(100, "cup")
    order_id = new_id("ord", CLOCK.now())
    ends = at_once(*(lambda n=n: place({"cup": 3}, f"key-{n}", order_id) for n in range(16)))

    assert set(ends) == {order_id}
    assert stock("cup") == (97, 3)


def notice(order_id: str, amount_fen: int, number: str = "t1") -> PaymentNotice:
    return PaymentNotice("sandbox", order_id, number, amount_fen, "CNY", CLOCK.now())


def stock(sku: str) -> tuple[int, int]:
    product = catalog_wiring.variants().find_variant(sku)
    assert product is not None
    return product.stock, product.held


def test_eighty_buyers_of_fifty_units_buy_exactly_fifty(tables: None) -> None:
    stocked(50, "scarce")
    stocked(1_000, "plenty")
    ends = at_once(*(lambda n=n: place({"scarce": 1, "plenty": 2}, f"k{n}") for n in range(80)))
    sold = [end for end in ends if isinstance(end, str)]
    refused = [end for end in ends if isinstance(end, ConflictError)]

    assert (len(sold), len(set(sold)), len(refused)) == (50, 50, 30)
    assert {error.code for error in refused} == {"STOCK_SHORT"}
    assert (stock("scarce"), stock("plenty")) == ((0, 50), (900, 100))


def test_one_request_sent_sixteen_times_at_once_is_one_order(tables: None) -> None:
    stocked(100, "cup")
    ends = at_once(*(lambda: place({"cup": 3}, "same") for _ in range(16)))

    assert len(set(ends)) == 1
    assert stock("cup") == (97, 3)


def test_one_notice_sent_sixteen_times_at_once_pays_once(tables: None) -> None:
    stocked(100, "cup", "mug")
    order_id = place({"cup": 3, "mug": 1}, "k")
    paid = notice(order_id, 4_000)
    ends = at_once(*(lambda: payment.record_payment(paid, orders=orders_wiring.orders()) for _ in range(16)))
    order = orders_wiring.orders().find_order(order_id)

    assert sorted(ends) == ["paid"] + ["repeated"] * 15
    assert order is not None
    assert (order.status, order.version) == ("paid", 2)
    assert orders_wiring.orders().refunds_of_order(order_id) == ()


def test_a_payment_and_a_cancellation_at_once_end_in_one_of_them_and_the_stock_agrees(tables: None) -> None:
    stocked(1_000, "cup")
    for number in range(8):
        order_id = place({"cup": 3}, f"k{number}")
        held = stock("cup")[1]
        paid = notice(order_id, 3_000)
        booked, cancelled = at_once(
            lambda: payment.record_payment(paid, orders=orders_wiring.orders()),  # noqa: B023 - run at once
            lambda: placement.cancel_order(BUYER, order_id, orders=orders_wiring.orders(), channels={}),  # noqa: B023 - as above
        )
        order = orders_wiring.orders().find_order(order_id)
        strays = orders_wiring.orders().refunds_of_order(order_id)

        assert order is not None
        if booked == "paid":
            assert isinstance(cancelled, ConflictError)
            assert (order.status, strays, stock("cup")[1]) == ("paid", (), held)
        else:
            assert (booked, order.status, stock("cup")[1]) == ("stray", "cancelled", held - 3)
            assert [refund.amount_fen for refund in strays] == [3_000]


def test_refunds_at_once_never_give_back_more_than_was_bought(tables: None) -> None:
    stocked(100, "cup")
    order_id = place({"cup": 7}, "k")
    payment.record_payment(notice(order_id, 7_000), orders=orders_wiring.orders())

    def refund(number: int) -> Any:
        return refunds.request_refund(
            BUYER,
            order_id,
            [RequestedUnits("cup", 2)],
            "broken",
            RequestKey(f"r{number}", "f"),
            orders=orders_wiring.orders(),
        )

    ends = at_once(*(lambda n=n: refund(n) for n in range(6)))
    order = orders_wiring.orders().find_order(order_id)
    made = orders_wiring.orders().refunds_of_order(order_id)

    assert sum(isinstance(end, refunds.RequestedRefund) for end in ends) == 3
    assert order is not None
    assert (order.lines[0].refunded_units, order.refunded_fen) == (6, 6_000)
    assert order.version == 5

    done = at_once(
        *(
            lambda r=each: refund_ends.complete_refund(order_id, r.refund_id, orders=orders_wiring.orders())
            for each in made
        )
    )

    assert sorted(refund.place for refund in done) == [6, 7, 8]
    assert stock("cup") == (99, 1)


def test_goodwill_and_returns_at_once_give_back_exactly_what_was_paid(tables: None) -> None:
    stocked(100, "cup")
    order_id = place({"cup": 7}, "k")
    payment.record_payment(notice(order_id, 7_000), orders=orders_wiring.orders())

    def give(number: int) -> Any:
        request = RequestKey(f"g{number}", "f")
        return refunds.grant_goodwill("key", order_id, 3_000, "late", request, orders=orders_wiring.orders())

    def take(number: int) -> Any:
        wanted, request = [RequestedUnits("cup", 2)], RequestKey(f"t{number}", "f")
        return refunds.request_refund(BUYER, order_id, wanted, "r", request, orders=orders_wiring.orders())

    ends = at_once(*(lambda n=n: (give if n % 2 else take)(n) for n in range(6)))
    order, made = orders_wiring.orders().find_order(order_id), orders_wiring.orders().refunds_of_order(order_id)

    assert order is not None
    # The units came back whatever was left to give for them; a goodwill only where there was enough.
    assert order.lines[0].refunded_units == 6
    assert {end.code for end in ends if not isinstance(end, refunds.RequestedRefund)} <= {"REFUND_EXCEEDS_PAID"}
    assert sum(refund.amount_fen for refund in made) == order.refunded_fen
    assert 6_000 <= order.refunded_fen <= 7_000


def test_suppliers_who_ship_at_once_make_the_order_shipped_once(tables: None) -> None:
    skus = [f"s{number}" for number in range(6)]
    stocked(10, *skus)
    order_id = place(dict.fromkeys(skus, 1), "k")
    payment.record_payment(notice(order_id, 6_000), orders=orders_wiring.orders())
    at_once(
        *(
            lambda s=sku: fulfilment.report_shipment(
                f"sup_{s}", order_id, "SF", s, f"evt-{s}", orders=orders_wiring.orders()
            )
            for sku in skus
        )
    )
    order = orders_wiring.orders().find_order(order_id)

    assert order is not None
    assert (order.status, order.version) == ("shipped", 8)
    assert [stock(sku) for sku in skus] == [(9, 0)] * 6
