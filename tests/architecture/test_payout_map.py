"""The state machine of big payouts: what it may, what it does when something fails, and that it runs here as there."""

import copy
from typing import Any

import pytest

from infra.local.machines import TASKS, MachineError, check
from tests.house.cloud import template
from tests.house.stacks import resources, stack

STACK: dict[str, Any] = stack("infra/payouts.yaml")
MACHINE: dict[str, Any] = STACK["Resources"]["PayoutMap"]["Properties"]
DEFINITION: dict[str, Any] = MACHINE["Definition"]
PARTS: dict[str, Any] = DEFINITION["States"]["Parts"]


def tasks(definition: dict[str, Any] = DEFINITION) -> dict[str, dict[str, Any]]:
    found = {name: state for name, state in definition["States"].items() if state["Type"] == "Task"}
    for state in definition["States"].values():
        found |= tasks(state["ItemProcessor"]) if state["Type"] == "Map" else {}
    return found


def test_the_definition_is_one_that_runs_here_too() -> None:
    check(DEFINITION)
    (machine,) = template().machines

    assert machine.definition["States"].keys() == DEFINITION["States"].keys()
    assert template().queue(machine.queue_arn).logical_id.endswith("PayoutMaps")


def test_parts_are_executions_of_their_own_and_limited_in_number() -> None:
    assert PARTS["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert 1 <= PARTS["MaxConcurrency"] <= 32


def test_everything_that_a_task_names_exists() -> None:
    (machine,) = template().machines
    for name, state in tasks(dict(machine.definition)).items():
        assert state["Resource"] in TASKS, name
        if "FunctionName" in state["Parameters"]:
            assert (
                template().function(state["Parameters"]["FunctionName"].rsplit(":", 1)[1]).folder
                == "functions/payouts/on_step"
            )
        else:
            assert template().queue(state["Parameters"]["QueueUrl"]).logical_id.rsplit(".", 1)[-1] in (
                "PayoutSteps", "PayoutStepsDead",
            ), name  # fmt: skip


def test_every_task_is_tried_again_and_none_waits_for_ever() -> None:
    found = tasks()

    assert set(found) == {"Step", "PutAside", "Rest"}
    for name, state in found.items():
        (rule,) = state["Retry"]
        assert rule["ErrorEquals"] == ["States.ALL"], name
        assert rule["MaxAttempts"] >= 3, name
        assert 0 < state["TimeoutSeconds"] < DEFINITION["TimeoutSeconds"], name
    timeout = template().function("payouts/on_step").timeout
    assert timeout < found["Step"]["TimeoutSeconds"] < timeout + 60


def test_a_part_that_fails_is_put_aside_and_the_rest_is_taken_whatever_happens() -> None:
    (caught,) = tasks()["Step"]["Catch"]
    (whole,) = PARTS["Catch"]

    assert (caught["ErrorEquals"], caught["Next"]) == (["States.ALL"], "PutAside")
    assert (whole["ErrorEquals"], whole["Next"]) == (["States.ALL"], "Rest")


def statements(role: str) -> list[dict[str, Any]]:
    (policy,) = STACK["Resources"][role]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_the_machine_may_call_its_function_fill_two_queues_and_run_itself_alone() -> None:
    allowed = {
        action: statement["Resource"]
        for statement in statements("PayoutMapRole")
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    logs = {action for action in allowed if action.startswith("logs:")}

    assert set(allowed) - logs == {
        "lambda:InvokeFunction", "sqs:SendMessage", "states:StartExecution", "states:DescribeExecution",
        "states:StopExecution",
    }  # fmt: skip
    assert allowed["lambda:InvokeFunction"] == {"Fn::GetAtt": ["PayoutsOnStep", "Arn"]}
    assert allowed["sqs:SendMessage"] == [
        {"Fn::GetAtt": ["PayoutSteps", "Arn"]}, {"Fn::GetAtt": ["PayoutStepsDead", "Arn"]},
    ]  # fmt: skip
    for action in ("StartExecution", "DescribeExecution", "StopExecution"):
        assert "${Stack}-payout-map" in allowed[f"states:{action}"]["Fn::Sub"]
    assert [action for action, target in allowed.items() if target == "*" and action not in logs] == []
    assert not [action for action in allowed if "*" in action]


def test_the_pipe_may_empty_its_queue_and_start_its_machine() -> None:
    read, start = statements("PayoutMapPipeRole")

    assert read["Action"] == ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    assert read["Resource"] == {"Fn::GetAtt": ["PayoutMaps", "Arn"]}
    assert (start["Action"], start["Resource"]) == ("states:StartExecution", {"Ref": "PayoutMap"})
    for role in ("PayoutMapRole", "PayoutMapPipeRole"):
        (trust,) = STACK["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_failures_are_logged_without_names_and_raise_alarms() -> None:
    logging = MACHINE["LoggingConfiguration"]
    alarms = dict(resources("AWS::CloudWatch::Alarm"))

    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False)
    assert STACK["Resources"]["PayoutMapLogs"]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert alarms["PayoutMapFailures"]["Properties"]["MetricName"] == "ExecutionsFailed"
    assert alarms["PayoutMapTimeOuts"]["Properties"]["MetricName"] == "ExecutionsTimedOut"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda states: states["Asked"].update(Type="Wait"), "states of type Wait do not run here"),
        (lambda states: states["Asked"].update(Assign={}), "Assign is not known here"),
        (lambda states: states["Rest"].update(Resource="arn:aws:states:::sns:publish"), "sns:publish does not"),
        (lambda states: states["Rest"].update(Next="Nowhere"), "there is no state Nowhere"),
        (lambda states: states["Parts"].update(ItemsPath="$..parts"), "is not a path that is understood here"),
        (lambda states: states["Parts"].update(ToleratedFailureCount=3), "ToleratedFailureCount is not known here"),
        (lambda states: states["Parts"].update(Next="Done", Catch=[]), "never reached: Rest"),
        (lambda states: states["Parts"]["ItemProcessor"]["States"]["More"]["Choices"][0].update(Not={}), "Not is not"),
    ],
)  # fmt: skip
def test_what_does_not_run_here_is_refused_by_name(change: Any, message: str) -> None:
    changed = copy.deepcopy(DEFINITION)
    change(changed["States"])

    with pytest.raises(MachineError, match=message):
        check(changed)
