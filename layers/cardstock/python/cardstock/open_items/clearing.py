"""Opening an item, and clearing it: by one person, or by two where money was booked."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.approving import Action, Confirm, MoneyStep, UseOnce
from cardstock.errors import NOT_FOUND, REASON_MISSING, SECOND_PERSON_NEEDED
from cardstock.money import CURRENCY, Fen
from cardstock.open_items import errors
from cardstock.open_items.model import (
    ASKED,
    AUTOMATIC,
    OUTCOMES,
    TWO_PERSONS,
    Decision,
    Kind,
    OpenItem,
    Outcome,
    PaidTo,
    item_id,
)
from cardstock.open_items.ports import OpenItems


class OpenItemsCount(msgspec.Struct, frozen=True):
    """How many items are open, and since when the oldest is; None if none is."""

    open: int
    oldest: datetime | None


def new_item(
    kind: Kind,
    cause: str,
    subject: str,
    *,
    amount_fen: Fen,
    currency: str = CURRENCY,
    member_id: str = "",
    facts: Mapping[str, object],
) -> OpenItem:
    """The item that `cause` opens now. Every repeat of the cause has the same id."""
    return OpenItem(
        id=item_id(kind, cause),
        kind=kind,
        subject=subject,
        amount_fen=amount_fen,
        currency=currency,
        facts={name: str(value) for name, value in facts.items()},
        opened_at=clock.now(),
        member_id=member_id,
    )


def clear_item(
    item_id: str,
    outcome: Outcome,
    reason: str,
    actor: str,
    *,
    can_approve: Callable[[str], bool],
    confirm: Confirm,
    items: OpenItems,
    book: Callable[[OpenItem, UseOnce | None], bool],
    paid_to: Callable[[OpenItem], PaidTo | None] = lambda _item: None,
) -> OpenItem:
    """Clear an item, or ask for it where a second person must. Returns the item as it is then.

    What one person has asked for (`ASKED`) another one grants; anybody declines it.
    A repeat by the same person changes nothing, nor does any call after the clearing: with its outcome it returns the
    item, and with another one it is refused. What a second person clears, that person's phone confirms (`confirm`).
    `book` stores the cleared item together with what its outcome books and the use of the phone's yes, in one
    transaction, and returns False if the item has changed. `paid_to` says where the money goes, of an item
    whose outcome pays it to an account. Raises `NotFoundError`, `RefusedError` (REASON_MISSING, OUTCOME_UNKNOWN,
    SECOND_PERSON_NEEDED), `ConflictError` (OUTCOME_DIFFERS, ITEM_CHANGED), and what `confirm`, `book` and `paid_to`
    raise.
    """
    if not reason.strip():
        raise REASON_MISSING()
    item = items.find_item(item_id)
    if item is None:
        raise NOT_FOUND()
    if outcome not in OUTCOMES[item.kind]:
        raise errors.OUTCOME_UNKNOWN(outcomes=list(OUTCOMES[item.kind]))
    if item.cleared is not None:
        if item.cleared.outcome != outcome:
            raise errors.OUTCOME_DIFFERS(outcome=item.cleared.outcome)
        return item
    if outcome == ASKED.get(item.kind) and not can_approve(item.facts["asked_by"]):
        raise SECOND_PERSON_NEEDED()
    decision = Decision(actor, clock.now(), outcome, reason, paid_to(item))
    if item.kind in TWO_PERSONS and item.requested is None:
        after = replace(item, requested=decision, version=item.version + 1)
    elif item.kind in TWO_PERSONS and item.requested is not None and item.requested.by == actor:
        if (item.requested.outcome, item.requested.paid_to) == (outcome, decision.paid_to):
            return item
        # The same person has thought again: nothing is booked yet.
        after = replace(item, requested=decision, version=item.version + 1)
    else:
        _require_second_person(item, outcome, can_approve)
        after = replace(item, state="cleared", cleared=decision, version=item.version + 1)
        action = _APPROVED.get((item.kind, outcome))
        use = None if action is None else confirm(_step(action, item))
        return after if book(after, use) else _stored_by_somebody(item_id, after, items)
    if not items.save_item(after):
        return _stored_by_somebody(item_id, after, items)
    return after


_APPROVED: Final[Mapping[tuple[Kind, Outcome], Action]] = {
    ("refund_refused", "paid_another_way"): "pay_refund_another_way",
    ("refund_refused", "given_up"): "give_up_refund",
    ("payout_contradiction", "was_paid"): "correct_as_paid",
    ("payout_contradiction", "was_not_paid"): "correct_as_not_paid",
    ("goodwill_asked", "granted"): "grant_goodwill",
    ("identity_disputed", "taken_away"): "take_identity",
}
"""Ends of items that let money go, or give it up, or change who is taxed."""


def _step(action: Action, item: OpenItem) -> MoneyStep:
    return MoneyStep(action, item.id, str(item.version), item.amount_fen or None, 1)


def end_item(item: OpenItem, reason: str, *, items: OpenItems) -> bool:
    """Clear an open item whose subject has ended by itself, in the name of `AUTOMATIC`. False, and nothing changes, if
    the item has changed meanwhile: a person who clears it at the same moment either comes first, or finds it cleared.
    """
    said = Decision(AUTOMATIC, clock.now(), "explained", reason)
    return items.save_item(replace(item, state="cleared", cleared=said, version=item.version + 1))


def _require_second_person(item: OpenItem, outcome: Outcome, can_approve: Callable[[str], bool]) -> None:
    if item.requested is None:
        return
    if not can_approve(item.requested.by):
        raise SECOND_PERSON_NEEDED()
    if item.requested.outcome != outcome:
        raise errors.OUTCOME_DIFFERS(outcome=item.requested.outcome)


def count_open(*, items: OpenItems) -> OpenItemsCount:
    """Count the open items."""
    number, oldest, after = 0, None, None
    while True:
        page, after = items.list_items("open", None, 100, after)
        number += len(page)
        oldest = min([item.opened_at for item in page] + ([oldest] if oldest else []), default=None)
        if after is None:
            return OpenItemsCount(number, oldest)


def _stored_by_somebody(item_id: str, wanted: OpenItem, items: OpenItems) -> OpenItem:
    """The item, if it was stored as wanted: the answer to this very call was lost. Raises ITEM_CHANGED otherwise."""
    found = items.find_item(item_id)
    mine = found is not None and found.version == wanted.version
    if found is None or not mine or _who(found) != _who(wanted):
        raise errors.ITEM_CHANGED()
    return found


def _who(item: OpenItem) -> list[tuple[str, str, PaidTo | None]]:
    return [(said.by, said.outcome, said.paid_to) for said in (item.requested, item.cleared) if said is not None]
