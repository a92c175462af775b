"""The main job on real data, through the deployment's own APIs: from a card view to a payout report.

Requests, queue messages and schedule events only: nothing here reads a table or calls a service. The clock is moved, so
that days and the month's end pass in a minute; everything due at those times runs as in the cloud.
"""

import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from infra.demo import companies
from infra.demo.closing import recommend, settle, verify
from infra.demo.days import live
from infra.demo.deployment import start
from infra.demo.one_run import Demo, DemoError
from infra.demo.opening import AT_ONCE, invite_members, open_shop
from infra.demo.progress import Steps, progress
from infra.demo.seeding import write_notes
from infra.demo.shop_data import EXTRACT, read
from infra.demo.summary import closing_table, next_lines, open_ends, refused_lines, summary_of, write_refused
from infra.demo.texts import GUIDES
from infra.local.clock import ShiftedClock
from infra.local.suite import Suite
from infra.local.template import ROOT

STATE = ROOT / ".local" / "demo"
REFUSED = "refused_rows.csv"
"""The file of the state folder with every refused row: its number and the reason."""
# The data's customers are shops, which buy by the dozen; real members are held much earlier.
PARAMETERS = {"StockingUnits": "1000000"}


def run(*, data: Path = EXTRACT, limit: int | None = None, state: Path = STATE) -> int:
    """The whole job: 0 only if everything is correct. State, report files and `summary.json` are left in `state`."""
    console = Console(highlight=False)
    began = time.monotonic()
    if state.exists():
        if any(state.iterdir()) and not (state / "suite.json").exists():
            raise DemoError(f"{state} holds something else; it would be emptied")
        shutil.rmtree(state)
    shop_data = read(data, limit=limit, after=datetime.now(UTC) + timedelta(days=1))
    console.print(
        f"{shop_data.invoices} real invoices of {data.name}, moved by {shop_data.shift.days // 7} weeks. The network "
        "of referrers is seeded (the file has none).\nThe plan is chain21-demo: the preset chain21 with rates of its "
        "own and a demonstration approval. What the checks stop is lifted for the demonstration: in production named "
        "people answer for both.",
        soft_wrap=True,
    )
    for line in refused_lines(shop_data.refused_rows):
        console.print(line, soft_wrap=True, markup=False)
    if not shop_data.sales:
        raise DemoError(f"{data.name} has nothing that can be sold: {dict(shop_data.refused)}")
    opening = min(sale.at for sale in shop_data.sales) - timedelta(hours=12)
    clock = ShiftedClock(opening - datetime.now(UTC))
    with progress(console) as step, starting(step, state, clock) as suite:
        demo = Demo(suite, shop_data, console, platforms=companies.ALL)
        open_shop(demo, step("catalogue", -(-len(shop_data.articles) // AT_ONCE)))
        invite_members(demo, step("members", len(GUIDES) + len(shop_data.customers)))
        before = suite.costs()
        live(demo, step("invoices and returns", len(shop_data.sales) + len(shop_data.returns)))
        costs = suite.costs() - before
        step("recommendations")
        shelves = recommend(demo)
        step("closing the month")
        settle(demo)
        step("verifying the ledger")
        verified = verify(demo)
        step("reading the balances")
        summary = {
            **summary_of(demo, verified),
            "aws_calls_per_order": round(costs.calls / demo.numbers.orders, 1),
            "wcu_per_order": round(costs.wcu / demo.numbers.orders, 1),
            "rcu_per_order": round(costs.rcu / demo.numbers.orders, 1),
            "requests": demo.shop.http.calls,
            "dead_letters": suite.dead_letters(),
            "recommendations": shelves,
            "seconds": round(time.monotonic() - began, 1),
            "files": [str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file) for file in demo.files],
        }
        write_notes(demo)
    (state / "summary.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_refused(state / REFUSED, shop_data.refused_rows | demo.numbers.unmatched)
    console.print(closing_table(summary))
    wrong = open_ends(summary)
    for line in wrong:
        console.print(f"[red]not closed:[/red] {line}")
    for line in next_lines(state):
        console.print(line, soft_wrap=True, markup=False)
    return 1 if wrong else 0


def starting(step: Steps, state: Path, clock: ShiftedClock) -> Suite:
    """The deployment, started as a step."""
    step("starting")
    return start(state_dir=state, clock=clock, parameters=PARAMETERS, platforms_port=0)
