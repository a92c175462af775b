"""Holds what functions read of the environment against what the templates declare for them.

`cardstock.environment.source` is replaced by a mapping that records each read and asks the stack which function it was
made for, as `rights.py` does. A read of what is not declared fails its test; a variable that a complete run
never read fails the run. Names of tables, queues, buckets and secrets are held statically: who has a right on one has
its name, and nobody else (`tests/architecture/test_the_template.py`).
"""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from cardstock import environment
from tests.house import whole_run
from tests.house.rights import acting_function
from tests.house.stacks import functions, named_by, stack, variables

_fresh: list[str] = []


@cache
def of_all() -> frozenset[str]:
    """The variables that every function has."""
    return frozenset(stack("template.yaml")["Globals"]["Function"]["Environment"]["Variables"])


@cache
def _declared(function: str) -> frozenset[str]:
    return of_all() | variables(function).keys()


class _Recorder(Mapping[str, str]):
    """The environment; notes who reads what."""

    def __getitem__(self, name: str) -> str:
        function = acting_function()
        if function is not None:
            whole_run.seen("variables").add(f"{function} {name}")
            if name not in _declared(function):
                _fresh.append(f"{function} reads {name}, which its template does not declare")
        return os.environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


@pytest.fixture(autouse=True)
def variables_suffice() -> Any:
    """Fails a test in which a function read a variable that it does not have."""
    _fresh.clear()
    yield
    missing = sorted(set(_fresh))
    _fresh.clear()
    assert not missing, "\n".join(missing)


def unread() -> list[str]:
    """Variables that are declared for a function and that no test was seen to read."""
    used = whole_run.seen("variables")
    return [
        f"{function} never reads {name}, which its template declares"
        for function in sorted(functions())
        for name in sorted(variables(function))
        if named_by(name) is None and f"{function} {name}" not in used
    ]


def pytest_configure() -> None:
    """Record from now on."""
    environment.source = _Recorder()
    whole_run.checks.append(unread)
