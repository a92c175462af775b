"""Queues: one SQS client per process, made at the first send, with short time-outs."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cardstock.aws.client import client
from cardstock.errors import QUEUE_UNAVAILABLE

CONNECT_TIMEOUT_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 3.0
_MAX_BATCH = 10


@cache
def sqs_client() -> Any:
    """The client that all queues share; made at the first call."""
    return client("sqs", connect_seconds=CONNECT_TIMEOUT_SECONDS, read_seconds=READ_TIMEOUT_SECONDS)


def forget_client() -> None:
    """Drop the client; for tests that change the endpoint."""
    sqs_client.cache_clear()


class Queue:
    """Sends to one queue. A message may arrive more than once and in any order: its consumer must tolerate that.

    Every method raises `UnavailableError` (QUEUE_UNAVAILABLE) if the queue did not answer or throttled; the
    message may have been stored nevertheless.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, body: str, *, delay_seconds: int = 0) -> None:
        """Send one message of at most 256 KB; one call. It becomes visible after `delay_seconds` (at most 900)."""
        _answered(lambda: sqs_client().send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_seconds))

    def send_all(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        """Send messages, ten a call. Raises if some were not stored; the others stay in the queue."""
        for start in range(0, len(bodies), _MAX_BATCH):
            entries = [
                {"Id": str(index), "MessageBody": body, "DelaySeconds": delay_seconds}
                for index, body in enumerate(bodies[start : start + _MAX_BATCH])
            ]
            result = _answered(lambda: sqs_client().send_message_batch(QueueUrl=self._url, Entries=entries))  # noqa: B023 - called at once
            if result.get("Failed"):
                raise QUEUE_UNAVAILABLE()


def _answered(call: Any) -> Any:
    try:
        return call()
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or status == 429 or "Throttl" in error.response.get("Error", {}).get("Code", ""):
            raise QUEUE_UNAVAILABLE() from error
        raise  # a wrong queue or a missing permission is a bug, not a transient error
    except BotoCoreError as error:
        raise QUEUE_UNAVAILABLE() from error
