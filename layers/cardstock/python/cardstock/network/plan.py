"""A reward plan as data: its parameters with their bounds, what the check at publishing found, and who approved.

A `Plan` is immutable once published. Its types carry the bounds: what they do not admit is refused, field by field.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

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
"""A promotion may move that many recruits in one transaction; their ids must fit beside the member's own position."""
MAX_DAYS: Final = 3650

FenParameter = Annotated[Fen, Meta(ge=0, le=MAX_FEN)]
BpsParameter = Annotated[Bps, Meta(ge=0, le=BPS_ONE)]
DaysParameter = Annotated[int, Meta(ge=0, le=MAX_DAYS)]
HeadsParameter = Annotated[int, Meta(ge=0, le=MAX_PROMOTE_N)]


class Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reward is worth: `fen` for each unit on qualifying lines, or `bps` of the net paid lines."""

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
    title: Annotated[str, Meta(min_length=1, max_length=60)]
    preset: Annotated[str, Meta(min_length=1, max_length=32)]
    """The preset from which the plan was made, for people; no rule reads it."""
    price: Annotated[Fen, Meta(ge=1, le=MAX_FEN)]
    """Price of the qualifying product, which the checks at publishing use. No reward reads it."""
    benefit: Benefit = "cash"
    """`cash` rewards, or one coupon per member without cash: for an unlocked entitlement, or for one free order."""
    benefit_n: HeadsParameter = 0
    """Referrals that earn the coupon, once."""
    benefit_coupon: FenParameter = 0
    """What the coupon of an unlocked entitlement takes off one order. A free order takes off `price`."""
    earners: Earners = "qualified"
    direct_distributor: Amount = NOTHING
    direct_partner: Amount = NOTHING
    team: Amount = NOTHING
    peer_bps: BpsParameter = 0
    promote_n: HeadsParameter = 2
    """Qualified referrals that make a distributor a partner; 0: no promotion."""
    promote_on: PromoteOn = "settled"
    on_refund: OnRefund = "keep"
    leave_mode: LeaveMode = "leave_recruits"
    freeze_days: DaysParameter = 7
    cap_bps: BpsParameter | None = 3000
    """All rewards of one order together, of its net paid; `None`: no cap."""
    max_levels: Literal[1, 2] = 1
    """Paid sales levels: 1 the direct reward alone, 2 the team and peer rewards too. There is no third."""
    binding_days: Annotated[int, Meta(ge=1, le=MAX_DAYS)] | None = None
    """How long after the binding the direct reward is paid; `None`: always."""
    return_days: DaysParameter = 7
    payout_minimum: FenParameter = 1000
    peer_funding: PeerFunding = "brand"
    dividend_bps: BpsParameter = 0
    """Share of a period's net sales that team owners divide by their teams' sales; 0: no dividend."""

    @property
    def ref(self) -> str:
        """`chain21@3`: plan and version in one word."""
        return f"{self.id}@{self.version}"

    @property
    def waits_days(self) -> int:
        """Days from the receipt of an order to the end of both its return window and its freeze."""
        return max(self.return_days, self.freeze_days)

    def to_dict(self) -> dict[str, Any]:
        """All parameters as JSON-able data, amounts as `{"value", "unit"}`."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> "Plan":
        """The inverse of `to_dict`; parameters that are absent take their default.

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
    """Every field that is wrong: the decoder names the first one alone."""
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
    from msgspec import inspect  # for refusals alone

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
    """Who answers for one check of one plan, since when, and why."""

    check: Check
    by: str
    at: datetime
    reason: str


class Finding(msgspec.Struct, frozen=True):
    """One check that a plan does not simply pass."""

    check: Check
    verdict: Verdict
    clause: str
    """The rule of law or of this project behind the check."""
    found: str
    """The parameters that failed, as `name=value`."""
    passes: str
    """What would pass, as `name=value` or a bound."""
    approval: Approval | None = None

    def to_dict(self) -> dict[str, Any]:
        """All but the approval, as JSON-able data."""
        return {name: getattr(self, name) for name in ("check", "verdict", "clause", "found", "passes")}


class PublishedPlan(msgspec.Struct, frozen=True):
    """A published version with its findings and approvals. Immutable."""

    plan: Plan
    published_at: datetime
    published_by: str
    approvals: tuple[Approval, ...] = ()
    findings: tuple[Finding, ...] = ()
