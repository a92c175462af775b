"""The local runtime's queues and pipes against moto: shapes, filters, partial failures, checkpoints."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws

from infra.local.engine import Clients, connect, provision
from infra.local.invoke import FunctionError
from infra.local.loading import load
from infra.local.pipes import matches
from infra.local.template import ROOT, Function, Place, Template
from infra.local.traffic import DrainError, Traffic

SMALL = ROOT / "tests" / "e2e" / "local_stack" / "template.yaml"
PLACE = Place(account="123456789012", region="ap-east-1", endpoint="https://sqs.ap-east-1.amazonaws.com")


class Functions:
    """Answers with `answer(event)`, and keeps the events."""

    def __init__(self, answer: Callable[[Any], Any] = lambda _: {}) -> None:
        self.events: list[Any] = []
        self._answer = answer

    def invoke(self, function: Function, event: Any, *, request_id: str | None = None) -> Any:
        self.events.append(event)
        return self._answer(event)

    def close(self) -> None:
        """Nothing is held."""

    def bodies(self) -> list[str]:
        return sorted(record["body"] for event in self.events for record in event["Records"])


@pytest.fixture
def template() -> Template:
    return load(SMALL, place=PLACE, parameters={"Environment": "local"})


@pytest.fixture
def clients(template: Template) -> Iterator[Clients]:
    with mock_aws():
        made = connect(None, "ap-east-1")
        provision(template, made)
        yield made
        made.close()


def traffic(template: Template, clients: Clients, functions: Functions, **options: Any) -> Traffic:
    return Traffic(template, clients=clients, invoker=functions, report=lambda _: None, **options)


def note(clients: Clients, pk: str, text: str = "hello") -> None:
    clients.dynamodb.put_item(
        TableName="cardstock-Notes",
        Item={"pk": {"S": pk}, "text": {"S": text}, "raw": {"B": b"\x00"}, "n": {"N": "5"}},
    )


def send(template: Template, clients: Clients, *bodies: str) -> str:
    url = template.queue("Messaging.NoteEvents").url
    for body in bodies:
        clients.sqs.send_message(
            QueueUrl=url, MessageBody=body,
            MessageAttributes={"kind": {"DataType": "String", "StringValue": "test"}},
        )  # fmt: skip
    return url


def dead(template: Template, clients: Clients) -> list[str]:
    url = template.queue("Messaging.NoteEventsDead").url
    found = clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return sorted(message["Body"] for message in found)


def test_provisioning_works_in_process_and_twice(template: Template, clients: Clients) -> None:
    made = provision(template, clients)
    policy = clients.sqs.get_queue_attributes(
        QueueUrl=template.queue("Messaging.NoteEvents").url, AttributeNames=["RedrivePolicy", "VisibilityTimeout"]
    )["Attributes"]

    assert (made.tables, made.queues, made.buckets, made.secrets) == ((), (), (), ())
    assert json.loads(policy["RedrivePolicy"])["maxReceiveCount"] in (3, "3")
    assert policy["VisibilityTimeout"] == "60"


def test_records_have_the_shape_that_lambda_gives_them(template: Template, clients: Clients) -> None:
    functions = Functions()
    send(template, clients, "one")
    traffic(template, clients, functions).drain()
    record = functions.events[0]["Records"][0]

    assert sorted(record) == [
        "attributes", "awsRegion", "body", "eventSource", "eventSourceARN", "md5OfBody", "messageAttributes",
        "messageId", "receiptHandle",
    ]  # fmt: skip
    assert record["body"] == "one"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["attributes"]["SentTimestamp"].isdigit()
    assert record["messageAttributes"]["kind"]["stringValue"] == "test"
    assert record["eventSourceARN"] == "arn:aws:sqs:ap-east-1:123456789012:cardstock-NoteEvents"
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "ap-east-1")


def test_only_what_failed_comes_again_and_then_dies(template: Template, clients: Clients) -> None:
    def answer(event: Any) -> Any:
        failed = [record["messageId"] for record in event["Records"] if record["body"] == "poison"]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    functions = Functions(answer)
    send(template, clients, "one", "poison", "two")
    drained = traffic(template, clients, functions).drain()

    assert functions.bodies() == ["one", "poison", "poison", "poison", "two"]
    assert (drained.handled, drained.failed) == (2, 3)
    assert dead(template, clients) == ["poison"]


@pytest.mark.parametrize(
    "answer",
    [{"batchItemFailures": [{"itemIdentifier": "unknown"}]}, {"batchItemFailures": [{"id": "x"}]}, ["nonsense"]],
)
def test_an_answer_that_lambda_would_not_understand_fails_the_batch(
    template: Template, clients: Clients, answer: Any
) -> None:
    send(template, clients, "one", "two")
    traffic(template, clients, Functions(lambda _: answer)).drain()

    assert dead(template, clients) == ["one", "two"]


def test_a_function_that_raises_fails_the_batch(template: Template, clients: Clients) -> None:
    def fail(_event: Any) -> Any:
        raise FunctionError("f", "ValueError", "no")

    send(template, clients, "one", "two")
    traffic(template, clients, Functions(fail)).drain()

    assert dead(template, clients) == ["one", "two"]


def test_batches_are_as_large_as_the_template_says(template: Template, clients: Clients) -> None:
    functions = Functions()
    send(template, clients, *(str(number) for number in range(25)))
    runner = traffic(template, clients, functions).queues[0]
    received = [runner.poll() for _ in range(3)]

    assert received == [20, 5, 0]
    assert len(functions.bodies()) == 25


def test_what_is_still_failing_when_time_is_over_is_told(template: Template, clients: Clients) -> None:
    clients.sqs.set_queue_attributes(
        QueueUrl=send(template, clients, "stuck"), Attributes={"RedrivePolicy": ""}
    )  # nothing takes the message away
    functions = Functions(lambda event: {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]})

    with pytest.raises(DrainError, match="NoteEvents"):
        traffic(template, clients, functions).drain(timeout=0.2)


def test_a_pipe_forwards_each_record_as_it_is_once(template: Template, clients: Clients) -> None:
    functions = Functions()
    running = traffic(template, clients, functions)
    for number in range(12):
        note(clients, f"note_{number}")
    note(clients, "other")
    clients.dynamodb.delete_item(TableName="cardstock-Notes", Key={"pk": {"S": "note_0"}})
    first = running.drain()
    second = running.drain()
    record = json.loads(functions.bodies()[0])

    assert (first.forwarded, first.handled, second.forwarded) == (12, 12, 0)
    assert (record["eventName"], record["eventSource"]) == ("INSERT", "aws:dynamodb")
    assert record["eventSourceARN"].startswith("arn:aws:dynamodb:ap-east-1:123456789012:table/cardstock-Notes/stream/")
    assert record["dynamodb"]["Keys"]["pk"]["S"].startswith("note_")
    assert record["dynamodb"]["NewImage"]["raw"] == {"B": "AA=="}
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], int)


def test_a_pipe_goes_on_after_a_restart_where_it_was(template: Template, clients: Clients) -> None:
    note(clients, "note_a")
    before = traffic(template, clients, Functions())
    before.pump()
    note(clients, "note_b")
    functions = Functions()
    after = traffic(template, clients, functions, checkpoints=json.loads(json.dumps(before.checkpoints())))
    drained = after.drain()

    assert (drained.forwarded, drained.handled) == (1, 2)


def test_without_a_checkpoint_a_pipe_starts_with_the_oldest_record(template: Template, clients: Clients) -> None:
    note(clients, "note_a")
    note(clients, "note_b")

    assert traffic(template, clients, Functions()).pump() == 2


RECORD = {"eventName": "MODIFY", "dynamodb": {"NewImage": {"status": {"S": "paid"}, "pk": {"S": "ord_1"}}, "size": 7}}


@pytest.mark.parametrize(
    ("pattern", "accepted"),
    [
        ({"eventName": ["INSERT", "MODIFY"]}, True),
        ({"eventName": ["REMOVE"]}, False),
        ({"dynamodb": {"NewImage": {"pk": {"S": [{"prefix": "ord_"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"pk": {"S": [{"suffix": "_2"}]}}}}, False),
        ({"dynamodb": {"NewImage": {"status": {"S": [{"anything-but": ["placed"]}]}}}}, True),
        ({"dynamodb": {"NewImage": {"status": {"S": [{"anything-but": {"prefix": "pa"}}]}}}}, False),
        ({"dynamodb": {"NewImage": {"paid": {"S": [{"exists": False}]}}}}, True),
        ({"dynamodb": {"OldImage": {"pk": {"S": [{"exists": True}]}}}}, False),
        ({"dynamodb": {"size": [{"numeric": [">", 5, "<=", 7]}]}}, True),
        ({"dynamodb": {"size": [{"numeric": [">", 7]}]}}, False),
        ({"eventName": [{"equals-ignore-case": "modify"}]}, True),
        ({"$or": [{"eventName": ["REMOVE"]}, {"dynamodb": {"size": [7]}}]}, True),
    ],
)
def test_filters_accept_what_eventbridge_would(pattern: dict[str, Any], accepted: bool) -> None:
    assert matches([pattern], RECORD) is accepted


def test_an_unknown_filter_is_refused_rather_than_ignored() -> None:
    with pytest.raises(ValueError, match="wildcard"):
        matches([{"eventName": [{"wildcard": "*"}]}], RECORD)
