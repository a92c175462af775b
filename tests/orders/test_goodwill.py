"""Goodwill: what one person may give of each line, and what a second person must grant."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardstock.open_items.model import item_id
from cardstock.open_items.store import every_item
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.errors import GOODWILL_LIMIT
from cardstock.orders.model import Order, OrderLine, Receiver
from cardstock.orders.refund_amounts import add_refund, goodwill_limit, goodwill_lines
from cardstock.orders.refund_model import Refund, RefundLine, RefundStatus
from tests.house import faults
from tests.house.cloud import Context, http_event, serve
from tests.house.interleave import some_ways
from tests.people.audits import audit_now
from tests.people.clock import START
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.staff import person

BOUND = 2_000


def order_of(nets: list[int]) -> Order:
    lines = tuple(
        OrderLine(number, f"sku{number}", "n", 4, net, net, "sup_a", False, True) for number, net in enumerate(nets, 1)
    )
    return Order(
        "ord_1", "mem_a", "completed", lines, sum(nets), Receiver("n", "1", "a"), None, {}, START, paid_at=START,
        channel="sandbox", transaction_no="t",
    )  # fmt: skip


def refund_of(number: int, lines: tuple[RefundLine, ...], status: RefundStatus = "requested") -> Refund:
    fen = sum(line.amount_fen for line in lines)
    kind: Any = "return" if any(line.units for line in lines) else "goodwill"
    return Refund(f"rfd_{number}", "ord_1", "mem_a", kind, status, fen, lines, "r", "sandbox", "t", fen, START)


def bound_of(line: OrderLine, bound: int) -> int:
    return -(-line.net_fen * bound // 10_000)


@given(
    st.lists(st.integers(0, 5_000), min_size=1, max_size=5), st.integers(0, 10_000),
    st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(1, 10_000)), max_size=6),
)  # fmt: skip
def test_no_line_gets_more_than_its_bound_whatever_was_returned_and_given_before(
    nets: list[int], bound: int, before: list[tuple[bool, int, int]]
) -> None:
    order, refunds = order_of(nets), list[Refund]()
    for number, (goodwill, at, share) in enumerate(before):
        line = order.lines[at % len(nets)]
        if goodwill:
            limit = goodwill_limit(order, refunds, bound)
            fen = max(1, limit * share // 10_000)
            if fen > limit:
                continue
            lines = goodwill_lines(order, fen)
        else:
            lines = (RefundLine(line.line_no, line.sku, 0 if line.refunded_units == 4 else 1,
                                (line.net_fen - line.refunded_fen) * share // 10_000),)  # fmt: skip
            if not lines[0].units:
                continue
        order = add_refund(order, lines, {"sup_a": part}, START)
        refunds.append(refund_of(number, lines))
        given = {each.line_no: 0 for each in order.lines}
        for refund in refunds:
            for each in refund.lines if refund.kind == "goodwill" else ():
                given[each.line_no] += each.amount_fen

        assert all(given[each.line_no] <= bound_of(each, bound) for each in order.lines)
        assert sum(given.values()) <= sum(nets) * bound // 10_000


part: Any = type("Part", (), {"status": "delivered"})()


@pytest.mark.parametrize(
    ("net", "bound", "limit"),
    [
        (10_000, 2_000, 2_000), (7, 2_000, 1), (4, 2_000, 0), (123_457, 2_000, 24_691), (10_000, 0, 0), (9, 10_000, 9),
    ],
)  # fmt: skip
def test_of_one_line_it_is_its_part_rounded_down(net: int, bound: int, limit: int) -> None:
    assert goodwill_limit(order_of([net]), (), bound) == limit


def test_of_several_lines_it_is_the_most_whose_spread_keeps_every_bound() -> None:
    order = order_of([10_000, 20_000])
    returned = add_refund(order, (RefundLine(1, "sku1", 2, 5_000),), {"sup_a": part}, START)

    assert goodwill_limit(order, (), BOUND) == 6_000
    # The first line has half of its money left, the second one all: its bound of 4 000 is reached with 5 000.
    assert goodwill_limit(returned, (), BOUND) == 5_000
    assert [line.amount_fen for line in goodwill_lines(returned, 5_000)] == [1_000, 4_000]


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=5), st.integers(0, 10_000))
def test_of_an_order_without_refunds_it_is_exactly_the_part_rounded_down(nets: list[int], bound: int) -> None:
    assert goodwill_limit(order_of(nets), (), bound) == sum(nets) * bound // 10_000


def test_a_line_of_a_few_fen_does_not_lower_the_bound_and_small_gifts_together_keep_it() -> None:
    order, refunds = order_of([123_457, 3, 133_453]), list[Refund]()
    limits = []
    while limit := goodwill_limit(order, refunds, BOUND):
        limits.append(limit)
        lines = goodwill_lines(order, min(limit, 17_128))
        order = add_refund(order, lines, {"sup_a": part}, START)
        refunds.append(refund_of(len(limits), lines))

    assert limits[0] == 51_382  # a fifth of 256 913 fen is 51 382.6
    assert sum(refund.amount_fen for refund in refunds) <= 51_382


def test_goodwill_given_before_counts_unless_it_was_given_up() -> None:
    order = order_of([10_000])
    before = [
        refund_of(1, (RefundLine(1, "sku1", 0, 300),), "succeeded"),
        refund_of(2, (RefundLine(1, "sku1", 0, 50),)),
    ]
    dropped = refund_of(3, (RefundLine(1, "sku1", 0, 500),), "given_up")

    assert goodwill_limit(order, [*before, dropped], BOUND) == 1_650


# Through the functions


@pytest.fixture
def bought(shop: Shop) -> tuple[Shop, str, str]:
    """A paid order of 51 000 fen, and the credential of Li Na."""
    order_id = shop.buyer.order({"85123A": 2})
    shop.buyer.pay(order_id)
    return shop, order_id, shop.staff.key("orders:refund", "open_items:clear")


def test_one_person_gives_up_to_a_fifth_of_a_line_and_is_told_the_bound(bought: tuple[Shop, str, str]) -> None:
    shop, order_id, staff = bought
    before = shop.cloud.state()
    over = shop.staff.grant(order_id, 10_201, staff=staff)
    unchanged = shop.cloud.state() == before
    first = shop.staff.grant(order_id, 10_000, staff=staff)
    rest = shop.staff.grant(order_id, 201, staff=staff, key="grant-2")
    last = shop.staff.grant(order_id, 200, staff=staff, key="grant-3")
    none = shop.staff.grant(order_id, 1, staff=staff, key="grant-4")

    assert (over.status, over.body["code"], over.body["facts"]) == (422, "GOODWILL_LIMIT", {"limit_fen": 10_200})
    assert [(each["pointer"], each["max"]) for each in over.body["errors"]] == [("/amount_fen", 10_200)]
    assert unchanged
    assert (first.status, rest.body["facts"], last.status, none.body["facts"]) == (
        202, {"limit_fen": 200}, 202, {"limit_fen": 0},
    )  # fmt: skip
    assert "open_item_id" not in first.body


def test_the_bound_is_the_brand_s_setting(bought: tuple[Shop, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    shop, order_id, staff = bought
    monkeypatch.setattr(orders_wiring, "goodwill_bound", lambda: 0)

    assert shop.staff.grant(order_id, 1, staff=staff).body["facts"] == {"limit_fen": 0}


def test_what_is_more_another_person_grants_and_it_is_given_once(bought: tuple[Shop, str, str]) -> None:
    shop, order_id, staff = bought
    other = shop.staff.key("open_items:clear", name="Wang Fang")
    asked = shop.staff.grant(order_id, 20_000, staff=staff, second_person=True)
    item = asked.body["open_item_id"]
    waits = orders_wiring.orders().refunds_of_order(order_id)
    alone = shop.staff.clear(item, "granted", staff=staff)
    still = shop.staff.grant(order_id, 20_000, staff=staff, second_person=True)
    granted, again = (shop.staff.clear(item, "granted", staff=other) for _ in range(2))
    later = shop.staff.grant(order_id, 20_000, staff=staff, second_person=True)
    shop.sweep()
    (refund,) = orders_wiring.orders().refunds_of_order(order_id)
    path = f"/v1/orders/{order_id}/refunds"
    (listed,) = reply(serve(http_event("GET", path, token=staff), Context())).body["items"]
    (own,) = shop.buyer.send("GET", path).body["items"]

    assert (asked.status, asked.body["lines"], asked.body["amount_fen"], waits) == (202, [], 20_000, ())
    assert alone.body["code"] == "SECOND_PERSON_NEEDED"
    assert (still.body, still.replayed, later.body) == (asked.body, True, asked.body)
    assert (granted.body["status"], granted.body["cleared"]["by"], again.body) == (
        "cleared", person("Wang Fang"), granted.body,
    )  # fmt: skip
    assert (refund.refund_id, refund.amount_fen, refund.status, refund.reason) == (
        asked.body["refund_id"], 20_000, "succeeded", "late",
    )  # fmt: skip
    assert (listed["granted_by"], listed["asked_by"]) == (person("Wang Fang"), person("Li Na"))
    assert (own["granted_by"], own["asked_by"]) == (None, None)
    shop.trade.watch()
    shop.trade.settle_down()
    assert audit_now().findings == ()


def test_what_is_declined_is_never_given_and_anybody_declines(bought: tuple[Shop, str, str]) -> None:
    shop, order_id, staff = bought
    other = shop.staff.key("open_items:clear", name="Wang Fang")
    for number, who in enumerate((staff, other)):
        asked = shop.staff.grant(order_id, 20_000, staff=staff, key=f"g{number}", second_person=True)
        item = asked.body["open_item_id"]
        declined = shop.staff.clear(item, "declined", staff=who)
        again = shop.staff.clear(item, "declined", staff=other)
        late = shop.staff.clear(item, "granted", staff=other)

        assert (declined.status, again.body) == (200, declined.body)
        assert (late.status, late.body["code"], late.body["facts"]) == (
            409, "OUTCOME_DIFFERS", {"outcome": "declined"},
        )  # fmt: skip
        assert [each["pointer"] for each in late.body["errors"]] == ["/outcome"]
    assert orders_wiring.orders().refunds_of_order(order_id) == ()


def test_what_is_not_left_any_more_when_it_is_granted_is_refused_and_waits_on(bought: tuple[Shop, str, str]) -> None:
    shop, order_id, staff = bought
    asked = shop.staff.grant(order_id, 40_000, staff=staff, second_person=True)
    shop.buyer.refund(order_id, {"85123A": 1})
    refused = shop.staff.clear(
        asked.body["open_item_id"], "granted", staff=shop.staff.key("open_items:clear", name="Wang Fang")
    )

    assert (refused.status, refused.body["code"], refused.body["facts"]) == (
        422, "REFUND_EXCEEDS_PAID", {"refundable_fen": 25_500},
    )  # fmt: skip
    assert [each["pointer"] for each in refused.body["errors"]] == ["/outcome"]
    assert [item.state for item in every_item()] == ["open"]


def test_within_the_bound_nobody_else_is_asked_and_refusals_open_nothing(bought: tuple[Shop, str, str]) -> None:
    shop, order_id, staff = bought
    unpaid = shop.buyer.order({"84406B": 1}, key="unpaid")
    given = shop.staff.grant(order_id, 10_200, staff=staff, second_person=True)
    refused = [
        shop.staff.grant(order_id, 51_001, staff=staff, key="k1", second_person=True),
        shop.staff.grant(unpaid, 100, staff=staff, key="k2", second_person=True),
        shop.staff.grant("ord_" + "0" * 26, 100, staff=staff, key="k3", second_person=True),
    ]

    assert (given.status, len(given.body["lines"])) == (202, 1)
    assert [each.body["code"] for each in refused] == ["REFUND_EXCEEDS_PAID", "ORDER_NOT_PAID", "NOT_FOUND"]
    assert list(every_item()) == []


def test_another_body_under_the_same_key_is_refused_while_it_waits(bought: tuple[Shop, str, str]) -> None:
    shop, order_id, staff = bought
    shop.staff.grant(order_id, 20_000, staff=staff, second_person=True)
    other = shop.staff.grant(order_id, 20_001, staff=staff, second_person=True)

    assert (other.status, other.body["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert [item.amount_fen for item in every_item()] == [20_000]


def test_disturbed_requests_and_their_repeats_end_as_undisturbed_ones(bought: tuple[Shop, str, str]) -> None:
    shop, order_id, staff = bought
    other = shop.staff.key("open_items:clear", name="Wang Fang")
    shop.staff.clear("oit_none", "granted", staff=other)  # secrets are fetched once

    def ask() -> Reply:
        return shop.staff.grant(order_id, 20_000, staff=staff, second_person=True)

    def grant() -> Reply:
        (item,) = every_item()
        return shop.staff.clear(item.id, "granted", staff=other)

    steps: list[Callable[[], Reply]] = [ask, grant]
    for step in steps:
        if step == grant:
            (item,) = every_item()
            shop.staff.confirm_clearing(item.id, "granted", staff=other)
        before = shop.cloud.snapshot()
        with faults.watch() as calls:
            step()
        expected = shop.order_books()
        assert calls
        for mode in faults.MODES:
            for _ in faults.hit_each(calls, mode, before.restore, step):
                assert step().status in (200, 202)
                assert shop.order_books() == expected, (step, mode)


def test_a_grant_and_a_refusal_at_once_end_as_one_of_them(
    bought: tuple[Shop, str, str],
) -> None:
    shop, order_id, staff = bought
    other = shop.staff.key("open_items:clear", name="Wang Fang")
    item = shop.staff.grant(order_id, 20_000, staff=staff, second_person=True).body["open_item_id"]
    shop.staff.confirm_clearing(item, "granted", staff=other)
    before, ends = shop.cloud.snapshot(), set[tuple[str, int]]()
    runs = some_ways(
        lambda: [
            lambda: shop.staff.clear(item, "granted", staff=other),
            lambda: shop.staff.clear(item, "declined", staff=staff),
        ],
        before.restore,
        60,
    )
    for run in runs:
        (found,) = every_item()
        assert found.cleared is not None
        assert all(answer.status in (200, 409) for answer in run.ends), run
        ends.add((found.cleared.outcome, len(orders_wiring.orders().refunds_of_order(order_id))))

    assert ends == {("granted", 1), ("declined", 0)}


def test_the_code_says_the_bound_in_both_languages() -> None:
    assert "¥102.00" in GOODWILL_LIMIT.text({"limit_fen": 10_200}, "zh")
    assert "¥102.00" in GOODWILL_LIMIT.text({"limit_fen": 10_200}, "en")
    assert item_id("goodwill_asked", "a") != item_id("goodwill_asked", "b")
