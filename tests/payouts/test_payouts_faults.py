"""Whatever happens to a step of a payout: asked again, it ends in the books and files of an undisturbed run."""

from collections.abc import Callable
from typing import Any

import pytest

from cardstock.aws import files as s3
from cardstock.aws import queues as sqs
from cardstock.payouts.queue import QueuedPayoutMap
from tests.house import faults
from tests.house.cloud import Cloud
from tests.people.payouts_office import FIRST, Office, books, clock_at, member_id

STEPS = ("nobody", "list", "give_away", "send", "settle")


def prepare(office: Office, step: str) -> Callable[[], Any]:
    """Bring a payout right before `step`; gives what carries the step out."""
    for index, fen in enumerate(() if step == "nobody" else (500_000, 60_000, 5_000)):
        office.member(index, fen)
    office.tick()
    if step in ("nobody", "list"):
        return lambda: office.advance(only_csv=True)
    office.advance(only_csv=True)
    office.earn(member_id(1), -1_000)
    office.earn(member_id(2), -5_000)
    office.approve()
    if step == "give_away":
        return lambda: office.advance(only_csv=True, payout_map=QueuedPayoutMap(above=0))
    if step == "send":
        return lambda: office.advance(only_csv=True)
    office.advance(only_csv=True)
    office.results({"number": office.lines()[member_id(1)]["number"], "result": "failed"}, others=True)
    return lambda: office.advance(only_csv=True)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("mode", faults.MODES)
def test_a_step_that_is_hit_at_any_call_ends_the_same(cloud: Cloud, step: str, mode: faults.Mode) -> None:
    sqs.forget_client()
    s3.forget_client()
    with clock_at(FIRST) as clock:
        office = Office(cloud, clock)
        run = prepare(office, step)
        before = cloud.snapshot()
        with faults.watch() as calls:
            run()
        expected = books(cloud)
        office.check_ledger()
        assert len(calls) >= 4

        for index, call in faults.hit_each(calls, mode, before.restore, run):
            run()

            assert books(cloud) == expected, (mode, index, call)
            office.check_ledger()
