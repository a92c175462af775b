"""The charts of batch and line in the package's docstring are the data, and verbs make no other step."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest

import cardstock.payouts as area
from cardstock.errors import ConflictError
from cardstock.payouts.contradictions import Clearing, cleared
from cardstock.payouts.lines import CORRECTIONS, FINAL, LINE_TRANSITIONS, Line, LineStatus, Result, as_of
from cardstock.payouts.model import BATCH_TRANSITIONS, HANDED_OVER, WAITING, Batch, BatchStatus, Rules, Stage, moved
from cardstock.payouts.periods import Period
from cardstock.payouts.steps import PART_STEPS, STEPS
from cardstock.payouts.transfer_answers import Answer, answered

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
STAGES: tuple[Stage, ...] = get_args(Stage)
STATUSES: tuple[LineStatus, ...] = get_args(LineStatus)


def batch(stage: Stage) -> Batch:
    rules = Rules(1_000, "bank_file", 10, "labour", "labour-2019")
    return Batch("pay_202611", Period("2026-11"), stage, rules, "schedule", NOON)


def chart() -> Iterator[tuple[str, str, str]]:
    """Each arrow of the docstring: from, verb, to."""
    for before, verb, after in re.findall(r"^    (\w+) +--(\w+)--> +(.+)$", area.__doc__ or "", re.MULTILINE):
        for one in after.split("|"):
            yield before, verb, one.strip()


def test_the_charts_are_the_data() -> None:
    drawn = {(before, after) for before, _, after in chart()}
    batches = {(before, after) for before, following in BATCH_TRANSITIONS.items() for after in following}
    lines = {(before, after) for before, following in LINE_TRANSITIONS.items() for after in following}

    corrections = {(before, after) for before, following in CORRECTIONS.items() for after in following}

    assert drawn == batches | lines | corrections
    assert set(CORRECTIONS) == FINAL - {"dropped"}
    assert set(BATCH_TRANSITIONS) == set(STAGES)
    assert set(LINE_TRANSITIONS) == set(STATUSES)


def test_the_step_of_a_stage_is_the_one_that_the_chart_names() -> None:
    verbs = {(before, verb) for before, verb, _ in chart()}

    assert {(stage, step.__name__) for stage, step in STEPS.items()} <= verbs


def test_every_stage_has_a_step_or_waits() -> None:
    assert set(STEPS) == set(STAGES) - WAITING
    assert {stage for stage, following in BATCH_TRANSITIONS.items() if not following} == {"settled"}
    assert set(PART_STEPS) == {"sending_parts", "asking_parts"}


@pytest.mark.parametrize(("before", "after"), list(product(STAGES, STAGES)))
def test_a_batch_moves_along_the_chart_alone(before: Stage, after: Stage) -> None:
    if after in BATCH_TRANSITIONS[before]:
        assert moved(batch(before), after, note="checked").stage == after
    else:
        with pytest.raises(ValueError, match="cannot become"):
            moved(batch(before), after)


def test_every_stage_has_one_status_of_the_api_and_none_goes_back() -> None:
    order: tuple[BatchStatus, ...] = get_args(BatchStatus)
    for before, following in BATCH_TRANSITIONS.items():
        for after in following:
            assert order.index(batch(after).status) >= order.index(batch(before).status)

    assert {batch(stage).status for stage in STAGES} == set(order)
    assert {batch(stage).status for stage in HANDED_OVER} == {"sending", "settled"}


@pytest.mark.parametrize(("before", "result"), list(product(STATUSES, get_args(Result))))
def test_an_answer_moves_a_line_along_the_chart_alone(before: LineStatus, result: Result) -> None:
    line = Line("pay_202611", "2026-11", "mem_1", 1, "202611x", 5_000, before, 5_000, 0, 5_000)
    after = answered(line, Answer(line.number, result, NOON, "bank")).status

    if before in FINAL:
        assert after == before
    elif before != "pending":
        assert after == result
        assert result in LINE_TRANSITIONS[before]


@pytest.mark.parametrize(("before", "arrived"), list(product(STATUSES, [True, False])))
def test_a_clearing_moves_a_line_along_the_chart_of_corrections_alone(before: LineStatus, arrived: bool) -> None:
    line = Line("pay_202611", "2026-11", "mem_1", 1, "202611x", 5_000, before, 5_000, 0, 5_000, reason="R")
    clearing = Clearing(line.batch, line.number, "oit_1", arrived, NOON, ("prs_1", "prs_2"))
    if before not in CORRECTIONS:
        with pytest.raises(ConflictError, match="RESULT_NOT_APPLIED"):
            cleared(line, clearing, [])
        return
    after, decided = cleared(line, clearing, [])

    assert (after.status == "paid") == arrived
    assert after.status == before or after.status in CORRECTIONS[before]
    assert (decided.result, decided.decided) == (after.status, True)
    assert len(after.corrections) == (after.status != before)
    assert as_of(after, NOON - timedelta(seconds=1)) == line
    assert as_of(after, NOON) == as_of(after, None) == after
