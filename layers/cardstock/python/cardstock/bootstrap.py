"""The composition root: the one place that picks adapters. Every factory imports what it needs when first called, and
keeps it, so that a function pays only for what it uses."""

import gc
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from cardstock.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import httpx

    from cardstock.adapters.announcements import Announcements
    from cardstock.adapters.benefits import Undoing
    from cardstock.adapters.dividends import Dividends
    from cardstock.adapters.dynamodb.recommendations import DynamoRows
    from cardstock.adapters.inference import ChatCompletions
    from cardstock.adapters.rules import PlanRules
    from cardstock.adapters.watchman import Watchman
    from cardstock.cards.ports import Cards, Names, Radars, Views
    from cardstock.catalog.ports import Products
    from cardstock.compliance.ports import Alarms, Holds, Traces
    from cardstock.edge.callers import Callers
    from cardstock.edge.tokens import Signer
    from cardstock.ids import RequestKey
    from cardstock.ledger.audit import Report
    from cardstock.ledger.model import LedgerTransaction
    from cardstock.ledger.ports import Archive, Books, Calendar, Seals, Statements, Transactions, WriteOffs
    from cardstock.members.ports import Inviters, Members, Platform, Verifier
    from cardstock.network.ports import Network, Plans
    from cardstock.orders import ports as orders_ports
    from cardstock.orders.model import Freight, OrderChange, RefundChange, SupplierOrderChange
    from cardstock.partners.ports import Deliveries, DueQueue, Endpoints, Inbox, Keys, Post, Suppliers
    from cardstock.payouts import ports as payouts_ports
    from cardstock.payouts.model import Batch, Period, Rules
    from cardstock.recommendations.ports import Purchases

# A start makes many objects and no garbage: looking for some every 700 objects takes a twentieth of it.
gc.set_threshold(50_000, 10, 10)

_clock: Clock = SystemClock()
_payment_transport: "httpx.BaseTransport | None" = None
_transfer_transport: "httpx.BaseTransport | None" = None


def clock() -> Clock:
    """What time it is for the services of this process."""
    return _clock


def set_clock(new: Clock) -> None:
    """Replace the clock: a test or a demonstration moves time here, and nowhere else."""
    global _clock  # noqa: PLW0603 - the one seam through which time is moved
    _clock = new


class _Now:
    """The process's clock, whatever it is at the time: for what lives longer than a clock that a test has set."""

    def now(self) -> "datetime":
        return _clock.now()


def warm() -> None:
    """Make the DynamoDB client while the function starts, where the init phase or a SnapStart snapshot pays for it."""
    from cardstock.adapters.dynamodb.base import connect

    connect()


@cache
def signer() -> "Signer":
    """Signs and reads access tokens, quotes, view tickets and cursors."""
    from cardstock.edge.secrets import secret
    from cardstock.edge.tokens import Signer
    from cardstock.settings import settings

    def keys() -> list[str]:
        stored = secret(settings().session_secret_id)
        return [stored["key"], *stored["previous"]]

    return Signer(keys=keys, clock=clock)


@cache
def callers() -> "Callers":
    """Tells who calls, from the Authorization header."""
    from cardstock.adapters.dynamodb.partners import find_key
    from cardstock.edge.callers import Callers
    from cardstock.edge.secrets import secret
    from cardstock.settings import settings

    return Callers(
        signer=signer(), find_key=find_key, admin_key=lambda: secret(settings().admin_secret_id)["key"], clock=clock
    )


@cache
def partner_keys() -> "Keys":
    """API keys in DynamoDB."""
    from cardstock.adapters.dynamodb.partners import DynamoKeys

    return DynamoKeys()


@cache
def suppliers() -> "Suppliers":
    """Suppliers in DynamoDB."""
    from cardstock.adapters.dynamodb.partners import DynamoSuppliers

    return DynamoSuppliers()


@cache
def inbox() -> "Inbox":
    """Received messages in DynamoDB."""
    from cardstock.adapters.dynamodb.partners import DynamoInbox

    return DynamoInbox()


@cache
def endpoints() -> "Endpoints":
    """Webhook endpoints in DynamoDB."""
    from cardstock.adapters.dynamodb.partners import DynamoEndpoints

    return DynamoEndpoints()


@cache
def deliveries() -> "Deliveries":
    """Webhook deliveries in DynamoDB."""
    from cardstock.adapters.dynamodb.partners import DynamoDeliveries

    return DynamoDeliveries()


@cache
def webhook_post() -> "Post":
    """Calls endpoints: public addresses, and the private networks that the operator opened."""
    from functools import partial

    from cardstock.adapters.webhooks import parse_networks, post
    from cardstock.settings import settings

    return partial(post, allowed=parse_networks(settings().webhook_private_networks))


def check_webhook_url(url: str) -> None:
    """Refuse a URL that outgoing webhooks could never call."""
    from cardstock.adapters.webhooks import check_url, parse_networks
    from cardstock.settings import settings

    check_url(url, parse_networks(settings().webhook_private_networks))


@cache
def due_queue() -> "DueQueue":
    """Attempts that wait in the webhooks queue."""
    from cardstock.adapters.sqs import Queue
    from cardstock.adapters.webhooks import DueMessages
    from cardstock.settings import settings

    return DueMessages(Queue(settings().webhooks_queue_url))


@cache
def books() -> "Books":
    """The ledger in DynamoDB."""
    from cardstock.adapters.dynamodb.ledger import DynamoBooks

    return DynamoBooks()


def ledger_transaction(record: dict[str, Any]) -> "LedgerTransaction":
    """What a record of the ledger's stream announces. Raises on anything else."""
    from cardstock.adapters.dynamodb.ledger import transaction_of

    return transaction_of(record)


@cache
def write_offs() -> "WriteOffs":
    """Debt that somebody asks to forgive, in DynamoDB."""
    from cardstock.adapters.dynamodb.ledger import DynamoWriteOffs

    return DynamoWriteOffs()


@cache
def calendar() -> "Calendar":
    """Orders due for release, by day, in DynamoDB."""
    from cardstock.adapters.dynamodb.ledger import DynamoCalendar

    return DynamoCalendar()


@cache
def statements() -> "Statements":
    """Members' statements in DynamoDB."""
    from cardstock.adapters.dynamodb.statements import DynamoStatements

    return DynamoStatements()


@cache
def booked() -> "Transactions":
    """Single transactions of the ledger in DynamoDB."""
    from cardstock.adapters.dynamodb.ledger import DynamoBooks

    return DynamoBooks()


@cache
def seals() -> "Seals":
    """What waits to be sealed and what was, in DynamoDB."""
    from cardstock.adapters.dynamodb.seals import DynamoSeals

    return DynamoSeals()


@cache
def seal_archive() -> "Archive":
    """Seals in S3."""
    from cardstock.adapters.s3 import Files
    from cardstock.adapters.seals import SealArchive
    from cardstock.settings import settings

    return SealArchive(Files(settings().reports_bucket))


def order_change(record: dict[str, Any]) -> "OrderChange | RefundChange | SupplierOrderChange | None":
    """What a record of the streams of orders and supplier orders says. Raises on anything else."""
    from cardstock.adapters.dynamodb.orders import change_of

    return change_of(record)


@cache
def rules() -> "PlanRules":
    """What published plans make of an order."""
    from cardstock.adapters.rules import PlanRules

    return PlanRules(plans())


@cache
def watchman() -> "Watchman":
    """The compliance guard at accrual, with its notes in DynamoDB."""
    from cardstock.adapters.dynamodb.compliance import DynamoHolds, DynamoTraces, identities
    from cardstock.adapters.watchman import Watchman
    from cardstock.settings import settings

    units = int(settings().stocking_units)
    return Watchman(DynamoTraces(), identities, DynamoHolds(), stocking_units=units, clock=clock)


@cache
def holds() -> "Holds":
    """Held rewards, in DynamoDB."""
    from cardstock.adapters.dynamodb.compliance import DynamoHolds

    return DynamoHolds()


@cache
def alarms() -> "Alarms":
    """Alarms about subtrees, and who they stop, in DynamoDB."""
    from cardstock.adapters.dynamodb.compliance import DynamoAlarms

    return DynamoAlarms()


@cache
def traces() -> "Traces":
    """What paid orders leave behind, in DynamoDB."""
    from cardstock.adapters.dynamodb.compliance import DynamoTraces

    return DynamoTraces()


def referral_tree(go_on: "Callable[[], None]") -> "tuple[dict[str, str], list[str]]":
    """Everybody's referrer, and everybody who has or had money of rewards. Scans: for the nightly look alone, which
    what `go_on` raises ends."""
    from cardstock.adapters.dynamodb.compliance import referrers
    from cardstock.adapters.dynamodb.ledger import balances

    above: dict[str, str] = {}
    for number, (member_id, referrer) in enumerate(referrers()):
        if not number % 1_000:
            go_on()
        above[member_id] = referrer
    return above, [found.member_id for found in balances() if found.ever]


def audit(go_on: "Callable[[], None]" = lambda: None) -> "Report":
    """Compare everything that was booked with everything that should have been. Scans; what `go_on` raises ends it."""
    from cardstock.adapters.dynamodb.audit import audit_tables
    from cardstock.network.dividends import month_of

    return audit_tables(rules(), plans(), seal_archive(), month_of(clock().now()), go_on)


@cache
def announcements() -> "Announcements":
    """Events on their way to partners, through the webhooks queue."""
    from cardstock.adapters.announcements import Announcements
    from cardstock.adapters.sqs import Queue
    from cardstock.settings import settings

    return Announcements(Queue(settings().webhooks_queue_url))


@cache
def learnt_rows() -> "DynamoRows":
    """What was learnt for recommendations, in DynamoDB."""
    from cardstock.adapters.dynamodb.recommendations import DynamoRows

    return DynamoRows()


@cache
def purchases() -> "Purchases":
    """Paid orders to learn recommendations from."""
    from cardstock.adapters.dynamodb.purchases import DynamoPurchases

    return DynamoPurchases()


@cache
def inference() -> "ChatCompletions | None":
    """The model gateway; None where no model server is set, and then httpx (some 80 ms) is not imported either."""
    from cardstock.settings import settings

    if not settings().inference_base_url:
        return None
    from msgspec.structs import asdict

    from cardstock.adapters.inference import ChatCompletions, Usage
    from cardstock.edge.observability import count, logger

    def record(usage: Usage) -> None:
        logger.info("model called", **asdict(usage))
        count("ModelCalls")
        count("ModelTokens", usage.prompt_tokens + usage.answer_tokens)
        if usage.outcome != "ok":
            count("ModelFallbacks")

    return ChatCompletions(
        base_url=settings().inference_base_url,
        model=settings().inference_model,
        api_key=settings().inference_api_key,
        record=record,
    )


@cache
def platforms() -> "Mapping[str, Platform]":
    """Where members can log in from, by name. The development platform exists on a development machine alone."""
    from cardstock.adapters.platforms import DevPlatform
    from cardstock.settings import settings

    return {"dev": DevPlatform()} if settings().environment == "local" else {}


@cache
def verifier() -> "Verifier | None":
    """Who tells whether a name and an ID number belong together; `None` where nobody can."""
    from cardstock.adapters.platforms import self_asserted
    from cardstock.settings import settings

    return self_asserted if settings().environment == "local" else None


@cache
def members() -> "Members":
    """Members in DynamoDB."""
    from cardstock.adapters.dynamodb.members import DynamoMembers

    return DynamoMembers()


@cache
def inviters() -> "Inviters":
    """Who brought whom, by the referral network and the keys of cards."""
    from functools import partial

    from cardstock.adapters.dynamodb.members import NetworkInviters
    from cardstock.cards.service import owner_of

    owner = partial(owner_of, cards=cards())
    return NetworkInviters(members=members(), network=network(), owner_of=owner, clock=clock)


@cache
def nicknames() -> "Names":
    """What members call themselves."""
    from cardstock.adapters.dynamodb.members import nicknames

    return nicknames


@cache
def cards() -> "Cards":
    """Cards in DynamoDB."""
    from cardstock.adapters.dynamodb.cards import DynamoCards

    return DynamoCards()


@cache
def radars() -> "Radars":
    """Views of cards added up, in DynamoDB."""
    from cardstock.adapters.dynamodb.cards import DynamoRadars

    return DynamoRadars()


@cache
def views() -> "Views":
    """Views of cards on their way to be counted, through the card-views queue."""
    from cardstock.adapters.sqs import Queue
    from cardstock.adapters.views import QueuedViews
    from cardstock.settings import settings

    return QueuedViews(Queue(settings().card_views_queue_url))


def qr_code(text: str) -> str:
    """A QR code of `text` as an SVG document that scales to its box."""
    from cardstock.adapters.qr import svg_of

    return svg_of(text)


@cache
def network() -> "Network":
    """The referral network in DynamoDB."""
    from cardstock.adapters.dynamodb.network import DynamoNetwork

    return DynamoNetwork()


@cache
def plans() -> "Plans":
    """Published plans in DynamoDB."""
    from cardstock.adapters.dynamodb.plans import DynamoPlans

    return DynamoPlans()


@cache
def products() -> "Products":
    """The catalogue in DynamoDB."""
    from cardstock.adapters.dynamodb.products import DynamoProducts

    return DynamoProducts()


@cache
def freight() -> "Freight":
    """What sending an order costs the buyer, as the brand has set it."""
    from cardstock.orders.model import Freight
    from cardstock.settings import settings

    return Freight(int(settings().freight_fen), int(settings().freight_free_from_fen))


@cache
def offers() -> "orders_ports.Catalogue":
    """What orders need of the catalogue."""
    from cardstock.adapters.dynamodb.products import DynamoProducts

    return DynamoProducts()


@cache
def orders() -> "orders_ports.Orders":
    """Orders, refunds and supplier orders in DynamoDB."""
    from cardstock.adapters.dynamodb.orders import DynamoOrders

    return DynamoOrders()


@cache
def positions() -> "orders_ports.Network":
    """What orders need of the referral network."""
    from cardstock.adapters.positions import Positions

    return Positions(network(), clock)


def set_payment_transport(new: "httpx.BaseTransport | None") -> None:
    """Replace the network between us and the payment channels; for tests."""
    global _payment_transport  # noqa: PLW0603 - the one seam through which channels are replaced
    _payment_transport = new
    payment_channels.cache_clear()


@cache
def payment_channels() -> "Mapping[str, orders_ports.PaymentChannel]":
    """The ways to pay, by name: the sandbox where it has an address."""
    from cardstock.adapters.payments.sandbox import SandboxChannel
    from cardstock.edge.secrets import secret
    from cardstock.edge.signatures import sign, verify
    from cardstock.settings import settings

    def key() -> str:
        return str(secret(settings().payment_secret_id)["sandbox_key"])

    if not settings().payment_sandbox_url:
        return {}
    sandbox = SandboxChannel(
        settings().payment_sandbox_url,
        verify=lambda headers, raw: verify([key()], headers, raw, clock().now()),
        sign=lambda message_id, body: sign(key(), message_id, clock().now(), body),
        transport=_payment_transport,
    )
    return {sandbox.name: sandbox}


def coupons() -> "orders_ports.Coupons":
    """What plans without cash take off orders."""
    from cardstock.adapters.benefits import Coupons

    return Coupons(network(), plans())


def undoing() -> "Undoing":
    """Takes free orders back whose referrals are gone."""
    from cardstock.adapters.benefits import Undoing
    from cardstock.adapters.dynamodb.coupons import DynamoCouponUses

    return Undoing(orders(), DynamoCouponUses(), books(), clock)


def dividends() -> "Dividends":
    """The team dividend: what it is measured on, and what it pays."""
    from cardstock.adapters.dividends import Dividends
    from cardstock.adapters.dynamodb.teams import DynamoTeamSales

    return Dividends(DynamoTeamSales(), plans(), books(), clock)


def brand() -> str:
    """How the brand is named on its reports."""
    from cardstock.settings import settings

    return settings().brand_name


@cache
def payouts() -> "payouts_ports.Payouts":
    """Payout batches in DynamoDB."""
    from cardstock.adapters.dynamodb.payouts import DynamoPayouts

    return DynamoPayouts()


def keep_request(request: "RequestKey", result: str) -> bool:
    """Remember a request whose work is the same however often it is done; whether it was known."""
    from cardstock.adapters.dynamodb.requests import keep

    return keep(request, result, clock().now())


@cache
def tax_files() -> "payouts_ports.TaxFiles":
    """The quarters whose tax files were written, in DynamoDB."""
    from cardstock.adapters.dynamodb.payouts import DynamoTaxFiles

    return DynamoTaxFiles()


@cache
def payout_ledger() -> "payouts_ports.Ledger":
    """The ledger as payouts read it."""
    from cardstock.adapters.dynamodb.payouts import DynamoLedger

    return DynamoLedger()


@cache
def payees() -> "payouts_ports.Payees":
    """Members as people to be paid."""
    from cardstock.adapters.dynamodb.payouts import DynamoPayees

    return DynamoPayees()


@cache
def taxpayers() -> "payouts_ports.Payees":
    """Members as the persons they are."""
    from cardstock.adapters.dynamodb.payouts import persons

    return persons


def payout_rules(period: "Period") -> "Rules":
    """What this brand has configured, the smallest payout of the plan in force, and the tax table that holds for
    `period`."""
    from cardstock.network.presets import DEFAULT_PLAN
    from cardstock.payouts.model import Rules
    from cardstock.payouts.tax import table_for
    from cardstock.settings import settings

    table = table_for(settings().tax_method, period.month)
    plan = network().read((), plan=True).plan or DEFAULT_PLAN
    return Rules(
        minimum=max(plan.payout_minimum, 1),  # who has nothing is not listed, whatever a plan says
        channel=settings().transfer_channel,
        channel_minimum=10,
        tax_method=table.method,
        tax_table=table.id,
        carry_over_gap=settings().tax_gap == "carry_over",
    )


def set_transfer_transport(new: "httpx.BaseTransport | None") -> None:
    """Replace the network between us and the transfer channels; for tests."""
    global _transfer_transport  # noqa: PLW0603 - the one seam through which channels are replaced
    _transfer_transport = new
    _transfer_channel.cache_clear()


def transfer_channel(name: str) -> "payouts_ports.Channel":
    """The way to move money that a batch was opened with. Raises ValueError for one that does not exist here.

    Made anew when its account in the secret has changed.
    """
    if name not in ("wechat", "alipay"):
        return _transfer_channel(name, "")
    from cardstock.edge.secrets import secret
    from cardstock.settings import settings

    return _transfer_channel(name, json.dumps(secret(settings().transfer_secret_id)[name], sort_keys=True))


@cache
def _transfer_channel(name: str, account: str) -> "payouts_ports.Channel":
    from cardstock.settings import settings

    if name == "bank_file":
        from cardstock.adapters.transfers.bank_file import BankFile

        return BankFile()
    if name == "sandbox" and settings().environment != "prod":
        from cardstock.adapters.transfers.sandbox import SandboxTransfers

        return SandboxTransfers(_Now())
    if not account:
        raise ValueError(f"there is no transfer channel {name!r} here")
    from cardstock.adapters.transfers.alipay import AlipayTransfers
    from cardstock.adapters.transfers.wechat import WechatTransfers
    from cardstock.edge.observability import count, logger

    def report(number: str, what: str) -> None:
        logger.warning("transfer unanswered", number=number, outcome=what)
        count("TransfersUnanswered")

    made = WechatTransfers if name == "wechat" else AlipayTransfers
    return made(json.loads(account), clock=_Now(), report=report, transport=_transfer_transport)


@cache
def report_files() -> "payouts_ports.Files":
    """Reports and transfer files in S3."""
    from cardstock.adapters.s3 import Files
    from cardstock.settings import settings

    return Files(settings().reports_bucket)


@cache
def report_writers() -> "Sequence[payouts_ports.Writer]":
    """What a report consists of. Their libraries are in a layer that only the writing function has."""
    from cardstock.adapters.reports import writers

    return writers()


@cache
def quarter_writers() -> "Sequence[payouts_ports.QuarterWriter]":
    """What a quarter's tax file consists of."""
    from cardstock.adapters.reports import quarter_writers

    return quarter_writers()


def take_payout_step(payout_id: str, part: str = "") -> None:
    """Ask for a batch, or for a part of one, to be taken further."""
    from cardstock.adapters.payout_events import ask_for_step

    ask_for_step(payout_id, part)


@cache
def spread_payout() -> "payouts_ports.Spread":
    """Has big batches taken in parts."""
    from cardstock.adapters.payout_events import SpreadParts
    from cardstock.settings import settings

    return SpreadParts(int(settings().payout_map_above))


def announce_payout(kind: str, batch: "Batch") -> None:
    """Tell partners about a batch."""
    from cardstock.adapters.payout_events import tell

    tell(announcements(), kind, batch)
