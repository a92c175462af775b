"""The bank file and the bank's answer to it: both layouts, as banks and spreadsheets write them."""

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.errors import InvalidError
from cardstock.flows import paying_out_wiring
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.channels.bank_file import BankFile
from cardstock.payouts.channels.layouts import LAYOUTS, Layout
from cardstock.payouts.channels.results_file import read_results
from cardstock.payouts.lines import Line, new_line
from cardstock.payouts.model import Batch, Rules
from cardstock.payouts.opening import Opener, open_batch
from cardstock.payouts.payees import Balance, BankTarget
from cardstock.payouts.periods import Period
from tests.house.cloud import Cloud, forget_factories
from tests.people.finance import CARD, FIRST, PAYOUT, Finance

HEADERS = {layout.id: {field: header for header, field in layout.columns} for layout in LAYOUTS.values()}


def batch(layout: str = "utf8") -> Batch:
    rules = Rules(1_000, "bank_file", 10, "labour", "labour-2019", bank_layout=layout)
    return Batch(PAYOUT, Period("2026-11"), "sending", rules, "schedule", FIRST)


def line(index: int, name: str, net: int, branch: str = "支行") -> Line:
    bank = BankTarget("bac_1", name, "**** 7894", "银行", branch, "x", "1")
    made = new_line(batch(), Balance(f"mem_{index}", net + 5))
    return replace(made, status="sent", gross=net + 5, tax=5, net=net, name=name, account=bank.masked, bank=bank)


NAMES = st.text(
    st.sampled_from("王小明欧阳娜吾买尔·𠮷Ana ,\"'\n\t\r\u202e\u200b\x00\u3000=-@"), min_size=1, max_size=12
).filter(lambda name: any(character.isalpha() for character in name))


@given(
    st.lists(st.tuples(NAMES, st.integers(1, 10**12), NAMES), min_size=1, max_size=5),
    st.sampled_from(list(LAYOUTS.values())),
)
def test_every_row_is_a_line_of_the_batch_on_one_line(payees: Sequence[tuple[str, int, str]], layout: Layout) -> None:
    lines = [line(index, name, net, branch) for index, (name, net, branch) in enumerate(payees)]
    document = BankFile(lambda member, _: f"{CARD}{member[-1]}").document(batch(layout.id), lines)
    assert document is not None
    text = document.content.decode(layout.encoding)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    header = {field: at for at, (_, field) in enumerate(layout.columns)}

    assert rows[0] == [name for name, _ in layout.columns]
    assert len(text.splitlines()) == len(rows) == len(lines) + 1
    assert [row[header["number"]] for row in rows[1:]] == [f"{CARD}{one.member[-1]}" for one in lines]
    assert [Decimal(row[header["amount"]]) * 100 for row in rows[1:]] == [one.net for one in lines]
    assert all(row[header["amount"]][-3] == "." for row in rows[1:])
    assert [row[header["reference"]] for row in rows[1:]] == [one.number for one in lines]
    assert not any(":" in row[header["number"]] for row in rows)


def answer(
    rows: Sequence[Mapping[str, str]], layout: str = "utf8", encoding: str = "utf-8-sig", *, before: str = "",
    after: str = "",
) -> bytes:  # fmt: skip
    """A bank's answer to rows of its file: the same columns and what became of each."""
    text = io.StringIO(newline="")
    names = HEADERS[layout]
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow([*names.values(), "处理结果", "失败原因"])
    writer.writerows([*(row.get(field, "") for field in names), row["result"], row.get("reason", "")] for row in rows)
    return (before + text.getvalue() + after).encode(encoding)


def row(transfer: str, net: str, result: str = "成功", **other: str) -> dict[str, str]:
    return {"reference": transfer, "amount": net, "holder": "张伟", "number": CARD, "result": result, **other}


@pytest.fixture
def sent(finance: Finance) -> list[dict[str, Any]]:
    """Two transfers on their way: 4 200.00 and 50.00."""
    for index, fen in ((1, 500_000), (2, 5_000)):
        finance.member(index, fen)
    finance.sent()
    return sorted(finance.lines().values(), key=lambda found: -found["net_fen"])


@pytest.mark.parametrize(
    ("layout", "encoding"), [("utf8", "utf-8-sig"), ("utf8", "utf-8"), ("gbk", "gbk"), ("utf8", "gbk")]
)
def test_a_bank_s_answer_settles_the_payout(
    finance: Finance, sent: list[dict[str, Any]], layout: str, encoding: str
) -> None:
    rows = [
        row(sent[0]["number"], "4,200.00", number="****7894", holder=" 张 伟"),
        row(f'="{sent[1]["number"]}"', "￥50.00", "退票", reason="账号户名不符", number=f"'{CARD}"),
    ]
    content = answer(rows, layout, encoding, before="某银行代发回盘\r\n\r\n", after="合计,2,,,,4250.00\r\n")
    status, taken = finance.bring_file(content)
    finance.drain()
    again = finance.bring_file(content, media="application/octet-stream")

    assert (status, taken["recorded"]) == (202, 2)
    assert finance.payout()["status"] == "settled"
    assert {found["status"] for found in finance.lines().values()} == {"paid", "failed"}
    assert finance.lines()[sent[1]["member_id"]]["reason"] == "账号户名不符"
    assert (again[0], again[1]["recorded"], again[1]["repeated"]) == (202, 0, 2)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"result": "处理中"}, "RESULT_UNKNOWN"),
        ({"result": ""}, "RESULT_UNKNOWN"),
        ({"amount": "50.001"}, "AMOUNT_INVALID"),
        ({"amount": "5E1"}, "AMOUNT_INVALID"),
        ({"amount": "-50.00"}, "AMOUNT_INVALID"),
        ({"holder": ""}, "HOLDER_MISSING"),
        ({"reference": ""}, "TRANSFER_MISSING"),
        ({"reference": "2026"}, "TRANSFER_UNKNOWN"),
        ({"reference": "202611" + "0" * 26}, "TRANSFER_UNKNOWN"),
        ({"amount": "50.01"}, "AMOUNT_DIFFERS"),
        ({"holder": "王芳"}, "HOLDER_DIFFERS"),
        ({"number": "6222021234567895"}, "ACCOUNT_DIFFERS"),
        ({"number": "6.22202E+15"}, "ACCOUNT_DIFFERS"),
    ],
)
def test_one_row_that_is_not_right_refuses_the_whole_file_by_its_number(
    finance: Finance, cloud: Cloud, sent: list[dict[str, Any]], changed: dict[str, str], code: str
) -> None:
    before = cloud.state()
    rows = [row(sent[0]["number"], "4200.00"), row(sent[1]["number"], "50.00") | changed]
    status, problem = finance.bring_file(answer(rows), part=True)

    assert status == 400
    assert [(found["pointer"], found["code"]) for found in problem["errors"]] == [("#row=3", code)]
    assert cloud.state() == before


@pytest.mark.parametrize(
    ("changed", "zh", "en", "expected", "given"),
    [
        (
            {"result": "处理中"},
            "第 3 行：处理结果“处理中”无法识别，应为：成功、",
            "Row 3: The result “处理中” is not understood.",
            "成功, ",
            "处理中",
        ),
        ({"amount": "5E1"}, "第 3 行：“5E1”不是金额", "Row 3: “5E1” is no amount", "yuan", "5E1"),
        (
            {"amount": "50.01"},
            "第 3 行：金额为 50.01 元，应为 50.00 元。",
            "Row 3: The amount is 50.01 yuan, expected is 50.00 yuan.",
            "50.00 yuan",
            "50.01 yuan",
        ),
        (
            {"amount": "1.00", "result": "失败"},
            "第 3 行：金额为 1.00 元，应为 50.00 或 0.00 元。",
            "Row 3: The amount is 1.00 yuan, expected is 50.00 or 0.00 yuan.",
            "50.00 or 0.00 yuan",
            "1.00 yuan",
        ),
        (
            {"holder": "王芳"},
            "第 3 行：户名为“王芳”，应为“张伟”。",
            "Row 3: The holder is “王芳”, expected is “张伟”.",
            "张伟",
            "王芳",
        ),
        ({"holder": ""}, "第 3 行：缺少户名。", "Row 3: The holder is missing.", None, None),
        (
            {"number": "6222021234567895"},
            "第 3 行：账号（尾号 7895）不符，应为尾号 7894。",
            "Row 3: The account is one that ends in 7895, expected is one that ends in 7894.",
            "one that ends in 7894",
            "one that ends in 7895",
        ),
        (
            {"number": "6.22202E+15"},
            "第 3 行：账号（6.22202E+15）不符，",
            "Row 3: The account is 6.22202E+15,",
            "one that ends in 7894",
            "6.22202E+15",
        ),
        (
            {"reference": ""},
            "第 3 行：缺少转账单号，应为32 位字母和数字。",
            "Row 3: The transfer number is missing: 32 letters and digits.",
            "32 letters",
            None,
        ),
        (
            {"reference": "2026"},
            "第 3 行：2026 不是本批次已发送的转账单号。",
            "Row 3: 2026 is not the number of a transfer that this payout has sent.",
            None,
            "2026",
        ),
    ],
)
def test_each_fault_of_a_row_has_a_sentence_with_what_is_expected_and_given(
    finance: Finance, sent: list[dict[str, Any]], changed: dict[str, str], zh: str, en: str, expected: str | None,
    given: str | None,
) -> None:  # fmt: skip
    rows = [row(sent[0]["number"], "4200.00"), row(sent[1]["number"], "50.00") | changed]
    [chinese] = finance.bring_file(answer(rows), part=True)[1]["errors"]
    [english] = finance.bring_file(answer(rows), part=True, language="en")[1]["errors"]

    assert chinese["detail"].startswith(zh)
    assert english["detail"].startswith(en)
    assert (chinese["row"], english.get("given")) == (3, given)
    assert english.get("expected", "").startswith(expected or "")
    assert ("expected" in english) == (expected is not None)
    assert "text" not in english


def test_a_transfer_that_a_file_leaves_out_or_names_twice_is_named_with_its_money_and_its_rows(
    finance: Finance, sent: list[dict[str, Any]]
) -> None:
    one, other = (found["number"] for found in sent)
    first = row(one, "4200.00")
    [short] = finance.bring_file(answer([first]), language="en")[1]["errors"]
    [twice] = finance.bring_file(answer([first, first, row(other, "50.00")]), language="en")[1]["errors"]
    [against] = finance.bring_file(answer([first, first | {"result": "失败"}]), part=True)[1]["errors"]

    assert short["detail"] == f"No row has the result of transfer {other} (张伟, 50.00 yuan)."
    assert twice["detail"] == f"Row 3: The transfer {one} stands twice: it is in row 2 already."
    assert against["detail"] == f"第 3 行：转账单号 {one} 重复，第 2 行已有该笔。"


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ("", "The file is empty."),
        ("\r\n,,\r\n", "The file is empty."),
        (
            "\r\n银行回盘,11月\r\n",
            "Row 2: No header stands in the first 20 rows. It has 转账单号 (transfer number), 处理结果 (result), "
            "金额 (amount), 户名 (holder); this row is: 银行回盘 | 11月.",
        ),
        ("转账单号,处理结果,金额,户名\r\n", "No row stands below the header."),
        (
            "转账单号,处理结果,户名\r\n",
            "Row 1: The header lacks a column: 金额 (amount). It has: 转账单号 | 处理结果 | 户名.",
        ),
        ('转账单号,处理结果,金额,户名\r\n"x', "This is not valid CSV: a quotation mark may have no end."),
        ("转账单号,处理结果,金额,户名\r\n\ufffd", "The encoding is neither UTF-8 nor GBK."),
    ],
)
def test_a_file_that_is_not_understood_says_why(
    finance: Finance, sent: list[dict[str, Any]], content: str, detail: str
) -> None:
    status, problem = finance.bring_file(content.encode(), language="en")

    assert status == 400
    assert [found["detail"] for found in problem["errors"]] == [detail]
    assert problem["detail"] == "The results file is not understood (faults: 1); none of its results was recorded."


def test_a_file_that_leaves_transfers_out_or_names_one_twice_is_refused(
    finance: Finance, cloud: Cloud, sent: list[dict[str, Any]]
) -> None:
    before = cloud.state()
    one = row(sent[0]["number"], "4200.00")
    short, twice = finance.bring_file(answer([one])), finance.bring_file(answer([one, one]))
    state = cloud.state()
    part = finance.bring_file(answer([one]), part=True)

    assert [(found["pointer"], found["code"]) for found in short[1]["errors"]] == [
        (f"#transfer={sent[1]['number']}", "TRANSFER_MISSING")
    ]
    assert [(found["pointer"], found["code"]) for found in twice[1]["errors"]] == [("#row=3", "TRANSFER_TWICE")]
    assert state == before
    assert (part[0], part[1]["recorded"]) == (202, 1)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "HEADER_MISSING"),
        ("你好\r\n".encode(), "HEADER_MISSING"),
        ("转账单号,处理结果\r\n".encode(), "COLUMN_MISSING_AMOUNT"),
        ("转账单号,处理结果,金额,户名\r\n".encode(), "NO_ROWS"),
        ("转账单号,处理结果,金额,户名\r\n\ufffd".encode(), "ENCODING"),
        (b"\xff\xfe\x00\x01", "ENCODING"),
        ('转账单号,处理结果,金额,户名\r\n"x'.encode(), "CSV"),
    ],
)
def test_what_is_no_answer_of_a_bank_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(InvalidError) as found:
        read_results(content, "stf_1", FIRST)

    assert found.value.code == "RESULTS_FILE_INVALID"
    assert code in [pointer.code for pointer in found.value.pointers]


@given(st.binary(max_size=300))
def test_no_bytes_are_an_error_of_ours(content: bytes) -> None:
    with pytest.raises(InvalidError):
        read_results(content, "stf_1", FIRST)


def test_the_layout_is_the_one_of_the_opening(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 500_000)
    rules = replace(paying_out_wiring.payout_rules(Period("2026-11")), bank_layout="gbk")
    open_batch(Period("2026-11"), Opener("schedule"), rules, payouts_wiring.payouts())
    payouts_wiring.request_step(PAYOUT)
    finance.drain()
    finance.approve()
    finance.drain()
    content = cloud.s3.get_object(Bucket="reports", Key=f"payouts/{PAYOUT}/transfers.csv")["Body"].read()
    rows = list(csv.reader(io.StringIO(content.decode("gbk"))))

    assert rows[0] == ["序号", "账号", "户名", "金额", "开户行", "开户网点", "摘要", "业务参考号"]
    assert rows[1][1:6] == [CARD, "张伟", "4200.00", "中国工商银行", "杭州西湖支行"]


def test_whole_numbers_are_only_for_those_who_bring_the_file(finance: Finance) -> None:
    finance.member(1, 500_000)
    finance.sent()
    path = f"/v1/payouts/{PAYOUT}/report"
    names = {
        scope: [found["name"] for found in finance.call("GET", path, token=finance.key("x", *scopes))[1]["files"]]
        for scope, scopes in {"read": ("payouts:read",), "settle": ("payouts:read", "payouts:settle")}.items()
    }

    assert {scope: [name for name in found if "draft" not in name] for scope, found in names.items()} == {
        "read": [],
        "settle": ["transfers.csv"],
    }


def test_a_process_that_has_just_started_reads_the_accounts_for_the_file(finance: Finance) -> None:
    finance.member(1, 50_000)
    finance.tick()
    finance.drain()
    assert finance.approve()[0] == 200
    forget_factories()
    finance.drain()

    assert [row[HEADERS["utf8"]["number"]] for row in finance.bank_rows()] == [CARD]
