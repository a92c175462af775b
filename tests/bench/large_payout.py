"""`make bench PAYEES=10000`: a month's payout to so many members, timed, with the memory of each invocation.

The functions run as they are deployed, on the local engine with the template's own tables, each invocation in a process
of its own, so that a start is cold and no invocation's memory is another's. The queue between them is the engine's.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.local import costs
from infra.local.engine import Clients, Engine, connect, environment, provision
from infra.local.invoke import call_of
from infra.local.loading import load
from infra.local.template import ROOT, Function, Place, Template
from infra.local.traffic import Traffic
from tests.house.cloud import http_event

REGION = "ap-east-1"
PAYOUT = "pay_202611"
NOW = datetime(2026, 11, 30, 19, tzinfo=UTC)
"""03:00 on the first of December in Shanghai, when the schedule opens November's payout."""
MOST_SECONDS, MOST_MB = 60, 300
"""What the report may take: reading every statement and writing the files, from when the books are found to agree."""
SETTLE = "Settle and report"
FAILED_ONE_IN = 1_000
"""Transfers that come back: one is enough for the report to have an exception."""
_LINES_READ = 20
_FILL_SECONDS = 1_800
_COMMAND_SECONDS = 600
_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Spent:
    """What one invocation took, from the start of its process to its end."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    calls: int
    wcu: float


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the payout, with each invocation in it."""

    name: str
    spent: tuple[Spent, ...]

    def total(self, what: str) -> float:
        return float(sum(getattr(one, what) for one in self.spent))

    @property
    def peak_mb(self) -> float:
        return max(one.peak_mb for one in self.spent)


@dataclass(frozen=True, slots=True)
class Paid:
    """A whole payout. `files` are as the batch has recorded them; `wrong` says what is not as it must be."""

    payees: int
    filled_seconds: float
    phases: tuple[Phase, ...]
    report_seconds: float
    again_seconds: float
    payout: Mapping[str, Any]
    files: Sequence[Mapping[str, Any]]
    wrong: tuple[str, ...]


class _Cold:
    """`infra.local.invoke.Invoker` with a new process for each invocation, and what each took in `spent`."""

    def __init__(self, engine: Engine, variables: Mapping[str, str]) -> None:
        self.spent: list[Spent] = []
        self._engine = engine
        self._variables = {**variables, "AWS_SDK_UA_APP_ID": costs.FUNCTIONS}
        self._shift = (NOW - datetime.now(UTC)).total_seconds()

    def invoke(self, function: Function, event: Any, *, request_id: str | None = None) -> Any:
        asked = json.dumps({"call": asdict(call_of(function, event, request_id)), "shift": self._shift})
        before, started = self._engine.costs(), time.monotonic()
        printed = _run("tests.bench.invocation", variables=self._variables, given=asked,
                       timeout=function.timeout + _START_SECONDS)  # fmt: skip
        seconds, cost = time.monotonic() - started, self._engine.costs() - before
        told = json.loads(printed.splitlines()[-1])
        self.spent.append(Spent(seconds, told["cpu_seconds"], told["peak_mb"], cost.calls, cost.wcu))
        return told["result"]

    def close(self) -> None:
        """Nothing is held."""


def _run(module: str, *arguments: str, variables: Mapping[str, str], timeout: float, given: str = "") -> str:
    """What a module of ours prints in a process of its own. RuntimeError with its complaint if it fails."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT, env=dict(variables), input=given, capture_output=True, check=False, text=True,
            timeout=timeout,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{module}: {timeout:.0f} s were not enough") from None
    if done.returncode:
        raise RuntimeError(f"{module} ended with status {done.returncode}: {(done.stderr or done.stdout)[-4_000:]}")
    return done.stdout


class _Desk:
    """Finance's desk: asks the functions for one thing after the other, and hands them what is in their queues."""

    def __init__(self, engine: Engine, template: Template, clients: Clients, variables: Mapping[str, str]) -> None:
        self.phases: list[Phase] = []
        self._template = template
        self._cold = _Cold(engine, variables)
        steps = {template.queue(variables[f"PAYOUT_{name}_QUEUE_URL"]).name for name in ("STEPS", "MAPS")}
        self._failures: list[str] = []
        traffic = Traffic(template, clients=clients, invoker=self._cold, report=self._failures.append)
        self._queues = [runner for runner in traffic.queues if runner.queue.name in steps]

    def _phase(self, name: str) -> None:
        self.phases.append(Phase(name, tuple(self._cold.spent)))
        self._cold.spent.clear()

    def schedule(self, name: str, function: str) -> None:
        event = {"scheduled_at": NOW.isoformat().replace("+00:00", "Z")}
        self._cold.invoke(self._template.function(function), event)
        self._phase(name)

    def steps(self, name: str) -> None:
        """Carry out what is in the queues of payouts, until they are empty."""
        while sum(runner.poll() for runner in self._queues):
            if self._failures or any(runner.failed for runner in self._queues):
                raise RuntimeError(f"{name}: a step failed: {self._failures}")
        self._phase(name)

    def ask(self, name: str, method: str, path: str, body: Any = None, *, token: str, key: str | None = None) -> Any:
        """What the function answers that has the route."""
        event = http_event(method, f"/v1/payouts/{PAYOUT}{path}", body, token=token, key=key)
        return self._answer(name, event, f"/v1/payouts/{{payout_id}}{path}", (200, 201, 202))

    def refused(self, name: str, path: str, body: Any, *, token: str, key: str) -> Any:
        """The problem of a step that the phone must confirm first."""
        event = http_event("POST", f"/v1/payouts/{PAYOUT}{path}", body, token=token, key=key)
        return self._answer(name, event, f"/v1/payouts/{{payout_id}}{path}", (409,))

    def confirm(self, name: str, confirmation_id: str, *, token: str) -> None:
        """Say yes on the phone."""
        path = "/v1/me/staff/confirmations/"
        event = http_event("PUT", f"{path}{confirmation_id}", {"answer": "yes"}, token=token)
        self._answer(name, event, f"{path}{{confirmation_id}}", (200,))

    def _answer(self, name: str, event: Any, route: str, expected: Sequence[int]) -> Any:
        function = next(one for one in self._template.functions if route in (known.path for known in one.routes))
        answer = self._cold.invoke(function, event)
        if answer["statusCode"] not in expected:
            raise RuntimeError(f"{event['httpMethod']} {event['path']}: {answer['statusCode']} {answer['body']}")
        self._phase(name)
        return json.loads(answer["body"])


def pay(payees: int, *, tell: Callable[[str], None], look: Callable[[Mapping[str, str]], None] | None = None) -> Paid:
    """Pay so many members, from the schedule to the settled report, and check what came of it.

    `tell` hears what begins; `look` may look around at the end, given the functions' environment. Then everything is
    gone: processes, tables and files. RuntimeError if a step fails.
    """
    with ExitStack() as cleanup:
        home = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="cardstock-payout-")))
        engine = Engine.start(state=None, log=home / "engine.log", region=REGION)
        cleanup.callback(engine.stop)
        template = load(
            ROOT / "template.yaml", place=Place(region=REGION, endpoint=engine.endpoint),
            parameters={"Environment": "local", "LogLevel": "WARNING"},
        )  # fmt: skip
        clients = connect(engine.endpoint, REGION)
        cleanup.callback(clients.close)
        provision(template, clients)
        path = os.pathsep.join([str(ROOT), *(str(layer) for layer in template.layers)])
        variables = {**os.environ, **environment(template, engine.endpoint), "PYTHONPATH": path}
        desk = _Desk(engine, template, clients, variables)

        tell(f"Filling the tables for {payees} payees")
        started = time.monotonic()
        filled = _run("tests.bench.payees", str(payees), variables=variables, timeout=_FILL_SECONDS)
        token, clerk, phone = filled.split()[-3:]
        filled_seconds = time.monotonic() - started

        tell("Opening and listing")
        desk.schedule("Open", "payouts/monthly_open")
        desk.steps("List")
        seen = desk.ask("Read the payout", "GET", "", token=token)
        approval = {"lines": seen["listed"], "listed_fen": seen["listed_fen"], "note": "checked"}
        asked = desk.refused("Approve, refused", "/approvals", approval, token=token, key="approval")
        desk.confirm("Confirm on the phone", asked["facts"]["confirmation_id"], token=phone)
        desk.ask("Approve", "POST", "/approvals", approval, token=token, key="approval")
        tell("Sending")
        desk.steps("Send")
        lines = desk.ask("Read some lines", "GET", "/lines", token=token)["items"]
        failed = [{"number": line["number"], "result": "failed", "reason": "ACCOUNT_CLOSED"} for line in lines]
        sums = desk.ask("Read what was sent", "GET", "", token=token)["totals"]["sent"]
        results = {"results": failed[: payees // FAILED_ONE_IN + 1], "all_others_paid": True}
        results |= {"lines": sums["lines"], "net_fen": sums["net_fen"]}
        desk.ask("Confirm", "POST", "/results", results, token=clerk, key="results")
        tell("Settling, and writing the report")
        desk.steps(SETTLE)
        report_seconds = float(_run("tests.bench.settled", PAYOUT, variables=variables, timeout=_COMMAND_SECONDS))

        payout = desk.ask("Read the sums", "GET", "", token=token)
        tell("Comparing the books, and writing the report again")
        _command("payout", "reconcile", PAYOUT, variables=variables)
        started = time.monotonic()
        report = _command("payout", "report", PAYOUT, "--again", variables=variables)
        again_seconds = time.monotonic() - started
        if look is not None:
            look(variables)
        wrong = tuple(_wrong(payees, payout, report))
        return Paid(
            payees, filled_seconds, tuple(desk.phases), report_seconds, again_seconds, payout, report["files"], wrong
        )


def _command(*arguments: str, variables: Mapping[str, str]) -> Any:
    """What an operator's command tells. RuntimeError where it finds something wrong."""
    return json.loads(_run("infra.commands.cli", *arguments, "--json", variables=variables, timeout=_COMMAND_SECONDS))


def _wrong(payees: int, payout: Mapping[str, Any], report: Mapping[str, Any]) -> Iterator[str]:
    """What is not as it must be after a payout that went well."""
    if payout["status"] != "settled":
        yield f"the payout is {payout['status']}"
    lines = {status: total["lines"] for status, total in payout["totals"].items()}
    failed = min(payees // FAILED_ONE_IN + 1, _LINES_READ)
    if lines != {"paid": payees - failed, "failed": failed}:
        yield f"of {payees} payees {failed} have no account, but the lines are {lines}"
    books = payout["books"]
    if books is None or not books["closes"] or not books["ledger"] == books["batch"] == books["channel"]:
        yield f"the books differ: {books}"
    names = [file["name"] for file in report["files"] if file["stored"] == "same"]
    if not {"report.xlsx", "lines.csv", "cover.pdf"} < set(names):
        yield f"of the files only {names} are stored as they were recorded"
    again = [file["name"] for file in report["files"] if file.get("again") == "differs"]
    if again:
        yield f"written again, {again} differ"


def missed(paid: Paid) -> list[str]:
    """Which bounds of the report were not kept."""
    (settled,) = (phase for phase in paid.phases if phase.name == SETTLE)
    found = []
    if paid.report_seconds >= MOST_SECONDS:
        found.append(f"{paid.report_seconds:.0f} s for the report are not under {MOST_SECONDS} s")
    if settled.peak_mb >= MOST_MB:
        found.append(f"{settled.peak_mb:.0f} MB for the report are not under {MOST_MB} MB")
    return found


def show(paid: Paid, console: Console) -> None:
    """Print what it took."""
    table = Table(title=f"A payout of {paid.payees:,} people, on the local engine")
    table.add_column("step")
    for name in ("invocations", "seconds", "of CPU", "peak MB", "AWS calls", "WCU"):
        table.add_column(name, justify="right")
    table.add_column("must be under")
    for phase in paid.phases:
        table.add_row(
            phase.name, str(len(phase.spent)), f"{phase.total('seconds'):.1f}", f"{phase.total('cpu_seconds'):.1f}",
            f"{phase.peak_mb:.0f}", f"{phase.total('calls'):,.0f}", f"{phase.total('wcu'):,.0f}", "",
        )  # fmt: skip
        if phase.name == SETTLE:
            bound = f"{MOST_SECONDS} s, {MOST_MB} MB"
            table.add_row(
                "  of it the report", "", f"{paid.report_seconds:.1f}", "", f"{phase.peak_mb:.0f}", "", "", bound
            )
    console.print(table)
    console.print(
        f"Filled in {paid.filled_seconds:.0f} s. Written again, compared byte for byte, in {paid.again_seconds:.0f} s:",
        highlight=False,
    )
    for file in paid.files:
        console.print(f"  {file['name']:12} {file['size']:>12,} bytes, sha256 {file['sha256']}", highlight=False)
    for sentence in (*paid.wrong, *missed(paid)):
        console.print(f"[red]{sentence}[/red]", highlight=False)


def main(payees: int) -> int:
    """Pay, and print what it took. Exit status 1 if a bound is missed or something is wrong."""
    console = Console()
    if not console.is_terminal:
        console.width = 120
    busy = os.getloadavg()[0]
    paid = pay(payees, tell=lambda what: console.print(f"{what} ...", style="dim", highlight=False))
    show(paid, console)
    console.print(
        f"Each invocation is a process of its own, timed from its start. Load of the machine ({os.cpu_count()} "
        f"processors): {busy:.1f} before, {os.getloadavg()[0]:.1f} after.",
        highlight=False,
    )
    return 1 if paid.wrong or missed(paid) else 0
