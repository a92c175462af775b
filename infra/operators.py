"""Which tables a command works on: those that the environment names, or those of a deployment that runs here."""

import json
import os
from datetime import timedelta
from pathlib import Path

import msgspec
import typer

ENVIRONMENT = "environment.json"
"""In the state folder: the variables that the functions have. Locally it is there as long as they run."""
MEMORY = "suite.json"
"""Beside it: how far its clock has been moved, among other things."""
_NOTHING_NAMED = """\
No tables are named: {first} and {others} other environment variables are not set.
What `make serve` runs: add --state .local/serve before the command's name.
A deployed stack: infra/README.md says how to take them from one of its functions."""
_NOTHING_RUNS = "{state}: nothing runs here; `make serve` uses .local/serve"
_USAGE = 2


def work_on(state: Path) -> None:
    """Take environment and clock from what runs with its state in the folder `state`. Exit status 2 if nothing does."""
    try:
        variables = msgspec.json.decode((state / ENVIRONMENT).read_bytes(), type=dict[str, str])
        moved = json.loads(memory.read_bytes()) if (memory := state / MEMORY).exists() else {}
    except FileNotFoundError:
        typer.echo(_NOTHING_RUNS.format(state=state), err=True)
        raise typer.Exit(_USAGE) from None
    os.environ.update(variables)
    from cardstock import bootstrap
    from infra.local.clock import ShiftedClock

    bootstrap.set_clock(ShiftedClock(timedelta(seconds=moved.get("shift_seconds", 0.0))))


def need_tables() -> None:
    """Exit status 2, with what to do, where no tables are named."""
    from cardstock.settings import missing

    if names := missing():
        typer.echo(_NOTHING_NAMED.format(first=names[0], others=len(names) - 1), err=True)
        raise typer.Exit(_USAGE)
