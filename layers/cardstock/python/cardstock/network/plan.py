"""A reward plan as data: its parameters with their bounds, the findings at publishing, and the approvals.

A `Plan` is immutable once published. Its types hold the bounds, so each field out of bounds is refused by name.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from cardstock.errors import Pointer
from cardstock.money import BPS_ONE, MAX_FEN, Bps, Fen
from cardstock.network import errors

Benefit: TypeAlias = Literal["cash", "unlock", "free_order"]
Earners: TypeAlias = Literal["anyone", "qualified"]
PromoteOn: TypeAlias = Literal["settled", "paid"]
OnRefund: TypeAlias = Literal["keep", "demote"]
LeaveMode: TypeAlias = Literal["leave_recruits", "keep_recruits", "none"]
PeerFunding: TypeAlias = Literal["brand", "earner"]
Unit: TypeAlias = Literal["fen", "bps"]

MAX_PROMOTE_N: Final = 20
"""A promotion may move this many recruits in one transaction, and their ids must fit into the member's position."""
MAX_DAYS: Final = 3650
APPROVAL_LIFETIME: Final = timedelta(days=30)
"""Time in which a plan can be published with an approval. A published plan keeps its approvals for ever."""

FenParameter = Annotated[Fen, Meta(ge=0, le=MAX_FEN)]
BpsParameter = Annotated[Bps, Meta(ge=0, le=BPS_ONE)]
DaysParameter = Annotated[int, Meta(ge=0, le=MAX_DAYS)]
HeadsParameter = Annotated[int, Meta(ge=0, le=MAX_PROMOTE_N)]


class Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The amount of a reward: `fen` for each unit on qualifying lines, or `bps` of the net paid lines."""

    value: FenParameter
    unit: Unit = "fen"

    def __post_init__(self) -> None:
        if self.unit == "bps" and self.value > BPS_ONE:
            raise ValueError(f"{self.value} basis points are more than all")


NOTHING: Final = Amount(0)


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every parameter of a reward plan. `version` 0 is a draft; a published version never changes.

    Units: amounts in fen, `_bps` in basis points, `_days` in whole days of 24 hours.
    """

    id: Annotated[str, Meta(max_length=32, pattern=r"^[a-z0-9_-]+\Z")]
    version: Annotated[int, Meta(ge=0, le=10**8)]
    title: Annotated[
        str, Meta(min_length=1, max_length=60, examples=["2+1 合伙人计划"], description="Title that promoters read.")
    ]
    preset: Annotated[str, Meta(min_length=1, max_length=32)]
    """The preset from which the plan was made; informative, no rule reads it."""
    price: Annotated[
        Fen,
        Meta(
            ge=1,
            le=MAX_FEN,
            examples=[49_900],
            description="Price of the qualifying product in fen, used by the checks.",
        ),
    ]
    """No reward uses it."""
    benefit: Benefit = "cash"
    """`cash` rewards, or one coupon per member without cash: `unlock` (fixed amount) or `free_order`."""
    benefit_n: Annotated[
        HeadsParameter, Meta(description="Referrals that earn the coupon of a plan without cash, once.", examples=[2])
    ] = 0
    benefit_coupon: Annotated[
        FenParameter, Meta(description="Fen that the coupon of an `unlock` plan takes off one order.", examples=[2_000])
    ] = 0
    """A `free_order` coupon takes off `price`."""
    earners: Annotated[
        Earners,
        Meta(
            description="Who earns the direct reward: `anyone`, or only distributors and partners (`qualified`).",
            examples=["qualified"],
        ),
    ] = "qualified"
    direct_distributor: Annotated[Amount, Meta(description="Direct reward of a distributor.")] = NOTHING
    direct_partner: Annotated[Amount, Meta(description="Direct reward of a partner.")] = NOTHING
    team: Annotated[Amount, Meta(description="Reward of the partner whose team the buyer belongs to.")] = NOTHING
    peer_bps: Annotated[
        BpsParameter, Meta(description="Peer reward: basis points of the partner's own reward.", examples=[1_000])
    ] = 0
    promote_n: Annotated[
        HeadsParameter,
        Meta(description="Qualified referrals that make a distributor a partner; 0: nobody is promoted.", examples=[2]),
    ] = 2
    promote_on: Annotated[
        PromoteOn,
        Meta(
            description="When a referral counts: when its order is paid, or when it has settled.", examples=["settled"]
        ),
    ] = "settled"
    on_refund: Annotated[
        OnRefund,
        Meta(description="Whether a refund that ends a referral also ends the promotion.", examples=["keep"]),
    ] = "keep"
    leave_mode: Annotated[
        LeaveMode,
        Meta(
            description="What a new partner does: leave the team, leave it with the first recruits, or stay.",
            examples=["leave_recruits"],
        ),
    ] = "leave_recruits"
    freeze_days: Annotated[
        DaysParameter, Meta(description="Days after the receipt that rewards stay frozen, at least.", examples=[7])
    ] = 7
    cap_bps: (
        Annotated[
            BpsParameter,
            Meta(
                description="Limit of all rewards of an order together, in basis points of its net; null: no cap.",
                examples=[3_000],
            ),
        ]
        | None
    ) = 3000
    max_levels: Annotated[
        Literal[1, 2],
        Meta(description="Paid levels: 1 only the direct reward, 2 also the team and peer rewards.", examples=[2]),
    ] = 1
    """There is no third level."""
    binding_days: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=MAX_DAYS,
                description="Days after the binding in which the direct reward is paid; null: always.",
                examples=[365],
            ),
        ]
        | None
    ) = None
    return_days: Annotated[
        DaysParameter, Meta(description="Days after the receipt in which units can be returned.", examples=[7])
    ] = 7
    payout_minimum: Annotated[
        FenParameter, Meta(description="Smallest balance in fen that is paid out.", examples=[1_000])
    ] = 1000
    peer_funding: Annotated[
        PeerFunding,
        Meta(
            description="Who pays the peer reward: the brand, or the partner from the partner's own reward.",
            examples=["brand"],
        ),
    ] = "brand"
    dividend_bps: Annotated[
        BpsParameter,
        Meta(
            description="Share of a month's net sales that team owners divide, in basis points; 0: none.",
            examples=[200],
        ),
    ] = 0

    @property
    def ref(self) -> str:
        """Plan and version in one string: `chain21@3`."""
        return f"{self.id}@{self.version}"

    @property
    def digest(self) -> str:
        """SHA-256 of id and rules, in hexadecimal digits; the same for every version of the same rules."""
        return hashlib.sha256(msgspec.json.encode(replace(self, version=0), order="sorted")).hexdigest()

    @property
    def waits_days(self) -> int:
        """Days from the receipt of an order until both its return window and its freeze are over."""
        return max(self.return_days, self.freeze_days)

    def to_dict(self) -> dict[str, Any]:
        """All parameters as JSON-able data, amounts as `{"value", "unit"}`."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> "Plan":
        """The inverse of `to_dict`; missing parameters take their default.

        Raises `InvalidError` PLAN_INVALID, which names every field that is unknown, missing, of a wrong type or out of
        its bounds.
        """
        try:
            return msgspec.convert(data, Plan)
        except msgspec.ValidationError as error:
            raise errors.PLAN_INVALID(pointers=_wrong_parameters(data)) from error


def split_ref(ref: str) -> tuple[str, int]:
    """Id and version of `chain21@3`."""
    plan_id, _, version = ref.rpartition("@")
    return plan_id, int(version)


def _wrong_parameters(data: Mapping[str, Any]) -> tuple[Pointer, ...]:
    """Every wrong field, because the decoder names only the first."""
    parameters = {field.name: field for field in msgspec.structs.fields(Plan)}
    wrong = [Pointer(f"/{name}", "unknown") for name in data if name not in parameters]
    for name, field in parameters.items():
        if name not in data:
            if field.required:
                wrong.append(Pointer(f"/{name}", "missing"))
            continue
        try:
            msgspec.convert(data[name], field.type)
        except msgspec.ValidationError:
            wrong.append(Pointer(f"/{name}", _code_of(field.type)))
    return tuple(wrong)


def _code_of(kind: Any) -> str:
    from msgspec import inspect  # only for refusals

    known = inspect.type_info(kind)
    if isinstance(known, inspect.StrType):
        return "key" if known.pattern else "text"
    if isinstance(known, inspect.LiteralType):
        return "choice"
    return "amount" if isinstance(known, inspect.StructType) else "range"


Check: TypeAlias = Literal[
    "benefit",
    "cap",
    "dividend",
    "fee",
    "freeze",
    "head_count",
    "levels",
    "peer",
    "return_window",
    "role_survives_return",
    "words",
]
Verdict: TypeAlias = Literal["refused", "needs_approval", "approved", "warning"]


class Approval(msgspec.Struct, frozen=True):
    """Who approved one check of one plan, when, and why."""

    check: Check
    by: str
    at: datetime
    reason: str


class StoredApproval(msgspec.Struct, frozen=True):
    """One person's approval of one check of the rules with this digest; `by` is the person's id. Never changed."""

    digest: str
    check: Check
    by: str
    at: datetime
    reason: str
    expires_at: datetime

    def to_approval(self) -> Approval:
        """The approval as a published plan keeps it."""
        return Approval(self.check, self.by, self.at, self.reason)


class Finding(msgspec.Struct, frozen=True):
    """One check that a plan fails, or passes only with an approval."""

    check: Check
    verdict: Verdict
    clause: str
    """The rule of law or of this project behind the check."""
    found: str
    """The parameters that failed, as `name=value`."""
    passes: str
    """The values that would pass, as `name=value` or a bound."""
    approval: Approval | None = None

    def to_dict(self) -> dict[str, Any]:
        """All fields except the approval, as JSON-able data."""
        return {name: getattr(self, name) for name in ("check", "verdict", "clause", "found", "passes")}


class PublishedPlan(msgspec.Struct, frozen=True):
    """A published version with its findings and approvals. Immutable."""

    plan: Plan
    published_at: datetime
    published_by: str
    approvals: tuple[Approval, ...] = ()
    findings: tuple[Finding, ...] = ()
