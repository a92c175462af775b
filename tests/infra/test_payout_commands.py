"""`payout report` and `payout reconcile`: what they say of a payout, and that they find what somebody has changed."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cardstock.ledger.store import LedgerItem
from cardstock.payouts.answer_store import AnswersItem
from cardstock.payouts.line_store import LineItem
from infra.commands.cli import app
from tests.house.cloud import Cloud
from tests.people.finance import PAYOUT, Finance, member_id


@pytest.fixture(autouse=True)
def payees(finance: Finance) -> None:
    finance.member(1, 500_000)
    finance.member(2, 60_000)


@pytest.fixture
def settled(finance: Finance) -> Finance:
    finance.sent()
    finance.results({"number": finance.lines()[member_id(2)]["number"], "result": "failed"}, others=True)
    assert not finance.drain()
    return finance


def command(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, ["payout", *arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def number_of(finance: Finance, index: int) -> str:
    return str(finance.lines()[member_id(index)]["number"])


def test_a_settled_payout_has_the_files_that_were_recorded_and_gives_them_again(settled: Finance, cloud: Cloud) -> None:
    before = cloud.state()
    status, told = command("report", PAYOUT, "--again")

    assert (status, told["status"], told["good"]) == (0, "settled", True)
    assert {name: total["lines"] for name, total in told["totals"].items()} == {"paid": 1, "failed": 1}
    assert {file["name"]: (file["stored"], file.get("again")) for file in told["files"]} == {
        "draft.xlsx": ("same", None), "draft.csv": ("same", None), "transfers.csv": ("same", None),
        "report.xlsx": ("same", "same"), "lines.csv": ("same", "same"),
        "cover.pdf": ("same", "same"),
    }  # fmt: skip
    assert cloud.state() == before


def test_a_file_that_is_another_one_or_gone_is_named(settled: Finance, cloud: Cloud) -> None:
    cloud.s3.put_object(Bucket="reports", Key=f"payouts/{PAYOUT}/lines.csv", Body=b"other")
    cloud.s3.delete_object(Bucket="reports", Key=f"payouts/{PAYOUT}/cover.pdf")
    status, told = command("report", PAYOUT)
    shown = CliRunner().invoke(app, ["payout", "report", PAYOUT])

    assert (status, told["good"]) == (1, False)
    assert [file["stored"] for file in told["files"]] == ["same", "same", "same", "same", "differs", "missing"]
    assert shown.exit_code == 1
    assert "differs" in shown.stdout
    assert "payouts/pay_202611/cover.pdf" in shown.stdout


def test_a_payout_that_is_not_settled_has_no_report_yet(finance: Finance) -> None:
    finance.sent()
    status, told = command("report", PAYOUT)

    assert (status, told["status"], told["good"]) == (1, "sending", False)
    assert [file["name"] for file in told["files"]] == ["draft.xlsx", "draft.csv", "transfers.csv"]
    assert "not settled" in CliRunner().invoke(app, ["payout", "report", PAYOUT]).stdout


def test_books_that_agree_are_told_with_their_sums(settled: Finance, cloud: Cloud) -> None:
    before = cloud.state()
    status, told = command("reconcile", PAYOUT)
    shown = CliRunner().invoke(app, ["payout", "reconcile", PAYOUT])

    assert (status, told["closes"], told["differences"], told["pending"]) == (0, True, [], 0)
    assert told["ledger"] == told["batch"] == told["channel"]
    assert told["ledger"] == {
        "lines": 2, "claimed_fen": 560_000, "paid_fen": 420_000, "tax_fen": 80_000, "returned_fen": 60_000,
    }  # fmt: skip
    assert (shown.exit_code, "the books agree" in shown.stdout) == (0, True)
    assert cloud.state() == before


def test_each_line_on_which_a_book_was_changed_is_named_with_what_each_book_says(settled: Finance) -> None:
    paid, failed = number_of(settled, 1), number_of(settled, 2)
    LineItem(PAYOUT, f"line#{paid}").update([LineItem.net.set(430_000), LineItem.tax.set(70_000)])
    booked = LedgerItem.get(f"payout-failed.{failed}")
    booked.delete()
    status, told = command("reconcile", PAYOUT)
    shown = CliRunner().invoke(app, ["payout", "reconcile", PAYOUT])
    differences = {found["number"]: found for found in told["differences"]}

    assert (status, told["closes"], shown.exit_code) == (1, False, 1)
    assert {number: found["code"] for number, found in differences.items()} == {paid: "TAX", failed: "OUTCOME"}
    assert differences[paid]["ledger"] == "claimed 500000 paid 420000 tax 80000 returned 0"
    assert differences[paid]["batch"] == "paid gross 500000 tax 70000 net 430000"
    assert differences[failed]["channel"] == "failed"
    for number, found in differences.items():
        assert f"{found['code']} {number}" in shown.stdout


def test_what_the_channel_says_of_a_number_that_nobody_sent_is_named(settled: Finance) -> None:
    AnswersItem(pk=PAYOUT, sk=f"answer#{'0' * 32}", answers=[["paid", 1, "bank", None, 1]], said=1).save()
    status, told = command("reconcile", PAYOUT)

    assert status == 1
    assert [(found["number"], found["code"]) for found in told["differences"]] == [("0" * 32, "UNLISTED")]


def test_lines_in_flight_differ_and_lines_that_wait_are_counted(finance: Finance) -> None:
    finance.tick()
    finance.drain()
    waiting = command("reconcile", PAYOUT)
    finance.approve()
    finance.drain()
    in_flight = command("reconcile", PAYOUT)

    assert (waiting[0], waiting[1]["pending"], waiting[1]["closes"]) == (0, 2, True)
    assert (in_flight[0], in_flight[1]["pending"]) == (1, 0)
    assert {found["code"] for found in in_flight[1]["differences"]} == {"UNANSWERED"}


@pytest.mark.parametrize("name", ["report", "reconcile"])
def test_a_payout_that_does_not_exist_is_told_apart_from_one_that_differs(finance: Finance, name: str) -> None:
    done = CliRunner().invoke(app, ["payout", name, "pay_202611"])

    assert done.exit_code == 2
    assert "there is no payout pay_202611" in done.stderr


def test_for_people_the_commands_print_yuan_in_their_language(settled: Finance) -> None:
    chinese = CliRunner().invoke(app, ["--language", "zh", "payout", "report", PAYOUT], env={"COLUMNS": "100"})
    books = CliRunner().invoke(app, ["--language", "zh", "payout", "reconcile", PAYOUT], env={"COLUMNS": "100"})
    english = CliRunner().invoke(app, ["--language", "en", "payout", "report", PAYOUT], env={"COLUMNS": "100"})

    assert "已结清" in chinese.stdout
    assert "5,000.00" in chinese.stdout
    assert "三本账一致" in books.stdout
    assert "yuan, by status" in english.stdout
