"""What refunds of a line come to, whatever the sequence: exactly what was paid, and never a fen from nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.errors import InvalidError, RefusedError
from cardstock.money import half_up
from cardstock.network.model import OrderLine as Measured
from cardstock.network.model import Person, Snapshot
from cardstock.network.plan import Amount
from cardstock.network.presets import CHAIN21
from cardstock.network.rewards import clawed, nothing_refunded, refund_amount, refund_units, rewards_for
from cardstock.orders.model import (
    MAX_LINES,
    MAX_UNITS,
    Order,
    OrderLine,
    Receiver,
    RequestedUnits,
    SupplierLine,
    SupplierOrder,
)
from cardstock.orders.refund_amounts import add_refund, cancel_unsent, goodwill_lines, return_lines
from cardstock.orders.steps import follow_suppliers, merge_units
from tests.people.clock import START


def paid(*lines: OrderLine) -> tuple[Order, dict[str, SupplierOrder]]:
    order = Order(
        "ord_1", "mem_1", "paid", lines, sum(line.net_fen for line in lines), Receiver("n", "1", "a"), None, {}, START
    )
    parts = {
        supplier: SupplierOrder(
            supplier,
            "ord_1",
            "open",
            tuple(SupplierLine(line.sku, line.name, line.units) for line in lines if line.supplier_id == supplier),
            order.receiver,
            START,
        )
        for supplier in order.supplier_ids
    }
    return order, parts


@st.composite
def pieces(draw: st.DrawFn) -> tuple[int, int, list[int]]:
    """Units, net fen, and the sizes of refunds that together return everything."""
    units, net = draw(st.integers(1, 999)), draw(st.integers(0, 10**10))
    left = units
    sizes: list[int] = []
    while left:
        sizes.append(draw(st.integers(1, left)) if len(sizes) < 8 else left)
        left -= sizes[-1]
    return units, net, sizes


@given(pieces())
def test_all_refunds_of_a_line_together_are_what_was_paid_and_each_step_is_the_half_up_share(
    piece: tuple[int, int, list[int]],
) -> None:
    units, net, sizes = piece
    order, parts = paid(OrderLine(1, "a", "n", units, 1, net, "sup_1", False, True))
    back = 0
    for size in sizes:
        lines = return_lines(order, {"a": size}, parts)
        parts |= cancel_unsent(parts, lines, START)
        order = add_refund(order, lines, parts, START)
        back += size

        assert lines[0].amount_fen >= 0
        assert order.refunded_fen == half_up(net * back, units)
    assert (order.refunded_fen, order.lines[0].refunded_units) == (net, units)
    assert parts["sup_1"].status == "cancelled"
    assert order.status == "paid"
    with pytest.raises(RefusedError, match="REFUND_TOO_MUCH"):
        return_lines(order, {"a": 1}, parts)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 999), st.sampled_from("ab")), min_size=1, max_size=4),
    st.integers(0, 900),
    st.lists(st.tuples(st.sampled_from(("send", "return", "goodwill")), st.integers(0, 3)), max_size=12),
)
def test_freight_goes_back_once_and_only_if_nothing_was_sent(
    bought: list[tuple[int, int, str]], freight: int, steps: list[tuple[str, int]]
) -> None:
    order, parts = paid(
        *(
            OrderLine(number, f"sku{number}", "n", units, 1, net, f"sup_{supplier}", False, True)
            for number, (units, net, supplier) in enumerate(bought, 1)
        )
    )
    order, sent, refunds = replace(order, amount_fen=order.amount_fen + freight), False, list[int]()
    # Whatever happens first, everything is returned in the end.
    for kind, index in [*steps, *(("return", index % len(bought)) for index in range(4 * len(bought)))]:
        line = order.lines[index % len(order.lines)]
        before, rest = order.refunded_fen, order.kept_fen
        if kind == "send" and parts[line.supplier_id].status == "open":
            parts[line.supplier_id], sent = replace(parts[line.supplier_id], status="shipped"), True
            order = follow_suppliers(order, parts, START)
        elif kind == "return" and line.refunded_units < line.units:
            lines = return_lines(order, {line.sku: 1}, parts)
            parts |= cancel_unsent(parts, lines, START)
            order = add_refund(order, lines, parts, START)
            refunds.append(order.refunded_fen - before)
        elif kind == "goodwill" and rest:
            order = add_refund(order, goodwill_lines(order, (rest + index) // (index + 1)), parts, START)
            refunds.append(order.refunded_fen - before)

        assert order.refunded_fen == sum(refunds)
    assert min(refunds) >= 0
    assert order.amount_fen - order.refunded_fen == (freight if sent else 0)


PLAN = replace(CHAIN21, version=1, direct_distributor=Amount(1_501, "bps"), team=Amount(777, "bps"), cap_bps=2_000)
AROUND = Snapshot(PLAN.id, 1, referrer=Person("mem_a", "distributor"), owner=Person("mem_r", "partner"))


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9_999), st.booleans()), min_size=1, max_size=4), st.data())
def test_units_and_amounts_in_any_mix_give_back_what_the_rules_say_and_end_in_exactly_everything(
    bought: list[tuple[int, int, bool]], data: st.DataObject
) -> None:
    order, parts = paid(
        *(
            OrderLine(number, f"s{number}", "n", units, 9_999, net, "sup_1", qualifying, True)
            for number, (units, net, qualifying) in enumerate(bought, 1)
        )
    )
    lines = [Measured(line.sku, line.units, line.net_fen, line.qualifying, line.earns) for line in order.lines]
    rewards, done = rewards_for(lines, AROUND, PLAN), nothing_refunded(lines)
    back = 0
    while any(line.refunded_units < line.units for line in order.lines) or order.refunded_fen < order.amount_fen:
        rest = order.amount_fen - order.refunded_fen
        if rest and data.draw(st.booleans(), "an amount"):
            amount = data.draw(st.integers(max(1, rest // 4), rest))
            asked, done = goodwill_lines(order, amount), refund_amount(lines, done, amount)
            assert sum(line.amount_fen for line in asked) == amount
            with pytest.raises(RefusedError, match="REFUND_EXCEEDS_PAID"):
                goodwill_lines(order, rest + 1)
        elif any(line.refunded_units < line.units for line in order.lines):
            line = data.draw(st.sampled_from([line for line in order.lines if line.refunded_units < line.units]))
            count = data.draw(st.integers(1, line.units - line.refunded_units))
            asked, done = (
                return_lines(order, {line.sku: count}, parts),
                refund_units(lines, done, {line.line_no - 1: count}),
            )
        else:
            continue
        order = add_refund(order, asked, parts, START)
        before, back = back, sum(clawed(reward, done.fen) for reward in rewards)

        assert all(line.amount_fen >= 0 for line in asked)
        assert [line.refunded_fen for line in order.lines] == list(done.fen)
        assert [line.refunded_units for line in order.lines] == list(done.units)
        assert before <= back <= sum(reward.amount for reward in rewards)
    assert order.refunded_fen == order.amount_fen
    assert back == sum(reward.amount for reward in rewards)


def test_only_units_that_have_not_left_are_taken_off_and_put_back_on_sale() -> None:
    order, parts = paid(
        OrderLine(1, "a", "n", 3, 10, 30, "sup_1", False, True), OrderLine(2, "b", "n", 3, 10, 30, "sup_2", False, True)
    )
    parts["sup_2"] = replace(parts["sup_2"], status="shipped")
    lines = return_lines(order, {"a": 1, "b": 2}, parts)
    changed = cancel_unsent(parts, lines, START)

    assert [(line.sku, line.restock) for line in lines] == [("a", True), ("b", False)]
    assert {supplier: part.lines[0].cancelled for supplier, part in changed.items()} == {"sup_1": 1}


@pytest.mark.parametrize(
    "requested",
    [
        [],
        [RequestedUnits("a", MAX_UNITS), RequestedUnits("a", 1)],
        [RequestedUnits(f"sku{number}", 1) for number in range(MAX_LINES + 1)],
        [RequestedUnits("a", 0)],
        [RequestedUnits("a", -1)],
    ],
)
def test_a_cart_out_of_bounds_is_refused(requested: list[RequestedUnits]) -> None:
    with pytest.raises(InvalidError):
        merge_units(requested)


def test_equal_skus_are_merged_in_the_order_of_their_first() -> None:
    assert list(merge_units([RequestedUnits("b", 1), RequestedUnits("a", 2), RequestedUnits("b", 3)]).items()) == [
        ("b", 4),
        ("a", 2),
    ]
