"""Real invoices as input of the demonstration: sales, returns, and refused rows with reasons.

The columns are those of the Online Retail data set (see `data/README.md`). One pound counts as one yuan. An article
sold at several prices becomes one SKU per price, since a SKU has one list price.
"""

import csv
import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path

EXTRACT = Path(__file__).parent / "data" / "online_retail_extract.csv.gz"
MAX_SKUS = 50
MAX_UNITS = 999
SUPPLIERS = ("sup_north", "sup_south", "sup_harbour")

# Articles are five digits and perhaps a variant; others are postage, fees, manual corrections and gift vouchers.
_ARTICLE = re.compile(r"\d{5}[A-Z]{0,2}\Z")
_COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")


class ShopDataError(Exception):
    """The file cannot be used; the message says why and where."""


@dataclass(frozen=True, slots=True)
class Article:
    """An article at one price, for the catalogue. `units` were sold in total."""

    sku: str
    code: str
    name: str
    price_fen: int
    supplier_id: str
    units: int


@dataclass(frozen=True, slots=True)
class Sale:
    """An invoice, or a part of one that fits into one order: units per SKU."""

    invoice: str
    customer: str
    at: datetime
    units: dict[str, int]


@dataclass(frozen=True, slots=True)
class Return:
    """A row of a cancellation: units of an article that are returned."""

    invoice: str
    customer: str
    at: datetime
    code: str
    units: int


@dataclass(slots=True)
class ShopData:
    """The whole input. `refused` counts rows by reason, `refused_invoices` invoices without a usable row."""

    invoices: int = 0
    rows: int = 0
    sales: list[Sale] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    articles: dict[str, Article] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    sold_invoices: int = 0
    refused_invoices: Counter[str] = field(default_factory=Counter)
    shift: timedelta = timedelta(0)

    @property
    def customers(self) -> list[str]:
        """All buyers, in the order of the first purchase."""
        return list(dict.fromkeys(sale.customer for sale in self.sales))

    def events(self) -> Iterator[Sale | Return]:
        """Sales and returns by time."""
        events: list[Sale | Return] = [*self.sales, *self.returns]
        yield from sorted(events, key=lambda event: (event.at, event.invoice))


def read(path: Path = EXTRACT, *, limit: int | None = None, after: datetime | None = None) -> ShopData:
    """Read `path` (CSV, gzipped if it ends in .gz), at most `limit` invoices.

    Dates are moved by whole weeks, so that the first is the first one after `after` between the 7th and the 13th of a
    month: then a week of sales and its return windows fit into that month. Without `after` they stay as they are.
    Raises `ShopDataError` naming the column or row that cannot be read; rows that cannot be sold are counted.
    """
    data = ShopData()
    by_invoice: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _rows(path):
        number = row["InvoiceNo"]
        if number not in by_invoice and limit is not None and len(by_invoice) >= limit:
            break
        by_invoice[number].append(row)
    if not by_invoice:
        raise ShopDataError(f"{path} has no invoices")
    data.invoices = len(by_invoice)
    data.rows = sum(len(rows) for rows in by_invoice.values())
    if after is not None:
        first = _moment(next(iter(by_invoice.values()))[0])
        while first + data.shift <= after or not 7 <= (first + data.shift).day <= 13:
            data.shift += timedelta(weeks=1)
    units: Counter[str] = Counter()
    names: dict[str, str] = {}
    for number, rows in by_invoice.items():
        reasons: Counter[str] = Counter()
        if number.startswith("C"):
            _read_cancellation(number, rows, data, reasons)
        else:
            _read_invoice(number, rows, data, reasons, units, names)
        data.refused.update(reasons)
    for sku, sold in units.items():
        code, _, price = sku.rpartition("-")
        supplier = SUPPLIERS[int(code[:5]) % len(SUPPLIERS)]
        data.articles[sku] = Article(sku, code, names[code], int(price), supplier, sold)
    return data


def windows(events: Iterable[Sale | Return]) -> Iterator[tuple[datetime, list[Sale | Return]]]:
    """Events of the same hour, with the start of that hour."""
    opening: datetime | None = None
    held: list[Sale | Return] = []
    for event in events:
        hour = event.at.replace(minute=0, second=0, microsecond=0)
        if opening is not None and hour != opening:
            yield opening, held
            held = []
        opening = hour
        held.append(event)
    if opening is not None:
        yield opening, held


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ShopDataError(f"{path} lacks the columns {', '.join(missing)}")
            yield from reader
    except (OSError, UnicodeDecodeError, csv.Error, EOFError) as error:
        raise ShopDataError(f"{path} cannot be read: {error}") from error


def _read_invoice(  # noqa: PLR0917 - private, one caller
    number: str, rows: Sequence[dict[str, str]], data: ShopData, reasons: Counter[str], units: Counter[str],
    names: dict[str, str],
) -> None:  # fmt: skip
    wanted: Counter[str] = Counter()
    for row in rows:
        code, reason = _checked(row)
        price = _fen(row)
        quantity = _quantity(row)
        if reason is None and price <= 0:
            reason = "no_price"
        if reason is None and quantity <= 0:
            reason = "no_quantity"
        if reason is not None:
            reasons[reason] += 1
            continue
        sku = f"{code}-{price}"
        names.setdefault(code, _name(row, code))
        wanted[sku] += quantity
    if not wanted:
        data.refused_invoices[reasons.most_common(1)[0][0]] += 1
        return
    data.sold_invoices += 1
    units.update(wanted)
    at = _moment(rows[0]) + data.shift
    for part in _orders(wanted):
        data.sales.append(Sale(number, rows[0]["CustomerID"].partition(".")[0], at, part))


def _orders(wanted: Counter[str]) -> Iterator[dict[str, int]]:
    """Parts of at most 50 SKUs with at most 999 units each."""
    left = dict(wanted)
    while left:
        part = {sku: min(count, MAX_UNITS) for sku, count in list(left.items())[:MAX_SKUS]}
        yield part
        for sku, count in part.items():
            left[sku] -= count
            if not left[sku]:
                del left[sku]


def _read_cancellation(
    number: str, rows: Sequence[dict[str, str]], data: ShopData, reasons: Counter[str]
) -> None:  # fmt: skip
    for row in rows:
        code, reason = _checked(row)
        quantity = -_quantity(row)
        if reason is None and quantity <= 0:
            reason = "no_quantity"
        if reason is not None:
            reasons[reason] += 1
            continue
        customer = row["CustomerID"].partition(".")[0]
        data.returns.append(Return(number, customer, _moment(row) + data.shift, code, quantity))


def _checked(row: dict[str, str]) -> tuple[str, str | None]:
    code = row["StockCode"].strip().upper()
    if not row["CustomerID"].strip():
        return code, "no_customer"
    if not _ARTICLE.match(code):
        return code, "postage_or_fee"
    return code, None


def _quantity(row: dict[str, str]) -> int:
    try:
        return int(row["Quantity"])
    except ValueError as error:
        raise ShopDataError(f"invoice {row['InvoiceNo']}: Quantity {row['Quantity']!r} is no whole number") from error


def _fen(row: dict[str, str]) -> int:
    try:
        return int((Decimal(row["UnitPrice"]) * 100).to_integral_value(ROUND_HALF_UP))
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise ShopDataError(f"invoice {row['InvoiceNo']}: UnitPrice {row['UnitPrice']!r} is no price") from error


def _moment(row: dict[str, str]) -> datetime:
    try:
        return datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=UTC)
    except ValueError as error:
        raise ShopDataError(f"invoice {row['InvoiceNo']}: InvoiceDate {row['InvoiceDate']!r} is no time") from error


def _name(row: dict[str, str], code: str) -> str:
    name = " ".join(row["Description"].split())
    return name[:64] or code
