"""An export: everything that is stored of a member, read and written as one file.

The file has what was stored at the moment of the asking, each record once. It is read some seconds later, when indexes
and statements have all of that moment, and what happened in between is taken off again (`exporting_as_of`). Lists are
read page after page behind the last key. Each record becomes JSON as soon as it is read, so that the memory used is
about the size of the file.

Data of other people is not in it: of them it has the ids that the member sees in the API.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.bank_accounts.ports import Accounts
from cardstock.cards.model import Card, Radar
from cardstock.cards.ports import Cards, Radars
from cardstock.clock import rfc3339
from cardstock.compliance.model import Hold
from cardstock.errors import STORE_BUSY
from cardstock.files import Document
from cardstock.flows.explaining import ExplainingNeeds, RewardsExplained, explain, is_open
from cardstock.flows.exporting_as_of import (
    agreement_as_of,
    changed_after,
    hold_as_of,
    line_as_of,
    order_as_of,
    refund_as_of,
    rewards_as_of,
    supplier_order_as_of,
    upload_as_of,
)
from cardstock.flows.exporting_texts import ABOUT, NOT_INCLUDED, SECTIONS
from cardstock.ledger.model import POCKETS, Balance, Debt, Pocket, StatementLine
from cardstock.ledger.ports import Books, StatementPages
from cardstock.ledger.standing import debts, rewards_of_member
from cardstock.members.consent_model import ConsentRecord
from cardstock.members.export_model import Export, state_at
from cardstock.members.exports import discard, finish
from cardstock.members.model import LostPhone, Member
from cardstock.members.ports import ExportFiles, Exports, Members, Merges, Sessions
from cardstock.network.model import Event, Place
from cardstock.network.ports import Network
from cardstock.orders.coupon_model import CouponUse
from cardstock.orders.model import Order
from cardstock.orders.ports import Agreements, CouponUses, Orders
from cardstock.orders.refund_model import Refund
from cardstock.orders.supplier_model import SupplierOrder
from cardstock.payouts.ports import Payouts
from cardstock.recommendations.model import member_key
from cardstock.recommendations.ports import ServingRows
from cardstock.uploads.ports import Uploads
from cardstock.uploads.reading import list_uploads

FORMAT: Final = "cardstock-export/1"
Outcome: TypeAlias = Literal["ready", "repeated", "late", "gone"]
"""`repeated`: the file was written before. `late`: nobody waits for it any more. `gone`: its member is."""

_PAGE: Final = 100
_PAYOUTS_AT_ONCE: Final = 50
_ATTEMPTS: Final = 5
_ACCOUNT_KINDS: Final = {"identity": "open", "identity-user": "user"}
"""Kind of an account's key -> which kind of name it holds."""
_MOMENT: Final = timedelta(milliseconds=1)
_REWARDED: Final = frozenset({"accrued", "released", "clawed"})

View: TypeAlias = Callable[[str, Any, str], Any]
"""Section, record and language (`zh` or `en`) -> what is written of it as JSON."""


class ExportNeeds(msgspec.Struct, frozen=True):
    """The ports of an export. `lost_phones` and `consent_records` give what is behind keys of the members table,
    `place_of` a member's place in the network; `holds_of` the holds on some orders, by order."""

    members: Members
    exports: Exports
    files: ExportFiles
    sessions: Sessions
    merges: Merges
    lost_phones: Callable[[Sequence[str]], Sequence[LostPhone]]
    consent_records: Callable[[Sequence[str]], Sequence[ConsentRecord]]
    accounts: Accounts
    cards: Cards
    radars: Radars
    orders: Orders
    agreements: Agreements
    parts_of: Callable[[Sequence[Order]], Mapping[str, Sequence[SupplierOrder]]]
    holds_of: Callable[[Sequence[str]], Mapping[str, Hold]]
    coupon_uses: CouponUses
    network: Network
    place_of: Callable[[str], Place]
    books: Books
    statements: StatementPages
    explaining: ExplainingNeeds
    payouts: Payouts
    rows: ServingRows
    uploads: Uploads
    view: View


class ExportedAccount(msgspec.Struct, frozen=True):
    """An account, or a union id, that leads to the member."""

    platform: str
    app_id: str
    name: str
    kind: str


class ExportedCard(msgspec.Struct, frozen=True):
    """A card with the sums of its views."""

    card: Card
    radar: Radar


class ExportedOrder(msgspec.Struct, frozen=True):
    """An order with everything that belongs to it."""

    order: Order
    refunds: tuple[Refund, ...]
    parts: tuple[SupplierOrder, ...]


class ExportedCoupon(msgspec.Struct, frozen=True):
    """A coupon: how it was granted, and its use."""

    granted: Event
    use: CouponUse


class ExportedBalance(msgspec.Struct, frozen=True):
    """The sums of a statement, and what made the debt in it."""

    balance: Balance
    debts: tuple[Debt, ...]


def write_export(export_id: str, member_id: str, needs: ExportNeeds) -> Outcome:
    """Write the file of an export that waits, and mark it ready. Safe to repeat, and to interrupt anywhere.

    Of an export without a member nothing is left. Raises `UnavailableError` if not everything can be read now.
    """
    export, member = needs.exports.find(export_id), needs.members.find_member(member_id)
    if export is not None and export.member_id != member_id:
        return "gone"
    if export is None or member is None or member.state == "erased":
        discard(member_id, export_id, exports=needs.exports, files=needs.files)
        return "gone"
    if export.file is not None:
        return "repeated"
    if state_at(export, clock.now()) != "waiting":
        needs.files.remove(export.key)
        return "late"
    document = Document(f"{export.id}.json", "application/json", collect(export, member, needs))
    ready = finish(export, document, clock.now(), exports=needs.exports, files=needs.files)
    return "ready" if ready else "gone"


def collect(export: Export, member: Member, needs: ExportNeeds) -> bytes:
    """The content of an export's file: JSON in UTF-8, indented for people. Raises `UnavailableError`."""
    at, counts = export.asked_at, dict.fromkeys(SECTIONS, 0)
    found = []
    for each in (member, *_merged_with(member, at, needs)):
        sections: dict[str, list[msgspec.Raw]] = {name: [] for name in SECTIONS}
        for name, record in _records(each, at, needs):
            view = needs.view(name, record, export.language)
            sections[name].append(msgspec.Raw(msgspec.json.encode(view)))
        for name, records in sections.items():
            counts[name] += len(records)
        found.append({"member_id": each.id, **sections})
    document = {
        "about": ABOUT,
        "format": FORMAT,
        "export_id": export.id,
        "member_id": member.id,
        "as_of": rfc3339(at),
        "language": export.language,
        "counts": counts,
        "sections": SECTIONS,
        "not_included": NOT_INCLUDED,
        "members": found,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def _merged_with(member: Member, at: datetime, needs: ExportNeeds) -> Iterator[Member]:
    """The other members who are the same person by the person's word, since before `at`."""
    group = needs.merges.find_group(member.group) if member.group else None
    others = [one.member_id for one in group.members if one.at <= at] if group else []
    known = needs.merges.find_members([other for other in others if other != member.id]) if len(others) > 1 else {}
    return (known[other] for other in others if other in known and known[other].state != "erased")


def _records(member: Member, at: datetime, needs: ExportNeeds) -> Iterator[tuple[str, Any]]:
    """Section and record of everything that is stored of a member."""
    yield "profile", member
    yield from _kept(member, at, needs)
    yield from (("sessions", one) for one in needs.sessions.sessions_of(member.id) if one.made_at <= at)
    if member.group and (group := needs.merges.find_group(member.group)):
        yield from (("merges", one) for one in group.members if one.at <= at)
    if member.person is not None:
        yield "identity", member.person
    holding = needs.accounts.find_holding(member.id)
    if holding.version:
        yield "bank_accounts", holding
    yield from _cards(member.id, at, needs)
    yield from _orders(member.id, at, needs)
    agreed = (agreement_as_of(one, at) for one in needs.agreements.agreements_of(member.id))
    yield from (("payment_agreements", one) for one in agreed if one is not None)
    place = needs.place_of(member.id)
    yield "network", place
    yield from _coupons(place, at, needs)
    yield from _money(member.id, at, needs)
    yield from _payouts(member.id, at, needs)
    yield from (("recommendations", row) for row in needs.rows.read_rows([member_key(member.id)]).values())
    sent = (upload_as_of(one, at) for one in list_uploads(member.id, uploads=needs.uploads))
    yield from (("uploads", one) for one in sent if one is not None)
    asked = sorted(needs.exports.of_member(member.id), key=lambda one: (one.asked_at, one.id))
    yield from (("exports", one) for one in asked if one.asked_at <= at)
    if member.closing_at is not None and member.closing_at <= at:
        yield "closing", member.closing_at


def _kept(member: Member, at: datetime, needs: ExportNeeds) -> Iterator[tuple[str, Any]]:
    """What the members table has beside the member's own item."""
    keys = sorted(needs.members.keys_of(member.id))
    for key in keys:
        kind, *rest = key.split("#")
        if kind in _ACCOUNT_KINDS:
            yield "accounts", ExportedAccount(rest[0], rest[1], "#".join(rest[2:]), _ACCOUNT_KINDS[kind])
        elif kind == "union":
            yield "accounts", ExportedAccount(rest[0], "", "#".join(rest[1:]), kind)
    moves = needs.lost_phones([key for key in keys if key.startswith("phone-move#")])
    yield from (("phone_moves", move) for move in moves if move.at <= at)
    records = needs.consent_records([key for key in keys if key.startswith("consent#")])
    yield from (("consents", record) for record in records if record.said.at <= at)


def _cards(member_id: str, at: datetime, needs: ExportNeeds) -> Iterator[tuple[str, Any]]:
    for page in _pages(needs.cards.cards_of_member, member_id):
        radars = needs.radars.radars_of([card.key for card in page]) if page else {}
        for card in page:
            if card.created_at <= at:
                yield "cards", ExportedCard(card, radars[card.key])
    for shares in _pages(needs.cards.shares_of_member, member_id):
        yield from (("shares", share) for share in shares if share.created_at <= at)


def _orders(member_id: str, at: datetime, needs: ExportNeeds) -> Iterator[tuple[str, Any]]:
    for page in _pages(needs.orders.orders_of_member, member_id):
        then = [order for order in page if order.placed_at <= at]
        if not then:
            continue
        parts, holds = needs.parts_of(then), needs.holds_of([order.order_id for order in then])
        for order in then:
            yield "orders", _order(order, parts.get(order.order_id, ()), at, needs)
            hold = hold_as_of(holds.get(order.order_id), at)
            if hold is not None:
                yield "holds", hold


def _order(order: Order, parts: Sequence[SupplierOrder], at: datetime, needs: ExportNeeds) -> ExportedOrder:
    """An order at `at`. An order that is refunded just now is read until order and refunds belong together."""
    refunds = needs.orders.refunds_of_order(order.order_id)
    for _ in range(_ATTEMPTS):
        if not any(changed_after(refund, at) for refund in refunds):
            break
        before = needs.orders.find_order(order.order_id) or order
        refunds = needs.orders.refunds_of_order(order.order_id)
        order = needs.orders.find_order(order.order_id) or order
        if before.version == order.version:
            break
    else:
        raise STORE_BUSY()
    found = order_as_of(order, refunds, at)
    if found is None:
        raise LookupError(f"{order.order_id} was placed later")
    later = [refund for refund in refunds if refund.requested_at > at]
    return ExportedOrder(
        found,
        tuple(then for refund in refunds if (then := refund_as_of(refund, at))),
        tuple(shown for part in parts if (shown := supplier_order_as_of(part, later, at))),
    )


def _coupons(place: Place, at: datetime, needs: ExportNeeds) -> Iterator[tuple[str, Any]]:
    position = place.position
    ids = [replace(position, coupons=number).coupon_id for number in range(1, position.coupons + 1)]
    for some in _chunks(ids):
        for event in needs.network.find_events(some):
            if event.at <= at:
                yield "coupons", ExportedCoupon(event, needs.coupon_uses.find_use(event.id))


def _money(member_id: str, at: datetime, needs: ExportNeeds) -> Iterator[tuple[str, Any]]:
    """The statement with the balance that it adds up to, and the explanation of each order's rewards in it."""
    before, everything, then = needs.books.balance_of(member_id), _Sum(), _Sum()
    clawed: dict[str, dict[str, None]] = {}
    for line in _lines(member_id, None, needs.statements):
        everything.add(line)
        if line.at <= at:
            then.add(line)
            yield "statement", line
            if line.order_id and line.kind in _REWARDED:
                back = clawed.setdefault(line.order_id, {})
                if line.kind == "clawed":
                    back[line.cause] = None
    # Statements follow the books within seconds: one that is behind is read again with the next delivery.
    if needs.books.balance_of(member_id) == before and everything.balance(member_id) != before:
        raise STORE_BUSY()
    balance = then.balance(member_id)
    if balance.ever or clawed:
        until = _Until(needs.statements, at)
        yield "balance", ExportedBalance(balance, debts(balance, statements=until))
    for order_id, back in clawed.items():
        yield "rewards", _rewards(order_id, member_id, back, at, needs.explaining)


def _rewards(
    order_id: str, member_id: str, clawed: Mapping[str, object], at: datetime, needs: ExplainingNeeds
) -> RewardsExplained:
    """A member's rewards on an order that has some, explained as they were at `at`."""
    found = needs.orders.find_order(order_id)
    order = found and order_as_of(found, (), at)
    if order is None:
        raise LookupError(f"{order_id} has rewards and is not there")
    rewards, booked = rewards_of_member(order_id, member_id, books=needs.books)
    held = is_open(hold_as_of(needs.holds.find_hold(order_id), at))
    return explain(order, member_id, rewards_as_of(rewards, clawed, at), needs.rules, booked=booked, held=held)


class _Sum:
    """The sums of statement lines by pocket."""

    def __init__(self) -> None:
        self._pockets: dict[Pocket, int] = dict.fromkeys(POCKETS, 0)

    def add(self, line: StatementLine) -> None:
        for pocket, amount in line.change.items():
            self._pockets[pocket] += amount

    def balance(self, member_id: str) -> Balance:
        found = self._pockets
        return Balance(
            member_id, found["frozen"], found["available"], found["paying"], found["paid"], found["withheld"]
        )


class _Until:
    """The pages of a statement up to a moment."""

    def __init__(self, statements: StatementPages, at: datetime) -> None:
        self._statements, self._until = statements, at + _MOMENT

    def lines_of_member(
        self, member_id: str, since: datetime | None, until: datetime | None, limit: int, after: str | None
    ) -> tuple[list[StatementLine], str | None]:
        return self._statements.lines_of_member(member_id, since, until or self._until, limit, after)


def _lines(member_id: str, until: datetime | None, statements: StatementPages) -> Iterator[StatementLine]:
    after: str | None = None
    while True:
        lines, after = statements.lines_of_member(member_id, None, until, _PAGE, after)
        yield from lines
        if after is None:
            return


def _payouts(member_id: str, at: datetime, needs: ExportNeeds) -> Iterator[tuple[str, Any]]:
    before: str | None = None
    while True:
        batches, before = needs.payouts.batch_page(_PAYOUTS_AT_ONCE, before)
        known = [batch for batch in batches if batch.opened_at <= at]
        for line in needs.payouts.lines_of_member(member_id, known) if known else ():
            yield "payouts", line_as_of(line, at)
        if before is None:
            return


def _pages(
    read: Callable[[str, int, str | None], tuple[Sequence[Any], str | None]], member_id: str
) -> Iterator[Sequence[Any]]:
    """All pages of a list, each behind the last key of the one before."""
    after: str | None = None
    while True:
        page, after = read(member_id, _PAGE, after)
        yield page
        if after is None:
            return


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _PAGE] for start in range(0, len(ids), _PAGE))
