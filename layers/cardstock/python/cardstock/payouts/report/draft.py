"""The content of a draft report: one row for each person, with the forecast, the last payout and what to look at.

A pure function of what was read, sorted, so that the same facts give the same draft.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from cardstock.money import Fen
from cardstock.payouts.contradictions import Contradiction
from cardstock.payouts.lines import Line
from cardstock.payouts.model import Batch, LeftOut
from cardstock.payouts.payees import Payee
from cardstock.payouts.tax.tables import TaxTable

Mark: TypeAlias = Literal["first_payment", "account_changed", "account_changing", "several_members", "much_more"]
"""Something about a person for the approver to look at."""

_MUCH_MORE = 3
"""Times the last payout."""


class Forecast(msgspec.Struct, frozen=True):
    """A line as it would be sent or dropped."""

    line: Line
    payee: Payee | None
    changing: datetime | None
    """When a change of the bank account that is open may come into force."""
    new: bool
    """Whether the member was never paid out."""


class LastPayout(msgspec.Struct, frozen=True):
    """The batch before, and its paid lines by member."""

    id: str
    paid: Mapping[str, Line]


class DraftRow(msgspec.Struct, frozen=True):
    """What one person would be paid, over all listed members of the person."""

    person: str
    name: str
    id_number: str
    """Masked."""
    members: tuple[str, ...]
    accounts: tuple[str, ...]
    """Masked."""
    listed: Fen
    gross: Fen
    tax: Fen
    net: Fen
    last_gross: Fen
    last_tax: Fen
    last_net: Fen
    marks: tuple[Mark, ...]
    changing: datetime | None
    dropped: tuple[str, ...]
    """Why lines of the person would not be sent."""

    @property
    def change(self) -> Fen:
        """Net, compared with the last payout."""
        return self.net - self.last_net


class Draft(msgspec.Struct, frozen=True):
    """The content of a draft report. `at` is when its batch was listed."""

    brand: str
    batch: Batch
    at: datetime
    taxed: str
    """The month whose income it would be if it were sent at once."""
    table: TaxTable
    rows: tuple[DraftRow, ...]
    last: str
    """The batch that it is compared with; empty if it is the first one."""
    gone: int
    """Members who were paid by the last payout and are not listed."""
    gone_net: Fen
    left_out: tuple[LeftOut, ...]
    """With the batch's sums for reasons of which nobody is named: `member` is empty, and `name` says how many."""
    contradictions: tuple[Contradiction, ...]


def assemble_draft(
    *,
    brand: str,
    batch: Batch,
    taxed: str,
    table: TaxTable,
    forecasts: Iterable[Forecast],
    last: LastPayout | None,
    left_out: Iterable[LeftOut],
    contradictions: Iterable[Contradiction],
) -> Draft:
    """The draft of a listed batch. Raises ValueError for one that is not listed."""
    if batch.listed_at is None:
        raise ValueError("a batch that is not listed has no draft")
    by_person: dict[str, list[Forecast]] = {}
    for forecast in forecasts:
        person = forecast.payee.person if forecast.payee is not None else ""
        by_person.setdefault(person or forecast.line.member, []).append(forecast)
    paid = {} if last is None else last.paid
    rows = [_row(person, found, paid) for person, found in by_person.items()]
    listed = {member for row in rows for member in row.members}
    gone = [line for member, line in paid.items() if member not in listed]
    named = list(left_out)
    reasons = {one.reason for one in named}
    unnamed = [
        LeftOut("", total.amount, total.reason, f"{total.members} 人 members")
        for total in batch.left_out
        if total.reason not in reasons
    ]
    return Draft(
        brand=brand,
        batch=batch,
        at=batch.listed_at,
        taxed=taxed,
        table=table,
        rows=tuple(sorted(rows, key=lambda row: (-row.net, row.person))),
        last="" if last is None else last.id,
        gone=len(gone),
        gone_net=sum(line.net for line in gone),
        left_out=tuple(sorted([*named, *unnamed], key=lambda one: (one.reason, -one.available, one.member))),
        contradictions=tuple(contradictions),
    )


def _row(person: str, found: Sequence[Forecast], paid: Mapping[str, Line]) -> DraftRow:
    own = sorted(found, key=lambda forecast: forecast.line.member)
    payee = next((one.payee for one in own if one.payee is not None), None)
    sent = [one.line for one in own if one.line.status == "sent"]
    members = tuple(one.line.member for one in own)
    # What other members of the person were paid last time is the person's, too.
    siblings = () if payee is None else payee.siblings
    last = [paid[member] for member in sorted({*members, *siblings}) if member in paid]
    net, last_net = sum(line.net for line in sent), sum(line.net for line in last)
    accounts = dict.fromkeys(line.account for line in sent if line.account)
    return DraftRow(
        person=person,
        name="" if payee is None else payee.name,
        id_number="" if payee is None else payee.id_number,
        members=members,
        accounts=tuple(accounts),
        listed=sum(one.line.listed for one in own),
        gross=sum(line.gross for line in sent),
        tax=sum(line.tax for line in sent),
        net=net,
        last_gross=sum(line.gross for line in last),
        last_tax=sum(line.tax for line in last),
        last_net=last_net,
        marks=tuple(_marks(own, sent, paid, net, last_net)),
        changing=min((one.changing for one in own if one.changing is not None), default=None),
        dropped=tuple(one.line.reason or "" for one in own if one.line.status == "dropped"),
    )


def _marks(
    own: Sequence[Forecast], sent: Sequence[Line], paid: Mapping[str, Line], net: Fen, last_net: Fen
) -> Iterable[Mark]:
    if all(one.new for one in own):
        yield "first_payment"
    if any(_account_changed(line, paid.get(line.member)) for line in sent):
        yield "account_changed"
    if any(one.changing is not None for one in own):
        yield "account_changing"
    if len(own) > 1:
        yield "several_members"
    if last_net and net > _MUCH_MORE * last_net:
        yield "much_more"


def _account_changed(line: Line, last: Line | None) -> bool:
    """Whether the money would go to another bank account than last time."""
    if line.bank is None or last is None or last.bank is None:
        return False
    return line.bank.account_id != last.bank.account_id
