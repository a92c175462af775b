"""Progress of a long command in a pipe."""

import io
import time

from rich.console import Console

from infra.demo.progress import progress


def test_a_pipe_gets_a_line_at_once_and_never_waits_for_the_next_one() -> None:
    pipe = io.StringIO()
    with progress(Console(file=pipe, width=60), every=0.01) as step:
        tick = step("members", 3)
        tick()
        began = pipe.getvalue()
        time.sleep(0.1)
        step("closing the month")

    lines = pipe.getvalue().splitlines()
    assert began.startswith("members: 0 of 3 (0 s)\n")
    assert lines.count("members: 1 of 3 (0 s)") > 1
    assert lines[-1].startswith("closing the month: done in ")
    assert not any("\x1b" in line for line in lines)
