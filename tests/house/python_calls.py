"""Counting the Python functions that some work calls: a cost that does not depend on the machine."""

import sys
from collections.abc import Callable
from types import FrameType


def python_calls(work: Callable[[], object]) -> int:
    """How many Python functions `work` calls."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    tracer = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(tracer)
    return calls
