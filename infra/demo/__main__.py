"""`python -m infra.demo serve`: the deployment on this machine, until Ctrl-C; its state is kept."""

import contextlib
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from infra.demo.demo import PARAMETERS, STATE, run
from infra.demo.deployment import FILES_PORT, PLATFORMS_PORT, PORTS, PUBLIC, SANDBOX_PORT, STAFF, start
from infra.demo.one_run import DemoError
from infra.demo.seeding import seed as seed_shop
from infra.demo.shop import ShopError
from infra.demo.shop_data import EXTRACT, ShopDataError
from infra.demo.summary import COMMAND, export_lines, near
from infra.local.engine import EngineError
from infra.local.schedules import ScheduleError
from infra.local.suite import SuiteError
from infra.local.template import ROOT, TemplateError, given_parameters

app = typer.Typer(add_completion=False, no_args_is_help=True)

MAX_PORT = 65_532


@app.callback()
def main() -> None:
    """Cardstock on this machine, without Docker and without an AWS account."""


@app.command()
def serve(
    *,
    port: Annotated[
        int,
        typer.Option(min=0, max=MAX_PORT, help="Port of the public API on 127.0.0.1; the others follow it; 0: any."),
    ] = PORTS[PUBLIC],
    staff_port: Annotated[
        int | None, typer.Option(min=0, max=MAX_PORT, help="Port of the API of staff and partners; else PORT + 2.")
    ] = None,
    sandbox_port: Annotated[
        int | None, typer.Option(min=0, max=MAX_PORT, help="Port of the sandbox payment channel; else PORT + 1.")
    ] = None,
    platforms_port: Annotated[
        int | None, typer.Option(min=0, max=MAX_PORT, help="Port of the local platforms; else PORT + 3.")
    ] = None,
    files_port: Annotated[
        int | None, typer.Option(min=0, max=MAX_PORT, help="Port of the public files; else PORT + 4.")
    ] = None,
    state: Annotated[Path, typer.Option(help="Where state and logs are kept.")] = ROOT / ".local" / "serve",
    workers: Annotated[int | None, typer.Option(help="Processes for requests, and as many for events.")] = None,
    seed: Annotated[bool, typer.Option(help="Fill an empty state with the demonstration's data.")] = True,
    parameter: Annotated[
        list[str] | None, typer.Option(help="Parameters of the template, NAME=VALUE each, such as FreightFen=800.")
    ] = None,
) -> None:
    """Serve the HTTP APIs and run queues, pipes and schedules until Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    typer.echo("starting")
    sys.stdout.flush()
    staff_port = _following(port, PORTS[STAFF]) if staff_port is None else staff_port
    sandbox_port = _following(port, SANDBOX_PORT) if sandbox_port is None else sandbox_port
    platforms_port = _following(port, PLATFORMS_PORT) if platforms_port is None else platforms_port
    files_port = _following(port, FILES_PORT) if files_port is None else files_port
    try:
        suite = start(
            state_dir=state, ports={PUBLIC: port, STAFF: staff_port}, sandbox_port=sandbox_port,
            platforms_port=platforms_port, files_port=files_port, workers=workers, background=True,
            parameters=PARAMETERS | given_parameters(parameter or []),
        )  # fmt: skip
    except (SuiteError, EngineError, TemplateError, ScheduleError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    with suite:
        if seed and suite.provisioned.tables:
            try:
                seed_shop(suite)
            except (ShopError, DemoError) as error:
                typer.echo(f"The shop was not seeded: {error}", err=True)
                raise typer.Exit(1) from None
        typer.echo(f"API            {suite.urls[PUBLIC]}")
        typer.echo(f"staff API      {suite.urls[STAFF]}")
        typer.echo(f"what runs      {suite.url}/")
        typer.echo(f"API reference  {suite.url}/docs")
        typer.echo(f"sandbox        {suite.sandbox.url}")
        typer.echo(f"state, logs    {suite.state_dir}")
        typer.echo(f"commands       {COMMAND} --state {near(suite.state_dir)} ledger verify")
        typer.echo(f"a refusal      {COMMAND} --state {near(suite.state_dir)} trace TRACE_ID")
        if suite.platforms is not None:
            for name in suite.platforms.logins:
                typer.echo(f"{name + ' codes':15}{suite.platforms.url}/{name}/codes?person=anna&phone=13800138000")
        for line in export_lines(suite.urls[STAFF], suite.state_dir):
            typer.echo(line)
        typer.echo("Ctrl-C stops; the state is kept.")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            while not stop.wait(1.0):
                suite.engine.check()
        typer.echo("Stopping.")


def _following(port: int, usual: int) -> int:
    """The port as far from the public API's as usual; any one if that is any one."""
    return port and port + usual - PORTS[PUBLIC]


@app.command()
def demo(
    data: Annotated[
        Path,
        typer.Option(help="Invoices, CSV or CSV.gz in any usual encoding, with the columns of the extract."),
    ] = EXTRACT,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many invoices.")] = None,
    state: Annotated[Path, typer.Option(help="Where state, report and summary are left; emptied first.")] = STATE,
) -> None:
    """Run the main job on real data: from card views to the payout report."""
    try:
        raise typer.Exit(run(data=data, limit=limit, state=state))
    except (ShopDataError, ShopError, DemoError, SuiteError, EngineError, TemplateError, ScheduleError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
