"""What commands say when the tables are not as they should be, or AWS refuses: one line, status 2, nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from moto.core.botocore_stubber import MockRawResponse
from moto.dynamodb.models import dynamodb_backends
from typer.testing import CliRunner

from cardstock.aws import tables as base
from infra.commands.cli import app
from tests.house import faults
from tests.house.cloud import ACCOUNT, REGION, Cloud
from tests.infra.test_operators_tables import NEED_TABLES
from tests.people.finance import PAYOUT, Finance

ALSO_READABLE = [words for words in NEED_TABLES if "--json" not in words] + [
    (*words, "--json") for words in NEED_TABLES if "--json" not in words
]


def refused(words: tuple[str, ...], *said: str) -> None:
    done = CliRunner().invoke(app, list(words))

    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for each in said:
        assert each in done.stderr


@pytest.mark.parametrize("words", ALSO_READABLE, ids=" ".join)
def test_a_table_that_is_not_there_is_named(cloud: Cloud, words: tuple[str, ...]) -> None:
    tables = dynamodb_backends[ACCOUNT][REGION].tables
    names = set(tables)
    tables.clear()

    done = CliRunner().invoke(app, list(words))

    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "ResourceNotFoundException" in done.stderr
    assert any(f"({name})" in done.stderr for name in names)


@pytest.mark.parametrize("words", NEED_TABLES, ids=" ".join)
def test_a_store_that_is_overloaded_is_told_as_that(cloud: Cloud, words: tuple[str, ...]) -> None:
    with faults.at(0, "throttle", times=faults.ALWAYS):
        refused(words, "ProvisionedThroughputExceededException")


@pytest.mark.parametrize("words", NEED_TABLES, ids=" ".join)
def test_a_store_that_does_not_answer_is_told_with_its_address(cloud: Cloud, words: tuple[str, ...]) -> None:
    with faults.at(0, "lose_answer", times=faults.ALWAYS):
        refused(words, "timeout", "dynamodb.ap-east-1.amazonaws.com")


@pytest.fixture
def without_rights(cloud: Cloud) -> Iterator[None]:
    """Every call to DynamoDB is refused, as to somebody without rights."""

    def refuse(request: Any, **_: Any) -> AWSResponse:
        body = {
            "__type": "com.amazon.coral.service#AccessDeniedException",
            "Message": "User: arn:aws:iam::123456789012:user/li is not authorized to perform this",
        }
        return AWSResponse(request.url, 400, {}, MockRawResponse(json.dumps(body)))

    base.disconnect()
    base.connection().client.meta.events.register_first("before-send.dynamodb.*", refuse)
    yield
    base.disconnect()


@pytest.mark.usefixtures("without_rights")
@pytest.mark.parametrize("words", NEED_TABLES, ids=" ".join)
def test_who_has_no_rights_is_told_so(words: tuple[str, ...]) -> None:
    refused(words, "AccessDeniedException", "user/li is not authorized")


def test_a_bucket_that_is_not_there_is_no_missing_file(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 5_000)
    finance.sent()
    for entry in cloud.s3.list_objects_v2(Bucket="reports")["Contents"]:
        cloud.s3.delete_object(Bucket="reports", Key=entry["Key"])
    missing = CliRunner().invoke(app, ["payout", "report", PAYOUT, "--json"])
    cloud.s3.delete_bucket(Bucket="reports")

    assert (missing.exit_code, json.loads(missing.stdout)["files"][0]["stored"]) == (1, "missing")
    refused(("payout", "report", PAYOUT), "NoSuchBucket")
