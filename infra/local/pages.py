"""The gateway's local pages: what runs (`/`), the API's reference (`/docs`) and its document."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, Protocol

from infra.local import reference
from infra.local.clock import ShiftedClock
from infra.local.engine import Clients, Engine
from infra.local.gateway import Page
from infra.local.queues import depth
from infra.local.sandbox import Sandbox
from infra.local.schedules import ScheduleRun, ScheduleRunner
from infra.local.template import Template
from infra.local.texts import text, web_file
from infra.local.traffic import Traffic

HTML = "text/html; charset=utf-8"
Say = Callable[..., str]
"""A text of a section in the language of the page, by name: `texts.text`."""

STYLE = web_file("pages.css")


_MOST_DAYS = 400
_NAMED_AT_MOST = 3
_STEPS = {"day": 1, "week": 8, "month": 31}
"""Buttons that let time pass, with their days."""


class RunningSuite(Protocol):
    """A running deployment, as the pages show and move it."""

    state_dir: Path
    engine: Engine
    template: Template
    clients: Clients
    clock: ShiftedClock
    sandbox: Sandbox
    schedules: ScheduleRunner
    traffic: Traffic
    url: str
    urls: Mapping[str, str]

    def drain(self) -> Any:
        """Run pipes and queues until nothing is due."""

    def tick(self, *, until: datetime) -> list[ScheduleRun]:
        """Let time pass."""

    def dead_letters(self) -> dict[str, int]:
        """Number of messages in each dead-letter queue that is not empty."""


def pages(
    suite: RunningSuite, document: Path | None, *, api: str = "api", servers: Mapping[str, str] | None = None
) -> dict[str, Page]:
    """The pages of one API by path; a route of the template with the same path has precedence.

    `servers` are the addresses in the document, each with the id of its API.
    """

    def home(_query: Mapping[str, str], language: str) -> tuple[str, bytes]:
        return HTML, overview(suite, language).encode()

    def docs(_query: Mapping[str, str], language: str) -> tuple[str, bytes]:
        if document is None or not document.exists():
            body = f"<p>{text('overview', 'no_document', language)}</p>"
            return HTML, _page(text("overview", "reference", language), body, language).encode()
        described = json.loads(document.read_text(encoding="utf-8"))
        addresses = {named: suite.urls[known] for named, known in (servers or {}).items()}
        body = reference.render(described, suite.urls[api], addresses=addresses, now=suite.clock.now())
        title = escape(str(described.get("info", {}).get("title", "API reference")))
        # The script chooses the language: it is kept in the browser.
        return HTML, _page(title, body, "en", policy=reference.policy(STYLE)).encode()

    def raw(_query: Mapping[str, str], _language: str) -> tuple[str, bytes]:
        return "application/json", document.read_bytes() if document is not None and document.exists() else b"{}"

    return {"/": home, "/docs": docs, "/openapi.json": raw}


def actions(suite: RunningSuite) -> dict[str, Page]:
    """The actions of the pages' buttons, by path."""

    def later(form: Mapping[str, str], language: str) -> tuple[str, bytes]:
        say = partial(text, "later", language=language)
        days = form.get("days", "")
        if not (days.isascii() and days.isdigit() and len(days) <= 3 and 1 <= int(days) <= _MOST_DAYS):
            refused = f"<p>{say('days', most=_MOST_DAYS)}</p>"
            return HTML, _page(say("refused"), refused, language).encode()
        suite.drain()  # today's messages are handled today
        ran = suite.tick(until=suite.clock.now() + timedelta(days=int(days)))
        rows = (
            (_code(done.schedule), f"{done.due:%Y-%m-%d %H:%M} UTC", say("failed" if done.error else "done"))
            for done in ran
        )
        now = f'<p>{say("now", now=f"{suite.clock.now():%Y-%m-%d %H:%M:%S}")} <a href="/">{say("back")}</a></p>'
        head = (text("overview", "schedule", language), say("due"), say("result"))
        return HTML, _page(say("title"), now + _table(head, rows), language).encode()

    return {"/later": later}


def _page(title: str, body: str, language: str, *, policy: str = "") -> str:
    """A page around `body`; both it and `title` are HTML. `policy` is its content security policy, if it has one."""
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">' if policy else ""
    return (
        f'<!doctype html><html lang="{"en" if language == "en" else "zh-CN"}"><head><meta charset="utf-8">{meta}'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{title}</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>'
        f"<body><h1>{title}</h1>{body}</body></html>"
    )


def _table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """Rows of HTML cells. Each cell has the text of its column: a narrow screen shows it beside the value."""
    lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    lines += [
        "<tr>" + "".join(f'<td data-head="{name}">{cell}</td>' for name, cell in zip(head, row, strict=True)) + "</tr>"
        for row in rows
    ]
    return f'<div class="wide rows" tabindex=0><table>{"".join(lines)}</table></div>'


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def overview(suite: RunningSuite, language: str) -> str:
    """The page with what runs, as HTML."""
    template = suite.template
    say: Say = partial(text, "overview", language=language)
    buttons = " ".join(
        f"<button name=days value={days}>{text('later', name, language)}</button>" for name, days in _STEPS.items()
    )
    parts = [
        f'<p><a href="/docs">{say("reference")}</a> · <a href="/openapi.json">{say("document")}</a></p>',
        _tiles(suite, say),
        f"<form method=post action=/later>{buttons}</form>",
        f"<form method=post action=/later><label>{text('later', 'number', language)} "
        f"<input name=days type=number min=1 max={_MOST_DAYS} value=1 required></label> "
        f"<button>{text('later', 'go', language)}</button>"
        f"<p class=quiet>{text('later', 'about', language)}</p></form>",
        _table(
            (say("here"), ""),
            (
                (say("time"), f"{suite.clock.now():%Y-%m-%d %H:%M:%S} UTC"),
                *((say("api"), f"{_code(url)} {_code(name)}") for name, url in suite.urls.items()),
                (say("sandbox"), _code(suite.sandbox.url)),
                (say("services"), _code(suite.engine.endpoint)),
                (say("state"), _code(str(suite.state_dir))),
            ),
        ),
        f"<h2>{say('functions')}</h2>",
        _table(
            (say("function"), say("triggers"), say("timeout"), say("memory")),
            (
                (
                    _code("/".join(function.folder.split("/")[-2:])),
                    "<br>".join(
                        [_code(f"{route.method} {route.path}") for route in function.routes]
                        + [
                            f"{say('by_queue')} {_code(template.queue(source.queue).name)}"
                            for source in function.queues
                        ]
                        + [f"{say('by_schedule')} {_code(schedule.expression)}" for schedule in function.schedules]
                    ),
                    say("seconds", count=function.timeout),
                    f"{function.memory} MB",
                )
                for function in template.functions
            ),
        ),
        f"<h2>{say('queues')}</h2>",
        _queues(suite, say),
        f"<h2>{say('schedules')}</h2>",
        _table(
            (say("schedule"), say("expression"), say("zone"), say("next")),
            (
                (
                    _code(schedule.name),
                    _code(schedule.expression),
                    escape(schedule.timezone),
                    f"{due:%Y-%m-%d %H:%M} UTC" if (due := suite.schedules.next_time(schedule)) else say("never"),
                )
                for schedule in template.schedules()
            ),
        ),
        f"<h2>{say('pipes')}</h2>",
        _table(
            (say("pipe"), say("from"), say("to"), say("forwarded")),
            (
                (
                    _code(runner.pipe.name),
                    f"{say('stream_of')} {_code(runner.pipe.table)}",
                    _code(runner.queue.name),
                    str(runner.forwarded),
                )
                for runner in suite.traffic.pipes
            ),
        ),
        f"<details><summary>{say('left_out', count=len(template.skipped))}</summary>",
        _table((say("resources"), say("type"), say("why")), _skipped_rows(template)),
        "</details>",
    ]
    return _page(say("title"), "".join(parts), language)


def _skipped_rows(template: Template) -> Iterator[tuple[str, str, str]]:
    """A row for each type and reason: the names of at most three resources, or the number of more."""
    groups: dict[tuple[str, str], list[str]] = {}
    for entry in template.skipped:
        groups.setdefault((entry.type, entry.reason), []).append(entry.logical_id)
    for (kind, reason), names in groups.items():
        named = ", ".join(map(_code, names)) if len(names) <= _NAMED_AT_MOST else str(len(names))
        yield named, _code(kind), escape(reason)


def _tiles(suite: RunningSuite, say: Say) -> str:
    waiting = sum(depth(queue, suite.clients.sqs).visible for queue in suite.template.queues)
    dead = sum(suite.dead_letters().values())
    tiles = (
        (len(suite.template.functions), "count_functions", False),
        (sum(len(function.routes) for function in suite.template.functions), "count_routes", False),
        (waiting - dead, "count_waiting", False),
        (dead, "count_dead", dead > 0),
    )
    cells = "".join(
        f"<div{' class=bad' if is_bad else ''}><b>{number}</b>{say(label)}</div>" for number, label, is_bad in tiles
    )
    return f"<div class=tiles>{cells}</div>"


def _queues(suite: RunningSuite, say: Say) -> str:
    targets = {queue.dead_letter_arn for queue in suite.template.queues}
    targets |= {schedule.dead_letter_arn for schedule in suite.template.schedules()}
    readers = {runner.queue.name: runner for runner in suite.traffic.queues}
    rows = []
    for queue in suite.template.queues:
        held = depth(queue, suite.clients.sqs)
        is_dead = queue.arn in targets
        reader = readers.get(queue.name)
        since = say("dead") if is_dead else ""
        if reader:
            since = say("handled", handled=reader.handled, failed=reader.failed)
        waiting = str(held.visible)
        rows.append(
            (
                _code(queue.name),
                f'<span class="bad">{waiting}</span>' if is_dead and held.visible else waiting,
                str(held.in_flight),
                str(held.delayed),
                since,
            )
        )
    return _table((say("queue"), say("waiting"), say("in_flight"), say("delayed"), say("since")), rows)
