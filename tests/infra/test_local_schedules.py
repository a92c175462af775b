"""The local runtime's schedules, on a clock that is moved."""

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from infra.local.clock import ShiftedClock
from infra.local.invoke import FunctionError
from infra.local.schedules import ScheduleError, ScheduleRunner, due_times
from infra.local.template import Function, Place, Queue, Schedule, Template

START = datetime(2026, 11, 21, tzinfo=UTC)


def due(expression: str, *, zone: str = "Asia/Shanghai", after: datetime = START, count: int = 3) -> list[str]:
    found = islice(due_times(expression, zone, after=after, anchor=START), count)
    return [moment.strftime("%Y-%m-%d %H:%M") for moment in found]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 3 1 * ? *)", ["2026-11-30 19:00", "2026-12-31 19:00", "2027-01-31 19:00"]),
        ("cron(30 0 * * ? *)", ["2026-11-21 16:30", "2026-11-22 16:30", "2026-11-23 16:30"]),
        ("cron(0/20 9 ? * MON-FRI *)", ["2026-11-23 01:00", "2026-11-23 01:20", "2026-11-23 01:40"]),
        ("cron(0 0 L * ? *)", ["2026-11-29 16:00", "2026-12-30 16:00", "2027-01-30 16:00"]),
        ("cron(0 12 ? * 6L *)", ["2026-11-27 04:00", "2026-12-25 04:00", "2027-01-29 04:00"]),
        ("cron(0 12 ? * 2#1 *)", ["2026-12-07 04:00", "2027-01-04 04:00", "2027-02-01 04:00"]),
        ("cron(0 12 15W AUG ? 2027)", ["2027-08-16 04:00"]),
        ("cron(0 12 29 2 ? *)", ["2028-02-29 04:00", "2032-02-29 04:00", "2036-02-29 04:00"]),
        ("rate(5 minutes)", ["2026-11-21 00:05", "2026-11-21 00:10", "2026-11-21 00:15"]),
        ("rate(1 day)", ["2026-11-22 00:00", "2026-11-23 00:00", "2026-11-24 00:00"]),
        ("at(2026-12-01T00:00:00)", ["2026-11-30 16:00"]),
    ],
)
def test_expressions_are_due_when_the_scheduler_says(expression: str, expected: list[str]) -> None:
    assert due(expression) == expected


def test_a_moment_that_was_due_is_not_due_again() -> None:
    moment = datetime(2026, 11, 30, 19, tzinfo=UTC)

    assert due("cron(0 3 1 * ? *)", after=moment, count=1) == ["2026-12-31 19:00"]
    assert due("cron(0 3 1 * ? *)", after=moment - timedelta(microseconds=1), count=1) == ["2026-11-30 19:00"]


def test_a_local_time_that_a_change_of_clocks_leaves_out_is_skipped() -> None:
    spring = datetime(2027, 3, 27, 12, tzinfo=UTC)

    assert due("cron(30 2 * * ? *)", zone="Europe/Berlin", after=spring, count=2) == [
        "2027-03-29 00:30", "2027-03-30 00:30",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "expression",
    ["cron(0 3 1 * *)", "cron(0 3 1 * 1 *)", "cron(60 3 1 * ? *)", "cron(x 3 1 * ? *)", "cron(0 3 32 * ? *)",
     "rate(0 minutes)", "rate(5 weeks)", "every(5)"],
)  # fmt: skip
def test_a_wrong_expression_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleError):
        next(due_times(expression, "UTC", after=START, anchor=START))


class Functions:
    """Writes down what it is asked to run, and when; fails as often as it is told."""

    def __init__(self, clock: ShiftedClock, *, failures: int = 0) -> None:
        self.calls: list[tuple[str, Any, datetime]] = []
        self._clock = clock
        self._failures = failures

    def invoke(self, function: Function, event: Any, *, request_id: str | None = None) -> Any:
        self.calls.append((function.name, event, self._clock.now()))
        if self._failures:
            self._failures -= 1
            raise FunctionError(function.name, "ValueError", "asked to fail")
        return {"ok": True}

    def close(self) -> None:
        """Nothing is held."""


class Messages:
    """As much of SQS as a dead-letter queue needs."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_message(self, **message: Any) -> None:
        self.sent.append(message)


DEAD = Queue("Dead", "dead", "http://aws.test/1/dead", "arn:aws:sqs:r:1:dead", {}, None, 0)


def template(**expressions: str) -> Template:
    functions = tuple(
        Function(
            name, name, f"functions/{name}", f"functions.{name}.app", "handler", 3, 128, {}, (), (),
            (Schedule(name, name, expression, "Asia/Shanghai", '{"scheduled_at":"<aws.scheduler.scheduled-time>"}',
                      10, DEAD.arn, True),),
            f"arn:{name}",
        )
        for name, expression in expressions.items()
    )  # fmt: skip
    return Template(Place(), (), (), functions, (), (DEAD,), (), (), (), (), {})


def runner(
    clock: ShiftedClock, functions: Functions, sqs: Messages | None = None, **expressions: str
) -> ScheduleRunner:
    return ScheduleRunner(
        template(**expressions), clock=clock, invoker=functions, sqs=sqs or Messages(), report=lambda _: None
    )


def clock_at(moment: datetime) -> ShiftedClock:
    return ShiftedClock(moment - datetime.now(UTC))


def test_everything_due_runs_once_in_time_order_on_a_clock_that_follows() -> None:
    clock = clock_at(datetime(2027, 1, 30, tzinfo=UTC))
    functions = Functions(clock)
    schedules = runner(clock, functions, monthly="cron(0 3 1 * ? *)", nightly="cron(30 0 * * ? *)")
    until = datetime(2027, 2, 1, 12, tzinfo=UTC)
    schedules.tick(until)
    schedules.tick(until)

    assert [(name, event["scheduled_at"]) for name, event, _ in functions.calls] == [
        ("nightly", "2027-01-30T16:30:00Z"),
        ("nightly", "2027-01-31T16:30:00Z"),
        ("monthly", "2027-01-31T19:00:00Z"),
    ]
    assert all(
        timedelta(0) <= now - datetime.fromisoformat(event["scheduled_at"]) < timedelta(seconds=5)
        for _, event, now in functions.calls
    )
    assert clock.now() - until < timedelta(seconds=5)


def test_a_frequent_schedule_runs_once_for_a_long_step() -> None:
    clock = clock_at(datetime(2027, 1, 1, tzinfo=UTC))
    functions = Functions(clock)
    schedules = runner(clock, functions, sweep="rate(5 minutes)")
    anchor = schedules.anchor
    ran = schedules.tick(anchor + timedelta(days=30, minutes=2))

    assert [entry.due for entry in ran] == [anchor + timedelta(days=30)]


def test_a_failing_function_is_tried_three_times_and_its_event_kept() -> None:
    clock = clock_at(datetime(2027, 1, 1, tzinfo=UTC))
    functions, sqs = Functions(clock, failures=3), Messages()
    schedules = runner(clock, functions, sqs, nightly="cron(30 0 * * ? *)")
    ran = schedules.tick(datetime(2027, 1, 2, 18, tzinfo=UTC))

    assert len(functions.calls) == 4
    assert [entry.error is None for entry in ran] == [False, True]
    assert json.loads(sqs.sent[0]["MessageBody"]) == {"scheduled_at": "2027-01-01T16:30:00Z"}
    assert sqs.sent[0]["QueueUrl"] == DEAD.url


def test_a_wrong_expression_in_a_template_stops_the_start() -> None:
    clock = ShiftedClock()
    with pytest.raises(ScheduleError):
        runner(clock, Functions(clock), nightly="cron(never)")


def test_time_moves_forward_only() -> None:
    clock = ShiftedClock()
    clock.move_by(timedelta(days=1))

    with pytest.raises(ValueError, match="forward"):
        clock.move_to(datetime.now(UTC))
