"""The JSON fields that several areas have in common."""

import re
from datetime import date
from typing import Annotated, Final

from msgspec import Meta

from cardstock.errors import QUERY_INVALID, Pointer
from cardstock.texts import clean_phone

_SIGNED = "eyJzdWIiOiJtZW1fMDEifQ.Zb8kTq3mX1n5r7u9w2y4A6C8E0g"

NO_PHONE: Final = "Expected a telephone number in field `phone`"
_STORED_PHONE: Final = r"\+?[0-9][0-9 -]{3,18}[0-9]"
"""What v0.2.0 took for a telephone number."""


def checked_phone(text: str) -> str:
    """`text` as it is stored (`texts.clean_phone`). Raises ValueError for what is no telephone number."""
    cleaned = clean_phone(text)
    if cleaned is None and not re.fullmatch(_STORED_PHONE, text):
        raise ValueError(NO_PHONE)
    return cleaned or text


Day = Annotated[
    str,
    Meta(
        pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z",
        description="A day of the brand (Asia/Shanghai).",
        examples=["2026-11-30"],
    ),
]


def day_in_query(text: str | None, name: str) -> date | None:
    """The day in the parameter `name`; None without one. Raises `InvalidError` QUERY_INVALID for a day that does not
    exist."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise QUERY_INVALID(pointers=(Pointer(f"#query/{name}", "NO_DAY"),)) from error


Moment = Annotated[str, Meta(examples=["2026-12-01T08:26:00.000Z"])]
SignedToken = Annotated[str, Meta(examples=[_SIGNED])]
NextCursor = Annotated[
    str | None, Meta(description="Cursor of the next page; null on the last page.", examples=[_SIGNED])
]

MemberId = Annotated[
    str, Meta(description="Opaque id of a member; starts with `mem_`.", examples=["mem_01kbdxdh50fcazdjhcnqh2rzv5"])
]
OrderId = Annotated[
    str, Meta(description="Opaque id of an order; starts with `ord_`.", examples=["ord_01kbdxdh50fcazdjhcnqh2rzv5"])
]
RefundId = Annotated[
    str, Meta(description="Opaque id of a refund; starts with `rfd_`.", examples=["rfd_01kbf2c7d8e9fagbhcjdkemfn0"])
]
KeyId = Annotated[
    str, Meta(description="Opaque id of an API key; starts with `key_`.", examples=["key_01kbdxdh50fcazdjhcnqh2rzv5"])
]
PersonId = Annotated[
    str,
    Meta(
        description="Opaque id of a person of the staff; starts with `stf_`.",
        examples=["stf_01kbdx9q7r5t3v1w8y6z4a2c0e"],
    ),
]
SupplierId = Annotated[
    str,
    Meta(
        pattern=r"^sup_[0-9a-z]{1,26}\Z",
        description="Supplier that sells and sends the product.",
        examples=["sup_lights"],
    ),
]
EntryId = Annotated[
    str,
    Meta(
        description="Ledger entry of the step; its proof has the same id.",
        examples=["accrue.ord_01kbdxdh50fcazdjhcnqh2rzv5"],
    ),
]
PlanRef = Annotated[str, Meta(examples=["chain21@3"])]
Period = Annotated[str, Meta(examples=["2026-11"])]

RegionCode = Annotated[
    str, Meta(pattern=r"^[0-9]{6}\Z", description="Code of a region (GB/T 2260).", examples=["330106"])
]
TemplateId = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,23}\Z", description="Freight template, by its id.", examples=["heavy"]),
]
Sku = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z", description="Article number.", examples=["85123A"]),
]
ProductId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z",
        description="Id of a product; of one with one SKU mostly the SKU.",
        examples=["85123A"],
    ),
]
ArticleNumber = Annotated[str, Meta(description="Article number.", examples=["85123A"])]
ArticleName = Annotated[str, Meta(examples=["WHITE HANGING HEART T-LIGHT HOLDER"])]
Currency = Annotated[str, Meta(description="ISO 4217 code.", examples=["CNY"])]
Fen = Annotated[int, Meta(examples=[153000])]

Qualifying = Annotated[
    bool, Meta(description="Whether buying it makes a distributor under plans that require a qualifying purchase.")
]
Earns = Annotated[bool, Meta(description="Whether rewards are measured on it.")]
