"""The gateway's local pages: what runs (`/`), the API's reference (`/docs`) and its document."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
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
from infra.local.traffic import Traffic

HTML = "text/html; charset=utf-8"

STYLE = """
:root{color-scheme:light dark;--ink:#16201d;--soft:#66736e;--line:#e1e7e4;--paper:#fff;--ground:#f6f8f7;--leaf:#157a63;
--bad:#c0392b}
@media(prefers-color-scheme:dark){:root{--ink:#e8eeeb;--soft:#9aa9a3;--line:#2a3732;--paper:#121a17;--ground:#1a2420;
--leaf:#3fb595;--bad:#f0806f}}
*{box-sizing:border-box}html{scroll-padding-top:1rem}
body{font:15px/1.55 system-ui,"PingFang SC","Noto Sans CJK SC",sans-serif;color:var(--ink);background:var(--paper);
max-width:76rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.7rem;margin:0 0 1rem}h2{font-size:1.25rem;margin:2.75rem 0 .75rem}h3{font-size:1rem;margin:0 0 .25rem}
a{color:var(--leaf)}.quiet{color:var(--soft)}.bad{color:var(--bad);font-weight:600}
.wide{overflow-x:auto;background:linear-gradient(90deg,var(--paper) 40%,transparent) 0 0/3rem 100% no-repeat local,
linear-gradient(270deg,var(--paper) 40%,transparent) 100% 0/3rem 100% no-repeat local,
linear-gradient(90deg,var(--line),transparent) 0 0/1rem 100% no-repeat scroll,
linear-gradient(270deg,var(--line),transparent) 100% 0/1rem 100% no-repeat scroll}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line)}
th{font-size:.8125rem;font-weight:600;color:var(--soft)}td p,td ul{margin:0}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace}
pre{padding:.75rem 1rem;background:var(--ground);border-radius:8px;white-space:pre-wrap;overflow-wrap:anywhere}
summary{cursor:pointer}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.75rem;margin:1.5rem 0}
.tiles div{background:var(--ground);border-radius:10px;padding:.8rem 1rem;color:var(--soft);font-size:.875rem}
.tiles b{display:block;font-size:1.6rem;line-height:1.3;color:var(--ink)}.tiles .bad b{color:var(--bad)}
.reference{display:grid;grid-template-columns:15rem minmax(0,1fr);gap:0 2.5rem}
:root:lang(en) :is(span,div)[lang|=zh],:root:lang(zh) :is(span,div)[lang|=en],[hidden]{display:none!important}
.first{background:var(--ground);border-radius:10px;padding:.25rem 1.25rem;margin:1.25rem 0}.first h2{margin:.75rem 0}
.first ol{padding-left:1.25rem}.first pre{background:var(--paper);margin:.35rem 0 .75rem}
.bar{grid-column:1/-1;position:sticky;top:0;z-index:1;display:flex;gap:.75rem;align-items:center;padding:.6rem 0;
background:var(--paper);border-bottom:1px solid var(--line)}
.bar input{flex:1 1 8rem;min-width:0}.bar output{color:var(--soft);font-size:.875rem;white-space:nowrap}
input,textarea,button{font:inherit;color:inherit;background:var(--ground);border:1px solid var(--line);
border-radius:8px;padding:.4rem .7rem}button{cursor:pointer;white-space:nowrap}
:focus-visible{outline:2px solid var(--leaf);outline-offset:1px}
nav{position:sticky;top:4rem;align-self:start;max-height:calc(100vh - 5rem);overflow-y:auto;font-size:.875rem;
padding-top:1rem}
nav>details>summary{color:var(--soft)}nav summary{font-weight:600;padding:.3rem 0}
nav a{display:block;padding:.15rem 0 .15rem .9rem;text-decoration:none}
.searching main>*:not(.group),.searching .group>p{display:none}
section{padding:1.25rem 0;border-top:1px solid var(--line);scroll-margin-top:4rem}section>details{margin:.35rem 0}
.group>h2{scroll-margin-top:4rem}section.current>h3{text-decoration:underline;text-decoration-color:var(--leaf)}
td:first-child{width:12rem}
.path{margin:0 0 .5rem;overflow-wrap:anywhere}.path code{color:var(--leaf);font-weight:600}.path b{color:var(--ink)}
.try>summary{color:var(--leaf);font-weight:600}
.try form{display:grid;gap:.6rem;background:var(--ground);border-radius:10px;padding:1rem;margin-top:.5rem}
.try label{display:grid;gap:.2rem;font-size:.875rem}.try input,.try textarea{background:var(--paper);width:100%}
.try textarea,.try input{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace}
.try button{justify-self:start;background:var(--leaf);border-color:var(--leaf);color:var(--paper);font-weight:600}
.answer:empty{display:none}.answer p{margin:.25rem 0}.answer pre{margin:.35rem 0;background:var(--paper);
max-height:24rem;overflow:auto}.good{color:var(--leaf);font-weight:600}
@media(max-width:50rem){body{padding:1.25rem 1rem 3rem}td:first-child{width:auto}
.reference :is(tbody,tr,td,th){display:block}.reference tr:first-child{display:none}
.reference tr{padding:.45rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
.reference :is(td,th){padding:0;border:0}.reference td:first-child{font-weight:600}
.reference td:not(:first-child):not(:last-child){display:inline;margin-right:.75rem;color:var(--soft);
font-size:.875rem}
.reference{grid-template-columns:minmax(0,1fr);gap:0}nav{position:static;max-height:none;padding-top:.5rem}
input,textarea,.try input,.try textarea{font-size:16px}}
"""


_MOST_DAYS = 62
_NAMED_AT_MOST = 3
_LATER = """<form method=post action=/later>
<button name=days value=1>A day later</button> <button name=days value=8>8 days later</button>
<button name=days value=31>31 days later</button>
<p class=quiet>Runs every schedule that falls due: nights release rewards, seal the ledger and learn what goes
together; the month's end opens a payout. Time does not go back, logins end after two hours, and what you sign has the
time below.</p></form>"""


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

    def home(_query: Mapping[str, str]) -> tuple[str, bytes]:
        return HTML, overview(suite).encode()

    def docs(_query: Mapping[str, str]) -> tuple[str, bytes]:
        if document is None or not document.exists():
            return HTML, _page("API reference", "<p>There is no API document yet.</p>").encode()
        described = json.loads(document.read_text(encoding="utf-8"))
        addresses = {named: suite.urls[known] for named, known in (servers or {}).items()}
        body = reference.render(described, suite.urls[api], addresses=addresses, now=suite.clock.now())
        title = str(described.get("info", {}).get("title", "API reference"))
        return HTML, _page(title, body, policy=reference.policy(STYLE)).encode()

    def raw(_query: Mapping[str, str]) -> tuple[str, bytes]:
        return "application/json", document.read_bytes() if document is not None and document.exists() else b"{}"

    return {"/": home, "/docs": docs, "/openapi.json": raw}


def actions(suite: RunningSuite) -> dict[str, Page]:
    """The actions of the pages' buttons, by path."""

    def later(form: Mapping[str, str]) -> tuple[str, bytes]:
        days = form.get("days", "")
        if not (days.isascii() and days.isdigit() and 1 <= int(days[:4]) <= _MOST_DAYS):
            return HTML, _page("Let time pass", f"<p>days is a number from 1 to {_MOST_DAYS}.</p>").encode()
        suite.drain()  # today's messages are handled today
        ran = suite.tick(until=suite.clock.now() + timedelta(days=int(days)))
        rows = (
            (_code(done.schedule), f"{done.due:%Y-%m-%d %H:%M} UTC", "failed" if done.error else "done") for done in ran
        )
        now = f'<p>It is {suite.clock.now():%Y-%m-%d %H:%M:%S} UTC. <a href="/">What runs here</a></p>'
        return HTML, _page("Time has passed", now + _table(("Schedule", "Due", ""), rows)).encode()

    return {"/later": later}


def _page(title: str, body: str, *, policy: str = "") -> str:
    """A page around `body`; `policy` is its content security policy, if it has one."""
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">' if policy else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{meta}'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Rows of HTML cells."""
    lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<div class=wide tabindex=0><table>{''.join(lines)}</table></div>"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def overview(suite: RunningSuite) -> str:
    """The page with what runs, as HTML."""
    template = suite.template
    parts = [
        '<p><a href="/docs">API reference</a> · <a href="/openapi.json">OpenAPI document</a></p>',
        _tiles(suite),
        _LATER,
        _table(
            ("Here", ""),
            (
                ("time of the functions", f"{suite.clock.now():%Y-%m-%d %H:%M:%S} UTC"),
                *(("HTTP API", f"{_code(url)} {_code(name)}") for name, url in suite.urls.items()),
                ("sandbox payment channel", _code(suite.sandbox.url)),
                ("AWS services", _code(suite.engine.endpoint)),
                ("state and logs", _code(str(suite.state_dir))),
            ),
        ),
        "<h2>Functions</h2>",
        _table(
            ("Function", "Triggers", "Time-out", "Memory"),
            (
                (
                    _code("/".join(function.folder.split("/")[-2:])),
                    "<br>".join(
                        [_code(f"{route.method} {route.path}") for route in function.routes]
                        + [f"queue {_code(template.queue(source.queue).name)}" for source in function.queues]
                        + [f"schedule {_code(schedule.expression)}" for schedule in function.schedules]
                    ),
                    f"{function.timeout} s",
                    f"{function.memory} MB",
                )
                for function in template.functions
            ),
        ),
        "<h2>Queues</h2>",
        _queues(suite),
        "<h2>Schedules</h2>",
        _table(
            ("Schedule", "Expression", "Time zone", "Next"),
            (
                (
                    _code(schedule.name),
                    _code(schedule.expression),
                    escape(schedule.timezone),
                    f"{due:%Y-%m-%d %H:%M} UTC" if (due := suite.schedules.next_time(schedule)) else "never",
                )
                for schedule in template.schedules()
            ),
        ),
        "<h2>Pipes</h2>",
        _table(
            ("Pipe", "From", "To", "Forwarded"),
            (
                (
                    _code(runner.pipe.name),
                    f"stream of {_code(runner.pipe.table)}",
                    _code(runner.queue.name),
                    str(runner.forwarded),
                )
                for runner in suite.traffic.pipes
            ),
        ),
        f"<details><summary>{len(template.skipped)} resources of the template are left out</summary>",
        _table(
            ("Resources", "Type", "Why"),
            _skipped_rows(template),
        ),
        "</details>",
    ]
    return _page("What runs here", "".join(parts))


def _skipped_rows(template: Template) -> Iterator[tuple[str, str, str]]:
    """A row for each type and reason: the names of at most three resources, or the number of more."""
    groups: dict[tuple[str, str], list[str]] = {}
    for entry in template.skipped:
        groups.setdefault((entry.type, entry.reason), []).append(entry.logical_id)
    for (kind, reason), names in groups.items():
        named = ", ".join(map(_code, names)) if len(names) <= _NAMED_AT_MOST else str(len(names))
        yield named, _code(kind), escape(reason)


def _tiles(suite: RunningSuite) -> str:
    waiting = sum(depth(queue, suite.clients.sqs).visible for queue in suite.template.queues)
    dead = sum(suite.dead_letters().values())
    tiles = (
        (len(suite.template.functions), "functions", False),
        (sum(len(function.routes) for function in suite.template.functions), "routes", False),
        (waiting - dead, "messages waiting", False),
        (dead, "dead letters", dead > 0),
    )
    cells = "".join(
        f"<div{' class=bad' if is_bad else ''}><b>{number}</b>{label}</div>" for number, label, is_bad in tiles
    )
    return f"<div class=tiles>{cells}</div>"


def _queues(suite: RunningSuite) -> str:
    targets = {queue.dead_letter_arn for queue in suite.template.queues}
    targets |= {schedule.dead_letter_arn for schedule in suite.template.schedules()}
    readers = {runner.queue.name: runner for runner in suite.traffic.queues}
    rows = []
    for queue in suite.template.queues:
        held = depth(queue, suite.clients.sqs)
        is_dead = queue.arn in targets
        reader = readers.get(queue.name)
        waiting = str(held.visible)
        rows.append(
            (
                _code(queue.name),
                f'<span class="bad">{waiting}</span>' if is_dead and held.visible else waiting,
                str(held.in_flight),
                str(held.delayed),
                f"{reader.handled} handled, {reader.failed} failed" if reader else "dead letters" if is_dead else "",
            )
        )
    return _table(("Queue", "Waiting", "In flight", "Delayed", "Since the start"), rows)
