"""What `template.yaml` and its nested stacks must hold: rights, dead letters, time-outs, retention."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cardstock.clock import BRAND_ZONE
from cardstock.members.export_model import FILE_LIFE
from cardstock.uploads.model import PURPOSES
from infra.contract.routes import apis
from infra.local.loading import load
from infra.local.template import Function, Place
from infra.packaging import alarms
from tests.house.cloud import ROOT, template
from tests.house.rights import granted
from tests.house.stacks import STACKS, camel, named_by, resources, stack, transformed, variables
from tests.house.stacks import functions as declared

PACKAGE = ROOT / "layers/cardstock/python/cardstock"

READ_OR_APPEND = ("PutItem", "GetItem", "BatchGetItem", "Query", "Scan")
READ_BY_POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
FUNCTIONS = declared()
# Figures that nobody must act on: the dashboard or a list shows them.
FOR_SIGHT = {
    "CardViews", "DividendShares", "ModelCalls", "ModelFallbacks", "ModelTokens", "OpenItems", "OrdersHeld",
    "OrdersSettled", "RecommendationsServed", "TransactionsSealed",
}  # fmt: skip
# A region, an account and a stack whose names are as long as names get.
LONG = Place(
    account="123456789012", region="ap-southeast-1", stack="s" * 64,
    endpoint="https://sqs.ap-southeast-1.amazonaws.com",
)  # fmt: skip
TABLES = dict(resources("AWS::DynamoDB::Table"))
WITH_FUNCTIONS = [path for path in STACKS if list(resources("AWS::Serverless::Function", path))]


def test_every_function_of_the_template_has_a_folder_and_every_folder_a_function() -> None:
    folders = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "functions").glob("*/*/app.py")}
    named = {function["CodeUri"].removeprefix("../") for function in FUNCTIONS.values()}

    assert named == folders


def test_a_function_is_called_like_its_folder() -> None:
    for logical_id, function in FUNCTIONS.items():
        folder = function["CodeUri"].removeprefix("../").removeprefix("functions/")
        name = function["FunctionName"]["Fn::Sub"]

        assert logical_id == camel(folder)
        assert re.fullmatch(r"\$\{(Stack|AWS::StackName)\}-[a-z-]+", name)
        assert camel(name.partition("}-")[2]) == logical_id


@pytest.mark.parametrize("path", WITH_FUNCTIONS)
def test_what_all_functions_have_is_the_same_in_every_stack(path: str) -> None:
    assert stack(path)["Globals"] == stack("template.yaml")["Globals"]


def test_the_environment_that_is_declared_is_the_one_that_is_read() -> None:
    everywhere = set(stack("template.yaml")["Globals"]["Function"]["Environment"]["Variables"])
    declared_here = everywhere | {name for function in FUNCTIONS for name in variables(function)}
    read = set()
    for path in PACKAGE.rglob("*.py"):
        read |= set(
            re.findall(r"""(?:environment\.(?:text|number)\(|variable = )"([A-Z_]+)\"""", path.read_text("utf-8"))
        )

    assert declared_here == read | READ_BY_POWERTOOLS


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_has_the_name_of_a_resource_exactly_when_it_has_a_right_on_it(function: str) -> None:
    named = {resource for name in variables(function) if (resource := named_by(name))}
    used = {
        resource.partition("/")[0]
        for action, resource in granted()[function]
        if action.startswith(("dynamodb:", "s3:", "secretsmanager:")) or action == "sqs:SendMessage"
    }

    assert named == used


def test_a_variable_means_the_same_in_every_function() -> None:
    assert template().environment()


@pytest.mark.parametrize("function", load(ROOT / "template.yaml", place=LONG).functions, ids=lambda one: one.folder)
def test_variables_take_at_most_half_of_the_four_kilobytes_that_lambda_allows(function: Function) -> None:
    size = sum(len(name.encode()) + len(value.encode()) for name, value in function.environment.items())

    assert size <= 2_048, f"{size} bytes"


def test_every_name_is_one_that_aws_allows_for_a_stack_of_31_letters() -> None:
    longest = load(ROOT / "template.yaml", place=Place(stack="s" * 31))

    assert max(len(function.name) for function in longest.functions) <= 64
    assert max(len(queue.name) for queue in longest.queues) <= 80
    assert max(len(schedule.name) for schedule in longest.schedules()) <= 64
    assert max(len(pipe.name) for pipe in longest.pipes) <= 64
    assert max(len(machine.name) for machine in longest.machines) <= 80


def test_one_module_reads_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for folder in (PACKAGE, ROOT / "functions")
        for path in folder.rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text("utf-8"))
    }

    assert readers == {"layers/cardstock/python/cardstock/environment.py"}


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for logical_id, function in FUNCTIONS.items():
        for policy in function.get("Policies", []):
            assert isinstance(policy, dict), f"{logical_id}: only statements written out here, no managed policy"
            assert set(policy) == {"Statement"}, f"{logical_id}: a policy template grants more than is used"
            for statement in policy["Statement"]:
                yield logical_id, statement
    for logical_id, role in resources("AWS::IAM::Role"):
        if logical_id.startswith("PayoutMap"):  # tests/architecture/test_payout_map.py
            continue
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
            objects_of_one_folder = text.startswith("{'Fn::Sub'") and re.search(
                r"(ReportsBucket|((Export|Upload|Public)Files|SearchIndex)(Bucket)?)}/\w+/\*'", text
            )
            # Secrets Manager adds six letters to a secret's name, and nobody knows them before.
            one_secret = re.search(r"Secrets}-[\w-]+-\?{6}'", text)
            assert not re.search(r"[*?]", text) or objects_of_one_folder or one_secret, f"{logical_id}: {text}"


def test_nobody_may_change_what_is_in_the_ledger() -> None:
    for logical_id, rights in granted().items():
        actions = {action for action, resource in rights if resource.partition("/")[0] == "Ledger"}

        assert actions <= {f"dynamodb:{verb}" for verb in READ_OR_APPEND}, logical_id


def test_no_role_outside_the_functions_writes_any_table() -> None:
    roles = list(resources("AWS::IAM::Role"))

    assert len(roles) >= 4
    for name, role in roles:
        assert not role["Properties"].get("ManagedPolicyArns"), name
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                tables = {action for action in actions if action.startswith("dynamodb:")}

                reads = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
                assert tables <= {f"dynamodb:{verb}" for verb in reads}, name


def test_who_exports_a_member_s_data_reads_all_of_it_and_writes_exports_alone() -> None:
    reads = {
        "dynamodb:BatchGetItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "s3:GetObject",
    }
    writes = [
        (statement["Resource"], statement.get("Condition"))
        for name, statement in statements()
        if name == "MembersOnExport"
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if action not in reads
    ]
    file = {"Fn::Sub": "arn:${AWS::Partition}:s3:::${ExportFiles}/exports/*"}
    item = {"Fn::Sub": "${Tables}-members"}
    of_exports = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["export#*"]}}

    assert len(writes) == 4
    assert [one for one in writes if one not in ((file, None), (item, of_exports))] == []


def test_nobody_may_change_a_published_plan_or_take_back_what_the_guard_has_on_record() -> None:
    rights = [right for granted_here in granted().values() for right in granted_here]
    changes = [
        (logical_id, action)
        for logical_id, granted_here in granted().items()
        for action, resource in granted_here
        if resource == "Compliance" and action in ("dynamodb:DeleteItem", "dynamodb:UpdateItem")
    ]

    assert {action for action, resource in rights if resource == "Plans"} <= {
        "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query",
    }  # fmt: skip
    assert sorted(changes) == [(logical_id, "dynamodb:DeleteItem") for logical_id in FORGET_MARKS]


FORGET_MARKS = ("MembersNightlyErasure", "OrdersNightlyRetention")


@pytest.mark.parametrize("logical_id", FORGET_MARKS)
def test_an_erasure_may_delete_marks_and_nothing_else_of_compliance(logical_id: str) -> None:
    deletes = [
        statement
        for policy in FUNCTIONS[logical_id]["Policies"]
        for statement in policy["Statement"]
        if "compliance" in str(statement["Resource"])
    ]

    assert [(each["Action"], each["Condition"]) for each in deletes] == [
        ("dynamodb:DeleteItem", {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["mark#*"]}})
    ]


def test_every_right_is_on_something_that_a_stack_makes() -> None:
    known = {name for path in STACKS for name in stack(path)["Resources"]}
    for logical_id, rights in granted().items():
        unknown = {resource for _, resource in rights if resource.partition("/")[0] not in known}

        assert not unknown, logical_id


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("AWS::DynamoDB::Table", "TableName"),
        ("AWS::SQS::Queue", "QueueName"),
        ("AWS::SecretsManager::Secret", "Name"),
        ("AWS::Pipes::Pipe", "Name"),
    ],
)
def test_a_resource_is_called_like_its_logical_id_behind_the_stack_s_name(kind: str, key: str) -> None:
    for logical_id, resource in resources(kind):
        name = resource["Properties"][key]["Fn::Sub"]

        assert name.startswith("${Stack}-"), logical_id
        assert camel(name.removeprefix("${Stack}-")) == re.sub(r"(Secret|Pipe)\Z", "", logical_id)


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


BUCKETS = dict(resources("AWS::S3::Bucket"))


@pytest.mark.parametrize("name", sorted(BUCKETS))
def test_a_bucket_is_closed_encrypted_and_outlives_its_stack(name: str) -> None:
    properties = BUCKETS[name]["Properties"]
    ((policy,),) = (
        [each["Properties"]["PolicyDocument"]["Statement"] for _, each in resources("AWS::S3::BucketPolicy")
         if each["Properties"]["Bucket"] == {"Ref": name}],
    )  # fmt: skip

    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["BucketEncryption"]
    assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert BUCKETS[name]["DeletionPolicy"] == "Retain"
    assert {"Fn::Sub": f"${{{name}.Arn}}/*"} in policy[0]["Resource"]
    assert (policy[0]["Effect"], policy[0]["Principal"], policy[0]["Action"]) == ("Deny", "*", "s3:*")
    assert policy[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_reports_keep_their_versions_and_exports_are_gone_once_they_are_deleted() -> None:
    reports, exports = (BUCKETS[name]["Properties"] for name in ("Reports", "ExportFiles"))
    (rule,) = exports["LifecycleConfiguration"]["Rules"]

    assert sorted(BUCKETS) == ["ExportFiles", "PublicFiles", "Reports", "SearchIndex", "UploadFiles"]
    assert reports["VersioningConfiguration"] == {"Status": "Enabled"}
    assert not exports.keys() & {"VersioningConfiguration", "ObjectLockEnabled", "ObjectLockConfiguration"}
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", FILE_LIFE.days)
    assert "Filter" not in rule
    assert "Prefix" not in rule


def test_files_that_arrive_go_after_a_day_and_kept_ones_after_the_term_of_their_purpose() -> None:
    bucket = BUCKETS["UploadFiles"]["Properties"]
    terms = {rule["Prefix"]: rule["ExpirationInDays"] for rule in bucket["LifecycleConfiguration"]["Rules"]}
    kept = {f"kept/{name}/": terms.keep.days for name, terms in PURPOSES.items() if terms.keep is not None}

    assert terms == {"incoming/": 1, **kept}
    assert all(rule["Status"] == "Enabled" for rule in bucket["LifecycleConfiguration"]["Rules"])
    assert not bucket.keys() & {"VersioningConfiguration", "ObjectLockEnabled", "ObjectLockConfiguration"}


def test_public_files_are_read_by_one_host_alone_which_lets_nothing_in_them_run() -> None:
    [(_, policy)] = [each for each in resources("AWS::S3::BucketPolicy") if each[0] == "PublicFilesPolicy"]
    _, allowed = policy["Properties"]["PolicyDocument"]["Statement"]
    [host] = template().files_hosts

    assert (allowed["Effect"], allowed["Principal"]) == ("Allow", {"Service": "cloudfront.amazonaws.com"})
    assert "distribution/${FilesHost}" in str(allowed["Condition"])
    assert host.headers == {
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "referrer-policy": "no-referrer",
        "strict-transport-security": "max-age=31536000",
        "cache-control": "public, max-age=31536000, immutable",
        "cross-origin-resource-policy": "cross-origin",
    }


def queues() -> dict[str, dict[str, Any]]:
    return {name: resource["Properties"] for name, resource in resources("AWS::SQS::Queue")}


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
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                yield logical_id, function.get("Timeout", default), event["Properties"]


def test_every_consumer_reports_partial_failures() -> None:
    found = list(queue_sources())

    # A pipe reads the queue of payouts that are taken in parts.
    assert len(found) == len([name for name in queues() if not name.endswith("Dead")]) - 1
    for logical_id, _, source in found:
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"], logical_id


def test_a_message_stays_invisible_for_six_times_the_time_out_of_its_consumer() -> None:
    for logical_id, timeout, source in queue_sources():
        name, attribute = source["Queue"]["Fn::GetAtt"]
        queue = queues()[name]

        assert attribute == "Arn", logical_id
        assert queue["VisibilityTimeout"] == 6 * timeout, logical_id


def test_every_schedule_and_every_failed_run_ends_in_a_dead_letter_queue() -> None:
    dead = {"Fn::Sub": "${Queues}-schedules-dead"}
    found = 0
    for logical_id, function in FUNCTIONS.items():
        for event in function.get("Events", {}).values():
            if event["Type"] != "ScheduleV2":
                continue
            found += 1
            invoke = function["EventInvokeConfig"]
            tick = event["Properties"]

            assert tick["DeadLetterConfig"] == {"Arn": dead}, logical_id
            # SAM would call it like its function's logical id: one of two stacks in an account could not be deployed.
            assert tick["Name"] == function["FunctionName"], logical_id
            assert tick["RetryPolicy"]["MaximumRetryAttempts"] >= 1
            assert tick["Input"] == '{"scheduled_at":"<aws.scheduler.scheduled-time>"}'
            assert invoke["DestinationConfig"]["OnFailure"] == {"Type": "SQS", "Destination": dead}, logical_id

    assert found == 17


def test_every_schedule_is_in_the_zone_in_which_the_code_s_days_and_months_begin() -> None:
    ticks = [event for function in FUNCTIONS.values() for event in function.get("Events", {}).values()]
    zones = {tick["Properties"]["ScheduleExpressionTimezone"] for tick in ticks if tick["Type"] == "ScheduleV2"}

    assert zones == {BRAND_ZONE.tzname(None)}


def test_only_the_step_that_moves_money_reads_the_accounts_that_it_is_paid_from() -> None:
    readers = {name for name, rights in granted().items() if "TransferSecret" in {resource for _, resource in rights}}
    roles = {name: str(role) for name, role in resources("AWS::IAM::Role")}

    assert readers == {"PayoutsOnStep"}
    assert not [name for name, role in roles.items() if "secretsmanager" in role]


def test_rights_are_given_in_roles_alone() -> None:
    """What the other tests read is all that there is: no policy stands beside the roles, no function brings its own."""
    kinds = {resource["Type"] for path in STACKS for resource in stack(path)["Resources"].values()}

    assert {kind for kind in kinds if kind.startswith("AWS::IAM::")} == {"AWS::IAM::Role"}
    assert not [name for name, function in FUNCTIONS.items() if "Role" in function]


def test_every_pipe_has_dead_letters_and_starts_with_the_oldest_record() -> None:
    found = {
        name: pipe["Properties"]["SourceParameters"]["DynamoDBStreamParameters"]
        for name, pipe in resources("AWS::Pipes::Pipe")
        if name != "PayoutMapPipe"  # it reads a queue
    }
    for name, source in found.items():
        assert source["DeadLetterConfig"] == {"Arn": {"Fn::Sub": "${Queues}-pipes-dead"}}, name
        assert source["StartingPosition"] == "TRIM_HORIZON"

    streams = [name for name, table in TABLES.items() if "StreamSpecification" in table["Properties"]]
    assert len(found) == len(streams)


def test_logs_are_kept_for_a_time_and_not_for_ever() -> None:
    groups = dict(resources("AWS::Logs::LogGroup"))

    assert groups
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert stack("template.yaml")["Globals"]["Function"]["LoggingConfig"]["LogGroup"] == {"Ref": "Logs"}


def test_an_alarm_watches_every_function_every_dead_letter_queue_and_the_ledger() -> None:
    found = {name for name, _ in resources("AWS::CloudWatch::Alarm")}
    dead = [name for name in queues() if name.endswith("Dead")]

    assert {f"{name}Errors" for name in FUNCTIONS} <= found
    assert {f"{name.removesuffix('Dead')}DeadLetters" for name in dead} <= found
    assert {"LedgerImbalance", "ApiFaults", "StaffApiFaults", "PayoutMapFailures", "PayoutMapTimeOuts"} <= found


def test_an_alarm_watches_log_ins_and_what_people_of_the_brand_must_repair() -> None:
    watched = {alarm["Properties"]["MetricName"] for _, alarm in resources("AWS::CloudWatch::Alarm")}
    to_repair = {refusal.alarm for _, api in apis() for route in api.routes for refusal in route.codes} - {""}

    assert {"LoginsUnanswered", "RefreshTokensReused", "CallsUncounted"} <= watched
    assert to_repair <= watched
    assert "PlatformMisconfigured" in to_repair


def test_every_counted_figure_has_an_alarm_or_is_for_sight_alone() -> None:
    code = [file.read_text("utf-8") for top in ("functions", "layers/cardstock") for file in (ROOT / top).rglob("*.py")]
    counted = {name for text in code for name in re.findall(r'\bcount\(\s*"([A-Z][A-Za-z]+)"', text)}
    watched = {alarm["Properties"]["MetricName"] for _, alarm in resources("AWS::CloudWatch::Alarm")}

    assert len(counted) > len(FOR_SIGHT)
    assert counted - watched == FOR_SIGHT


def test_the_alarms_are_those_of_what_exists() -> None:
    """`python -m infra.packaging.alarms` writes them."""
    made = alarms.render(load(ROOT / "template.yaml", place=alarms.PLACE))

    assert (ROOT / "infra/alarms.yaml").read_text("utf-8") == made


def test_every_alarm_is_quiet_without_data_and_notifies_somebody() -> None:
    for name, alarm in resources("AWS::CloudWatch::Alarm"):
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching", name
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "Alarms"}], name


def test_bundles_are_for_the_runtime_that_runs_them() -> None:
    shared = stack("template.yaml")["Globals"]["Function"]

    assert (shared["Runtime"], shared["Architectures"]) == ("python3.13", ["arm64"])
    for name, layer in resources("AWS::Serverless::LayerVersion"):
        assert layer["Properties"]["CompatibleRuntimes"] == ["python3.13"], name
        assert layer["Properties"]["CompatibleArchitectures"] == ["arm64"], name


@pytest.mark.parametrize("path", STACKS)
def test_a_stack_stays_below_the_quota_of_resources_after_the_transform(path: str) -> None:
    """CloudFormation takes 500; the root, to which every area adds, is to have room for as many again."""
    made = transformed(path)["Resources"]

    assert len(made) <= 300
    assert not [name for name, resource in made.items() if resource["Type"].startswith("AWS::Serverless::Function")]


def test_the_local_runtime_understands_the_whole_template() -> None:
    assert len(template().functions) == len(FUNCTIONS)
    assert len(template().tables) == len(TABLES)
