"""AWS between queues and functions on this machine: event source mappings.

A message is handled at least once, in no fixed order. Only the failed messages of a batch are repeated, after
`retry_seconds` instead of the queue's visibility time-out (six times a function's time-out, too long for development);
the queue's own redrive policy moves what keeps failing to its dead-letter queue.
"""

import base64
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.invoke import FunctionError, Invoker
from infra.local.template import Function, Queue, QueueSource

Json = Any
Report = Callable[[str], None]

RECEIVE = 10  # the maximum of ReceiveMessage and the batch calls


def _chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


@dataclass(frozen=True, slots=True)
class Depth:
    """A queue's approximate numbers of messages."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def due(self) -> int:
        """Messages that can be handled now."""
        return self.visible + self.in_flight


def depth(queue: Queue, sqs: Any) -> Depth:
    """The numbers of messages in `queue`."""
    names = ["", "NotVisible", "Delayed"]
    attributes = sqs.get_queue_attributes(
        QueueUrl=queue.url, AttributeNames=[f"ApproximateNumberOfMessages{name}" for name in names]
    )["Attributes"]
    return Depth(*(int(attributes.get(f"ApproximateNumberOfMessages{name}", 0)) for name in names))


class QueueRunner:
    """One function's queue: receives, invokes, deletes succeeded messages."""

    def __init__(
        self,
        function: Function,
        source: QueueSource,
        queue: Queue,
        *,
        sqs: Any,
        invoker: Invoker,
        region: str,
        retry_seconds: int = 0,
        report: Report = print,
    ) -> None:
        self.function = function
        self.source = source
        self.queue = queue
        self.handled = 0
        self.failed = 0
        self._sqs = sqs
        self._invoker = invoker
        self._region = region
        self._retry_seconds = retry_seconds
        self._report = report
        self._lock = threading.Lock()

    def poll(self, *, wait: int = 0, window: float = 0.0) -> int:
        """Handle one batch, if there is one. Returns the number of messages received.

        `wait` is the long poll in seconds; `window` how long to wait for a full batch.
        """
        messages = self._receive(wait, window)
        if messages:
            self._handle(messages)
        return len(messages)

    def _receive(self, wait: int, window: float) -> list[Mapping[str, Json]]:
        messages: list[Mapping[str, Json]] = []
        deadline: float | None = None
        while len(messages) < self.source.batch_size:
            wanted = min(RECEIVE, self.source.batch_size - len(messages))
            got = self._sqs.receive_message(
                QueueUrl=self.queue.url,
                MaxNumberOfMessages=wanted,
                WaitTimeSeconds=0 if messages else wait,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            messages.extend(got)
            deadline = deadline or time.monotonic() + window
            if len(got) < wanted:
                left = deadline - time.monotonic()
                if not messages or left <= 0:
                    break
                time.sleep(min(0.1, left))
        return messages

    def _handle(self, messages: Sequence[Mapping[str, Json]]) -> None:
        event = {"Records": [self._record(message) for message in messages]}
        try:
            failed = self._failed(self._invoker.invoke(self.function, event), event["Records"])
        except FunctionError as error:
            self._report(f"{self.queue.name}: the batch of {len(messages)} failed: {error}")
            failed = {message["MessageId"] for message in messages}
        succeeded = [message for message in messages if message["MessageId"] not in failed]
        for chunk in _chunks(succeeded, RECEIVE):
            self._sqs.delete_message_batch(
                QueueUrl=self.queue.url,
                Entries=[{"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(chunk)],
            )
        again = [message for message in messages if message["MessageId"] in failed]
        for chunk in _chunks(again, RECEIVE):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self.queue.url,
                Entries=[
                    {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": self._retry_seconds}
                    for i, m in enumerate(chunk)
                ],
            )
        with self._lock:
            self.handled += len(succeeded)
            self.failed += len(again)

    def _failed(self, answer: Json, records: Sequence[Mapping[str, Json]]) -> set[str]:
        """The ids that the function reports. An answer that Lambda would not accept fails the whole batch."""
        ids = {str(record["messageId"]) for record in records}
        if not self.source.reports_failures or not answer:
            return set()
        try:
            failed = {entry["itemIdentifier"] for entry in answer.get("batchItemFailures") or []}
        except (AttributeError, KeyError, TypeError):
            failed = {""}
        if not failed <= ids:
            self._report(f"{self.queue.name}: {self.function.name} answered {answer!r}; the whole batch comes again")
            return ids
        return failed

    def _record(self, message: Mapping[str, Json]) -> dict[str, Json]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {
                name: _message_attribute(value) for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message.get("MD5OfBody", ""),
            "eventSource": "aws:sqs",
            "eventSourceARN": self.queue.arn,
            "awsRegion": self._region,
        }


def _message_attribute(value: Mapping[str, Json]) -> dict[str, Json]:
    shaped: dict[str, Json] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        shaped["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        shaped["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return shaped
