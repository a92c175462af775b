"""The deployment as a typed model: what runs, on which trigger, on which state. `loading.load` creates it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = Any  # parsed YAML and JSON: checked where it is used
ROOT = Path(__file__).resolve().parents[2]

PER_FUNCTION = frozenset(
    {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL", "LOG_LEVEL"}
)

_NAMED = re.compile(r"\s([A-Za-z][A-Za-z0-9]*)=")


class TemplateError(Exception):
    """The template has something that cannot run here; the message names it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What CloudFormation would know when it resolves the template: names, account and addresses.

    `api_urls` are the addresses of HTTP APIs by their id (`api_id`); the other APIs have `api_url`.
    """

    account: str = "000000000000"
    region: str = "us-east-1"
    stack: str = "cardstock"
    endpoint: str = "http://127.0.0.1:4566"
    api_url: str = "http://127.0.0.1:8700"
    api_urls: Mapping[str, str] = field(default_factory=dict)

    def url_of(self, api: str) -> str:
        """The address of an HTTP API."""
        return self.api_urls.get(api, self.api_url)

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"


def given_parameters(texts: Iterable[str]) -> dict[str, str]:
    """Values of the template's parameters by name, from texts of one or more NAME=VALUE with blanks between.

    A value lasts until the next NAME=: it may have blanks (`ConsentVersions=account:2 card_visits:3`). Raises
    `TemplateError` for a text that begins without a name.
    """
    given: dict[str, str] = {}
    for text in texts:
        before, *parts = _NAMED.split(f" {text}")
        if before.strip() or not parts:
            raise TemplateError("a parameter is given as NAME=VALUE")
        given |= {name: value.strip() for name, value in zip(parts[::2], parts[1::2], strict=True)}
    return given


def api_id(logical_id: str) -> str:
    """The id of an HTTP API: `StaffApi.Api`, the API `Api` of the nested stack `StaffApi`, is `staffapi-api`."""
    return logical_id.replace(".", "-").lower()


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path of an HTTP API; `ANY` takes the methods that the path does not have otherwise."""

    method: str
    path: str
    api: str = "api"


@dataclass(frozen=True, slots=True)
class QueueSource:
    """A function's queue. `window` is seconds."""

    queue: str
    batch_size: int
    window: int
    reports_failures: bool
    concurrency: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times at which a function runs: `cron(...)`, `rate(...)` or `at(...)`. `input` is the event as JSON text."""

    name: str
    function: str
    expression: str
    timezone: str
    input: str | None
    retries: int
    dead_letter_arn: str | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function. `timeout` is seconds; `module` is importable from the repository's root."""

    logical_id: str
    name: str
    folder: str
    module: str
    handler: str
    timeout: int
    memory: int
    environment: Mapping[str, str]
    routes: tuple[Route, ...]
    queues: tuple[QueueSource, ...]
    schedules: tuple[Schedule, ...]
    arn: str


@dataclass(frozen=True, slots=True)
class Table:
    """One DynamoDB table; `definition` is the input of CreateTable."""

    logical_id: str
    name: str
    definition: Mapping[str, Json]
    ttl_attribute: str | None


@dataclass(frozen=True, slots=True)
class Queue:
    """One SQS queue; `attributes` are the input of CreateQueue, without the redrive policy."""

    logical_id: str
    name: str
    url: str
    arn: str
    attributes: Mapping[str, str]
    dead_letter_arn: str | None
    max_receive_count: int


@dataclass(frozen=True, slots=True)
class Notification:
    """What a bucket sends to a queue: `event` (`s3:ObjectCreated:*`) of keys that begin with `prefix`."""

    queue_arn: str
    event: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket."""

    logical_id: str
    name: str
    versioned: bool
    notifications: tuple[Notification, ...] = ()


@dataclass(frozen=True, slots=True)
class FilesHost:
    """A CloudFront distribution: serves the files of one bucket, each with these headers (in lower case)."""

    logical_id: str
    bucket: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret: its text, or how Secrets Manager would generate it."""

    logical_id: str
    name: str
    text: str | None
    generate: Mapping[str, Json] | None


@dataclass(frozen=True, slots=True)
class Pipe:
    """Forwards a table's stream to a queue. `patterns` are alternatives; without any, all records are forwarded."""

    name: str
    table: str
    queue_arn: str
    starting_position: str
    batch_size: int
    patterns: tuple[Mapping[str, Json], ...]
    message_group: str | None


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine and the queue whose messages start it, one execution each. `definition` is ASL."""

    name: str
    definition: Mapping[str, Json]
    queue_arn: str


@dataclass(frozen=True, slots=True)
class SkippedResource:
    """A resource that is not needed on one machine."""

    logical_id: str
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class Template:
    """The whole deployment, resolved."""

    place: Place
    apis: tuple[str, ...]
    layers: tuple[Path, ...]
    functions: tuple[Function, ...]
    tables: tuple[Table, ...]
    queues: tuple[Queue, ...]
    buckets: tuple[Bucket, ...]
    secrets: tuple[Secret, ...]
    pipes: tuple[Pipe, ...]
    skipped: tuple[SkippedResource, ...]
    outputs: Mapping[str, Json]
    machines: tuple[Machine, ...] = ()
    files_hosts: tuple[FilesHost, ...] = ()

    def function(self, name: str) -> Function:
        """The function of this name, or of the folder `functions/<name>`. KeyError if there is none."""
        for function in self.functions:
            if name in (function.name, function.folder.removeprefix("functions/"), function.logical_id):
                return function
        raise KeyError(name)

    def queue(self, key: str) -> Queue:
        """The queue with this name, URL, ARN or logical id. KeyError if there is none."""
        for queue in self.queues:
            if key in (queue.name, queue.url, queue.arn, queue.logical_id):
                return queue
        raise KeyError(key)

    def schedules(self) -> tuple[Schedule, ...]:
        return tuple(schedule for function in self.functions for schedule in function.schedules)

    def environment(self) -> dict[str, str]:
        """All functions' variables in one mapping, for commands and tests, which use the whole deployment.

        TemplateError if two functions disagree on one: a variable has one value everywhere.
        """
        merged: dict[str, str] = {}
        for function in self.functions:
            for key, value in function.environment.items():
                if key not in PER_FUNCTION and merged.get(key, value) != value:
                    raise TemplateError(
                        f"{function.logical_id}: {key} is {value!r} here and {merged[key]!r} in another function"
                    )
                merged.setdefault(key, value)
        return merged
