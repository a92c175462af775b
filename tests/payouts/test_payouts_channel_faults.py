"""Whatever happens to a step of a payout whose channel leaves transfers open: no number is given anew, the books end
the same."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.payouts import wiring
from cardstock.payouts.channels.sandbox import SandboxTransfers, Way
from cardstock.payouts.lines import Line
from cardstock.payouts.reading import existing_batch
from tests.house import faults
from tests.house.cloud import Cloud
from tests.people.finance import PAYOUT, Finance, books

HANDED_OVER: dict[str, tuple[Way, ...]] = {
    "hand_over": ("paid", "silent", "confirm"),
    "hear": ("slow", "confirm", "failed"),
    "call_back": ("stuck", "taken", "lapse"),
}
"""What the channel says, payee by payee, when these steps are taken: at once, three hours later, four days later."""


@pytest.fixture
def sandbox() -> Iterator[SandboxTransfers]:
    wiring.set_transfer_transport(None)
    made = wiring.transfer_channel("sandbox")
    assert isinstance(made, SandboxTransfers)
    yield made
    wiring.set_transfer_transport(None)


def prepare_channel(finance: Finance, sandbox: SandboxTransfers, step: str) -> Callable[[], Any]:
    """Bring a payout right before a step in which the channel matters."""
    ways = HANDED_OVER[step]
    members = [finance.member(index, 50_000 + index) for index in range(len(ways))]

    def script(line: Line) -> Way:
        return ways[members.index(line.member)]

    sandbox.script = script
    finance.open("sandbox")
    finance.advance(only_csv=True)
    finance.approve()
    if step != "hand_over":
        finance.advance(only_csv=True)
        finance.clock.move(hours=3 if step == "hear" else 96)
        # Nobody waits for retries of what the step finds failed: it also closes the payout and writes its report.
        batch = existing_batch(PAYOUT, wiring.payouts())
        wiring.payouts().replace_batch(replace(batch, retries_ended_at=finance.clock.now(), retries_ended_by="stf_wu"))
    return lambda: finance.advance(only_csv=True)


@pytest.mark.parametrize("step", HANDED_OVER)
@pytest.mark.parametrize("mode", faults.MODES)
def test_a_channel_that_leaves_things_open_is_given_each_number_once_more_and_the_books_end_the_same(
    finance: Finance, cloud: Cloud, sandbox: SandboxTransfers, step: str, mode: faults.Mode
) -> None:
    run = prepare_channel(finance, sandbox, step)
    before = cloud.snapshot()

    def run_twice() -> None:
        # The poll of a quarter of an hour later: what was claimed and not handed over is found by it.
        run()
        run()

    with faults.watch() as calls:
        run()
    run()
    expected = books(cloud)
    finance.check_ledger()
    assert len(calls) > 5
    assert finance.payout()["status"] == ("sending" if step == "hand_over" else "settled")

    for index, call in faults.hit_each(calls, mode, before.restore, run):
        run_twice()

        assert books(cloud) == expected, (mode, index, call)
        finance.check_ledger()
