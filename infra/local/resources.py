"""Resources of a template, read into the model: one function for each kind. What cannot run here is refused by name."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infra.local.machines import MachineError, check
from infra.local.stack import Stack, parse_yaml
from infra.local.template import (
    ROOT,
    Function,
    Machine,
    Notification,
    Pipe,
    Queue,
    QueueSource,
    Route,
    Schedule,
    Secret,
    Table,
    TemplateError,
)

Json = Any  # parsed YAML and JSON: checked where it is used

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


def read_table(stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> Table:
    """A table, as CreateTable takes it."""
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


def read_queue(stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> Queue:
    """A queue, with the dead-letter queue that it names."""
    redrive = properties.get("RedrivePolicy") or {}
    return Queue(
        logical_id=f"{stack.prefix}{logical_id}",
        name=stack.name_of(logical_id),
        url=stack.value_of(logical_id, "Ref"),
        arn=stack.value_of(logical_id, "Arn"),
        attributes={key: _attribute_text(properties[key]) for key in _QUEUE_KEYS if key in properties},
        dead_letter_arn=redrive.get("deadLetterTargetArn"),
        max_receive_count=int(redrive.get("maxReceiveCount", 0)),
    )


def read_secret(stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> Secret:
    """A secret, given or to be generated."""
    if "SecretString" not in properties and "GenerateSecretString" not in properties:
        raise TemplateError(f"{stack.prefix}{logical_id}: a secret needs SecretString or GenerateSecretString")
    return Secret(
        logical_id=f"{stack.prefix}{logical_id}",
        name=stack.name_of(logical_id),
        text=properties.get("SecretString"),
        generate=properties.get("GenerateSecretString"),
    )


def read_notifications(where: str, properties: Mapping[str, Json]) -> Iterator[Notification]:
    """What a bucket sends to queues. TemplateError for another target, and another filter than one prefix."""
    config = properties.get("NotificationConfiguration") or {}
    if unknown := sorted(config.keys() - {"QueueConfigurations"}):
        raise TemplateError(f"{where}: {', '.join(unknown)} of a bucket do not run here")
    for each in config.get("QueueConfigurations") or []:
        rules = ((each.get("Filter") or {}).get("S3Key") or {}).get("Rules") or []
        if [rule["Name"] for rule in rules] not in ([], ["prefix"]):
            raise TemplateError(f"{where}: a notification is filtered by one prefix here")
        yield Notification(str(each["Queue"]), str(each["Event"]), rules[0]["Value"] if rules else "")


def read_headers(config: Mapping[str, Json]) -> dict[str, str]:
    """The headers of a response headers policy, in lower case. TemplateError for one that is not known here."""
    own = (config.get("CustomHeadersConfig") or {}).get("Items") or []
    found = {str(item["Header"]).lower(): str(item["Value"]) for item in own}
    for kind, settings in (config.get("SecurityHeadersConfig") or {}).items():
        known = {
            "ContentTypeOptions": ("x-content-type-options", "nosniff"),
            "ContentSecurityPolicy": ("content-security-policy", settings.get("ContentSecurityPolicy")),
            "ReferrerPolicy": ("referrer-policy", settings.get("ReferrerPolicy")),
            "StrictTransportSecurity": (
                "strict-transport-security", f"max-age={settings.get('AccessControlMaxAgeSec')}"
            ),
        }  # fmt: skip
        if kind not in known:
            raise TemplateError(f"{kind} of a response headers policy is not known here")
        name, value = known[kind]
        found[name] = str(value)
    return found


def read_pipe(stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> Pipe:
    """A pipe from a table's stream to a queue."""
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


def starts_a_machine(pipe: Mapping[str, Json]) -> bool:
    """Whether a pipe's target is a state machine."""
    return ":states:" in str(pipe.get("Target"))


def read_machine(stack: Stack, pipe: str, properties: Mapping[str, Json], machines: Mapping[str, Json]) -> Machine:
    """The machine that a pipe starts, with its definition's substitutions."""
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


def read_definition(properties: Mapping[str, Json]) -> Json:
    """A state machine's definition, its substitutions filled in."""
    text = json.dumps(properties["Definition"])
    for name, value in (properties.get("DefinitionSubstitutions") or {}).items():
        text = text.replace("${" + name + "}", str(value))
    return json.loads(text)


def _dead_letter_arn(stack: Stack, where: str, config: Json) -> str | None:
    if not config:
        return None
    if "Arn" in config:
        return str(config["Arn"])
    if "QueueLogicalId" in config:
        return str(stack.value_of(config["QueueLogicalId"], "Arn"))
    raise TemplateError(f"{where}: a dead-letter queue must be declared, by Arn or QueueLogicalId")


def _schedule(stack: Stack, where: str, function: str, p: Mapping[str, Json], *, fallback: str | None) -> Schedule:
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


_METHODS = {verb: verb.upper() for verb in ("get", "put", "post", "delete", "patch", "head", "options")} | {
    "x-amazon-apigateway-any-method": "ANY"
}
_INVOCATION = re.compile(r":lambda:path/2015-03-31/functions/(arn:[^/]+)/invocations\Z")


def read_routes(api: str, where: str, document: Mapping[str, Json]) -> Iterator[tuple[str, Route]]:
    """The routes of an API's OpenAPI document, each with the ARN of its function."""
    for path, entry in (document.get("paths") or {}).items():
        for verb, operation in entry.items():
            if verb == "parameters":
                continue
            if verb not in _METHODS:
                raise TemplateError(f"{where}: {verb} of {path} is no method")
            at = f"{where}: {_METHODS[verb]} {path}"
            integration = _integration(at, document, operation)
            _require_payload_format(at, integration.get("payloadFormatVersion"))
            _require_plain_path(at, path)
            function = _INVOCATION.search(str(integration.get("uri")))
            if integration.get("type") != "aws_proxy" or function is None:
                raise TemplateError(f"{at}: only a function can be integrated here")
            yield function[1], Route(_METHODS[verb], path, api)


def _integration(at: str, document: Mapping[str, Json], operation: Mapping[str, Json]) -> Mapping[str, Json]:
    found = operation.get("x-amazon-apigateway-integration") or {}
    if "$ref" not in found:
        return dict(found)
    parts = str(found["$ref"]).removeprefix("#/").split("/")
    target: Json = document
    for part in parts:
        target = target.get(part) if isinstance(target, Mapping) else None
    if not isinstance(target, Mapping):
        raise TemplateError(f"{at}: there is no {found['$ref']}")
    return target


def _require_payload_format(where: str, version: Json) -> None:
    if str(version) != "1.0":
        raise TemplateError(f'{where}: PayloadFormatVersion must be "1.0"')


def _require_plain_path(where: str, path: str) -> None:
    if "+}" in path:
        raise TemplateError(f"{where}: a route needs a Path without a greedy parameter")


def _route(where: str, details: Mapping[str, Json]) -> Route:
    _require_payload_format(where, details.get("PayloadFormatVersion"))
    if "Path" not in details or "Method" not in details:
        raise TemplateError(f"{where}: a route needs a Method and a Path")
    _require_plain_path(where, str(details["Path"]))
    return Route(str(details["Method"]).upper(), str(details["Path"]), str(details.get("ApiId", "serverlesshttpapi")))


def read_function(stack: Stack, logical_id: str, own: Mapping[str, Json]) -> Function:
    """A function with its triggers. Routes that an API's OpenAPI document names are not among them."""
    where = f"{stack.prefix}{logical_id}"
    shared = stack.resolve((stack.body.get("Globals") or {}).get("Function") or {})
    properties = {**shared, **own}
    file, _, handler = str(properties.get("Handler", "")).rpartition(".")
    if not properties.get("CodeUri") or not file:
        raise TemplateError(f"{where}: a function needs CodeUri and Handler")
    source = (stack.path.parent / str(properties["CodeUri"])).resolve()
    if not source.is_relative_to(ROOT):
        raise TemplateError(f"{where}: {source} is not part of {ROOT}")
    folder = source.relative_to(ROOT).as_posix()
    name = stack.name_of(logical_id)
    fallback = _failed_runs(properties)
    routes: list[Route] = []
    queues: list[QueueSource] = []
    schedules: list[Schedule] = []
    triggers: dict[str, Callable[[str, Mapping[str, Json]], None]] = {
        "HttpApi": lambda at, details: routes.append(_route(at, details)),
        "SQS": lambda at, details: queues.append(_queue_source(at, details)),
        "ScheduleV2": lambda at, details: schedules.append(_schedule(stack, at, name, details, fallback=fallback)),
    }
    for event, entry in (properties.get("Events") or {}).items():
        kind = str(entry.get("Type"))
        if kind not in triggers:
            raise TemplateError(f"{where}.{event}: a trigger of type {kind} does not run here")
        triggers[kind](f"{where}.{event}", entry.get("Properties") or {})
    return Function(
        logical_id=where,
        name=name,
        folder=folder,
        module=f"{folder.replace('/', '.')}.{file}",
        handler=handler,
        timeout=int(properties.get("Timeout", 3)),
        memory=int(properties.get("MemorySize", 128)),
        environment={key: str(value) for key, value in (_variables(shared) | _variables(own)).items()},
        routes=tuple(routes),
        queues=tuple(queues),
        schedules=tuple(schedules),
        arn=str(stack.value_of(logical_id, "Arn")),
    )


def _variables(properties: Mapping[str, Json]) -> dict[str, Json]:
    return dict((properties.get("Environment") or {}).get("Variables") or {})


def _failed_runs(properties: Mapping[str, Json]) -> str | None:
    """The ARN of the queue for a function's failed runs, if there is one."""
    destination = ((properties.get("EventInvokeConfig") or {}).get("DestinationConfig") or {}).get("OnFailure") or {}
    return destination.get("Destination") or (properties.get("DeadLetterQueue") or {}).get("TargetArn")
