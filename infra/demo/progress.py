"""Progress of a long command: bars on a terminal, and in a pipe plain lines, at least one every five seconds."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

LINE_EVERY_SECONDS: Final = 5.0


class Steps(Protocol):
    """Begins the next step."""

    def __call__(self, name: str, total: int = 0, /) -> Callable[[], None]:
        """Returns a function to call once per item done. `total` 0: the step has no items."""


@contextmanager
def progress(console: Console, *, every: float = LINE_EVERY_SECONDS) -> Iterator[Steps]:
    """Show the steps that the body begins. In a pipe each line is written at once, and none is longer away than
    `every` seconds."""
    if console.is_terminal:
        with _bars(console) as step:
            yield step
        return
    lines = _Lines(console)
    ending = threading.Event()

    def repeat() -> None:
        while not ending.wait(every):
            lines.report()

    thread = threading.Thread(target=repeat, name="progress", daemon=True)
    thread.start()
    try:
        yield lines.begin
    finally:
        ending.set()
        thread.join()
        lines.end()


@contextmanager
def _bars(console: Console) -> Iterator[Steps]:
    columns = (TextColumn("{task.description:22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:

        def step(name: str, total: int = 0, /) -> Callable[[], None]:
            task = bars.add_task(name, total=total or None)
            return lambda: bars.advance(task)

        yield step


class _Lines:
    """The steps as lines: one when a step begins, one when it ends, and those in between that `report` asks for."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._name = ""
        self._done = self._total = 0
        self._began = 0.0

    def begin(self, name: str, total: int = 0, /) -> Callable[[], None]:
        """Begin a step, which ends the one before."""
        self.end()
        with self._lock:
            self._name, self._total, self._done, self._began = name, total, 0, time.monotonic()
        self.report()

        def tick() -> None:
            with self._lock:
                if self._name == name:
                    self._done += 1

        return tick

    def report(self) -> None:
        """Print where the step is."""
        with self._lock:
            if self._name:
                count = f" {self._done:,} of {self._total:,}" if self._total else ""
                self._print(f"{self._name}:{count} ({time.monotonic() - self._began:.0f} s)")

    def end(self) -> None:
        """Print that the step is done."""
        with self._lock:
            if self._name:
                self._print(f"{self._name}: done in {time.monotonic() - self._began:.1f} s")
            self._name = ""

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False)
        self._console.file.flush()
