"""What is shipped: one file per function, and layers that hold what the code imports, as it was tested."""

import ast
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.packaging.bundles import UNWANTED
from infra.packaging.lock import DEPENDENCIES, EXTRAS, LOCK, SAM_LOCK, requirements
from tests.house.cloud import ROOT
from tests.house.stacks import camel, functions

PACKAGE = ROOT / "layers/cardstock/python/cardstock"
FUNCTIONS = sorted(path.parent for path in (ROOT / "functions").glob("*/*/app.py"))
MOST_LINES = {"api": 120, "other": 40}
"""Lines of a function that answers HTTP, and of every other one."""


def name_of(folder: Path) -> str:
    """`orders/api`."""
    return folder.relative_to(ROOT / "functions").as_posix()


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Every absolute module a file names in an import, wherever it stands, except for type checkers."""
    found: set[str] = set()
    pending: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))
    return frozenset(found)


def file_of(module: str) -> Path | None:
    path = PACKAGE.parent / Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.exists():
            return candidate
    return None


def reached_from(start: Path) -> Iterator[str]:
    """Top-level third-party modules that a file can come to import, through our own package."""
    seen: set[Path] = set()
    pending = [start]
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        for module in imports_of(path):
            if module.split(".")[0] == "cardstock":
                found = file_of(module)
                if found is not None:
                    pending.append(found)
            else:
                yield module.split(".")[0]


@cache
def distributions() -> Mapping[str, list[str]]:
    """Top-level module -> the distributions it comes from; reading them all takes seconds."""
    return metadata.packages_distributions()


@cache
def provided_by(lock: Path) -> frozenset[str]:
    """Top-level modules in a layer, by the metadata of what is installed here at the same versions."""
    names = {canonicalize_name(name) for name in requirements(lock.read_text("utf-8"))}
    return frozenset(
        module for module, sources in distributions().items() if names & {canonicalize_name(name) for name in sources}
    )


def layers_of(folder: str) -> list[str]:
    return [layer["Ref"] for layer in functions()[camel(folder)].get("Layers", [])]


@pytest.mark.parametrize("folder", FUNCTIONS, ids=name_of)
def test_a_function_is_one_short_file(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]

    assert [path.name for path in files] == ["app.py"]
    text = (folder / "app.py").read_text("utf-8")
    kind = "api" if "cardstock.edge.http" in imports_of(folder / "app.py") else "other"
    assert len(text.splitlines()) <= MOST_LINES[kind]


@pytest.mark.parametrize("folder", FUNCTIONS, ids=name_of)
def test_a_function_has_payloads_good_and_bad(folder: Path) -> None:
    names = {path.stem for path in (ROOT / "events" / name_of(folder)).glob("*.json")}
    bad = {name for name in names if name.startswith("bad_")}

    assert bad
    assert names - bad


@pytest.mark.parametrize("folder", FUNCTIONS, ids=name_of)
def test_what_a_function_imports_itself_is_in_its_bundle(folder: Path) -> None:
    named = {module.split(".")[0] for module in imports_of(folder / "app.py")} - {"cardstock"}
    outside = named - set(sys.stdlib_module_names)

    assert outside <= provided_by(DEPENDENCIES)


def test_what_the_package_imports_is_in_one_of_the_layers() -> None:
    reached = {module for path in PACKAGE.rglob("*.py") for module in reached_from(path)}
    outside = reached - set(sys.stdlib_module_names)

    assert outside <= provided_by(DEPENDENCIES).union(*map(provided_by, EXTRAS.values()))
    assert not outside & set(UNWANTED)


@pytest.mark.parametrize(
    ("extra", "places", "functions_with"),
    [
        ("reports", ("payouts/report/", "payouts/tax/"), {"payouts/on_step", "payouts/nightly_tax"}),
        ("content", ("catalog/markup.py",), {"catalog/staff_api", "catalog/drafts_api"}),
    ],
)
def test_a_layer_is_where_it_is_needed_and_nowhere_else(
    extra: str, places: tuple[str, ...], functions_with: set[str]
) -> None:
    only_there = provided_by(EXTRAS[extra]) - provided_by(DEPENDENCIES)
    users = {
        path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")
        if {module.split(".")[0] for module in imports_of(path)} & only_there
    }  # fmt: skip
    layer = f"{extra.title()}Layer"
    with_layer = {name_of(folder) for folder in FUNCTIONS if layer in layers_of(name_of(folder))}

    assert users
    assert all(user.startswith(places) for user in users), users
    assert with_layer == functions_with


def test_the_media_layer_is_where_pictures_are_read_or_drawn_and_nowhere_else() -> None:
    only_there = provided_by(EXTRAS["media"]) - provided_by(DEPENDENCIES)
    users = {
        path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")
        if {module.split(".")[0] for module in imports_of(path)} & only_there
    }  # fmt: skip
    with_layer = {name_of(folder) for folder in FUNCTIONS if "MediaLayer" in layers_of(name_of(folder))}

    assert users == {"uploads/pictures/decode.py"}
    assert with_layer == {"uploads/on_upload", "payouts/on_step", "payouts/nightly_tax"}
    assert "pillow" not in {canonicalize_name(name) for name in requirements(DEPENDENCIES.read_text("utf-8"))}


def test_the_layers_are_subsets_of_the_lock() -> None:
    locked = requirements(LOCK.read_text("utf-8"))
    for layer in (DEPENDENCIES, *EXTRAS.values()):
        for name, entry in requirements(layer.read_text("utf-8")).items():
            assert entry == locked[name], f"{layer.parent.name}: {name} is not what the tests run with; make lock"


def test_the_layers_share_nothing() -> None:
    layers = [set(requirements(path.read_text("utf-8"))) for path in (DEPENDENCIES, *EXTRAS.values())]

    assert all(layers)
    assert sum(map(len, layers)) == len(set().union(*layers))


def test_the_dependencies_layer_is_the_closure_of_what_pyproject_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    locked = {canonicalize_name(name) for name in requirements(LOCK.read_text("utf-8"))}
    shipped = {canonicalize_name(name) for name in requirements(DEPENDENCIES.read_text("utf-8"))}
    direct = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}

    assert direct <= shipped <= locked


def test_the_lock_satisfies_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    locked = requirements(LOCK.read_text("utf-8"))
    versions = {canonicalize_name(name): entry.partition("==")[2].split()[0] for name, entry in locked.items()}
    asked = [
        *project["project"]["dependencies"],
        *(line for extra in EXTRAS for line in project["project"]["optional-dependencies"][extra]),
        *project["dependency-groups"]["dev"],
    ]
    for line in asked:
        requirement = Requirement(line)

        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), f"{line}: make lock"


@pytest.mark.parametrize(
    "path", [LOCK, SAM_LOCK, DEPENDENCIES, *EXTRAS.values()], ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_every_line_is_pinned_by_hash_and_no_host_is_named(path: Path) -> None:
    text = path.read_text("utf-8")
    entries = requirements(text)

    assert entries
    assert all("--hash=sha256:" in entry for entry in entries.values())
    assert "://" not in text
