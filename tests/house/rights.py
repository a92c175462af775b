"""Holds what functions do against what `template.yaml` lets them do, in every test that runs a handler.

A recorder sees every AWS call of the process and asks the stack which function it was made for: no test has to
do anything for it. A call without a right fails the test that made it; a right that a complete run never used fails
the run. The names are those of the template: `dynamodb:Query` on `Orders/index/by_member`.
"""

import os
import re
import sys
from functools import cache
from typing import Any

import botocore.handlers
import pytest
from aws_lambda_powertools.utilities.parameters.base import BaseProvider
from botocore.signers import S3PostPresigner

from tests.house import whole_run
from tests.house.cloud import template
from tests.house.stacks import camel, functions, named_by, resource_of

Right = tuple[str, str]
_FUNCTION_FILE = re.compile(r"/functions/(\w+/\w+)/app\.py\Z")
_WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}

_fresh: list[str] = []


@cache
def granted() -> dict[str, frozenset[Right]]:
    """Function -> what its role allows, by the templates' statements."""
    found: dict[str, frozenset[Right]] = {}
    for logical_id, properties in functions().items():
        rights = set()
        for policy in properties.get("Policies", []):
            for statement in policy["Statement"]:
                for action in _list(statement["Action"]):
                    rights |= {(action, resource_of(entry)) for entry in _list(statement["Resource"])}
        found[logical_id] = frozenset(rights)
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@cache
def _resources() -> dict[str, str]:
    """Physical name -> name in the template, for the test environment and for the local runtime."""
    names = {}
    for variable, value in template().environment().items():
        if logical := named_by(variable):
            names[value] = logical
            if variable in os.environ:
                names[os.environ[variable]] = logical
    return names


def _named(physical: str) -> str:
    return _resources().get(physical, physical)


def rights_of(service: str, operation: str, parameters: dict[str, Any]) -> set[Right]:
    """The actions on resources that IAM would check for one API call."""
    if service == "dynamodb":
        return _table_rights(operation, parameters)
    if service == "sqs":
        return {(f"sqs:{operation.removesuffix('Batch')}", _named(parameters["QueueUrl"]))}
    if service == "secretsmanager":
        return {(f"secretsmanager:{operation}", _named(parameters["SecretId"]))}
    if service == "s3" and operation == "CopyObject":
        bucket, _, key = str(parameters["CopySource"]).partition("/")
        return rights_of("s3", "GetObject", {"Bucket": bucket, "Key": key}) | rights_of("s3", "PutObject", parameters)
    if service == "s3":
        action = {"HeadObject": "GetObject", "CreateMultipartUpload": "PutObject"}.get(operation, operation)
        folder = str(parameters.get("Key", "")).partition("/")[0]
        return {(f"s3:{action}", f"{_named(parameters['Bucket'])}/{folder}/*")}
    return {(f"{service}:{operation}", "?")}


def _table_rights(operation: str, parameters: dict[str, Any]) -> set[Right]:
    if operation == "TransactWriteItems":
        return {
            (f"dynamodb:{_WRITES[kind]}", _named(action["TableName"]))
            for entry in parameters["TransactItems"]
            for kind, action in entry.items()
        }
    if operation == "TransactGetItems":
        return {("dynamodb:GetItem", _named(entry["Get"]["TableName"])) for entry in parameters["TransactItems"]}
    if operation in ("BatchGetItem", "BatchWriteItem"):
        return {(f"dynamodb:{operation}", _named(table)) for table in parameters["RequestItems"]}
    name = _named(parameters["TableName"])
    if parameters.get("IndexName"):
        name = f"{name}/index/{parameters['IndexName']}"
    return {(f"dynamodb:{operation}", name)}


def acting_function() -> str | None:
    """The function whose code is on the stack, if any."""
    walked: Any = sys._getframe(2)
    while walked is not None:
        code = walked.f_code
        function = _function_of(code.co_filename)
        if function is not None:
            return function
        if code.co_name == "handler" and code.co_filename.endswith("/edge/http.py"):
            # Who calls is found out before the function's own code runs.
            routes = walked.f_locals["self"].routes
            return camel("_".join(routes[0].handler.__module__.split(".")[-3:-1])) if routes else None
        walked = walked.f_back
    return None


@cache
def _function_of(file: str) -> str | None:
    found = _FUNCTION_FILE.search(file)
    return camel(found[1]) if found else None


def _record(params: Any, model: Any, **_: Any) -> None:
    function = acting_function()
    if function is not None and model.name != "CreateBucket":  # a form is signed with this one's address: `_see_forms`
        for right in rights_of(model.service_model.service_name, model.name, params):
            _use(function, right)


def _use(function: str, right: Right) -> None:
    whole_run.seen("rights").add(f"{function} {right[0]} {right[1]}")
    if right not in granted().get(function, frozenset()):
        _fresh.append(f"{function} does {right[0]} on {right[1]}, which template.yaml does not let it")


@pytest.fixture(autouse=True)
def rights_suffice() -> Any:
    """Fails a test in which a function did something that its role does not allow."""
    _fresh.clear()
    yield
    missing = sorted(set(_fresh))
    _fresh.clear()
    assert not missing, "\n".join(missing)


def unused() -> list[str]:
    """Rights in the template that no test was seen to need."""
    used = whole_run.seen("rights")
    return [
        f"{function} never does {action} on {resource}, which template.yaml lets it"
        for function, rights in sorted(granted().items())
        for action, resource in sorted(rights)
        if f"{function} {action} {resource}" not in used
    ]


def _see_secrets() -> None:
    """See every secret that a function asks for, also one that this process keeps because another function asked."""
    fetch = BaseProvider.get

    def get(self: Any, name: str, *more: Any, **how: Any) -> Any:
        function = acting_function()
        if function is not None:
            _use(function, ("secretsmanager:GetSecretValue", _named(name)))
        return fetch(self, name, *more, **how)

    BaseProvider.get = get  # type: ignore[method-assign]  # for the whole run


def _see_forms() -> None:
    """See every form that a function signs: whoever posts it uses the function's right to put the file."""
    sign = S3PostPresigner.generate_presigned_post

    def signed(self: Any, **how: Any) -> Any:
        function = acting_function()
        if function is not None:
            bucket = next(each["bucket"] for each in how["conditions"] if "bucket" in each)
            for right in rights_of("s3", "PutObject", {"Bucket": bucket, "Key": how["fields"]["key"]}):
                _use(function, right)
        return sign(self, **how)

    S3PostPresigner.generate_presigned_post = signed


def pytest_configure() -> None:
    """See every call of every client made from now on."""
    _see_secrets()
    _see_forms()
    botocore.handlers.BUILTIN_HANDLERS.append(("before-parameter-build", _record))
    whole_run.checks.append(unused)
