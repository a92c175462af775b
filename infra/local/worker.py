"""A process that runs functions for `invoke.WorkerPool`: one call after the other, from the given connection."""

import os
import socket
import sys
import traceback
from datetime import timedelta

from infra.local.clock import ShiftedClock
from infra.local.invoke import Call, OwnVariables, receive, run, send, set_process_clock


def main() -> None:
    """Serve calls until the connection closes."""
    clock = ShiftedClock()
    set_process_clock(sys.argv[2], clock)
    variables = OwnVariables(os.environ)
    with socket.socket(fileno=int(sys.argv[1])) as line:
        while (message := receive(line)) is not None:
            days, seconds, microseconds = message["shift"]
            clock.shift = timedelta(days=days, seconds=seconds, microseconds=microseconds)
            call = Call(**message["call"])
            variables.change_to(call.environment)
            try:
                answer = {"result": run(call)}
            except Exception as error:  # the caller gets whatever the function raises
                trace = traceback.format_exc()
                print(trace, file=sys.stderr, flush=True)
                answer = {"error": type(error).__name__, "message": str(error), "trace": trace}
            send(line, answer)


if __name__ == "__main__":
    main()
