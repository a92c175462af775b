"""The main job on real data, through the deployment's own APIs: from a card view to a payout report.

Requests, queue messages and schedule events only: nothing here reads a table or calls a service. The clock is moved, so
that days and the month's end pass in a minute; everything due at those times runs as in the cloud.
"""

import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import urllib3
from rich.console import Console

from infra.demo.deployment import PUBLIC, STAFF, start
from infra.demo.figures import UNKNOWN_PURCHASE
from infra.demo.progress import Steps, progress
from infra.demo.shop import Member, PaidOrder, Shop, ShopError
from infra.demo.shop_data import EXTRACT, SUPPLIERS, Return, Sale, ShopData, guide_of, read, windows
from infra.demo.summary import closing_table, next_lines, open_ends, refused_lines, summary_of, write_refused
from infra.demo.texts import ENGLISH, GUIDES, card_of, name_of_article
from infra.local.clock import ShiftedClock
from infra.local.suite import Suite
from infra.local.template import ROOT

STATE = ROOT / ".local" / "demo"
BRAND_ZONE = ZoneInfo("Asia/Shanghai")
SEED = "cardstock"
REFUSED = "refused_rows.csv"
"""The file of the state folder with every refused row: its number and the reason."""
SEED_INVOICES = 40
SHELF = 6
"""Products on a guide's card."""
EXAMPLE_SKU, EXAMPLE_SUPPLIER = "85123A", "sup_lights"
# Events of one hour run in parallel; an hour of the shop is much longer than any of its steps.
WINDOW = timedelta(hours=1)
SETTLED_AFTER = timedelta(days=9)
SHIPPED_AFTER = timedelta(days=1)
RECEIVED_AFTER = timedelta(days=3)
UNVERIFIED = 7
# Nobody shops while return windows pass, so of each schedule's nights only the last is run, which does the work of all.
QUIET = timedelta(days=2)

T = TypeVar("T")
R = TypeVar("R")

# The demonstration's plan: the preset chain21 in shares of what was paid, so that every article earns. Two levels, paid
# for a qualifying purchase: refused without approvals of a second person, who gives them for the demonstration and
# says so.
PLAN = {
    "preset": "chain21",
    "id": "chain21-demo",
    "title": "2+1 合伙人计划（演示）",
    "direct_distributor": {"value": 800, "unit": "bps"},
    "direct_partner": {"value": 1500, "unit": "bps"},
    "team": {"value": 700, "unit": "bps"},
    "cap_bps": 3000,
}
# The data's customers are shops, which buy by the dozen; real members are held much earlier.
PARAMETERS = {"StockingUnits": "1000000"}
REASON = "Demonstration on recorded orders; no money moves."


class DemoError(Exception):
    """The job did not finish correctly; the message says why."""


@dataclass(slots=True)
class Numbers:
    """The figures of the closing table."""

    orders: int = 0
    supplier_orders: int = 0
    sales_fen: int = 0
    refunds: int = 0
    refund_fen: int = 0
    unmatched: dict[str, list[int]] = field(default_factory=dict)
    """Numbers of rows that only the run finds to fit nothing, by reason."""
    credit_seconds: float = 0.0
    alarms: int = 0
    schedules: Counter[str] = field(default_factory=Counter)
    messages: int = 0


class Demo:
    """One run of the job."""

    def __init__(self, suite: Suite, data: ShopData, console: Console) -> None:
        self.suite = suite
        self.data = data
        self.console = console
        self.numbers = Numbers()
        self.shop = Shop(suite.urls[PUBLIC], suite.urls[STAFF], pay=self._click, now=suite.clock.now)
        self.members: dict[str, Member] = {}
        self.guides: list[Member] = []
        self.inviters: list[Member] = []
        self.cards: list[str] = []
        self.english_cards: list[str] = []
        self.bought: dict[str, list[PaidOrder]] = defaultdict(list)
        self.due: list[tuple[datetime, str, PaidOrder]] = []
        self.keys: dict[str, str] = {}
        self.files: list[Path] = []
        self.payout: dict[str, Any] = {}
        self._paid_at = 0.0
        self._sandbox = urllib3.PoolManager(maxsize=8, timeout=30.0, retries=False)
        self._pool = ThreadPoolExecutor(max_workers=4)

    def _click(self, order_no: str, amount_fen: int) -> None:
        """Press the sandbox's pay button."""
        body = json.dumps({"order_no": order_no, "amount_fen": amount_fen}).encode()
        reply = self._sandbox.request("POST", f"{self.suite.sandbox.url}/v1/pay", body=body)
        self._paid_at = time.monotonic()
        if reply.status != 200:
            raise ShopError(f"the sandbox did not pay {order_no}: {reply.status} {reply.data!r}")

    def all(self, work: Callable[[T], R], items: Iterable[T], progress: Callable[[], None]) -> list[R]:
        """`work` on every item, in parallel; the first exception ends it."""

        def one(item: T) -> R:
            result = work(item)
            progress()
            return result

        return list(self._pool.map(one, items))

    # Setting up

    def open_shop(self, tick: Callable[[], None]) -> None:
        """Keys, suppliers, plan, catalogue."""
        secret_id = self.suite.environment["ADMIN_SECRET_ID"]
        stored = self.suite.clients.secrets.get_secret_value(SecretId=secret_id)["SecretString"]
        root = f"csk_root_{json.loads(stored)['key']}"
        finance, compliance = (self.shop.add_person(root, name) for name in ("Li Na", "Zhao Min"))
        hiring = self.keys["hiring"] = self.shop.make_key(root, finance, "Hiring", ["staff:write"])
        self.keys["shop"] = self.shop.make_key(
            root,
            self.shop.add_person(hiring, "Wang Fang"),
            "Headquarters",
            [
                *("suppliers:write", "catalog:write", "network:appoint", "plans:publish", "webhooks:write"),
                *("orders:refund", "orders:read", "members:read", "suppliers:read", "catalog:read", "sales:read"),
            ],
        )
        self.keys["root"] = root
        self.keys["finance"] = self.shop.make_key(
            root,
            finance,
            "Finance",
            ["payouts:read", "payouts:approve", "payouts:settle", "debts:write_off", "open_items:read"],
        )
        self.keys["compliance"] = self.shop.make_key(
            root, compliance, "Compliance", ["payouts:read", "payouts:approve", "plans:approve", "debts:write_off"]
        )
        for supplier_id in SUPPLIERS:
            self.shop.add_supplier(self.keys["shop"], root, supplier_id, supplier_id.removeprefix("sup_").title())
        self.publish_plan()
        qualifying = self.best_known(1)[0].rpartition("-")[0]
        articles = sorted(self.data.articles.values(), key=lambda article: article.sku)
        batches = [articles[start : start + 100] for start in range(0, len(articles), 100)]

        def publish(batch: Sequence[Any]) -> None:
            products = [
                {
                    "sku": article.sku,
                    "name": name_of_article(article.code, article.name),
                    "supplier_id": article.supplier_id,
                    "price_fen": article.price_fen,
                    "qualifying": article.code == qualifying,
                    "initial_stock": article.units + 10,
                }
                for article in batch
            ]
            self.shop.http.send("PUT", "/v1/products", {"products": products}, token=self.keys["shop"])

        self.all(publish, batches, tick)

    def best_known(self, count: int) -> list[str]:
        """The SKUs of the articles that most customers bought, one an article, the most popular first."""
        popular = Counter[str]()
        sku_of: dict[str, str] = {}
        for sale in self.data.sales:
            for sku in sale.units:
                sku_of.setdefault(sku.rpartition("-")[0], sku)
            popular.update({sku.rpartition("-")[0] for sku in sale.units})
        return [sku_of[code] for code, _ in popular.most_common(count)]

    def publish_plan(self) -> None:
        """Publish the plan, which a second person has approved for the demonstration with a key of that person."""
        for check in ("levels", "peer", "fee", "head_count"):
            body = {"plan": PLAN, "check": check, "reason": REASON}
            self.shop.http.send("POST", "/v1/commission-plans/approvals", body, token=self.keys["compliance"])
        self.shop.http.send("POST", "/v1/commission-plans", PLAN, token=self.keys["shop"])

    def invite_members(self, tick: Callable[[], None]) -> None:
        """Guides become partners and make their cards; every customer logs in with an inviter of a seeded network."""
        shelf = self.best_known(SHELF)
        for name in GUIDES:
            guide = self.shop.log_in(name)
            path = f"/v1/members/{guide.member_id}/partner-appointments"
            self.shop.http.send("POST", path, {"reason": "First partner of the brand"}, token=self.keys["shop"])
            card = self.shop.http.send("POST", "/v1/cards", {"versions": card_of(name, shelf)}, token=guide.token).body
            for audience, keys in (("default", self.cards), (ENGLISH, self.english_cards)):
                path, body = f"/v1/cards/{card['card']}/shares", {"audience": audience}
                keys.append(str(self.shop.http.send("POST", path, body, token=guide.token).body["share"]))
            self.guides.append(guide)
            tick()
        chance = random.Random(SEED)  # noqa: S311 - a seeded network, no secret
        known: list[Member] = list(self.guides)
        inviters = {guide.member_id for guide in self.guides}
        for customer in self.data.customers:
            inviter = chance.choice(known[-40:] if chance.random() < 0.7 else self.guides)
            inviters.add(inviter.member_id)
            member = self.shop.log_in(f"customer-{customer}", inviter.member_id)
            self.members[customer] = member
            known.append(member)
            tick()
        self.inviters = [member for member in known if member.member_id in inviters]

    def verify_persons(self, payees: Sequence[Member]) -> None:
        """Verify the real names of those who can be paid something, and set their bank accounts. One forgets."""

        def verify(numbered: tuple[int, Member]) -> None:
            number, member = numbered
            if number != UNVERIFIED:
                body = {"name": name_of(number), "id_number": id_number(number)}
                self.shop.http.send("PUT", "/v1/me/identity", body, token=member.token)
                account = {
                    "holder": body["name"],
                    "number": f"1001{number:012d}",
                    "bank": "示例银行",
                    "branch": "杭州支行",
                }
                self.shop.http.send("PUT", "/v1/me/bank-account", account, token=member.token)

        self.all(verify, enumerate(payees), lambda: None)

    # The shop's days

    def live(self, tick: Callable[[], None]) -> None:
        """Play the days: every invoice an order, every cancellation a refund, parcels a day later, receipts three days
        later."""
        for opening, events in windows(self.data.events()):
            self.advance(opening)
            sales = [event for event in events if isinstance(event, Sale)]
            returns = [event for event in events if isinstance(event, Return)]
            by_customer: dict[str, list[Sale]] = defaultdict(list)
            for sale in sales:
                by_customer[sale.customer].append(sale)
            self.renew(self.members[customer] for customer in by_customer)
            bought = self.all(self.shop_for, by_customer.values(), lambda: None)
            for orders in bought:
                for order in orders:
                    self.bought[order.customer].append(order)
                    self.due.append((order.at + SHIPPED_AFTER, "ship", order))
                    self.due.append((order.at + RECEIVED_AFTER, "receive", order))
                    tick()
            if sales and not self.numbers.credit_seconds:
                self.measure_credit()
            for event in returns:
                self.give_back(event)
                tick()
            self.suite.drain()
        while self.due:
            self.advance(min(moment for moment, _, _ in self.due))

    def advance(self, moment: datetime) -> None:
        """Let time pass until `moment`, with the schedules, parcels and receipts due until then."""
        while self.due:
            soonest = min(at for at, _, _ in self.due)
            if soonest > moment:
                break
            opening = max(soonest, self.suite.clock.now())
            self.tick(opening)
            now = [entry for entry in self.due if entry[0] <= opening + WINDOW]
            self.due = [entry for entry in self.due if entry[0] > opening + WINDOW]
            self.all(lambda entry: self.ship(entry[2]), [entry for entry in now if entry[1] == "ship"], lambda: None)
            received = [entry for entry in now if entry[1] == "receive"]
            self.renew(self.members[entry[2].customer] for entry in received)
            self.all(lambda entry: self.receive(entry[2]), received, lambda: None)
            self.suite.drain()
        self.tick(moment)

    def tick(self, moment: datetime, collapse_under: timedelta | None = None) -> None:
        """Move the clock, running the schedules due on the way."""
        if moment <= self.suite.clock.now():
            return
        for ran in self.suite.tick(until=moment, collapse_under=collapse_under):
            self.numbers.schedules[ran.function] += 1
            if ran.error is not None:
                raise DemoError(f"the schedule of {ran.function} failed: {ran.error}")

    def renew(self, members: Iterable[Member]) -> None:
        """New tokens for members whose old ones have expired."""
        self.all(self.shop.renew, {member.member_id: member for member in members}.values(), lambda: None)

    def shop_for(self, sales: Sequence[Sale]) -> list[PaidOrder]:
        """A customer's invoices as orders, each from the view of a guide's card to the payment."""
        orders = []
        for sale in sales:
            member = self.members[sale.customer]
            card = self.cards[guide_of(sale.customer, len(self.cards))]
            attribution = self.shop.view_card(card, member)
            order_id, amount, suppliers = self.shop.buy(member, sale.units, attribution)
            orders.append(PaidOrder(order_id, sale.customer, sale.at, dict(sale.units), amount, suppliers))
        self.numbers.orders += len(orders)
        self.numbers.supplier_orders += sum(len(order.suppliers) for order in orders)
        self.numbers.sales_fen += sum(order.amount_fen for order in orders)
        return orders

    def give_back(self, event: Return) -> None:
        """Refund a cancelled row: this customer's latest purchases of the article first."""
        left = event.units
        for order in reversed(self.bought[event.customer]):
            for sku in [sku for sku in order.returnable if sku.rpartition("-")[0] == event.code]:
                units = min(left, order.returnable[sku])
                if units:
                    self.renew([self.members[event.customer]])
                    buyer = self.members[event.customer]
                    self.shop.give_back(buyer, order.order_id, {sku: units}, staff=self.keys["shop"])
                    order.returnable[sku] -= units
                    self.numbers.refunds += 1
                    left -= units
            if not left:
                return
        self.numbers.unmatched.setdefault(UNKNOWN_PURCHASE, []).append(event.row)

    def ship(self, order: PaidOrder) -> None:
        """Every supplier reports its parcel."""
        for supplier_id in order.suppliers:
            self.shop.ship(supplier_id, order.order_id)

    def receive(self, order: PaidOrder) -> None:
        """The buyer confirms the receipt of what was not returned."""
        if any(order.returnable.values()):
            self.shop.receive(self.members[order.customer], order.order_id)

    # Closing

    def measure_credit(self) -> None:
        """How long after the payment of the latest order its earners can see its rewards."""
        self.suite.drain()
        self.numbers.credit_seconds = time.monotonic() - self._paid_at

    def settle(self) -> None:
        """Let return windows pass, the month end, finance approve, the bank answer, and the report be written."""
        after = self.suite.clock.now().astimezone(BRAND_ZONE) + SETTLED_AFTER
        first = datetime(after.year + after.month // 12, after.month % 12 + 1, 1, 4, tzinfo=BRAND_ZONE)
        # A new bank account waits for 72 hours.
        self.tick((first - timedelta(hours=84)).astimezone(UTC), collapse_under=QUIET)
        self.renew(self.inviters)
        balances = self.all(self.balance, self.inviters, lambda: None)
        self.verify_persons([each for each, has in zip(self.inviters, balances, strict=True) if has["available_fen"]])
        self.tick((first - timedelta(hours=12)).astimezone(UTC), collapse_under=QUIET)
        self.answer_alarms()
        self.tick(first.astimezone(UTC))
        finance = self.keys["finance"]
        payout = self.shop.http.send("GET", "/v1/payouts", token=finance, query={"limit": "1"}).body["items"][0]
        path = f"/v1/payouts/{payout['payout_id']}"
        # Read again: when it was first seen, it was perhaps not listed yet.
        seen = self.shop.http.send("GET", path, token=finance).body
        note = "Checked against the ledger"
        approval = {"lines": seen["listed"], "listed_fen": seen["listed_fen"], "note": note}
        self.shop.http.send("POST", f"{path}/approvals", approval, token=self.keys["compliance"])
        self.suite.drain()
        lines = self.shop.http.send("GET", f"{path}/lines", token=finance, query={"limit": "100"}).body["items"]
        # The smallest one, because the first number differs between runs, and so would the sums.
        smallest = sorted(lines, key=lambda line: line["listed_fen"])[:1]
        refused = [{"number": line["number"], "result": "failed", "reason": "ACCOUNT_CLOSED"} for line in smallest]
        sums = self.shop.http.send("GET", path, token=finance).body["totals"]["sent"]
        results = {
            "results": refused,
            "all_others_paid": True,
            "lines": sums["lines"],
            "net_fen": sums["net_fen"],
        }
        self.shop.http.send("POST", f"{path}/results", results, token=finance)
        self.suite.drain()
        self.payout = self.shop.http.send("GET", path, token=finance).body
        if self.payout["status"] != "settled":
            raise DemoError(f"the payout is {self.payout['status']}: {self.payout['books']}")
        report = self.shop.http.send("GET", f"{path}/report", token=finance).body
        folder = self.suite.state_dir / "report"
        folder.mkdir(exist_ok=True)
        for file in report["files"]:
            content = self._sandbox.request("GET", file["url"]).data
            target = folder / file["name"].rpartition("/")[2]
            target.write_bytes(content)
            self.files.append(target)

    def answer_alarms(self) -> None:
        """Two people lift the compliance alarms, so that payouts go on."""
        query = {"limit": "100"}
        alarms = self.shop.http.send("GET", "/v1/compliance-alarms", token=self.keys["finance"], query=query).body
        for alarm in alarms["items"]:
            for who in ("finance", "compliance"):
                path = f"/v1/compliance-alarms/{alarm['alarm_id']}/lifts"
                self.shop.http.send("POST", path, {"reason": REASON}, token=self.keys[who])
            self.numbers.alarms += 1

    def recommend(self) -> list[dict[str, Any]]:
        """Recommendations for the three best customers and for a new member."""
        self.suite.run_schedule("recommendations/nightly_learning")
        best = sorted(self.bought, key=lambda customer: -len(self.bought[customer]))[:3]
        people = [self.members[customer] for customer in best] + [self.shop.log_in("somebody-new")]
        self.renew(people)
        shelves = []
        for member in people:
            answer = self.shop.http.send("GET", "/v1/recommendations", token=member.token, query={"limit": "3"}).body
            shelves.append({"member": member.name, **answer})
        return shelves

    def balance(self, member: Member) -> dict[str, int]:
        """A member's balance, as the API shows it to the member."""
        return dict(self.shop.http.send("GET", "/v1/me/balance", token=member.token).body)

    def verify(self) -> dict[str, Any]:
        """Run the ledger's verify command as an operator does."""
        state = str(self.suite.state_dir.absolute())
        command = [sys.executable, "-m", "infra.commands.cli", "--state", state, "ledger", "verify", "--json"]
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
        if not done.stdout:
            raise DemoError(f"ledger verify gave no answer: {done.stderr[-1000:]}")
        result: dict[str, Any] = json.loads(done.stdout)
        return result


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
        demo = Demo(suite, shop_data, console)
        demo.open_shop(step("catalogue", -(-len(shop_data.articles) // 100)))
        demo.invite_members(step("members", len(GUIDES) + len(shop_data.customers)))
        before = suite.costs()
        demo.live(step("invoices and returns", len(shop_data.sales) + len(shop_data.returns)))
        costs = suite.costs() - before
        step("recommendations")
        shelves = demo.recommend()
        step("closing the month")
        demo.settle()
        step("verifying the ledger")
        verified = demo.verify()
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
    return start(state_dir=state, clock=clock, parameters=PARAMETERS)


def seed(suite: Suite) -> None:
    """Fill an empty deployment that runs in the background: catalogue, members, cards, and a few orders of today.

    What a developer needs to continue (logins, persons with their keys and scopes, secrets, cards, SKUs) is left in
    `seed.json` of the state folder. The product and the supplier of the API document's examples are seeded too.
    """
    console = Console(highlight=False)
    data = read(limit=SEED_INVOICES)
    demo = Demo(suite, data, console)
    with progress(console) as step:
        demo.open_shop(step("catalogue", -(-len(data.articles) // 100)))
        demo.invite_members(step("members", len(GUIDES) + len(data.customers)))
        demo.verify_persons(demo.inviters)
        publish_examples(demo)
        done = step("orders", len(data.sales))
        for number, sale in enumerate(data.sales):
            [order] = demo.shop_for([sale])
            demo.ship(order)
            if number % 2:
                demo.receive(order)
            done()
        step("learning a night")
        learned = suite.run_schedule("recommendations/nightly_learning")
        if learned.error is not None:
            raise DemoError(f"nothing was learned: {learned.error}")
    notes = {
        "logins": [f"dev:{name}" for name in GUIDES] + [f"dev:customer-{customer}" for customer in data.customers],
        "cards": demo.cards,
        "cards_in_english": demo.english_cards,
        "skus": [EXAMPLE_SKU, *sorted(data.articles)[:20]],
        "persons": persons_of(demo),
        "staff_keys": demo.keys,
        "supplier_keys": demo.shop.supplier_keys,
        "supplier_inbox_secrets": demo.shop.supplier_secrets,
    }
    target = suite.state_dir / "seed.json"
    target.touch(mode=0o600)  # keys and secrets: nobody else on this machine reads them
    target.chmod(0o600)
    target.write_text(json.dumps(notes, indent=1) + "\n", encoding="utf-8")
    console.print(f"seeded; logins, keys and cards are in {target}")


def publish_examples(demo: Demo) -> None:
    """Publish the product, by its supplier, that the examples of the API document name."""
    demo.shop.add_supplier(demo.keys["shop"], demo.keys["root"], EXAMPLE_SUPPLIER, "Lights")
    name = name_of_article(EXAMPLE_SKU, "WHITE HANGING HEART T-LIGHT HOLDER")
    product = {"name": name, "supplier_id": EXAMPLE_SUPPLIER, "price_fen": 25_500}
    body = {**product, "initial_stock": 1_000}
    demo.shop.http.send("PUT", f"/v1/products/{EXAMPLE_SKU}", body, token=demo.keys["shop"])


def persons_of(demo: Demo) -> list[dict[str, Any]]:
    """The persons of the staff, with the name and the scopes of each of their keys."""
    root, send = demo.keys["root"], demo.shop.http.send
    persons = send("GET", "/v1/staff", token=root, query={"limit": "100"}).body["items"]
    return [
        {
            "person_id": person["person_id"],
            "name": person["name"],
            "keys": [
                {"name": key["name"], "scopes": key["scopes"]}
                for key in send("GET", "/v1/partners/keys", token=root, query={"owner": person["person_id"]}).body[
                    "items"
                ]
            ],
        }
        for person in persons
    ]


def name_of(number: int) -> str:
    """An invented name, different for each of the first 3 456 numbers."""
    rest, family = divmod(number, 12)
    rest, first = divmod(rest, 16)
    return (
        "王李张刘陈杨赵黄周吴徐孙"[family]
        + "安博晨德恩芳国慧佳君乐敏宁鹏青若"[first]
        + "诗文晓雅怡泽哲真志子瑶悦欣辰溪彤琪梓"[rest % 18]
    )


def id_number(number: int) -> str:
    """A well-formed invented ID number: region and birthday of an adult, a serial, and the check digit of GB 11643."""
    digits = f"310101199001{1 + number // 900:02d}{100 + number % 900:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    rest = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
    return digits + "10X98765432"[rest]
