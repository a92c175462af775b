"""What an area needs besides its own files: its stack in the template, its rows in READMEs, where to look in it."""

import ast
import inspect
import re
import textwrap

import pytest

from tests.architecture.test_routes import HTTP, api_of
from tests.house.stacks import ROOT, resources

PACKAGE = ROOT / "layers/cardstock/python/cardstock"
AREAS = sorted(path.parent.name for path in PACKAGE.glob("*/model.py"))
STACK = "AWSTemplateFormatVersion"


def first_column(readme: str) -> list[str]:
    """What the first column of a README's tables has in backquotes."""
    return re.findall(r"^\| `([\w/]+)` \|", (ROOT / readme).read_text("utf-8"), re.M)


def test_every_stack_of_infra_is_nested_in_the_template() -> None:
    nested = {body["Properties"]["Location"] for _, body in resources("AWS::Serverless::Application", "template.yaml")}
    written = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "infra").glob("*.yaml")
        if STACK in path.read_text("utf-8")
    }

    assert len(written) > 5
    assert sorted(written - nested) == [], "template.yaml does not nest these stacks"
    assert sorted(nested - written) == [], "template.yaml nests stacks that do not exist"


def test_every_function_has_a_row_in_its_readme() -> None:
    rows = first_column("functions/README.md")
    home = ROOT / "functions"
    folders = {path.parent.relative_to(home).as_posix() for path in home.glob("*/*/app.py")}

    assert len(folders) > 20
    assert sorted(folders - set(rows)) == [], "functions/README.md has no row for these"
    assert sorted(set(rows) - folders) == [], "functions/README.md has rows for functions that do not exist"
    assert len(rows) == len(set(rows))


def test_every_folder_of_tests_has_a_row_in_its_readme() -> None:
    home = ROOT / "tests"
    folders = {path.relative_to(home).parts[0] for path in home.glob("*/**/*.py")}

    assert len(folders) > 10
    assert sorted(folders - set(first_column("tests/README.md"))) == [], "tests/README.md has no row for these"


@pytest.mark.parametrize("area", AREAS)
def test_every_area_says_where_to_look(area: str) -> None:
    text = ast.get_docstring(ast.parse((PACKAGE / area / "__init__.py").read_text("utf-8"))) or ""
    named = re.findall(r"`(\w+)(?:\.py)?`", text.partition("Where to look:")[2])

    assert [name for name in named if (PACKAGE / area / f"{name}.py").exists()], "`Where to look:` names no module"


@pytest.mark.parametrize("module", HTTP)
def test_idempotent_routes_pass_their_request_key_on(module: str) -> None:
    """A route that ignores `request.key` has its effect again at each repeat; the key of another route is not there."""
    for route in api_of(module).routes:
        tree = ast.parse(textwrap.dedent(inspect.getsource(route.handler)))
        uses = any(ast.unparse(node) == "request.key" for node in ast.walk(tree) if isinstance(node, ast.Attribute))

        assert uses == route.idempotent, f"{route.method} {route.path}"


def test_the_map_of_the_flows_has_every_module_and_what_exists() -> None:
    text = ast.get_docstring(ast.parse((PACKAGE / "flows/__init__.py").read_text("utf-8"))) or ""
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")][1:]
    modules = {path.stem for path in (PACKAGE / "flows").glob("*.py")} - {"__init__", "wiring"}
    named = {name for _, module, _ in rows for name in re.findall(r"`(\w+)`", module)}
    functions = {name for *_, started_by in rows for name in re.findall(r"`(\w+/\w+)`", started_by)}
    flows = {name for *_, started_by in rows for name in re.findall(r"`(\w+)`", started_by)}

    assert sorted(modules - named) == [], "flows/__init__.py has no row for these"
    assert sorted((named | flows) - modules) == [], "flows/__init__.py names modules that do not exist"
    assert [name for name in functions if not (ROOT / "functions" / name / "app.py").exists()] == []
