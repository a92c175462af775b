"""How many faults a run has tried, told at its end: a mode at a call of a step, each counted once.

A plugin, so that the controller of a run with workers tells what all of them did.
"""

import os
from collections import Counter

from tests.house import whole_run


def note(mode: str, number: int) -> None:
    """`mode` has just happened to call `number` of the test that runs."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    whole_run.seen("faults").add(f"{mode} {number} {test}")


def tried(failed: set[str]) -> list[str]:
    """The line to print; none where no fault was tried. `failed`: ids of the tests that did."""
    points = [point.split(" ", 2) for point in whole_run.seen("faults")]
    if not points:
        return []
    modes = Counter(mode for mode, _, _ in points)
    tests = {test for _, _, test in points}
    each = ", ".join(f"{mode} {count}" for mode, count in sorted(modes.items()))
    return [f"FAULTS {len(points)} points tried ({each}) in {len(tests)} tests: {len(tests & failed)} failures"]


def pytest_configure() -> None:
    """Be asked at the end."""
    whole_run.figures.append(tried)
