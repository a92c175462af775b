"""One template file with its parameters, and its nested stacks.

Intrinsics are resolved for one machine: `!Ref` of a table, bucket or secret is its name (Secrets Manager takes a name
wherever it takes an ARN), of a queue its URL, `!GetAtt X.Arn` an ARN of the local account, and a function's alias is
the function. The addresses of HTTP APIs and queues, in any spelling (`!GetAtt Api.ApiEndpoint`, or a `!Sub` with
`execute-api` or `https://sqs.`), are those of `Place`.
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infra.local.template import Place, TemplateError, api_id

try:
    from yaml import CSafeLoader as SafeLoader  # a tenth of the time; missing where PyYAML was built without libyaml
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

Json = Any  # parsed YAML and JSON: checked where it is used


class _Loader(SafeLoader):
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


NO_VALUE = object()
_EXECUTE_API = re.compile(r"https://([\w-]+)\.execute-api\.[\w-]+\.amazonaws\.com(?:/\$default)?")
_SQS = re.compile(r"https://sqs\.[\w-]+\.amazonaws\.com(?=/)")
_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")


def _check_value(name: str, declared: Mapping[str, Json], value: Json) -> None:
    """Raise TemplateError for a value that CloudFormation would refuse at deployment."""
    pattern, allowed = declared.get("AllowedPattern"), declared.get("AllowedValues")
    if not isinstance(value, str):
        return
    said = declared.get("ConstraintDescription", f"must match {pattern}" if pattern else f"is one of {allowed}")
    if (pattern and not re.fullmatch(pattern, value)) or (allowed and value not in map(str, allowed)):
        raise TemplateError(f"the parameter {name} cannot be {value!r}: {said}")


@dataclass
class Stack:
    """One template file with its parameters. Resolves lazily, so that the order of resources does not matter."""

    path: Path
    place: Place
    prefix: str
    given: Mapping[str, Json]
    body: Mapping[str, Json] = field(init=False)
    children: dict[str, "Stack"] = field(default_factory=dict)
    resolving: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            body = parse_yaml(self.path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise TemplateError(f"{self.path}: {error}") from error
        if not isinstance(body, dict) or not isinstance(body.get("Resources"), dict):
            raise TemplateError(f"{self.path}: no Resources")
        self.body = body
        for name, declared in (body.get("Parameters") or {}).items():
            _check_value(f"{self.prefix}{name}", declared, self.given.get(name))

    def resources(self) -> Iterator[tuple[str, str, Mapping[str, Json]]]:
        """Logical id, type and unresolved properties of every resource whose condition holds."""
        for logical_id, resource in self.body["Resources"].items():
            if "Condition" in resource and not self.condition(resource["Condition"]):
                continue
            yield logical_id, str(resource.get("Type")), resource.get("Properties") or {}

    def child(self, logical_id: str) -> "Stack":
        if logical_id not in self.children:
            properties = self.body["Resources"][logical_id].get("Properties") or {}
            location = properties.get("Location") or properties.get("TemplateURL")
            if not isinstance(location, str):
                raise TemplateError(f"{self.prefix}{logical_id}: only a nested stack in a local file can run here")
            self.children[logical_id] = Stack(
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
        if not isinstance(value, dict) or len(value) != 1:
            raise TemplateError(f"{self.path.name}: not a condition: {value!r}")
        ((key, argument),) = value.items()
        known: dict[str, Callable[[], bool]] = {
            "Condition": lambda: self.condition(argument),
            "Fn::Equals": lambda: str(self.resolve(argument[0])) == str(self.resolve(argument[1])),
            "Fn::Not": lambda: not self._is_true(argument[0]),
            "Fn::And": lambda: all(self._is_true(part) for part in argument),
            "Fn::Or": lambda: any(self._is_true(part) for part in argument),
        }
        if key not in known:
            raise TemplateError(f"{self.path.name}: not a condition: {value!r}")
        return known[key]()

    def resolve(self, value: Json) -> Json:
        """`value` with every intrinsic replaced, and without keys and items that are `AWS::NoValue`."""
        if isinstance(value, dict):
            if len(value) == 1:
                ((key, argument),) = value.items()
                if key == "Ref" or str(key).startswith("Fn::"):
                    return self._intrinsic(key, argument)
            pairs = ((key, self.resolve(item)) for key, item in value.items())
            return {key: item for key, item in pairs if item is not NO_VALUE}
        if isinstance(value, list):
            return [item for item in (self.resolve(part) for part in value) if item is not NO_VALUE]
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
            "Fn::Base64": lambda text: base64.b64encode(str(self.resolve(text)).encode()).decode(),
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
            return str(self._ref(name))

        resolved = _VARIABLE.sub(replace, text)
        resolved = _EXECUTE_API.sub(lambda match: self.place.url_of(match[1]), resolved)
        return _SQS.sub(self.place.endpoint, resolved)

    def _ref(self, name: str) -> Json:
        if "." in name:  # in a text, `${X.Arn}`; by itself, SAM's `!Ref X.Alias`
            logical_id, attribute = name.split(".", 1)
            return self._attribute(logical_id, attribute)
        pseudo: dict[str, Json] = {
            "AWS::AccountId": self.place.account,
            "AWS::Region": self.place.region,
            "AWS::Partition": "aws",
            "AWS::StackName": self.place.stack,
            "AWS::StackId": self.place.arn("cloudformation", f"stack/{self.place.stack}/local"),
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": NO_VALUE,
            "AWS::NotificationARNs": [],
        }
        if name in pseudo:
            return pseudo[name]
        parameters = self.body.get("Parameters") or {}
        if name in parameters:
            value = self.given.get(name, parameters[name].get("Default", NO_VALUE))
            if value is NO_VALUE:
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
                return self._api(logical_id)["ApiEndpoint" if attribute == "ApiEndpoint" else "Ref"]
            raise TemplateError(f"{self.path.name}: {logical_id} is neither a parameter nor a resource")
        mark = f"{logical_id}.{attribute}"
        if mark in self.resolving:
            raise TemplateError(f"{self.path.name}: circular reference {' -> '.join([*self.resolving, mark])}")
        self.resolving.append(mark)
        try:
            return self.value_of(logical_id, attribute)
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
            "StateMachineName",
            "Name",
            "RoleName",
            "LayerName",
            "LogGroupName",
        ):
            if key in properties:
                value = self.resolve(properties[key])
                if value is not NO_VALUE:
                    return str(value)
        name = f"{self.place.stack}-{logical_id}"
        return name.lower() if resource.get("Type") == "AWS::S3::Bucket" else name

    def _api(self, logical_id: str) -> dict[str, str]:
        api = api_id(f"{self.prefix}{logical_id}")
        return {"Ref": api, "ApiId": api, "ApiEndpoint": self.place.url_of(api)}

    def value_of(self, logical_id: str, attribute: str) -> Json:
        """The local value of `!Ref` (attribute `Ref`) or `!GetAtt` of a resource."""
        place, name = self.place, self.name_of(logical_id)
        resource_type = str(self.body["Resources"][logical_id].get("Type"))
        machine = place.arn("states", f"stateMachine:{name}")
        function = place.arn("lambda", f"function:{name}")
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
            "AWS::CloudFront::Distribution": {"Ref": name, "DomainName": f"{name.lower()}.cloudfront.net"},
            "AWS::CloudFront::OriginAccessControl": {"Ref": name, "Id": name},
            "AWS::SecretsManager::Secret": {"Ref": name, "Id": name, "Arn": name},
            "AWS::Serverless::Function": {"Ref": name, "Arn": function, "Alias": function},
            "AWS::Serverless::HttpApi": self._api(logical_id),
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
