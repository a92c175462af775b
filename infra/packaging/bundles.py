"""After `make build`: the size of each bundle, and whether it holds only what it should."""

import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

BUILD = Path(__file__).resolve().parents[2] / ".aws-sam" / "build"
UNWANTED = ("chalice", "moto", "ministack", "numpy", "pydantic", "pytest", "infra", "tests")
"""Never in a bundle: tools of this machine, and what no function needs."""
LIMIT_BYTES = 250 * 1024 * 1024
"""Lambda's limit for a function and its layers, unpacked."""


def size_of(folder: Path) -> int:
    """Bytes of all files under `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def bundles_in(folder: Path) -> Iterator[Path]:
    """The folder of every function and layer that was built, those of nested stacks included."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if (path / "template.yaml").exists():
                yield from bundles_in(path)
            else:
                yield path


def main() -> int:
    """Print the table; 1 if a bundle holds something unwanted, 2 if there is no bundle."""
    bundles = list(bundles_in(BUILD))
    if not bundles:
        return 2
    console = Console()
    table = Table("bundle", "KiB", "sources", "bytecode", title=f"Bundles in {BUILD.relative_to(Path.cwd())}")
    unwanted = []
    for bundle in bundles:
        sources, compiled = (sum(1 for _ in bundle.rglob(pattern)) for pattern in ("*.py", "*.pyc"))
        table.add_row(bundle.name, f"{size_of(bundle) / 1024:,.0f}", str(sources), str(compiled))
        root = bundle / "python" if (bundle / "python").is_dir() else bundle
        unwanted += [f"{bundle.name}: {name}" for name in UNWANTED if list(root.glob(f"{name}*"))]
    for column in table.columns[1:]:
        column.justify = "right"
    console.print(table)
    layers = sum(size_of(bundle) for bundle in bundles if bundle.name.endswith("Layer"))
    console.print(f"All layers together: {layers / 2**20:.1f} of {LIMIT_BYTES / 2**20:.0f} MiB")
    for line in unwanted:
        console.print(f"[red]unwanted in a bundle: {line}")
    return 1 if unwanted or layers > LIMIT_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
