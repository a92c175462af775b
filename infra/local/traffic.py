"""All pipes and queue sources of a template on this machine, in the background or until nothing is left to do."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from infra.local.engine import Clients
from infra.local.invoke import FunctionError, Invoker
from infra.local.machines import Execution, MachineError, TaskError
from infra.local.pipes import Checkpoint, PipeRunner
from infra.local.queues import Json, QueueRunner, Report, depth
from infra.local.template import Function, Machine, QueueSource, Template


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
