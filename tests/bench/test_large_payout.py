"""What `make bench PAYEES=10000` runs, with few people: it must work, prove what it pays, and leave nothing behind."""

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from openpyxl import load_workbook
from rich.console import Console

from infra.local.template import ROOT
from tests.bench import large_payout
from tests.bench.large_payout import SETTLE, Paid

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

PAYEES = 20


class Seen:
    """What a look around found, before everything was gone."""

    def __init__(self) -> None:
        self.audit: dict[str, Any] = {}
        self.workbook = b""

    def look(self, variables: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "infra.commands.cli", "ledger", "verify", "--json"]
        told = subprocess.run(command, cwd=ROOT, env=dict(variables), capture_output=True, check=False, timeout=60)
        self.audit = json.loads(told.stdout)
        s3 = boto3.client("s3", endpoint_url=variables["AWS_ENDPOINT_URL"])
        stored = s3.get_object(Bucket=variables["REPORTS_BUCKET"], Key="payouts/pay_202611/report.xlsx")
        self.workbook = stored["Body"].read()
        s3.close()


@pytest.fixture(scope="module")
def seen() -> Seen:
    return Seen()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where temporary files go."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as monkey:
        monkey.setattr(tempfile, "tempdir", str(folder))
        yield folder


@pytest.fixture(scope="module")
def paid(seen: Seen, home: Path) -> Paid:
    return large_payout.pay(PAYEES, tell=lambda _: None, look=seen.look)


def test_a_payout_is_paid_and_proven_through_the_functions_and_nothing_is_left(paid: Paid, home: Path) -> None:
    steps = {phase.name: phase.spent for phase in paid.phases}

    assert paid.wrong == ()
    assert paid.payout["listed"] == PAYEES
    assert [len(steps[name]) for name in ("List", "Send", SETTLE)] == [1, 1, 1]
    assert steps["Send"][0].wcu >= 6 * PAYEES
    for spent in steps.values():
        assert all(one.calls > 0 and one.seconds > one.cpu_seconds > 0 and one.peak_mb > 20 for one in spent)
    assert 0 < paid.report_seconds < steps[SETTLE][0].seconds
    assert list(home.iterdir()) == []


def test_what_it_pays_out_was_earned_entry_by_entry(paid: Paid, seen: Seen) -> None:
    book = load_workbook(io.BytesIO(seen.workbook), read_only=True)
    heads = [row for row in book["个人对账单 Statements"].iter_rows(min_row=2, values_only=True) if row[2] is None][:-1]

    # Each balance is the fold of its entries, and each row of rewards too. Only the orders behind them are not there.
    assert {finding["check"] for finding in seen.audit["findings"]} == {"unexplained"}
    assert {finding["item"].partition(".")[0] for finding in seen.audit["findings"]} == {
        "ledger/accrue", "ledger/release", "ledger/claw",
    }  # fmt: skip
    assert seen.audit["transfers"] == PAYEES
    assert len(heads) == paid.payout["listed"]
    assert {head[5] for head in heads} == {0}


def test_a_bound_that_is_not_kept_is_named_and_ends_with_status_1(paid: Paid, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    slow = replace(paid, wrong=("the payout is sending",))

    kept = large_payout.missed(paid)
    monkeypatch.setattr(large_payout, "MOST_SECONDS", 0)
    monkeypatch.setattr(large_payout, "MOST_MB", 1)
    large_payout.show(slow, Console(file=printed, width=120))

    assert kept == []
    assert [sentence.partition(" are not under ")[2] for sentence in large_payout.missed(paid)] == ["0 s", "1 MB"]
    assert "the payout is sending" in printed.getvalue()
    assert "are not under 1 MB" in printed.getvalue()
