"""AWS between queues and functions on this machine: event source mappings and pipes.

A message is handled at least once, in no fixed order. Only the failed messages of a batch are repeated, after
`retry_seconds` instead of the queue's visibility time-out (six times a function's time-out, too long for development);
the queue's own redrive policy moves what keeps failing to its dead-letter queue.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infra.local.engine import Clients
from infra.local.invoke import FunctionError, Invoker
from infra.local.machines import Execution, MachineError, TaskError
from infra.local.template import Function, Machine, Pipe, Queue, QueueSource, Template

Json = Any
Report = Callable[[str], None]

_RECEIVE = 10  # the maximum of ReceiveMessage and the batch calls
_BODY_BYTES = 250_000  # SendMessageBatch's sum over its entries, with room for attributes
_RECORDS = 1000  # the maximum of GetRecords


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
            wanted = min(_RECEIVE, self.source.batch_size - len(messages))
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
        for chunk in _chunks(succeeded, _RECEIVE):
            self._sqs.delete_message_batch(
                QueueUrl=self.queue.url,
                Entries=[{"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(chunk)],
            )
        again = [message for message in messages if message["MessageId"] in failed]
        for chunk in _chunks(again, _RECEIVE):
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


@dataclass
class Checkpoint:
    """A pipe's progress in each shard of a stream: the last sequence number that is in the queue."""

    stream: str = ""
    after: dict[str, str] = field(default_factory=dict)

    def dump(self) -> Json:
        return {"stream": self.stream, "after": self.after}


class PipeRunner:
    """One pipe: forwards the records of a table's stream to its queue, at least once, in the order of each shard."""

    def __init__(self, pipe: Pipe, queue: Queue, *, clients: Clients, checkpoint: Checkpoint) -> None:
        self.pipe = pipe
        self.queue = queue
        self.checkpoint = checkpoint
        self.forwarded = 0
        self._clients = clients
        self._lock = threading.Lock()
        self._iterators: dict[str, str | None] = {}
        self._described = 0.0

    def pump(self) -> int:
        """Forward everything that is in the stream now. Returns the number of records read."""
        with self._lock:
            return sum(self._pump_shard(shard) for shard in self._shards())

    def _shards(self) -> list[str]:
        dynamodb, streams = self._clients.dynamodb, self._clients.streams
        if not self._iterators or time.monotonic() - self._described > 60:
            if not self._described:
                arn = dynamodb.describe_table(TableName=self.pipe.table)["Table"]["LatestStreamArn"]
                if arn != self.checkpoint.stream:
                    self.checkpoint.stream, self.checkpoint.after = arn, {}
            found: list[str] = []
            page: dict[str, Json] = {}
            while True:
                description = streams.describe_stream(StreamArn=self.checkpoint.stream, **page)["StreamDescription"]
                found += [shard["ShardId"] for shard in description["Shards"]]
                if not description.get("LastEvaluatedShardId"):
                    break
                page = {"ExclusiveStartShardId": description["LastEvaluatedShardId"]}
            self._described = time.monotonic()
            for shard in found:
                if shard not in self._iterators:
                    self._iterators[shard] = self._iterator(shard)
            for gone in set(self._iterators) - set(found):
                del self._iterators[gone]
                self.checkpoint.after.pop(gone, None)
        return [shard for shard, iterator in self._iterators.items() if iterator is not None]

    def _iterator(self, shard: str) -> str:
        streams, after = self._clients.streams, self.checkpoint.after.get(shard)
        at = {"StreamArn": self.checkpoint.stream, "ShardId": shard}
        if after is not None:
            try:
                found = streams.get_shard_iterator(
                    **at, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=after
                )
                return str(found["ShardIterator"])
            except streams.exceptions.TrimmedDataAccessException:
                pass  # the emulator drops old records when it stops; those left are newer
        return str(streams.get_shard_iterator(**at, ShardIteratorType="TRIM_HORIZON")["ShardIterator"])

    def _pump_shard(self, shard: str) -> int:
        streams, total = self._clients.streams, 0
        while (iterator := self._iterators[shard]) is not None:
            try:
                page = streams.get_records(ShardIterator=iterator, Limit=_RECORDS)
            except (streams.exceptions.ExpiredIteratorException, streams.exceptions.TrimmedDataAccessException):
                self._iterators[shard] = self._iterator(shard)
                continue
            records = page["Records"]
            if records:
                self._send([record for record in records if matches(self.pipe.patterns, record)])
                self.checkpoint.after[shard] = records[-1]["dynamodb"]["SequenceNumber"]
            self._iterators[shard] = page.get("NextShardIterator")
            total += len(records)
            if len(records) < _RECORDS:
                break
        return total

    def _send(self, records: Iterable[Mapping[str, Json]]) -> None:
        bodies = [
            json.dumps({**r, "eventSourceARN": self.checkpoint.stream}, default=_plain, separators=(",", ":"))
            for r in records
        ]
        for batch in _batches(bodies):
            entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(batch)]
            if self.pipe.message_group is not None:
                entries = [{**entry, "MessageGroupId": self.pipe.message_group} for entry in entries]
            answer = self._clients.sqs.send_message_batch(QueueUrl=self.queue.url, Entries=entries)
            if answer.get("Failed"):
                raise RuntimeError(f"{self.pipe.name}: {self.queue.name} refused {answer['Failed']}")
            self.forwarded += len(entries)


def _batches(bodies: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == _RECEIVE or size + length > _BODY_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch


def _plain(value: object) -> Json:
    """botocore's Python values as EventBridge Pipes writes them: seconds, base64."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{value!r} in a stream record")


def matches(patterns: Sequence[Mapping[str, Json]], record: Mapping[str, Json]) -> bool:
    """Whether one of the filter patterns accepts `record`. Without patterns every record is accepted.

    Source: EventBridge Pipes, comparison operators (equality, prefix, suffix, exists, anything-but,
    equals-ignore-case, numeric). ValueError for others.
    """
    return not patterns or any(_matches(pattern, record) for pattern in patterns)


def _matches(pattern: Mapping[str, Json], value: Json) -> bool:
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(_matches(alternative, value) for alternative in wanted):
                return False
            continue
        present = isinstance(value, Mapping) and key in value
        found = value[key] if present else None
        if isinstance(wanted, Mapping):
            if not _matches(wanted, found):
                return False
        elif not any(_accepts(rule, found, present) for rule in wanted):
            return False
    return True


def _accepts(rule: Json, found: Json, present: bool) -> bool:
    if not isinstance(rule, Mapping):
        return present and bool(found == rule)
    ((operator, operand),) = rule.items()
    if operator == "exists":
        return present is bool(operand)
    if not present:
        return False
    known: dict[str, Callable[[], bool]] = {
        "prefix": lambda: isinstance(found, str) and found.startswith(operand),
        "suffix": lambda: isinstance(found, str) and found.endswith(operand),
        "equals-ignore-case": lambda: isinstance(found, str) and found.lower() == str(operand).lower(),
        "anything-but": lambda: not _excluded(operand, found),
        "numeric": lambda: _numeric(operand, found),
    }
    if operator not in known:
        raise ValueError(f"the filter operator {operator} is not known here")
    return known[operator]()


def _excluded(operand: Json, found: Json) -> bool:
    if isinstance(operand, Mapping):
        return _accepts(operand, found, present=True)
    return found in (operand if isinstance(operand, list) else [operand])


def _numeric(operand: Sequence[Json], found: Json) -> bool:
    compare: dict[str, Callable[[Any, Any], bool]] = {
        "=": lambda a, b: bool(a == b),
        ">": lambda a, b: bool(a > b),
        ">=": lambda a, b: bool(a >= b),
        "<": lambda a, b: bool(a < b),
        "<=": lambda a, b: bool(a <= b),
    }
    if not isinstance(found, int | float):
        return False
    return all(compare[sign](found, limit) for sign, limit in zip(operand[::2], operand[1::2], strict=True))


class MachineInvoker:
    """Runs a state machine for a message, as the pipe of its queue does: items one after the other, no pauses."""

    def __init__(self, machine: Machine, template: Template, sqs: Any, invoker: Invoker, report: Report) -> None:
        self._machine = machine
        self._template = template
        self._sqs = sqs
        self._invoker = invoker
        self._report = report

    def invoke(self, function: Function, event: Json, *, request_id: str | None = None) -> Json:  # noqa: ARG002 - the protocol's signature
        """Raises FunctionError if the execution failed, so that its message is repeated."""
        tasks = {
            "arn:aws:states:::lambda:invoke": self._call,
            "arn:aws:states:::sqs:sendMessage": self._send,
        }
        try:
            return Execution(tasks, self._report).run(self._machine.definition, event["Records"])
        except MachineError as error:
            raise FunctionError(self._machine.name, "MachineError", str(error)) from error

    def close(self) -> None:
        """Nothing to close."""

    def _call(self, parameters: Mapping[str, Json]) -> Json:
        name = str(parameters["FunctionName"]).rsplit(":", 1)[1]
        try:
            answer = self._invoker.invoke(self._template.function(name), parameters["Payload"])
        except FunctionError as error:
            raise TaskError(error.kind, error.message) from error
        return {"StatusCode": 200, "Payload": answer}

    def _send(self, parameters: Mapping[str, Json]) -> Json:
        body = parameters["MessageBody"]
        text = body if isinstance(body, str) else json.dumps(body)
        sent = self._sqs.send_message(QueueUrl=parameters["QueueUrl"], MessageBody=text)
        return {"MessageId": sent["MessageId"]}


class DrainError(Exception):
    """Messages were left when the time was over."""


@dataclass(frozen=True, slots=True)
class DrainCounts:
    """Counts of a drain: records forwarded by pipes, messages handled, failed attempts, messages due later."""

    forwarded: int
    handled: int
    failed: int
    delayed: int


class Traffic:
    """All pipes and queue sources of a template: run until empty (`drain`), or in the background."""

    def __init__(
        self,
        template: Template,
        *,
        clients: Clients,
        invoker: Invoker,
        checkpoints: Mapping[str, Json] | None = None,
        retry_seconds: int = 0,
        report: Report = print,
    ) -> None:
        stored = checkpoints or {}
        self._sqs = clients.sqs
        self._report = report
        self.queues = [
            QueueRunner(
                function, source, template.queue(source.queue), sqs=clients.sqs, invoker=invoker,
                region=template.place.region, retry_seconds=retry_seconds, report=report,
            )
            for function in template.functions
            for source in function.queues
        ] + [
            QueueRunner(
                template.functions[0], QueueSource(machine.queue_arn, 1, 0, reports_failures=False, concurrency=1),
                template.queue(machine.queue_arn), sqs=clients.sqs,
                invoker=MachineInvoker(machine, template, clients.sqs, invoker, report),
                region=template.place.region, retry_seconds=retry_seconds, report=report,
            )
            for machine in template.machines
        ]  # fmt: skip
        self.pipes = [
            PipeRunner(
                pipe, template.queue(pipe.queue_arn), clients=clients,
                checkpoint=Checkpoint(**stored.get(pipe.name, {})),
            )
            for pipe in template.pipes
        ]  # fmt: skip
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._pool: ThreadPoolExecutor | None = None

    def checkpoints(self) -> dict[str, Json]:
        """Every pipe's progress, to continue after a restart."""
        return {runner.pipe.name: runner.checkpoint.dump() for runner in self.pipes}

    def pump(self) -> int:
        """Forward what is in the streams. Returns the number of records read."""
        return sum(runner.pump() for runner in self.pipes)

    def drain(self, *, timeout: float = 300.0) -> DrainCounts:
        """Run pipes and queues until all are empty, except for delayed messages. DrainError after `timeout` s."""
        before = self._counts()
        deadline = time.monotonic() + timeout
        if self._pool is None:
            threads = 2 * len(self.queues) + len(self.pipes)
            self._pool = ThreadPoolExecutor(max_workers=max(1, threads), thread_name_prefix="drain")
        while True:
            pumping = [self._pool.submit(runner.pump) for runner in self.pipes]
            moved = sum([job.result() for job in pumping])
            # Reading a queue's depth costs one call; receiving until it is empty costs many.
            depths = [depth(runner.queue, self._sqs) for runner in self.queues]
            due = [(runner, entry.due) for runner, entry in zip(self.queues, depths, strict=True) if entry.due]
            if not moved and not due:
                break
            if time.monotonic() > deadline:
                left = {runner.queue.name: count for runner, count in due}
                raise DrainError(f"still due after {timeout:.0f} s: {left}")
            jobs = [
                self._pool.submit(self._exhaust, runner, deadline)
                for runner, count in due
                for _ in range(min(2, -(-count // runner.source.batch_size)))
            ]
            if not sum([job.result() for job in jobs]) and not moved:
                time.sleep(0.02)
        forwarded, handled, failed = (now - then for now, then in zip(self._counts(), before, strict=True))
        return DrainCounts(forwarded, handled, failed, sum(entry.delayed for entry in depths))

    def _counts(self) -> tuple[int, int, int]:
        return (
            sum(runner.forwarded for runner in self.pipes),
            sum(runner.handled for runner in self.queues),
            sum(runner.failed for runner in self.queues),
        )

    def _exhaust(self, runner: QueueRunner, deadline: float) -> int:
        total = 0
        while time.monotonic() < deadline and (received := runner.poll()):
            total += received
            if received < runner.source.batch_size:
                break
        return total

    def start(self) -> None:
        """Run pipes and queues in background threads."""
        for pipe in self.pipes:
            self._spawn(f"pipe {pipe.pipe.name}", lambda pipe=pipe: pipe.pump() > 0, idle=0.1)  # type: ignore[misc]
        for runner in self.queues:
            for index in range(min(2, runner.source.concurrency)):
                window = min(float(runner.source.window), 1.0)
                self._spawn(
                    f"queue {runner.queue.name} {index}",
                    lambda runner=runner, window=window: runner.poll(wait=1, window=window) > 0,  # type: ignore[misc]
                    idle=0.0,
                )

    def _spawn(self, name: str, step: Callable[[], bool], *, idle: float) -> None:
        def loop() -> None:
            while not self._stopping.is_set():
                try:
                    if not step():
                        self._stopping.wait(idle)
                except Exception as error:  # every error is reported, and the step is tried again
                    if not self._stopping.is_set():
                        self._report(f"{name}: {type(error).__name__}: {error}")
                    self._stopping.wait(1.0)

        thread = threading.Thread(target=loop, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        """Let running batches end, then forward what is left in the streams, because the emulator drops it."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        self.pump()
