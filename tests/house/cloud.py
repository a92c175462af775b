"""AWS in this process: moto with the tables, queues, bucket and secrets of `template.yaml`, under the test's names.

A test that takes `cloud` starts with empty tables. Set-up costs some 5 ms.
"""

import copy
import importlib
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import sqs_backends

from cardstock.edge import secrets
from infra.local import costs
from infra.local.loading import load
from infra.local.template import Template
from tests.house.problems import require_documented
from tests.house.quick import items_of

ROOT = Path(__file__).resolve().parents[2]
SECRETS: dict[str, dict[str, Any]] = {
    "SESSION_SECRET_ID": {"key": "a-signing-key-for-tests-only", "previous": []},
    "PAYMENT_SECRET_ID": {"sandbox_key": "c2FuZGJveC1rZXktZm9yLXRlc3Rz"},
    "WECHAT_PAY_SECRET_ID": {},
    "ALIPAY_PAY_SECRET_ID": {},
    "DOUYIN_PAY_SECRET_ID": {},
    "MARKS_SECRET_ID": {"key": "a-key-of-marks-for-tests-only"},
    "ADMIN_SECRET_ID": {"key": "an-admin-key-for-tests-only"},
    "TRANSFER_SECRET_ID": {},
    "PLATFORMS_SECRET_ID": {},
    "IDENTITY_SECRET_ID": {"key": "aWRlbnRpdHkta2V5LWZvci10ZXN0cy1vbmx5"},
    "ACCOUNTS_SECRET_ID": {"current": "2", "1": "an-older-key-for-tests", "2": "a-key-for-tests-only"},
}
ROOT_KEY = f"csk_root_{SECRETS['ADMIN_SECRET_ID']['key']}"


def pytest_configure() -> None:
    """Let tests count what is asked of AWS, before the first client is made."""
    costs.install()


@cache
def template() -> Template:
    """`template.yaml`, as the local runtime reads it."""
    return load(ROOT / "template.yaml")


@cache
def names_here() -> dict[str, str]:
    """From the template's physical names and URLs to those of the test environment."""
    declared = template().environment()
    return {value: os.environ[name] for name, value in declared.items() if name in os.environ and value}


@dataclass(frozen=True, slots=True)
class Context:
    """Lambda's context, as far as Powertools reads it."""

    function_name: str = "test"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:ap-east-1:123456789012:function:test"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"
    remaining_ms: int = 10_000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would stop the function."""
        return self.remaining_ms


@cache
def _client(service: str) -> Any:
    # Once for all tests: reading botocore's data costs ten times what making the tables does.
    return boto3.Session().client(service)


class Cloud:
    """The emulated account: clients of its services, and short ways to look at its state."""

    def __init__(self) -> None:
        self.dynamodb = _client("dynamodb")
        self.sqs = _client("sqs")
        self.s3 = _client("s3")
        self.secrets = _client("secretsmanager")

    def items(self, table: str) -> list[dict[str, Any]]:
        """Every item of `table` (its name in the test environment), raw."""
        return items_of(table, REGION)

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Every item of every table: compare two of them to prove that nothing changed."""
        names = dynamodb_backends[ACCOUNT][REGION].tables
        return {name: sorted(self.items(name), key=lambda item: json.dumps(item, default=repr)) for name in names}

    def snapshot(self) -> "Snapshot":
        """Tables, files and secrets as they are now, to go back to as often as wanted."""
        return Snapshot()

    def messages(self, queue_url: str) -> list[dict[str, Any]]:
        """Take all visible messages off a queue: their bodies, decoded."""
        bodies = []
        while found := self.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


ACCOUNT, REGION = "123456789012", "ap-east-1"
_filled: list[dict[str, Any]] = []
"""The emulated account as the template makes it, once it has been made."""


def _backends() -> list[Any]:
    return [dynamodb_backends[ACCOUNT][REGION], s3_backends[ACCOUNT]["aws"], secretsmanager_backends[ACCOUNT][REGION]]


class Snapshot:
    """A copy of the account: going back to it costs some milliseconds, whatever was done since. Queues stay."""

    def __init__(self) -> None:
        self._held = [_kept(backend) for backend in _backends()]

    def restore(self) -> None:
        """Make the account what it was."""
        for backend, held in zip(_backends(), self._held, strict=True):
            _put_back(backend, held)


def provision(cloud: Cloud) -> None:
    """Make the template's state in `cloud`, which must be empty."""
    names = names_here()
    for name in _queue_names():
        sqs_backends[ACCOUNT][REGION].create_queue(name)
    if _filled:
        for backend, held in zip(_backends(), _filled, strict=True):
            _put_back(backend, held)
        return
    for table in template().tables:
        cloud.dynamodb.create_table(TableName=names[table.name], **table.definition)
    for bucket in template().buckets:
        cloud.s3.create_bucket(Bucket=names[bucket.name], CreateBucketConfiguration={"LocationConstraint": REGION})
    for variable, value in SECRETS.items():
        cloud.secrets.create_secret(Name=os.environ[variable], SecretString=json.dumps(value))
    _filled.extend(_kept(backend) for backend in _backends())


@cache
def _queue_names() -> list[str]:
    names = names_here()
    urls = [(queue, names.get(queue.url)) for queue in template().queues]
    return [url.rsplit("/", 1)[1] if url else queue.name for queue, url in urls]


def _kept(backend: Any) -> dict[str, Any]:
    """What a backend holds. Of a table, its items and its stream's records: the rest of it never changes."""
    held = {name: copy.deepcopy(value) for name, value in vars(backend).items() if name != "tables"}
    if "tables" in vars(backend):
        held["tables"] = [_table(table) for table in backend.tables.values()]
    return held


def _put_back(backend: Any, held: dict[str, Any]) -> None:
    fresh = {name: copy.deepcopy(value) for name, value in held.items() if name != "tables"}
    if "tables" in held:
        fresh["tables"] = {table.name: _table(table) for table in held["tables"]}
    vars(backend).update(fresh)


def _table(like: Any) -> Any:
    made = copy.copy(like)
    made.items = copy.deepcopy(like.items)
    if like.stream_shard is not None:
        made.stream_shard = StreamShard(ACCOUNT, made)
        made.stream_shard.items = list(like.stream_shard.items)
    return made


def forget_factories() -> None:
    """Make every factory start anew: what one test's function keeps must not spare the next one its calls."""
    for name, module in tuple(sys.modules.items()):
        if name.startswith("cardstock.") and name.endswith("wiring"):
            for factory in vars(module).values():
                if hasattr(factory, "cache_clear"):
                    factory.cache_clear()
    secrets.forget_values()


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """An empty account with everything that the template declares, and functions that have just started."""
    forget_factories()
    with mock_aws():
        made = Cloud()
        provision(made)
        yield made


def queue_event(queue: str, *bodies: str | dict[str, Any]) -> dict[str, Any]:
    """What Lambda gets from SQS for these message bodies; message ids are `m0`, `m1` ..."""
    return {
        "Records": [
            {
                "messageId": f"m{index}",
                "receiptHandle": f"r{index}",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1764547200000",
                    "SenderId": "AIDAEXAMPLE",
                    "ApproximateFirstReceiveTimestamp": "1764547200001",
                },
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:ap-east-1:123456789012:{queue}",
                "awsRegion": "ap-east-1",
            }
            for index, body in enumerate(bodies)
        ]
    }


def http_event(
    method: str,
    path: str,
    body: Any = None,
    *,
    resource: str | None = None,
    path_parameters: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    token: str | None = None,
    key: str | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What Lambda gets from an HTTP API with payload format 1.0. `token` is a bearer credential, `key` an
    Idempotency-Key; `body` is text, or a value that is sent as JSON."""
    sent = {"Content-Type": "application/json", "Host": "api.example.com", **(headers or {})}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    if key is not None:
        sent["Idempotency-Key"] = key
    return {
        "version": "1.0",
        "resource": resource or path,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": path_parameters,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "test",
            "domainName": "api.example.com",
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.10", "userAgent": "test"},
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": "req-test",
            "requestTimeEpoch": 1_764_547_200_000,
            "resourcePath": resource or path,
            "stage": "$default",
        },
        "body": body if body is None or isinstance(body, str) else json.dumps(body, ensure_ascii=False),
        "isBase64Encoded": False,
    }


@cache
def _routes() -> dict[tuple[str, int], list[tuple[list[str], str, str]]]:
    """Method and number of parts -> routes by their parts, with module and handler."""
    routes = defaultdict(list)
    for function in template().functions:
        for route in function.routes:
            parts = [part for part in route.path.split("/") if part]
            routes[route.method, len(parts)].append((parts, function.module, function.handler))
    return routes


def serve(event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Answer an HTTP event by the function whose route it is, as the gateway would. KeyError if there is none."""
    wanted = [part for part in event["path"].split("/") if part]
    method = "ANY" if event["httpMethod"] in ("GET", "HEAD") else event["httpMethod"]
    # The gateway takes the route that says most of the path.
    found = [
        ([part.startswith("{") for part in parts], module, handler)
        for parts, module, handler in _routes().get((method, len(wanted)), ())
        if all(part.startswith("{") or part == given for part, given in zip(parts, wanted, strict=True))
    ]
    if not found:
        raise KeyError(f"no function answers {event['httpMethod']} {event['path']}")
    _, module, name = min(found)
    handler: Any = getattr(importlib.import_module(module), name)
    answer: dict[str, Any] = handler(event, context or Context())
    require_documented(answer)
    return answer
