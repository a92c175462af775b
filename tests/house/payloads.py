"""Every file of `events/` must be executed by a test: a complete run that never opens one of them fails."""

import os
import sys
from pathlib import Path

from tests.house import whole_run

EVENTS = Path(__file__).resolve().parents[2] / "events"
_PREFIX = f"{EVENTS}{os.sep}"


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        path = str(arguments[0])
        if path.startswith(_PREFIX):
            whole_run.seen("payloads").add(path)


def function_of(path: Path) -> str:
    """`events/orders/api/place.json` -> `orders/api`: the function that a payload is for."""
    return path.parent.relative_to(EVENTS).as_posix()


def unread() -> list[str]:
    """Payloads that no test has opened."""
    missing = {str(path) for path in EVENTS.glob("*/*/*.json")} - whole_run.seen("payloads")
    return [f"no test executes {path.removeprefix(_PREFIX)}" for path in sorted(missing)]


def pytest_configure() -> None:
    """Notice what is opened from now on."""
    sys.addaudithook(_note)
    whole_run.checks.append(unread)
