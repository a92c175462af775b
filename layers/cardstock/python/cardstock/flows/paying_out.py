"""Payouts and other areas: the rules of a new batch, members as payees, the ledger for payouts, and a batch's
events."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock.flows.announcing import EventPublisher, event
from cardstock.ledger.payout_steps import TransferPosting
from cardstock.members.consent_model import has_withdrawn
from cardstock.members.model import Member
from cardstock.money import Fen
from cardstock.network.plan import Plan
from cardstock.open_items.model import OpenItem
from cardstock.payouts.books import Booking, LedgerLine
from cardstock.payouts.contradictions import Contradiction, number_of
from cardstock.payouts.events import PayoutOpened, PayoutSettled
from cardstock.payouts.lines import Line
from cardstock.payouts.listing import LISTED
from cardstock.payouts.model import Batch, Rules
from cardstock.payouts.payees import Balance, Payee
from cardstock.payouts.periods import Period
from cardstock.payouts.tax.tables import table_for

_SMALLEST_LISTED: Final = 1
"""A member without money is not listed, even if a plan's minimum is 0."""


class PayoutSettings(msgspec.Struct, frozen=True):
    """The brand's payout settings. `channel_minimum` is the channel's own."""

    channel: str
    channel_minimum: int
    tax_method: str
    carry_over_gap: bool
    tax_month: str
    bank_layout: str = ""


def payout_rules(period: Period, plan: Plan, settings: PayoutSettings, now: datetime) -> Rules:
    """The rules of a period's batch: the minimum of the plan in force, and the tax table of its lines' month.

    Raises `RefusedError` (TAX_TABLE_MISSING), `ValueError` for an unknown tax month.
    """
    if settings.tax_month not in ("paid", "earned"):
        raise ValueError(f"there is no tax month {settings.tax_month!r}")
    table = table_for(settings.tax_method, (Period.of(now) if settings.tax_month == "paid" else period).month)
    return Rules(
        minimum=max(plan.payout_minimum, _SMALLEST_LISTED),
        channel=settings.channel,
        channel_minimum=settings.channel_minimum,
        tax_method=table.method,
        tax_table=table.id,
        carry_over_gap=settings.carry_over_gap,
        bank_layout=settings.bank_layout,
        tax_month="paid" if settings.tax_month == "paid" else "earned",
    )


class LedgerReads(msgspec.Struct, frozen=True):
    """Reads of the ledger for payouts (`ledger.payout_store`)."""

    open_balances: Callable[[], Iterable[tuple[str, Fen]]]
    balance_page: Callable[[int, str | None], tuple[Sequence[tuple[str, Fen]], str | None]]
    paid_before: Callable[[Sequence[str]], frozenset[str]]
    available_of: Callable[[Sequence[str]], Mapping[str, Fen]]
    postings_of_transfers: Callable[[Sequence[str], Sequence[str]], Iterable[TransferPosting]]
    changes_of_members: Callable[[Sequence[str], datetime | None, datetime], Iterable[TransferPosting]]


class PayoutLedger:
    """`payouts.ports.Ledger`."""

    def __init__(self, reads: LedgerReads) -> None:
        self._reads = reads

    def open_balances(self) -> Iterator[Balance]:
        for member, available in self._reads.open_balances():
            yield Balance(member, available)

    def balance_page(self, limit: int, after: str | None) -> tuple[list[Balance], str | None]:
        found, last = self._reads.balance_page(limit, after)
        return [Balance(member, available) for member, available in found], last

    def paid_before(self, members: Sequence[str]) -> frozenset[str]:
        return self._reads.paid_before(members)

    def balances(self, members: Sequence[str]) -> Mapping[str, Balance]:
        found = self._reads.available_of(members)
        return {member: Balance(member, available) for member, available in found.items()}

    def bookings(self, lines: Sequence[Line]) -> tuple[Mapping[str, Booking], Sequence[LedgerLine]]:
        sent = [line.number for line in lines if line.status != "pending"]
        corrections = [one.cause for line in lines for one in line.corrections]
        postings = [_ledger_line(posting) for posting in self._reads.postings_of_transfers(sent, corrections)]
        sums: dict[str, dict[str, Fen]] = {}
        members: dict[str, str] = {}
        for posting in postings:
            number = number_of(posting.cause)
            booked = sums.setdefault(number, dict.fromkeys(_BOOKED_AS.values(), 0))
            members[number] = posting.member
            column = _BOOKED_AS.get((posting.kind, posting.account))
            if column is not None:
                booked[column] += posting.amount
        return {number: Booking(number, members[number], **booked) for number, booked in sums.items()}, postings

    def statements(self, members: Sequence[str], since: datetime | None, until: datetime) -> Iterator[LedgerLine]:
        return map(_ledger_line, self._reads.changes_of_members(members, since, until))


_BOOKED_AS: Final = {
    ("claimed", "paying"): "claimed",
    ("paid", "paid"): "paid",
    ("paid", "withheld"): "tax",
    ("returned", "available"): "returned",
    ("corrected", "paid"): "paid",
    ("corrected", "withheld"): "tax",
    ("corrected", "available"): "returned",
}
"""The sum of a booking that a posting belongs to, by the kind of its entry and the pocket that it changes."""


def _ledger_line(posting: TransferPosting) -> LedgerLine:
    return LedgerLine(
        member=posting.member_id,
        at=posting.at,
        entry=posting.transaction_id,
        kind=posting.kind,
        cause=posting.cause,
        account=posting.pocket,
        amount=posting.amount,
    )


class MembersAsPayees:
    """`payouts.ports.Payees`: verified adults, unless they are erased or an alarm stops their payouts.

    `find_members` returns members, and the ids of the stopped ones. `owing`: those of the members who had an account
    before that owes. `can_verify`: whether anything here verifies identities.
    """

    def __init__(
        self,
        find_members: Callable[[Sequence[str]], tuple[Iterable[Member], frozenset[str]]],
        owing: Callable[[Sequence[Member]], frozenset[str]],
        *,
        can_verify: bool = True,
    ) -> None:
        self._find_members = find_members
        self._owing = owing
        self._can_verify = can_verify

    def __call__(self, members: Sequence[str], now: datetime) -> Mapping[str, Payee]:
        read, stopped = self._find_members(members)
        found = list(read)
        owing = self._owing(found)
        return {
            member.id: replace(
                _payee(member, now, hold=member.id in stopped),
                verifiable=self._can_verify,
                former_debt=member.id in owing,
            )
            for member in found
        }


class MembersAsPersons:
    """`payouts.ports.Payees` for tax: who members are, not whether they may be paid. Ignores alarms."""

    def __init__(self, find_members: Callable[[Sequence[str]], Mapping[str, Member]]) -> None:
        self._find_members = find_members

    def __call__(self, members: Sequence[str], now: datetime) -> Mapping[str, Payee]:
        return {found.id: _payee(found, now, hold=False) for found in self._find_members(members).values()}


def _payee(member: Member, now: datetime, *, hold: bool) -> Payee:
    return Payee(
        member=member.id,
        name=member.person.name if member.person is not None else "",
        account=member.account,
        verified=member.person is not None,
        of_age=member.person is not None and member.person.of_age(now),
        hold=hold,
        erased=member.state == "erased",
        person=member.person.id if member.person is not None else "",
        id_number=member.person.number_masked if member.person is not None else "",
        siblings=member.siblings,
        group=member.group,
        consent_withdrawn=has_withdrawn(member, "identity_check"),
    )


def contradictions_of(items: Iterable[OpenItem]) -> list[Contradiction]:
    """Open items as contradictions, oldest first."""
    return [
        Contradiction(
            number=item.subject,
            payout=str(item.facts["payout_id"]),
            member=item.member_id or "",
            amount=item.amount_fen,
            first=str(item.facts["first_result"]),
            then=str(item.facts["then_result"]),
            at=item.opened_at,
        )
        for item in sorted(items, key=lambda item: (item.opened_at, item.id))
    ]


def announce_payout(publisher: EventPublisher, kind: str, batch: Batch) -> None:
    """Publish `payout.opened` once all members are listed, or `payout.settled` with the hashes of the files."""
    if kind == LISTED:
        message = event(kind, batch.id, batch.listed_at or batch.opened_at, PayoutOpened.of(batch))
    else:
        message = event(kind, batch.id, batch.settled_at or batch.opened_at, PayoutSettled.of(batch))
    publisher.send([message])
