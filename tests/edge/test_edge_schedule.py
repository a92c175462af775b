"""Scheduled runs: when they are due, and when they must stop."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cardstock.edge.schedule import Deadline, UnfinishedError, ticked
from tests.house.cloud import Context

TICK = {"scheduled_at": "2026-12-01T02:00:00+08:00"}


def test_a_run_gets_the_moment_it_was_due_in_utc() -> None:
    due: list[datetime] = []

    def run(scheduled_at: datetime, _deadline: Deadline) -> dict[str, Any]:
        due.append(scheduled_at)
        return {"rows": 1}

    assert ticked(run)(TICK, Context()) == {"rows": 1}
    assert due == [datetime(2026, 11, 30, 18, tzinfo=UTC)]


@pytest.mark.parametrize(("remaining_ms", "left"), [(20_001, True), (20_000, True), (19_999, False)])
def test_a_run_stops_while_its_reserve_is_left(remaining_ms: int, left: bool) -> None:
    def run(_scheduled_at: datetime, deadline: Deadline) -> dict[str, Any]:
        return {"left": deadline.time_left()}

    assert ticked(run, reserve_seconds=20)(TICK, Context(remaining_ms=remaining_ms)) == {"left": left}


def test_a_run_whose_half_is_worth_nothing_fails_when_its_time_is_over() -> None:
    Deadline(Context(remaining_ms=10_000), reserve_seconds=10).require_time()
    with pytest.raises(UnfinishedError):
        Deadline(Context(remaining_ms=9_999), reserve_seconds=10).require_time()
