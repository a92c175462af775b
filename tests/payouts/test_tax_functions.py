"""Tax through the functions: a person's certificate data, and the quarter's file for the tax finance."""

import csv
import hashlib
import io
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace
from openpyxl import load_workbook

from cardstock import environment
from cardstock.bank_accounts import wiring as bank_accounts_wiring
from cardstock.clock import rfc3339
from cardstock.flows import paying_out_wiring
from cardstock.members.item_store import MemberItem
from cardstock.members.model import Person
from cardstock.members.store import DynamoMembers
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.opening import Opener, open_batch
from cardstock.payouts.periods import Period, batch_id
from functions.payouts.nightly_tax import app as nightly
from functions.payouts.tax_api import app as api
from tests.house.cloud import ROOT, Cloud, Context, http_event
from tests.house.payloads import function_of
from tests.people.finance import FIRST, Finance, member_id
from tests.people.tokens import access_token

AFTER = Period("2027-01").ends
EVENTS = sorted((ROOT / "events").glob("payouts/tax_api/*.json")) + sorted(
    (ROOT / "events").glob("payouts/nightly_tax/*.json")
)
REFUSALS = {
    "bad_own_year_is_a_word": (404, "NOT_FOUND"),
    "bad_own_year_with_a_key": (403, "NOT_A_MEMBER"),
    "bad_certificate_of_a_stranger": (404, "NOT_FOUND"),
    "bad_quarters_as_a_member": (403, "NOT_A_KEY"),
}


def verify(member: str, name: str = "张伟", number: str = "00$one") -> None:
    person = Person(name, "1****************2", number, date(1990, 5, 5), "dev", FIRST)
    DynamoMembers().add_person(member, person)
    held = bank_accounts_wiring.accounts().find_holding(member)
    if held.current is not None:
        own = replace(held.current, holder=name)
        bank_accounts_wiring.accounts().replace(replace(held, current=own))


def pay(finance: Finance, period: Period, *, failed: str = "", settle: bool = True) -> None:
    """One month from opening to its end, as income of this month; the transfer of the member `failed` fails."""
    payout = batch_id(period)
    finance.clock.set(period.ends + timedelta(hours=3))
    rules = replace(paying_out_wiring.payout_rules(period), channel="bank_file", tax_month="earned")
    open_batch(period, Opener("schedule"), rules, payouts_wiring.payouts())
    finance.advance(payout, only_csv=True)
    finance.approve_as("stf_li", payout)
    while finance.advance(payout, only_csv=True):
        pass
    lines = list(payouts_wiring.payouts().lines_of_batch(payout))
    if settle and lines:
        finance.results(
            *({"number": one.number, "result": "failed" if one.member == failed else "paid"} for one in lines),
            payout=payout,
        )
        finance.advance(payout, only_csv=True)


def a_quarter(finance: Finance) -> tuple[str, str, str]:
    """October to December: one person with two accounts, and another one, who fails once."""
    first, second, other = (finance.member(index, verified=False) for index in (1, 2, 3))
    verify(first)
    verify(second)
    verify(other, "=李明", "00$two")
    for month, amounts in enumerate(((60_000, 40_000, 500_000), (0, 50_000, 0), (90_000, 0, 100_000)), 10):
        finance.clock.set(Period(f"2026-{month}").starts + timedelta(days=20))
        for member, fen in zip((first, second, other), amounts, strict=True):
            if fen:
                finance.earn(member, fen)
        pay(finance, Period(f"2026-{month}"), failed=other if month == 10 else "")
    return first, second, other


def tick(at: datetime = AFTER) -> dict[str, Any]:
    return nightly.handler({"scheduled_at": rfc3339(at)}, Context())


def get(path: str, token: str, resource: str = "") -> tuple[int, Any]:
    answer = api.handler(http_event("GET", path, None, resource=resource or path, token=token), Context())
    return answer["statusCode"], json.loads(answer["body"])


def year_of(member: str, finance: Finance, year: str = "2026") -> tuple[int, Any]:
    return get(f"/v1/tax/members/{member}/{year}", finance.token, "/v1/tax/members/{member_id}/{year}")


def stored(finance: Finance, key: str) -> bytes:
    content: bytes = finance.cloud.s3.get_object(Bucket=environment.text("REPORTS_BUCKET"), Key=key)["Body"].read()
    return content


def test_a_quarter_is_written_once_it_is_settled_and_never_again(finance: Finance) -> None:
    a_quarter(finance)
    early = tick(Period("2026-12").ends - timedelta(minutes=1))
    first = tick()
    before = finance.cloud.state()
    second = tick(AFTER + timedelta(days=1))
    _, listed = get("/v1/tax/quarters", finance.token)
    (quarter,) = listed["items"]

    assert (early["written"], early["waiting"]) == ([], [])
    assert (first["written"], second["written"]) == (["2026-Q4"], [])
    assert finance.cloud.state() == before
    assert (quarter["quarter"], quarter["persons"]) == ("2026-Q4", 2)
    assert quarter["income_fen"] == 60_000 + 40_000 + 50_000 + 90_000 + 500_000 + 100_000
    assert [file["name"] for file in quarter["files"]] == ["tax-2026-Q4.xlsx", "tax-2026-Q4.csv"]
    for file in quarter["files"]:
        content = stored(finance, f"tax/2026-Q4/{file['name']}")

        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert urlsplit(file["url"]).path.endswith(f"/tax/2026-Q4/{file['name']}")


def test_a_night_that_was_killed_after_the_files_writes_the_same_ones_again(finance: Finance) -> None:
    a_quarter(finance)
    tick()
    keys = ["tax/2026-Q4/tax-2026-Q4.xlsx", "tax/2026-Q4/tax-2026-Q4.csv"]
    before = [stored(finance, key) for key in keys]
    table = environment.text("PAYOUTS_TABLE")
    finance.cloud.dynamodb.delete_item(TableName=table, Key={"pk": {"S": "tax-files"}, "sk": {"S": "2026-Q4"}})
    again = tick(AFTER + timedelta(days=1))

    assert again["written"] == ["2026-Q4"]
    assert [stored(finance, key) for key in keys] == before


def test_the_file_has_every_person_s_months_and_no_formula(finance: Finance) -> None:
    a_quarter(finance)
    tick()
    content = stored(finance, "tax/2026-Q4/tax-2026-Q4.csv")
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    column = {name.split(" ")[0]: index for index, name in enumerate(header)}
    shown = {(row[column["姓名"]], row[column["月份"]]): row for row in rows}
    book = load_workbook(io.BytesIO(stored(finance, "tax/2026-Q4/tax-2026-Q4.xlsx")))

    assert content.startswith(b"\xef\xbb\xbf")
    # October of the other one failed: nothing of it is here.
    assert set(shown) == {("张伟", "2026-10"), ("张伟", "2026-11"), ("张伟", "2026-12"), ("'=李明", "2026-11"),
                          ("'=李明", "2026-12")}  # fmt: skip
    october = shown["张伟", "2026-10"]
    assert [october[column[name]] for name in ("笔数", "收入", "本月已扣", "费用", "应纳税所得额", "税率")] == [
        "2", "1000.00", "40.00", "800.00", "200.00", "20%",
    ]  # fmt: skip
    assert book.sheetnames == [
        "汇总 Summary", "人员收入 Persons", "按月扣缴 Months", "本年累计 Year to date", "控制总额 Control totals",
    ]  # fmt: skip
    assert [cell.value for cell in book["人员收入 Persons"]["A"]] == ["姓名\nName", *_names(rows, column), "合计 Total"]
    assert not [c for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"]


def _names(rows: list[list[str]], column: dict[str, int]) -> list[str]:
    return list(dict.fromkeys(row[column["姓名"]].lstrip("'") for row in rows))


def test_a_quarter_waits_for_its_last_payout_and_says_for_which(finance: Finance) -> None:
    finance.clock.set(Period("2026-11").starts)
    finance.member(1, 5_000)
    pay(finance, Period("2026-11"), settle=False)
    finance.clock.set(AFTER)
    found = tick()
    _, listed = get("/v1/tax/quarters", finance.token)

    # Nothing was paid before November, so October is not missed; December is.
    assert (found["written"], found["waiting"]) == ([], ["2026-Q4"])
    assert listed["items"] == []
    assert listed["waiting"] == [{"quarter": "2026-Q4", "payouts": ["pay_202611", "pay_202612"]}]


def test_before_the_first_payout_nothing_is_written_or_waited_for(finance: Finance) -> None:
    assert tick() == {"written": [], "waiting": []}


def test_the_year_is_a_person_s_whichever_account_asks(finance: Finance) -> None:
    first, second, other = a_quarter(finance)
    _, by_first = year_of(first, finance)
    _, by_second = year_of(second, finance)
    _, of_other = year_of(other, finance)

    assert by_first == by_second
    assert (by_first["name"], by_first["id_number"]) == ("张伟", "1****************2")
    assert [(month["period"], month["income_fen"], month["withheld_fen"]) for month in by_first["months"]] == [
        ("2026-10", 100_000, 4_000), ("2026-11", 50_000, 0), ("2026-12", 90_000, 2_000),
    ]  # fmt: skip
    assert (by_first["income_fen"], by_first["withheld_fen"]) == (240_000, 6_000)
    assert len(by_first["months"][0]["transfers"]) == 2
    assert by_first["months"][0]["source"].startswith("国家税务总局公告2018年第61号")
    assert [month["period"] for month in of_other["months"]] == ["2026-11", "2026-12"]


def own_year(member: str) -> Any:
    status, own = get("/v1/me/tax/2026", access_token(member), "/v1/me/tax/{year}")
    assert status == 200, own
    return own


FIGURES = (
    "months_in_a_row",
    "taxed_fen",
    "expense_fen",
    "allowance_fen",
    "taxable_fen",
    "rate_bps",
    "quick_fen",
    "due_fen",
)


def test_a_member_reads_the_own_payments_alone(finance: Finance) -> None:
    first, second, _ = a_quarter(finance)
    own, sibling = own_year(first), own_year(second)
    of_first = [(month["period"], month["income_fen"], month["withheld_fen"]) for month in own["months"]]
    of_second = [(month["period"], month["income_fen"], month["withheld_fen"]) for month in sibling["months"]]

    assert (own["name"], own["income_fen"]) == ("张*", 150_000)
    assert own["withheld_fen"] == own["months"][0]["withheld_fen"] + 2_000
    assert sorted((*of_first, *of_second)) == sorted([
        ("2026-10", 60_000, of_first[0][2]), ("2026-12", 90_000, 2_000),
        ("2026-10", 40_000, 4_000 - of_first[0][2]), ("2026-11", 50_000, 0),
    ])  # fmt: skip
    assert second not in json.dumps(own)
    assert "个人所得税" in own["text"]


def test_a_month_in_which_another_account_counted_has_no_figures(finance: Finance) -> None:
    """Both accounts were paid in October: the tax of the second is that of 1 000 yuan, and says so of nobody."""
    first, second, _ = a_quarter(finance)
    months = [*own_year(first)["months"], *own_year(second)["months"]]
    counted = [month for month in months if month["others_counted"]]

    assert [(month["period"], month["withheld_fen"]) for month in counted] == [("2026-10", 4_000)]
    assert all(month[name] is None for month in counted for name in FIGURES)
    assert all(month[name] is not None for month in months if month not in counted for name in FIGURES)
    assert all(month["due_fen"] == month["withheld_fen"] for month in months if month not in counted)


def test_merged_accounts_of_one_person_read_each_other(finance: Finance) -> None:
    first, second, _ = a_quarter(finance)
    MemberItem(id=first).update([MemberItem.group.set("grp_1")])
    before = own_year(first)
    MemberItem(id=second).update([MemberItem.group.set("grp_1")])
    _, whole = year_of(first, finance)
    merged = own_year(first)

    assert before["income_fen"] == 150_000
    assert [(one["period"], one["income_fen"], one["due_fen"]) for one in merged["months"]] == [
        (one["period"], one["income_fen"], one["due_fen"]) for one in whole["months"]
    ]  # fmt: skip
    assert not any(month["others_counted"] for month in merged["months"])


@pytest.mark.parametrize("more", [0, 1_000_000, 7_000_000])
def test_what_a_member_reads_depends_on_nothing_of_another_account_but_the_tax(finance: Finance, more: int) -> None:
    """The answer is a function of the own payments and of the tax that was withheld from them."""
    first, second = (finance.member(index, verified=False) for index in (1, 2))
    verify(first)
    verify(second)
    finance.clock.set(Period("2026-10").starts + timedelta(days=20))
    finance.earn(first, 90_000)
    if more:
        finance.earn(second, more)
    pay(finance, Period("2026-10"))
    own = own_year(first)
    (month,) = own["months"]
    shown = {name: value for name, value in month.items() if name in FIGURES}

    assert own["income_fen"] == month["income_fen"] == 90_000
    if month["others_counted"]:
        assert set(shown.values()) == {None}
    else:
        assert (shown["taxed_fen"], shown["due_fen"]) == (90_000, month["withheld_fen"])


def test_a_month_that_is_not_settled_is_named(finance: Finance) -> None:
    member = finance.member(1, 5_000)
    pay(finance, Period("2026-11"), settle=False)
    _, year = year_of(member, finance)
    _, next_year = year_of(member, finance, "2027")

    assert (year["months"], year["open_periods"]) == ([], ["2026-11"])
    assert (next_year["months"], next_year["open_periods"]) == ([], [])


@pytest.mark.parametrize("year", ["2000", "2099"])
def test_the_first_and_the_last_year_that_can_be_asked_for_are_told(finance: Finance, year: str) -> None:
    status, told = year_of(finance.member(1), finance, year)

    assert (status, told.get("months")) == (200, [])


@pytest.mark.parametrize("year", ["1999", "20266", "二〇二六", "2026-1", "+202"])
def test_what_is_no_year_is_not_found(finance: Finance, year: str) -> None:
    assert year_of(finance.member(1), finance, year)[0] == 404


def test_only_who_may_read_payouts_reads_tax(finance: Finance) -> None:
    token = finance.key("Wang", "orders:fulfil")

    assert get("/v1/tax/quarters", token)[0] == 403
    assert get(f"/v1/tax/members/{member_id(1)}/2026", token, "/v1/tax/members/{member_id}/{year}")[0] == 403


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{function_of(path)}/{path.stem}")
def test_every_sample_event_does_what_its_name_says(finance: Finance, path: Path) -> None:
    member = finance.member(1)
    text = path.read_text("utf-8").replace("FINANCE_KEY", finance.token).replace("MEMBER_ID", member)
    event = json.loads(text.replace("MEMBER_TOKEN", access_token(member)))
    bad = path.stem.startswith("bad_")

    if function_of(path) == "payouts/tax_api":
        answer = api.handler(event, Context())
        assert (answer["statusCode"], json.loads(answer["body"]).get("code")) == (
            REFUSALS[path.stem] if bad else (200, None)
        )
    elif bad:
        with pytest.raises(Exception, match=r"."):
            nightly.handler(event, Context())
    else:
        assert nightly.handler(event, Context()) == {"written": [], "waiting": []}


@pytest.mark.parametrize(("gap", "carries"), [("restart", False), ("carry_over", True)])
def test_method_and_gap_are_settings_of_the_brand(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, gap: str, carries: bool
) -> None:
    monkeypatch.setenv("TAX_METHOD", "platform")
    monkeypatch.setenv("TAX_GAP", gap)
    try:
        rules = paying_out_wiring.payout_rules(Period("2026-11"))
    finally:
        monkeypatch.undo()

    assert (rules.tax_method, rules.tax_table, rules.carry_over_gap) == ("platform", "platform-2025", carries)
