"""The main job on a few invoices, through the deployment's own surface: everything it opens, it closes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.demo import demo, texts
from infra.demo.figures import figures_of
from infra.demo.one_run import DemoError
from infra.demo.shop_data import read
from infra.demo.summary import figures_in
from infra.local.template import ROOT


@pytest.mark.engine
def test_the_main_job_closes_on_real_invoices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = demo.run(limit=12, state=tmp_path / "demo")
    printed = capsys.readouterr().out.splitlines()
    look = subprocess.run(
        [sys.executable, "-m", "infra.commands.cli", "--state", str(tmp_path / "demo"), "ledger", "verify"],
        capture_output=True, text=True, check=False, timeout=120, cwd=ROOT,
    )  # fmt: skip

    assert status == 0
    assert printed[-1] == f"open this state:    make serve STATE={tmp_path / 'demo'}"
    assert "refused 1 rows: postage_or_fee (row 47)" in printed
    assert "verifying the ledger: (0 s)" in printed
    assert (look.returncode, look.stderr) == (0, "")
    assert "verified" in look.stdout
    summary = json.loads((tmp_path / "demo" / "summary.json").read_text("utf-8"))
    assert figures_in(summary) == figures_of(read(limit=12), guides=len(texts.GUIDES))
    assert (summary["invoices_read"], summary["invoices_sold"]) == (12, summary["orders"])
    assert summary["supplier_orders"] > summary["orders"]
    assert summary["verified"]
    assert summary["dead_letters"] == {}
    assert summary["companies"].keys() == {"wechat", "alipay"}
    assert {channel: summary["payments"][channel] for channel in summary["companies"]} == summary["companies"]
    assert all(one["orders"] for one in summary["payments"].values())
    assert sum(one["paid_fen"] for one in summary["payments"].values()) == summary["sales_fen"]
    assert summary["logins"].keys() == {"wechat", "alipay", "dev"}
    fen = summary["credits_fen"]
    assert fen["frozen"] == 0
    paid = summary["payout"]
    assert (paid["status"], paid["books_close"], paid["paid_lines"]) == ("settled", True, paid["lines"] - 1)
    assert paid["gross_fen"] == paid["tax_fen"] + paid["net_fen"] > 0
    assert (fen["paid"], fen["withheld"]) == (paid["net_fen"], paid["tax_fen"])
    assert {Path(name).suffix for name in summary["files"]} == {".xlsx", ".csv", ".pdf"}
    assert all(Path(name).stat().st_size > 0 for name in summary["files"])


def test_the_demonstration_empties_no_folder_of_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("keep me", "utf-8")

    with pytest.raises(DemoError):
        demo.run(limit=1, state=tmp_path)
    assert (tmp_path / "letter.txt").read_text("utf-8") == "keep me"


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_figures_in_the_readme_are_those_of_the_invoices(name: str) -> None:
    shown = "".join(f"{label:12}{text}\n" for label, text in figures_of(read(), guides=len(texts.GUIDES)).lines())

    assert f"```text\n{shown}```" in (ROOT / name).read_text("utf-8")
