"""The short form of an order's lines and of a quote, for stored orders and quote tokens.

Each stored kilobyte costs a write unit, and each signed kilobyte traffic. So these structs are arrays without field
names, a supplier is named once, and only lines with a coupon or refunds have changes. Do not move their fields:
tokens live for fifteen minutes, stored orders for ever.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from cardstock.attribution import Attribution
from cardstock.money import Fen
from cardstock.orders.model import FreightPart, OrderLine, PaidBy, Quote

QUALIFYING: Final = 1
EARNS: Final = 2


class PackedLine(msgspec.Struct, frozen=True, array_like=True):
    """The terms of one line. `supplier`: index into the suppliers; `flags`: the sum of QUALIFYING and EARNS."""

    sku: str
    name: str
    units: int
    price_fen: Fen
    supplier: int
    flags: int


class PackedLines(msgspec.Struct, frozen=True, array_like=True):
    """The lines of an order; a line's number is its position, from 1.

    `changes` are those of lines that a coupon or refunds have changed, each as numbers: of the line, `net_fen`,
    `refunded_units`, `refunded_fen`, and `set_aside_units` if there are any.
    """

    suppliers: tuple[str, ...]
    lines: tuple[PackedLine, ...]
    changes: tuple[tuple[int, ...], ...] = ()


class PackedQuote(msgspec.Struct, frozen=True, array_like=True):
    """A quote in its token."""

    member_id: str
    lines: PackedLines
    attribution: Attribution | None
    hint: Any
    coupon: str
    freight_fen: Fen
    paid_by: PaidBy
    order_id: str = ""
    region: str = ""
    freight_parts: tuple[FreightPart, ...] = ()


def pack_lines(lines: Sequence[OrderLine]) -> PackedLines:
    """The short form of an order's lines, which are numbered from 1."""
    suppliers = tuple(dict.fromkeys(line.supplier_id for line in lines))
    return PackedLines(
        suppliers,
        tuple(
            PackedLine(
                line.sku,
                line.name,
                line.units,
                line.price_fen,
                suppliers.index(line.supplier_id),
                QUALIFYING * line.qualifying + EARNS * line.earns,
            )
            for line in lines
        ),
        tuple(
            (
                *(line.line_no, line.net_fen, line.refunded_units, line.refunded_fen),
                *([line.set_aside_units] if line.set_aside_units else []),
            )
            for line in lines
            if line.refunded_units
            or line.refunded_fen
            or line.set_aside_units
            or line.net_fen != line.units * line.price_fen
        ),
    )


def unpack_lines(packed: PackedLines) -> tuple[OrderLine, ...]:
    """The inverse of `pack_lines`."""
    changes = {number: change for number, *change in packed.changes}
    lines = []
    for number, line in enumerate(packed.lines, 1):
        net_fen, refunded_units, refunded_fen, *set_aside = changes.get(number) or (line.units * line.price_fen, 0, 0)
        lines.append(
            OrderLine(
                line_no=number,
                sku=line.sku,
                name=line.name,
                units=line.units,
                price_fen=line.price_fen,
                net_fen=net_fen,
                supplier_id=packed.suppliers[line.supplier],
                qualifying=bool(line.flags & QUALIFYING),
                earns=bool(line.flags & EARNS),
                refunded_units=refunded_units,
                refunded_fen=refunded_fen,
                set_aside_units=sum(set_aside),
            )
        )
    return tuple(lines)


def pack_quote(quote: Quote) -> PackedQuote:
    """The short form of a quote."""
    return PackedQuote(
        quote.member_id,
        pack_lines(quote.lines),
        quote.attribution,
        quote.hint,
        quote.coupon,
        quote.freight_fen,
        quote.paid_by,
        quote.order_id,
        quote.region,
        quote.freight_parts,
    )


def unpack_quote(packed: PackedQuote) -> Quote:
    """The inverse of `pack_quote`."""
    return Quote(
        member_id=packed.member_id,
        lines=unpack_lines(packed.lines),
        attribution=packed.attribution,
        hint=packed.hint,
        coupon=packed.coupon,
        freight_fen=packed.freight_fen,
        paid_by=packed.paid_by,
        order_id=packed.order_id,
        region=packed.region,
        freight_parts=packed.freight_parts,
    )
