"""Every fake of a port stands in `tests/people`, and is held with the real class to one contract suite.

A suite declares `CONTRACT = {Port: (Fake, Real, ...)}`. What counts as a fake is found in the source: a class that has
all members of a port under the same names and parameters, or whose docstring names the port (`orders.ports.Orders`).
"""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.house.cloud import ROOT

Class: TypeAlias = tuple[str, str]
"""Module and name."""

PACKAGE = ROOT / "layers/cardstock/python"
NAMED = re.compile(r"`(?:cardstock\.)?(\w+)\.ports\.(\w+)`")
WITHOUT_CONTRACT: Mapping[Class, str] = {
    ("partners", "PostCall"): "the real one is a function that opens sockets: tests/partners/test_webhook_calls.py",
}
"""Ports with a fake that no suite holds, each with its reason."""
WRAPPERS: Mapping[Class, str] = {
    ("tests.payouts.test_payouts_steps", "Interrupted"): "runs another step, and then asks the real port",
}
"""Classes with the members of a port that stand between a test and the real one."""
PARTS: Mapping[Class, str] = {
    ("tests.payouts.test_payouts_steps", "Growing"): "changes one answer of the real port",
    ("tests.members.test_members_login", "OfTwoKinds"): "says of the real port's names that they are of a kind",
    ("tests.members.test_log_in_limits", "Platform"): "counts how often the real port is asked for a number",
}
"""Classes with some members of a port, each with its reason."""
NO_FAKES = ("tests/bench", "tests/house")
"""Folders whose classes measure or disturb, and stand for nothing in a rule's test."""


class Source:
    """The classes of a folder, with their members as far as they can be read."""

    def __init__(self, root: Path, base: Path) -> None:
        self.nodes: dict[Class, ast.ClassDef] = {}
        for path in sorted(root.rglob("*.py")):
            if path.relative_to(ROOT).as_posix().startswith(NO_FAKES):
                continue
            module = ".".join(path.relative_to(base).with_suffix("").parts)
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef):
                    self.nodes[module, node.name] = node
        self._named = {name: node for (_, name), node in self.nodes.items()}

    def bases(self, node: ast.ClassDef) -> Iterator[ast.ClassDef]:
        """The class, and all that it inherits from within the folder."""
        yield node
        for base in node.bases:
            name = ast.unparse(base).partition("[")[0].rpartition(".")[2]
            if name in self._named and self._named[name] is not node:
                yield from self.bases(self._named[name])

    def members(self, node: ast.ClassDef) -> dict[str, tuple[str, ...] | None]:
        """Names of members; of methods with the names of their parameters."""
        found: dict[str, tuple[str, ...] | None] = {}
        for each in reversed(list(self.bases(node))):
            for part in ast.walk(each):
                if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                    found.setdefault(part.attr, None)
            for part in each.body:
                if isinstance(part, ast.FunctionDef):
                    is_property = any(ast.unparse(mark) == "property" for mark in part.decorator_list)
                    found[part.name] = None if is_property else parameters(part)
                elif isinstance(part, ast.AnnAssign | ast.Assign):
                    for target in part.targets if isinstance(part, ast.Assign) else [part.target]:
                        found[ast.unparse(target)] = None
        return found


def parameters(function: ast.FunctionDef) -> tuple[str, ...]:
    """The names of a method's parameters, without `self`, and without the underscore of those that it ignores."""
    given = function.args
    return tuple(each.arg.lstrip("_") for each in [*given.posonlyargs, *given.args, *given.kwonlyargs][1:])


@cache
def classes_of_tests() -> Source:
    return Source(ROOT / "tests", ROOT)


@cache
def classes_of_package() -> Source:
    return Source(PACKAGE, PACKAGE)


@cache
def ports() -> dict[Class, dict[str, tuple[str, ...] | None]]:
    """Area and name of every port, with its members."""
    source = classes_of_package()
    return {
        (module.split(".")[1], name): source.members(node)
        for (module, name), node in source.nodes.items()
        if module.endswith(".ports") and "Protocol" in map(ast.unparse, node.bases)
    }


def has_all(members: Mapping[str, Any], port: Mapping[str, Any]) -> bool:
    """Whether a class can stand for a port. A class without any of the port's parameters proves nothing."""
    return all(name in members and members[name] in (None, wanted) for name, wanted in port.items()) and any(
        wanted and members[name] == wanted for name, wanted in port.items()
    )


def ports_of(source: Source, node: ast.ClassDef) -> set[Class]:
    """The ports that a class names in its docstring, or has all members of."""
    named = {found for found in NAMED.findall(ast.get_docstring(node) or "") if found in ports()}
    members = source.members(node)
    return named | {port for port, wanted in ports().items() if has_all(members, wanted)}


@cache
def suites() -> dict[str, dict[Class, set[Class]]]:
    """By module: area and name of the ports that it declares, each with its implementations."""
    found = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if not re.search(r"^CONTRACT\b", path.read_text("utf-8"), re.MULTILINE):
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        declared = importlib.import_module(module).CONTRACT
        if not isinstance(declared, dict):
            continue  # a path to the API's contract
        found[module] = {
            (port.__module__.split(".")[1], port.__name__): {(made.__module__, made.__name__) for made in classes}
            for port, classes in declared.items()
        }
    return found


def parts_of_ports(source: Source, node: ast.ClassDef) -> set[Class]:
    """The ports of which a class has some methods, with their parameters, and no method beside them."""
    own = {
        name: given for name, given in source.members(node).items() if given is not None and not name.startswith("_")
    }
    return {port for port, wanted in ports().items() if own and all(given and wanted.get(name) == given
            for name, given in own.items())}  # fmt: skip


def contract_of(port: Class) -> set[Class]:
    return set().union(*(declared.get(port, set()) for declared in suites().values()))


FAKES = [
    pytest.param(made, port, id=f"{port[0]}.{port[1]}-{made[1]}")
    for made, node in classes_of_tests().nodes.items()
    for port in sorted(ports_of(classes_of_tests(), node))
    if port not in WITHOUT_CONTRACT and made not in WRAPPERS
]


def test_ports_and_fakes_are_found() -> None:
    assert len(ports()) > 40
    assert len(FAKES) > 40


@pytest.mark.parametrize(("made", "port"), FAKES)
def test_a_fake_is_in_people_and_under_its_port_s_contract(made: Class, port: Class) -> None:
    source = classes_of_tests()
    known = contract_of(port)
    node = source.nodes[made]
    inherits = {base.name for base in source.bases(node) if base is not node}

    # A subclass may be of one test alone: what it does not change is the fake's.
    assert made in known or inherits & {name for _, name in known}, f"no suite declares {made} for {port}"
    assert made[0].startswith("tests.people.") or made not in known, f"{made} belongs into tests/people"


def test_no_class_stands_for_a_part_of_a_port() -> None:
    """What a fake leaves out is held by no suite: inherit from the fake in `tests/people`."""
    source = classes_of_tests()
    found = {made for made, node in source.nodes.items() if parts_of_ports(source, node) and not ports_of(source, node)}

    assert found == set(PARTS)


@pytest.mark.parametrize("module", suites())
def test_a_suite_uses_all_that_it_declares_and_holds_the_real_class_too(module: str) -> None:
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8"))
    rest = [node for node in tree.body if "CONTRACT" not in {name.id for name in names(node, ast.Store)}]
    used = {name.id for node in rest for name in names(node, ast.Load)}
    renamed = {
        (part.asname or part.name): part.name for node in tree.body if isinstance(node, ast.ImportFrom)
        for part in node.names
    }  # fmt: skip
    used |= {renamed.get(name, name) for name in used}

    for port, made in suites()[module].items():
        assert port in ports(), port
        assert len(made) > 1, f"one implementation is no contract: {port}"
        assert any(of.startswith("cardstock.") for of, _ in made), f"no real class of {port}"
        assert {port[1], *(name for _, name in made)} <= used, f"declared and not used in the tests of {port}"


def names(node: ast.AST, context: type[ast.expr_context]) -> list[ast.Name]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, context)]


def test_a_class_that_names_a_port_with_a_contract_is_under_it() -> None:
    """Of the package: a second channel, or a second store, is held to what the first one is."""
    source = classes_of_package()
    missing = [
        (made, port)
        for made, node in source.nodes.items()
        for port in {found for found in NAMED.findall(ast.get_docstring(node) or "") if found in ports()}
        if contract_of(port) and made not in contract_of(port)
    ]

    assert missing == []


def test_an_exception_is_a_port_that_has_a_fake() -> None:
    source = classes_of_tests()
    faked = {port for node in source.nodes.values() for port in ports_of(source, node)}

    assert set(WITHOUT_CONTRACT) <= faked
    assert all(ports_of(source, source.nodes[made]) for made in WRAPPERS)
    assert not [port for port in WITHOUT_CONTRACT if contract_of(port)]
