"""Commands for commission plans: `plan check` runs the check, `plan simulate` tries plans before one is published,
`plan publish` puts one in force, `plan list` shows what was.

The first two work without any table. A plan is the name of a preset or a JSON file: the body of
`POST /v1/commission-plans`, or `{"plan": that, "market": {...}}` with what is expected of the shop under this plan
alone. The first two also take `approvals` in that body, which they assume; `plan publish` counts only those that
persons have given with their own keys (`POST /v1/commission-plans/approvals`).
"""

import gc
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column, Table

from cardstock.clock import rfc3339
from cardstock.errors import CardstockError
from cardstock.network import plan_check, plan_schemas
from cardstock.network.presets import PRESETS
from cardstock.network.simulation import schemas as simulations
from cardstock.network.simulation.charts import comparison_svg
from cardstock.network.simulation.comparison import Comparison, compare
from cardstock.network.simulation.market import Market, check_market
from cardstock.network.simulation.outcome import Outcome
from cardstock.network.simulation.trial import Trial, run
from cardstock.network.simulation.wording import names_of, percent, why, yuan
from infra.commands import operators, terminal
from infra.commands.language import language, say
from infra.commands.recorded_orders import FileError, read_orders

app = typer.Typer(no_args_is_help=True, help="Commission plans: what the check finds, what they would cost.")

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Plans = Annotated[list[str], typer.Argument(help=f"Presets ({', '.join(PRESETS)}) or JSON files.")]
_POLL_SECONDS = 0.1
_VERDICTS = {"refused": "不允许", "needs_approval": "需要审批", "approved": "已审批", "warning": "警告"}
_ROWS = {
    "members": "会员", "paid orders": "已支付订单",
    "sales kept, yuan": "净销售额（元）", "cost of sales": "佣金占销售额",
    "margin": "毛利率", "margin, yuan": "毛利（元）",
    "promoters keep, yuan": "推广员所得（元）", "benefits": "优惠券",
    "worst order": "最高单笔比例", "worst at the plan's price": "按方案价最高比例",
    "members who earn": "有奖励的会员", "top 1 % of them has": "其中前 1% 占比",
    "Gini": "基尼系数", "taken back by refunds": "退款扣回",
    "of it after release, yuan": "其中解冻后（元）", "frozen at most, yuan": "待结算最高（元）",
    "sales to non-promoters": "非推广员销售占比", "promotions, demotions": "晋升、降级",
    "guard": "合规检查", "alarms": "警报",
}  # fmt: skip


def _verdict(verdict: str) -> str:
    return say(_VERDICTS.get(verdict, verdict), verdict)


@app.callback()
def main() -> None:
    """Commission plans: what the check finds, what they would cost."""


@app.command()
def check(plans: Plans, as_json: AsJson = False) -> None:
    """Check whether plans may be published, and with which approvals. Exit status 1 if one may
    not."""
    trials = [_trial(name, Market()) for name in plans]
    findings = [plan_check.check(trial.plan, trial.approvals) for trial in trials]
    if as_json:
        view = [
            {
                "plan": trial.plan.id,
                "passes": not plan_check.blocks(found),
                "findings": [plan_schemas.ShownFinding.of(finding) for finding in found],
            }
            for trial, found in zip(trials, findings, strict=True)
        ]
        _print_json({"plans": view})
    else:
        console = terminal.console()
        for trial, found in zip(trials, findings, strict=True):
            refused, passed = say("不能发布", "refused"), say("可以发布", "passes")
            passes = f"[red]{refused}[/red]" if plan_check.blocks(found) else f"[green]{passed}[/green]"
            console.print(f"{trial.plan.id}: {passes}", highlight=False)
            for f in found:
                passing = say("可通过", "would pass")
                terminal.write(f"  {f.check} {_verdict(f.verdict)}: {f.found}; {passing}: {f.passes}\n    {f.clause}")
    raise typer.Exit(1 if any(plan_check.blocks(found) for found in findings) else 0)


@app.command()
def publish(
    plan: Annotated[str, typer.Argument(help=f"A preset ({', '.join(PRESETS)}) or a JSON file.")],
    actor: Annotated[
        str,
        typer.Option(help="Who publishes it; kept with the version. If the plan needs approvals: a person (stf_...)."),
    ],
    as_json: AsJson = False,
) -> None:
    """Publish a plan and put it in force, through its check. What is in force already changes nothing. Exit status 1 if
    the check refuses it, with each failed check and what would pass.

    Approvals are those that other persons have given with their own keys; a file cannot name any.
    """
    operators.need_tables()
    from cardstock.errors import RefusedError, UnavailableError
    from cardstock.network import wiring
    from cardstock.network.publishing import publish_approved_plan
    from cardstock.staff import wiring as staff_wiring

    trial = _trial(plan, Market())
    if not actor.strip():
        operators.stop("--actor: a name is needed")
    if trial.approvals:
        operators.stop(
            say(
                "approvals：须由审批人用自己的密钥提交，POST /v1/commission-plans/approvals",
                "approvals: persons give them with their own keys, POST /v1/commission-plans/approvals",
            )
        )
    before = wiring.plans().plan_in_force()
    try:
        published = publish_approved_plan(
            trial.plan, actor, plans=wiring.plans(), can_approve=lambda other: staff_wiring.can_approve(other, actor)
        )
    except RefusedError as error:
        findings: Any = error.facts["findings"]
        if as_json:
            _print_json({"published": None, "findings": findings})
        else:
            for found in findings:
                passes = say("可通过", "would pass")
                terminal.write(
                    f"{found['check']} {_verdict(found['verdict'])}: {found['found']}; {passes}: {found['passes']}"
                )
                terminal.write(f"  {found['clause']}")
        raise typer.Exit(1) from error
    except UnavailableError:
        raise
    except CardstockError as error:
        operators.stop(_describe_error(error))
    record = published.made
    replaced = None if before is None or before == record else before.plan.ref
    if as_json:
        view = msgspec.to_builtins(plan_schemas.ShownPlan.of(record))
        _print_json({"published": view, "new": before != record, "replaced": replaced})
    else:
        before_it = say(f"，取代 {replaced}", f" instead of {replaced}") if replaced else ""
        terminal.write(say(f"{record.plan.ref} 已生效", f"{record.plan.ref} is in force") + before_it)


@app.command("list")
def list_versions(as_json: AsJson = False) -> None:
    """List every published version, and which is in force."""
    operators.need_tables()
    from cardstock.network import wiring

    plans = wiring.plans()
    current = plans.plan_in_force()
    found, after = plans.list_plans(100, None)
    while after is not None:
        more, after = plans.list_plans(100, after)
        found += more
    in_force = None if current is None else current.plan.ref
    if as_json:
        _print_json({
            "in_force": in_force, "plans": [msgspec.to_builtins(plan_schemas.ShownPlan.of(record)) for record in found],
        })  # fmt: skip
        return
    # Folded, not cut: an id or a time that ends in dots tells nothing.
    names = (
        say("方案", "plan"), say("发布时间", "published"), say("发布人", "by"), say("审批", "approved by"),
        say("生效中", "in force"),
    )  # fmt: skip
    table = Table(*(Column(name, overflow="fold") for name in names))
    for record in found:
        approvers = ", ".join(f"{approval.check}: {approval.by}" for approval in record.approvals)
        mark = say("是", "yes") if record.plan.ref == in_force else ""
        table.add_row(record.plan.ref, rfc3339(record.published_at), record.published_by, approvers, mark)
    terminal.console().print(table)


@app.command()
def simulate(  # noqa: PLR0917 - a command's options are its parameters
    plans: Plans,
    members: Annotated[int, typer.Option(help="Members of the synthetic shop.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed is the same shop.")] = 1,
    assume: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another parameter of the shop, as conversion_bps=2500. Repeat it."),
    ] = None,
    orders: Annotated[
        Path | None, typer.Option(help="Recorded orders, .jsonl or .csv, instead of a synthetic shop.", exists=True)
    ] = None,
    partner: Annotated[
        list[str] | None, typer.Option(help="Member appointed before the recorded orders. Repeat it.")
    ] = None,
    margin_floor: Annotated[int, typer.Option(help="Lowest margin, basis points of sales.")] = 0,
    cost_cap: Annotated[int, typer.Option(help="Highest cost, basis points of sales.")] = 3_000,
    goal: Annotated[str, typer.Option(help="`margin` of the brand or `earnings` of promoters.")] = "margin",
    svg: Annotated[Path | None, typer.Option(help="Draw the comparison into this file.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Processes to use; default: one per plan.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Try plans on recorded orders or on a synthetic shop, and pick the best within bounds. Exit status 1 if none is.

    The rules are those that pay. Each plan runs in one process without any table; memory grows with active members.
    """
    given = {"members": members, "seed": seed, **dict(_assumption(text) for text in assume or [])}
    market = _stop_on_refusal(
        lambda: simulations.market_of(msgspec.convert(given, simulations.MarketParameters), Market())
    )
    bounds = _stop_on_refusal(
        lambda: msgspec.convert(
            {"margin_floor_bps": margin_floor, "cost_cap_bps": cost_cap, "goal": goal}, simulations.SimulationBounds
        )
    )
    works = [_TrialTask(index, _trial(name, market), orders, tuple(partner or ())) for index, name in enumerate(plans)]
    started = time.perf_counter()
    done = _stop_on_refusal(lambda: _run_trials(works, jobs or len(works), show=not as_json))
    seconds = time.perf_counter() - started
    comparison = compare([one.outcome for one in done], simulations.bounds_of(bounds))
    if svg is not None:
        svg.write_text(comparison_svg(comparison, names_of(comparison), english=False) + "\n", encoding="utf-8")
    if as_json:
        view = msgspec.to_builtins(simulations.Simulation.of(comparison, "en", chart=False))
        _print_json({
            **view,
            "seconds_ms": int(seconds * 1000),
            "processes": [{"cpu_ms": one.cpu_ms, "peak_memory_mb": one.peak_memory_mb} for one in done],
        })  # fmt: skip
    else:
        _show(comparison, done, seconds)
    raise typer.Exit(1 if comparison.best is None else 0)


@dataclass(frozen=True, slots=True)
class _TrialTask:
    """One plan for one process. Recorded orders are read there, one by one."""

    index: int
    trial: Trial
    orders: Path | None
    partners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _TrialResult:
    outcome: Outcome
    cpu_ms: int
    peak_memory_mb: int


_counts: Any = None
"""Shared with the parent: what each plan's process has come to."""


def _share_counts(counts: Any) -> None:
    global _counts  # noqa: PLW0603 - what a process pool's initializer is for
    _counts = counts
    # Nothing here is cyclic, and looking for cycles among a million members takes time.
    gc.disable()


def _run_trial(work: _TrialTask) -> _TrialResult:
    def progress(count: int) -> None:
        _counts[work.index] = count

    started = time.process_time()
    orders = None if work.orders is None else read_orders(work.orders)
    try:
        outcome = run(work.trial, orders, work.partners, progress=progress)
    except CardstockError as error:
        raise FileError(_describe_error(error)) from None  # refusals cannot be sent to another process as they are
    cpu = time.process_time() - started
    # Kilobytes on Linux, bytes on macOS.
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return _TrialResult(outcome, int(cpu * 1000), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit)


def _run_trials(works: Sequence[_TrialTask], jobs: int, *, show: bool) -> list[_TrialResult]:
    spawn = multiprocessing.get_context("spawn")
    counts = spawn.Array("q", len(works), lock=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}"))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with (
        Progress(*columns, *times, console=terminal.console(err=True), disable=not show) as bar,
        ProcessPoolExecutor(jobs, spawn, initializer=_share_counts, initargs=(counts,)) as pool,
    ):
        futures = [pool.submit(_run_trial, work) for work in works]
        tasks = [bar.add_task(work.trial.plan.id, total=_expected_count(work)) for work in works]
        left = set(futures)
        while left:
            left = wait(left, timeout=_POLL_SECONDS).not_done
            for task, count, future in zip(tasks, counts, futures, strict=True):
                bar.update(task, completed=count, **({"total": count} if future.done() else {}))
            if any(future.done() and future.exception() for future in futures):
                for future in left:
                    future.cancel()
        return [future.result() for future in futures]


def _expected_count(work: _TrialTask) -> int | None:
    """Members and orders that a synthetic shop will have, about; of recorded orders nobody knows before the end."""
    market = work.trial.market
    if work.orders is not None:
        return None
    return market.members + market.members * market.conversion_bps // (10_000 - market.repeat_bps)


def _trial(name: str, market: Market) -> Trial:
    """A plan by the name of its preset or of its file."""
    content = b'{"preset":"%s"}' % name.encode() if name in PRESETS else b""
    if not content:
        try:
            content = Path(name).read_bytes()
        except OSError as error:
            operators.stop(f"{name}: no preset ({', '.join(PRESETS)}), and no file: {error.strerror}")
    body = _stop_on_refusal(lambda: simulations.decode_candidate(content, name))
    trial: Trial = _stop_on_refusal(lambda: simulations.trial_of(body, market, datetime.now(UTC)))
    _stop_on_refusal(lambda: check_market(trial.market))
    return trial


def _assumption(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    try:
        return name, int(value)
    except ValueError:
        operators.stop(f"{text}: not a parameter and a whole number, as conversion_bps=2500")


def _stop_on_refusal(does: Any) -> Any:
    """What `does` answers; its refusals end the command with a message."""
    try:
        return does()
    except (FileError, msgspec.MsgspecError) as error:
        operators.stop(str(error))
    except CardstockError as error:
        operators.stop(_describe_error(error))
    except BrokenExecutor:
        operators.stop("A process was ended from outside; if memory was short, try --jobs 1.")


def _describe_error(error: CardstockError) -> str:
    facts = [f"{name}={value}" for name, value in error.facts.items()]
    return " ".join([error.code, *facts, *(f"{pointer.pointer} {pointer.code}" for pointer in error.pointers)])


def _print_json(view: Any) -> None:
    terminal.write_json(msgspec.to_builtins(view))


def _show(comparison: Comparison, done: Sequence[_TrialResult], seconds: float) -> None:
    names = names_of(comparison)
    table = Table()
    table.add_column("", overflow="fold")
    for index, name in enumerate(names):
        title = f"[green]{name}[/green]" if index == comparison.best else name
        table.add_column(title, justify="right", overflow="fold")
    rows: dict[str, Callable[[Outcome], str]] = {
        "members": lambda o: f"{o.members:,}",
        "paid orders": lambda o: f"{o.orders:,}",
        "sales kept, yuan": lambda o: yuan(o.kept),
        "cost of sales": lambda o: percent(o.cost_bps),
        "margin": lambda o: percent(o.margin_bps),
        "margin, yuan": lambda o: yuan(o.margin),
        "promoters keep, yuan": lambda o: yuan(o.rewards),
        "benefits": lambda o: f"{o.benefits:,}",
        "worst order": lambda o: percent(o.worst_order_bps),
        "worst at the plan's price": lambda o: percent(o.worst_reference_bps),
        "members who earn": lambda o: percent(o.earning_bps),
        "top 1 % of them has": lambda o: percent(o.top_bps),
        "Gini": lambda o: percent(o.gini_bps),
        "taken back by refunds": lambda o: percent(o.clawed_bps),
        "of it after release, yuan": lambda o: yuan(o.clawed_late),
        "frozen at most, yuan": lambda o: yuan(o.peak_frozen),
        "sales to non-promoters": lambda o: percent(o.outside_bps),
        "promotions, demotions": lambda o: f"{o.promotions:,}, {o.demotions:,}",
        "guard": lambda o: ", ".join(f"{f.check} {f.verdict}" for f in o.findings) or "passes",
        "alarms": lambda o: ", ".join(f"{name} {value:,}" for name, value in o.alarms) or "-",
    }  # fmt: skip
    for label, cell in rows.items():
        table.add_row(say(_ROWS[label], label), *[cell(outcome) for outcome in comparison.outcomes])
    console = terminal.console()
    console.print(table)
    console.print(why(comparison, english=language() == "en"), highlight=False)
    memory = max(one.peak_memory_mb for one in done)
    console.print(f"{seconds:.1f} s, {memory} MB at most in a process", style="dim")
