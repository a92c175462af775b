"""Pipes on this machine: the records of a table's stream into a queue, those that the pipe's patterns admit."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infra.local.engine import Clients
from infra.local.queues import RECEIVE, Json
from infra.local.template import Pipe, Queue

_BODY_BYTES = 250_000  # SendMessageBatch's sum over its entries, with room for attributes
_RECORDS = 1000  # the maximum of GetRecords


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
        if batch and (len(batch) == RECEIVE or size + length > _BODY_BYTES):
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
