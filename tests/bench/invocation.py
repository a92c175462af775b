"""One invocation of a function in a process of its own, as Lambda starts one: what it answered and what it took.

Reads the call from standard input. The last line of standard output is the answer: functions log there too.
"""

import json
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path

from infra.demo.deployment import CLOCK_HOOK
from infra.local.clock import ShiftedClock
from infra.local.invoke import Call, run, set_process_clock

_STATUS = Path("/proc/self/status")


def peak_mb() -> float:
    """The most memory that this process has held, in MB as Lambda counts them (2**20 bytes).

    Not `ru_maxrss` on Linux: a new process begins there with what its parent held.
    """
    if _STATUS.exists():
        return (
            next(int(line.split()[1]) for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM")) / 1024
        )
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / (1024 * 1024 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Carry it out; whatever the function raises ends this process."""
    asked = json.load(sys.stdin)
    set_process_clock(CLOCK_HOOK, ShiftedClock(timedelta(seconds=asked["shift"])))
    result = json.loads(run(Call(**asked["call"])))
    told = {"result": result, "peak_mb": peak_mb(), "cpu_seconds": time.process_time()}
    print(f"\n{json.dumps(told, ensure_ascii=True)}", flush=True)


if __name__ == "__main__":
    main()
