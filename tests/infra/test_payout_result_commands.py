"""`payout results`, `close` and `preview`: they act as the person of a key, through the real API's function."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from typer.testing import CliRunner

from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.channels.sandbox import SandboxTransfers
from infra.commands import staff_api
from infra.commands.cli import app
from tests.house.cloud import Cloud, http_event, serve
from tests.people.finance import PAYOUT, Finance

HEADER = "转账单号,户名,金额,处理结果,失败原因"


class Gateway(httpx.BaseTransport):
    """Passes requests on to the functions as the gateway does."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.host}{request.url.path}")
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        event = http_event(
            request.method, request.url.path, token=request.headers["Authorization"].removeprefix("Bearer "),
            query=query or None, headers={name.title(): value for name, value in request.headers.items()},
        )  # fmt: skip
        if content := request.read():
            event |= {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}
        answer = serve(event)
        return httpx.Response(answer["statusCode"], content=answer["body"])


@pytest.fixture
def gateway(finance: Finance, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    made = Gateway()
    staff_api.set_transport(made)
    monkeypatch.setenv("CARDSTOCK_KEY", finance.clerk)
    monkeypatch.setenv("CARDSTOCK_STAFF_API", "http://staff.example/")
    yield made
    staff_api.set_transport(None)


def run(*arguments: str, language: str = "en") -> tuple[int, str]:
    done = CliRunner().invoke(app, ["--language", language, "payout", *arguments], env={"COLUMNS": "120"})
    # The functions run in this process, and write their figures where the command writes.
    lines = [line for line in done.stdout.splitlines(keepends=True) if not line.startswith('{"_aws"')]
    return done.exit_code, "".join(lines) + done.stderr


def bank_file(finance: Finance, folder: Path, *, encoding: str = "utf-8", **other: str) -> Path:
    """The bank's answer: everything was paid, unless it says otherwise of the first row."""
    rows = [
        {
            "转账单号": row["转账单号"],
            "户名": row["收款人户名"],
            "金额": row["金额(元)"],
            "处理结果": "成功",
            "失败原因": "",
        }
        for row in finance.bank_rows()
    ]
    rows[0] |= other
    text = "\r\n".join([HEADER, *(",".join(row.values()) for row in rows)])
    found = folder / "results.csv"
    found.write_bytes(text.encode(encoding))
    return found


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_banks_file_settles_the_payout(finance: Finance, gateway: Gateway, tmp_path: Path, encoding: str) -> None:
    finance.member(1, 500_000)
    finance.member(2, 60_000)
    finance.sent()
    file = str(bank_file(finance, tmp_path, encoding=encoding))
    first, second = run("results", PAYOUT, file), run("results", PAYOUT, file, language="zh")
    assert not finance.drain()

    assert first == (0, "pay_202611: 2 results recorded, 0 known before\n")
    assert second == (0, "pay_202611：记录 0 笔，重复 2 笔\n")
    assert finance.payout()["status"] == "settled"
    assert set(gateway.asked) == {"POST staff.example/v1/payouts/pay_202611/results"}


def test_each_row_that_differs_is_named_and_nothing_is_recorded(
    finance: Finance, cloud: Cloud, gateway: Gateway, tmp_path: Path
) -> None:
    finance.member(1, 500_000)
    finance.member(2, 60_000)
    finance.sent()
    before = cloud.state()
    status, said = run("results", PAYOUT, str(bank_file(finance, tmp_path, 金额="1.00", 户名="李明")))
    _, chinese = run("results", PAYOUT, str(bank_file(finance, tmp_path, 处理结果="也许")), language="zh")

    assert status == 1
    assert said.splitlines()[0].startswith("RESULTS_DIFFER ")
    assert "row 2: another holder than was sent (HOLDER_DIFFERS)" in said
    assert "row 2: another amount than was sent (AMOUNT_DIFFERS)" in said
    assert "李明 | 1.00" in said
    assert "第 2 行: 无法识别的处理结果 (RESULT_UNKNOWN)" in chinese
    assert cloud.state() == before


def test_a_part_of_the_file_needs_its_option(finance: Finance, gateway: Gateway, tmp_path: Path) -> None:
    finance.member(1, 500_000)
    finance.member(2, 60_000)
    finance.sent()
    file = bank_file(finance, tmp_path)
    file.write_text("\n".join(file.read_text("utf-8").splitlines()[:2]), "utf-8")
    whole, part = run("results", PAYOUT, str(file)), run("results", PAYOUT, str(file), "--part")

    assert (whole[0], "no result for this transfer (TRANSFER_MISSING)" in whole[1]) == (1, True)
    assert part == (0, "pay_202611: 1 results recorded, 0 known before\n")


def test_the_approver_brings_no_results(
    finance: Finance, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finance.member(1, 500_000)
    finance.sent()
    monkeypatch.setenv("CARDSTOCK_KEY", finance.token)
    status, said = run("results", PAYOUT, str(bank_file(finance, tmp_path)))

    assert (status, said.split()[0]) == (1, "RESULTS_BY_APPROVER")


def test_without_a_key_or_an_answer_nothing_is_known(
    finance: Finance, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "results.csv"
    missing = run("results", PAYOUT, str(file))
    file.write_text(HEADER, "utf-8")

    def down(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    staff_api.set_transport(httpx.MockTransport(down))
    unanswered = run("results", PAYOUT, str(file))
    staff_api.set_transport(httpx.MockTransport(lambda _: httpx.Response(502, content=b"<html>")))
    strange = run("results", PAYOUT, str(file))
    monkeypatch.delenv("CARDSTOCK_KEY")
    keyless = run("results", PAYOUT, str(file))

    assert [status for status, _ in (missing, unanswered, strange, keyless)] == [2, 2, 2, 2]
    assert "ConnectError refused" in unanswered[1]
    assert "HTTP 502" in strange[1]
    assert "CARDSTOCK_KEY is not set" in keyless[1]


def test_the_preview_is_read_to_its_end(finance: Finance, gateway: Gateway) -> None:
    for index in range(1, 4):
        finance.member(index, 50_000)
    finance.member(4, 500)
    status, said = run("preview", "--json")
    chinese = run("preview", language="zh")
    shown: dict[str, Any] = json.loads(said)

    assert status == 0
    assert (shown["period"], shown["listed"], shown["listed_fen"]) == ("2026-11", 3, 150_000)
    assert shown["complete"]
    assert "将列入 3 人，共 1,500.00 元" in chinese[1]
    assert "低于最低发放额" in chinese[1]


def test_a_preview_without_the_right_is_refused(
    finance: Finance, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARDSTOCK_KEY", finance.key("Reader of orders", "orders:fulfil"))
    status, said = run("preview")

    assert (status, said.split()[0]) == (1, "SCOPE_MISSING")


def test_close_ends_the_retries_of_a_payout_whose_transfers_are_final(finance: Finance, gateway: Gateway) -> None:
    payouts_wiring.set_transfer_transport(None)
    channel = payouts_wiring.transfer_channel("sandbox")
    assert isinstance(channel, SandboxTransfers)
    channel.script = lambda _: "slow"
    finance.member(1, 500_000)
    finance.sent_through("sandbox")
    early = run("close", PAYOUT)
    channel.script = lambda _: "failed"
    finance.poll(hours=1)
    until = finance.payout()["retry_until"]
    report, first = run("report", PAYOUT), run("close", PAYOUT)
    ended = finance.payout()
    second, as_json = run("close", PAYOUT, language="zh"), run("close", PAYOUT, "--json")
    assert not finance.drain()

    assert (early[0], early[1].split()[0]) == (1, "PAYOUT_NOT_FINAL")
    assert f"failed transfers can be retried until {until}" in report[1]
    by, at = ended["retries_ended_by"], ended["retries_ended_at"]
    assert first == (0, f"pay_202611: {by} ended the retries at {at}\n")
    assert second == (0, f"pay_202611：{by} 于 {at} 结束重试\n")
    assert json.loads(as_json[1])["retries_ended_at"] == at
    assert finance.payout()["status"] == "settled"


def test_close_of_a_payout_that_had_nothing_to_retry_says_so(
    finance: Finance, gateway: Gateway, tmp_path: Path
) -> None:
    finance.member(1, 500_000)
    finance.sent()
    run("results", PAYOUT, str(bank_file(finance, tmp_path)))
    finance.drain()

    assert run("close", PAYOUT) == (0, "pay_202611: it was closed already\n")


def test_the_help_says_which_payouts_can_be_retried() -> None:
    shown = CliRunner().invoke(app, ["payout", "--help"], env={"COLUMNS": "400"}).output

    assert "A payout by bank file has no such time" in " ".join(shown.split())
