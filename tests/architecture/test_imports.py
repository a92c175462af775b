"""What each kind of module may import. One table, and no list of areas: the kind follows from where a module stands.

`pyproject.toml` holds the directions between packages; what follows holds each module of the package, each import that
stands in a function or is for type checkers alone too.
"""

import ast
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.house.cloud import ROOT

PACKAGE: Final = ROOT / "layers/cardstock/python/cardstock"
LOCAL: Final = ROOT / "infra/local"
SHARED: Final = ("aws", "edge", "platforms")
SUFFIXES: Final = ("wiring", "store", "schemas", "model")
NAMES: Final = ("ports", "errors", "operations")
ADAPTERS: Final = (
    "channels/*", "documents/*", "login_platforms/*",
    "report/cover", "report/fonts", "report/sheets", "report/workbook", "*writers",
    "answers", "archive", "markup", "model_gateway", "pictures/*", "post", "*queue", "vault",
)  # fmt: skip
"""Modules of an area that are no verb: each is the one way out to something outside."""
OUTSIDE: Final = frozenset(
    {"asyncio", "ftplib", "http", "importlib", "os", "smtplib", "socket", "ssl", "subprocess", "urllib"}
)
"""Modules of the standard library that reach a network, a process or the environment."""
PURE: Final = frozenset({"model", "rule", "errors"})
VERBS: Final = PURE | {"ports", "verb"}
ANYTHING_OWN: Final = VERBS | {"schemas", "store", "wiring", "adapter", "package"}


class Rule(NamedTuple):
    """`kinds` of modules of the area (for flows: of every area), packages of `SHARED`, and packages from `outside`."""

    kinds: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()


RULES: Final = {
    "word": Rule(),
    "errors": Rule(),
    "model": Rule(PURE),
    "rule": Rule(PURE | {"verb"}),
    "ports": Rule(PURE),
    "verb": Rule(VERBS),
    "operations": Rule(shared=frozenset({"edge"})),
    "schemas": Rule(VERBS | {"schemas"}, frozenset({"edge"})),
    "store": Rule(VERBS | {"store"}, frozenset({"aws"}), frozenset({"pynamodb"})),
    "adapter": Rule(
        VERBS | {"schemas", "adapter"},
        frozenset(SHARED),
        frozenset(
            {
                *("httpx", "segno", "reportlab", "xlsxwriter", "PIL", "cryptography", "nh3"),
                *("socket", "ssl", "http", "urllib"),
            }
        ),
    ),
    "wiring": Rule(ANYTHING_OWN, frozenset(SHARED)),
    "package": Rule(PURE | {"adapter"}),
    "flow": Rule(VERBS | {"flow"}),
    "flow schemas": Rule(VERBS | {"flow"}, frozenset({"edge"})),
    "flow wiring": Rule(ANYTHING_OWN | {"flow", "flow wiring"}, frozenset({"aws", "edge"})),
    "aws": Rule(shared=frozenset({"aws"}), outside=frozenset({"botocore", "pynamodb"})),
    "edge": Rule(
        shared=frozenset({"edge"}),
        outside=frozenset({"aws_lambda_powertools", "itsdangerous", "standardwebhooks", "cryptography", "botocore"}),
    ),
    "platforms": Rule(shared=frozenset({"platforms"}), outside=frozenset({"httpx", "cryptography"})),
}
"""Kind of module -> what it may import beside the words, msgspec and the pure part of the standard library."""
STACK: Final = ("template", "cardstock")
"""Module of the local runtime and the stack's name where nobody gives one, which `infra/samconfig.toml` has too."""
EXCEPT: Final = {
    ("aws.files", "urllib"): "encodes the names of files",
    ("uploads.pictures.process", "subprocess"): "decodes what strangers sent away from credentials, in bounds",
    ("environment", "os"): "the one place that reads the environment",
    ("members.wiring", "httpx"): "names a transport's type for tests",
    ("orders.wiring", "httpx"): "names a transport's type for tests",
    ("payouts.wiring", "httpx"): "names a transport's type for tests",
}
"""Module and package -> why it is imported all the same."""


def imports_in(path: Path) -> Iterator[str]:
    """Every absolute name that a file imports, wherever the import stands. `from a import b` gives `a` and `a.b`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def modules() -> dict[str, Path]:
    """Name without `cardstock.` -> file, of every module below the package."""
    found = {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in PACKAGE.rglob("*.py")}
    return {
        name.replace("/", ".").removesuffix(".__init__"): path for name, path in found.items() if name != "__init__"
    }


@cache
def kind_of(module: str) -> str:
    """What a module is: a key of `RULES`."""
    package, _, rest = module.partition(".")
    stem = module.rpartition(".")[2]
    if not (PACKAGE / package).is_dir():
        return "word"
    if package in SHARED:
        return package
    suffix = next((each for each in SUFFIXES if re.fullmatch(rf"(\w+_)?{each}", stem)), "")
    if package == "flows":
        return f"flow {suffix}".strip() if rest else "package"
    if suffix or stem in NAMES:
        return suffix or stem
    if modules()[module].name == "__init__.py":
        return "package"
    if any(fnmatch(rest.replace(".", "/"), each) or fnmatch(stem, each) for each in ADAPTERS):
        return "adapter"
    return "verb" if f"cardstock.{package}.ports" in set(imports_in(modules()[module])) else "rule"


def refused(module: str) -> Iterator[str]:
    """What a module imports and may not."""
    rule, package = RULES[kind_of(module)], module.partition(".")[0]
    for name in sorted(set(imports_in(modules()[module]))):
        top, _, inner = name.partition(".")
        if top != "cardstock":
            pure = top == "msgspec" or (top in sys.stdlib_module_names and top not in OUTSIDE)
            if not pure and top not in rule.outside and (module, top) not in EXCEPT:
                yield name
        elif inner in modules():
            target = inner.partition(".")[0]
            kind = kind_of(inner)
            if target in SHARED:
                allowed = target in rule.shared
            elif kind in ("word", "package"):
                allowed = True
            elif target == package or package == "flows":
                allowed = kind in rule.kinds
            else:
                allowed = kind_of(module) == "store"  # between areas: held by the named joints
            if not allowed:
                yield name


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_module_imports_what_its_kind_may(module: str) -> None:
    assert list(refused(module)) == [], f"{module} is of the kind {kind_of(module)!r}"


def test_every_kind_and_every_exception_is_needed() -> None:
    assert {kind_of(module) for module in modules()} == RULES.keys()
    assert all(
        package in {name.partition(".")[0] for name in imports_in(modules()[module])} for module, package in EXCEPT
    )


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_module_names_no_other_module_in_a_text(module: str) -> None:
    """A module that is imported by its name is seen by no rule above."""
    tree = ast.parse(modules()[module].read_text("utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    called = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}

    assert not {text for text in texts if re.match(r"(cardstock|functions|infra|tests)\.\w*", text)}
    assert not called & {"__import__", "eval", "exec"}


@pytest.mark.parametrize("path", sorted(LOCAL.rglob("*.py")), ids=lambda path: path.stem)
def test_the_local_runtime_imports_nothing_of_the_shop(path: Path) -> None:
    own = {"cardstock", "functions", "infra", "tests"}

    assert [name for name in imports_in(path) if name.partition(".")[0] in own
            and name != "infra" and not f"{name}.".startswith("infra.local.")] == []  # fmt: skip


@pytest.mark.parametrize("path", sorted(LOCAL.rglob("*.py")), ids=lambda path: path.stem)
def test_the_local_runtime_does_not_name_the_shop(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]

    assert [text for text in texts if "cardstock" in text.lower() and (path.stem, text) != STACK] == []
