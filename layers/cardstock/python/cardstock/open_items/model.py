"""Types of open items: kinds, outcomes, and who cleared them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from cardstock.approving import UseOnce
from cardstock.ids import derived_id
from cardstock.money import Fen

Kind: TypeAlias = Literal[
    "payment_unknown",  # a verified payment for an order that does not exist
    "payment_mismatch",  # a verified payment of another amount or currency, which the channel cannot give back whole
    "payment_undecided",  # an order past its time, for which its channel may still take money
    "refund_refused",  # a refund that its channel will never do
    "refund_waits",  # a refund that its channel does when the merchant has acted: added funds, or named an account
    "refund_mismatch",  # a verified refund that was not asked for here, or ended otherwise than it stands here
    "refund_asked",  # a refund that the buyer asks the channel for, which waits for the staff's word
    "units_set_aside",  # units that were paid for and are neither sent nor refunded, as their refund was given up
    "shipping_refused",  # a report of what was sent that the platform of the payment does not take
    "shipping_reminded",  # a platform that waits for the report of what was sent for a payment
    "funds_mismatch",  # a platform that frees the money of a payment that no order here was paid with
    "debt_after_closing",  # what a closed account owes, of a person who has no account any more
    "agreement_not_ended",  # a payment agreement of a closed account, at a channel that is not set up any more
    "goodwill_asked",  # a goodwill refund above what one person may give, which waits for another one
    "payout_contradiction",  # a transfer with another result after its final one
    "identity_disputed",  # a member who is said not to be the verified person, which waits for another one's word
    "tax_misfiled",  # tax that was declared for a person who did not get the money
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
State: TypeAlias = Literal["open", "cleared"]
ITEM_TRANSITIONS: Final[Mapping[State, frozenset[State]]] = {
    "open": frozenset({"cleared"}),
    "cleared": frozenset(),
}
Outcome: TypeAlias = Literal[
    "returned",  # the money was given back by hand
    "explained",  # the money belongs somewhere else, there was none, or what it was about has ended
    "paid_another_way",  # the buyer has the refund by another way
    "given_up",  # the refund is not owed, or cannot be made
    "granted",  # the goodwill is given
    "declined",  # the goodwill is not given
    "agreed",  # what the buyer asked the channel for is refunded
    "denied",  # what the buyer asked the channel for is not refunded
    "was_paid",  # the payee has the transfer
    "was_not_paid",  # the payee does not have the transfer
    "taken_away",  # the member is not the person, and is not verified any more
    "kept",  # the member stays verified
]
OUTCOMES: Final[Mapping[Kind, tuple[Outcome, ...]]] = {
    "payment_unknown": ("returned", "explained"),
    "payment_mismatch": ("returned", "explained"),
    "payment_undecided": ("explained",),
    "refund_refused": ("paid_another_way", "given_up"),
    "refund_waits": ("explained",),
    "refund_mismatch": ("explained",),
    "refund_asked": ("agreed", "denied", "explained"),
    "units_set_aside": ("explained",),
    "shipping_refused": ("explained",),
    "shipping_reminded": ("explained",),
    "funds_mismatch": ("explained",),
    "agreement_not_ended": ("explained",),
    "debt_after_closing": ("explained",),
    "goodwill_asked": ("granted", "declined"),
    "payout_contradiction": ("was_paid", "was_not_paid"),
    "identity_disputed": ("taken_away", "kept"),
    "tax_misfiled": ("explained",),
}
"""How an item of each kind can end."""
TWO_PERSONS: Final[frozenset[Kind]] = frozenset({"payout_contradiction", "refund_refused"})
"""Kinds that a second person must clear."""
ASKED: Final[Mapping[Kind, Outcome]] = {"goodwill_asked": "granted", "identity_disputed": "taken_away"}
"""Kinds that a person has asked for, and the outcome that another person must say."""


AUTOMATIC: Final = "cardstock"
"""Who clears an item that has ended by itself. No person has this id."""
REMINDER: Final = timedelta(weeks=1)
"""After which units that are still set aside open another item, when a person has cleared the one before."""


class PaidTo(msgspec.Struct, frozen=True):
    """The payer's own account, to which a refund is paid outside of its channel. The whole number is not kept."""

    holder: str
    """Masked: `王**`."""
    number: str
    """Masked: `**** 1234`."""
    bank: str
    person: str = ""
    """Id of the verified person (`prs_...`) in whose name it is."""


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person (or `AUTOMATIC`) said about an item, when and why."""

    by: str
    at: datetime
    outcome: Outcome
    reason: str
    paid_to: PaidTo | None = None
    """Where the money goes, of a refund that is paid another way."""


class ConfirmedItem(msgspec.Struct, frozen=True):
    """An item that a person has cleared with a yes of the phone: stored together with the use of that yes."""

    item: "OpenItem"
    use: UseOnce


class OpenItem(msgspec.Struct, frozen=True):
    """One open item. `version` counts its changes."""

    id: str
    kind: Kind
    subject: str
    """What it is about: an order number, a refund id, a transfer number."""
    amount_fen: Fen
    """As the other side stated it, whatever the currency: in its smallest unit."""
    currency: str
    facts: dict[str, str]
    """What the other side said and what stands here, in words that both have; no personal data but ids."""
    opened_at: datetime
    member_id: str = ""
    """The member whose money it is, if there is one."""
    state: State = "open"
    requested: Decision | None = None
    """The first person's decision, where it takes two."""
    cleared: Decision | None = None
    version: int = 1


def item_id(kind: Kind, cause: str) -> str:
    """The id of the item that a cause opens: the same for every repeat of it."""
    return derived_id("oit", kind, cause)
