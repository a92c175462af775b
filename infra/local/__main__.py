"""`python -m infra.local serve`: the deployment on this machine, until Ctrl-C; its state survives."""

import contextlib
import importlib.util
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from infra.local.engine import EngineError
from infra.local.schedules import ScheduleError
from infra.local.suite import Suite, SuiteError
from infra.local.template import ROOT, TemplateError

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def main() -> None:
    """Cardstock on this machine, without Docker and without an AWS account."""


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port of the HTTP API on 127.0.0.1.")] = 8700,
    sandbox_port: Annotated[int, typer.Option(help="Port of the sandbox payment channel.")] = 8701,
    state: Annotated[Path, typer.Option(help="Where state and logs are kept.")] = ROOT / ".local" / "serve",
    workers: Annotated[int | None, typer.Option(help="Processes for requests, and as many for events.")] = None,
    seed: Annotated[bool, typer.Option(help="Fill an empty state with the demonstration's data.")] = True,
) -> None:
    """Serve the HTTP API and run queues, pipes and schedules until Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        suite = Suite.start(state_dir=state, port=port, sandbox_port=sandbox_port, workers=workers, background=True)
    except (SuiteError, EngineError, TemplateError, ScheduleError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    with suite:
        if seed and suite.provisioned.tables:
            _seed(suite)
        typer.echo(f"API            {suite.url}")
        typer.echo(f"what runs      {suite.url}/")
        typer.echo(f"API reference  {suite.url}/docs")
        typer.echo(f"sandbox        {suite.sandbox.url}")
        typer.echo(f"state, logs    {suite.state_dir}")
        typer.echo("Ctrl-C stops; the state is kept.")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            while not stop.wait(1.0):
                suite.engine.check()
        typer.echo("Stopping.")


def _seed(suite: Suite) -> None:
    """The demonstration's own way of filling an empty deployment, where there is one: `demo.seed(suite)`."""
    if importlib.util.find_spec("infra.local.demo") is None:
        return
    demo = importlib.import_module("infra.local.demo")
    if hasattr(demo, "seed"):
        demo.seed(suite)


if __name__ == "__main__":
    app()
