"""The pages that the gateway adds locally: what runs (`/`), the API's reference (`/docs`) and its document."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local import reference
from infra.local.gateway import Page
from infra.local.queues import depth
from infra.local.template import ROOT

if TYPE_CHECKING:
    from infra.local.suite import Suite

DOCUMENT = ROOT / "infra" / "openapi.json"
HTML = "text/html; charset=utf-8"

STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #8884}
code,pre{font:13px/1.45 ui-monospace,monospace}pre{overflow-x:auto;padding:.7rem;background:#8881;border-radius:6px}
h2{margin-top:2.5rem}a{color:#0a7d6b}.quiet{opacity:.7}.bad{color:#c0392b;font-weight:600}
"""


def pages(suite: "Suite", document: Path = DOCUMENT) -> dict[str, Page]:
    """The pages by path; a route of the template with the same path goes first."""

    def home(_query: Mapping[str, str]) -> tuple[str, bytes]:
        return HTML, overview(suite).encode()

    def docs(_query: Mapping[str, str]) -> tuple[str, bytes]:
        if not document.exists():
            return HTML, _page("API reference", "<p>There is no API document yet.</p>").encode()
        described = json.loads(document.read_text(encoding="utf-8"))
        body = reference.render(described, suite.url)
        return HTML, _page(str(described.get("info", {}).get("title", "API reference")), body).encode()

    def raw(_query: Mapping[str, str]) -> tuple[str, bytes]:
        return "application/json", document.read_bytes() if document.exists() else b"{}"

    return {"/": home, "/docs": docs, "/openapi.json": raw}


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>"
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Rows of HTML cells."""
    lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def overview(suite: "Suite") -> str:
    """The page that lists what runs, as HTML."""
    template = suite.template
    parts = [
        f"<p>It is <strong>{suite.clock.now():%Y-%m-%d %H:%M:%S} UTC</strong> for the functions. "
        '<a href="/docs">API reference</a> · <a href="/openapi.json">OpenAPI document</a> · '
        f"sandbox payment channel at {_code(suite.sandbox.url)} · AWS services at {_code(suite.engine.endpoint)} · "
        f"state and logs in {_code(str(suite.state_dir))}</p>",
        "<h2>Functions</h2>",
        _table(
            ("Function", "Triggers", "Time-out", "Memory"),
            (
                (
                    _code(function.folder.rsplit("/", 1)[-1]),
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
        "<h2>Left out</h2>",
        _table(
            ("Resource", "Type", "Why"),
            ((_code(entry.logical_id), _code(entry.type), escape(entry.reason)) for entry in template.skipped),
        ),
    ]
    return _page("What runs here", "".join(parts))


def _queues(suite: "Suite") -> str:
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
