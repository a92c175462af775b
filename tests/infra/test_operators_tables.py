"""Which tables a command works on, and what it says when there are none."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cardstock import clock
from cardstock.clock import SystemClock, set_clock
from infra.commands import operators
from infra.commands.cli import app
from infra.local import state

NEED_TABLES = (
    ("ledger", "verify"),
    ("ledger", "explain", "ord_1"),
    ("ledger", "proof", "accrue.ord_1", "--member", "mem_1", "--json"),
    ("ledger", "seals"),
    ("payout", "report", "pay_202611"),
    ("payout", "reconcile", "pay_202611", "--json"),
    ("plan", "publish", "unlock", "--actor", "Ms Zhao"),
    ("plan", "list"),
    ("reindex",),
)


@pytest.fixture
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in operators.NEEDED:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("nothing_named")
@pytest.mark.parametrize("words", NEED_TABLES, ids=" ".join)
def test_a_command_without_tables_says_where_they_are_named(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, list(words))

    assert (done.exit_code, done.stdout) == (2, "")
    assert "--state .local/serve" in done.stderr
    assert "--stack" in done.stderr
    assert "infra/README.md" in done.stderr


def test_a_state_folder_where_nothing_runs_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["--state", str(tmp_path), "ledger", "verify"])

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{tmp_path}: no state is here")


def test_a_state_folder_and_a_stack_at_once_are_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["--state", str(tmp_path), "--stack", "cardstock", "ledger", "verify"])

    assert (done.exit_code, done.stdout) == (2, "")
    assert "only one of them" in done.stderr


@pytest.mark.parametrize("named", ["CARDSTOCK_STACK", "CARDSTOCK_STATE"])
def test_a_command_without_tables_asks_nobody_for_them(named: str) -> None:
    done = CliRunner().invoke(app, ["plan", "check", "unlock"], env={named: "nowhere"})

    assert done.exit_code == 0


def test_a_state_folder_gives_the_tables_and_the_time_of_what_runs_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_TABLE", "another")
    (tmp_path / state.ENVIRONMENT).write_text('{"LEDGER_TABLE": "here"}', encoding="utf-8")
    (tmp_path / state.MEMORY).write_text(json.dumps({"shift_seconds": 40 * 86_400.0}), encoding="utf-8")
    try:
        operators.work_on(state=tmp_path)
        operators.need_tables()
        now, table = clock.now(), os.environ["LEDGER_TABLE"]
    finally:
        set_clock(SystemClock())

    assert table == "here"
    assert abs(now - datetime.now(UTC) - timedelta(days=40)) < timedelta(minutes=1)
