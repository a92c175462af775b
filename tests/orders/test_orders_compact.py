"""The short form of lines and quotes gives back what was put in."""

import json

from hypothesis import given
from hypothesis import strategies as st

from cardstock.attribution import Attribution
from cardstock.money import half_up
from cardstock.orders.compact import (
    pack_attribution,
    pack_lines,
    pack_quote,
    unpack_attribution,
    unpack_lines,
    unpack_quote,
)
from cardstock.orders.model import OrderLine, Quote


@st.composite
def carts(draw: st.DrawFn) -> tuple[OrderLine, ...]:
    skus = draw(st.lists(st.text("ABC123", min_size=1, max_size=6), min_size=1, max_size=8, unique=True))
    lines = []
    for number, sku in enumerate(skus, 1):
        units, price = draw(st.integers(1, 999)), draw(st.integers(1, 10**9))
        net = draw(st.one_of(st.just(units * price), st.integers(0, units * price)))
        refunded = draw(st.integers(0, units))
        lines.append(
            OrderLine(
                line_no=number,
                sku=sku,
                name=draw(st.text(max_size=20)),
                units=units,
                price_fen=price,
                net_fen=net,
                supplier_id=draw(st.sampled_from(["sup_a", "sup_b", "sup_c"])),
                qualifying=draw(st.booleans()),
                earns=draw(st.booleans()),
                refunded_units=refunded,
                refunded_fen=draw(st.integers(half_up(net * refunded, units), net)),  # goodwill has no units
            )
        )
    return tuple(lines)


@given(carts())
def test_lines_survive_being_stored(lines: tuple[OrderLine, ...]) -> None:
    assert unpack_lines(json.loads(json.dumps(pack_lines(lines)))) == lines


@given(carts(), st.none() | st.builds(Attribution, st.text(), st.text(), st.text(), st.text()))
def test_a_quote_survives_its_token(lines: tuple[OrderLine, ...], attribution: Attribution | None) -> None:
    quote = Quote("mem_1", lines, attribution, ["mem_2", "mem_3"])

    assert unpack_quote(json.loads(json.dumps(pack_quote(quote)))) == quote
    assert unpack_attribution(pack_attribution(attribution)) == attribution


def test_a_supplier_is_named_once() -> None:
    line = OrderLine(1, "a", "n", 1, 5, 5, "sup_lights", True, False)

    assert pack_lines((line, line)) == [["sup_lights"], ["a", "n", 1, 5, 0, 1], ["a", "n", 1, 5, 0, 1]]
