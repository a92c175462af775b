"""The tables that a command works on (of a deployed stack, of a local deployment, or named by the environment), and its
messages when AWS refuses or does not answer."""

import json
import os
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Final, NoReturn

import msgspec
import typer

from infra.commands import terminal
from infra.local.state import ENVIRONMENT, MEMORY

BUCKET_OUTPUT = "ReportsBucket"
"""The output of a deployed stack with the name of its bucket; its tables are named after the stack."""
_NOTHING_NAMED = """\
No tables are named: {first} and {others} other environment variables are not set.
What `make serve` runs: add --state .local/serve before the command's name; what `make demo` left: --state .local/demo.
A deployed stack: add --stack and its name; infra/README.md says what it needs."""
_NOTHING_RUNS = "{state}: no state is here; `make serve` uses .local/serve, `make demo` .local/demo"
_BOTH = "--state and --stack (or CARDSTOCK_STATE and CARDSTOCK_STACK): only one of them"
NEEDED = (
    "BALANCES_TABLE", "COMPLIANCE_TABLE", "LEDGER_TABLE", "MEMBERS_TABLE", "NETWORK_TABLE", "OPEN_ITEMS_TABLE",
    "ORDERS_TABLE", "PARTNERS_TABLE", "PAYOUTS_TABLE", "PLANS_TABLE", "REQUESTS_TABLE", "REWARDS_TABLE",
    "SALES_TABLE", "STAFF_TABLE", "STATEMENTS_TABLE", "REPORTS_BUCKET",
)  # fmt: skip
"""The variables that commands read."""
UNKNOWN = 2
"""Exit status of a command that could not find its answer."""

_state: Path | None = None
_stack: str | None = None
_cleanup: Final = ExitStack()


def work_on(*, state: Path | None = None, stack: str | None = None) -> None:
    """Set where the next command finds its tables; with neither argument, in the environment."""
    global _state, _stack
    _state, _stack = state, stack


def chosen() -> tuple[Path | None, str | None]:
    """The state folder and the stack that the command was given."""
    return _state, _stack


def end() -> None:
    """Stop what the command started."""
    _cleanup.close()


def need_tables() -> None:
    """Load environment and clock. Exit status 2, with advice, if no tables are named."""
    if _state is not None and _stack is not None:
        stop(_BOTH)
    if _state is not None:
        _take_state(_state)
    if _stack is not None:
        _take_stack(_stack)
    if names := [name for name in NEEDED if name not in os.environ]:
        stop(_NOTHING_NAMED.format(first=names[0], others=len(names) - 1))


def trouble(error: BaseException) -> str | None:
    """In one line what AWS refused, or why it did not answer; None for an error that is not about AWS."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError  # the error for a proxy's answer

    from cardstock.errors import UnavailableError

    said: str | None = None
    at: BaseException | None = error
    while at is not None and said is None:
        wrong_address = isinstance(at, ValueError) and str(at).startswith("Invalid endpoint")
        if wrong_address or isinstance(at, BotoCoreError | ClientError | ResponseParserError):
            said = " ".join(str(at).split())
        at = at.__cause__ or at.__context__
    return said or (error.code if isinstance(error, UnavailableError) else None)


def _take_state(state: Path) -> None:
    running, memory = state / ENVIRONMENT, state / MEMORY
    if running.exists():
        variables = msgspec.json.decode(running.read_bytes(), type=dict[str, str])
    elif memory.exists():
        variables = _wake(state)
    else:
        stop(_NOTHING_RUNS.format(state=state))
    moved = json.loads(memory.read_bytes()) if memory.exists() else {}
    os.environ.update(variables)
    from cardstock.clock import set_clock
    from infra.local.clock import ShiftedClock

    set_clock(ShiftedClock(timedelta(seconds=moved.get("shift_seconds", 0.0))))


def _wake(state: Path) -> dict[str, str]:
    """Start the emulator of a state that nothing runs on, until the command ends."""
    from infra.demo.deployment import TEMPLATE
    from infra.local.engine import EngineError
    from infra.local.suite import SuiteError, wake

    try:
        return wake(state, TEMPLATE, {}, _cleanup)
    except (SuiteError, EngineError) as error:
        stop(str(error))


def _take_stack(stack: str) -> None:
    """One call: checks that the stack exists, and reads the name of its bucket. Overwrites the shell's values of the
    variables."""
    bucket = output_of(stack, BUCKET_OUTPUT)
    tables = {name: f"{stack}-{table_of(name)}" for name in NEEDED if name.endswith("_TABLE")}
    os.environ.update(tables | {"REPORTS_BUCKET": bucket})


def output_of(stack: str, name: str) -> str:
    """An output of a deployed stack, by one call. Exit status 2 if there is no such stack or output."""
    from botocore.session import get_session

    from cardstock.aws.client import client

    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
    if region:
        # botocore reads one of the two, other tools the other.
        os.environ["AWS_DEFAULT_REGION"] = region
    try:
        cloudformation = client("cloudformation", connect_seconds=3, read_seconds=10)
        [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except Exception as error:  # errors of AWS or its SDK are reported, others are raised
        said = trouble(error)
        if said is None:
            raise
        stop(f"{stack} in {get_session().get_config_variable('region') or 'no region'}: {said}")
    outputs: dict[str, str] = {entry["OutputKey"]: entry["OutputValue"] for entry in found.get("Outputs", [])}
    if name not in outputs:
        stop(f"{stack}: not a stack of Cardstock, it has no output {name}")
    return outputs[name]


def table_of(variable: str) -> str:
    """`SUPPLIER_ORDERS_TABLE` -> `supplier-orders`: the end of a table's name, after its stack's name."""
    return variable.removesuffix("_TABLE").lower().replace("_", "-")


def stop(message: str) -> NoReturn:
    """End the command with a reason."""
    terminal.write(message, err=True)
    raise typer.Exit(UNKNOWN)
