"""What refunds of a line come to, whatever the sequence: exactly what was paid, and never a fen from nowhere."""

from collections.abc import Sequence

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
from cardstock.orders.model import MAX_LINES, MAX_UNITS, Order, OrderLine, Receiver, RequestedUnits
from cardstock.orders.refund_amounts import (
    add_refund,
    cancel_unsent,
    cumulative_parts,
    drop_refund,
    goodwill_lines,
    return_lines,
)
from cardstock.orders.refund_model import Refund, RefundLine
from cardstock.orders.steps import follow_suppliers, merge_units
from cardstock.orders.supplier_model import SupplierLine, SupplierOrder
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
        parts |= cancel_unsent(order, parts, lines, START)
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
            parts |= cancel_unsent(order, parts, lines, START)
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


@given(st.lists(st.integers(1, 99), min_size=1, max_size=7), st.data())
def test_refunds_that_release_0_2_0_counted_keep_their_parts_and_what_follows_ends_exact(
    sizes: list[int], data: st.DataObject
) -> None:
    net, reward = sum(sizes), data.draw(st.integers(0, 99), "reward")

    def total(some: Sequence[Refund]) -> dict[str, int]:
        return {"direct": half_up(reward * sum(each.amount_fen for each in some), net)}

    def parts() -> dict[str, int]:
        return {refund_id: part["direct"] for refund_id, part in cumulative_parts(refunds.values(), total).items()}

    refunds = {f"rfd_{place}": requested(fen, place) for place, fen in enumerate(sizes, 1)}
    then = [name for name in refunds if data.draw(st.booleans(), name)]
    refunds |= {name: replace(refunds[name], status="succeeded") for name in then}
    before = {}
    for name in then:
        up_to = [each for each in refunds.values() if each.sequence <= refunds[name].sequence]
        before[name] = total(up_to)["direct"] - total(up_to[:-1])["direct"]
    given_up = 0
    for place, name in enumerate(data.draw(st.permutations(sorted(refunds.keys() - before.keys()))), 100):
        if data.draw(st.booleans(), name):
            refunds[name] = replace(refunds[name], status="succeeded", place=place)
        else:
            refunds[name] = replace(refunds[name], status="given_up")
            given_up += refunds[name].amount_fen

        assert parts().items() >= before.items()
        assert min(parts().values(), default=0) >= 0
    if given_up:
        refunds["rest"] = replace(requested(given_up, 0), refund_id="rest", status="succeeded", place=200)

    assert parts().items() >= before.items()
    assert sum(parts().values()) == reward


def requested(fen: int, sequence: int) -> Refund:
    return Refund(
        f"rfd_{sequence}", "ord_1", "mem_1", "goodwill", "requested", fen, (RefundLine(1, "a", 0, fen),), "r",
        "sandbox", "t1", 1, START, sequence=sequence,
    )  # fmt: skip


def test_a_unit_given_up_is_refunded_with_all_that_is_left_of_its_line() -> None:
    order, parts = paid(OrderLine(1, "a", "n", 3, 34, 100, "sup_1", False, True))
    given = []
    for _ in range(3):
        lines = return_lines(order, {"a": 1}, parts)
        parts |= cancel_unsent(order, parts, lines, START)
        order = add_refund(order, lines, parts, START)
        given.append(lines)
    dropped = drop_refund(order, replace(requested(34, 0), lines=given[1], amount_fen=34))
    again = return_lines(dropped, {"a": 1}, parts)

    assert [lines[0].amount_fen for lines in given] == [33, 34, 33]
    assert (dropped.refunded_fen, dropped.lines[0].set_aside_units) == (66, 1)
    assert again == (RefundLine(1, "a", 1, 34, restock=True),)
    assert cancel_unsent(dropped, parts, again, START) == {}
    assert add_refund(dropped, again, parts, START).lines == order.lines


def test_units_set_aside_come_first_and_the_others_as_they_are() -> None:
    line = OrderLine(1, "a", "n", 4, 25, 100, "sup_1", False, True, set_aside_units=1)
    order, parts = paid(line)
    open_part = replace(parts["sup_1"], lines=(SupplierLine("a", "n", 4, 1),))
    shipped = {"sup_1": replace(open_part, status="shipped")}
    unsent = return_lines(order, {"a": 3}, {"sup_1": open_part})
    mixed = return_lines(order, {"a": 3}, shipped)

    assert unsent == (RefundLine(1, "a", 3, 75, restock=True),)
    assert cancel_unsent(order, {"sup_1": open_part}, unsent, START)["sup_1"].lines[0].cancelled == 3
    assert mixed == (RefundLine(1, "a", 1, 25, restock=True), RefundLine(1, "a", 2, 50))
    after = add_refund(order, mixed, shipped, START).lines[0]
    assert (after.refunded_units, after.refunded_fen, after.set_aside_units) == (3, 75, 0)


@pytest.mark.parametrize(("dropped", "freight"), [("first", 7), ("last", 0), ("both", 0)])
def test_the_freight_is_refunded_once_whichever_refund_is_given_up(dropped: str, freight: int) -> None:
    order, parts = paid(OrderLine(1, "a", "n", 2, 25, 50, "sup_1", False, True))
    order = replace(order, amount_fen=57)
    made = []
    for sequence in (1, 2):
        lines = return_lines(order, {"a": 1}, parts)
        parts |= cancel_unsent(order, parts, lines, START)
        after = add_refund(order, lines, parts, START)
        fen = after.refunded_fen - order.refunded_fen
        made.append(replace(requested(fen, sequence), kind="return", lines=lines))
        order = after
    for refund in {"first": made[:1], "last": made[1:], "both": made}[dropped]:
        order = drop_refund(order, refund)

    assert [refund.freight_fen for refund in made] == [0, 7]
    assert order.refunded_freight_fen == freight
    left = order.lines[0].units - order.lines[0].refunded_units
    assert add_refund(order, return_lines(order, {"a": left}, parts), parts, START).refunded_fen == 57


def test_only_units_that_have_not_left_are_taken_off_and_put_back_on_sale() -> None:
    order, parts = paid(
        OrderLine(1, "a", "n", 3, 10, 30, "sup_1", False, True), OrderLine(2, "b", "n", 3, 10, 30, "sup_2", False, True)
    )
    parts["sup_2"] = replace(parts["sup_2"], status="shipped")
    lines = return_lines(order, {"a": 1, "b": 2}, parts)
    changed = cancel_unsent(order, parts, lines, START)

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


def test_a_sku_that_two_lines_together_have_too_often_is_shown_at_the_second_with_what_is_left_for_it() -> None:
    cart = [RequestedUnits("a", 600), RequestedUnits("b", 1), RequestedUnits("a", 600), RequestedUnits("a", 1)]
    with pytest.raises(InvalidError) as refused:
        merge_units(cart)

    assert [(each.pointer, dict(each.bounds)) for each in refused.value.pointers] == [
        ("/lines/2/units", {"max": 399}), ("/lines/3/units", {"max": 0}),
    ]  # fmt: skip


def test_equal_skus_are_merged_in_the_order_of_their_first() -> None:
    assert list(merge_units([RequestedUnits("b", 1), RequestedUnits("a", 2), RequestedUnits("b", 3)]).items()) == [
        ("b", 4),
        ("a", 2),
    ]
