"""The queue edge: what is reported when one message fails, and when what ends the batch does."""

from typing import Any

import msgspec

from cardstock.edge import queue
from tests.house.cloud import Context


def event_of(*bodies: str) -> dict[str, Any]:
    """An SQS event with the messages `m0`, `m1` ..."""
    return {
        "Records": [
            {"messageId": f"m{index}", "body": body, "eventSource": "aws:sqs", "receiptHandle": "r"}
            for index, body in enumerate(bodies)
        ]
    }


def failed(answer: dict[str, Any]) -> list[str]:
    return [entry["itemIdentifier"] for entry in answer["batchItemFailures"]]


def refuse_b(body: bytes) -> None:
    if body == b"b":
        raise ValueError("b")


def test_a_poison_message_fails_alone_and_the_batch_is_finished_once_after_its_messages() -> None:
    steps: list[str] = []

    def consume(body: bytes) -> None:
        steps.append(body.decode())
        refuse_b(body)

    answer = queue.each(consume, finish=lambda: steps.append("end"))(event_of("a", "b", "c"), Context())

    assert failed(answer) == ["m1"]
    assert steps == ["a", "b", "c", "end"]


def test_a_batch_that_cannot_be_finished_comes_again_whole() -> None:
    def finish() -> None:
        raise ConnectionError("the queue is away")

    answer = queue.each(refuse_b, finish=finish)(event_of("a", "b", "c"), Context())

    assert failed(answer) == ["m0", "m1", "m2"]


def test_a_batch_is_finished_also_when_all_its_messages_fail() -> None:
    finished: list[bool] = []
    answer = queue.each(refuse_b, finish=lambda: finished.append(True))(event_of("b", "b"), Context())

    assert failed(answer) == ["m0", "m1"]
    assert finished == [True]


class Parcel(msgspec.Struct, forbid_unknown_fields=True):
    units: int


def test_messages_that_are_none_fail_alone() -> None:
    messages = [("m0", b'{"units":1}'), ("m1", b'{"units":"1"}'), ("m2", b"\xff"), ("m3", b'{"units":2,"more":1}')]

    assert queue.decode_each(Parcel, messages) == ({"m0": Parcel(1)}, ["m1", "m2", "m3"])
