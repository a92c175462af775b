"""Commands for operators on a stack as `sam deploy` makes it: the template itself, through CloudFormation.

Nothing but the stack's name, AWS credentials and an endpoint is given to them.
"""

import io
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from typer.testing import CliRunner

from cardstock.aws import files as s3
from cardstock.aws import queues as sqs
from cardstock.members.item_store import member_item
from cardstock.members.model import Member, Person
from infra.commands.cli import app
from infra.commands.operators import NEEDED
from infra.local.engine import Engine
from tests.house.cloud import REGION, ROOT, Cloud
from tests.house.stacks import STACKS, transformed
from tests.ledger.test_ledger_seals import night, tell
from tests.people.finance import CARD
from tests.people.shop import Shop
from tests.people.trade import line

pytestmark = pytest.mark.engine

STACK = "cardstock-prod"
PAYOUT = "pay_202612"
SERVICES = "cloudformation,lambda,dynamodb,s3,secretsmanager,sts"
DEPLOY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Account:
    """The engine as somebody's AWS account, with the stack in it."""

    engine: Engine
    variables: dict[str, str]
    """What the stack's functions are given."""

    def run(self, *words: str, **environment: str) -> tuple[int, str, str]:
        """A command as a stranger runs it: status, what it printed, what it complained about."""
        kept = {name: value for name, value in os.environ.items() if name not in NEEDED}
        kept.pop("AWS_REGION", None)
        done = subprocess.run(
            [sys.executable, "-m", "infra.commands.cli", *words],
            cwd=ROOT, env={**kept, "AWS_ENDPOINT_URL": self.engine.endpoint, **environment},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr


def packaged(bucket: str, endpoint: str) -> dict[str, bytes]:
    """The templates as `sam package` leaves them: code and nested templates in a bucket, all else as it is."""
    root = (ROOT / "template.yaml").read_text("utf-8")
    root = re.sub(r"(CodeUri|ContentUri): \S+", rf"\1: s3://{bucket}/code.zip", root)
    root = re.sub(r"Location: infra/(\w+\.yaml)", rf"Location: {endpoint}/{bucket}/\1", root)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return None\n")
    # CloudFormation transforms nested stacks too; the engine transforms the root alone.
    nested = [path for path in STACKS if path != "template.yaml"]
    files = {Path(path).name: json.dumps(transformed(path, f"s3://{bucket}/code.zip")).encode() for path in nested}
    return {**files, "template.yaml": root.encode(), "code.zip": code.getvalue()}


def deploy(engine: Engine) -> dict[str, str]:
    """Make the stack; the variables of all its functions."""

    def client(service: str) -> Any:
        return boto3.client(service, endpoint_url=engine.endpoint)

    store, stacks = client("s3"), client("cloudformation")
    store.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION})
    for name, content in packaged("artifacts", engine.endpoint).items():
        store.put_object(Bucket="artifacts", Key=name, Body=content)
    stacks.create_stack(
        StackName=STACK,
        TemplateURL=f"{engine.endpoint}/artifacts/template.yaml",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    deadline = time.monotonic() + DEPLOY_SECONDS
    while (status := stacks.describe_stacks(StackName=STACK)["Stacks"][0])["StackStatus"] == "CREATE_IN_PROGRESS":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert status["StackStatus"] == "CREATE_COMPLETE", status
    variables: dict[str, str] = {}
    for page in client("lambda").get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            variables |= function["Environment"]["Variables"]
    return variables


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    log: Path = tmp_path_factory.mktemp("engine") / "engine.log"
    engine = Engine.start(state=None, log=log, region=REGION, services=SERVICES)
    try:
        yield Account(engine, deploy(engine))
    finally:
        engine.stop()


@pytest.fixture
def lived(account: Account, shop: Shop, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A shop that has sold, refunded, sealed and paid out, moved into the stack's tables and bucket."""
    sqs.forget_client()
    s3.forget_client()
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    order = shop.trade.buy("mem_a", line(1, units=2))
    shop.trade.settle_down()
    shop.trade.receive(order)
    shop.trade.refund(order, sku1=1)
    shop.trade.settle_down()
    shop.clock.move(days=9)
    shop.trade.night()
    tell(shop)
    person = Person("=李娜", "1***2", "00$01", date(1990, 5, 5), "dev", shop.clock.now())
    member_item(Member("mem_r", "dev:app:1", shop.clock.now(), "nick", None, "", "", person, state="verified")).save()
    shop.clock.set(datetime(2026, 12, 31, 19, tzinfo=UTC))
    finance = shop.finance
    finance.give_account("mem_r", "=李娜", CARD)
    finance.tick()
    finance.drain()
    assert finance.approve(PAYOUT)[0] == 200
    finance.drain()
    finance.results(others=True, payout=PAYOUT)
    finance.drain()
    tell(shop)
    night(shop)
    _move(cloud, account)
    return {"order": order, "claim": next(i["pk"]["S"] for i in cloud.items("ledger") if i["kind"]["S"] == "claimed")}


def _move(cloud: Cloud, account: Account) -> None:
    """Every item and every file of the account of tests into that of the stack."""
    tables = {name: account.variables[variable] for variable, name in os.environ.items() if variable.endswith("_TABLE")}
    items = {table: cloud.items(name) for name, table in tables.items()}
    keys = [found["Key"] for found in cloud.s3.list_objects_v2(Bucket="reports")["Contents"]]
    files = {key: cloud.s3.get_object(Bucket="reports", Key=key)["Body"].read() for key in keys}
    dynamodb = boto3.client("dynamodb", endpoint_url=account.engine.endpoint)
    for table, stored in items.items():
        for item in stored:
            dynamodb.put_item(TableName=table, Item=item)
    bucket = boto3.client("s3", endpoint_url=account.engine.endpoint, config=Config(s3={"addressing_style": "path"}))
    for key, content in files.items():
        bucket.put_object(Bucket=account.variables["REPORTS_BUCKET"], Key=key, Body=content)


def test_every_variable_of_the_stack_is_resolved(account: Account) -> None:
    assert set(NEEDED) <= set(account.variables)
    assert account.variables["LEDGER_TABLE"].startswith(STACK)
    assert not [value for value in account.variables.values() if "${" in value or "Fn::" in value]


def test_each_command_works_on_a_stack_by_its_name_alone(
    account: Account, lived: dict[str, str], tmp_path: Path
) -> None:
    def told(*words: str) -> Any:
        status, printed, complaint = account.run("--stack", STACK, *words, "--json")

        assert (status, complaint) == (0, ""), printed
        return json.loads(printed)

    books = told("ledger", "verify")
    # What the shell has under these names is not mixed with the stack's.
    shown = account.run("ledger", "seals", STATEMENTS_TABLE="another", CARDSTOCK_STACK=STACK)
    explained = told("ledger", "explain", lived["order"])
    (seal,) = told("ledger", "seals")
    proof = told("ledger", "proof", lived["claim"], "--member", "mem_r")
    (tmp_path / "proof.json").write_text(json.dumps(proof), "utf-8")
    offline = account.run("ledger", "verify-proof", str(tmp_path / "proof.json"), "--root", seal["root"])
    report = told("payout", "report", PAYOUT, "--again")
    compared = told("payout", "reconcile", PAYOUT)
    again = told("plan", "publish", "unlock", "--actor", "Ms Zhao")
    plans = told("plan", "list")

    assert (books["verified"], books["orders"], books["transfers"], books["seals"]) == (True, 1, 1, 1)
    assert [row["member_id"] for row in explained["rewards"]] == ["mem_r"]
    assert (offline[0], shown[0]) == (0, 0)
    assert re.search(r"1 .* 5 ", shown[1])
    assert (report["good"], {file["again"] for file in report["files"] if "again" in file}) == (True, {"same"})
    assert (compared["closes"], compared["ledger"]["paid_fen"]) == (True, books["totals_fen"]["paid"])
    assert (again["new"], plans["in_force"], len(plans["plans"])) == (True, "unlock@1", 2)


def refused(endpoint: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """What a command says that cannot find its stack; in this process, which is quicker."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    done = CliRunner().invoke(app, [*words, "ledger", "verify", "--json"])

    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.output
    return done.stderr


def test_a_stack_that_cannot_be_found_is_told_with_the_region(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = account.engine.endpoint
    missing = refused(endpoint, monkeypatch, "--stack", "nowhere")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    elsewhere = refused(endpoint, monkeypatch, "--stack", STACK)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION")
    no_region = refused(endpoint, monkeypatch, "--stack", STACK)

    assert "nowhere in ap-east-1: " in missing
    assert "does not exist" in missing
    assert f"{STACK} in eu-west-1: " in elsewhere
    assert "You must specify a region" in no_region


def test_a_stack_that_is_not_ours_is_told_apart(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = boto3.client("cloudformation", endpoint_url=account.engine.endpoint)
    queue = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    stacks.create_stack(StackName="another", TemplateBody=json.dumps(queue))

    assert "no output ReportsBucket" in refused(account.engine.endpoint, monkeypatch, "--stack", "another")


def test_without_credentials_or_a_network_a_command_says_so(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    unreachable = refused("http://127.0.0.1:9", monkeypatch, "--stack", STACK)
    nonsense = refused("nonsense", monkeypatch, "--stack", STACK)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    nobody = refused(account.engine.endpoint, monkeypatch, "--stack", STACK)

    assert "Could not connect" in unreachable
    assert "Invalid endpoint" in nonsense
    assert "Unable to locate credentials" in nobody
