"""What the API document is collected from: the routes of the functions, and what the areas say of them."""

import importlib
import importlib.util
import os
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import cardstock
from cardstock.edge.operations import Family, Operation, PathValue
from infra.contract.about import EVENTS_ABOUT, EVENTS_ABOUT_ZH
from infra.local.loading import load
from infra.local.template import ROOT

_ORDER = (
    "sessions", "members", "cards", "products", "orders", "payments", "commissions", "plans", "ledger", "payouts",
    "debts", "open-items", "compliance", "tax", "recommendations", "staff", "keys", "suppliers", "webhooks",
)  # fmt: skip
"""Tags in the order of the document; others follow by name."""


def _modules() -> Iterator[Any]:
    """The module `operations` of every area that has one."""
    for area in pkgutil.iter_modules(cardstock.__path__):
        name = f"cardstock.{area.name}.operations"
        if area.ispkg and area.name != "edge" and importlib.util.find_spec(name):
            yield importlib.import_module(name)


def _families() -> dict[str, Family]:
    found = {family.tag: family for module in _modules() for family in module.FAMILIES}
    ordered = sorted(found, key=lambda tag: (_ORDER.index(tag) if tag in _ORDER else len(_ORDER), tag))
    return {tag: found[tag] for tag in ordered}


PATHS: Mapping[str, PathValue] = {
    name: value for module in _modules() for name, value in getattr(module, "PATH_VALUES", {}).items()
}
PATH_VALUES: Mapping[str, str] = {name: value.example for name, value in PATHS.items()}
"""An example for every parameter in a path."""
FAMILIES: Mapping[str, Family] = _families()
"""Tag -> its family."""
EVENTS_FAMILY = Family("events", "Events", "事件", EVENTS_ABOUT, EVENTS_ABOUT_ZH, {})


def prepare() -> None:
    """Give this process an environment in which functions can be imported. What is set already stays."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    for name, value in load(ROOT / "template.yaml").environment().items():
        os.environ.setdefault(name, value)


def apis_of(method: str, path: str) -> list[str]:
    """The ids of the HTTP APIs that have a route, the public one first."""
    template = load(ROOT / "template.yaml")
    wanted = {("ANY" if method == "GET" else method, path)}
    found = {
        each.api for function in template.functions for each in function.routes if (each.method, each.path) in wanted
    }
    return [api for api in template.apis if api in found]


def apis() -> Iterator[tuple[str, Any]]:
    """Name of the function's folder and its `Api`, for every HTTP function of the template."""
    from cardstock.edge.http import Api

    for function in load(ROOT / "template.yaml").functions:
        if function.routes:
            module = importlib.import_module(function.module)
            api = next(value for value in vars(module).values() if isinstance(value, Api))
            yield function.folder.removeprefix("functions/"), api


def named_operations() -> dict[str, tuple[str, Operation]]:
    """`METHOD path` -> tag and operation."""
    return {route: (tag, named) for tag, family in FAMILIES.items() for route, named in family.operations.items()}


def place_of(route: Any, named: Mapping[str, tuple[str, Operation]]) -> str:
    """`METHOD path`, which must be named."""
    place = f"{route.method} {route.path}"
    if place not in named:
        raise LookupError(f"{place} has no operation id: add one to the area's operations.py")
    return place


@cache
def answered() -> Mapping[str, Any]:
    """Code -> refusal, of every refusal that an operation may answer."""
    from cardstock.edge.errors import ROUTE_UNKNOWN
    from cardstock.edge.http import refusals_of

    found = {refusal.code: refusal for _, api in apis() for route in api.routes for refusal in refusals_of(route)}
    return found | {ROUTE_UNKNOWN.code: ROUTE_UNKNOWN}
