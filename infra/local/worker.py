"""A process that runs functions for `invoke.WorkerPool`: one call after the other, from the line it was given."""

import socket
import sys
import traceback
from datetime import timedelta

from infra.local.clock import ShiftedClock
from infra.local.invoke import Call, move_clock, receive, run, send


def main() -> None:
    """Serve calls until the line closes."""
    clock = ShiftedClock()
    move_clock(clock)
    with socket.socket(fileno=int(sys.argv[1])) as line:
        while (message := receive(line)) is not None:
            days, seconds, microseconds = message["shift"]
            clock.shift = timedelta(days=days, seconds=seconds, microseconds=microseconds)
            try:
                answer = {"result": run(Call(**message["call"]))}
            except Exception as error:  # whatever a function raises is what its caller is told
                trace = traceback.format_exc()
                print(trace, file=sys.stderr, flush=True)
                answer = {"error": type(error).__name__, "message": str(error), "trace": trace}
            send(line, answer)


if __name__ == "__main__":
    main()
