"""Reads `template.yaml` and its nested stacks into the model.

The template is the only description of the deployment, so all of it must be understood: each resource is provisioned,
run, or skipped by name with a reason (`SKIPPED`). Anything else raises `TemplateError` with its name.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infra.local import resources
from infra.local.stack import Stack
from infra.local.template import (
    Bucket,
    FilesHost,
    Function,
    Place,
    Queue,
    Route,
    Secret,
    SkippedResource,
    Table,
    Template,
    TemplateError,
    api_id,
)

Json = Any  # parsed YAML and JSON: checked where it is used

SKIPPED: Mapping[str, str] = {
    "AWS::ApplicationInsights::Application": "watches the deployment, holds no state",
    "AWS::CloudFront::OriginAccessControl": "the local engine checks no rights",
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
}


@dataclass
class _StackResources:
    """The resources of the stacks, in their order."""

    apis: list[str] = field(default_factory=list)
    layers: list[Path] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    queues: list[Queue] = field(default_factory=list)
    buckets: list[Bucket] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    pipes: list[tuple[Stack, str, Mapping[str, Json]]] = field(default_factory=list)
    definitions: dict[str, Json] = field(default_factory=dict)
    headers: dict[str, Mapping[str, str]] = field(default_factory=dict)
    files_hosts: list[tuple[str, Mapping[str, Json]]] = field(default_factory=list)
    routes: list[tuple[str, Route]] = field(default_factory=list)
    skipped: list[SkippedResource] = field(default_factory=list)

    def visit(self, stack: Stack) -> None:
        """Add every resource of a stack and of its nested stacks."""
        for logical_id, resource_type, raw in stack.resources():
            where = f"{stack.prefix}{logical_id}"
            if resource_type in SKIPPED:
                self.skipped.append(SkippedResource(where, resource_type, SKIPPED[resource_type]))
            elif resource_type in ("AWS::Serverless::Application", "AWS::CloudFormation::Stack"):
                self.visit(stack.child(logical_id))
            elif resource_type in _READERS:
                _READERS[resource_type](self, stack, logical_id, stack.resolve(raw))
            else:
                raise TemplateError(f"{where}: resources of type {resource_type} are not known here")

    def _api(self, stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> None:
        where = f"{stack.prefix}{logical_id}"
        self.apis.append(api_id(where))
        self.routes += resources.read_routes(api_id(where), where, properties.get("DefinitionBody") or {})

    def _layer(self, stack: Stack, _: str, properties: Mapping[str, Json]) -> None:
        """Add its source to the path of every function."""
        self.layers.append((stack.path.parent / str(properties["ContentUri"])).resolve())

    def _function(self, stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> None:
        self.functions.append(resources.read_function(stack, logical_id, properties))

    def _table(self, stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> None:
        self.tables.append(resources.read_table(stack, logical_id, properties))

    def _queue(self, stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> None:
        self.queues.append(resources.read_queue(stack, logical_id, properties))

    def _bucket(self, stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> None:
        versioning = properties.get("VersioningConfiguration") or {}
        where, name = f"{stack.prefix}{logical_id}", stack.name_of(logical_id)
        sent = tuple(resources.read_notifications(where, properties))
        self.buckets.append(Bucket(where, name, versioning.get("Status") == "Enabled", sent))

    def _headers(self, stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> None:
        self.headers[stack.name_of(logical_id)] = resources.read_headers(properties["ResponseHeadersPolicyConfig"])

    def _files_host(self, stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> None:
        self.files_hosts.append((f"{stack.prefix}{logical_id}", properties["DistributionConfig"]))

    def _secret(self, stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> None:
        self.secrets.append(resources.read_secret(stack, logical_id, properties))

    def _pipe(self, stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> None:
        self.pipes.append((stack, logical_id, properties))

    def _machine(self, stack: Stack, logical_id: str, properties: Mapping[str, Json]) -> None:
        self.definitions[str(stack.value_of(logical_id, "Arn"))] = resources.read_definition(properties)

    def hosts(self) -> Iterator[FilesHost]:
        """The hosts of files, each with its bucket and headers. TemplateError for another origin than a bucket."""
        for where, config in self.files_hosts:
            behaviour, origins = config["DefaultCacheBehavior"], config["Origins"]
            found = [bucket.name for bucket in self.buckets
                     if [origin["DomainName"].partition(".")[0] for origin in origins] == [bucket.name]]  # fmt: skip
            if not found or config.get("CacheBehaviors"):
                raise TemplateError(f"{where}: only a distribution of one bucket runs here")
            yield FilesHost(where, found[0], self.headers[behaviour["ResponseHeadersPolicyId"]])

    def with_routes(self) -> tuple[Function, ...]:
        """The functions, with the routes in the APIs' documents. TemplateError for a route to no function."""
        arns = {function.arn for function in self.functions}
        if lost := [f"{route.method} {route.path}: no function {arn}" for arn, route in self.routes if arn not in arns]:
            raise TemplateError(lost[0])
        return tuple(
            replace(function, routes=(*function.routes, *(route for arn, route in self.routes if arn == function.arn)))
            for function in self.functions
        )


_READERS: Mapping[str, Callable[[_StackResources, Stack, str, Mapping[str, Json]], None]] = {
    "AWS::CloudFront::Distribution": _StackResources._files_host,
    "AWS::CloudFront::ResponseHeadersPolicy": _StackResources._headers,
    "AWS::DynamoDB::Table": _StackResources._table,
    "AWS::Pipes::Pipe": _StackResources._pipe,
    "AWS::S3::Bucket": _StackResources._bucket,
    "AWS::SQS::Queue": _StackResources._queue,
    "AWS::SecretsManager::Secret": _StackResources._secret,
    "AWS::Serverless::Function": _StackResources._function,
    "AWS::Serverless::HttpApi": _StackResources._api,
    "AWS::Serverless::LayerVersion": _StackResources._layer,
    "AWS::StepFunctions::StateMachine": _StackResources._machine,
}


def load(path: Path, *, place: Place | None = None, parameters: Mapping[str, str] | None = None) -> Template:
    """The template at `path` with its nested stacks, resolved for `place`; `parameters` override the root's defaults.

    TemplateError names what cannot run here: an unknown parameter, resource type, trigger, intrinsic or reference.
    """
    place = place or Place()
    root = Stack(path=path, place=place, prefix="", given=parameters or {})
    if strange := sorted((parameters or {}).keys() - (root.body.get("Parameters") or {}).keys()):
        raise TemplateError(f"{path.name} has no parameter {', '.join(strange)}")
    found = _StackResources()
    found.visit(root)
    starters = [pipe for pipe in found.pipes if resources.starts_a_machine(pipe[2])]
    template = Template(
        place=place,
        apis=tuple(sorted(found.apis, key=lambda api: "-" in api)),  # the root's first
        layers=tuple(found.layers),
        functions=found.with_routes(),
        tables=tuple(found.tables),
        queues=tuple(found.queues),
        buckets=tuple(found.buckets),
        secrets=tuple(found.secrets),
        pipes=tuple(resources.read_pipe(*pipe) for pipe in found.pipes if not resources.starts_a_machine(pipe[2])),
        skipped=tuple(found.skipped),
        outputs={key: root.resolve(entry["Value"]) for key, entry in (root.body.get("Outputs") or {}).items()},
        machines=tuple(resources.read_machine(*pipe, found.definitions) for pipe in starters),
        files_hosts=tuple(found.hosts()),
    )
    _check(template)
    return template


def _check(template: Template) -> None:
    """Raise TemplateError for what CloudFormation would refuse at deployment."""
    _check_routes(template)
    arns = {queue.arn for queue in template.queues}
    for function in template.functions:
        for source in function.queues:
            try:
                template.queue(source.queue)
            except KeyError:
                raise TemplateError(f"{function.logical_id}: no queue {source.queue}") from None
        for schedule in function.schedules:
            if schedule.dead_letter_arn is not None and schedule.dead_letter_arn not in arns:
                raise TemplateError(f"{schedule.name}: no dead-letter queue {schedule.dead_letter_arn}")
    for bucket in template.buckets:
        if any(sent.queue_arn not in arns for sent in bucket.notifications):
            raise TemplateError(f"{bucket.logical_id}: a notification names no queue")
    for queue in template.queues:
        if queue.dead_letter_arn is not None and queue.dead_letter_arn not in arns:
            raise TemplateError(f"{queue.logical_id}: no dead-letter queue {queue.dead_letter_arn}")
    _check_pipes(template, arns)


def _check_routes(template: Template) -> None:
    seen: dict[Route, str] = {}
    for function in template.functions:
        for route in function.routes:
            if seen.setdefault(route, function.logical_id) != function.logical_id:
                raise TemplateError(f"{route.method} {route.path} is served by {seen[route]} and {function.logical_id}")


def _check_pipes(template: Template, queues: set[str]) -> None:
    tables = {table.name: table for table in template.tables}
    for pipe in template.pipes:
        if pipe.table not in tables or "StreamSpecification" not in tables[pipe.table].definition:
            raise TemplateError(f"{pipe.name}: table {pipe.table} has no stream")
        if pipe.queue_arn not in queues:
            raise TemplateError(f"{pipe.name}: no queue {pipe.queue_arn}")
