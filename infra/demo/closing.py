"""Closing the month: return windows pass, finance approves, the bank answers, and the report is written."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from infra.demo.one_run import Demo, DemoError
from infra.demo.opening import REASON, verify_persons
from infra.local.template import ROOT

BRAND_ZONE = ZoneInfo("Asia/Shanghai")
SETTLED_AFTER = timedelta(days=9)
# Nobody shops while return windows pass, so of each schedule's nights only the last is run, which does the work of all.
QUIET = timedelta(days=2)


def settle(demo: Demo) -> None:
    """Let return windows pass, the month end, finance approve, the bank answer, and the report be written."""
    after = demo.suite.clock.now().astimezone(BRAND_ZONE) + SETTLED_AFTER
    first = datetime(after.year + after.month // 12, after.month % 12 + 1, 1, 4, tzinfo=BRAND_ZONE)
    # A new bank account waits for 72 hours.
    demo.tick((first - timedelta(hours=84)).astimezone(UTC), collapse_under=QUIET)
    demo.renew(demo.inviters)
    balances = demo.all(demo.balance, demo.inviters, lambda: None)
    verify_persons(demo, [each for each, has in zip(demo.inviters, balances, strict=True) if has["available_fen"]])
    demo.tick((first - timedelta(hours=12)).astimezone(UTC), collapse_under=QUIET)
    answer_alarms(demo)
    demo.tick(first.astimezone(UTC))
    finance = demo.keys["finance"]
    payout = demo.shop.http.send("GET", "/v1/payouts", token=finance, query={"limit": "1"}).body["items"][0]
    path = f"/v1/payouts/{payout['payout_id']}"
    # Read again: when it was first seen, it was perhaps not listed yet.
    seen = demo.shop.http.send("GET", path, token=finance).body
    note = "Checked against the ledger"
    approval = {"lines": seen["listed"], "listed_fen": seen["listed_fen"], "note": note}
    demo.shop.approve(f"{path}/approvals", approval, token=demo.keys["compliance"], phone=demo.phones["compliance"])
    demo.suite.drain()
    lines = demo.shop.http.send("GET", f"{path}/lines", token=finance, query={"limit": "100"}).body["items"]
    # The smallest one, because the first number differs between runs, and so would the sums.
    smallest = sorted(lines, key=lambda line: line["listed_fen"])[:1]
    refused = [{"number": line["number"], "result": "failed", "reason": "ACCOUNT_CLOSED"} for line in smallest]
    sums = demo.shop.http.send("GET", path, token=finance).body["totals"]["sent"]
    results = {
        "results": refused,
        "all_others_paid": True,
        "lines": sums["lines"],
        "net_fen": sums["net_fen"],
    }
    demo.shop.http.send("POST", f"{path}/results", results, token=finance)
    demo.suite.drain()
    demo.payout = demo.shop.http.send("GET", path, token=finance).body
    if demo.payout["status"] != "settled":
        raise DemoError(f"the payout is {demo.payout['status']}: {demo.payout['books']}")
    report = demo.shop.http.send("GET", f"{path}/report", token=finance).body
    folder = demo.suite.state_dir / "report"
    folder.mkdir(exist_ok=True)
    for file in report["files"]:
        content = demo.sandbox.request("GET", file["url"]).data
        target = folder / file["name"].rpartition("/")[2]
        target.write_bytes(content)
        demo.files.append(target)


def answer_alarms(demo: Demo) -> None:
    """Two people lift the compliance alarms, so that payouts go on."""
    query = {"limit": "100"}
    alarms = demo.shop.http.send("GET", "/v1/compliance-alarms", token=demo.keys["finance"], query=query).body
    for alarm in alarms["items"]:
        for who in ("finance", "compliance"):
            path = f"/v1/compliance-alarms/{alarm['alarm_id']}/lifts"
            demo.shop.approve(path, {"reason": REASON}, token=demo.keys[who], phone=demo.phones[who])
        demo.numbers.alarms += 1


def recommend(demo: Demo) -> list[dict[str, Any]]:
    """Recommendations for the three best customers and for a new member."""
    demo.suite.run_schedule("recommendations/nightly_learning")
    best = sorted(demo.bought, key=lambda customer: -len(demo.bought[customer]))[:3]
    people = [demo.members[customer] for customer in best] + [demo.shop.log_in("somebody-new")]
    demo.renew(people)
    shelves = []
    for member in people:
        answer = demo.shop.http.send("GET", "/v1/recommendations", token=member.token, query={"limit": "3"}).body
        shelves.append({"member": member.name, **answer})
    return shelves


def verify(demo: Demo) -> dict[str, Any]:
    """Run the ledger's verify command as an operator does."""
    state = str(demo.suite.state_dir.absolute())
    command = [sys.executable, "-m", "infra.commands.cli", "--state", state, "ledger", "verify", "--json"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    if not done.stdout:
        raise DemoError(f"ledger verify gave no answer: {done.stderr[-1000:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result
