"""The local runtime's reading of CloudFormation templates."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local.loading import load
from infra.local.template import ROOT, Place, Template, TemplateError

SMALL = ROOT / "tests" / "e2e" / "local_stack" / "template.yaml"
PLACE = Place(account="123456789012", region="ap-east-1", endpoint="http://aws.test", api_url="http://api.test")


def small(**parameters: str) -> Template:
    return load(SMALL, place=PLACE, parameters={"Environment": "local", **parameters})


def write(folder: Path, resources: str, extra: str = "") -> Path:
    path = folder / "template.yaml"
    path.write_text(f"{extra}\nResources:\n{resources}", encoding="utf-8")
    return path


def test_the_deployed_template_is_understood_whole() -> None:
    template = load(ROOT / "template.yaml")

    assert {function.folder for function in template.functions} >= {
        "functions/orders/api",
        "functions/payouts/monthly_open",
    }
    assert all(function.module.endswith(".app") for function in template.functions)
    assert {pipe.table for pipe in template.pipes} <= {table.name for table in template.tables}
    assert all(value for name, value in template.environment().items() if name.endswith("_TABLE"))


@pytest.mark.parametrize("text", ["account:2 card_visits:3", "account:999999", ""])
def test_versions_of_consents_are_taken(text: str) -> None:
    loaded = load(ROOT / "template.yaml", parameters={"ConsentVersions": text})
    found = {function.environment.get("CONSENT_VERSIONS") for function in loaded.functions}

    assert found - {None} == {text}


@pytest.mark.parametrize("text", [
    "account", "account:0", "accounts:2", "account:2,card_visits:3", "account:1000000", "account:2\n",
])  # fmt: skip
def test_a_wrong_parameter_is_refused_with_what_is_right(text: str) -> None:
    with pytest.raises(TemplateError, match=r"ConsentVersions cannot be .*purpose:version"):
        load(ROOT / "template.yaml", parameters={"ConsentVersions": text})


def test_a_value_that_is_not_allowed_is_refused() -> None:
    with pytest.raises(TemplateError, match="LogLevel cannot be 'LOUD': is one of"):
        load(ROOT / "template.yaml", parameters={"LogLevel": "LOUD"})


def test_functions_have_their_triggers_and_their_own_and_shared_settings() -> None:
    template = small()
    api, consumer, tick = template.functions

    assert (api.name, api.folder, api.module) == (
        "cardstock-NotesApi", "tests/e2e/local_stack/notes", "tests.e2e.local_stack.notes.app",
    )  # fmt: skip
    assert (api.handler, api.timeout, api.memory) == ("handler", 1, 256)
    assert (api.routes[0].method, api.routes[0].path) == ("POST", "/v1/notes/{note_id}")
    assert api.environment["POWERTOOLS_SERVICE_NAME"] == "notes"
    assert (consumer.handler, consumer.timeout) == ("on_note", 10)
    assert (consumer.queues[0].batch_size, consumer.queues[0].reports_failures) == (20, True)
    assert tick.schedules[0].expression == "cron(0 3 1 * ? *)"
    assert tick.schedules[0].dead_letter_arn == "arn:aws:sqs:ap-east-1:123456789012:cardstock-TicksDead"


def test_values_travel_between_nested_stacks() -> None:
    environment = small().environment()

    assert environment["NOTES_TABLE"] == "cardstock-Notes"
    assert environment["LATE_QUEUE_URL"] == "http://aws.test/123456789012/cardstock-Late"
    assert environment["PAYMENT_SECRET_ID"] == "cardstock-payment-local"
    assert environment["FILES_BUCKET"] == "cardstock-files"
    assert environment["API_URL"] == "http://api.test"


def test_conditions_decide_what_exists() -> None:
    assert "OnlyInProd" not in {function.logical_id for function in small().functions}
    assert "OnlyInProd" in {function.logical_id for function in small(Environment="prod").functions}


def test_what_is_left_out_is_named_with_a_reason() -> None:
    skipped = {entry.logical_id: entry for entry in small().skipped}

    assert skipped["Errors"].type == "AWS::CloudWatch::Alarm"
    assert skipped["Messaging.NotesPipeRole"].reason


def test_tables_queues_and_pipes_are_complete() -> None:
    template = small()
    notes = template.tables[0]
    queue = template.queue("Messaging.NoteEvents")

    assert notes.definition["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert notes.definition["GlobalSecondaryIndexes"][0]["IndexName"] == "by_owner"
    assert notes.ttl_attribute == "expires_at"
    assert queue.attributes == {"VisibilityTimeout": "60"}
    assert (queue.dead_letter_arn, queue.max_receive_count) == (
        "arn:aws:sqs:ap-east-1:123456789012:cardstock-NoteEventsDead", 3,
    )  # fmt: skip
    assert template.pipes[0].table == "cardstock-Notes"
    assert template.pipes[0].patterns[0]["eventName"] == ["INSERT", "MODIFY"]


def test_intrinsics_are_resolved(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
  T:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: !Join ["-", [!Select [1, [a, b]], !Ref Names, x]]}
Outputs:
  Sub: {Value: !Sub ["${A}/${T.Arn}/${AWS::Region}/${!Literal}", {A: !Ref Names}]}
  If: {Value: !If [Big, 1, 2]}
  Split: {Value: !Select [1, !Split [",", "p,q"]]}
  Map: {Value: !FindInMap [Sizes, big, n]}
  Gone: {Value: [1, !Ref AWS::NoValue]}
""",
        """
Parameters: {Names: {Type: String, Default: n}}
Mappings: {Sizes: {big: {n: 7}}}
Conditions: {Big: !And [!Equals [!Ref Names, n], !Not [!Equals [1, 2]]]}
""",
    )
    outputs = load(path, place=PLACE).outputs

    assert outputs == {
        "Sub": "n/arn:aws:dynamodb:ap-east-1:123456789012:table/b-n-x/ap-east-1/${Literal}",
        "If": 1,
        "Split": "q",
        "Map": 7,
        "Gone": [1],
    }


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ("  Db: {Type: AWS::RDS::DBInstance}", "Db: resources of type AWS::RDS::DBInstance are not known here"),
        ("  T: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Ref Nothing}}", "Nothing is neither"),
        ("  T: {Type: AWS::DynamoDB::Table, Properties: {TableName: !ImportValue x}}", "Fn::ImportValue is not"),
        ("  T: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Ref T}}", "circular reference"),
        ("  S: {Type: AWS::SecretsManager::Secret}", "S: a secret needs"),
        (
            "  Q: {Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {deadLetterTargetArn: a:b, maxReceiveCount: 1}}}",
            "no dead-letter queue a:b",
        ),
        ("  P: {Type: AWS::Pipes::Pipe, Properties: {Source: 'a', Target: 'b'}}", "P: only a pipe from"),
        ("  N: {Type: AWS::Serverless::Application, Properties: {Location: none.yaml}}", "none.yaml"),
    ],
)
def test_what_cannot_run_here_stops_with_its_name(tmp_path: Path, resources: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        load(write(tmp_path, resources))


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("{Type: Api, Properties: {Path: /x, Method: GET}}", "F.E: a trigger of type Api does not run here"),
        ("{Type: HttpApi, Properties: {Path: /x, Method: GET}}", 'F.E: PayloadFormatVersion must be "1.0"'),
        ("{Type: SQS, Properties: {Queue: !GetAtt Q.Arn, FilterCriteria: {}}}", "FilterCriteria of a queue source"),
        ("{Type: SQS, Properties: {Queue: 'arn:x'}}", "F: no queue arn:x"),
    ],
)
def test_a_trigger_that_cannot_run_here_stops_with_its_name(tmp_path: Path, event: str, message: str) -> None:
    code = os.path.relpath(SMALL.parent / "notes", tmp_path)
    resources = f"""
  Q: {{Type: AWS::SQS::Queue}}
  F:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: {code}, Handler: app.handler, Events: {{E: {event}}}}}
"""
    with pytest.raises(TemplateError, match=message):
        load(write(tmp_path, resources))


def test_functions_that_disagree_on_a_variable_cannot_share_a_process() -> None:
    template = small()
    first, second, third = template.functions
    odd = replace(second, environment={**second.environment, "NOTES_TABLE": "another"})

    with pytest.raises(TemplateError, match="OnNote: NOTES_TABLE is 'another'"):
        replace(template, functions=(first, odd, third)).environment()


def test_a_parameter_that_the_template_does_not_have_is_named() -> None:
    with pytest.raises(TemplateError, match=r"template.yaml has no parameter FrieghtFen"):
        load(ROOT / "template.yaml", parameters={"FrieghtFen": "800"})
