"""The short form of lines and quotes gives back what was put in, and refuses what it was not made for."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardstock.attribution import Attribution
from cardstock.edge.tokens import Signer
from cardstock.errors import InvalidError
from cardstock.money import half_up
from cardstock.orders.model import OrderLine, Quote
from cardstock.orders.packing import PackedLines, PackedQuote, pack_lines, pack_quote, unpack_lines, unpack_quote
from cardstock.orders.tokens import open_quote, sign_quote


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


quotes = st.builds(
    Quote,
    member_id=st.text(),
    lines=carts(),
    attribution=st.none() | st.builds(Attribution, st.text(), st.text(), st.text(), st.text()),
    hint=st.lists(st.text()),
    coupon=st.text(),
    freight_fen=st.integers(0, 10**6),
    paid_by=st.sampled_from(["buyer", "coupon"]),
)


@given(carts())
def test_lines_survive_being_stored(lines: tuple[OrderLine, ...]) -> None:
    stored = msgspec.json.encode(pack_lines(lines))

    assert unpack_lines(msgspec.json.decode(stored, type=PackedLines)) == lines


@given(quotes)
def test_a_quote_survives_its_token(quote: Quote) -> None:
    claims = msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(pack_quote(quote))))

    assert unpack_quote(msgspec.convert(claims, PackedQuote)) == quote


@given(quotes)
def test_a_signed_quote_opens_for_its_member_alone(quote: Quote) -> None:
    signer = Signer(keys=lambda: ["key"])
    token = sign_quote(signer, quote)

    assert open_quote(signer, token, quote.member_id) == quote
    with pytest.raises(InvalidError, match="QUOTE_INVALID"):
        open_quote(signer, token, quote.member_id + "x")


@pytest.mark.parametrize(
    "claims", [{}, {"q": None}, {"q": ["mem_1"]}, {"q": ["mem_1", [], None, [], "", 1.5, "buyer"]}]
)
def test_a_token_of_another_shape_is_no_quote(claims: dict[str, Any]) -> None:
    signer = Signer(keys=lambda: ["key"])
    token = signer.sign("quote", claims, lifetime=timedelta(minutes=15))

    with pytest.raises(InvalidError, match="QUOTE_INVALID"):
        open_quote(signer, token, "mem_1")


def test_a_supplier_is_named_once_and_only_changed_lines_have_more_than_their_terms() -> None:
    line = OrderLine(1, "a", "n", 1, 5, 5, "sup_lights", True, False)
    refunded = OrderLine(2, "b", "n", 2, 5, 9, "sup_lights", True, True, 1, 5)
    packed = msgspec.json.encode(pack_lines((line, refunded)))

    assert packed == b'[["sup_lights"],[["a","n",1,5,0,1],["b","n",2,5,0,3]],[[2,9,1,5]]]'
