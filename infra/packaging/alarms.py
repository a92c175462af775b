"""`python -m infra.packaging.alarms` writes `infra/alarms.yaml`: an alarm for each resource, and the dashboard.

The resources are read from `template.yaml` and the stacks of the areas: functions, dead-letter queues, HTTP APIs, state
machines. A test compares the file with what this module would write. Alarms about a business figure (the ledger does
not agree) are in the stack of their area.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.local.loading import load
from infra.local.template import ROOT, Place, Template

FILE = ROOT / "infra" / "alarms.yaml"
# Resolved with these, every name is a text for `!Sub`.
PLACE = Place(account="${AWS::AccountId}", region="${AWS::Region}", stack="${Stack}")

_HEAD = """\
# Made by `python -m infra.packaging.alarms` from the functions, queues, APIs and machines that exist; not by hand.
AWSTemplateFormatVersion: "2010-09-09"
Description: Cardstock's alarms and dashboard. No alarm waits for data that a quiet shop does not send.

Parameters:
  Stack: {Type: String, Description: "Name of the root stack, with which the names of its resources begin"}
  Alarms: {Type: String, Description: "Topic of alarms"}
"""
_ALARM = """
  {name}:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: {description}
      Namespace: {namespace}
      MetricName: {metric}
      Dimensions: [{{Name: {dimension}, Value: {value}}}]
      Statistic: {statistic}
      Period: 60
      EvaluationPeriods: 1
      Threshold: 0
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
      AlarmActions: [!Ref Alarms]
"""


def parameter_of(api: str) -> str:
    """The parameter that holds an API's id: `Api` for the root's `api`, `StaffApi` for `staffapi-api`."""
    return "Api" if api == "api" else api.removesuffix("api-api").title() + "Api"


def _sub(text: str) -> str:
    return f'!Sub "{text}"'


def _id_of(logical_id: str) -> str:
    return logical_id.rsplit(".", 1)[-1]


def _camel(name: str) -> str:
    return "".join(part.title() for part in name.removeprefix("${Stack}-").split("-"))


def _alarms(template: Template) -> Iterator[Mapping[str, str]]:
    for api in template.apis:
        yield {
            "name": f"{parameter_of(api)}Faults",
            "description": f"{'The API' if api == 'api' else 'The staff API'} answered with a 5xx.",
            "namespace": "AWS/ApiGateway",
            "metric": "5xx",
            "dimension": "ApiId",
            "value": f"!Ref {parameter_of(api)}",
            "statistic": "Sum",
        }
    for function in template.functions:
        yield {
            "name": f"{_id_of(function.logical_id)}Errors",
            "description": _sub(f"{function.name} failed: a bug, or a service that it needs is down."),
            "namespace": "AWS/Lambda",
            "metric": "Errors",
            "dimension": "FunctionName",
            "value": _sub(function.name),
            "statistic": "Sum",
        }
    for queue in dead_letters(template):
        yield {
            "name": f"{_camel(queue).removesuffix('Dead')}DeadLetters",
            "description": _sub(f"Messages wait in {queue}: read them, remove the cause, redrive."),
            "namespace": "AWS/SQS",
            "metric": "ApproximateNumberOfMessagesVisible",
            "dimension": "QueueName",
            "value": _sub(queue),
            "statistic": "Maximum",
        }
    for machine in template.machines:
        for metric, suffix, cause in (
            ("ExecutionsFailed", "Failures", "failed. It is started again within the hour; see why it failed."),
            ("ExecutionsTimedOut", "TimeOuts", "took too long: the channel is slow, or more parts are needed."),
        ):
            yield {
                "name": f"{_camel(machine.name)}{suffix}",
                "description": _sub(f"An execution of {machine.name} {cause}"),
                "namespace": "AWS/States",
                "metric": metric,
                "dimension": "StateMachineArn",
                "value": _sub(
                    PLACE.arn("states", f"stateMachine:{machine.name}").replace(":aws:", ":${AWS::Partition}:")
                ),
                "statistic": "Sum",
            }


def dead_letters(template: Template) -> list[str]:
    """The names of the queues without a consumer."""
    targets = {queue.dead_letter_arn for queue in template.queues}
    targets |= {schedule.dead_letter_arn for schedule in template.schedules()}
    return [queue.name for queue in template.queues if queue.arn in targets or queue.name.endswith("-dead")]


def _widgets(template: Template) -> list[Any]:
    def lines(namespace: str, dimension: str, names: list[str], *metrics: tuple[str, str]) -> list[Any]:
        return [[namespace, metric, dimension, name, {"stat": stat}] for name in names for metric, stat in metrics]

    apis = ["${" + parameter_of(api) + "}" for api in template.apis]
    functions = [function.name for function in template.functions]
    graphs = (
        (
            "Requests and refusals",
            lines("AWS/ApiGateway", "ApiId", apis, ("Count", "Sum"), ("4xx", "Sum"), ("5xx", "Sum")),
        ),
        ("Latency of the APIs, ms", lines("AWS/ApiGateway", "ApiId", apis, ("Latency", "p50"), ("Latency", "p99"))),
        ("Errors by function", lines("AWS/Lambda", "FunctionName", functions, ("Errors", "Sum"))),
        ("Duration by function, p99, ms", lines("AWS/Lambda", "FunctionName", functions, ("Duration", "p99"))),
        (
            "Dead letters",
            lines("AWS/SQS", "QueueName", dead_letters(template), ("ApproximateNumberOfMessagesVisible", "Maximum")),
        ),
        ("Ledger imbalance", [["Cardstock", "LedgerImbalance", "service", "cardstock", {"stat": "Maximum"}]]),
    )
    return [
        {
            "type": "metric", "x": number % 2 * 12, "y": number // 2 * 7, "width": 12, "height": 7,
            "properties": {"region": "${AWS::Region}", "title": title, "view": "timeSeries", "metrics": metrics},
        }
        for number, (title, metrics) in enumerate(graphs)
    ]  # fmt: skip


def _dashboard(template: Template) -> str:
    widgets = []
    for widget in _widgets(template):
        properties = widget.pop("properties")
        lines = ",\n".join(f"                {json.dumps(line)}" for line in properties.pop("metrics"))
        place, frame = json.dumps(widget)[1:-1], json.dumps(properties)[1:-1]
        widgets.append(
            f'            {{{place},\n             "properties": {{{frame}, "metrics": [\n{lines}\n            ]}}}}'
        )
    body = ",\n".join(widgets)
    return (
        "\n  Dashboard:\n    Type: AWS::CloudWatch::Dashboard\n    Properties:\n"
        f'      DashboardBody: !Sub |\n          {{"widgets": [\n{body}\n          ]}}\n'
    )


def render(template: Template) -> str:
    """The stack of alarms, for a template that was resolved for `PLACE`."""
    apis = "".join(
        f'  {parameter_of(api)}: {{Type: String, Description: "Id of an HTTP API"}}\n' for api in template.apis
    )
    alarms = "".join(_ALARM.format(**alarm) for alarm in _alarms(template))
    return f"{_HEAD}{apis}\nResources:{alarms}{_dashboard(template)}"


def main(file: Path = FILE) -> None:
    """Write the file anew."""
    if not file.exists():
        file.write_text("Resources: {}\n", encoding="utf-8")  # template.yaml names it
    file.write_text(render(load(ROOT / "template.yaml", place=PLACE)), encoding="utf-8")


if __name__ == "__main__":
    main()
