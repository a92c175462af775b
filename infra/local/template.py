"""Reads `template.yaml` and its nested stacks into a typed model: what runs, on which trigger, on which state.

The template is the only truth about the deployment, so whatever is in it must be understood here: it is provisioned,
run, or skipped by name with a reason (`SKIPPED`). Anything else raises `TemplateError` with its name.

Intrinsics are resolved to what they mean on one machine: `!Ref` of a table, bucket or secret is its name (Secrets
Manager takes a name wherever it takes an ARN), of a queue its URL, `!GetAtt X.Arn` an ARN of the local account. The
address of the HTTP API, however it is spelled (`!GetAtt Api.ApiEndpoint`, or a `!Sub` with `execute-api`), is
`Place.api_url`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infra.local.machines import MachineError, check

Json = Any  # parsed YAML and JSON: checked where it is used
ROOT = Path(__file__).resolve().parents[2]

SKIPPED: Mapping[str, str] = {
    "AWS::ApplicationInsights::Application": "watches the deployment, holds no state",
    "AWS::CloudWatch::Alarm": "nothing is paged from one machine",
    "AWS::CloudWatch::CompositeAlarm": "nothing is paged from one machine",
    "AWS::CloudWatch::Dashboard": "the page at / shows what runs",
    "AWS::IAM::ManagedPolicy": "the local engine checks no rights",
    "AWS::IAM::Policy": "the local engine checks no rights",
    "AWS::IAM::Role": "the local engine checks no rights",
    "AWS::KMS::Alias": "nothing is encrypted at rest locally",
    "AWS::KMS::Key": "nothing is encrypted at rest locally",
    "AWS::Lambda::Permission": "the local engine checks no rights",
    "AWS::Logs::LogGroup": "functions log to a file",
    "AWS::Logs::MetricFilter": "functions log to a file",
    "AWS::Logs::QueryDefinition": "functions log to a file",
    "AWS::S3::BucketPolicy": "the local engine checks no rights",
    "AWS::SNS::Subscription": "nothing is paged from one machine",
    "AWS::SNS::Topic": "nothing is paged from one machine",
    "AWS::SNS::TopicPolicy": "the local engine checks no rights",
    "AWS::SQS::QueuePolicy": "the local engine checks no rights",
    "AWS::Scheduler::ScheduleGroup": "a name without behaviour",
    "AWS::Serverless::HttpApi": "the gateway takes its place",
    "AWS::Serverless::LayerVersion": "the layer's source is on the path",
}
PER_FUNCTION = frozenset(
    {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL", "LOG_LEVEL"}
)


class TemplateError(Exception):
    """The template holds something that cannot run here; the message names it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the template is resolved: names, account and addresses that CloudFormation would know."""

    account: str = "000000000000"
    region: str = "us-east-1"
    stack: str = "cardstock"
    endpoint: str = "http://127.0.0.1:4566"
    api_url: str = "http://127.0.0.1:8700"

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path of the HTTP API."""

    method: str
    path: str


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
    """When a function runs by the clock: `cron(...)`, `rate(...)` or `at(...)`. `input` is the event as JSON text."""

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
    """One DynamoDB table; `definition` is what CreateTable takes."""

    logical_id: str
    name: str
    definition: Mapping[str, Json]
    ttl_attribute: str | None


@dataclass(frozen=True, slots=True)
class Queue:
    """One SQS queue; `attributes` are what CreateQueue takes, without the redrive policy."""

    logical_id: str
    name: str
    url: str
    arn: str
    attributes: Mapping[str, str]
    dead_letter_arn: str | None
    max_receive_count: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket."""

    logical_id: str
    name: str
    versioned: bool


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret: its text, or how Secrets Manager would generate it."""

    logical_id: str
    name: str
    text: str | None
    generate: Mapping[str, Json] | None


@dataclass(frozen=True, slots=True)
class Pipe:
    """A table's stream forwarded to a queue: the outbox. `patterns` are alternatives; none means all records."""

    name: str
    table: str
    queue_arn: str
    starting_position: str
    batch_size: int
    patterns: tuple[Mapping[str, Json], ...]
    message_group: str | None


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine and the queue whose messages start it, one each. `definition` is ASL that runs here."""

    name: str
    definition: Mapping[str, Json]
    queue_arn: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A resource that one machine does not need."""

    logical_id: str
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class Template:
    """The whole deployment, resolved."""

    place: Place
    functions: tuple[Function, ...]
    tables: tuple[Table, ...]
    queues: tuple[Queue, ...]
    buckets: tuple[Bucket, ...]
    secrets: tuple[Secret, ...]
    pipes: tuple[Pipe, ...]
    skipped: tuple[Skipped, ...]
    outputs: Mapping[str, Json]
    machines: tuple[Machine, ...] = ()

    def function(self, name: str) -> Function:
        """The function called `name`, or whose folder is `functions/<name>`. KeyError if there is none."""
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
        """Every function's variables in one mapping, for one process that runs them all.

        TemplateError when two functions disagree on one, because then no single process could serve both.
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


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags."""


def _tag(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    if isinstance(node, yaml.ScalarNode):
        value: Json = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tag)


def parse_yaml(text: str) -> Json:
    """YAML text with CloudFormation's tags in their long form (`!Ref X` is `{"Ref": "X"}`)."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader with CloudFormation's tags


_NO_VALUE = object()
_EXECUTE_API = re.compile(r"https://[\w-]+\.execute-api\.[\w-]+\.amazonaws\.com(?:/\$default)?")
_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")


@dataclass
class _Stack:
    """One template file with its parameters. Resolves lazily, so that the order of resources does not matter."""

    path: Path
    place: Place
    prefix: str
    given: Mapping[str, Json]
    body: Mapping[str, Json] = field(init=False)
    children: dict[str, "_Stack"] = field(default_factory=dict)
    resolving: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            body = parse_yaml(self.path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise TemplateError(f"{self.path}: {error}") from error
        if not isinstance(body, dict) or not isinstance(body.get("Resources"), dict):
            raise TemplateError(f"{self.path}: no Resources")
        self.body = body

    def resources(self) -> Iterator[tuple[str, str, Mapping[str, Json]]]:
        """Logical id, type and unresolved properties of every resource whose condition holds."""
        for logical_id, resource in self.body["Resources"].items():
            if "Condition" in resource and not self.condition(resource["Condition"]):
                continue
            yield logical_id, str(resource.get("Type")), resource.get("Properties") or {}

    def child(self, logical_id: str) -> "_Stack":
        if logical_id not in self.children:
            properties = self.body["Resources"][logical_id].get("Properties") or {}
            location = properties.get("Location") or properties.get("TemplateURL")
            if not isinstance(location, str):
                raise TemplateError(f"{self.prefix}{logical_id}: only a nested stack in a local file can run here")
            self.children[logical_id] = _Stack(
                path=(self.path.parent / location).resolve(),
                place=self.place,
                prefix=f"{self.prefix}{logical_id}.",
                given=self.resolve(properties.get("Parameters") or {}),
            )
        return self.children[logical_id]

    def condition(self, name: str) -> bool:
        if name not in (self.body.get("Conditions") or {}):
            raise TemplateError(f"{self.path.name}: no condition {name}")
        return self._is_true(self.body["Conditions"][name])

    def _is_true(self, value: Json) -> bool:
        if isinstance(value, dict) and len(value) == 1:
            ((key, argument),) = value.items()
            if key == "Condition":
                return self.condition(argument)
            if key == "Fn::Equals":
                left, right = (self.resolve(part) for part in argument)
                return str(left) == str(right)
            if key == "Fn::Not":
                return not self._is_true(argument[0])
            if key == "Fn::And":
                return all(self._is_true(part) for part in argument)
            if key == "Fn::Or":
                return any(self._is_true(part) for part in argument)
        raise TemplateError(f"{self.path.name}: not a condition: {value!r}")

    def resolve(self, value: Json) -> Json:
        """`value` with every intrinsic replaced; keys and items that are `AWS::NoValue` are gone."""
        if isinstance(value, dict):
            if len(value) == 1:
                ((key, argument),) = value.items()
                if key == "Ref" or str(key).startswith("Fn::"):
                    return self._intrinsic(key, argument)
            pairs = ((key, self.resolve(item)) for key, item in value.items())
            return {key: item for key, item in pairs if item is not _NO_VALUE}
        if isinstance(value, list):
            return [item for item in (self.resolve(part) for part in value) if item is not _NO_VALUE]
        return value

    def _intrinsic(self, key: str, argument: Json) -> Json:
        known: dict[str, Callable[[Json], Json]] = {
            "Ref": self._ref,
            "Fn::GetAtt": lambda pair: self._attribute(str(pair[0]), str(self.resolve(pair[1]))),
            "Fn::Sub": self._sub,
            "Fn::Join": lambda pair: str(pair[0]).join(str(item) for item in self.resolve(pair[1])),
            "Fn::Select": lambda pair: self.resolve(pair[1])[int(self.resolve(pair[0]))],
            "Fn::Split": lambda pair: str(self.resolve(pair[1])).split(pair[0]),
            "Fn::If": lambda triple: self.resolve(triple[1] if self.condition(triple[0]) else triple[2]),
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAZs": lambda _: [f"{self.place.region}a", f"{self.place.region}b"],
            "Fn::Base64": lambda text: __import__("base64").b64encode(str(self.resolve(text)).encode()).decode(),
        }
        if key not in known:
            raise TemplateError(f"{self.path.name}: {key} is not understood here")
        return known[key](argument)

    def _find_in_map(self, triple: Sequence[Json]) -> Json:
        table, first, second = (str(self.resolve(part)) for part in triple)
        return self.resolve(self.body["Mappings"][table][first][second])

    def _sub(self, argument: Json) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            if name in variables:
                return str(self.resolve(variables[name]))
            if "." in name:
                logical_id, attribute = name.split(".", 1)
                return str(self._attribute(logical_id, attribute))
            return str(self._ref(name))

        return _EXECUTE_API.sub(self.place.api_url, _VARIABLE.sub(replace, text))

    def _ref(self, name: str) -> Json:
        pseudo: dict[str, Json] = {
            "AWS::AccountId": self.place.account,
            "AWS::Region": self.place.region,
            "AWS::Partition": "aws",
            "AWS::StackName": self.place.stack,
            "AWS::StackId": self.place.arn("cloudformation", f"stack/{self.place.stack}/local"),
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": _NO_VALUE,
            "AWS::NotificationARNs": [],
        }
        if name in pseudo:
            return pseudo[name]
        parameters = self.body.get("Parameters") or {}
        if name in parameters:
            value = self.given.get(name, parameters[name].get("Default", _NO_VALUE))
            if value is _NO_VALUE:
                raise TemplateError(f"{self.prefix}{name}: the parameter has no default and no value was given")
            kind = str(parameters[name].get("Type"))
            return str(value).split(",") if kind in ("CommaDelimitedList", "List<String>") else value
        return self._reference(name, "Ref")

    def _attribute(self, logical_id: str, attribute: str) -> Json:
        if attribute.startswith("Outputs."):
            child = self.child(logical_id)
            output = attribute.removeprefix("Outputs.")
            if output not in (child.body.get("Outputs") or {}):
                raise TemplateError(f"{child.path.name}: no output {output}, which {self.path.name} reads")
            return child.resolve(child.body["Outputs"][output]["Value"])
        return self._reference(logical_id, attribute)

    def _reference(self, logical_id: str, attribute: str) -> Json:
        if logical_id not in self.body["Resources"]:
            if logical_id == "ServerlessHttpApi":
                return self.place.api_url if attribute == "ApiEndpoint" else "localapi"
            raise TemplateError(f"{self.path.name}: {logical_id} is neither a parameter nor a resource")
        mark = f"{logical_id}.{attribute}"
        if mark in self.resolving:
            raise TemplateError(f"{self.path.name}: circular reference {' -> '.join([*self.resolving, mark])}")
        self.resolving.append(mark)
        try:
            return self._resource_value(logical_id, attribute)
        finally:
            self.resolving.pop()

    def name_of(self, logical_id: str) -> str:
        """The resource's physical name: the one it is given, or stack and logical id."""
        resource = self.body["Resources"][logical_id]
        properties = resource.get("Properties") or {}
        for key in (
            "TableName",
            "QueueName",
            "BucketName",
            "FunctionName",
            "Name",
            "RoleName",
            "LayerName",
            "LogGroupName",
        ):
            if key in properties:
                value = self.resolve(properties[key])
                if value is not _NO_VALUE:
                    return str(value)
        name = f"{self.place.stack}-{logical_id}"
        return name.lower() if resource.get("Type") == "AWS::S3::Bucket" else name

    def _resource_value(self, logical_id: str, attribute: str) -> Json:
        place, name = self.place, self.name_of(logical_id)
        resource_type = str(self.body["Resources"][logical_id].get("Type"))
        machine = place.arn("states", f"stateMachine:{name}")
        values: dict[str, dict[str, str]] = {
            "AWS::DynamoDB::Table": {
                "Ref": name,
                "Arn": place.arn("dynamodb", f"table/{name}"),
                "StreamArn": place.arn("dynamodb", f"table/{name}/stream/local"),
            },
            "AWS::SQS::Queue": {
                "Ref": f"{place.endpoint}/{place.account}/{name}",
                "QueueUrl": f"{place.endpoint}/{place.account}/{name}",
                "Arn": place.arn("sqs", name),
                "QueueName": name,
            },
            "AWS::S3::Bucket": {
                "Ref": name,
                "Arn": f"arn:aws:s3:::{name}",
                "DomainName": f"{name}.s3.amazonaws.com",
                "RegionalDomainName": f"{name}.s3.{place.region}.amazonaws.com",
            },
            "AWS::SecretsManager::Secret": {"Ref": name, "Id": name, "Arn": name},
            "AWS::Serverless::Function": {"Ref": name, "Arn": place.arn("lambda", f"function:{name}")},
            "AWS::Serverless::HttpApi": {"Ref": "localapi", "ApiEndpoint": place.api_url, "ApiId": "localapi"},
            "AWS::StepFunctions::StateMachine": {"Ref": machine, "Arn": machine, "Name": name},
            "AWS::SNS::Topic": {"Ref": place.arn("sns", name), "TopicArn": place.arn("sns", name), "TopicName": name},
        }
        known = values.get(resource_type)
        if known is None:
            service = resource_type.split("::")[1].lower() if resource_type.count("::") == 2 else "unknown"
            return name if attribute == "Ref" else place.arn(service, name)
        if attribute not in known:
            raise TemplateError(f"{self.prefix}{logical_id}: {resource_type} has no attribute {attribute} here")
        return known[attribute]


_TABLE_KEYS = (
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "StreamSpecification",
)
_INDEX_KEYS = ("IndexName", "KeySchema", "Projection")
_QUEUE_KEYS = (
    "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout", "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
)  # fmt: skip


def _table(stack: _Stack, logical_id: str, properties: Mapping[str, Json]) -> Table:
    definition = {key: properties[key] for key in _TABLE_KEYS if key in properties}
    for key in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if key in definition:
            definition[key] = [{k: index[k] for k in _INDEX_KEYS if k in index} for index in definition[key]]
    if "StreamSpecification" in definition:
        definition["StreamSpecification"] = {
            "StreamEnabled": True,
            "StreamViewType": definition["StreamSpecification"]["StreamViewType"],
        }
    ttl = properties.get("TimeToLiveSpecification") or {}
    return Table(
        logical_id=f"{stack.prefix}{logical_id}",
        name=stack.name_of(logical_id),
        definition={**definition, "BillingMode": "PAY_PER_REQUEST"},
        ttl_attribute=ttl["AttributeName"] if ttl.get("Enabled") else None,
    )


def _attribute_text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _queue(stack: _Stack, logical_id: str, properties: Mapping[str, Json]) -> Queue:
    redrive = properties.get("RedrivePolicy") or {}
    return Queue(
        logical_id=f"{stack.prefix}{logical_id}",
        name=stack.name_of(logical_id),
        url=stack._resource_value(logical_id, "Ref"),
        arn=stack._resource_value(logical_id, "Arn"),
        attributes={key: _attribute_text(properties[key]) for key in _QUEUE_KEYS if key in properties},
        dead_letter_arn=redrive.get("deadLetterTargetArn"),
        max_receive_count=int(redrive.get("maxReceiveCount", 0)),
    )


def _secret(stack: _Stack, logical_id: str, properties: Mapping[str, Json]) -> Secret:
    if "SecretString" not in properties and "GenerateSecretString" not in properties:
        raise TemplateError(f"{stack.prefix}{logical_id}: a secret needs SecretString or GenerateSecretString")
    return Secret(
        logical_id=f"{stack.prefix}{logical_id}",
        name=stack.name_of(logical_id),
        text=properties.get("SecretString"),
        generate=properties.get("GenerateSecretString"),
    )


def _pipe(stack: _Stack, logical_id: str, properties: Mapping[str, Json]) -> Pipe:
    where = f"{stack.prefix}{logical_id}"
    source, target = str(properties.get("Source")), str(properties.get("Target"))
    if ":dynamodb:" not in source or "/stream/" not in source or ":sqs:" not in target:
        raise TemplateError(f"{where}: only a pipe from a stream to a queue runs here, not {source} -> {target}")
    target_parameters = properties.get("TargetParameters") or {}
    if "InputTemplate" in target_parameters or "Enrichment" in properties:
        raise TemplateError(f"{where}: InputTemplate and Enrichment do not run here; the record is sent as it is")
    source_parameters = properties.get("SourceParameters") or {}
    stream = source_parameters.get("DynamoDBStreamParameters") or {}
    filters = (source_parameters.get("FilterCriteria") or {}).get("Filters") or []
    return Pipe(
        name=stack.name_of(logical_id),
        table=source.split("table/", 1)[1].split("/", 1)[0],
        queue_arn=target,
        starting_position=str(stream.get("StartingPosition", "LATEST")),
        batch_size=int(stream.get("BatchSize", 100)),
        patterns=tuple(parse_yaml(entry["Pattern"]) for entry in filters),
        message_group=(target_parameters.get("SqsQueueParameters") or {}).get("MessageGroupId"),
    )


def _starts(pipe: Mapping[str, Json]) -> bool:
    return ":states:" in str(pipe.get("Target"))


def _machine(stack: _Stack, pipe: str, properties: Mapping[str, Json], machines: Mapping[str, Json]) -> Machine:
    """The machine that a pipe starts, with what its definition leaves open filled in."""
    where, target = f"{stack.prefix}{pipe}", str(properties["Target"])
    if target not in machines:
        raise TemplateError(f"{where}: no state machine {target}")
    if ":sqs:" not in str(properties.get("Source")) or "InputTemplate" in (properties.get("TargetParameters") or {}):
        raise TemplateError(f"{where}: only a queue starts a state machine here, with its messages as they are")
    source = (properties.get("SourceParameters") or {}).get("SqsQueueParameters") or {}
    if source.get("BatchSize") != 1:
        raise TemplateError(f"{where}: an execution is started for one message here: BatchSize 1")
    definition = machines[target]
    try:
        check(definition)
    except MachineError as error:
        raise TemplateError(f"{where}: {target}: {error}") from error
    return Machine(target.rsplit(":", 1)[1], definition, str(properties["Source"]))


def _definition(properties: Mapping[str, Json]) -> Json:
    text = json.dumps(properties["Definition"])
    for name, value in (properties.get("DefinitionSubstitutions") or {}).items():
        text = text.replace("${" + name + "}", str(value))
    return json.loads(text)


def _dead_letter_arn(stack: _Stack, where: str, config: Json) -> str | None:
    if not config:
        return None
    if "Arn" in config:
        return str(config["Arn"])
    if "QueueLogicalId" in config:
        return str(stack._resource_value(config["QueueLogicalId"], "Arn"))
    raise TemplateError(f"{where}: a dead-letter queue must be declared, by Arn or QueueLogicalId")


def _schedule(stack: _Stack, where: str, function: str, p: Mapping[str, Json], *, fallback: str | None) -> Schedule:
    return Schedule(
        name=str(p.get("Name", f"{function}-{where.rsplit('.', 1)[-1]}")),
        function=function,
        expression=str(p["ScheduleExpression"]),
        timezone=str(p.get("ScheduleExpressionTimezone", "UTC")),
        input=p.get("Input"),
        retries=int((p.get("RetryPolicy") or {}).get("MaximumRetryAttempts", 2)),
        dead_letter_arn=_dead_letter_arn(stack, where, p.get("DeadLetterConfig")) or fallback,
        enabled=p.get("State", "ENABLED") == "ENABLED",
    )


_SOURCE_KEYS = frozenset(
    {"Queue", "BatchSize", "FunctionResponseTypes", "MaximumBatchingWindowInSeconds", "ScalingConfig"}
)


def _queue_source(where: str, p: Mapping[str, Json]) -> QueueSource:
    unsupported = sorted(set(p) - _SOURCE_KEYS)
    if unsupported:
        raise TemplateError(f"{where}: {', '.join(unsupported)} of a queue source does not run here")
    return QueueSource(
        queue=str(p["Queue"]),
        batch_size=int(p.get("BatchSize", 10)),
        window=int(p.get("MaximumBatchingWindowInSeconds", 0)),
        reports_failures="ReportBatchItemFailures" in (p.get("FunctionResponseTypes") or []),
        concurrency=int((p.get("ScalingConfig") or {}).get("MaximumConcurrency", 2)),
    )


def _function(stack: _Stack, logical_id: str, own: Mapping[str, Json]) -> Function:
    where = f"{stack.prefix}{logical_id}"
    shared = stack.resolve((stack.body.get("Globals") or {}).get("Function") or {})
    properties = {**shared, **own}
    environment = {
        **((shared.get("Environment") or {}).get("Variables") or {}),
        **((own.get("Environment") or {}).get("Variables") or {}),
    }
    file, _, handler = str(properties.get("Handler", "")).rpartition(".")
    if not properties.get("CodeUri") or not file:
        raise TemplateError(f"{where}: a function needs CodeUri and Handler")
    source = (stack.path.parent / str(properties["CodeUri"])).resolve()
    if not source.is_relative_to(ROOT):
        raise TemplateError(f"{where}: {source} is not part of {ROOT}")
    folder = source.relative_to(ROOT).as_posix()
    name = stack.name_of(logical_id)
    destination = ((properties.get("EventInvokeConfig") or {}).get("DestinationConfig") or {}).get("OnFailure") or {}
    fallback = destination.get("Destination") or (properties.get("DeadLetterQueue") or {}).get("TargetArn")
    routes: list[Route] = []
    queues: list[QueueSource] = []
    schedules: list[Schedule] = []
    for event, entry in (properties.get("Events") or {}).items():
        kind, details = entry.get("Type"), entry.get("Properties") or {}
        at = f"{where}.{event}"
        if kind == "HttpApi":
            if str(details.get("PayloadFormatVersion")) != "1.0":
                raise TemplateError(f'{at}: PayloadFormatVersion must be "1.0"')
            if "Path" not in details or "Method" not in details or "+}" in details["Path"]:
                raise TemplateError(f"{at}: a route needs a Method and a Path without a greedy parameter")
            routes.append(Route(str(details["Method"]).upper(), str(details["Path"])))
        elif kind == "SQS":
            queues.append(_queue_source(at, details))
        elif kind == "ScheduleV2":
            schedules.append(_schedule(stack, at, name, details, fallback=fallback))
        else:
            raise TemplateError(f"{at}: a trigger of type {kind} does not run here")
    return Function(
        logical_id=where,
        name=name,
        folder=folder,
        module=f"{folder.replace('/', '.')}.{file}",
        handler=handler,
        timeout=int(properties.get("Timeout", 3)),
        memory=int(properties.get("MemorySize", 128)),
        environment={key: str(value) for key, value in environment.items()},
        routes=tuple(routes),
        queues=tuple(queues),
        schedules=tuple(schedules),
        arn=stack._resource_value(logical_id, "Arn"),
    )


def load(path: Path, *, place: Place | None = None, parameters: Mapping[str, str] | None = None) -> Template:
    """The template at `path` with its nested stacks, resolved for `place`; `parameters` override the root's defaults.

    TemplateError names whatever cannot run here: an unknown parameter, resource type, trigger, intrinsic or reference.
    """
    place = place or Place()
    root = _Stack(path=path, place=place, prefix="", given=parameters or {})
    if strange := sorted((parameters or {}).keys() - (root.body.get("Parameters") or {}).keys()):
        raise TemplateError(f"{path.name} has no parameter {', '.join(strange)}")
    functions: list[Function] = []
    tables: list[Table] = []
    queues: list[Queue] = []
    buckets: list[Bucket] = []
    secrets: list[Secret] = []
    declared: list[tuple[_Stack, str, Mapping[str, Json]]] = []
    definitions: dict[str, Json] = {}
    skipped: list[Skipped] = []

    def visit(stack: _Stack) -> None:
        for logical_id, resource_type, raw in stack.resources():
            where = f"{stack.prefix}{logical_id}"
            if resource_type in SKIPPED:
                skipped.append(Skipped(where, resource_type, SKIPPED[resource_type]))
                continue
            if resource_type in ("AWS::Serverless::Application", "AWS::CloudFormation::Stack"):
                visit(stack.child(logical_id))
                continue
            if resource_type == "AWS::Serverless::Function":
                functions.append(_function(stack, logical_id, stack.resolve(raw)))
            elif resource_type == "AWS::DynamoDB::Table":
                tables.append(_table(stack, logical_id, stack.resolve(raw)))
            elif resource_type == "AWS::SQS::Queue":
                queues.append(_queue(stack, logical_id, stack.resolve(raw)))
            elif resource_type == "AWS::S3::Bucket":
                versioning = stack.resolve(raw).get("VersioningConfiguration") or {}
                buckets.append(Bucket(where, stack.name_of(logical_id), versioning.get("Status") == "Enabled"))
            elif resource_type == "AWS::SecretsManager::Secret":
                secrets.append(_secret(stack, logical_id, stack.resolve(raw)))
            elif resource_type == "AWS::Pipes::Pipe":
                declared.append((stack, logical_id, stack.resolve(raw)))
            elif resource_type == "AWS::StepFunctions::StateMachine":
                definitions[stack._resource_value(logical_id, "Arn")] = _definition(stack.resolve(raw))
            else:
                raise TemplateError(f"{where}: resources of type {resource_type} are not known here")

    visit(root)
    outputs = {key: root.resolve(entry["Value"]) for key, entry in (root.body.get("Outputs") or {}).items()}
    template = Template(
        place, tuple(functions), tuple(tables), tuple(queues), tuple(buckets), tuple(secrets),
        tuple(_pipe(*pipe) for pipe in declared if not _starts(pipe[2])),
        tuple(skipped), outputs, tuple(_machine(*pipe, definitions) for pipe in declared if _starts(pipe[2])),
    )  # fmt: skip
    _check(template)
    return template


def _check(template: Template) -> None:
    """What CloudFormation would refuse at deployment."""
    seen: dict[tuple[str, str], str] = {}
    tables = {table.name: table for table in template.tables}
    arns = {queue.arn for queue in template.queues}
    for function in template.functions:
        for route in function.routes:
            other = seen.setdefault((route.method, route.path), function.logical_id)
            if other != function.logical_id:
                raise TemplateError(f"{route.method} {route.path} is served by {other} and {function.logical_id}")
        for source in function.queues:
            try:
                template.queue(source.queue)
            except KeyError:
                raise TemplateError(f"{function.logical_id}: no queue {source.queue}") from None
        for schedule in function.schedules:
            if schedule.dead_letter_arn is not None and schedule.dead_letter_arn not in arns:
                raise TemplateError(f"{schedule.name}: no dead-letter queue {schedule.dead_letter_arn}")
    for queue in template.queues:
        if queue.dead_letter_arn is not None and queue.dead_letter_arn not in arns:
            raise TemplateError(f"{queue.logical_id}: no dead-letter queue {queue.dead_letter_arn}")
    for pipe in template.pipes:
        if pipe.table not in tables or "StreamSpecification" not in tables[pipe.table].definition:
            raise TemplateError(f"{pipe.name}: table {pipe.table} has no stream")
        if pipe.queue_arn not in arns:
            raise TemplateError(f"{pipe.name}: no queue {pipe.queue_arn}")
