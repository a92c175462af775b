"""What `template.yaml` and its nested stacks must hold: rights, dead letters, time-outs, retention."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cardstock.clock import BRAND_ZONE
from infra.local.template import parse_yaml
from tests.house.cloud import ROOT, template
from tests.house.rights import camel, granted

PACKAGE = ROOT / "layers/cardstock/python/cardstock"

STACKS = ("template.yaml", *(f"infra/{name}.yaml" for name in ("data", "messaging", "observability", "workflows")))
READ_OR_APPEND = ("PutItem", "GetItem", "BatchGetItem", "Query", "Scan")
READ_BY_POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}


def stack(path: str) -> dict[str, Any]:
    parsed: dict[str, Any] = parse_yaml((ROOT / path).read_text("utf-8"))
    return parsed


def resources(path: str, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for logical_id, resource in stack(path)["Resources"].items():
        if resource["Type"] == kind:
            yield logical_id, resource


FUNCTIONS = dict(resources("template.yaml", "AWS::Serverless::Function"))
TABLES = dict(resources("infra/data.yaml", "AWS::DynamoDB::Table"))


def test_every_function_of_the_template_has_a_folder_and_every_folder_a_function() -> None:
    folders = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "functions").glob("*/*/app.py")}
    declared = {function["Properties"]["CodeUri"] for function in FUNCTIONS.values()}

    assert declared == folders


def test_a_function_is_called_like_its_folder() -> None:
    for logical_id, function in FUNCTIONS.items():
        folder = function["Properties"]["CodeUri"].removeprefix("functions/")

        assert logical_id == camel(folder)


def test_the_environment_that_is_declared_is_the_one_that_is_read() -> None:
    declared = set(stack("template.yaml")["Globals"]["Function"]["Environment"]["Variables"])
    read = set()
    for path in PACKAGE.rglob("*.py"):
        read |= set(
            re.findall(r"""(?:environment\.(?:text|number)\(|variable = )"([A-Z_]+)\"""", path.read_text("utf-8"))
        )

    assert declared == read | READ_BY_POWERTOOLS


def test_one_module_reads_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for folder in (PACKAGE, ROOT / "functions")
        for path in folder.rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text("utf-8"))
    }

    assert readers == {"layers/cardstock/python/cardstock/environment.py"}


def test_no_function_has_an_environment_of_its_own() -> None:
    """One environment for all: what one process can serve locally, and what the settings check."""
    assert [logical_id for logical_id, function in FUNCTIONS.items() if "Environment" in function["Properties"]] == []


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for logical_id, function in FUNCTIONS.items():
        for policy in function["Properties"].get("Policies", []):
            assert isinstance(policy, dict), f"{logical_id}: only statements written out here, no managed policy"
            assert set(policy) == {"Statement"}, f"{logical_id}: a policy template grants more than is used"
            for statement in policy["Statement"]:
                yield logical_id, statement
    for logical_id, role in resources("infra/messaging.yaml", "AWS::IAM::Role"):
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield logical_id, statement


def test_no_right_has_a_wildcard() -> None:
    for logical_id, statement in statements():
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        targets = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]

        assert not [action for action in actions if "*" in action], logical_id
        for target in targets:
            text = str(target)
            objects_of_one_folder = text.startswith("{'Fn::Sub'") and re.search(r"ReportsArn}/\w+/\*'", text)
            assert "*" not in text or objects_of_one_folder, f"{logical_id}: {text}"


def test_nobody_may_change_what_is_in_the_ledger() -> None:
    for logical_id, rights in granted().items():
        actions = {action for action, resource in rights if resource.partition("/")[0] == "Ledger"}

        assert actions <= {f"dynamodb:{verb}" for verb in READ_OR_APPEND}, logical_id


def test_no_role_outside_the_functions_writes_any_table() -> None:
    roles = [(f"{path} {name}", role) for path in STACKS for name, role in resources(path, "AWS::IAM::Role")]

    assert len(roles) >= 4
    for name, role in roles:
        assert not role["Properties"].get("ManagedPolicyArns"), name
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                tables = {action for action in actions if action.startswith("dynamodb:")}

                reads = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
                assert tables <= {f"dynamodb:{verb}" for verb in reads}, name


def test_nobody_may_change_a_published_plan_or_take_back_what_the_guard_has_on_record() -> None:
    rights = [right for granted_here in granted().values() for right in granted_here]

    assert {action for action, resource in rights if resource == "Plans"} <= {
        "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query",
    }  # fmt: skip
    assert not {"dynamodb:DeleteItem", "dynamodb:UpdateItem"} & {
        action for action, resource in rights if resource == "Compliance"
    }


def test_every_right_is_on_something_that_a_nested_stack_makes() -> None:
    known = set(stack("infra/data.yaml")["Resources"]) | set(stack("infra/messaging.yaml")["Resources"])
    for logical_id, rights in granted().items():
        unknown = {resource for _, resource in rights if resource.partition("/")[0] not in known}

        assert not unknown, logical_id


def test_an_index_in_a_policy_exists() -> None:
    indexes = {
        f"{table}/index/{index['IndexName']}"
        for table, resource in TABLES.items()
        for index in resource["Properties"].get("GlobalSecondaryIndexes", [])
    }
    named = {resource for rights in granted().values() for _, resource in rights if "/index/" in resource}

    assert named <= indexes


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_is_encrypted_recoverable_protected_and_outlives_its_stack(name: str) -> None:
    resource = TABLES[name]
    properties = resource["Properties"]

    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["SSESpecification"]["SSEEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["DeletionProtectionEnabled"] == {"Ref": "Protection"}
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_bucket_of_reports_is_closed_encrypted_and_versioned() -> None:
    ((_, resource),) = resources("infra/data.yaml", "AWS::S3::Bucket")
    properties = resource["Properties"]

    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["BucketEncryption"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert resource["DeletionPolicy"] == "Retain"


def queues() -> dict[str, dict[str, Any]]:
    return {name: resource["Properties"] for name, resource in resources("infra/messaging.yaml", "AWS::SQS::Queue")}


def test_every_queue_has_dead_letters_that_wait_for_two_weeks() -> None:
    for name, queue in queues().items():
        assert queue["SqsManagedSseEnabled"] is True
        if name.endswith("Dead"):
            assert queue["MessageRetentionPeriod"] == 14 * 86_400
        else:
            redrive = queue["RedrivePolicy"]

            assert redrive == {"deadLetterTargetArn": {"Fn::GetAtt": [f"{name}Dead", "Arn"]}, "maxReceiveCount": 5}


def queue_sources() -> Iterator[tuple[str, int, dict[str, Any]]]:
    default = stack("template.yaml")["Globals"]["Function"]["Timeout"]
    for logical_id, function in FUNCTIONS.items():
        for event in function["Properties"]["Events"].values():
            if event["Type"] == "SQS":
                yield logical_id, function["Properties"].get("Timeout", default), event["Properties"]


def test_every_consumer_reports_partial_failures() -> None:
    found = list(queue_sources())

    # A pipe reads the queue of payouts that are taken in parts.
    assert len(found) == len([name for name in queues() if not name.endswith("Dead")]) - 1
    for logical_id, _, source in found:
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"], logical_id


def test_a_message_stays_invisible_for_six_times_the_time_out_of_its_consumer() -> None:
    for logical_id, timeout, source in queue_sources():
        _, output = source["Queue"]["Fn::GetAtt"]
        queue = queues()[output.removeprefix("Outputs.").removesuffix("Arn")]

        assert queue["VisibilityTimeout"] == 6 * timeout, logical_id


def test_every_schedule_and_every_failed_run_ends_in_a_dead_letter_queue() -> None:
    dead = {"Fn::GetAtt": ["Messaging", "Outputs.SchedulesDeadArn"]}
    found = 0
    for logical_id, function in FUNCTIONS.items():
        for event in function["Properties"]["Events"].values():
            if event["Type"] != "ScheduleV2":
                continue
            found += 1
            invoke = function["Properties"]["EventInvokeConfig"]
            tick = event["Properties"]

            assert tick["DeadLetterConfig"] == {"Arn": dead}, logical_id
            assert tick["RetryPolicy"]["MaximumRetryAttempts"] >= 1
            assert tick["Input"] == '{"scheduled_at":"<aws.scheduler.scheduled-time>"}'
            assert invoke["DestinationConfig"]["OnFailure"] == {"Type": "SQS", "Destination": dead}, logical_id

    assert found == 10


def test_every_schedule_is_in_the_zone_in_which_the_code_s_days_and_months_begin() -> None:
    ticks = [event for function in FUNCTIONS.values() for event in function["Properties"]["Events"].values()]
    zones = {tick["Properties"]["ScheduleExpressionTimezone"] for tick in ticks if tick["Type"] == "ScheduleV2"}

    assert zones == {BRAND_ZONE.tzname(None)}


def test_only_the_step_that_moves_money_reads_the_accounts_that_it_is_paid_from() -> None:
    readers = {name for name, rights in granted().items() if "TransferSecret" in {resource for _, resource in rights}}
    roles = {name: str(role) for path in STACKS for name, role in resources(path, "AWS::IAM::Role")}

    assert readers == {"PayoutsOnStep"}
    assert not [name for name, role in roles.items() if "secretsmanager" in role]


def test_rights_are_given_in_roles_alone() -> None:
    """What the other tests read is all that there is: no policy stands beside the roles, no function brings its own."""
    kinds = {resource["Type"] for path in STACKS for resource in stack(path)["Resources"].values()}

    assert {kind for kind in kinds if kind.startswith("AWS::IAM::")} == {"AWS::IAM::Role"}
    assert not [name for name, function in FUNCTIONS.items() if "Role" in function["Properties"]]


def test_every_pipe_has_dead_letters_and_starts_with_the_oldest_record() -> None:
    found = dict(resources("infra/messaging.yaml", "AWS::Pipes::Pipe"))
    for name, pipe in found.items():
        source = pipe["Properties"]["SourceParameters"]["DynamoDBStreamParameters"]

        assert source["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["PipesDead", "Arn"]}}, name
        assert source["StartingPosition"] == "TRIM_HORIZON"

    streams = [name for name, table in TABLES.items() if "StreamSpecification" in table["Properties"]]
    assert len(found) == len(streams)


def test_logs_are_kept_for_a_time_and_not_for_ever() -> None:
    groups = dict(resources("template.yaml", "AWS::Logs::LogGroup"))

    assert groups
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert stack("template.yaml")["Globals"]["Function"]["LoggingConfig"]["LogGroup"] == {"Ref": "Logs"}


def test_an_alarm_watches_every_function_every_dead_letter_queue_and_the_ledger() -> None:
    alarms = {name for name, _ in resources("infra/observability.yaml", "AWS::CloudWatch::Alarm")}
    dead = [name for name in queues() if name.endswith("Dead")]

    assert {f"{name}Errors" for name in FUNCTIONS} <= alarms
    assert {f"{name.removesuffix('Dead')}DeadLetters" for name in dead} <= alarms
    assert "LedgerImbalance" in alarms


def test_every_alarm_is_quiet_without_data_and_tells_somebody() -> None:
    for name, alarm in resources("infra/observability.yaml", "AWS::CloudWatch::Alarm"):
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching", name
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "Alarms"}], name


def test_http_events_have_payload_format_one() -> None:
    for logical_id, function in FUNCTIONS.items():
        for event in function["Properties"]["Events"].values():
            if event["Type"] == "HttpApi":
                assert event["Properties"]["PayloadFormatVersion"] == "1.0", logical_id
                assert event["Properties"]["ApiId"] == {"Ref": "Api"}, logical_id


def test_bundles_are_for_the_runtime_that_runs_them() -> None:
    shared = stack("template.yaml")["Globals"]["Function"]

    assert (shared["Runtime"], shared["Architectures"]) == ("python3.13", ["arm64"])
    for name, layer in resources("template.yaml", "AWS::Serverless::LayerVersion"):
        assert layer["Properties"]["CompatibleRuntimes"] == ["python3.13"], name
        assert layer["Properties"]["CompatibleArchitectures"] == ["arm64"], name


def test_the_local_runtime_understands_the_whole_template() -> None:
    assert len(template().functions) == len(FUNCTIONS)
    assert len(template().tables) == len(TABLES)
