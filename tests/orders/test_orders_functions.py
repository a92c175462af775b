"""An order's life through the real handlers: what it costs, what it takes and gives back, and what is refused."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.clock import rfc3339
from cardstock.edge.secrets import forget_provider
from cardstock.errors import ConflictError, NotFoundError, RefusedError, UnavailableError
from cardstock.open_items.store import every_item
from cardstock.orders import fulfilment, refund_ends
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.payment import expire_due
from cardstock.orders.store import every_refund
from cardstock.orders.supplier_model import MAX_PARCELS
from infra.local.sandbox import SandboxError
from tests.house.cloud import ROOT_KEY, Context, forget_factories, http_event, serve
from tests.people.buyers import BUYER, CART, STRANGER
from tests.people.clock import START
from tests.people.goods import publish_goods
from tests.people.payment_channel import amount_of
from tests.people.replies import reply
from tests.people.shop import GOODS, Shop
from tests.people.staff import person

FULL = {listing.sku: (100, 0) for listing in GOODS}


def shown(shop: Shop, order_id: str) -> Any:
    return shop.buyer.send("GET", f"/v1/orders/{order_id}").body


def republish(shop: Shop, sku: str, **changes: Any) -> None:

    (listing,) = (listing for listing in GOODS if listing.sku == sku)
    publish_goods([replace(listing, **changes)], shop.clock.now())


def ship(shop: Shop, supplier: str, order_id: str, event: str = "evt-1") -> Any:
    return fulfilment.report_shipment(supplier, order_id, "SF", f"SF-{event}", event, orders=orders_wiring.orders())


def execute(shop: Shop, order_id: str, refund_id: str) -> Any:
    return refund_ends.execute_refund(
        order_id, refund_id, orders=orders_wiring.orders(), channels=orders_wiring.payment_channels()
    )


# Quotes and placing


def test_a_quote_says_today_s_prices_merges_equal_skus_and_writes_nothing(shop: Shop) -> None:
    shop.stock_up()
    before = shop.cloud.state()
    lines = [{"sku": "85123A", "units": 2}, {"sku": "71053", "units": 1}, {"sku": "85123A", "units": 3}]
    quote = shop.buyer.send("POST", "/v1/quotes", {"lines": lines})

    assert [(line["sku"], line["units"], line["net_fen"]) for line in quote.body["lines"]] == [
        ("85123A", 5, 127_500),
        ("71053", 1, 33_900),
    ]
    assert (quote.body["amount_fen"], quote.body["attributed"]) == (161_400, False)
    assert quote.body["expires_at"] == rfc3339(START + timedelta(minutes=15))
    assert shop.cloud.state() == before


def test_an_order_takes_its_stock_and_keeps_its_attribution(shop: Shop) -> None:
    order = shown(shop, shop.buyer.order())

    assert (order["status"], order["amount_fen"], order["paid_at"]) == ("placed", 223_803, None)
    assert order["attribution"]["share"] == "k7m2p9xw4t"
    assert shop.stock() == {"85123A": (94, 6), "71053": (98, 2), "84406B": (97, 3)}


def test_an_expired_attribution_is_left_out(shop: Shop) -> None:
    attribution = shop.buyer.attribution()
    shop.clock.move(days=31)
    quote = shop.buyer.quote(attribution=attribution)
    order_id = shop.buyer.place(quote.body["quote"]).body["order_id"]

    assert quote.body["attributed"] is False
    assert shown(shop, order_id)["attribution"] is None


def test_the_same_request_again_answers_the_same_and_takes_no_more(shop: Shop) -> None:
    quote = shop.buyer.quote().body["quote"]
    first = shop.buyer.place(quote)
    shop.buyer.pay(first.body["order_id"])
    before = shop.cloud.state()
    again = shop.buyer.place(quote)

    assert (again.status, again.body) == (201, first.body)
    assert (first.replayed, again.replayed) == (False, True)
    assert shop.cloud.state() == before


def test_a_repeat_after_the_quote_has_expired_still_finds_its_order(shop: Shop) -> None:
    quote = shop.buyer.quote().body["quote"]
    first = shop.buyer.place(quote)
    shop.clock.move(minutes=16)

    assert shop.buyer.place(quote).body == first.body
    assert shop.buyer.place(quote, key="another").body["code"] == "QUOTE_EXPIRED"


def test_a_key_used_for_another_body_is_refused(shop: Shop) -> None:
    shop.buyer.place(shop.buyer.quote().body["quote"])
    other = shop.buyer.place(shop.buyer.quote({"71053": 1}).body["quote"])

    assert (other.status, other.body["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert [(each["pointer"], each["code"]) for each in other.body["errors"]] == [
        ("#header/Idempotency-Key", "IDEMPOTENCY_KEY_REUSED")
    ]
    assert shop.stock()["71053"] == (98, 2)


def test_a_repeat_is_found_although_the_stock_has_run_out_since(shop: Shop) -> None:
    quote = shop.buyer.quote({"84406B": 100}).body["quote"]
    first = shop.buyer.place(quote)

    assert shop.buyer.place(quote).body == first.body


def test_a_changed_price_is_refused_naming_the_skus_and_nothing_is_written(shop: Shop) -> None:
    quote = shop.buyer.quote().body["quote"]
    republish(shop, "71053", price_fen=34_000)
    republish(shop, "84406B", active=False)
    before = shop.cloud.state()
    refused = shop.buyer.place(quote)

    assert (refused.status, refused.body["code"]) == (409, "PRICE_CHANGED")
    assert refused.body["facts"]["skus"] == ["71053", "84406B"]
    assert shop.cloud.state() == before


def test_short_stock_is_refused_saying_what_there_is_and_nothing_is_written(shop: Shop) -> None:
    quotes = [shop.buyer.quote({"84406B": 60, "71053": 1}).body["quote"] for _ in range(2)]
    shop.buyer.place(quotes[0])
    before = shop.cloud.state()
    refused = shop.buyer.place(quotes[1], key="order-2")

    assert (refused.status, refused.body["code"]) == (409, "STOCK_SHORT")
    assert refused.body["facts"]["lines"] == [{"sku": "84406B", "available": 40}]
    assert shop.cloud.state() == before


def test_fifty_skus_are_one_order(shop: Shop) -> None:

    goods = [replace(GOODS[0], sku=f"sku{number}", supplier_id=f"sup_{number}") for number in range(50)]
    publish_goods(goods, shop.clock.now())
    order_id = shop.buyer.order({listing.sku: 2 for listing in goods})
    shop.buyer.pay(order_id)
    asked = shop.buyer.refund(order_id, {listing.sku: 1 for listing in goods})
    execute(shop, order_id, asked.body["refund_id"])

    assert asked.body["amount_fen"] * 2 == amount_of(order_id)
    assert len(shop.cloud.items("supplier-orders")) == 50
    assert shop.stock()["sku49"] == (99, 1)


def test_an_amount_beyond_all_bounds_is_refused(shop: Shop) -> None:
    republish(shop, "85123A", price_fen=10**9)

    goods = [replace(GOODS[0], sku=f"sku{number}", price_fen=10**9, initial_stock=1000) for number in range(20)]
    publish_goods(goods, shop.clock.now())
    refused = shop.buyer.quote({listing.sku: 999 for listing in goods})

    assert (refused.status, refused.body["code"]) == (422, "AMOUNT_TOO_LARGE")


# Listing and ownership


def test_orders_are_listed_newest_first_page_by_page(shop: Shop) -> None:
    placed = []
    for number in range(5):
        placed.append(shop.buyer.order({"71053": 1}, key=f"k{number}"))
        shop.clock.move(seconds=1)
    shop.buyer.place(shop.buyer.quote({"71053": 1}, member=STRANGER).body["quote"], member=STRANGER)
    listed, cursor, pages = [], None, 0
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = shop.buyer.send("GET", "/v1/orders", query=query).body
        listed += [order["order_id"] for order in page["items"]]
        pages, cursor = pages + 1, page["next_cursor"]
        if cursor is None:
            break

    assert listed == placed[::-1]
    assert pages == 3


@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("GET", "", None),
        ("GET", "/refunds", None),
        ("GET", "/shipments", None),
        ("POST", "/cancellations", None),
        ("POST", "/receipts", None),
        ("POST", "/payments", {"channel": "sandbox"}),
        ("POST", "/refunds", {"reason": "mine", "lines": [{"sku": "71053", "units": 1}]}),
    ],
)
def test_somebody_else_s_order_does_not_exist(method: str, tail: str, body: Any, shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    before = shop.cloud.state()
    refused = shop.buyer.send(method, f"/v1/orders/{order_id}{tail}", body, member=STRANGER, key="k")

    assert (refused.status, refused.body["code"]) == (404, "NOT_FOUND")
    assert shop.cloud.state() == before


# Cancelling and expiring


def test_a_cancelled_order_gives_its_stock_back_once(shop: Shop) -> None:
    order_id = shop.buyer.order()
    for _ in range(2):
        assert shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations").body["status"] == "cancelled"

    assert shop.stock() == FULL
    assert (
        shop.buyer.send("POST", f"/v1/orders/{order_id}/payments", {"channel": "sandbox"}).body["code"]
        == "ORDER_CANCELLED"
    )


def test_an_order_expires_after_half_an_hour_and_not_before(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.clock.move(minutes=30)
    early = shop.sweep()
    still = shown(shop, order_id)["status"]
    shop.clock.move(seconds=1)
    swept = [shop.sweep(), shop.sweep()]

    assert (early["expired"], still) == (0, "placed")
    assert [sweep["expired"] for sweep in swept] == [1, 0]
    assert shown(shop, order_id)["status"] == "expired"
    assert shop.stock() == FULL
    assert shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations").body["code"] == "ORDER_EXPIRED"


def test_paid_and_closed_orders_are_never_swept(shop: Shop) -> None:
    paid, cancelled = shop.buyer.order(), shop.buyer.order(key="order-2")
    shop.buyer.pay(paid)
    shop.buyer.send("POST", f"/v1/orders/{cancelled}/cancellations")
    shop.clock.move(hours=1)

    assert shop.sweep() == {
        "expired": 0, "paid": 0, "stray": 0, "unresolved": 0, "unanswered": 0, "finished": True, "refunded": 0,
        "refunds_left": 0, "refunds_refused": 0,
    }  # fmt: skip


def test_a_sweep_books_a_payment_whose_notice_never_came(shop: Shop) -> None:
    order_id = shop.buyer.order()
    notice = shop.channel.pay(order_id)
    shop.clock.move(minutes=31)
    swept = shop.sweep()

    assert (swept["expired"], swept["paid"]) == (0, 1)
    assert shown(shop, order_id)["status"] == "paid"
    assert shop.channel.notify(notice).status == 200
    assert len(shop.cloud.items("supplier-orders")) == 2


def test_an_order_whose_channel_is_silent_never_expires_and_opens_an_item_each_week(
    shop: Shop,
) -> None:
    order_id = shop.buyer.order()
    held = shop.stock()
    shop.channel.answers = False
    swept, named = [], []
    for minutes in (31, 24 * 60 - 2, 1, 5, 60 * 24 * 30):
        shop.clock.move(minutes=minutes)
        swept.append(shop.sweep())
        named.append([(item.kind, item.subject) for item in every_item()])
    waits = shown(shop, order_id)["status"], shop.stock()
    shop.channel.answers = True
    answered = shop.sweep()

    assert [(each["unanswered"], each["expired"]) for each in swept] == [(1, 0)] * 5
    assert [each["unresolved"] for each in swept] == [0, 0, 1, 0, 1]
    assert named == [[("payment_undecided", order_id)] * items for items in (0, 0, 1, 1, 2)]
    assert waits == ("placed", held)
    assert (answered["expired"], shown(shop, order_id)["status"], shop.stock()) == (1, "expired", FULL)


def test_an_order_that_is_being_paid_is_not_unpaid(shop: Shop) -> None:
    order_id = shop.buyer.order()
    held = shop.stock()
    shop.channel.company.payment_status = "processing"
    shop.channel.pay(order_id)
    shop.clock.move(minutes=31)
    pending = shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations")
    waiting = shop.sweep()
    between = shop.stock()
    shop.channel.company.payment_status = "succeeded"
    shop.channel.pay(order_id)  # and its notice is lost
    swept = shop.sweep()

    assert (pending.status, pending.body["code"], pending.body["retryable"]) == (503, "PAYMENT_PENDING", True)
    assert (waiting["unanswered"], waiting["expired"], between) == (1, 0, held)
    assert (swept["paid"], shown(shop, order_id)["status"]) == (1, "paid")


def test_an_order_is_closed_at_its_channel_before_it_is_cancelled(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.channel.answers = False
    silent = shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations")
    between = shown(shop, order_id)["status"], shop.stock()
    shop.channel.answers = True
    cancelled = shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations")

    assert (silent.status, silent.body["code"]) == (503, "PAYMENT_PENDING")
    assert between[0] == "placed"
    assert between[1] != FULL
    assert (cancelled.status, cancelled.body["status"], shop.stock()) == (200, "cancelled", FULL)
    with pytest.raises(SandboxError, match="closed"):
        shop.channel.pay(order_id)


def test_a_payment_whose_notice_was_lost_wins_over_the_cancellation(shop: Shop) -> None:
    order_id = shop.buyer.order()
    notice = shop.channel.pay(order_id)
    refused = shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations")

    assert (refused.status, refused.body["code"]) == (409, "ORDER_PAID")
    assert shown(shop, order_id)["status"] == "paid"
    assert shop.channel.notify(notice).status == 200
    assert len(shop.cloud.items("supplier-orders")) == 2


def test_an_order_with_another_payment_is_cancelled_and_the_payment_refunded(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.channel.pay(order_id, 5)
    cancelled = shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations")
    (refund,) = every_refund()

    assert (cancelled.status, cancelled.body["status"], shop.stock()) == (200, "cancelled", FULL)
    assert (refund.kind, refund.amount_fen) == ("stray", 5)


def test_an_order_whose_channel_always_hangs_does_not_keep_the_others_from_expiring(shop: Shop) -> None:
    orders = [shop.buyer.order({"84406B": 1}, key=f"order-{number}") for number in range(4)]
    shop.channel.company.payment_status = "processing"
    for order_id in orders[:3]:
        shop.channel.pay(order_id)
    shop.clock.move(minutes=31)
    for _ in range(60):
        expire_due(
            shop.clock.now(),
            orders=orders_wiring.orders(),
            channels=orders_wiring.payment_channels(),
            time_left=partial(next, iter((True,)), False),
        )
        shop.clock.move(minutes=5)

    assert [shown(shop, order_id)["status"] for order_id in orders] == ["placed"] * 3 + ["expired"]


def test_a_sweep_stops_when_its_time_is_up_and_the_next_goes_on(shop: Shop) -> None:
    shop.buyer.order()
    shop.clock.move(minutes=31)
    stopped = shop.sweep(remaining_ms=5_000)

    assert (stopped["expired"], stopped["finished"]) == (0, False)
    assert shop.sweep()["expired"] == 1


# Paying


def test_a_payment_makes_one_part_per_supplier(shop: Shop) -> None:
    order_id = shop.buyer.order()
    assert shop.buyer.pay(order_id).body == {"code": "SUCCESS"}

    order = shown(shop, order_id)
    parts = shop.buyer.send("GET", f"/v1/orders/{order_id}/shipments").body["items"]

    assert (order["status"], order["paid_at"]) == ("paid", rfc3339(START))
    assert [(part["supplier_id"], part["status"]) for part in parts] == [
        ("sup_lights", "open"),
        ("sup_hangers", "open"),
    ]
    assert [(line["sku"], line["units"]) for line in parts[0]["lines"]] == [("85123A", 6), ("71053", 2)]


def test_the_same_notice_again_changes_no_item(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    before = shop.cloud.state()

    assert shop.buyer.pay(order_id).status == 200
    assert shop.cloud.state() == before


@pytest.mark.parametrize("close", ["expire", "cancel", "pay otherwise"])
def test_money_that_no_order_waits_for_is_sent_back_once(close: str, shop: Shop) -> None:
    order_id = shop.buyer.order()
    if close == "expire":
        shop.clock.move(minutes=31)
        shop.sweep()
    elif close == "cancel":
        shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations")
    else:
        shop.buyer.pay(order_id, transaction_no="sbx_other")
    status = shown(shop, order_id)["status"]
    answers = [shop.buyer.pay(order_id).status for _ in range(2)]
    (refund,) = shop.buyer.send("GET", f"/v1/orders/{order_id}/refunds").body["items"]
    execute(shop, order_id, refund["refund_id"])

    assert answers == [200, 200]
    assert (refund["kind"], refund["amount_fen"], refund["lines"]) == ("stray", 223_803, [])
    assert next(iter(shop.channel.refunds.values()))["amount_fen"] == 223_803
    assert shown(shop, order_id)["status"] == status
    assert shown(shop, order_id)["refunded_fen"] == 0


def test_a_payment_time_is_kept_between_the_order_and_now(shop: Shop) -> None:
    early, late = shop.buyer.order(), shop.buyer.order(key="order-2")
    shop.clock.move(minutes=1)
    shop.buyer.pay(early, paid_at="2020-01-01T00:00:00Z")
    shop.buyer.pay(late, paid_at="2999-01-01T00:00:00Z")

    assert shown(shop, early)["paid_at"] == rfc3339(START)
    assert shown(shop, late)["paid_at"] == rfc3339(shop.clock.now())


# Refunds


def test_partial_refunds_add_up_to_exactly_what_was_paid(shop: Shop) -> None:
    order_id = shop.buyer.order({"84406B": 3})
    shop.buyer.pay(order_id)
    amounts = [shop.buyer.refund(order_id, {"84406B": 1}, key=f"r{number}").body["amount_fen"] for number in range(3)]
    over = shop.buyer.refund(order_id, {"84406B": 1}, key="r4")

    assert sum(amounts) == 3_003
    assert (over.status, over.body["code"]) == (422, "REFUND_TOO_MUCH")
    assert over.body["facts"]["lines"] == [{"sku": "84406B", "refundable": 0}]


def test_a_refund_repeated_answers_the_same_and_reserves_nothing_more(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    first = shop.buyer.refund(order_id, {"85123A": 6})
    execute(shop, order_id, first.body["refund_id"])
    before = shop.cloud.state()
    again, other = shop.buyer.refund(order_id, {"85123A": 6}), shop.buyer.refund(order_id, {"71053": 1})

    assert (again.status, again.body, again.replayed) == (202, first.body, True)
    assert (other.status, other.body["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert [(each["pointer"], each["code"]) for each in other.body["errors"]] == [
        ("#header/Idempotency-Key", "IDEMPOTENCY_KEY_REUSED")
    ]
    assert shop.cloud.state() == before


def test_what_waits_for_the_staff_is_not_said_to_be_too_much(shop: Shop) -> None:
    shop.channel.refund_status = "failed"
    order_id = shop.buyer.order({"84406B": 3})
    shop.buyer.pay(order_id)
    refused = shop.buyer.refund(order_id, {"84406B": 2}, key="r1").body["refund_id"]
    asked = shop.buyer.refund(order_id, {"84406B": 2}, key="r2")
    shop.trade.settle_down()
    waiting = shop.buyer.refund(order_id, {"84406B": 2}, key="r3")
    never = shop.buyer.refund(order_id, {"84406B": 4}, key="r4")
    (seen,) = shop.buyer.send("GET", f"/v1/orders/{order_id}/refunds").body["items"]
    rest = shop.buyer.refund(order_id, {"84406B": 1}, key="r5")

    assert (asked.status, asked.body["code"]) == (422, "REFUND_TOO_MUCH")  # it is still on its way
    assert (waiting.status, waiting.body["code"], waiting.body["facts"]) == (
        409, "REFUND_WAITS", {"refunds": [refused]},
    )  # fmt: skip
    assert waiting.body["errors"][0]["pointer"] == "/lines"
    assert (never.status, never.body["code"]) == (422, "REFUND_TOO_MUCH")
    assert (seen["status"], rest.status) == ("refused", 202)


@pytest.fixture
def unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The brand lets one person give all that is left as goodwill."""
    monkeypatch.setattr(orders_wiring, "goodwill_bound", lambda: 10_000)


def test_more_than_was_bought_is_refused_whole(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    before = shop.cloud.state()
    refused = shop.buyer.refund(order_id, {"85123A": 1, "71053": 3, "84406B": 3})

    assert refused.body["facts"]["lines"] == [{"sku": "71053", "refundable": 2}]
    assert shop.cloud.state() == before


@pytest.mark.usefixtures("unbounded")
def test_a_goodwill_is_spread_over_what_is_left_of_all_lines_and_takes_no_units(shop: Shop) -> None:
    staff, order_id = shop.staff.key("orders:refund"), shop.buyer.order({"85123A": 2, "84406B": 3})
    shop.buyer.pay(order_id)
    shop.buyer.refund(order_id, {"85123A": 1})
    before = shop.stock()
    # What is left of the lines: 25 500 and 3 003 fen.
    given = shop.staff.grant(order_id, 10_000, staff=staff)
    execute(shop, order_id, given.body["refund_id"])
    lines = [(line["sku"], line["units"], line["amount_fen"]) for line in given.body["lines"]]

    assert (given.status, given.body["amount_fen"], given.body["reason"]) == (202, 10_000, "late")
    assert lines == [("85123A", 0, 8_946), ("84406B", 0, 1_054)]
    assert [line["refunded_fen"] for line in shown(shop, order_id)["lines"]] == [34_446, 1_054]
    assert [line["refunded_units"] for line in shown(shop, order_id)["lines"]] == [1, 0]
    assert shop.stock() == before
    assert shop.channel.refunds[given.body["refund_id"]]["amount_fen"] == 10_000


@pytest.mark.usefixtures("unbounded")
def test_a_goodwill_on_a_line_at_its_full_price_is_kept(shop: Shop) -> None:
    staff, order_id = shop.staff.key("orders:refund"), shop.buyer.order({"84406B": 3})
    shop.buyer.pay(order_id)
    shop.staff.grant(order_id, 3_000, staff=staff)
    over = shop.staff.grant(order_id, 4, staff=staff, key="grant-2")

    assert shown(shop, order_id)["refunded_fen"] == 3_000
    assert (over.status, over.body["code"], over.body["facts"]) == (422, "REFUND_EXCEEDS_PAID", {"refundable_fen": 3})


@pytest.mark.usefixtures("unbounded")
def test_units_come_back_after_a_goodwill_for_what_it_left_of_them(shop: Shop) -> None:
    staff, order_id = shop.staff.key("orders:refund"), shop.buyer.order({"84406B": 3})
    shop.buyer.pay(order_id)
    shop.staff.grant(order_id, 1_502, staff=staff)
    amounts = [shop.buyer.refund(order_id, {"84406B": 1}, key=f"r{number}").body["amount_fen"] for number in range(3)]

    assert amounts == [1_001, 500, 0]
    assert shown(shop, order_id)["refunded_fen"] == 3_003


def test_a_goodwill_repeated_is_given_once_and_its_refusals_write_nothing(shop: Shop) -> None:
    staff, order_id, unpaid = shop.staff.key("orders:refund"), shop.buyer.order(), shop.buyer.order(key="order-2")
    shop.buyer.pay(order_id)
    first = shop.staff.grant(order_id, 1, staff=staff)
    before = shop.cloud.state()
    again, other = shop.staff.grant(order_id, 1, staff=staff), shop.staff.grant(order_id, 2, staff=staff)
    refused = [
        shop.staff.grant(order_id, 1, staff=staff, key="k", reason=" "),
        shop.staff.grant(unpaid, 1, staff=staff),
        shop.staff.grant("ord_" + "0" * 26, 1, staff=staff),
        shop.staff.grant(order_id, 0, staff=staff),
        shop.staff.grant(order_id, 1, staff=shop.buyer.token()),
        shop.staff.grant(order_id, 1, staff=ROOT_KEY),
    ]
    shop.clock.move(days=366)
    late = shop.staff.grant(order_id, 1, staff=staff, key="k")

    assert (again.status, again.body, again.replayed) == (202, first.body, True)
    assert (other.status, other.body["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert [answer.body["code"] for answer in refused] == [
        "BODY_INVALID", "ORDER_NOT_PAID", "NOT_FOUND", "BODY_INVALID", "NOT_A_KEY", "SCOPE_MISSING",
    ]  # fmt: skip
    assert late.body["code"] == "REFUND_TOO_LATE"
    assert shop.cloud.state() == before


def test_the_buyer_sees_that_a_refund_was_goodwill_and_staff_see_who_gave_it(shop: Shop) -> None:
    staff, order_id = shop.staff.key("orders:refund"), shop.buyer.order()
    shop.buyer.pay(order_id)
    shop.buyer.refund(order_id, {"85123A": 1})
    shop.clock.move(seconds=1)
    shop.staff.grant(order_id, 500, staff=staff, reason="came two weeks late")
    path = f"/v1/orders/{order_id}/refunds"
    mine = shop.buyer.send("GET", path).body["items"]
    theirs = reply(serve(http_event("GET", path, token=staff), Context())).body["items"]
    stranger = shop.buyer.send("GET", path, member=STRANGER)

    assert [(each["kind"], each["goodwill"], each["reason"], each["granted_by"]) for each in mine] == [
        ("return", False, "broken", None),
        ("return", True, "came two weeks late", None),
    ]
    assert [(each["granted_by"], each["asked_by"]) for each in theirs] == [(None, None), (person("Li Na"), None)]
    assert stranger.status == 404


def test_what_had_not_left_is_not_sent_and_is_on_sale_again_when_the_money_is_back(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    refund_id = shop.buyer.refund(order_id, {"85123A": 2, "84406B": 3}).body["refund_id"]
    asked = shop.stock()
    done = [execute(shop, order_id, refund_id) for _ in range(2)]
    parts = shop.buyer.send("GET", f"/v1/orders/{order_id}/shipments").body["items"]

    assert asked == {"85123A": (94, 6), "71053": (98, 2), "84406B": (97, 3)}
    assert shop.stock() == {"85123A": (96, 4), "71053": (98, 2), "84406B": (100, 0)}
    assert [refund.status for refund in done] == ["succeeded", "succeeded"]
    assert [part["status"] for part in parts] == ["open", "cancelled"]
    assert parts[0]["lines"][0]["cancelled"] == 2
    assert list(shop.channel.refunds.values()) == [
        {
            "refund_no": refund_id,
            "transaction_no": shop.channel.notice(order_id)["transaction_no"],
            "amount_fen": 54_003,
            "status": "succeeded",
        }
    ]


def test_what_was_sent_is_refunded_without_touching_the_stock(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    ship(shop, "sup_lights", order_id)
    before = shop.stock()
    taken = shop.staff.take_back(order_id, {"85123A": 2}, staff=shop.staff.key("orders:refund"))
    execute(shop, order_id, taken.body["refund_id"])

    assert shop.stock() == before
    assert shown(shop, order_id)["refunded_fen"] == 51_000


def test_a_buyer_gets_unsent_units_back_and_is_sent_to_the_shop_for_sent_ones(shop: Shop) -> None:
    order_id = shop.buyer.paid_order()
    ship(shop, "sup_lights", order_id)
    before = shop.cloud.state()
    both = shop.buyer.refund(order_id, {"85123A": 2, "84406B": 1})
    sent = shop.buyer.refund(order_id, {"85123A": 2}, key="sent")
    after = shop.cloud.state()
    unsent = shop.buyer.refund(order_id, {"84406B": 1}, key="unsent")

    assert [(each.status, each.body["code"], each.body["facts"]) for each in (both, sent)] == [
        (409, "UNITS_SENT", {"skus": ["85123A"]})
    ] * 2
    assert "客服" in sent.body["detail"]
    assert after == before
    assert (unsent.status, unsent.body["amount_fen"]) == (202, 1_001)


def test_received_goods_are_refunded_by_staff_alone_however_late(shop: Shop) -> None:
    order_id = shop.buyer.paid_order()
    for supplier_id in ("sup_lights", "sup_hangers"):
        ship(shop, supplier_id, order_id)
    shop.buyer.send("POST", f"/v1/orders/{order_id}/receipts")
    shop.clock.move(days=200)
    refused = shop.buyer.refund(order_id, CART)
    suppliers_key = shop.supplier.key("sup_lights", "orders:fulfil", "catalog:write", "webhooks:write")
    by_supplier = shop.staff.take_back(order_id, {"71053": 1}, staff=suppliers_key, key="theirs")
    staff = shop.staff.key("orders:refund")
    taken, again = (shop.staff.take_back(order_id, {"71053": 1}, staff=staff) for _ in range(2))
    listed = reply(serve(http_event("GET", f"/v1/orders/{order_id}/refunds", token=staff))).body["items"]
    own = shop.buyer.send("GET", f"/v1/orders/{order_id}/refunds").body["items"]

    assert (refused.status, refused.body["code"]) == (409, "UNITS_SENT")
    assert (by_supplier.status, by_supplier.body["code"]) == (403, "SCOPE_MISSING")
    assert (taken.status, taken.body["amount_fen"], taken.body["reason"]) == (202, 33_900, "came back")
    assert again.body == taken.body
    assert [(each["granted_by"], each["goodwill"]) for each in listed] == [(person("Li Na"), False)]
    assert [each["granted_by"] for each in own] == [None]


def test_staff_take_unsent_units_back_as_the_buyer_could(shop: Shop) -> None:
    order_id, before = shop.buyer.paid_order(), shop.stock()
    taken = shop.staff.take_back(order_id, {"84406B": 3}, staff=shop.staff.key("orders:refund"))
    execute(shop, order_id, taken.body["refund_id"])

    assert shop.stock()["84406B"] == (before["84406B"][0] + 3, before["84406B"][1] - 3)


def test_a_silent_or_slow_channel_leaves_the_refund_requested_and_is_asked_again(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    refund_id = shop.buyer.refund(order_id, {"85123A": 2}).body["refund_id"]
    shop.channel.answers = False
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        execute(shop, order_id, refund_id)
    requested = shop.buyer.send("GET", f"/v1/orders/{order_id}/refunds").body["items"][0]["status"]
    shop.channel.answers = True

    assert requested == "requested"
    assert execute(shop, order_id, refund_id).status == "succeeded"
    assert len(shop.channel.refunds) == 1


def test_a_refund_whose_channel_took_longer_than_any_queue_is_finished_by_a_later_sweep(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id, shop.channel.refund_status = shop.buyer.order(), "processing"
    shop.buyer.pay(order_id)
    refund_id = shop.buyer.refund(order_id, {"85123A": 6}).body["refund_id"]
    shop.buyer.refund(order_id, {"71053": 1}, key="refund-2")
    shop.clock.move(days=2)
    forget_factories()  # the sweep asks for its own secrets
    waits = shop.sweep()
    shop.channel.refunds[refund_id]["status"] = "succeeded"
    some = shop.sweep()
    shop.channel.refunds.clear()
    shop.channel.refund_status = "unfunded"
    unfunded = shop.sweep()
    said = capsys.readouterr().out
    shop.channel.refund_status = "succeeded"
    all_of_them, nothing = shop.sweep(), shop.sweep()

    assert [(told["refunded"], told["refunds_left"]) for told in (waits, some, unfunded, all_of_them, nothing)] == [
        (0, 2), (1, 1), (0, 1), (1, 0), (0, 0),
    ]  # fmt: skip
    assert '"RefundsMustAct":[1.0]' in said
    statuses = [each["status"] for each in shop.buyer.send("GET", f"/v1/orders/{order_id}/refunds").body["items"]]
    assert statuses == ["succeeded", "succeeded"]
    assert shop.stock()["85123A"] == (100, 0)


def test_a_refund_that_its_channel_refuses_is_swept_once_and_has_an_open_item(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    refund_id = shop.buyer.refund(order_id, {"85123A": 2}).body["refund_id"]
    shop.channel.refund_status = "failed"
    first, second = shop.sweep(), shop.sweep()
    (item,) = shop.cloud.items("open-items")
    (seen,) = shop.buyer.send("GET", f"/v1/orders/{order_id}/refunds").body["items"]

    assert [(told["refunds_refused"], told["refunds_left"]) for told in (first, second)] == [(1, 0), (0, 0)]
    assert len(shop.channel.calls) == 1
    assert (item["pk"]["S"], item["subject"]["S"], item["amount_fen"]["N"]) == ("refund_refused", refund_id, "51000")
    assert json.loads(item["facts"]["S"])["order_id"] == order_id
    assert (seen["status"], seen["refused_at"], seen["succeeded_at"]) == ("refused", rfc3339(shop.clock.now()), None)
    assert shown(shop, order_id)["refunded_fen"] == 51_000


@pytest.mark.parametrize(("status", "code"), [("processing", "REFUND_PENDING"), ("unfunded", "MERCHANT_MUST_ACT")])
def test_a_channel_s_other_answers_never_count_as_success(status: str, code: str, shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    refund_id = shop.buyer.refund(order_id, {"85123A": 2}).body["refund_id"]
    shop.channel.refund_status = status
    with pytest.raises(UnavailableError, match=code):
        execute(shop, order_id, refund_id)

    assert shop.buyer.send("GET", f"/v1/orders/{order_id}/refunds").body["items"][0]["status"] == "requested"


def test_a_year_after_the_payment_nothing_can_be_sent_back(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    shop.clock.move(days=365, seconds=1)

    assert shop.buyer.refund(order_id, {"85123A": 2}).body["code"] == "REFUND_TOO_LATE"


# Sending and receiving


def test_an_order_is_shipped_with_its_last_supplier_and_then_received(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    ship(shop, "sup_lights", order_id)
    half = shown(shop, order_id)["status"]
    early = shop.buyer.send("POST", f"/v1/orders/{order_id}/receipts")
    shop.clock.move(hours=1)
    ship(shop, "sup_hangers", order_id)
    whole = shown(shop, order_id)
    shop.clock.move(hours=1)
    received = [shop.buyer.send("POST", f"/v1/orders/{order_id}/receipts").body for _ in range(2)]

    assert (half, early.body["code"]) == ("paid", "NOT_SHIPPED")
    assert (whole["status"], whole["shipped_at"]) == ("shipped", rfc3339(START + timedelta(hours=1)))
    assert received[0] == received[1]
    assert (received[0]["status"], received[0]["received_at"]) == ("completed", rfc3339(START + timedelta(hours=2)))
    assert shop.stock() == {"85123A": (94, 0), "71053": (98, 0), "84406B": (97, 0)}


def test_a_shipment_reported_twice_is_one_parcel_and_another_report_is_another(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    for event in ("evt-1", "evt-1", "evt-2"):
        ship(shop, "sup_lights", order_id, event)
    part = shop.buyer.send("GET", f"/v1/orders/{order_id}/shipments").body["items"][0]

    assert [parcel["tracking_no"] for parcel in part["parcels"]] == ["SF-evt-1", "SF-evt-2"]
    assert shop.stock()["85123A"] == (94, 0)


def test_parcels_are_bounded(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    for number in range(MAX_PARCELS):
        ship(shop, "sup_lights", order_id, f"evt-{number}")

    with pytest.raises(RefusedError, match="TOO_MANY_PARCELS"):
        ship(shop, "sup_lights", order_id, "one more")


def test_a_supplier_reports_only_its_own_part_and_only_once_it_is_paid(shop: Shop) -> None:
    order_id = shop.buyer.order()
    with pytest.raises(NotFoundError):
        ship(shop, "sup_lights", order_id)
    shop.buyer.pay(order_id)

    with pytest.raises(NotFoundError):
        ship(shop, "sup_bags", order_id)


def test_a_part_that_was_refunded_whole_cannot_be_sent_and_does_not_hold_up_the_order(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    shop.buyer.refund(order_id, {"84406B": 3})
    with pytest.raises(ConflictError, match="SUPPLIER_ORDER_CANCELLED"):
        ship(shop, "sup_hangers", order_id)
    ship(shop, "sup_lights", order_id)

    assert shown(shop, order_id)["status"] == "shipped"


def test_an_order_that_is_shipped_but_for_a_refunded_part_becomes_shipped_by_the_refund(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    ship(shop, "sup_lights", order_id)
    shop.buyer.refund(order_id, {"84406B": 3})

    assert shown(shop, order_id)["status"] == "shipped"


def test_an_order_refunded_whole_before_anything_left_is_never_shipped(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    refund_id = shop.buyer.refund(order_id, CART).body["refund_id"]
    execute(shop, order_id, refund_id)

    assert (shown(shop, order_id)["status"], shown(shop, order_id)["refunded_fen"]) == ("paid", 223_803)
    assert shop.stock() == FULL


def test_delivery_is_reported_after_the_shipment(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)

    def deliver() -> bool:
        return fulfilment.report_delivery("sup_lights", order_id, orders=orders_wiring.orders())

    with pytest.raises(ConflictError, match="NOT_SHIPPED"):
        deliver()
    ship(shop, "sup_lights", order_id)

    assert [deliver() for _ in range(2)] == [True, False]


def test_a_supplier_sees_its_own_orders_oldest_first(shop: Shop) -> None:
    placed = []
    for number in range(3):
        placed.append(shop.buyer.order({"71053": 1, "84406B": 1}, key=f"k{number}"))
        shop.buyer.pay(placed[-1])
        shop.clock.move(seconds=1)
    first, following = orders_wiring.orders().orders_of_supplier("sup_hangers", 2, None)
    rest, end = orders_wiring.orders().orders_of_supplier("sup_hangers", 2, following)

    assert ([part.order_id for part in (*first, *rest)], end) == (placed, None)
    assert [line.sku for line in first[0].lines] == ["84406B"]
    assert orders_wiring.orders().orders_of_supplier("sup_bags", 2, None) == ([], None)


def test_a_member_without_orders_has_an_empty_list(shop: Shop) -> None:
    assert shop.buyer.send("GET", "/v1/orders", member=BUYER).body == {"items": [], "next_cursor": None}


# Callers


def test_a_cold_function_fetches_its_secrets_itself(shop: Shop) -> None:
    listing = http_event("GET", "/v1/orders", token=shop.buyer.token())
    notice = shop.channel.notice(shop.buyer.order())
    forget_provider()
    listed = reply(serve(listing, Context()))
    forget_provider()
    refused = reply(serve(http_event("GET", "/v1/orders", token=ROOT_KEY), Context()))
    forget_provider()

    assert (listed.status, refused.body["code"], shop.channel.notify(notice).status) == (200, "NOT_A_MEMBER", 200)


@pytest.mark.parametrize("key", [ROOT_KEY, "csk_unknown_secret"])
def test_keys_do_not_shop(key: str, shop: Shop) -> None:
    answer = reply(serve(http_event("GET", "/v1/orders", token=key), Context()))

    assert (answer.status, answer.body["code"]) in ((403, "NOT_A_MEMBER"), (401, "KEY_INVALID"))


def test_refunds_whose_channel_does_not_answer_do_not_keep_the_others_waiting_for_ever(shop: Shop) -> None:
    order_id, shop.channel.refund_status = shop.buyer.order({"85123A": 6}), "processing"
    shop.buyer.pay(order_id)
    asked = [
        shop.buyer.refund(order_id, {"85123A": 1}, key=f"refund-{number}").body["refund_id"] for number in range(6)
    ]
    shop.sweep()  # the channel has heard of all of them
    orders = orders_wiring.orders()
    last = [refund_id for _, refund_id in orders.open_refunds()][-1]
    shop.channel.refunds[last]["status"] = "succeeded"
    sweeps = 0
    while len(list(orders.open_refunds())) == len(asked):
        refund_ends.finish_refunds(
            orders=orders,
            channels=orders_wiring.payment_channels(),
            time_left=partial(next, iter((True, True)), False),  # two of them hang for as long as a sweep has
        )
        shop.clock.move(minutes=5)
        sweeps += 1
        assert sweeps < 100

    assert last not in [refund_id for _, refund_id in orders.open_refunds()]
