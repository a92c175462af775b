"""`make bench`: count what the main operations cost, time imports, print both and write them into `infra/COSTS.md`.

With `--counts` the counts alone, in half a minute; with `--payees 10000` one payout to so many people instead, in
seconds and memory. Exit status 1 if a count is above its bound: times depend on the machine and on what else it does,
so one above its aim is named and no more. Progress goes to standard error.
"""

import argparse
import logging
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"  # their lines would stand between ours

import pytest
from rich.console import Console
from rich.table import Table

import tests.conftest  # noqa: F401  # the environment, before anything reads it
from infra.demo.progress import Steps, progress
from infra.local import costs
from infra.local.template import ROOT
from tests.bench import costs_document as document
from tests.bench.costs_document import Row

MOST_PYTHON_CALLS = 12_300


def _count(step: Steps) -> list[Row]:
    costs.install()  # before the operations are imported: the first client is made there
    step("importing the operations")
    from tests.bench import counts

    tick, rows = step("counting", len(counts.PARTS)), list[Row]()
    for part in counts.PARTS:
        rows += part()
        tick()
    return rows


def _measure(step: Steps) -> list[Row]:
    """What depends on the machine and on Python's version: a warm order's Python calls, and what imports cost."""
    from tests.bench import imports, operations
    from tests.house.cloud import template

    step("counting Python calls of an order")
    calls = operations.python_calls_of_an_order(pytest.MonkeyPatch())
    most, within = f"{MOST_PYTHON_CALLS:,}", calls <= MOST_PYTHON_CALLS
    rows = [Row("Place an order, warm: Python calls", f"{calls:,}", most, "", within)]
    bounds = {function.folder.removeprefix("functions/"): imports.bound(function) for function in template().functions}
    step("timing imports")
    found = imports.ratios(rounds=int(os.environ.get("ROUNDS", "7")))
    for name, ratio in sorted(found.items(), key=lambda pair: (-round(pair[1], 2), pair[0])):
        within = round(ratio, 2) <= bounds[name]
        rows.append(Row(f"Import `{name}`", f"{ratio:.2f}", f"{bounds[name]:.2f}", "1.00", within))
    return rows


def _write(counted: Sequence[Row], measured: Sequence[Row]) -> None:
    text = document.with_block(document.PATH.read_text("utf-8"), "counts", document.counts_table(counted))
    if measured:
        python, machine = platform.python_version(), f"{platform.machine()}, {os.cpu_count()} CPUs"
        rows = ((row.operation, row.counted, row.at_most) for row in measured)
        table = document.markdown(("Operation", "Measured", "Aim"), rows)
        head = f"Measured on {datetime.now(UTC).date()} with Python {python} on {machine}.\n\n"
        text = document.with_block(text, "measured", head + table)
    document.PATH.write_text(text, "utf-8")


def _show(rows: Sequence[Row], console: Console) -> None:
    table = Table("operation", "found", "at most", "floor", "bound", title="What the main operations cost")
    for row in rows:
        verdict = "[green]kept" if row.within else "[red]missed"
        table.add_row(row.operation, row.counted, row.at_most, row.floor, verdict)
    console.print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--counts", action="store_true", help="count only, measure nothing")
    parser.add_argument("--payees", type=int, metavar="N", help="time a payout to so many people instead")
    found = parser.parse_args()
    if found.payees is not None and found.payees < 1:
        parser.error("a payout needs somebody to pay")
    return found


def main() -> int:
    """Count, measure, print, write."""
    arguments = _arguments()
    if arguments.payees is not None:
        from tests.bench import large_payout

        return large_payout.main(arguments.payees)
    logging.disable(logging.CRITICAL)
    console = Console()
    if not console.is_terminal:
        console.width = 140
    with progress(Console(stderr=True)) as step:
        counted = _count(step)
        measured = [] if arguments.counts else _measure(step)
    _show([*counted, *measured], console)
    _write(counted, measured)
    for row in (*counted, *measured):
        if not row.within:
            console.print(f"above its bound: {row.operation}: {row.counted}, at most {row.at_most}", style="red")
    console.print(f"written: {document.PATH.relative_to(ROOT)}")
    return 0 if all(row.within for row in counted) else 1


if __name__ == "__main__":
    sys.exit(main())
