"""The draft report: what the approver sees before approving is what sending then does, and who is left out and why."""

import csv
import io
import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from openpyxl import load_workbook

from cardstock import environment
from cardstock.bank_accounts import wiring as bank_accounts_wiring
from cardstock.bank_accounts.model import Change, Holding
from cardstock.flows import paying_out_wiring
from cardstock.members.model import Person
from cardstock.members.store import DynamoMembers
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.drafting import draft_of
from cardstock.payouts.payees import Payee
from cardstock.payouts.periods import Period
from cardstock.payouts.report import draft_writers
from cardstock.payouts.report.draft import Draft
from cardstock.payouts.report.draft_file_writers import draft_csv, draft_workbook
from cardstock.payouts.transfer_answers import Answer
from tests.house import faults
from tests.house.cloud import Cloud
from tests.people.finance import FIRST, PAYOUT, Finance, books, member_id
from tests.people.memory_payouts import MemoryLedger, MemoryPayouts


def listed(finance: Finance) -> dict[str, Any]:
    """November's payout, opened by the schedule and listed."""
    finance.tick()
    assert not finance.drain()
    return finance.payout()


def draft(payout: str = PAYOUT) -> Draft:
    """The draft as it would be made now."""
    batch = payouts_wiring.payouts().find_batch(payout)
    assert batch is not None
    return draft_of(paying_out_wiring.payout_step(lambda: True), batch)


def drafted(finance: Finance, name: str, payout: str = PAYOUT, token: str | None = None) -> bytes:
    """A file of the draft, by the key in its link."""
    _, report = finance.call("GET", f"/v1/payouts/{payout}/report", token=token)
    (url,) = [file["url"] for file in report["files"] if file["name"] == name]
    key = urlsplit(url).path.lstrip("/").removeprefix("reports/")
    content: bytes = finance.cloud.s3.get_object(Bucket=environment.text("REPORTS_BUCKET"), Key=key)["Body"].read()
    return content


def pay(finance: Finance) -> None:
    """Approve what is listed, and have the bank pay all of it."""
    (payout,) = [batch.id for batch in payouts_wiring.payouts().batch_page(1, None)[0]]
    assert finance.approve(payout, key=f"approve-{payout}")[0] == 200
    finance.drain()
    finance.results(others=True, payout=payout)
    finance.drain()


def one_person(finance: Finance, *fen: int) -> list[str]:
    members = [finance.member(index, amount, verified=False) for index, amount in enumerate(fen, 1)]
    for member in members:
        DynamoMembers().add_person(member, Person("张伟", "1***2", "00$one", date(1990, 5, 5), "dev", FIRST))
    return members


def test_the_forecast_is_what_sending_then_does(finance: Finance) -> None:
    one_person(finance, 60_000, 40_000, 500_000)
    finance.member(9, 5_000_000, name="李明")
    shown = listed(finance)
    made = draft()
    pay(finance)
    lines = list(payouts_wiring.payouts().lines_of_batch(PAYOUT))

    assert shown["drafts"] == ["draft.xlsx", "draft.csv"]
    assert {row.name: (row.gross, row.tax, row.net) for row in made.rows} == {
        name: tuple(sum(getattr(line, what) for line in lines if line.name == name) for what in ("gross", "tax", "net"))
        for name in ("张伟", "李明")
    }
    assert [row.marks for row in made.rows] == [("first_payment",), ("first_payment", "several_members")]


def test_the_draft_is_there_before_anybody_can_approve(finance: Finance) -> None:
    finance.member(1, 500_000)
    finance.tick()
    refused = finance.call("POST", f"/v1/payouts/{PAYOUT}/approvals", {"lines": 0, "listed_fen": 0}, key="early")
    assert not finance.drain()
    book = load_workbook(io.BytesIO(drafted(finance, "draft.xlsx")))
    texts = [str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row if cell.value]

    assert refused[1]["code"] == "PAYOUT_STILL_OPENING"
    assert [name[:8] for name in book.sheetnames] == ["草稿 DRAFT"] * 4
    assert texts[0].startswith("草稿 DRAFT")
    assert any("Forecast, nothing is paid" in text for text in texts)
    assert any("2018年第61号第二、三条" in text for text in texts)
    assert any(text.startswith("2026-12 ") for text in texts)  # the month of payment
    assert finance.payout()["status"] == "open"


def test_making_the_draft_moves_nothing(finance: Finance, cloud: Cloud) -> None:
    one_person(finance, 60_000, 40_000)
    listed(finance)
    before = cloud.state()
    draft()

    assert cloud.state() == before


def test_who_is_left_out_is_named_with_the_reason(finance: Finance) -> None:
    paid = finance.member(1, 50_000)
    finance.member(2, 999)
    finance.member(3, 1)
    finance.member(4, 50_000, verified=False)
    finance.member(5, 50_000, born=date(2010, 1, 1))
    finance.member(6, -7_000)
    finance.member(7, 50_000, bank=False)
    finance.erase(finance.member(8, 50_000))
    finance.member(9, 0)
    shown = listed(finance)
    made = draft()

    assert [row.members for row in made.rows] == [(paid,)]
    assert {one.member: one.reason for one in made.left_out if one.member} == {
        member_id(4): "unverified", member_id(5): "under_age", member_id(6): "debt", member_id(7): "no_bank_account",
    }  # fmt: skip
    assert [(one.reason, one.name, one.available) for one in made.left_out if not one.member] == [
        ("erased", "1 人 members", 50_000), ("under_minimum", "2 人 members", 1_000),
    ]  # fmt: skip
    assert sum(one.available for one in made.left_out) == sum(
        reason["available_fen"] for reason in shown["left_out"].values()
    )
    by_column = columns_of(draft_csv(made))
    assert sum(by_column["挂账 Listed (CNY)"]) == shown["listed_fen"]
    assert sum(by_column["未列入金额 Left out (CNY)"]) == sum(one.available for one in made.left_out)
    # Who has too little is counted, and of whom is erased there is nothing to show.
    assert shown["left_out"] == {
        "under_minimum": {"members": 2, "available_fen": 1_000},
        "unverified": {"members": 1, "available_fen": 50_000},
        "under_age": {"members": 1, "available_fen": 50_000},
        "debt": {"members": 1, "available_fen": -7_000},
        "no_bank_account": {"members": 1, "available_fen": 50_000},
        "erased": {"members": 1, "available_fen": 50_000},
    }


def test_it_is_compared_with_the_last_payout(finance: Finance) -> None:
    stays, grows, gone = (finance.member(index, 50_000) for index in (1, 2, 3))
    listed(finance)
    pay(finance)
    finance.earn(stays, 50_000)
    finance.earn(grows, 200_000)
    new = finance.member(4, 70_000)
    finance.clock.set(Period("2026-12").ends + timedelta(hours=3))
    finance.tick()
    finance.drain()
    made = draft("pay_202612")
    rows = {row.members[0]: row for row in made.rows}

    assert (made.last, made.gone, made.gone_net) == (PAYOUT, 1, 50_000)
    assert gone not in rows
    assert (rows[stays].last_net, rows[stays].change, rows[stays].marks) == (50_000, 0, ())
    assert rows[grows].marks == ("much_more",)
    assert rows[grows].change == rows[grows].net - 50_000
    assert (rows[new].last_net, rows[new].marks) == (0, ("first_payment",))


def test_a_changed_and_a_changing_account_are_marked(finance: Finance) -> None:
    changed, changing, same = (finance.member(index, 50_000) for index in (1, 2, 3))
    listed(finance)
    pay(finance)
    for member in (changed, changing, same):
        finance.earn(member, 50_000)
    finance.clock.set(Period("2026-12").ends + timedelta(hours=3))
    accounts, now = bank_accounts_wiring.accounts(), finance.clock.now()
    for member, hours in ((changed, 73), (changing, 71)):
        holding = accounts.find_holding(member)
        assert holding.current is not None
        account = replace(holding.current, account_id="bac_2", masked="**** 0002", set_at=now - timedelta(hours=hours))
        change = Change(account, "confirmed", account.set_at + timedelta(hours=72))
        accounts.replace(Holding(member, holding.current, change, version=holding.version))
    finance.tick()
    finance.drain()
    rows = {row.members[0]: row for row in draft("pay_202612").rows}

    assert [rows[member].marks for member in (changed, changing, same)] == [
        ("account_changed",), ("account_changing",), (),
    ]  # fmt: skip
    assert rows[changed].accounts == ("**** 0002",)
    assert rows[changing].accounts == ("**** 7894",)
    assert rows[changing].changing == now + timedelta(hours=1)


def test_open_contradictions_are_shown_and_their_payees_left_out(finance: Finance) -> None:
    member, other = finance.member(1, 50_000), finance.member(2, 50_000)
    listed(finance)
    finance.approve()
    finance.drain()
    number = finance.lines()[member]["number"]
    finance.results({"number": number, "result": "failed"}, others=True)
    finance.drain()
    payouts_wiring.payouts().record_answers(PAYOUT, [Answer(number, "paid", finance.clock.now(), "bank")])
    finance.earn(other, 50_000)
    finance.clock.set(Period("2026-12").ends + timedelta(hours=3))
    finance.tick()
    finance.drain()
    made = draft("pay_202612")

    assert [(one.number, one.member, one.first, one.then) for one in made.contradictions] == [
        (number, member, "failed", "paid")
    ]
    assert {one.member: one.reason for one in made.left_out} == {member: "disputed"}
    assert finance.payout("pay_202612")["left_out"] == {"disputed": {"members": 1, "available_fen": 50_000}}


def test_a_line_that_would_be_dropped_says_so(finance: Finance) -> None:
    finance.member(1, 1_000)
    finance.clock.set(FIRST)
    listed(finance)
    finance.erase(member_id(1))
    (row,) = draft().rows

    assert (row.gross, row.net, row.dropped) == (0, 0, ("erased",))


def columns_of(content: bytes) -> dict[str, list[int]]:
    """The amounts of a CSV file in fen, by header."""
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return {
        name: [int(Decimal(row[index].lstrip("'")) * 100) for row in rows if row[index]]
        for index, name in enumerate(header)
        if "CNY" in name or "元" in name
    }


def test_every_cell_of_a_text_is_text(finance: Finance) -> None:
    names = ['=HYPERLINK("http://example.com","x")', "@SUM(A1)", "+86", "-1", "\u202e张伟", "王小\n明", "a" * 60]
    for index, name in enumerate(names, 1):
        finance.member(index, 50_000 + index, name=name, bank=index > 1)
    listed(finance)
    made = draft()
    cells = [
        cell for sheet in load_workbook(io.BytesIO(draft_workbook(made))) for row in sheet.iter_rows() for cell in row
    ]
    rows = list(csv.reader(io.StringIO(draft_csv(made).decode("utf-8-sig"), newline="")))

    assert draft_csv(made).startswith(b"\xef\xbb\xbf")
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "@", "+")]
    assert [row[0] for row in rows[1:]] == ["草稿"] * 7
    assert rows[-1][-1] == "没有可用的收款账户 No bank account in force"


def test_the_same_facts_give_the_same_bytes(finance: Finance) -> None:
    one_person(finance, 60_000, 40_000)
    finance.member(9, 700)
    listed(finance)

    assert [write(draft()).content for write in draft_writers()] == [
        drafted(finance, "draft.xlsx"), drafted(finance, "draft.csv"),
    ]  # fmt: skip


def test_only_who_may_read_payouts_reads_a_draft(finance: Finance) -> None:
    finance.member(1, 50_000)
    listed(finance)
    for scope in ("orders:fulfil", "bank_accounts:confirm", "payouts:open"):
        status, problem = finance.call(
            "GET", f"/v1/payouts/{PAYOUT}/report", token=finance.key(f"No {scope}", scope)
        )  # fmt: skip
        assert (status, problem["code"]) == (403, "SCOPE_MISSING")
    _, shown = finance.call("GET", f"/v1/payouts/{PAYOUT}/report", token=finance.key("Reader", "payouts:read"))

    assert [file["name"] for file in shown["files"]] == ["draft.xlsx", "draft.csv"]
    assert "6222021234567894" not in json.dumps(shown)
    assert b"6222021234567894" not in drafted(finance, "draft.csv")


@pytest.mark.parametrize("mode", faults.MODES)
def test_a_listing_that_is_hit_at_any_call_ends_with_the_same_draft(
    finance: Finance, cloud: Cloud, mode: faults.Mode
) -> None:
    finance.member(1, 50_000)
    finance.member(2, 50_000, verified=False)
    finance.tick()
    before = cloud.snapshot()
    with faults.watch() as calls:
        finance.advance(only_csv=True)
    wanted, files = books(cloud), finance.payout()["drafts"]
    assert len(files) == 2

    for index, call in faults.hit_each(calls, mode, before.restore, lambda: finance.advance(only_csv=True)):
        finance.advance(only_csv=True)

        assert books(cloud) == wanted, (mode, index, call)


class SharedPersons:
    """Payouts in memory whose persons have several members."""

    def __init__(self, persons: list[list[int]]) -> None:
        self.ledger = MemoryLedger()
        self.payouts = MemoryPayouts(self.ledger)
        self.known: dict[str, Payee] = {}
        for person, amounts in enumerate(persons):
            members = [f"mem_{person}_{index}" for index in range(len(amounts))]
            for member, amount in zip(members, amounts, strict=True):
                self.ledger.earn(member, amount)
                self.known[member] = Payee(
                    member, f"P{person}", "", verified=True, of_age=True, person=f"prs_{person}",
                    siblings=tuple(one for one in members if one != member),
                )  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    persons=st.lists(
        st.lists(st.integers(1_000, 9_000_000), min_size=1, max_size=3), min_size=1, max_size=4,
    ),
    method=st.sampled_from(["labour", "platform"]),
)  # fmt: skip
def test_every_forecast_is_what_sending_then_does(finance: Finance, persons: list[list[int]], method: str) -> None:
    shop = SharedPersons(persons)
    period = Period("2026-11")
    rules = replace(
        paying_out_wiring.payout_rules(period), channel="sandbox", tax_method=method,
        tax_table="labour-2019" if method == "labour" else "platform-2025",
    )  # fmt: skip
    from cardstock.payouts import steps
    from cardstock.payouts.channels.sandbox import SandboxTransfers
    from cardstock.payouts.opening import Opener, open_batch
    from tests.people.memory_payouts import MemoryFiles

    found: list[Draft] = []
    needs = replace(
        paying_out_wiring.payout_step(lambda: True), payouts=shop.payouts, ledger=shop.ledger,
        payees=lambda members, _: {one: shop.known[one] for one in members if one in shop.known},
        bank_targets=lambda members, _: {}, channel=lambda _: SandboxTransfers(lambda line: "silent"),
        files=MemoryFiles(), draft_writers=lambda: [], announce=lambda kind, batch: None,
        open_changes=lambda members, now: {}, contradictions=tuple, payout_map=None,
    )  # fmt: skip
    batch = open_batch(period, Opener("schedule"), rules, shop.payouts)
    steps.advance(needs, batch.id)
    head = shop.payouts.find_batch(batch.id)
    assert head is not None
    found.append(draft_of(needs, head))
    shop.payouts.replace_batch(replace(head, stage="approved"))
    while steps.advance(needs, batch.id):
        pass
    lines = list(shop.payouts.lines_of_batch(batch.id))

    assert all(line.status in ("sent", "dropped") for line in lines)
    assert {row.person: (row.gross, row.tax, row.net) for row in found[0].rows} == {
        row.person: tuple(
            sum(getattr(line, what) for line in lines if line.member in row.members) for what in ("gross", "tax", "net")
        )
        for row in found[0].rows
    }
