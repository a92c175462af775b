"""Variables of the environment, read when they are first needed.

`template.yaml` declares for each function exactly the variables that it reads; a test compares the two. Each area's
`wiring.py` names its own.
"""

import os
from collections.abc import Mapping

source: Mapping[str, str] = os.environ
"""Where variables are read; tests put a recording mapping here."""


def text(name: str) -> str:
    """The value of a variable, which may be empty. Raises `RuntimeError` with its name if it is not set."""
    try:
        return source[name]
    except KeyError as error:
        raise RuntimeError(f"environment variable {name} is not set") from error


def number(name: str) -> int:
    """The value of a variable as a whole number. Raises `RuntimeError` if it is not set, `ValueError` if it is none."""
    return int(text(name))
