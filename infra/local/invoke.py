"""Invokes functions as Lambda does: one event at a time per process, JSON in and out, within the time-out.

`WorkerPool` runs them in separate processes, because handlers keep module-level state, so two events must not run in
one process at a time. A process serves all functions, each with exactly its own variables.
"""

import importlib
import json
import os
import queue
import socket
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from infra.local.clock import ShiftedClock
from infra.local.template import ROOT, Function

_IMPORT_SECONDS = 30.0  # Lambda's own limit for an init phase is 10 s on a quiet machine


class FunctionError(Exception):
    """A function raised, timed out or died. `kind` and `message` are Lambda's errorType and errorMessage."""

    def __init__(self, function: str, kind: str, message: str, trace: str = "") -> None:
        super().__init__(f"{function}: {kind}: {message}")
        self.function = function
        self.kind = kind
        self.message = message
        self.trace = trace


class Invoker(Protocol):
    """Something that runs functions."""

    def invoke(self, function: Function, event: Any, *, request_id: str | None = None) -> Any:
        """The function's answer. Raises FunctionError."""

    def close(self) -> None:
        """Stop, and wait for running invocations."""


class Context:
    """Lambda's context object."""

    def __init__(self, name: str, arn: str, memory: int, timeout: float, request_id: str) -> None:
        self.function_name = name
        self.function_version = "$LATEST"
        self.invoked_function_arn = arn
        self.memory_limit_in_mb = str(memory)
        self.aws_request_id = request_id
        self.log_group_name = f"/aws/lambda/{name}"
        self.log_stream_name = "local"
        self.identity = None
        self.client_context = None
        self._deadline = time.monotonic() + timeout

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the time-out, never below zero."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def set_process_clock(entry_point: str, clock: ShiftedClock) -> None:
    """Make this process's functions use `clock`: `entry_point` is `module:function`, which gets the clock; or empty."""
    if entry_point:
        module, _, name = entry_point.partition(":")
        getattr(importlib.import_module(module), name)(clock)


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation for a worker."""

    name: str
    module: str
    handler: str
    arn: str
    memory: int
    timeout: float
    request_id: str
    event: Any
    environment: Mapping[str, str]


def call_of(function: Function, event: Any, request_id: str | None) -> Call:
    """The invocation of `function` with `event`."""
    return Call(
        function.name, function.module, function.handler, function.arn, function.memory, function.timeout,
        request_id or str(uuid.uuid4()), event, dict(function.environment),
    )  # fmt: skip


def run(call: Call) -> str:
    """The JSON text of the function's answer, in this process. Raises whatever the function raises."""
    handler = getattr(importlib.import_module(call.module), call.handler)
    context = Context(call.name, call.arn, call.memory, call.timeout, call.request_id)
    return json.dumps(handler(call.event, context), ensure_ascii=False)


def send(connection: socket.socket, payload: Any) -> None:
    """Send one length-prefixed JSON message."""
    body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass")
    connection.sendall(struct.pack(">I", len(body)) + body)


def receive(connection: socket.socket) -> Any:
    """The next message; None if the other end is gone."""
    head = _read(connection, 4)
    if head is None:
        return None
    body = _read(connection, struct.unpack(">I", head)[0])
    return None if body is None else json.loads(body.decode("utf-8", "surrogatepass"))


def _read(connection: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(size - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


class _Worker:
    """One process that runs functions, and the connection to it."""

    def __init__(self, environment: Mapping[str, str], log: Path, clock_hook: str) -> None:
        self.loaded: set[str] = set()
        self.connection, theirs = socket.socketpair()
        with log.open("ab") as output, theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own module and a number
                [sys.executable, "-m", "infra.local.worker", str(theirs.fileno()), clock_hook],
                cwd=ROOT, env=dict(environment), pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    def stop(self, *, kill: bool = False) -> None:
        if kill:
            self.process.kill()
        self.connection.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class OwnVariables:
    """A process's environment with the variables of one function at a time."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        self._environment = environment
        self._held: Mapping[str, str] = {}

    def change_to(self, variables: Mapping[str, str]) -> None:
        """Remove the variables of the last function, and set these."""
        if variables != self._held:
            for name in self._held.keys() - variables.keys():
                self._environment.pop(name, None)
            self._environment.update(variables)
            self._held = dict(variables)


class WorkerPool:
    """Runs functions in `size` processes. Their output goes to `log`; one that times out or dies is replaced.

    `environment` is what every process has besides the variables of the running function; `layers` are folders on the
    import path; `clock_hook` see `set_process_clock`.
    """

    def __init__(
        self,
        *,
        size: int,
        environment: Mapping[str, str],
        log: Path,
        clock: ShiftedClock,
        layers: Sequence[Path] = (),
        clock_hook: str = "",
    ) -> None:
        path = os.pathsep.join([str(ROOT), *(str(layer) for layer in layers)])
        self._clock_hook = clock_hook
        # Bytecode is stored even where the shell says otherwise: every process would compile all functions again.
        kept = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": ""}
        self._environment = {**environment, "PYTHONPATH": path, **kept}
        self._log = log
        self._clock = clock
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._closed = False
        self.size = size
        log.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(size):
            self._idle.put(_Worker(self._environment, log, clock_hook))

    def invoke(self, function: Function, event: Any, *, request_id: str | None = None) -> Any:
        worker = self._idle.get()
        healthy = False
        try:
            if self._closed:
                raise FunctionError(function.name, "Stopped", "the engine is stopping")
            call = call_of(function, event, request_id)
            answer = self._ask(worker, function, call)
            healthy = True
        finally:
            if not healthy:
                worker.stop(kill=True)
                worker = worker if self._closed else _Worker(self._environment, self._log, self._clock_hook)
            self._idle.put(worker)
        if "error" in answer:
            raise FunctionError(function.name, answer["error"], answer["message"], answer["trace"])
        return json.loads(answer["result"])

    def _ask(self, worker: _Worker, function: Function, call: Call) -> Any:
        limit = call.timeout if call.module in worker.loaded else call.timeout + _IMPORT_SECONDS
        worker.connection.settimeout(limit)
        shift = self._clock.shift
        try:
            send(worker.connection, {"call": _fields(call), "shift": [shift.days, shift.seconds, shift.microseconds]})
            answer = receive(worker.connection)
        except TimeoutError:
            raise FunctionError(
                function.name, "Sandbox.Timedout", f"Task timed out after {call.timeout:.2f} seconds"
            ) from None
        except OSError as error:
            raise FunctionError(function.name, "Runtime.ExitError", f"the worker died: {error}") from error
        if answer is None:
            raise FunctionError(function.name, "Runtime.ExitError", "Runtime exited without providing a reason")
        worker.loaded.add(call.module)
        return answer

    def close(self) -> None:
        """Wait for running invocations, then stop the processes."""
        self._closed = True
        workers = [self._idle.get() for _ in range(self.size)]
        for worker in workers:
            worker.connection.close()
        for worker in workers:
            worker.stop()
        for worker in workers:
            self._idle.put(worker)  # so that waiting callers get an error


def _fields(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in Call.__slots__}
