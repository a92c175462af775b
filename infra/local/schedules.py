"""EventBridge Scheduler on this machine: `cron(...)`, `rate(...)` and `at(...)` on a clock that can be moved.

Every due time is one event, in time order over all schedules. A schedule of every few minutes would mean thousands of
events when a month passes in a second. So of due times less than `collapse_under` apart (six hours, or a step's value)
within one step, only the last is run.

Sources: EventBridge Scheduler user guide (schedule types, context attributes); Lambda, asynchronous invocation.
"""

import heapq
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from infra.local.clock import ShiftedClock
from infra.local.invoke import FunctionError, Invoker
from infra.local.template import Schedule, Template

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1
    )
}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_RATE_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_HORIZON = timedelta(days=366 * 5)  # the search for a due day ends after five years


class ScheduleError(Exception):
    """An expression that EventBridge Scheduler would refuse, or that is not understood here."""


def due_times(expression: str, timezone: str, *, after: datetime, anchor: datetime) -> Iterator[datetime]:
    """The moments (UTC) after `after` at which the schedule is due, in order, without end.

    `anchor` is when the schedule was created; a rate counts from there. A local time skipped by a change of the clocks
    is left out, a repeated one is due once. Raises ScheduleError.
    """
    kind, _, rest = expression.partition("(")
    body = rest.removesuffix(")").strip()
    if kind == "rate":
        yield from _rate(expression, body, after, anchor)
    elif kind == "cron":
        yield from _Cron(expression, body).after(after, ZoneInfo(timezone))
    elif kind == "at":
        moment = datetime.fromisoformat(body).replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)
        if moment > after:
            yield moment
    else:
        raise ScheduleError(f"{expression}: not cron(...), rate(...) or at(...)")


def _rate(expression: str, body: str, after: datetime, anchor: datetime) -> Iterator[datetime]:
    match = re.fullmatch(r"(\d+) (minute|hour|day)s?", body)
    if match is None or int(match[1]) < 1:
        raise ScheduleError(f"{expression}: not a rate")
    step = int(match[1]) * _RATE_UNITS[match[2]]
    count = max(1, (after - anchor) // step + 1)
    while True:
        yield anchor + count * step
        count += 1


class _Cron:
    """Minutes, hours, day of month, month, day of week, year."""

    def __init__(self, expression: str, body: str) -> None:
        fields = body.upper().split()
        if len(fields) != 6 or (fields[2] != "?") == (fields[4] != "?"):
            raise ScheduleError(f"{expression}: six fields, one of the days being ?")
        self._expression = expression
        self._minutes = self._values(fields[0], 0, 59, {})
        self._hours = self._values(fields[1], 0, 23, {})
        self._day_of_month = fields[2]
        self._months = set(self._values(fields[3], 1, 12, _MONTHS))
        self._day_of_week = fields[4]
        self._years = set(self._values(fields[5], 1970, 2199, {}))
        self._on_day(date(2026, 1, 1))  # refuses a wrong day field now, not when it is first due

    def after(self, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        day = after.astimezone(zone).date()
        last = day + _HORIZON
        while day <= last:
            if day.month in self._months and day.year in self._years and self._on_day(day):
                for hour in self._hours:
                    for minute in self._minutes:
                        local = datetime.combine(day, time(hour, minute), zone)
                        moment = local.astimezone(UTC)
                        if moment > after and moment.astimezone(zone).replace(tzinfo=None) == local.replace(
                            tzinfo=None
                        ):
                            yield moment
                            last = day + _HORIZON
            day += timedelta(days=1)

    def _on_day(self, day: date) -> bool:
        if self._day_of_week == "?":
            return self._on_day_of_month(day)
        return self._on_day_of_week(day)

    def _on_day_of_month(self, day: date) -> bool:
        text = self._day_of_month
        first_of_next = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        last = (first_of_next - timedelta(days=1)).day
        if text == "L":
            return day.day == last
        if text.endswith("W"):
            target = last if text == "LW" else int(text[:-1])
            return target <= last and day == _nearest_weekday(day.replace(day=target), last)
        return day.day in self._values(text, 1, 31, {})

    def _on_day_of_week(self, day: date) -> bool:
        text, number = self._day_of_week, day.isoweekday() % 7 + 1
        if "#" in text:
            wanted, _, nth = text.partition("#")
            return self._values(wanted, 1, 7, _DAYS) == [number] and (day.day - 1) // 7 + 1 == int(nth)
        if text.endswith("L"):
            wanted = text[:-1] or "SAT"
            return self._values(wanted, 1, 7, _DAYS) == [number] and (day + timedelta(days=7)).month != day.month
        return number in self._values(text, 1, 7, _DAYS)

    def _values(self, text: str, low: int, high: int, names: Mapping[str, int]) -> list[int]:
        found: set[int] = set()
        for part in text.split(","):
            span, _, step = part.partition("/")
            try:
                if span in ("*", "?"):
                    start, end = low, high
                elif "-" in span:
                    start, end = (names.get(edge) or int(edge) for edge in span.split("-"))
                else:
                    start = names.get(span) or int(span)
                    end = high if step else start
                found.update(range(start, end + 1, int(step or 1)))
            except ValueError as error:
                raise ScheduleError(f"{self._expression}: {part} is not understood") from error
        if not found or min(found) < low or max(found) > high:
            raise ScheduleError(f"{self._expression}: {text} is not within {low}-{high}")
        return sorted(found)


def _nearest_weekday(day: date, last: int) -> date:
    if day.weekday() == 5:
        return day - timedelta(days=1) if day.day > 1 else day + timedelta(days=2)
    if day.weekday() == 6:
        return day + timedelta(days=1) if day.day < last else day - timedelta(days=2)
    return day


@dataclass(frozen=True, slots=True)
class ScheduleRun:
    """One due time of a schedule, and its result: the function's answer, or the error."""

    schedule: str
    function: str
    due: datetime
    answer: Any
    error: str | None


class ScheduleRunner:
    """Runs the schedules of a template on `clock`. `since`: everything due until then has run."""

    def __init__(
        self,
        template: Template,
        *,
        clock: ShiftedClock,
        invoker: Invoker,
        sqs: Any,
        anchor: datetime | None = None,
        since: datetime | None = None,
        collapse_under: timedelta = timedelta(hours=6),
        report: Callable[[str], None] = print,
    ) -> None:
        now = clock.now()
        self.anchor = anchor or now
        self.since = since or now
        self._template = template
        self._clock = clock
        self._invoker = invoker
        self._sqs = sqs
        self._collapse_under = collapse_under
        self._report = report
        for schedule in template.schedules():
            next(self._due(schedule, now), None)  # a wrong expression is refused at the start

    def _due(self, schedule: Schedule, after: datetime) -> Iterator[datetime]:
        return due_times(schedule.expression, schedule.timezone, after=after, anchor=self.anchor)

    def next_time(self, schedule: Schedule) -> datetime | None:
        """The next due time of `schedule`; None if never or switched off."""
        return next(self._due(schedule, self.since), None) if schedule.enabled else None

    def plan(self, until: datetime, collapse_under: timedelta | None = None) -> list[tuple[datetime, Schedule]]:
        """The due times after `since` and not after `until`, in order, frequent schedules collapsed."""
        under = self._collapse_under if collapse_under is None else collapse_under
        streams = [self._plan_one(each, until, under) for each in self._template.schedules() if each.enabled]
        return list(heapq.merge(*streams, key=lambda entry: entry[0]))

    def _plan_one(self, schedule: Schedule, until: datetime, under: timedelta) -> list[tuple[datetime, Schedule]]:
        times: list[datetime] = []
        for moment in self._due(schedule, self.since):
            if moment > until:
                break
            if times and moment - times[-1] < under:
                times[-1] = moment
            else:
                times.append(moment)
        return [(moment, schedule) for moment in times]

    def tick(
        self,
        until: datetime,
        *,
        between: Callable[[], object] = lambda: None,
        collapse_under: timedelta | None = None,
    ) -> list[ScheduleRun]:
        """Move the clock to every due time up to `until` and run what is due then; finally move it to `until`.

        `between` is called after each event, to handle its messages before the next. After its retries, a failing
        schedule's event is sent to its dead-letter queue, and the others go on.
        """
        ran: list[ScheduleRun] = []
        for moment, schedule in self.plan(until, collapse_under):
            if moment > self._clock.now():
                self._clock.move_to(moment)
            ran.append(self.run(schedule, moment))
            self.since = max(self.since, moment)
            between()
        if until > self._clock.now():
            self._clock.move_to(until)
        self.since = max(self.since, until)
        return ran

    def run(self, schedule: Schedule, due: datetime) -> ScheduleRun:
        """Invoke the schedule's function for `due`, with its retries."""
        function = self._template.function(schedule.function)
        error: FunctionError | None = None
        event: Any = None
        for attempt in range(1, 2 + min(schedule.retries, 2)):  # Lambda tries an asynchronous event three times
            event = self._event(schedule, due, attempt)
            try:
                return ScheduleRun(schedule.name, function.name, due, self._invoker.invoke(function, event), None)
            except FunctionError as failed:
                error = failed
                self._report(f"{schedule.name}: attempt {attempt} for {due.isoformat()} failed: {failed}")
        assert error is not None
        if schedule.dead_letter_arn is not None:
            self._sqs.send_message(
                QueueUrl=self._template.queue(schedule.dead_letter_arn).url,
                MessageBody=json.dumps(event),
                MessageAttributes={
                    "ERROR_CODE": {"DataType": "String", "StringValue": error.kind},
                    "ERROR_MESSAGE": {"DataType": "String", "StringValue": error.message[:1000] or "-"},
                    "SCHEDULED_TIME": {"DataType": "String", "StringValue": _iso(due)},
                },
            )
        return ScheduleRun(schedule.name, function.name, due, None, str(error))

    def _event(self, schedule: Schedule, due: datetime, attempt: int) -> Any:
        place = self._template.place
        arn = place.arn("scheduler", f"schedule/default/{schedule.name}")
        execution = str(uuid.uuid4())
        if schedule.input is None:
            return {
                "version": "0",
                "id": execution,
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": place.account,
                "time": _iso(due),
                "region": place.region,
                "resources": [arn],
                "detail": "{}",
            }
        attributes = {
            "schedule-arn": arn,
            "scheduled-time": _iso(due),
            "execution-id": execution,
            "attempt-number": str(attempt),
        }
        return json.loads(
            re.sub(r"<aws\.scheduler\.([a-z-]+)>", lambda match: attributes.get(match[1], match[0]), schedule.input)
        )


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
