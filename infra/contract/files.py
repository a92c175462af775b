"""What the API document says of bodies and answers that are no JSON: their columns and an example, made by the code
that reads or writes them."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from cardstock.cards.documents.page import Links, page_of
from cardstock.cards.documents.qr import svg_of
from cardstock.cards.documents.vcard import vcard_of
from cardstock.cards.model import Card, Face, OpenedCard
from cardstock.errors import InvalidError
from cardstock.payouts.channels.layouts import LAYOUTS
from cardstock.payouts.channels.results_file import COLUMNS, RESULTS, read_results
from cardstock.payouts.report.csv_file import csv_bytes, lines_csv
from infra.contract.routes import PATH_VALUES

Json = Any
_AT = datetime(2026, 12, 1, 8, 26, tzinfo=UTC)
_HEADERS = {
    "reference": "转账单号", "holder": "收款人户名", "number": "收款账号", "amount": "金额(元)", "result": "处理结果",
    "reason": "失败原因",
}  # fmt: skip
"""A column of the bank's answer and its header in the example, in the order of the example."""
_ANSWERED: tuple[dict[str, str], ...] = (
    {
        "reference": "0m3k9x2v7q1w8e5r4t6y0u2i4o6p8a1s", "holder": "张伟", "number": "6222020200112233445",
        "amount": "183.60", "result": "成功", "reason": "",
    },
    {
        "reference": "1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q", "holder": "王芳", "number": "6217000010001234567",
        "amount": "1,204.00", "result": "失败", "reason": "账户已销户",
    },
)  # fmt: skip


def request_file(media: str) -> Json:
    """The media type `media` of a request's body. KeyError for one that is not described."""
    return {
        "text/csv": {
            "schema": {"type": "string", "format": "binary", "description": _results_about()},
            "example": _results(_ANSWERED, tuple(_HEADERS)),
        },
        "application/octet-stream": {
            "schema": {
                "type": "string",
                "format": "binary",
                "description": "The same file as `text/csv`: what browsers name a file whose kind they do not know.",
            },
            "example": _results(_ANSWERED, tuple(_HEADERS)),
        },
    }[media]


def answer_file(path: str) -> tuple[str, Json]:
    """Media type and its description of a route that answers with a document. KeyError for another path."""
    opened = OpenedCard(_card(), "default", "")
    url = f"https://cards.example.com/c/{opened.card.key}"
    links = Links(vcard=f"/v1/cards/{opened.card.key}/vcf", qr_svg=svg_of(url), ticket="eyJ...")
    kinds: Mapping[str, tuple[str, str, str]] = {
        "/v1/cards/{key}/vcf": (
            "text/vcard",
            "A vCard 3.0 (RFC 2426) in UTF-8, lines end in CRLF and are folded at 75 octets.",
            vcard_of(opened, url),
        ),
        "/v1/cards/{key}/qr": (
            "image/svg+xml",
            "A QR code of the card's page, black on white, without a size of its own: it fills its box.",
            svg_of(url),
        ),
        "/c/{key}": (
            "text/html",
            "A page for people in the language of the request. The example is its head.",
            page_of(opened.face, links, "en").partition("<style")[0],
        ),
        "/v1/payments/alipay/notify": ("text/plain", "The word that ends Alipay's repeats.", "success"),
        "/v1/payments/wechat/pushes/{app_id}": (
            "text/plain",
            "The word that ends WeChat's repeats; to a check of the address, its `echostr`.",
            "success",
        ),
    }
    media, about, shown = kinds[path]
    return media, {"schema": {"type": "string", "description": about}, "example": shown}


def files_about() -> str:
    """The columns of the files that a payout's report links to."""
    lines = lines_csv(SimpleNamespace(lines=()))  # type: ignore[arg-type]  # the header alone
    sent = "; ".join(
        f"layout `{layout.id}`: {', '.join(f'`{header}`' for header, _ in layout.columns)}"
        for layout in LAYOUTS.values()
    )
    return (
        "\n\nThe links lead to workbooks (`report.xlsx`, `draft.xlsx`), a page to print (`cover.pdf`) and CSV:\n\n"
        f"- `transfers.csv` is for the bank, one row for each transfer. Columns of {sent}\n"
        f"- `lines.csv` has one row for each line. Columns: {', '.join(f'`{header}`' for header in _header(lines))}"
    )


def _header(content: bytes) -> list[str]:
    return next(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def _results_about() -> str:
    """The columns of the bank's answer, which of them it must have, and the words for results."""
    rows = [
        f"- `{'`, `'.join(sorted(COLUMNS[column]))}`: {meant}{'' if _is_needed(column) else '; may be missing'}"
        for column, meant in _MEANT.items()
    ]
    words = {result: [word for word, meant in RESULTS.items() if meant == result] for result in ("paid", "failed")}
    return (
        "The CSV that the bank returns, UTF-8 or GBK, with commas, semicolons or tabs, in any order of columns; lines "
        "above the header and a last row of totals are left out. Each column has one of these headers:\n\n"
        + "\n".join(rows)
        + f"\n\nPaid is any of {', '.join(f'`{word}`' for word in words['paid'])}; failed is any of "
        f"{', '.join(f'`{word}`' for word in words['failed'])}. Another word refuses the file."
    )


_MEANT: Mapping[Any, str] = {
    "reference": "the transfer's number, 32 small letters or digits",
    "holder": "holder of the account",
    "number": "number of the account",
    "amount": "yuan, as in the file that was sent",
    "result": "result of the transfer",
    "reason": "the bank's reason of a failure",
}


def _results(rows: tuple[dict[str, str], ...], columns: tuple[str, ...]) -> str:
    content = csv_bytes([_HEADERS[column] for column in columns], [[row[column] for column in columns] for row in rows])
    return content.decode("utf-8-sig")


def _is_needed(column: str) -> bool:
    """Whether a file without the column is refused."""
    text = _results(_ANSWERED, tuple(name for name in _HEADERS if name != column))
    try:
        read_results(text.encode(), "", _AT)
    except InvalidError:
        return True
    return False


def _card() -> Card:
    face = Face(
        name="林晓雨", title="导购", company="示例商城", phone="13800138000", email="lin@example.com",
        wechat="linxiaoyu", address="上海市南京西路1号",
    )  # fmt: skip
    return Card(PATH_VALUES["key"], "mem_01kbdxdh50fcazdjhcnqh2rzv5", {"default": face}, 1, _AT, _AT)
