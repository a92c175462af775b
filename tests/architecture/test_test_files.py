"""Rules of test files: fixtures come from plugins; no file re-exports a name or uses a private name of others."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import pytest_plugins
from tests.house.cloud import ROOT

FILES = sorted(path for path in (ROOT / "tests").rglob("*.py"))
PRIVATE = {
    ("os", "_exit"): "documented as public: a worker that dies at once",
    ("sys", "_getframe"): "documented as public: which function asks AWS",
    ("pytest_socket", "_remove_restrictions"): "the plugin offers no other way to undo `socket_allow_hosts`",
}
"""The private names of others that tests use, and why no public name does."""


@cache
def tree(path: Path) -> ast.Module:
    """A test file, parsed."""
    return ast.parse(path.read_text("utf-8"))


def module_of(path: Path) -> str:
    """`tests.people.shop` of its file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Module and name of every `from module import name` of a file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", each.name) for each in node.names)


def fixtures(path: Path) -> set[str]:
    """The functions of a file that pytest knows as fixtures."""
    return {
        node.name
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef) and any("pytest.fixture" in ast.unparse(by) for by in node.decorator_list)
    }


def private_uses(path: Path) -> set[tuple[str, str]]:
    """The private names that a file imports, or reads from anything but its own objects."""
    found = {(module, name) for module, name in imports(path) if is_private(name)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            owner = ast.unparse(node.value)
            if owner not in ("self", "cls"):
                found.add((owner, node.attr))
    return found


def short(path: Path) -> str:
    return str(path.relative_to(ROOT / "tests"))


@pytest.mark.parametrize("path", FILES, ids=short)
def test_a_test_file_re_exports_nothing_and_uses_public_names(path: Path) -> None:
    exported = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Name) and node.id == "__all__"]

    assert exported == []
    assert private_uses(path) - set(PRIVATE) == set()


def test_fixtures_are_never_imported_by_name() -> None:
    declared = {(module_of(path), name) for path in FILES for name in fixtures(path)}

    assert {short(path): used for path in FILES if (used := declared & set(imports(path)))} == {}


def test_a_fixture_of_a_plugin_is_declared_there_alone() -> None:
    shared = {name: module_of(path) for path in FILES if module_of(path) in pytest_plugins for name in fixtures(path)}

    assert {"cloud", "clock", "shop"} <= set(shared)
    assert {
        (short(path), name)
        for path in FILES
        for name in fixtures(path) & set(shared)
        if shared[name] != module_of(path)
    } == set()


def test_each_private_name_that_is_allowed_is_used() -> None:
    assert set(PRIVATE) <= {use for path in FILES for use in private_uses(path)}
