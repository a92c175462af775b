"""The payout map's definition, run by the interpreter of the local runtime and by the emulator's own Step Functions:
the same calls, the same messages, the same output."""

import copy
import io
import json
import os
import textwrap
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from infra.local.engine import Engine
from infra.local.machines import Execution, TaskError
from tests.architecture.test_payout_map import DEFINITION
from tests.house.cloud import REGION

pytestmark = pytest.mark.engine

# What the function does with a part is in its name: parts that are finished at once, after more steps, after a failure,
# and never. Attempts are counted in a folder, since each may be a process of its own.
CODE = textwrap.dedent("""
    import json, os, pathlib

    def handler(event, context):
        folder = pathlib.Path(os.environ["ATTEMPTS"])
        part = event["part"]
        attempt = len(list(folder.glob(part + ".*"))) + 1
        (folder / f"{part}.{attempt}").write_text(json.dumps(event, sort_keys=True))
        if part.startswith("broken") or (part.startswith("flaky") and attempt == 1):
            raise RuntimeError(part)
        return {"more": part.startswith("long") and attempt < 3}
""")
PARTS = ["done1", "long2", "flaky3", "broken4", "done5"]
GIVEN = [{"body": json.dumps({"payout_id": "pay_202611", "parts": PARTS})}]


def prompt(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with a second, and no more, between attempts."""
    quick = copy.deepcopy(dict(definition))

    def shorten(value: Any) -> None:
        if isinstance(value, dict):
            if "IntervalSeconds" in value:
                value.update(IntervalSeconds=1, MaxDelaySeconds=1)
            for inner in value.values():
                shorten(inner)
        elif isinstance(value, list):
            for inner in value:
                shorten(inner)

    shorten(quick)
    return quick


def substituted(definition: Mapping[str, Any], **names: str) -> dict[str, Any]:
    text = json.dumps(prompt(definition))
    for name, value in names.items():
        text = text.replace(f"${{{name}}}", value)
    found: dict[str, Any] = json.loads(text)
    return found


def attempts(folder: Path) -> dict[str, Any]:
    return {path.name: json.loads(path.read_text("utf-8")) for path in sorted(folder.iterdir())}


def run_here(folder: Path) -> tuple[Any, dict[str, list[Any]]]:
    """Output and messages of the local interpreter."""
    names: dict[str, Any] = {}
    exec(CODE, names)
    handler: Callable[[Any, Any], Any] = names["handler"]
    sent: dict[str, list[Any]] = {"steps": [], "dead": []}

    def invoke(parameters: Mapping[str, Any]) -> Any:
        os.environ["ATTEMPTS"] = str(folder)
        try:
            return {"Payload": handler(parameters["Payload"], None)}
        except RuntimeError as error:
            raise TaskError("RuntimeError", str(error)) from error
        finally:
            del os.environ["ATTEMPTS"]

    def send(parameters: Mapping[str, Any]) -> Any:
        sent[parameters["QueueUrl"]].append(parameters["MessageBody"])
        return {}

    tasks = {"arn:aws:states:::lambda:invoke": invoke, "arn:aws:states:::sqs:sendMessage": send}
    definition = substituted(DEFINITION, Function="step", Steps="steps", Dead="dead")
    output = Execution(tasks, report=lambda _: None).run(definition, GIVEN)
    return output, sent


def run_there(engine: Engine, folder: Path) -> tuple[Any, dict[str, list[Any]]]:
    """Output and messages of the emulator's Step Functions."""

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=engine.endpoint,
            config=Config(connect_timeout=2, read_timeout=30, retries={"total_max_attempts": 1}),
        )

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", CODE)
    functions, queues, machines = client("lambda"), client("sqs"), client("stepfunctions")
    role = "arn:aws:iam::000000000000:role/map"
    function = functions.create_function(
        FunctionName="differential-step", Runtime="python3.11", Role=role, Handler="app.handler", Timeout=30,
        Code={"ZipFile": packed.getvalue()}, Environment={"Variables": {"ATTEMPTS": str(folder)}},
    )["FunctionArn"]  # fmt: skip
    urls = {name: queues.create_queue(QueueName=f"differential-{name}")["QueueUrl"] for name in ("steps", "dead")}
    definition = substituted(DEFINITION, Function=function, Steps=urls["steps"], Dead=urls["dead"])
    machine = machines.create_state_machine(name="differential", definition=json.dumps(definition), roleArn=role)
    started = machines.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(GIVEN))
    ends = time.monotonic() + 60
    while (ended := machines.describe_execution(executionArn=started["executionArn"]))["status"] == "RUNNING":
        assert time.monotonic() < ends, "the execution does not end"
        time.sleep(0.1)
    assert ended["status"] == "SUCCEEDED", ended
    sent = {
        name: [
            json.loads(message["Body"])
            for message in queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        ]
        for name, url in urls.items()
    }
    return json.loads(ended["output"]), sent


def told(output: Any) -> Any:
    """What both have to agree on: ids of messages and texts of errors are the server's own."""
    return [
        {name: value for name, value in part.items() if name not in ("aside", "error")}
        for part in sorted(output["taken"], key=lambda part: str(part["part"]))
    ], output["payout_id"]


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Engine]:
    """An emulator with Lambda and Step Functions, which the other tests' emulator does without."""
    started = Engine.start(
        state=None, log=tmp_path / "emulator.log", region=REGION, services="sqs,lambda,stepfunctions,iam,logs,sts"
    )
    yield started
    started.stop()


def test_the_map_does_the_same_here_as_in_the_emulators_step_functions(machines: Engine, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()

    output_here, sent_here = run_here(here)
    output_there, sent_there = run_there(machines, there)

    assert attempts(here) == attempts(there)
    assert len(attempts(here)) == 1 + 3 + 2 + 5 + 1  # four attempts more before a part is put aside
    assert sent_here == sent_there
    assert sent_here == {
        "steps": [{"payout_id": "pay_202611", "part": "rest"}],
        "dead": [{"payout_id": "pay_202611", "part": "broken4"}],
    }
    assert told(output_here) == told(output_there)
