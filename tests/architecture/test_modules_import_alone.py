"""Every module of the package can be imported first: none depends on what happened to be imported before it."""

import subprocess
import sys

from tests.house.cloud import ROOT

PACKAGE = ROOT / "layers/cardstock/python"
_IMPORT_EACH = """
import importlib, sys
for name in sys.argv[1:]:
    for known in [known for known in sys.modules if known.partition(".")[0] == "cardstock"]:
        del sys.modules[known]
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(name, error)
"""


def test_every_module_can_be_imported_first() -> None:
    names = [
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(PACKAGE.rglob("*.py"))
    ]

    answer = subprocess.run(
        [sys.executable, "-c", _IMPORT_EACH, *names], cwd=PACKAGE, capture_output=True, text=True, check=True
    )

    assert len(names) > 100
    assert answer.stdout == ""
