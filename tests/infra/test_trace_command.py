"""A refusal's trace_id leads to its line in the log, by one command."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cardstock.edge.observability import logger
from infra.commands.cli import app
from tests.house.cloud import Context, http_event, serve
from tests.people.shop import Shop

PERSONAL = "Wang-Xiaoming-13800138000"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What functions log from now on, at the level of a deployment."""
    written, handler, level = io.StringIO(), logger.registered_handler, logger.log_level
    stream = handler.setStream(written)  # type: ignore[attr-defined]  # Powertools' handler writes to a stream
    logger.setLevel("INFO")
    yield written
    logger.setLevel(level)
    handler.setStream(stream)  # type: ignore[attr-defined]  # as above


def refuse(trace_id: str = "7f3a-1") -> dict[str, Any]:
    """The problem of a refused request with personal data in path, query and credentials."""
    event = http_event(
        "GET", f"/v1/orders/{PERSONAL}", resource="/v1/orders/{order_id}", query={"phone": PERSONAL}, token=PERSONAL,
        path_parameters={"order_id": PERSONAL},
    )  # fmt: skip
    event["requestContext"]["requestId"] = trace_id
    problem: dict[str, Any] = json.loads(serve(event, Context())["body"])
    return problem


def test_a_refusal_is_logged_once_without_personal_data(shop: Shop, log: io.StringIO) -> None:
    problem = refuse()

    [line] = [line for text in log.getvalue().splitlines() if (line := json.loads(text))["message"] == "refused"]
    assert problem["trace_id"] == "7f3a-1"
    assert (line["trace_id"], line["code"], line["status"], line["route"]) == (
        "7f3a-1", problem["code"], problem["status"], "GET /v1/orders/{order_id}",
    )  # fmt: skip
    assert PERSONAL not in log.getvalue()


def test_the_command_finds_the_line_by_the_trace_id(shop: Shop, log: io.StringIO, tmp_path: Path) -> None:
    refuse("7f3a-2")
    problem = refuse()
    (tmp_path / "functions.log").write_text(f"no JSON with 7f3a-1\n{log.getvalue()}", "utf-8")
    found = CliRunner().invoke(app, ["--state", str(tmp_path), "trace", "7f3a-1"])
    unknown = CliRunner().invoke(app, ["--state", str(tmp_path), "trace", "7f3a"])

    assert found.exit_code == 0
    assert found.stdout.count("message=refused") == 1
    assert f"code={problem['code']}" in found.stdout
    assert "trace_id=7f3a-1" in found.stdout
    assert "7f3a-2" not in found.stdout
    assert (unknown.exit_code, unknown.stdout) == (1, "")


def test_without_a_log_or_with_another_text_the_command_says_so(tmp_path: Path) -> None:
    nothing = CliRunner().invoke(app, ["--state", str(tmp_path), "trace", "7f3a-1"])
    wrong = CliRunner().invoke(app, ["--state", str(tmp_path), "trace", "7f3a; rm"])

    assert (nothing.exit_code, wrong.exit_code) == (2, 2)
    assert str(tmp_path / "functions.log") in nothing.stderr
    assert "no trace id" in wrong.stderr


def test_for_a_stack_the_query_is_printed() -> None:
    done = CliRunner().invoke(app, ["--stack", "cardstock", "trace", "7f3a-1"])

    assert done.exit_code == 0
    assert "/aws/lambda/cardstock-" in done.stdout
    assert 'trace_id = "7f3a-1"' in done.stdout
