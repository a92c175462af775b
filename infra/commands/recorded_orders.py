"""Recorded orders in files, for `plan simulate`.

They are JSON lines as in the API (one order a line), or CSV with one line an order line, lines of an order
together: order_id, member_id, placed_at, sku, units, net_fen, and where needed qualifying, earns, inviter_id, paid_at
(without that column: when placed; empty: never), received_at, returned_at and returned_fen (once per order; without
returned_fen: all of it). Both sorted by placed_at, times in RFC 3339.
"""

import csv
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from cardstock.network.simulation import schemas as simulations
from cardstock.network.simulation.steps import RecordedOrder


class FileError(Exception):
    """A file that cannot be read as what it should be; the message names the line."""


def read_orders(path: Path) -> Iterator[RecordedOrder]:
    """Recorded orders from a file, one by one. Raises `FileError` naming the line."""
    yield from _csv_orders(path) if path.suffix == ".csv" else _json_orders(path)


def _json_orders(path: Path) -> Iterator[RecordedOrder]:
    decoder = msgspec.json.Decoder(simulations.SimulatedOrder, strict=True)
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield simulations.order_of(decoder.decode(line))
                except msgspec.MsgspecError as error:
                    raise FileError(f"{path}:{number}: {error}") from error


_ORDER_COLUMNS = ("order_id", "member_id", "inviter_id", "placed_at", "paid_at", "received_at")
_LINE_COLUMNS = ("sku", "units", "net_fen", "qualifying", "earns")
_RETURN_COLUMNS = ("returned_at", "returned_fen")


def _csv_orders(path: Path) -> Iterator[RecordedOrder]:
    with path.open(newline="", encoding="utf-8-sig") as text:
        reader = csv.DictReader(text)
        unknown = set(reader.fieldnames or ()) - {*_ORDER_COLUMNS, *_LINE_COLUMNS, *_RETURN_COLUMNS}
        if unknown:
            raise FileError(f"{path}:1: unknown columns {', '.join(sorted(unknown))}")
        for order_id, group in groupby(reader, key=lambda row: row.get("order_id", "")):
            rows = list(group)
            order: dict[str, Any] = {name: rows[0][name] for name in _ORDER_COLUMNS if rows[0].get(name)}
            if rows[0].get("paid_at") == "":
                order["paid_at"] = None
            order["lines"] = [{name: row[name] for name in _LINE_COLUMNS if row.get(name)} for row in rows]
            returned = [row for row in rows if row.get("returned_at")][:1]
            order["returns"] = [
                {"at": row["returned_at"], **({"fen": row["returned_fen"]} if row.get("returned_fen") else {})}
                for row in returned
            ]
            try:
                yield simulations.order_of(msgspec.convert(order, simulations.SimulatedOrder, strict=False))
            except msgspec.MsgspecError as error:
                raise FileError(f"{path}: up to line {reader.line_num}, order {order_id}: {error}") from error
