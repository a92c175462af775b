"""Layouts of bank files as data: which columns, in which order, under which names, in which encoding.

A layout is what a bank's payroll service (代发) takes. The brand's setting chooses one when a payout is opened. The
bank answers with the same columns and the result of each row; `results_file` reads both.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

Field: TypeAlias = Literal["index", "holder", "number", "bank", "branch", "amount", "remark", "reference"]


class Layout(msgspec.Struct, frozen=True):
    """A bank file: CSV with a header, CRLF."""

    id: str
    encoding: Literal["utf-8-sig", "gb18030"]
    """`utf-8-sig` begins with a byte-order mark; `gb18030` is GBK for every character that GBK has."""
    columns: tuple[tuple[str, Field], ...]
    """The header of each column, and what stands below it."""


LAYOUTS: Final[Mapping[str, Layout]] = {
    layout.id: layout
    for layout in (
        Layout(
            "utf8",
            "utf-8-sig",
            (
                ("序号", "index"),
                ("收款人户名", "holder"),
                ("收款账号", "number"),
                ("开户银行", "bank"),
                ("开户支行", "branch"),
                ("金额(元)", "amount"),
                ("附言", "remark"),
                ("转账单号", "reference"),
            ),
        ),
        Layout(
            "gbk",
            "gb18030",
            (
                ("序号", "index"),
                ("账号", "number"),
                ("户名", "holder"),
                ("金额", "amount"),
                ("开户行", "bank"),
                ("开户网点", "branch"),
                ("摘要", "remark"),
                ("业务参考号", "reference"),
            ),
        ),
    )
}


def layout_of(name: str) -> Layout:
    """The layout of a batch; batches from before there was a choice have the first one."""
    return LAYOUTS[name or "utf8"]
