"""How long importing a function takes, as a ratio to a bare botocore DynamoDB client made in the same run.

CPU seconds of fresh processes, one of each in turn. The median of the pairs counts: what else the machine does hits
both of a pair alike.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping

from infra.local.template import Function
from tests.house.cloud import ROOT, template

BARE = "import botocore.session; botocore.session.get_session().create_client('dynamodb', region_name='us-east-1')"
_TIMED = "import time; start = time.process_time(); {work}; print(time.process_time() - start)"


def _seconds(work: str, environment: Mapping[str, str]) -> float:
    command = [sys.executable, "-c", _TIMED.format(work=work)]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def ratios(rounds: int = 7) -> dict[str, float]:
    """Function's folder -> CPU seconds of its import, over those of the bare client."""
    environment = {
        **os.environ,
        **template().environment(),
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONPATH": os.pathsep.join((str(ROOT / "layers/cardstock/python"), str(ROOT))),
    }
    works = {
        function.folder.removeprefix("functions/"): f"import {function.module}" for function in template().functions
    }
    found: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            ratio = _seconds(work, environment) / _seconds(BARE, environment)
            if number:  # the first round fills the caches of bytecode and of the disk
                found[name].append(ratio)
    return {name: statistics.median(pairs) for name, pairs in found.items()}


def bound(function: Function) -> float:
    """What an import may cost at most."""
    return 1.6 if function.routes else 1.45
