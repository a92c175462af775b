"""Types of the ledger: immutable transactions, members' balances, and the rewards of an order.

A transaction is a list of postings that add up to zero. A member's account has pockets:

    frozen     credited, cannot be paid out yet            paying     in a payout that has not ended
    available  can be paid out; below zero it is debt      paid       paid out to the member
                                                           withheld   withheld as tax

The brand's accounts are the other side. They exist only in postings and are summed when needed: an item for them would
be written by every order of the shop.

Every transaction has an id made from its cause (`accrue.{order}`, `claw.{refund}` ...), so a step may be requested any
number of times, in any order, and is booked once.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from cardstock.clock import to_epoch_ms
from cardstock.money import Fen

Pocket: TypeAlias = Literal["frozen", "available", "paying", "paid", "withheld"]
Kind: TypeAlias = Literal[
    "accrued", "released", "clawed", "claimed", "paid", "returned", "corrected", "owed", "shared", "written_off",
    "given_up", "set_aside", "offset",
]  # fmt: skip
RewardKind: TypeAlias = Literal["direct", "team", "peer"]
"""Equal to `network.model.RewardKind`: areas do not import each other, and a test compares the two."""
RewardState: TypeAlias = Literal["frozen", "available"]
WriteOffState: TypeAlias = Literal["asked", "booked"]
ClosingKind: TypeAlias = Literal["given_up", "set_aside"]

POCKETS: Final[tuple[Pocket, ...]] = get_args(Pocket)
BRAND_COMMISSION: Final = "brand:commission"
"""Cost of rewards for the brand: its sum is minus all that was accrued and not clawed back."""
BRAND_WRITE_OFFS: Final = "brand:write-offs"
"""Cost of written-off debt for the brand."""
BRAND_GIVEN_UP: Final = "brand:given-up"
"""Money that members gave up when they closed their accounts."""
BRAND_UNCLAIMED: Final = "brand:unclaimed"
"""Money of members who closed their accounts, and to whom it could not be paid: the brand still owes it."""
BRAND_ACCOUNTS: Final = (BRAND_COMMISSION, BRAND_WRITE_OFFS, BRAND_GIVEN_UP, BRAND_UNCLAIMED)

MOVES: Final[Mapping[Kind, frozenset[tuple[str, str]]]] = {
    "accrued": frozenset({("brand", "frozen")}),
    "released": frozenset({("frozen", "available")}),
    "clawed": frozenset({("frozen", "brand"), ("available", "brand")}),
    "claimed": frozenset({("available", "paying")}),
    "paid": frozenset({("paying", "paid"), ("paying", "withheld")}),
    "returned": frozenset({("paying", "available")}),
    "corrected": frozenset(
        {("available", "paid"), ("available", "withheld"), ("paid", "available"), ("withheld", "available")}
    ),
    "owed": frozenset({("available", "brand"), ("brand", "available")}),
    "shared": frozenset({("brand", "available")}),
    "written_off": frozenset({("brand", "available")}),
    "given_up": frozenset({("available", "brand")}),
    "set_aside": frozenset({("available", "brand")}),
    "offset": frozenset({("available", "available")}),
}
"""The pockets between which each kind of transaction moves money."""
REWARD_TRANSITIONS: Final[Mapping[RewardState, frozenset[RewardState]]] = {
    "frozen": frozenset({"available"}),
    "available": frozenset(),
}
WRITE_OFF_TRANSITIONS: Final[Mapping[WriteOffState, frozenset[WriteOffState]]] = {
    "asked": frozenset({"booked"}),
    "booked": frozenset(),
}

ID_PREFIX: Final[dict[Kind, str]] = {
    "accrued": "accrue",
    "released": "release",
    "clawed": "claw",
    "claimed": "claim",
    "paid": "payout",
    "returned": "payout-failed",
    "corrected": "correct",
    "owed": "owed",
    "shared": "dividend",
    "written_off": "write-off",
    "given_up": "give-up",
    "set_aside": "set-aside",
    "offset": "offset",
}


def account(member_id: str, pocket: Pocket) -> str:
    """`member:mem_..:frozen`."""
    return f"member:{member_id}:{pocket}"


def pocket_of(name: str) -> tuple[str, Pocket] | None:
    """Member and pocket of an account; None for the brand's. Raises ValueError for an invalid name."""
    owner, _, rest = name.partition(":")
    if owner == "brand" and rest:
        return None
    member_id, _, pocket = rest.rpartition(":")
    for known in POCKETS:
        if owner == "member" and member_id and pocket == known:
            return member_id, known
    raise ValueError(f"{name!r} is no account")


class Posting(msgspec.Struct, frozen=True):
    """`amount` fen into `account` (below zero: out of it). `reward` is the order's reward that it belongs to, if
    any."""

    account: str
    amount: Fen
    reward: RewardKind | None = None


class Credit(msgspec.Struct, frozen=True):
    """One reward of an order as it was accrued, with the rates at that time.

    `rule` is the plan's parameter and `rate` its value in `unit` (`fen` per unit, `bps` of `base`); `base` what was
    paid for the lines it is measured on; `full` the rule's amount, `limited` that amount after the limit to what was
    paid, `amount` after the cap: the fen that are credited.
    """

    reward: RewardKind
    member_id: str
    role: str
    rule: str
    rate: int
    unit: str
    base: Fen
    full: Fen
    limited: Fen
    amount: Fen

    @property
    def cap_cut(self) -> Fen:
        """Fen removed by the cap."""
        return self.limited - self.amount


class Accrual(msgspec.Struct, frozen=True):
    """A plan's rewards on one order, credited once it is paid."""

    order_id: str
    plan: str
    credits: tuple[Credit, ...]


class LedgerTransaction(msgspec.Struct, frozen=True):
    """One step of money, booked once and never changed.

    `cause` is an order, a refund, a transfer number. `order_id` is the order it belongs to, if any. `plan` is the plan
    version and `credits` the rates of an accrual; `approved_by` names the two people who approved a write-off or a
    correction.
    """

    id: str
    kind: Kind
    cause: str
    at: datetime
    postings: tuple[Posting, ...]
    order_id: str = ""
    plan: str = ""
    credits: tuple[Credit, ...] = ()
    approved_by: tuple[str, ...] = ()

    @property
    def total(self) -> Fen:
        """The sum of the postings; zero in a correct transaction."""
        return sum(posting.amount for posting in self.postings)


def transaction_id(kind: Kind, cause: str) -> str:
    """The id of a step: the same for every request of it."""
    return f"{ID_PREFIX[kind]}.{cause}"


def nonzero(*postings: Posting) -> tuple[Posting, ...]:
    """The postings that move money."""
    return tuple(posting for posting in postings if posting.amount)


def milliseconds(at: datetime) -> str:
    """A moment as 13 digits of milliseconds, which sort by time."""
    return f"{to_epoch_ms(at):013d}"


def changes(postings: Iterable[Posting]) -> dict[str, dict[Pocket, Fen]]:
    """The change of each member's pockets by the postings: one entry per member, without zero changes."""
    folded: dict[str, dict[Pocket, Fen]] = {}
    for posting in postings:
        found = pocket_of(posting.account)
        if found is not None:
            member_id, pocket = found
            pockets = folded.setdefault(member_id, {})
            pockets[pocket] = pockets.get(pocket, 0) + posting.amount
    return {
        member_id: kept
        for member_id, pockets in folded.items()
        if (kept := {pocket: amount for pocket, amount in pockets.items() if amount})
    }


class Balance(msgspec.Struct, frozen=True):
    """A member's money. `free` is the available pocket as stored: signed, so that a claw-back needs no read first."""

    member_id: str
    frozen: Fen = 0
    free: Fen = 0
    paying: Fen = 0
    paid: Fen = 0
    withheld: Fen = 0

    @property
    def available(self) -> Fen:
        """Fen that can be paid out; 0 while there is debt."""
        return max(self.free, 0)

    @property
    def ever(self) -> bool:
        """Whether the member has, or had, any money."""
        return any((self.frozen, self.free, self.paying, self.paid, self.withheld))

    @property
    def was_paid(self) -> bool:
        """Whether anything was paid out to the member, tax withheld, or is on its way."""
        return any((self.paying, self.paid, self.withheld))

    @property
    def debt(self) -> Fen:
        """Fen that the member owes, which the next credits repay."""
        return max(-self.free, 0)


class Debt(msgspec.Struct, frozen=True):
    """The rest of the debt that one step made: `amount` fen, repaid after those of older steps."""

    transaction_id: str
    kind: Kind
    cause: str
    order_id: str
    at: datetime
    amount: Fen


class WriteOff(msgspec.Struct, frozen=True):
    """`amount` fen of a member's debt that one person asks to write off; booked once a second person approves."""

    id: str
    member_id: str
    amount: Fen
    asked_by: str
    asked_at: datetime
    reason: str
    state: WriteOffState = "asked"
    approved_by: str = ""
    approved_at: datetime | None = None
    note: str = ""


class AccountClosing(msgspec.Struct, frozen=True):
    """The end of a member's account: `amount` fen were given up, or set aside as unclaimed; `words` are the member's.

    `reason` says why what was set aside could not be paid.
    """

    member_id: str
    at: datetime
    kind: ClosingKind = "set_aside"
    amount: Fen = 0
    reason: str = ""
    words: str = ""


class OrderClawBack(msgspec.Struct, frozen=True):
    """What one refund clawed back of each reward of its order."""

    refund_id: str
    taken: tuple[tuple[RewardKind, Fen], ...]


class OrderRewards(msgspec.Struct, frozen=True):
    """The rewards of one order and their state: all frozen, or all released.

    `version` counts the writes of the stored row and is the condition of the next one.
    """

    order_id: str
    plan: str
    credits: tuple[Credit, ...]
    accrued_at: datetime
    state: RewardState = "frozen"
    released_at: datetime | None = None
    claws: tuple[OrderClawBack, ...] = ()
    version: int = 1

    def clawed(self, reward: RewardKind) -> Fen:
        """Fen that refunds have clawed back of one reward so far."""
        return sum(amount for claw in self.claws for kind, amount in claw.taken if kind == reward)

    def rest(self, credit: Credit) -> Fen:
        """Fen left of a reward after claw-backs."""
        return credit.amount - self.clawed(credit.reward)


class MemberReward(msgspec.Struct, frozen=True):
    """One of a member's rewards on an order: the credit with its rule and rate, its claw-backs and its state."""

    credit: Credit
    plan: str
    state: RewardState
    accrued_at: datetime
    released_at: datetime | None
    claws: tuple[tuple[str, Fen], ...]
    """Refund id, and the fen that it clawed back."""

    @property
    def rest(self) -> Fen:
        """Fen left of it after claw-backs."""
        return self.credit.amount - sum(amount for _, amount in self.claws)


class StatementLine(msgspec.Struct, frozen=True):
    """One transaction's change of one member's pockets, for one cause. `key` sorts a member's lines by time."""

    member_id: str
    key: str
    transaction_id: str
    kind: Kind
    cause: str
    order_id: str
    at: datetime
    rewards: tuple[RewardKind, ...]
    change: dict[Pocket, Fen]


class Leaf(msgspec.Struct, frozen=True):
    """A transaction in a seal: `hash` is the leaf hash (RFC 6962) of its canonical bytes, in hex."""

    transaction_id: str
    at: datetime
    hash: str


class Seal(msgspec.Struct, frozen=True):
    """The root over `count` transactions and over the link to the seal before, whose root is `previous`.

    `first_at` and `last_at` are the moments of its oldest and newest transaction; moments are RFC 3339, hashes hex.
    `link_path` leads from the link, the tree's first leaf, to the root.
    """

    number: int
    previous: str
    count: int
    first_at: str
    last_at: str
    made_at: str
    root: str
    link_path: tuple[str, ...]

    @property
    def tree_size(self) -> int:
        """Leaves of its tree: its transactions, and the link to the seal before."""
        return self.count + 1


class SealedLeaves(msgspec.Struct, frozen=True):
    """A seal with its transactions in the order of the tree."""

    seal: Seal
    leaves: tuple[Leaf, ...]
