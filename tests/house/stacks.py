"""The templates as they are written: `template.yaml` and the stacks of `infra/`, unresolved."""

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from infra.local.stack import parse_yaml

ROOT = Path(__file__).resolve().parents[2]
STACKS = ("template.yaml", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "infra").glob("*.yaml")))


@cache
def stack(path: str) -> dict[str, Any]:
    """One template file."""
    parsed: dict[str, Any] = parse_yaml((ROOT / path).read_text("utf-8"))
    return parsed


def resources(kind: str, *paths: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Logical id and body of every resource of a type, in these files or in all."""
    for path in paths or STACKS:
        for logical_id, resource in stack(path)["Resources"].items():
            if resource["Type"] == kind:
                yield logical_id, resource


@cache
def functions() -> dict[str, dict[str, Any]]:
    """Logical id -> properties of every function."""
    return {name: body["Properties"] for name, body in resources("AWS::Serverless::Function")}


def camel(folder: str) -> str:
    """`orders/on_change` or `orders-on-change` -> `OrdersOnChange`: from folder or name to the logical id."""
    return "".join(part.title() for part in re.split("[_/-]", folder))


_NAMED = re.compile(r"\$\{(?:Shared\.Outputs\.)?(Tables|Queues|Secrets)\}-([a-z-]+?)(-\?{6})?(/index/\w+)?\Z")
_FILES = re.compile(r"arn:\$\{AWS::Partition\}:s3:::\$\{(?:(?:\w+\.Outputs\.)?(\w+)Bucket|(\w+))\}(/\w+/\*)\Z")
_VARIABLE = re.compile(r"([A-Z_]+?)_(TABLE|QUEUE_URL|SECRET_ID|BUCKET)\Z")


def resource_of(value: Any) -> str:
    """`!Sub "${Tables}-orders/index/x"` -> `Orders/index/x`, a secret -> `SessionSecret`."""
    text = str(value["Fn::Sub"]) if isinstance(value, dict) and "Fn::Sub" in value else str(value)
    if found := _NAMED.match(text):
        kind, name, _, index = found.groups()
        return camel(name) + ("Secret" if kind == "Secrets" else "") + (index or "")
    if found := _FILES.match(text):
        return (found[1] or found[2]) + found[3]
    return text


def named_by(variable: str) -> str | None:
    """`SUPPLIER_ORDERS_TABLE` -> `SupplierOrders`: the resource whose name a variable holds, if it holds one."""
    found = _VARIABLE.match(variable)
    if found is None:
        return None
    return camel(found[1].lower()) + ("Secret" if found[2] == "SECRET_ID" else "")


def variables(function: str) -> dict[str, Any]:
    """What a function declares for itself, beside the variables of all functions."""
    return dict((functions()[function].get("Environment") or {}).get("Variables") or {})


def transformed(path: str, code: str = "s3://artifacts/code.zip") -> dict[str, Any]:
    """A template file as CloudFormation has it after SAM's transform; `code` is where all code lies."""
    from samtranslator.translator.transform import transform

    template = copy.deepcopy(stack(path))
    for resource in template["Resources"].values():
        for key in ("CodeUri", "ContentUri"):
            if key in resource.get("Properties", {}):
                resource["Properties"][key] = code
        if resource["Type"] == "AWS::Serverless::Application":  # as `sam package` leaves it
            resource["Properties"]["Location"] = "https://artifacts.s3.amazonaws.com/nested.yaml"
    if "Transform" not in template:
        return template
    made: dict[str, Any] = transform(template, {}, _NoManagedPolicies())
    made.pop("Transform", None)
    return made


class _NoManagedPolicies:
    """What the translator asks for names of AWS's own policies: no template here uses one."""

    def load(self) -> dict[str, str]:
        return {}
