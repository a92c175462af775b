"""Faults between a handler and AWS: killed before or after a call, an answer that is lost, conflicts, throttling.

    with faults.watch() as calls: ...           # which AWS calls does this make?
    with faults.at(1, "lose_answer"): ...       # the second call is carried out, its answer never arrives

The layer wraps moto's own entrance, so it sees what the SDK sends, its retries included. Calls count from 0.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypeAlias

import botocore.endpoint
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from pynamodb.exceptions import PynamoDBException

from cardstock.aws import tables as base
from cardstock.errors import CardstockError
from tests.house import fault_figures as figures

Mode: TypeAlias = Literal["kill_before", "kill_after", "lose_answer", "conflict", "throttle"]
MODES: tuple[Mode, ...] = ("kill_before", "kill_after", "lose_answer", "conflict", "throttle")
ALWAYS = 10**6


class Killed(BaseException):
    """The function was stopped from outside."""


class _Hasty:
    """The module `time` to somebody who does not wait: how long a retry pauses is not what these tests are about."""

    @staticmethod
    def sleep(_seconds: float) -> None:
        return

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


@contextmanager
def watch() -> Iterator[list[str]]:
    """The calls made inside, as `DynamoDB.GetItem`, in order; nothing goes wrong."""
    with at(-1, "kill_before") as seen:
        yield seen


@contextmanager
def at(index: int, mode: Mode, *, times: int = 1) -> Iterator[list[str]]:
    """`mode` happens to call `index` and the `times - 1` calls after it. Gives the calls seen so far.

    `kill_before` and `kill_after` raise `Killed`. `lose_answer` carries the call out and then times out, so that the
    SDK sends it again. `conflict` and `throttle` refuse it as DynamoDB would.
    """
    seen: list[str] = []
    original = BotocoreStubber.__call__

    def faulty(self: Any, event_name: str, request: Any, **kwargs: Any) -> Any:
        if not self.enabled:
            return original(self, event_name, request, **kwargs)
        number = len(seen)
        seen.append(_name(event_name))
        if not index <= number < index + times:
            return original(self, event_name, request, **kwargs)
        figures.note(mode, number)
        if mode == "kill_before":
            raise Killed
        if mode in ("conflict", "throttle"):
            return _refusal(mode, request)
        original(self, event_name, request, **kwargs)
        if mode == "kill_after":
            raise Killed
        raise ReadTimeoutError(endpoint_url=request.url)

    setattr(BotocoreStubber, "__call__", faulty)  # noqa: B010 - a plain assignment is refused by mypy
    for patient in (botocore.endpoint, base):
        setattr(patient, "time", _Hasty())  # noqa: B010 - see above
    try:
        yield seen
    finally:
        setattr(BotocoreStubber, "__call__", original)  # noqa: B010 - see above
        for patient in (botocore.endpoint, base):
            setattr(patient, "time", time)  # noqa: B010 - see above


def survive(run: Callable[[], Any]) -> Any:
    """What `run` gives, or None if it was killed."""
    try:
        return run()
    except Killed:
        return None


def _name(event_name: str) -> str:
    # before-send.dynamodb.GetItem
    _, service, operation = event_name.split(".", 2)
    return f"{service}.{operation}"


def _refusal(mode: Mode, request: Any) -> AWSResponse:
    target = request.headers.get("X-Amz-Target", b"")
    operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
    body: dict[str, Any] = {"message": "refused by the fault layer"}
    if operation == "TransactWriteItems":
        code = "TransactionConflict" if mode == "conflict" else "ThrottlingError"
        count = len(json.loads(request.body)["TransactItems"])
        body["__type"] = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
        body["message"] = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{code}]"
        body["CancellationReasons"] = [{"Code": code, "Message": code}] + [{"Code": "None"}] * (count - 1)
    else:
        name = "TransactionConflictException" if mode == "conflict" else "ProvisionedThroughputExceededException"
        body["__type"] = f"com.amazonaws.dynamodb.v20120810#{name}"
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    return AWSResponse(request.url, 400, headers, MockRawResponse(json.dumps(body)))


def hit_each(
    calls: Sequence[str], mode: Mode, restore: Callable[[], object], step: Callable[[], object]
) -> Iterator[tuple[int, str]]:
    """Let `mode` happen to each of the `calls` of `step`, each time from the restored state; gives it afterwards.

    Conflicts and throttling are DynamoDB's alone.
    """
    for index, call in enumerate(calls):
        if mode in ("conflict", "throttle") and not call.startswith("dynamodb."):
            continue
        restore()
        with at(index, mode), suppress(CardstockError, PynamoDBException):
            survive(step)
        yield index, call
