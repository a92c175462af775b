"""What only a run of all tests can show: that everything granted is used, that every payload is executed.

A plugin notes what it sees with `seen` and adds to `checks` a function that tells what is missing. Workers hand what
they saw to the controller; after a complete run that passed, whatever is missing is named and fails the run.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

checks: list[Callable[[], list[str]]] = []
figures: list[Callable[[set[str]], list[str]]] = []
"""What a run has to tell at its end, given the ids of the tests that failed; said after every run."""
_seen: dict[str, set[str]] = {}


def seen(kind: str) -> set[str]:
    """What was seen of one kind, in this process; after the run, in all of them."""
    return _seen.setdefault(kind, set())


def is_complete(config: pytest.Config) -> bool:
    """Whether this run was asked to run every test."""
    option = config.option
    chosen = option.keyword or option.markexpr or getattr(option, "lf", False) or config.args_source.name != "TESTPATHS"
    return not chosen


class Collector:
    """The controller's part."""

    def __init__(self) -> None:
        self._missing: list[str] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker has finished."""
        for kind, names in json.loads(getattr(node, "workeroutput", {}).get("seen", "{}")).items():
            seen(kind).update(names)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Any:
        """Fail a run that passed and covered everything but has left something out."""
        if exitstatus == 0 and is_complete(session.config):
            self._missing = [line for check in checks for line in check()]
            if self._missing:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return (yield)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Tell the figures, and name what is missing."""
        failed = {report.nodeid for kind in ("failed", "error") for report in terminalreporter.stats.get(kind, [])}
        for line in (line for figure in figures for line in figure(failed)):
            terminalreporter.write_line(line)
        for line in self._missing:
            terminalreporter.write_line(f"MISSING {line}", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it saw."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["seen"] = json.dumps({kind: sorted(names) for kind, names in _seen.items()})


def pytest_configure(config: pytest.Config) -> None:
    """The controller, or a run without workers, collects."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Collector(), "whole-run-collector")
