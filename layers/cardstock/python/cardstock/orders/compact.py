"""Lines and attribution in few bytes: the form in which orders are stored and quotes are signed.

A stored kilobyte is a write unit and a signed kilobyte is traffic, so field names and repeated
supplier ids are left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cardstock.attribution import Attribution
from cardstock.orders.model import OrderLine, Quote

_QUALIFYING = 1
_EARNS = 2


def pack_lines(lines: Sequence[OrderLine]) -> list[Any]:
    """`[[supplier, ...], [sku, name, units, price, index of supplier, flags], ...]`; a line that was reduced or
    refunded has net, refunded units and refunded fen behind these."""
    suppliers = list(dict.fromkeys(line.supplier_id for line in lines))
    packed: list[Any] = [suppliers]
    for line in lines:
        flags = _QUALIFYING * line.qualifying + _EARNS * line.earns
        row = [line.sku, line.name, line.units, line.price_fen, suppliers.index(line.supplier_id), flags]
        if line.refunded_units or line.refunded_fen or line.net_fen != line.units * line.price_fen:
            row += [line.net_fen, line.refunded_units, line.refunded_fen]
        packed.append(row)
    return packed


def unpack_lines(packed: Sequence[Any]) -> tuple[OrderLine, ...]:
    """The inverse of `pack_lines`."""
    suppliers = packed[0]
    lines = []
    for number, row in enumerate(packed[1:], 1):
        sku, name, units, price, supplier, flags = row[:6]
        net, refunded_units, refunded_fen = row[6:] or (units * price, 0, 0)
        lines.append(
            OrderLine(
                line_no=number,
                sku=sku,
                name=name,
                units=units,
                price_fen=price,
                net_fen=net,
                supplier_id=suppliers[supplier],
                qualifying=bool(flags & _QUALIFYING),
                earns=bool(flags & _EARNS),
                refunded_units=refunded_units,
                refunded_fen=refunded_fen,
            )
        )
    return tuple(lines)


def pack_attribution(attribution: Attribution | None) -> list[str] | None:
    """`[card, share, view, guide]`."""
    if attribution is None:
        return None
    return [attribution.card, attribution.share, attribution.view, attribution.guide]


def unpack_attribution(packed: Sequence[str] | None) -> Attribution | None:
    """The inverse of `pack_attribution`."""
    return None if packed is None else Attribution(*packed)


def pack_quote(quote: Quote) -> dict[str, Any]:
    """The claims of a quote's token."""
    return {
        "m": quote.member_id,
        "l": pack_lines(quote.lines),
        "a": pack_attribution(quote.attribution),
        "h": quote.hint,
        **({"c": quote.coupon} if quote.coupon else {}),
        **({"f": quote.freight_fen} if quote.freight_fen else {}),
        **({"p": quote.paid_by} if quote.paid_by != "buyer" else {}),
    }


def unpack_quote(claims: Mapping[str, Any]) -> Quote:
    """The inverse of `pack_quote`; for claims whose signature has been checked."""
    return Quote(
        member_id=claims["m"],
        lines=unpack_lines(claims["l"]),
        attribution=unpack_attribution(claims["a"]),
        hint=claims["h"],
        coupon=claims.get("c", ""),
        freight_fen=claims.get("f", 0),
        paid_by=claims.get("p", "buyer"),
    )
