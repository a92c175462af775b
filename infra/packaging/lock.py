"""`make lock`: resolve `pyproject.toml` into the lock files. Run it when a dependency changes.

    requirements.lock                     everything for working here, on any platform, Python 3.11 and newer
    requirements-sam.lock                 the SAM command alone, which pins another boto3
    layers/dependencies/requirements.txt  what every function imports
    layers/media/requirements.txt         what only the functions that draw or read pictures import
    layers/reports/requirements.txt       what only the functions with reports import, without the two above
    layers/content/requirements.txt       what only the functions that store descriptions import
    layers/sheets/requirements.txt        what only the import of products imports

Every line is pinned by hash and no file names a host, so that each machine installs the same bytes from its own index.
The layers are subsets of the first lock (`tests/architecture` compares): shipped versions are the tested ones.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
SAM_LOCK = ROOT / "requirements-sam.lock"
DEPENDENCIES = ROOT / "layers/dependencies/requirements.txt"
EXTRAS = {extra: ROOT / f"layers/{extra}/requirements.txt" for extra in ("media", "reports", "content", "sheets")}
"""The layers beside the one of all functions, by the extra of `pyproject.toml` that names what is in them: each without
what those before it have."""
_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^ ;\\]+)[^\n]*(?:\n +--hash[^\n]*)*", re.M)


def requirements(text: str) -> dict[str, str]:
    """The requirements of a lock file: name -> its whole entry, version, marker and hashes included.

    A name that is pinned twice, for different Pythons, has both entries.
    """
    found: dict[str, str] = {}
    for match in _REQUIREMENT.finditer(text):
        found[match["name"]] = f"{found[match['name']]}\n{match[0]}" if match["name"] in found else match[0]
    return found


def _resolve(*arguments: str) -> str:
    command = [
        str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--universal", "--generate-hashes",
        "--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header", *arguments,
    ]  # fmt: skip
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own arguments


def _layer(python: str, *arguments: str, without: Sequence[str] = ()) -> str:
    resolved = _resolve("pyproject.toml", "--python-version", python, "--constraint", str(LOCK), *arguments)
    return "".join(f"{entry}\n" for name, entry in requirements(resolved).items() if name not in without)


def main() -> None:
    """Write the files. Raises `CalledProcessError` when `pyproject.toml` cannot be resolved."""
    extras = [f"--extra={extra}" for extra in EXTRAS]
    LOCK.write_text(_resolve("pyproject.toml", *extras, "--group=dev", "--python-version=3.11"), "utf-8")
    SAM_LOCK.write_text(_resolve("--group=sam", "--python-version=3.11"), "utf-8")
    base = _layer("3.13")
    DEPENDENCIES.write_text(base, "utf-8")
    before = list(requirements(base))
    for extra, path in EXTRAS.items():
        layer = _layer("3.13", f"--extra={extra}", without=before)
        path.write_text(layer, "utf-8")
        before += requirements(layer)


if __name__ == "__main__":
    main()
