"""Real invoices as input of the demonstration: sales, returns, and refused rows with numbers and reasons.

The columns are those of the Online Retail data set (see `data/README.md`). One pound counts as one yuan. An article
sold at several prices becomes one SKU per price, since a SKU has one list price.

Every row is checked by the API's own rules before anything is made: a row that breaks one is counted, and none refuses
the others.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median_low
from typing import Final
from zlib import crc32

import msgspec

from cardstock.catalog.model import MAX_STOCK
from cardstock.catalog.schemas import PutProduct
from cardstock.errors import UnauthorizedError
from cardstock.members.login_platforms.development import DevelopmentPlatform
from cardstock.money import MAX_FEN
from cardstock.orders.model import MAX_LINES, MAX_UNITS
from infra.demo.spreadsheet import (
    Row,
    TableError,
    ValueFault,
    day_first,
    read_fen,
    read_id,
    read_line,
    read_moment,
    read_table,
    read_whole,
)

EXTRACT = Path(__file__).parent / "data" / "online_retail_extract.csv.gz"
SUPPLIERS = ("sup_north", "sup_south", "sup_harbour")
SPARE_UNITS: Final = 10
"""Units of each article in stock beyond those that are sold."""
MAX_ROW_UNITS: Final = 100_000
"""Units of one row: more would be hundreds of orders, for one line of an invoice."""
MAX_DAYS_APART: Final = 400
"""A row so many days from the middle of the file would have the clock run through years."""

# Articles are five digits and perhaps a variant; codes without digits are postage, fees and manual corrections.
_ARTICLE: Final = re.compile(r"[0-9]{5}[A-Za-z]{0,2}\Z")
_FEE: Final = re.compile(r"[A-Za-z][A-Za-z ]*[0-9]?\Z")
_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "InvoiceNo": ("Invoice",),
    "StockCode": (),
    "Description": (),
    "Quantity": (),
    "InvoiceDate": (),
    "UnitPrice": ("Price",),
    "CustomerID": (),
}
"""The columns, and how later editions of the data set call them."""


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
    """A row of a cancellation: units of an article that are returned. `row` is its number."""

    row: int
    invoice: str
    customer: str
    at: datetime
    code: str
    units: int


@dataclass(slots=True)
class ShopData:
    """The whole input. `refused` counts rows by reason, `refused_rows` has their numbers as a spreadsheet counts, and
    `refused_invoices` counts invoices without a usable row."""

    invoices: int = 0
    rows: int = 0
    sales: list[Sale] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    articles: dict[str, Article] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    refused_rows: dict[str, list[int]] = field(default_factory=dict)
    sold_invoices: int = 0
    refused_invoices: Counter[str] = field(default_factory=Counter)
    shift: timedelta = timedelta(0)

    @property
    def customers(self) -> list[str]:
        """All buyers, in the order of the first purchase."""
        return list(dict.fromkeys(sale.customer for sale in self.sales))

    def refuse(self, number: int, reason: str) -> None:
        """Count a row that cannot be used."""
        self.refused[reason] += 1
        self.refused_rows.setdefault(reason, []).append(number)

    def events(self) -> Iterator[Sale | Return]:
        """Sales and returns by time."""
        events: list[Sale | Return] = [*self.sales, *self.returns]
        yield from sorted(events, key=lambda event: (event.at, event.invoice))


@dataclass(frozen=True, slots=True)
class _Line:
    """A row that was read: of a sale, or with `price_fen` None of a cancellation."""

    number: int
    invoice: str
    customer: str
    at: datetime
    code: str
    units: int
    price_fen: int | None
    name: str


def read(path: Path = EXTRACT, *, limit: int | None = None, after: datetime | None = None) -> ShopData:
    """Read `path` (CSV, gzipped or not, in any usual encoding and with any usual separator), at most `limit` invoices.

    Dates are moved by whole weeks, so that the first is the first one after `after` between the 7th and the 13th of a
    month: then a week of sales and its return windows fit into that month. Without `after` they stay as they are.
    Raises `ShopDataError` if the file has no table with these columns; rows that cannot be used are counted.
    """
    try:
        rows = list(read_table(path, _COLUMNS))
    except TableError as error:
        raise ShopDataError(str(error)) from error
    data = ShopData()
    rows = _invoices_of(rows, limit, data)
    if not rows:
        raise ShopDataError(f"{path} has no invoices")
    lines = _plausible(_read_rows(rows, data), data)
    if after is not None and lines:
        first = lines[0].at
        while first + data.shift <= after or not 7 <= (first + data.shift).day <= 13:
            data.shift += timedelta(weeks=1)
    _sell([line for line in lines if line.price_fen is not None], data)
    data.returns = [
        Return(line.number, line.invoice, line.customer, line.at + data.shift, line.code, line.units)
        for line in lines
        if line.price_fen is None
    ]
    _count_invoices(rows, lines, data)
    return data


def guide_of(customer: str, guides: int) -> int:
    """The number of the guide from whom a customer buys: always the same one."""
    return (int(customer) if customer.isdecimal() else crc32(customer.encode())) % guides


def _invoices_of(rows: Sequence[Row], limit: int | None, data: ShopData) -> list[Row]:
    """The rows of the first `limit` invoices."""
    known: set[str] = set()
    kept = []
    for row in rows:
        invoice = _invoice_of(row)
        if invoice and invoice not in known:
            if limit is not None and len(known) >= limit:
                break
            known.add(invoice)
        kept.append(row)
    data.invoices, data.rows = len(known), len(kept)
    return kept


def _invoice_of(row: Row) -> str:
    try:
        return read_id(row.values.get("InvoiceNo", ""))
    except ValueFault:
        return ""


def _read_rows(rows: Sequence[Row], data: ShopData) -> list[_Line]:
    days_first = day_first(row.values["InvoiceDate"] for row in rows if not row.fault)
    lines = []
    for row in rows:
        try:
            lines.append(_read_row(row, days_first))
        except ValueFault as fault:
            data.refuse(row.number, fault.reason)
    return lines


def _read_row(row: Row, days_first: bool | None) -> _Line:
    """A row by its own reasons first, which do not depend on how it is written. Raises `ValueFault`."""
    if row.fault:
        raise ValueFault(row.fault)
    values = row.values
    code = read_id(values["StockCode"])
    customer = read_id(values["CustomerID"])
    if not customer:
        raise ValueFault("no_customer")
    if not _ARTICLE.match(code):
        raise ValueFault("postage_or_fee" if _FEE.match(code) else "no_article")
    try:
        DevelopmentPlatform().identify("", f"dev:customer-{customer}")
    except UnauthorizedError as error:
        raise ValueFault("no_customer_id") from error
    invoice = read_id(values["InvoiceNo"])
    if not invoice:
        raise ValueFault("no_invoice")
    units = read_whole(values["Quantity"])
    cancelled = invoice[0] in "Cc"
    price = None if cancelled else read_fen(values["UnitPrice"])
    if price is not None and price <= 0:
        raise ValueFault("no_price")
    units = -units if cancelled else units
    if units <= 0:
        raise ValueFault("no_quantity")
    if units > MAX_ROW_UNITS:
        raise ValueFault("too_many_units")
    name = read_line(values["Description"]) or code
    if price is not None:
        _check_product(code, name, price, units)
    return _Line(
        row.number,
        invoice,
        customer,
        read_moment(values["InvoiceDate"], days_first=days_first),
        code,
        units,
        price,
        name,
    )


def _check_product(code: str, name: str, price: int, units: int) -> None:
    """Refuse what the API would: raises `ValueFault` `product_refused` for a name, a price or a number of its own."""
    variant = {"sku": f"{code}-{price}", "price_fen": price, "initial_stock": units + SPARE_UNITS}
    product = {"title": {"zh": name}, "supplier_id": SUPPLIERS[0], "variants": [variant]}
    try:
        msgspec.convert(product, PutProduct)
    except msgspec.ValidationError as error:
        raise ValueFault("product_refused") from error
    if price * min(units, MAX_UNITS) * MAX_LINES > MAX_FEN:
        raise ValueFault("amount_too_large")


def _plausible(lines: Sequence[_Line], data: ShopData) -> list[_Line]:
    """Without rows far from the middle of the file, and without those that would have more stock than the API takes."""
    if not lines:
        return []
    middle = median_low([line.at for line in lines])
    stock: Counter[str] = Counter()
    kept = []
    for line in lines:
        sku = f"{line.code}-{line.price_fen}"
        if abs(line.at - middle) > timedelta(days=MAX_DAYS_APART):
            data.refuse(line.number, "date_far_off")
        elif stock[sku] + line.units + SPARE_UNITS > MAX_STOCK:
            data.refuse(line.number, "too_many_units")
        else:
            stock[sku] += line.units
            kept.append(line)
    return kept


def _sell(lines: Sequence[_Line], data: ShopData) -> None:
    """Sales, an invoice of one customer each, and the articles."""
    names: dict[str, str] = {}
    sold: Counter[str] = Counter()
    wanted: dict[tuple[str, str], Counter[str]] = {}
    moments: dict[tuple[str, str], datetime] = {}
    for line in lines:
        sku, key = f"{line.code}-{line.price_fen}", (line.invoice, line.customer)
        names.setdefault(line.code, line.name)
        moments.setdefault(key, line.at + data.shift)
        wanted.setdefault(key, Counter())[sku] += line.units
        sold[sku] += line.units
    for (invoice, customer), basket in wanted.items():
        at = moments[invoice, customer]
        data.sales += [Sale(invoice, customer, at, part) for part in _orders(basket)]
    for sku, units in sold.items():
        code, _, price = sku.rpartition("-")
        supplier = SUPPLIERS[int(code[:5]) % len(SUPPLIERS)]
        data.articles[sku] = Article(sku, code, names[code], int(price), supplier, units)


def _count_invoices(rows: Sequence[Row], lines: Sequence[_Line], data: ShopData) -> None:
    """Count the invoices that are sold, and the others, without cancellations, by their most frequent reason."""
    usable = {line.invoice for line in lines}
    reason_of = {number: reason for reason, numbers in data.refused_rows.items() for number in numbers}
    reasons: dict[str, Counter[str]] = {}
    for row in rows:
        invoice = _invoice_of(row)
        if invoice and invoice[0] not in "Cc":
            reasons.setdefault(invoice, Counter()).update([reason_of[row.number]] if row.number in reason_of else [])
    data.sold_invoices = len(reasons.keys() & usable)
    for invoice, found in reasons.items():
        if invoice not in usable:
            data.refused_invoices[found.most_common(1)[0][0]] += 1


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


def _orders(wanted: Counter[str]) -> Iterator[dict[str, int]]:
    """Parts of at most 50 SKUs with at most 999 units each."""
    left = dict(wanted)
    while left:
        part = {sku: min(count, MAX_UNITS) for sku, count in list(left.items())[:MAX_LINES]}
        yield part
        for sku, count in part.items():
            left[sku] -= count
            if not left[sku]:
                del left[sku]
