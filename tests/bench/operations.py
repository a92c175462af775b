"""The operations whose costs are bounded, each carried out through its real handler on an account of its own.

`measured` counts what one of them asks of AWS. Capacity follows DynamoDB's rules (`infra/local/costs.py`), not what an
emulator says. Nothing here measures time. Each operation is carried out once a process: its counts do not change.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, Final

from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from msgspec.structs import replace

from cardstock.aws import files
from cardstock.aws import tables as base
from cardstock.catalog import wiring as catalog_wiring
from cardstock.catalog.product_model import Wording
from cardstock.catalog.publication_store import CARD, CardItem
from cardstock.clock import SystemClock, set_clock
from cardstock.edge import secrets
from cardstock.edge import wiring as edge_wiring
from cardstock.flows import wiring as flows_wiring
from cardstock.flows.publishing_products import publish_products
from cardstock.ids import short_key
from cardstock.ledger import wiring as ledger_wiring
from cardstock.members.model import Account, Member
from cardstock.members.phones import PROOF_HOLDS
from cardstock.members.session_model import MOST_SESSIONS
from cardstock.members.store import DynamoMembers
from cardstock.network import wiring as network_wiring
from cardstock.network.plan import Plan
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.refund_ends import execute_refund
from cardstock.partners import wiring as partners_wiring
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.results import confirm_all
from cardstock.recommendations import wiring as recommendations_wiring
from cardstock.recommendations.model import Entry, Row, member_key
from cardstock.search import wiring as search_wiring
from cardstock.search.index import build, encode
from cardstock.search.model import Query
from cardstock.signing import ACCESS
from cardstock.uploads import wiring as uploads_wiring
from infra.local.costs import Costs, Item, Meter, attach, shape_of
from tests.house.cloud import Cloud, Context, http_event, names_here, provision, queue_event, serve, template
from tests.house.python_calls import python_calls
from tests.house.wire import wire
from tests.people.agreements import AgreementHolder
from tests.people.arrivals import register
from tests.people.buyers import BUYER, CART, RECEIVER
from tests.people.clock import START, TestClock, clock_at
from tests.people.consents import login_body, sent
from tests.people.exports import Exporter
from tests.people.finance import FIRST, PAYOUT, Finance
from tests.people.goods import Goods, publish_goods
from tests.people.pictures import from_a_phone
from tests.people.shop import Shop
from tests.people.staff import Phone, session_of, supplier_key
from tests.people.tokens import access_token
from tests.people.trade import DEMO_PLAN
from tests.people.uploads import Uploader, store_ready
from tests.search.large import large_shop

LARGE_AT: Final = datetime(2026, 12, 1, tzinfo=UTC)

ACCOUNT, REGION = "123456789012", "ap-east-1"
VIEWS = "https://sqs.ap-east-1.amazonaws.com/123456789012/card-views"


@dataclass(frozen=True, slots=True)
class Measured:
    """What an operation asked for. Calls are made one after the other: their number is the depth, too."""

    calls: tuple[str, ...]
    wcu: float
    rcu: float
    by_table: Mapping[str, float] = field(default_factory=dict)
    """Units written, by table."""


def _find(table: str, key: Item) -> Item | None:
    found = dynamodb_backends[ACCOUNT][REGION].get_item(table, dict(key))
    return None if found is None else dict(found.to_json()["Attributes"])


def measured(work: Callable[[], object]) -> Measured:
    """What `work` asks of AWS. Its clients were made before, as in a warm function."""
    meter = Meter(
        find=_find, shapes={names_here()[table.name]: shape_of(table.definition) for table in template().tables}
    )
    with attach(meter):
        work()
    costs: Costs = meter.costs
    calls = tuple(call for call, count in costs.by_call.items() for _ in range(count))
    return Measured(calls, costs.wcu, costs.rcu, costs.by_table)


@contextmanager
def account() -> Iterator[Cloud]:
    """An empty account, with a clock that stands still."""
    with mock_aws():
        made = Cloud()
        provision(made)
        set_clock(TestClock())
        # They keep what they read, and every account has tables of its own.
        for factory in (network_wiring.plans, network_wiring.network, flows_wiring.rules, ledger_wiring.calendar):
            factory.cache_clear()
        try:
            yield made
        finally:
            set_clock(SystemClock())


@contextmanager
def shop(plan: Plan = DEMO_PLAN) -> Iterator[Shop]:
    """The tests' shop on an account of its own. `plan` is in force once members trade."""
    with account() as cloud, clock_at(START) as clock:
        opened = Shop(cloud, clock, plan=plan)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def warm_shop() -> Iterator[Shop]:
    """A shop with goods, whose functions are warm."""
    with shop() as opened:
        opened.buyer.pay(opened.buyer.order(key="warm"))
        yield opened


@cache
def place_order() -> Measured:
    """An order of 3 lines from 2 suppliers, attributed to a card."""
    with warm_shop() as opened:
        quote = opened.buyer.quote(attribution=opened.buyer.attribution()).body["quote"]
        assert len(CART) == 3

        def place() -> None:
            assert opened.buyer.place(quote, key="measured").status == 201

        return measured(place)


@cache
def requests_from_cart_to_order() -> int:
    """How many requests a client needs from an empty cart to a placed order."""
    with warm_shop() as opened:
        replies = [opened.buyer.quote()]
        replies.append(opened.buyer.place(replies[0].body["quote"], key="measured"))
        assert [reply.status for reply in replies] == [200, 201]
        return len(replies)


@cache
def payment_callback() -> tuple[Measured, Measured, bool]:
    """The notice of a payment, its repeat, and whether the repeat changed anything."""
    with warm_shop() as opened:
        notice = opened.channel.notice(opened.buyer.order(key="measured"))

        def pay() -> None:
            assert opened.channel.notify(notice).status == 200

        first = measured(pay)
        before = opened.cloud.state()
        again = measured(pay)
        return first, again, opened.cloud.state() != before


@cache
def charge_under_agreement() -> Measured:
    """An order that is charged under a payment agreement: what is asked of AWS."""
    with warm_shop() as opened:
        holder = AgreementHolder(opened)
        agreement_id, order_id = holder.signed(), holder.order()

        def charge() -> None:
            assert holder.charge(order_id, agreement_id).body["status"] == "paid"

        return measured(charge)


@cache
def refund_unsent_units() -> tuple[Measured, Measured]:
    """The request for a refund of unsent units, and the step that sends and books its money."""
    with warm_shop() as opened:
        order_id = opened.buyer.paid_order()
        refund_ids = list[str]()

        def ask() -> None:
            refund_ids.append(opened.buyer.refund(order_id, {"85123A": 1}).body["refund_id"])

        def send() -> None:
            orders, channels = orders_wiring.orders(), orders_wiring.payment_channels()
            execute_refund(order_id, refund_ids[0], orders=orders, channels=channels)

        return measured(ask), measured(send)


def _node(**body: Any) -> dict[str, Any]:
    return {"r": {"N": "3"}, "b": {"S": json.dumps(body)}}


def _member(number: int) -> str:
    return f"mem_{number:026d}"


def _grow_team(cloud: Cloud, members: int, depth: int) -> str:
    """A partner's team of `members`, chained `depth` deep below the partner; the last of the chain."""
    owner, peer = "mem_" + "p" * 26, "mem_" + "q" * 26
    nodes = {peer: _node(s="partner", q=1), owner: _node(s="partner", q=1, t="left", e=peer)}
    for number in range(members):
        above = owner if number % depth == 0 else _member(number - 1)
        nodes[_member(number)] = _node(
            f=above, o=owner, ft=1_764_547_200_000, ot=1_764_547_200_000, s="distributor", q=1
        )
    entries = [{"PutRequest": {"Item": {"pk": {"S": member}, **node}}} for member, node in nodes.items()]
    for start in range(0, len(entries), 25):
        cloud.dynamodb.batch_write_item(RequestItems={"network": entries[start : start + 25]})
    return _member(min(members, depth) - 1)


@dataclass(frozen=True, slots=True)
class Settled:
    """What an order's commissions cost: the crediting when it is paid, a claw-back when part of it is refunded, the
    release when its window is over."""

    people: int
    credit: Measured
    claw: Measured
    release: Measured


@cache
def settle(members: int, depth: int) -> Settled:
    """Credit, claw back in part and later release the rewards of an order in a team of `members`, `depth` deep."""
    from cardstock.ledger.accrual import accrue
    from cardstock.ledger.claw_back import claw_back
    from cardstock.ledger.release import release

    with shop() as opened:
        referrer = _grow_team(opened.cloud, members, depth)
        buyer = opened.trade.member("mem_" + "b" * 26, referrer)
        order_id = opened.trade.buy(buyer)
        order, rules = orders_wiring.orders().find_order(order_id), flows_wiring.rules()
        assert order is not None
        accrual, books = rules.accrual(order), ledger_wiring.books()
        credit = measured(lambda: accrue(accrual, books=books))
        taken = {each.reward: each.amount // 2 for each in accrual.credits}
        claw = measured(lambda: claw_back("rfd_" + "c" * 26, taken, accrual, books=books))
        opened.clock.move(days=30)
        released = measured(lambda: release(accrual, books=books))
        return Settled(len(accrual.credits), credit, claw, released)


@dataclass(frozen=True, slots=True)
class Night:
    """What a nightly release cost. `entries`: rewards that became available. `wcu`: for the money, the note of how far
    the night came included; `counting`: for the orders' counting as settled in the network."""

    entries: int
    wcu: float
    counting: float


@cache
def release_night(orders: int) -> Night:
    """The nightly release of so many orders that pay three people each, through its handler."""
    # A partner who refers is paid alone with the peer.
    with shop(replace(DEMO_PLAN, promote_n=0)) as opened:
        trade = opened.trade
        referrer = _grow_team(opened.cloud, 10, 2)
        for number in range(orders):
            buyer = trade.member(f"mem_b{number:025d}", referrer)
            trade.receive(trade.buy(buyer))
            trade.settle_down()
        opened.clock.move(days=30)
        cost = measured(trade.night)
        released = [item for item in opened.cloud.items("ledger") if item["pk"]["S"].startswith("release.")]
        entries = sum(amount > 0 for item in released for _, amount, _ in json.loads(item["postings"]["S"]))
        counting = cost.by_table["network"]
        return Night(entries, cost.wcu - counting, counting)


@cache
def card_views() -> tuple[Measured, Measured]:
    """The report of one view, and the consumption of 100 views of 10 cards in one batch."""
    from functions.cards.api import app as cards_api
    from functions.cards.on_view import app as on_card_viewed

    with account() as cloud:
        owner = edge_wiring.signer().sign(ACCESS, {"sub": BUYER}, lifetime=timedelta(hours=2))

        def call(method: str, path: str, body: Any = None, **more: Any) -> Any:
            answer = cards_api.handler(http_event(method, path, body, **more), Context())
            assert answer["statusCode"] in (200, 201, 202), answer
            return json.loads(answer["body"])

        def view(card: str) -> None:
            call("POST", "/v1/card-views", {"ticket": call("GET", f"/v1/cards/{card}")["view_ticket"], "seconds": 12})

        face = {"versions": {"default": {"name": "林晓雨", "title": "高级导购"}}}
        cards = [call("POST", "/v1/cards", face, token=owner, key=short_key())["card"] for _ in range(10)]
        ticket = call("GET", f"/v1/cards/{cards[0]}")["view_ticket"]
        answered = measured(lambda: call("POST", "/v1/card-views", {"ticket": ticket}))

        def batch() -> dict[str, Any]:
            cloud.messages(VIEWS)
            for number in range(100):
                view(cards[number % 10])
            return queue_event("card-views", *cloud.messages(VIEWS))

        warm, counted = batch(), batch()
        on_card_viewed.handler(warm, Context())

        def consume() -> None:
            assert on_card_viewed.handler(counted, Context()) == {"batchItemFailures": []}

        return answered, measured(consume)


_JOINS, _TAKES = "new account that joins the member of its number", "newcomer who takes a number from a member"
MOST_OF_LOG_INS = {"refresh": 1, _JOINS: 9, _TAKES: 4}
"""Calls that these may cost; all others three."""


@cache
def log_ins() -> Mapping[str, Measured]:
    """Log-ins beside what the platform is asked, and a refresh. The inviter is in the team of a partner."""
    from functions.cards.api import app as cards_api
    from functions.members.api import app as api

    def call(handler: Callable[..., Any], path: str, body: Any, **more: Any) -> Any:
        answer = handler(http_event("POST", path, body, **more), Context())
        assert answer["statusCode"] in (200, 201), answer
        return json.loads(answer["body"])

    def log_in(openid: str, **more: Any) -> Any:
        return call(api.handler, "/v1/auth/sessions", login_body(openid, **{"consents": sent("account"), **more}))

    with shop() as opened:
        found: dict[str, Measured] = {}
        owner = log_in("owner")["member"]["member_id"]
        opened.trade.appoint(owner)
        guide = log_in("guide", invite=owner)
        inviter_id = guide["member"]["member_id"]
        face = {"versions": {"default": {"name": "林晓雨"}}}
        card = call(cards_api.handler, "/v1/cards", face, token=guide["access_token"], key="card")["card"]
        log_in("first", invite=card)
        log_in("known")
        numbers = ({"phone_code": f"dev:+861380013800{last}"} for last in range(9))
        for name, openid, more in (
            ("newcomer", "a", {}),
            ("newcomer with invite", "b", {"invite": inviter_id}),
            ("newcomer with number and a card's invite", "c", {"invite": card, **next(numbers)}),
            ("known", "a", {}),
            ("known, with number and a card's invite", "known", {"invite": card, **next(numbers)}),
        ):
            found[name] = measured(partial(log_in, openid, **more))
        for number in range(MOST_SESSIONS):
            log_in("full", **({} if number else next(numbers)))
        found["known, on one device too many"] = measured(lambda: log_in("full"))
        own = next(numbers)
        log_in("fresh", **own)
        found[_JOINS] = measured(partial(log_in, "fresh-too", **own))
        opened.clock.move(days=PROOF_HOLDS.days)
        found[_TAKES] = measured(partial(log_in, "taker", **own))
        token = {"refresh_token": log_in("a")["refresh_token"]}
        found["refresh"] = measured(lambda: call(api.handler, "/v1/auth/refreshes", token))
        return found


DELETED_WITH_CONSENT = {
    "card_visits": "", "recommendations": "recommendations", "identity_check": "", "bank_account": "bank-accounts",
}  # fmt: skip
"""By purpose the table from which its withdrawal deletes."""


@cache
def consents() -> Mapping[tuple[str, str], Measured]:
    """Withdrawing a purpose, agreeing to it anew, and a repeat of that, by purpose and what is done. The member has
    something of what a withdrawal deletes."""
    with shop() as opened:
        person = Exporter(opened.cloud, opened.clock).person("anna")
        row = Row(member_key(person.id), opened.clock.now(), (Entry("85123A", "HEART", own=1000),))
        found: dict[tuple[str, str], Measured] = {}

        def say(purpose: str, *, granted: bool) -> None:
            body = {"granted": True, "version": 1} if granted else {"granted": False}
            answer = person.send("PUT", f"/v1/me/consents/{purpose}", body)
            assert answer.status == 200, answer

        for purpose in DELETED_WITH_CONSENT:
            say(purpose, granted=True)
            recommendations_wiring.learnt_rows().write_rows([row])
            found[purpose, "withdraw"] = measured(partial(say, purpose, granted=False))
            found[purpose, "agree"] = measured(partial(say, purpose, granted=True))
            found[purpose, "repeat"] = measured(partial(say, purpose, granted=True))
        return found


def _unsigned(cost: Measured) -> Measured:
    """Without the forms and links that were signed: botocore prepares a request for each, and sends none."""
    calls = tuple(each for each in cost.calls if each not in ("s3:CreateBucket", "s3:GetObject"))
    return dataclasses.replace(cost, calls=calls)


@cache
def uploads() -> Mapping[str, Measured]:
    """An upload from its asking on, by what is done: a member's picture, and a supplier's that is published."""
    with shop() as opened:
        person = Exporter(opened.cloud, opened.clock).person("anna")
        anna = Uploader(opened.cloud, opened.clock, access_token(person.id))
        goods = Uploader(opened.cloud, opened.clock, supplier_key("sup_lights", "catalog:write"))
        photo, first = from_a_phone(6), anna.send(from_a_phone(3))
        anna.get(first)
        asked: list[str] = []
        found = {"ask": _unsigned(measured(lambda: asked.append(str(anna.ask().body["upload_id"]))))}
        message = anna.put(asked[0], photo)
        found["receive"] = measured(lambda: anna.work(message))
        found["receive again"] = measured(lambda: anna.work(message))
        found["read"] = _unsigned(measured(lambda: anna.get(asked[0])))
        product, other = (goods.send(photo, "product_image") for _ in range(2))
        goods.publish(other)
        found["publish"] = measured(lambda: goods.publish(product))
        return found


@cache
def exports() -> Mapping[int, tuple[Measured, Measured]]:
    """Asking for an export and writing it, by the number of the member's orders; each order has one supplier."""
    with shop() as opened:
        exporter = Exporter(opened.cloud, opened.clock)
        person = exporter.person("anna")
        exporter.make(person.id)
        found: dict[int, tuple[Measured, Measured]] = {}
        for orders in (20, 40):
            for _ in range(20):
                opened.trade.buy(person.id)
            asked = measured(lambda: exporter.ask(person.id))
            opened.clock.move(seconds=30)
            messages = exporter.messages()

            def write(messages: list[dict[str, Any]] = messages) -> None:
                assert exporter.work(*messages) == 0

            found[orders] = asked, measured(write)
        return found


@cache
def staff_requests() -> Mapping[str, Measured]:
    """What identifying a person costs, and the record of what the person does."""
    with shop() as opened:
        key, browser = opened.staff.key("orders:refund", "payouts:read"), session_of("Zhao Min", ["finance", "service"])
        order_id = opened.buyer.paid_order()

        def refused(token: str) -> None:
            assert serve(http_event("GET", "/v1/products/X/draft", token=token))["statusCode"] == 403

        def refused_in_the_console() -> None:
            assert browser.send("GET", "/v1/products/X/draft").status == 403

        def give(number: int) -> None:
            assert opened.staff.grant(order_id, 1, staff=key, key=f"grant-{number}").status == 202

        refused(key)
        refused_in_the_console()
        give(1)
        return {
            "by a key": measured(partial(refused, key)),
            "by a session": measured(refused_in_the_console),
            "a goodwill refund": measured(partial(give, 2)),
        }


@dataclass(frozen=True, slots=True)
class PaidOut:
    """A payout through its function: what listing, sending and settling asked for, and the invocations of each."""

    opened: Measured
    sent: Measured
    settled: Measured
    invocations: tuple[int, int, int]


@cache
def pay_out(payees: int) -> PaidOut:
    """A month's payout to so many members, with an entry each, as a bank's file."""
    with shop() as opened:
        opened.clock.set(FIRST)
        finance = opened.finance
        finance.fill(payees, entries=1)
        finance.tick()
        runs: list[int] = []
        costs = [_steps(finance, runs)]
        assert finance.approve()[0] == 200
        costs.append(_steps(finance, runs))
        confirm_all(PAYOUT, "finance", payouts_wiring.payouts())
        payouts_wiring.request_step(PAYOUT)
        costs.append(_steps(finance, runs))
        assert finance.payout()["status"] == "settled"
        assert finance.payout()["totals"]["paid"]["lines"] == payees
    return PaidOut(costs[0], costs[1], costs[2], (runs[0], runs[1], runs[2]))


@dataclass(frozen=True, slots=True)
class Approved:
    """Approving a payout that the schedule has opened: the call that asks the phone, the phone's answer, and the call
    that approves."""

    asked: Measured
    said: Measured
    approved: Measured


@cache
def approve_payout() -> Approved:
    """Approve a payout of one line by a key and a phone."""
    with shop() as opened:
        opened.clock.set(FIRST)
        finance, phone = opened.finance, Phone()
        finance.fill(1, entries=1)
        finance.tick()
        finance.run_steps()
        seen, member_id = finance.payout(), phone.member_of(finance.token)
        body = {"lines": seen["listed"], "listed_fen": seen["listed_fen"]}
        event = http_event("POST", f"/v1/payouts/{PAYOUT}/approvals", body, token=finance.token, key="approval")
        answers: list[dict[str, Any]] = []
        asked = measured(lambda: answers.append(serve(event)))
        confirmation_id = json.loads(answers[0]["body"])["facts"]["confirmation_id"]
        said = measured(lambda: phone.say("yes", confirmation_id, member_id))
        approved = measured(lambda: answers.append(serve(event)))
        assert [answer["statusCode"] for answer in answers] == [409, 200]
    return Approved(asked, said, approved)


def _steps(finance: Finance, runs: list[int]) -> Measured:
    """What the function asks for; not what brings it its messages."""
    cost = measured(lambda: runs.append(finance.run_steps()))
    brought = ("sqs:ReceiveMessage", "sqs:DeleteMessage")
    return Measured(tuple(call for call in cost.calls if call not in brought), cost.wcu, cost.rcu)


@cache
def products() -> Mapping[str, Measured]:
    """Reading a page and lists, publishing, and the upkeep of cards."""
    from functions.catalog.api import app as api
    from functions.catalog.on_stock import app as on_stock

    with warm_shop() as opened:
        names = [f"product-{number}" for number in range(20)]
        goods = [Goods(name, "Ware", "sup_lights", 25_500, False, True, True, 9) for name in names]
        publish_goods(goods, opened.clock.now())

        def get(path: str, **query: str) -> None:
            assert api.handler(http_event("GET", path, query=query or None), Context())["statusCode"] == 200

        def publish(price_fen: int) -> None:
            publish_goods([replace(goods[0], price_fen=price_fen)], opened.clock.now())

        def upkeep(count: int) -> None:
            records = [_sold(name, number) for name in names[:10] for number in range(count)]
            assert on_stock.handler(queue_event("stock-changes", *records), Context())["batchItemFailures"] == []

        for name in names[:10]:
            opened.cloud.dynamodb.update_item(
                TableName="products", Key={"pk": {"S": name}}, UpdateExpression="SET stock = :few",
                ExpressionAttributeValues={":few": {"N": "3"}},
            )  # fmt: skip
        return {
            "page": measured(lambda: get("/v1/products/product-0")),
            "ids": measured(lambda: get("/v1/products", ids=",".join(names))),
            "list": measured(lambda: get("/v1/products", limit="20")),
            "publish": measured(lambda: publish(25_000)),
            "same": measured(lambda: publish(25_000)),
            "upkeep": measured(lambda: upkeep(10)),
            "none": measured(lambda: upkeep(10)),
        }


@cache
def publishing() -> Mapping[str, Measured]:
    """Publishing a product with twelve pictures that are private, and changing it once they are public."""
    with warm_shop() as opened:
        opened.supplier.register("sup_lights")
        images = tuple(f"upl_{number:026}" for number in range(12))
        for upload_id in images:
            store_ready(upload_id, "sup_lights")
        plain = Goods("lamp", "Lamp", "sup_lights", 900, False, True, True, 9).publication()

        def publish(brand: str) -> None:
            publication = replace(plain, product=replace(plain.product, images=images, brand=brand))
            publish_products(
                [publication], many=False, hosts=(), clean=str, products=catalog_wiring.products(),
                suppliers=partners_wiring.suppliers(), uploads=uploads_wiring.uploads(),
                queue=uploads_wiring.publish_queue(),
            )  # fmt: skip

        found = {"private": measured(lambda: publish("LUMEN"))}
        for upload_id in images:
            uploads_wiring.uploads().publish(upload_id, opened.clock.now())
        found["public"] = measured(lambda: publish("LUX"))
        return found


def _sold(sku: str, number: int) -> dict[str, Any]:
    """A record of the stream of SKUs: a unit was sold."""
    images = [{"product_id": {"S": sku}, "stock": {"N": str(15 - number - after)}} for after in range(2)]
    return {"eventName": "MODIFY", "dynamodb": {"OldImage": images[0], "NewImage": images[1]}}


@cache
def recommend() -> Measured:
    """Recommendations for a member with a history, beside a shown basket."""
    from functions.recommendations.api import app as api
    from functions.recommendations.nightly_learning import app as learning

    with warm_shop() as opened:
        account = Account("dev", "wx1", "buyer")
        register(DynamoMembers(), Member(BUYER, account.name, opened.clock.now()), account)
        for number in range(4):
            opened.buyer.pay(opened.buyer.order({"85123A": 1, "71053": 1 + number}, key=f"bought-{number}"))
        opened.clock.move(days=1)
        learning.handler({"scheduled_at": opened.clock.now().isoformat()}, Context(remaining_ms=600_000))

        def ask() -> None:
            event = http_event("GET", "/v1/recommendations", query={"for": "85123A"}, token=opened.buyer.token())
            answer = api.handler(event, Context())
            assert answer["statusCode"] == 200
            assert json.loads(answer["body"])["items"]

        ask()
        return measured(ask)


@cache
def search(products: int) -> tuple[Measured, Measured]:
    """A page of a search with facets in a shop of so many products: by a cold function, and soon after another."""
    with account():
        assert search_wiring.stored_index().replace(build(large_shop(products), LARGE_AT), None)
        hits = _search()
        shown = [Goods(name, name, "sup_a", 900, False, True, True, 5) for name in hits]
        publish_goods(shown, LARGE_AT)
        search_wiring.search_index.cache_clear()
        return measured(lambda: _search(of=len(hits))), measured(lambda: _search(of=len(hits)))


def python_calls_of_a_search(products: int, monkey: Any) -> int:
    """Python functions that a page of a search in a cold function calls, SDK included, down to the socket.

    `monkey` sets and restores the environment (pytest's MonkeyPatch).
    """
    card = CardItem(
        product_id="cup", sk=CARD, supplier_id="sup_a", title=Wording("保温杯"), state="on_sale", price_from_fen=900,
        price_to_fen=900,
        shown={"cup": 5}, updated_at=LARGE_AT, revision=1,
    )  # fmt: skip

    def answer(_operation: str, request: dict[str, Any]) -> dict[str, Any]:
        ((table, wanted),) = request["RequestItems"].items()
        return {"Responses": {table: [card.serialize() | key for key in wanted["Keys"]]}, "UnprocessedKeys": {}}

    with wire(answer, encode(build(large_shop(products), LARGE_AT))) as url:
        monkey.setenv("AWS_ENDPOINT_URL", url)
        base.disconnect()
        files.forget_client()
        try:
            _search(of=20)
            search_wiring.search_index.cache_clear()
            return python_calls(lambda: _search(of=20))
        finally:
            base.connection().client.close()
            base.disconnect()
            files.forget_client()
            search_wiring.search_index.cache_clear()
            monkey.undo()


def _search(of: int | None = None) -> list[str]:
    """Hits of the first page; `of` cards are expected."""
    from functions.search.api import app as api

    if of is None:
        return list(search_wiring.search_index().search(Query("大容量保文杯")).product_ids)
    answer = json.loads(api.handler(http_event("GET", "/v1/search", query={"q": "大容量保文杯"}), Context())["body"])
    assert len(answer["items"]) == of
    assert len(answer["facets"]) > 4
    return [item["product_id"] for item in answer["items"]]


GOODS = {
    sku: {
        "pk": {"S": sku}, "supplier_id": {"S": supplier}, "name": {"S": "WHITE HANGING HEART T-LIGHT HOLDER"},
        "price_fen": {"N": "25500"}, "qualifying": {"BOOL": True}, "earns": {"BOOL": True}, "active": {"BOOL": True},
        "stock": {"N": "100"}, "held": {"N": "0"}, "inventory_version": {"N": "-1"},
        "updated_at": {"N": "1764547200000"},
    }
    for sku, supplier in (("85123A", "sup_lights"), ("71053", "sup_lights"), ("84406B", "sup_hangers"))
}  # fmt: skip


def _canned(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    if operation == "GetSecretValue":
        return {"SecretString": json.dumps({"key": "a-signing-key-for-tests-only", "previous": []})}
    if operation == "BatchGetItem":
        people = {
            BUYER: {
                "pk": {"S": BUYER},
                **_node(f=_member(1), o=_member(2), ft=1_764_547_200_000, ot=1_764_547_200_000),
            },
            _member(1): {"pk": {"S": _member(1)}, **_node(f=_member(2), o=_member(2), s="distributor", q=1)},
            _member(2): {"pk": {"S": _member(2)}, **_node(s="partner", q=1, t="left", e=_member(3))},
            _member(3): {"pk": {"S": _member(3)}, **_node(s="partner", q=1)},
        }
        answers = {}
        for table, wanted in request["RequestItems"].items():
            stored: dict[str, Any] = {"network": people, "delivery": {}}.get(table, GOODS)
            answers[table] = [stored[key["pk"]["S"]] for key in wanted["Keys"] if key["pk"]["S"] in stored]
        return {"Responses": answers, "UnprocessedKeys": {}}
    return {}


def python_calls_of_an_order(monkey: Any) -> int:
    """Python functions that one warm order of 3 lines and 3 people calls, SDK included, down to the socket.

    `monkey` sets and restores the environment (pytest's MonkeyPatch).
    """
    from functions.orders.api import app as orders_api

    with wire(_canned) as url:
        monkey.setenv("AWS_ENDPOINT_URL", url)
        base.disconnect()
        secrets.forget_provider()
        try:
            return _count_calls(orders_api.handler)
        finally:
            base.connection().client.close()
            base.disconnect()
            secrets.forget_provider()
            monkey.undo()


def _count_calls(handler: Callable[[dict[str, Any], Any], dict[str, Any]]) -> int:
    token = edge_wiring.signer().sign(ACCESS, {"sub": BUYER}, lifetime=timedelta(hours=2))
    lines = [{"sku": sku, "units": 2} for sku in GOODS]
    asked = handler(http_event("POST", "/v1/quotes", {"lines": lines}, token=token), Context())
    body = {"quote": json.loads(asked["body"])["quote"], "receiver": RECEIVER}

    def place(key: str) -> None:
        answer = handler(http_event("POST", "/v1/orders", body, token=token, key=key), Context())
        assert answer["statusCode"] == 201, answer

    for number in range(3):
        place(f"warm-{number}")
    return python_calls(lambda: place("counted"))
