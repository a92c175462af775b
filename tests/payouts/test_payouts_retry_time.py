"""How long a payout stays open so that what its channel failed can be retried, and what ends that time."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from cardstock.clock import rfc3339
from cardstock.errors import CardstockError
from cardstock.ids import RequestKey
from cardstock.payouts import wiring
from cardstock.payouts.channels.sandbox import SandboxTransfers, Way
from cardstock.payouts.lines import Line
from cardstock.payouts.opening import Opener, open_batch
from cardstock.payouts.periods import Period
from cardstock.payouts.retrying import end_retries, retry_line
from tests.house import faults
from tests.house.cloud import Cloud
from tests.house.interleave import every_way, some_ways
from tests.people.finance import FIRST, PAYOUT, Finance, books, member_id

NEXT = "pay_202612"


@pytest.fixture
def ways() -> Iterator[dict[tuple[str, int], Way]]:
    """What becomes of a member's transfer in November, by attempt; `paid` if it is not said."""
    wiring.set_transfer_transport(None)
    made = wiring.transfer_channel("sandbox")
    assert isinstance(made, SandboxTransfers)
    found: dict[tuple[str, int], Way] = {}

    def script(line: Line) -> Way:
        return found.get((line.member, line.attempt), "paid") if line.batch == PAYOUT else "paid"

    made.script = script
    yield found
    wiring.set_transfer_transport(None)


Ways = dict[tuple[str, int], Way]


def sent(finance: Finance, ways: Ways, *of: Way) -> list[dict[str, Any]]:
    """Lines of a payout that was sent, a member for each way, in this order."""
    for index, way in enumerate(of, 1):
        ways[finance.member(index, 50_000), 1] = way
    finance.sent_through("sandbox")
    lines = finance.lines()
    return [lines[member_id(index)] for index in range(1, len(of) + 1)]


def close(finance: Finance, *, key: str = "close", token: str | None = None) -> tuple[int, dict[str, Any]]:
    """Finance ends the retries of November."""
    return finance.call("POST", f"/v1/payouts/{PAYOUT}/closings", key=key, token=token or finance.clerk)


def test_a_payout_with_a_failed_line_stays_open_for_three_days_after_every_line_was_first_final(
    finance: Finance, ways: Ways
) -> None:
    failed, _, slow = sent(finance, ways, "failed", "paid", "slow")
    while_one_is_open = finance.payout()
    finance.poll(hours=3)
    until = finance.clock.now() + timedelta(hours=72)
    first = finance.payout()
    _, listed = finance.call("GET", "/v1/payouts")
    finance.poll(hours=72)
    at_the_last_moment = finance.payout()
    finance.clock.move(hours=0.001)
    late = finance.retry(failed["number"])
    finance.poll()
    closed = finance.payout()

    assert slow["status"] == "sent"
    assert (while_one_is_open["retry_until"], while_one_is_open["books"]) == (None, None)
    assert (first["status"], first["books"]["closes"], first["retry_until"]) == ("sending", True, rfc3339(until))
    assert listed["items"][0]["retry_until"] == rfc3339(until)
    assert (at_the_last_moment["status"], at_the_last_moment["retry_until"]) == ("sending", rfc3339(until))
    assert (late[0], late[1]["code"]) == (409, "PAYOUT_CLOSED")
    assert (closed["status"], closed["retries_ended_by"]) == ("settled", None)
    assert finance.balance(failed["member_id"]) == {"available": 50_000}
    finance.check_ledger()


def test_a_retry_in_the_last_moment_pays_and_nothing_holds_the_payout_then(finance: Finance, ways: Ways) -> None:
    [failed] = sent(finance, ways, "failed")
    finance.clock.move(hours=72)
    status, line = finance.retry(failed["number"])
    out = finance.payout()
    finance.drain()

    assert (status, line["attempt"]) == (202, 2)
    assert (out["status"], out["books"]) == ("sending", None)  # not the comparison of before
    assert finance.balance(failed["member_id"]) == {"paid": 50_000}
    assert finance.payout()["status"] == "settled"
    finance.check_ledger()


def test_a_retry_does_not_lengthen_the_time_of_the_others(finance: Finance, ways: Ways) -> None:
    first, _ = sent(finance, ways, "failed", "failed")
    until = finance.payout()["retry_until"]
    ways[first["member_id"], 2] = "failed"
    finance.clock.move(hours=50)
    finance.retry(first["number"])
    finance.drain()
    again = finance.payout()
    finance.poll(hours=22.1)

    assert (again["status"], again["retry_until"]) == ("sending", until)
    assert finance.payout()["status"] == "settled"


def test_a_bank_file_has_nothing_to_retry_and_closes_at_once(finance: Finance) -> None:
    finance.member(1, 5_000)
    finance.sent()
    finance.results({"number": finance.lines()[member_id(1)]["number"], "result": "failed"})
    finance.drain()

    assert (finance.payout()["status"], finance.payout()["retry_until"]) == ("settled", None)


def test_finance_ends_the_time_earlier_once_every_line_is_final(finance: Finance, ways: Ways, cloud: Cloud) -> None:
    finance.open("sandbox")
    early = close(finance)
    failed, _ = sent(finance, ways, "failed", "slow")
    before = cloud.state()
    open_still = close(finance)
    nothing = cloud.state() == before
    stranger = close(finance, token=finance.key("Wu", "payouts:read", "payouts:approve"))
    finance.poll(hours=3)
    status, ended = close(finance, key="other")
    at = finance.clock.now()
    finance.clock.move(hours=1)
    before_the_step = close(finance, key="second")
    retried = finance.retry(failed["number"])
    finance.drain()
    payout = finance.payout()
    again = close(finance, key="other"), close(finance, key="third")

    assert (early[0], early[1]["code"]) == (409, "PAYOUT_NOT_SENT")
    assert (open_still[0], open_still[1]["code"], nothing) == (409, "PAYOUT_NOT_FINAL", True)
    assert (stranger[0], stranger[1]["code"]) == (403, "SCOPE_MISSING")
    assert (status, ended["status"], ended["retries_ended_at"]) == (200, "sending", rfc3339(at))
    assert ended["retries_ended_by"].startswith("stf_")
    assert (before_the_step[0], before_the_step[1]["retries_ended_at"]) == (200, rfc3339(at))
    assert (retried[0], retried[1]["code"]) == (409, "PAYOUT_CLOSED")
    assert (payout["status"], payout["retries_ended_at"]) == ("settled", rfc3339(at))
    assert again[0] == (200, ended)
    assert (again[1][0], again[1][1]["retries_ended_by"]) == (200, ended["retries_ended_by"])


def test_a_late_payment_in_this_time_keeps_the_payout_open_until_two_persons_have_looked(
    finance: Finance, ways: Ways
) -> None:
    late, other = sent(finance, ways, "failed", "failed")
    ways[late["member_id"], 1] = "paid"
    finance.poll(hours=1)
    found = finance.payout()
    refused = finance.retry(late["number"])
    finance.poll(hours=80)
    over = finance.retry(other["number"], key="other")
    ended = close(finance)
    finance.drain()

    assert found["books"]["differences"][0]["code"] == "OUTCOME"
    assert (refused[0], refused[1]["code"]) == (409, "TRANSFER_NOT_FAILED")
    assert (over[0], over[1]["code"]) == (409, "PAYOUT_CLOSED")
    assert ended[0] == 200
    assert (finance.payout()["status"], len(finance.payout()["contradictions"])) == ("sending", 1)


def open_next() -> None:
    """December's batch, as the schedule opens it; it has the rules of November's."""
    batch = wiring.payouts().find_batch(PAYOUT)
    assert batch is not None
    open_batch(Period("2026-12"), Opener("schedule"), batch.rules, wiring.payouts())


def pay_next(finance: Finance) -> None:
    """Every step of December's payout, and of November's."""
    for step in (NEXT, PAYOUT, "approve", NEXT, PAYOUT):
        if step == "approve":
            assert finance.approve(NEXT, key="december")[0] == 200
            finance.drain()
        else:
            finance.advance(step, only_csv=True)


def test_the_next_payout_ends_the_time_and_pays_what_failed(finance: Finance, ways: Ways) -> None:
    finance.clock.set(FIRST + timedelta(days=29))
    [failed] = sent(finance, ways, "failed")
    waits = finance.payout()
    finance.clock.set(FIRST + timedelta(days=31))
    open_next()
    refused = finance.retry(failed["number"])
    pay_next(finance)

    assert waits["status"] == "sending"
    assert waits["retry_until"] > rfc3339(finance.clock.now())
    assert (refused[0], refused[1]["code"]) == (409, "PAYOUT_CLOSED")
    assert (finance.payout()["status"], finance.payout(NEXT)["status"]) == ("settled", "settled")
    assert finance.lines(NEXT)[failed["member_id"]]["status"] == "paid"
    assert finance.balance(failed["member_id"]) == {"paid": 50_000}
    finance.check_ledger()


class OpensMeanwhile:
    """The payouts, while December is opened and listed just before a retry is stored."""

    def __init__(self, finance: Finance) -> None:
        self._finance, self._payouts = finance, wiring.payouts()

    def add_retry(self, *args: Any) -> Any:
        open_next()
        self._finance.advance(NEXT, only_csv=True)
        return self._payouts.add_retry(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._payouts, name)


def test_a_retry_that_meets_the_opening_of_the_next_payout_is_not_paid_twice(finance: Finance, ways: Ways) -> None:
    finance.clock.set(FIRST + timedelta(days=29))
    [failed] = sent(finance, ways, "failed")
    finance.clock.set(FIRST + timedelta(days=31))
    payouts: Any = OpensMeanwhile(finance)
    retry_line(PAYOUT, failed["number"], "stf_li", RequestKey("req_retry", "x"), payouts)
    pay_next(finance)

    assert finance.balance(failed["member_id"]) == {"paid": 50_000}
    assert finance.payout()["status"] == finance.payout(NEXT)["status"] == "settled"
    finance.check_ledger()


def ended(call: Callable[[], object]) -> str:
    """`done`, or the code of the refusal."""
    try:
        call()
    except CardstockError as error:
        return error.code
    return "done"


def test_of_a_retry_and_the_end_of_retries_at_once_exactly_one_is_stored(
    finance: Finance, ways: Ways, cloud: Cloud
) -> None:
    [failed] = sent(finance, ways, "failed")
    before = cloud.snapshot()
    key, payouts, won = RequestKey, wiring.payouts(), set[str]()
    for run in every_way(
        lambda: [
            lambda: ended(lambda: retry_line(PAYOUT, failed["number"], "stf_li", key("req_1", "x"), payouts)),
            lambda: ended(lambda: end_retries(PAYOUT, "stf_wu", key("req_2", "x"), payouts)),
        ],
        before.restore,
    ):
        batch = payouts.find_batch(PAYOUT)
        assert batch is not None
        retried = len(list(payouts.lines_of_batch(PAYOUT))) == 2

        assert sorted(end == "done" for end in run.ends) == [False, True], run
        assert retried == (run.ends[0] == "done") == (batch.retries_ended_at is None), run
        won.add("retry" if retried else "end")

    assert won == {"retry", "end"}


def test_two_steps_at_once_open_the_time_once_and_close_once(finance: Finance, ways: Ways, cloud: Cloud) -> None:
    sent(finance, ways, "failed", "slow")
    finance.clock.move(hours=3)
    for hours, status in ((0.0, "sending"), (72.1, "settled")):
        finance.clock.move(hours=hours)
        before = cloud.snapshot()
        finance.advance(only_csv=True)
        expected = books(cloud)
        for run in some_ways(lambda: [lambda: ended(lambda: finance.advance(only_csv=True))] * 2, before.restore, 8):
            assert set(run.ends) <= {"done", "PAYOUT_CHANGED"}, run
            finance.advance(only_csv=True)

            assert books(cloud) == expected, run
            assert finance.payout()["status"] == status


@pytest.mark.parametrize("step", ["first_final", "over", "ended"])
@pytest.mark.parametrize("mode", faults.MODES)
def test_whatever_happens_to_a_step_of_this_time_its_repeat_ends_the_same(
    finance: Finance, ways: Ways, cloud: Cloud, step: str, mode: faults.Mode
) -> None:
    sent(finance, ways, "failed", "slow")
    finance.clock.move(hours=3)
    if step != "first_final":
        finance.advance(only_csv=True)
        finance.clock.move(hours=72.1 if step == "over" else 1)

    def run() -> None:
        if step == "ended":
            close(finance)
        finance.advance(only_csv=True)

    before = cloud.snapshot()
    with faults.watch() as calls:
        run()
    expected = books(cloud)

    for index, call in faults.hit_each(calls, mode, before.restore, run):
        run()

        assert books(cloud) == expected, (mode, index, call)
        assert finance.payout()["status"] == ("sending" if step == "first_final" else "settled")


def calls_of_a_step(finance: Finance) -> list[str]:
    with faults.watch() as calls:
        finance.advance(only_csv=True)
    return calls


def test_the_time_costs_two_reads_a_step_and_one_write(finance: Finance, ways: Ways) -> None:
    sent(finance, ways, "failed", "slow")
    without = calls_of_a_step(finance)  # a line is open
    finance.clock.move(hours=3)
    first, later = calls_of_a_step(finance), calls_of_a_step(finance)

    assert finance.payout()["status"] == "sending"
    # Which batch is the newest: two reads. The first step also books the open line and compares the three books.
    assert (len(without), len(first), len(later)) == (7, 14, 9), (without, first, later)


def test_what_happens_in_this_time_is_compared_before_it_is_over(finance: Finance, ways: Ways) -> None:
    first, second = sent(finance, ways, "failed", "failed")
    ways[first["member_id"], 2] = "failed"
    finance.clock.move(hours=1)
    finance.retry(first["number"])
    finance.drain()
    books = finance.payout()["books"]
    ways[second["member_id"], 2] = "failed"
    finance.retry(second["number"], key="second")
    finance.drain()

    assert (books["closes"], books["batch"]["lines"]) == (True, 2)
    assert finance.payout()["replaced"]["lines"] == 2
    assert (finance.payout()["status"], finance.payout()["books"]["batch"]["lines"]) == ("settled", 2)
