"""The preview: what the next payout would list, page by page, with bounded reads and without storing anything."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.flows import paying_out_wiring
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.lines import retried
from cardstock.payouts.payees import Balance, Payee
from cardstock.payouts.periods import Period
from cardstock.payouts.previewing import (
    BALANCES_READ,
    Position,
    PreviewNeeds,
    SoFar,
    next_period,
    preview_page,
)
from cardstock.payouts.reading import existing_batch
from tests.house import faults
from tests.house.cloud import Cloud
from tests.people.finance import PAYOUT, Finance
from tests.people.memory_payouts import MemoryLedger, MemoryPayouts


def page(finance: Finance, cursor: str | None = None, limit: int = 100) -> dict[str, Any]:
    query = {"limit": str(limit)} | ({} if cursor is None else {"cursor": cursor})
    status, found = finance.call("GET", "/v1/payouts/preview", query=query)
    assert status == 200, found
    return found


def pages(finance: Finance, limit: int) -> list[dict[str, Any]]:
    found = [page(finance, limit=limit)]
    while found[-1]["next_cursor"] is not None:
        found.append(page(finance, found[-1]["next_cursor"], limit))
    return found


def population(finance: Finance) -> None:
    for index in range(1, 6):
        finance.member(index, 50_000 + index)
    finance.member(6, 999)
    finance.member(7, 50_000, verified=False)
    finance.member(8, -500)
    finance.member(9, 50_000, bank=False)
    finance.erase(finance.member(10, 50_000))
    finance.member(11, 0)


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_the_preview_says_what_the_payout_then_lists(finance: Finance, cloud: Cloud, limit: int) -> None:
    population(finance)
    before = cloud.state()
    found = pages(finance, limit)
    after = cloud.state()
    finance.tick()
    finance.drain()
    opened, lines = finance.payout(), finance.lines()
    rows = [row for one in found for row in one["items"]]
    last = found[-1]

    assert after == before
    assert {row["member_id"]: row["available_fen"] for row in rows} == {
        member: line["listed_fen"] for member, line in lines.items()
    }
    assert len(rows) == 5
    assert all(len(one["items"]) <= limit for one in found)
    assert (last["period"], last["listed"], last["listed_fen"]) == ("2026-11", opened["listed"], opened["listed_fen"])
    assert last["left_out"] == opened["left_out"]
    assert [one["complete"] for one in found] == [*[False] * (len(found) - 1), True]


def test_after_the_payout_was_opened_the_next_month_is_shown(finance: Finance) -> None:
    member = finance.member(1, 50_000)
    finance.tick()
    finance.drain()
    waiting = page(finance)
    finance.approve()
    finance.drain()
    finance.results(others=True)
    finance.drain()
    finance.earn(member, 70_000)
    later = page(finance)

    # The open payout has the same money.
    assert (waiting["period"], waiting["listed"]) == ("2026-12", 0)
    assert waiting["left_out"] == {"attempt_open": {"members": 1, "available_fen": 50_000}}
    assert (later["listed"], later["listed_fen"]) == (1, 70_000)


def test_whose_second_attempt_waits_is_left_out(finance: Finance) -> None:
    member, _ = finance.member(1, 50_000), finance.member(2, 60_000)
    finance.sent()
    number = finance.lines()[member]["number"]
    finance.results({"number": number, "result": "failed"})
    finance.drain()
    free, store = page(finance), payouts_wiring.payouts()
    # As if a retry were on its way: a bank file has none, but whatever channel answers for each transfer has.
    batch = store.replace_batch(replace(existing_batch(PAYOUT, store), stage="listing"))
    store.add_lines(batch, [retried(store.find_lines(PAYOUT, [number])[number], "stf_li")])
    waiting = page(finance)

    # The other member's transfer keeps the payout open.
    assert (free["listed_fen"], free["left_out"]) == (50_000, {})
    assert (waiting["listed"], waiting["left_out"]) == (0, {"attempt_open": {"members": 1, "available_fen": 50_000}})


def test_a_disputed_payee_is_left_out(finance: Finance) -> None:
    member = finance.member(1, 50_000)
    finance.sent()
    number = finance.lines()[member]["number"]
    finance.results({"number": number, "result": "failed"})
    finance.drain()
    finance.results({"number": number, "result": "paid"})
    finance.drain()

    assert page(finance)["left_out"] == {"disputed": {"members": 1, "available_fen": 50_000}}


def test_a_cursor_of_another_list_is_refused(finance: Finance) -> None:
    finance.member(1, 50_000)
    finance.tick()
    finance.drain()
    finance.member(2, 50_000)
    finance.member(3, 50_000)
    _, first = finance.call("GET", "/v1/payouts/preview", query={"limit": "1"})
    cursor = first["next_cursor"]
    status, problem = finance.call("GET", f"/v1/payouts/{PAYOUT}/lines", query={"cursor": cursor})

    assert (status, problem["code"]) == (400, "CURSOR_INVALID")


def test_only_who_may_read_payouts_previews(finance: Finance) -> None:
    for scope in ("payouts:open", "bank_accounts:confirm"):
        status, problem = finance.call("GET", "/v1/payouts/preview", token=finance.key(f"No {scope}", scope))

        assert (status, problem["code"]) == (403, "SCOPE_MISSING")


def test_the_period_is_the_first_one_without_a_payout(finance: Finance) -> None:
    payouts = MemoryPayouts()
    now = Period("2026-11").ends + timedelta(minutes=1)

    assert next_period(now, payouts) == Period("2026-11")


class CountedLedger(MemoryLedger):
    """A ledger that counts its reads."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[int] = []

    def balance_page(self, limit: int, after: str | None) -> tuple[list[Balance], str | None]:
        self.pages.append(limit)
        return super().balance_page(limit, after)


def needs_of(ledger: Any, payouts: MemoryPayouts) -> PreviewNeeds:
    def payees(members: Any, now: Any) -> dict[str, Payee]:
        return {one: Payee(one, one, "", verified=not one.endswith("7"), of_age=True) for one in members}

    return PreviewNeeds(payouts, ledger, payees, lambda members, _: {})


def test_one_call_reads_a_bounded_number_of_balances(finance: Finance) -> None:
    ledger = CountedLedger()
    for index in range(2 * BALANCES_READ + 5):
        ledger.earn(f"mem_{index:05d}", 10)
    needs = needs_of(ledger, MemoryPayouts(ledger))
    rules = replace(paying_out_wiring.payout_rules(Period("2026-11")), channel="sandbox")
    now = finance.clock.now()
    found = []
    position: Position | None = None
    while True:
        ledger.pages.clear()
        one = preview_page(Period("2026-11"), rules, now, 20, position, needs)
        found.append(one)
        assert sum(ledger.pages) <= BALANCES_READ
        position = one.following
        if position is None:
            break

    assert [one.so_far.read for one in found] == [BALANCES_READ, 2 * BALANCES_READ, 2 * BALANCES_READ + 5]
    assert [(one.reason, one.members, one.amount) for one in found[-1].so_far.left_out] == [
        ("under_minimum", 2 * BALANCES_READ + 5, 10 * (2 * BALANCES_READ + 5))
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(amounts=st.lists(st.integers(-2_000, 4_000), max_size=250), limit=st.integers(1, 100))
def test_pages_add_up_to_the_whole(finance: Finance, amounts: list[int], limit: int) -> None:
    ledger = MemoryLedger()
    for index, amount in enumerate(amounts):
        ledger.earn(f"mem_{index:03d}", amount)
    needs = needs_of(ledger, MemoryPayouts(ledger))
    rules = replace(paying_out_wiring.payout_rules(Period("2026-11")), channel="sandbox")
    rows: list[str] = []
    position: Position | None = None
    while True:
        one = preview_page(Period("2026-11"), rules, finance.clock.now(), limit, position, needs)
        rows += [row.member for row in one.rows]
        if one.following is None:
            break
        position = Position.of(one.following.text)
    wanted = {
        f"mem_{index:03d}": amount
        for index, amount in enumerate(amounts)
        if amount >= 1_000 and not f"{index:03d}".endswith("7")
    }

    assert sorted(rows) == sorted(wanted)
    assert (one.so_far.read, one.so_far.listed, one.so_far.amount) == (
        len(amounts), len(wanted), sum(wanted.values()),
    )  # fmt: skip
    assert one.so_far.listed + sum(found.members for found in one.so_far.left_out) == sum(
        amount != 0 for amount in amounts
    )


def test_a_page_that_meets_a_fault_is_asked_for_again(finance: Finance) -> None:
    population(finance)
    wanted = page(finance)
    with faults.at(2, "throttle"):
        assert page(finance) == wanted


def test_the_longest_cursor_is_no_longer_than_a_cursor_may_be(finance: Finance) -> None:
    from cardstock.edge import wiring as edge_wiring
    from cardstock.payouts.model import LeftOutSum
    from cardstock.payouts.wording import REASON

    sums = tuple(LeftOutSum(reason, 10**7, 10**13) for reason in REASON)
    text = Position("mem_" + "z" * 26, SoFar(10**8, 10**8, 10**14, sums)).text
    signed = edge_wiring.signer().sign("cursor:payout_preview:2026-11", {"after": text})

    assert len(signed) <= 1024
