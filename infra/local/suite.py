"""The whole deployment on one machine, for the demonstration and the end-to-end tests.

    with Suite.start(template=Path("template.yaml"), state_dir=Path(".local/demo")) as suite:
        suite.request("GET", "/v1/products")        # in this process; or any HTTP client at suite.url
        suite.drain()                               # pipes and queues, until all are empty
        suite.tick(until=suite.clock.now() + timedelta(days=8))

Everything behind the APIs is real: the handlers in separate processes, their events, AWS's API on the emulator.
"""

import fcntl
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.local import costs, pages
from infra.local.clock import ShiftedClock
from infra.local.engine import Clients, CreatedResources, Engine, account, connect, environment, provision, reserve
from infra.local.files_host import FilesServer
from infra.local.gateway import Gateway
from infra.local.invoke import WorkerPool
from infra.local.loading import load
from infra.local.platforms.serving import Platforms
from infra.local.queues import depth
from infra.local.sandbox import Sandbox, post_to
from infra.local.schedules import ScheduleRun, ScheduleRunner
from infra.local.server import HttpAnswer
from infra.local.stack import parse_yaml
from infra.local.state import ENVIRONMENT, MEMORY
from infra.local.template import Place, Template
from infra.local.traffic import DrainCounts, Traffic

REGION = "ap-east-1"


class SuiteError(Exception):
    """The suite cannot start; the message says why."""


def _reserve(port: int, cleanup: ExitStack) -> int:
    try:
        return int(cleanup.enter_context(reserve(port)).getsockname()[1])
    except OSError as error:
        raise SuiteError(f"port {port} of 127.0.0.1 is taken: {error.strerror}") from error


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")  # in one piece: threads report at the same time
    sys.stderr.flush()


@dataclass
class _Memory:
    """Stored between two runs, besides the emulator's own state."""

    path: Path
    shift_seconds: float = 0.0
    anchor: str | None = None
    since: str | None = None
    checkpoints: dict[str, Any] | None = None

    @classmethod
    def read(cls, path: Path) -> "_Memory":
        if not path.exists():
            return cls(path)
        return cls(path, **json.loads(path.read_text(encoding="utf-8")))

    def write(self) -> None:
        draft = self.path.with_suffix(".new")
        stored = {name: value for name, value in vars(self).items() if name != "path"}
        draft.write_text(json.dumps(stored, indent=1), encoding="utf-8")
        os.replace(draft, self.path)


class Suite:
    """A running deployment. Create one with `Suite.start`; stop it with `stop`, or as a context manager.

    `urls` are the addresses of the HTTP APIs by their ids, `url` that of the first. `sandbox` is the payment channel
    (`sandbox.url`, `sandbox.pay(order, fen)`), `platforms` are those that people log in and pay on, if they were asked
    for, `clients` are boto3 clients of the emulator, `clock` is the clock of all processes, `environment` what a
    process needs to use the same state (the ledger's command, for instance).
    """

    def __init__(
        self,
        *,
        cleanup: ExitStack,
        state_dir: Path,
        engine: Engine,
        template: Template,
        provisioned: CreatedResources,
        clients: Clients,
        clock: ShiftedClock,
        memory: _Memory,
        workers: int,
        ports: Mapping[str, int],
        sandbox_port: int,
        platforms_port: int | None,
        files_port: int,
        retry_seconds: int,
        document: Path | None,
        document_servers: Mapping[str, str],
        clock_hook: str,
        clock_header: str,
        report: Callable[[str], None],
    ) -> None:
        self.state_dir = state_dir
        self.engine = engine
        self.template = template
        self.provisioned = provisioned
        self.clients = clients
        self.clock = clock
        self.environment = environment(template, engine.endpoint)
        self._cleanup = cleanup
        self._memory = memory
        self._report = report
        self._time = threading.RLock()
        self._key = ""
        # Functions have only their own variables, whatever the environment has here.
        outside = {name: value for name, value in os.environ.items() if name not in self.environment}
        inherited = {**outside, **account(template, engine.endpoint), "AWS_SDK_UA_APP_ID": costs.FUNCTIONS}
        log = state_dir / "functions.log"

        def pool() -> WorkerPool:
            made = WorkerPool(
                size=workers, environment=inherited, log=log, clock=clock, layers=template.layers, clock_hook=clock_hook
            )
            cleanup.callback(made.close)
            return made

        # Two pools: an outgoing webhook may be answered by a request, which must not wait for the webhook's worker.
        for_requests, for_events = pool(), pool()
        self.gateways = {
            api: Gateway(
                template,
                for_requests,
                api=api,
                report=report,
                clock=clock if clock_header else None,
                clock_header=clock_header,
            )
            for api in template.apis
        }
        self.urls: Mapping[str, str] = {api: f"http://127.0.0.1:{ports[api]}" for api in template.apis}
        self.gateway, self.url = self.gateways[template.apis[0]], self.urls[template.apis[0]]
        self.sandbox = Sandbox(
            tell=post_to(self.url), key=self.sandbox_key, now=clock.now, book=state_dir / "sandbox.jsonl"
        )
        self.sandbox.start(port=sandbox_port)
        cleanup.callback(self.sandbox.stop)
        self.platforms: Platforms | None = None
        if platforms_port is not None:
            self.platforms = Platforms(now=clock.now, folder=state_dir)
            self.platforms.start(port=platforms_port)
            cleanup.callback(self.platforms.stop)
        self.files_url = ""
        for host in template.files_hosts:
            files = FilesServer(host, clients.s3)
            self.files_url = files.start(port=files_port)
            cleanup.callback(files.stop)
        self.schedules = ScheduleRunner(
            template, clock=clock, invoker=for_events, sqs=clients.sqs,
            anchor=datetime.fromisoformat(memory.anchor) if memory.anchor else None,
            since=datetime.fromisoformat(memory.since) if memory.since else None,
            report=report,
        )  # fmt: skip
        self.traffic = Traffic(
            template, clients=clients, invoker=for_events, checkpoints=memory.checkpoints,
            retry_seconds=retry_seconds, report=report,
        )  # fmt: skip
        cleanup.callback(self._remember)
        cleanup.callback(self.traffic.stop)
        for api, gateway in self.gateways.items():
            gateway.pages.update(pages.pages(self, document, api=api, servers=document_servers))
            gateway.actions.update(pages.actions(self))
            gateway.start(port=ports[api])
            cleanup.callback(gateway.stop)

    @classmethod
    def start(
        cls,
        *,
        state_dir: Path | None = None,
        clock: ShiftedClock | None = None,
        template: Path,
        parameters: Mapping[str, str] | None = None,
        ports: Mapping[str, int] | None = None,
        sandbox_port: int = 0,
        platforms_port: int | None = None,
        files_port: int = 0,
        document: Path | None = None,
        document_servers: Mapping[str, str] | None = None,
        clock_hook: str = "",
        clock_header: str = "",
        workers: int | None = None,
        background: bool = False,
        retry_seconds: int | None = None,
        endpoint: str | None = None,
        report: Callable[[str], None] = _to_stderr,
    ) -> Self:
        """Start the engine, create what is missing, and serve.

        `state_dir` stores the state between runs (None: it is deleted afterwards); one suite at a time may use it.
        `clock`: None continues at the time of the stored state. `parameters` override the template's; parameters for
        the addresses of the suite itself are set if the template has them. `ports` are those of the HTTP APIs by
        their ids; others, and a `sandbox_port` of 0, get any free one. `platforms_port` (None: no server) is that of
        the local platforms, `files_port` (0: any free one) that of public files. `document` is the OpenAPI document
        of the pages, `document_servers` has the API's id for each address in it. `clock_hook` is the `module:function`
        that sets the functions' clock, `clock_header` the header that tells its time where it was moved. `workers`:
        processes for requests, and as many for events. `background` runs queues, pipes and schedules in threads;
        otherwise `drain` and `tick` do. A failed message is repeated after `retry_seconds` (default: at once, in the
        background after 2 s). `endpoint`: an AWS endpoint to use instead of the emulator (default: the variable
        AWS_ENDPOINT_URL).

        Raises SuiteError, EngineError or TemplateError with the reason; nothing is left running then.
        """
        # `cleanup` reverts the steps so far if one fails below.
        with ExitStack() as held, ExitStack() as cleanup:
            home = state_dir or Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="local-")))
            home.mkdir(parents=True, exist_ok=True)
            lock = cleanup.enter_context((home / "lock").open("w"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise SuiteError(f"another deployment uses {home}") from error
            memory = _Memory.read(home / MEMORY)
            taken = {api: _reserve((ports or {}).get(api, 0), held) for api in load(template).apis}
            counter_port = _reserve(sandbox_port, held)
            door_port = None if platforms_port is None else _reserve(platforms_port, held)
            shelf_port = _reserve(files_port, held)
            engine = Engine.start(
                state=home / "engine" if state_dir else None, log=home / "engine.log", region=REGION,
                endpoint=endpoint or os.environ.get("AWS_ENDPOINT_URL"),
            )  # fmt: skip
            cleanup.callback(engine.stop)
            urls = {api: f"http://127.0.0.1:{port}" for api, port in taken.items()}
            place = Place(region=REGION, endpoint=engine.endpoint, api_urls=urls)
            url = next(iter(urls.values()))
            given = _parameters(template, url, f"http://127.0.0.1:{counter_port}", door_port, shelf_port)
            given |= dict(parameters or {})
            resolved = load(template, place=place, parameters=given)
            clients = connect(engine.endpoint, REGION)
            cleanup.callback(clients.close)
            suite = cls(
                cleanup=cleanup, state_dir=home, engine=engine, template=resolved,
                provisioned=provision(resolved, clients), clients=clients,
                clock=clock or ShiftedClock(timedelta(seconds=memory.shift_seconds)), memory=memory,
                workers=workers or max(2, (os.cpu_count() or 2) // 2),
                ports=taken, sandbox_port=counter_port, platforms_port=door_port, files_port=shelf_port,
                document=document,
                clock_hook=clock_hook,
                clock_header=clock_header,
                document_servers=document_servers or {},
                retry_seconds=retry_seconds if retry_seconds is not None else (2 if background else 0), report=report,
            )  # fmt: skip
            if background:
                suite._run_in_background()
            suite._tell_operators()
            suite._cleanup = cleanup.pop_all()
        return suite

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def sandbox_key(self) -> str:
        """The key that the sandbox channel signs its notices with, from the stack's secret."""
        if not self._key:
            secret_id = self.environment["PAYMENT_SECRET_ID"]
            text = self.clients.secrets.get_secret_value(SecretId=secret_id)["SecretString"]
            self._key = str(json.loads(text)["sandbox_key"])
        return self._key

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | str = b""
    ) -> HttpAnswer:
        """A request to the first API in this process, without a network."""
        return self.gateway.request(method, path, headers=headers, body=body)

    def costs(self) -> costs.Costs:
        """The AWS calls of functions since the emulator started, and their capacity by DynamoDB's rules.

        Subtract an earlier value to get those since then. LookupError with another endpoint, which counts nothing.
        """
        return self.engine.costs()

    def drain(self, *, timeout: float = 300.0) -> DrainCounts:
        """Run pipes and queues until every due message was handled, or is in a dead-letter queue."""
        self.engine.check()
        return self.traffic.drain(timeout=timeout)

    def tick(
        self, *, until: datetime, settle: bool = True, collapse_under: timedelta | None = None
    ) -> list[ScheduleRun]:
        """Let time pass until `until`, running every due schedule; `settle` drains after each.

        Of due times less than `collapse_under` apart (default six hours) only the last is run.
        """
        with self._time:
            between = self.drain if settle else lambda: None
            ran = self.schedules.tick(until, between=between, collapse_under=collapse_under)
            self._remember()
            return ran

    def run_schedule(self, function: str, due: datetime | None = None) -> ScheduleRun:
        """Run the schedule of `function` (its folder's name) now, for `due` or the present time."""
        name = self.template.function(function).name
        schedule = next(schedule for schedule in self.template.schedules() if schedule.function == name)
        with self._time:
            return self.schedules.run(schedule, due or self.clock.now())

    def dead_letters(self) -> dict[str, int]:
        """Number of messages in each dead-letter queue that is not empty."""
        targets = {queue.dead_letter_arn for queue in self.template.queues}
        targets |= {schedule.dead_letter_arn for schedule in self.template.schedules()}
        found = {
            queue.name: depth(queue, self.clients.sqs).visible for queue in self.template.queues if queue.arn in targets
        }
        return {name: count for name, count in found.items() if count}

    def _run_in_background(self) -> None:
        self.traffic.start()
        stopping = threading.Event()

        def watch() -> None:
            while not stopping.wait(1.0):
                try:
                    self.engine.check()
                    self.tick(until=self.clock.now(), settle=False)
                except Exception as error:  # the clock goes on after any error, which is reported
                    self._report(f"schedules: {type(error).__name__}: {error}")
                    stopping.wait(5.0)

        thread = threading.Thread(target=watch, name="schedules", daemon=True)
        thread.start()
        self._cleanup.callback(thread.join)
        self._cleanup.callback(stopping.set)

    def _remember(self) -> None:
        self._memory.shift_seconds = self.clock.shift.total_seconds()
        self._memory.anchor = self.schedules.anchor.isoformat()
        self._memory.since = self.schedules.since.isoformat()
        self._memory.checkpoints = self.traffic.checkpoints()
        self._memory.write()

    def _tell_operators(self) -> None:
        """Store the environment for commands, as long as this runs."""
        variables_file = self.state_dir / ENVIRONMENT
        variables_file.write_text(json.dumps(self.environment, indent=1) + "\n", encoding="utf-8")
        variables_file.chmod(0o600)
        self._remember()
        self._cleanup.callback(variables_file.unlink, missing_ok=True)

    def stop(self) -> None:
        """Accept no more requests, let running ones end, save the state. Safe to call twice."""
        self._cleanup.close()


def wake(state_dir: Path, template: Path, parameters: Mapping[str, str], cleanup: ExitStack) -> dict[str, str]:
    """The variables of all functions for the state of a deployment that does not run: its emulator is started, and
    stopped by `cleanup`, which saves the state. Raises SuiteError if something uses it, EngineError."""
    lock = cleanup.enter_context((state_dir / "lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise SuiteError(f"{state_dir} is being started, or stopped") from error
    engine = Engine.start(state=state_dir / "engine", log=state_dir / "engine.log", region=REGION)
    cleanup.callback(engine.stop)
    address = "http://127.0.0.1"
    place = Place(region=REGION, endpoint=engine.endpoint, api_urls=dict.fromkeys(load(template).apis, address))
    resolved = load(template, place=place, parameters=_parameters(template, address, address) | dict(parameters))
    return environment(resolved, engine.endpoint)


def _parameters(
    template: Path, api_url: str, sandbox_url: str, platforms_port: int | None = None, files_port: int | None = None
) -> dict[str, str]:
    """Local values of the template's parameters, as far as it has them."""
    declared = parse_yaml(template.read_text(encoding="utf-8")).get("Parameters") or {}
    local = {
        "Environment": "local",
        "PaymentSandboxUrl": sandbox_url,
        "PublicUrl": api_url,
        "InferenceBaseUrl": os.environ.get("INFERENCE_BASE_URL", ""),
        "InferenceModel": os.environ.get("INFERENCE_MODEL", ""),
        "InferenceApiKey": os.environ.get("INFERENCE_API_KEY", ""),
        "WebhookPrivateNetworks": os.environ.get("WEBHOOK_PRIVATE_NETWORKS", "127.0.0.0/8"),
        "LogLevel": os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO"),
    }
    if files_port is not None:
        local["FilesUrl"] = f"http://127.0.0.1:{files_port}"
    if platforms_port is not None:
        local["PaymentChannels"] = "wechat alipay douyin"
        local["WechatUrl"] = f"http://127.0.0.1:{platforms_port}/wechat"
        local["AlipayUrl"] = f"http://127.0.0.1:{platforms_port}/alipay/gateway.do"
        local["DouyinLoginUrl"] = local["DouyinUrl"] = f"http://127.0.0.1:{platforms_port}/douyin"
        local["BaiduUrl"] = f"http://127.0.0.1:{platforms_port}/baidu"
        local["IdentityUrl"] = f"http://127.0.0.1:{platforms_port}/identity"
    return {name: value for name, value in local.items() if name in declared}
