"""What refunds of a line come to, whatever the sequence: exactly what was paid, and never a fen from nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.errors import InvalidError, RefusedError
from cardstock.money import half_up
from cardstock.orders.model import MAX_LINES, MAX_UNITS, Order, OrderLine, Receiver, SupplierLine, SupplierOrder
from cardstock.orders.service import Wanted, _cut_down, _merge, _refund_lines, _with_refund
from tests.selling import START


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
        lines = _refund_lines(order, {"a": size}, parts)
        parts |= _cut_down(parts, lines, START)
        order = _with_refund(order, lines, parts, START)
        back += size

        assert lines[0].amount_fen >= 0
        assert order.refunded_fen == half_up(net * back, units)
    assert (order.refunded_fen, order.lines[0].refunded_units) == (net, units)
    assert parts["sup_1"].status == "cancelled"
    assert order.status == "paid"
    with pytest.raises(RefusedError, match="REFUND_TOO_MUCH"):
        _refund_lines(order, {"a": 1}, parts)


def test_only_units_that_have_not_left_are_taken_off_and_put_back_on_sale() -> None:
    order, parts = paid(
        OrderLine(1, "a", "n", 3, 10, 30, "sup_1", False, True), OrderLine(2, "b", "n", 3, 10, 30, "sup_2", False, True)
    )
    parts["sup_2"] = replace(parts["sup_2"], status="shipped")
    lines = _refund_lines(order, {"a": 1, "b": 2}, parts)
    changed = _cut_down(parts, lines, START)

    assert [(line.sku, line.restock) for line in lines] == [("a", True), ("b", False)]
    assert {supplier: part.lines[0].cancelled for supplier, part in changed.items()} == {"sup_1": 1}


@pytest.mark.parametrize(
    "wanted",
    [
        [],
        [Wanted("a", MAX_UNITS), Wanted("a", 1)],
        [Wanted(f"sku{number}", 1) for number in range(MAX_LINES + 1)],
        [Wanted("a", 0)],
        [Wanted("a", -1)],
    ],
)
def test_a_cart_out_of_bounds_is_refused(wanted: list[Wanted]) -> None:
    with pytest.raises(InvalidError):
        _merge(wanted)


def test_equal_skus_are_merged_in_the_order_of_their_first() -> None:
    assert list(_merge([Wanted("b", 1), Wanted("a", 2), Wanted("b", 3)]).items()) == [("b", 4), ("a", 2)]
