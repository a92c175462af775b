"""Whatever happens to a step of a payout: asked again, it ends in the books and files of an undisturbed run."""

from collections.abc import Callable
from typing import Any

import pytest

from cardstock.payouts.queue import QueuedPayoutMap
from tests.house import faults
from tests.house.cloud import Cloud
from tests.people.finance import Finance, books, member_id

STEPS = ("nobody", "list", "give_away", "send", "settle")


def prepare(finance: Finance, step: str) -> Callable[[], Any]:
    """Bring a payout right before `step`; gives what carries the step out."""
    for index, fen in enumerate(() if step == "nobody" else (500_000, 60_000, 5_000)):
        finance.member(index, fen)
    finance.tick()
    if step in ("nobody", "list"):
        return lambda: finance.advance(only_csv=True)
    finance.advance(only_csv=True)
    finance.earn(member_id(1), -1_000)
    finance.earn(member_id(2), -5_000)
    finance.approve()
    if step == "give_away":
        return lambda: finance.advance(only_csv=True, payout_map=QueuedPayoutMap(above=0))
    if step == "send":
        return lambda: finance.advance(only_csv=True)
    finance.advance(only_csv=True)
    finance.results({"number": finance.lines()[member_id(1)]["number"], "result": "failed"}, others=True)
    return lambda: finance.advance(only_csv=True)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("mode", faults.MODES)
def test_a_step_that_is_hit_at_any_call_ends_the_same(
    finance: Finance, cloud: Cloud, step: str, mode: faults.Mode
) -> None:
    run = prepare(finance, step)
    before = cloud.snapshot()
    with faults.watch() as calls:
        run()
    expected = books(cloud)
    finance.check_ledger()
    assert len(calls) >= 4

    for index, call in faults.hit_each(calls, mode, before.restore, run):
        run()

        assert books(cloud) == expected, (mode, index, call)
        finance.check_ledger()
