"""Commission plans, and members' places in the network, as JSON."""

from __future__ import annotations  # evaluated only for what is decoded: the import stays cheap

from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cardstock.clock import rfc3339
from cardstock.edge.fields import MemberId, Moment, NextCursor, PersonId, PlanRef
from cardstock.edge.http import Model
from cardstock.errors import SECOND_PERSON_NEEDED
from cardstock.money import MAX_FEN
from cardstock.network import errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cardstock.network.model import Place
    from cardstock.network.plan import Approval, Finding, Plan, PublishedPlan

PLAN_CODES: Final = (errors.PLAN_INVALID, errors.PLAN_REFUSED, errors.APPROVAL_INVALID, SECOND_PERSON_NEEDED)

Fen = Annotated[int, Meta(ge=0, le=MAX_FEN)]
Rate = Annotated[int, Meta(ge=0, le=10_000)]
Days = Annotated[int, Meta(ge=0, le=3650)]


class PlanAmount(Model):
    """Fen for each unit of the qualifying lines, or basis points of what was paid."""

    value: Annotated[
        int,
        Meta(
            ge=0,
            le=MAX_FEN,
            examples=[30_000],
            description="Fen for each unit of the qualifying lines, or basis points of what was paid, by `unit`.",
        ),
    ]
    unit: Annotated[
        Literal["fen", "bps"], Meta(description="Whether `value` is fen or basis points.", examples=["fen"])
    ]


class PlanApproval(Model):
    """Who answers for one check that the plan does not pass, and why."""

    check: Annotated[
        Literal["levels", "peer", "fee", "cap", "head_count", "dividend"],
        Meta(description="Check that the plan does not pass."),
    ]
    approver: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=60,
            examples=["Ms Zhao, legal"],
            description="Person who answers for it: a name, or the id (`stf_...`) of a second person of the staff.",
        ),
    ]
    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=500,
            examples=["opinion of 2026-11-20 on file"],
            description="Why it is approved all the same.",
        ),
    ]


class PublishPlan(Model):
    """A preset, what is changed in it, and the approvals that the guard asks for. What is not named stays as it is."""

    preset: Annotated[
        Literal["unlock", "free_order", "single_level", "chain21", "team_dividend"],
        Meta(description="Plan that ships with the system, to start from.", examples=["chain21"]),
    ]
    id: (
        Annotated[
            str,
            Meta(
                pattern=r"^[a-z0-9_-]{1,32}$",
                examples=["spring"],
                description="Id to publish under; absent: that of the preset.",
            ),
        ]
        | UnsetType
    ) = UNSET
    title: (
        Annotated[
            str, Meta(min_length=1, max_length=60, examples=["2+1 合伙人计划"], description="What promoters read.")
        ]
        | UnsetType
    ) = UNSET
    price: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=MAX_FEN,
                examples=[49_900],
                description="Fen of the qualifying product that the checks reckon with.",
            ),
        ]
        | UnsetType
    ) = UNSET
    benefit_n: (
        Annotated[
            int,
            Meta(
                ge=0, le=20, description="Referrals that earn the benefit of a plan without cash, once.", examples=[2]
            ),
        ]
        | UnsetType
    ) = UNSET
    benefit_coupon: (
        Annotated[Fen, Meta(description="Fen that the coupon of the benefit takes off one order.", examples=[2_000])]
        | UnsetType
    ) = UNSET
    earners: (
        Annotated[
            Literal["anyone", "qualified"],
            Meta(
                description="Who earns the direct reward: `anyone`, or only distributors and partners (`qualified`).",
                examples=["qualified"],
            ),
        ]
        | UnsetType
    ) = UNSET
    direct_distributor: Annotated[PlanAmount, Meta(description="Direct reward of a distributor.")] | UnsetType = UNSET
    direct_partner: Annotated[PlanAmount, Meta(description="Direct reward of a partner.")] | UnsetType = UNSET
    team: (
        Annotated[PlanAmount, Meta(description="Reward of the partner whose team the buyer belongs to.")] | UnsetType
    ) = UNSET
    peer_bps: (
        Annotated[Rate, Meta(description="Peer reward: basis points of the partner's own reward.", examples=[1_000])]
        | UnsetType
    ) = UNSET
    promote_n: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=20,
                description="Qualified referrals that make a distributor a partner; 0: nobody is promoted.",
                examples=[2],
            ),
        ]
        | UnsetType
    ) = UNSET
    promote_on: (
        Annotated[
            Literal["settled", "paid"],
            Meta(
                description="When a referral counts: when its order is paid, or when it has settled.",
                examples=["settled"],
            ),
        ]
        | UnsetType
    ) = UNSET
    on_refund: (
        Annotated[
            Literal["keep", "demote"],
            Meta(description="Whether a refund that undoes a referral takes the promotion back.", examples=["keep"]),
        ]
        | UnsetType
    ) = UNSET
    leave_mode: (
        Annotated[
            Literal["leave_recruits", "keep_recruits", "none"],
            Meta(
                description="What a new partner does: leave the team, leave it with the first recruits, or stay.",
                examples=["leave_recruits"],
            ),
        ]
        | UnsetType
    ) = UNSET
    freeze_days: (
        Annotated[Days, Meta(description="Days after the receipt that rewards stay frozen, at least.", examples=[7])]
        | UnsetType
    ) = UNSET
    cap_bps: (
        Annotated[
            Rate,
            Meta(
                description="Most that an order pays, all rewards together, in basis points of its net; null: no cap.",
                examples=[3_000],
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    max_levels: (
        Annotated[
            Literal[1, 2],
            Meta(description="Paid levels: 1 the direct reward alone, 2 the team and peer rewards too.", examples=[2]),
        ]
        | UnsetType
    ) = UNSET
    binding_days: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=3650,
                description="Days after the binding that the direct reward is paid; null: for ever.",
                examples=[365],
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    return_days: (
        Annotated[Days, Meta(description="Days after the receipt in which units can be given back.", examples=[7])]
        | UnsetType
    ) = UNSET
    payout_minimum: (
        Annotated[Fen, Meta(description="Fen that a balance must have to be paid out.", examples=[1_000])] | UnsetType
    ) = UNSET
    peer_funding: (
        Annotated[
            Literal["brand", "earner"],
            Meta(
                description="Who pays the peer reward: the brand, or the partner out of the own reward.",
                examples=["brand"],
            ),
        ]
        | UnsetType
    ) = UNSET
    dividend_bps: (
        Annotated[
            Rate,
            Meta(
                description="Share of a month's net sales that team owners divide, in basis points; 0: none.",
                examples=[200],
            ),
        ]
        | UnsetType
    ) = UNSET
    approvals: Annotated[
        list[PlanApproval], Meta(max_length=20, description="Who answers for the checks that the plan does not pass.")
    ] = msgspec.field(default_factory=list)

    def draft(self, preset: Plan) -> Plan:
        """The plan that is asked for. Raises `InvalidError` PLAN_INVALID for what the types alone do not refuse."""
        changed = msgspec.to_builtins(self)
        changed.pop("approvals", None)
        return type(preset).from_dict({**preset.to_dict(), **changed})

    def approvals_at(self, now: datetime) -> list[Approval]:
        """The approvals, dated `now`."""
        from cardstock.network.plan import Approval

        return [Approval(approval.check, approval.approver, now, approval.reason) for approval in self.approvals]


class ShownApproval(Model):
    """An approval on record."""

    check: Annotated[str, Meta(description="Check that was approved.", examples=["levels"])]
    approver: Annotated[str, Meta(description="Person who answered for it.", examples=["Ms Zhao, legal"])]
    reason: Annotated[str, Meta(description="Why it was approved.", examples=["opinion of 2026-11-20 on file"])]
    at: Annotated[Moment, Meta(description="When the plan was published with it.")]


class ShownFinding(Model):
    """One check that the plan does not simply pass."""

    check: Annotated[str, Meta(description="What was checked.", examples=["levels"])]
    verdict: Annotated[
        Literal["refused", "needs_approval", "approved", "warning"],
        Meta(description="What came of it: `needs_approval` asks for a named person.", examples=["approved"]),
    ]
    clause: Annotated[
        str,
        Meta(description="Clause of law or rule behind the check.", examples=["State Council order 444, article 7"]),
    ]
    found: Annotated[str, Meta(description="What the plan has.", examples=["2"])]
    passes: Annotated[str, Meta(description="What would pass.", examples=["1"])]

    @classmethod
    def of(cls, finding: Finding) -> ShownFinding:
        """A finding, without its approval."""
        return cls(finding.check, finding.verdict, finding.clause, finding.found, finding.passes)


class ShownPlan(Model):
    """One published version. It never changes; orders keep the one under which they were placed."""

    plan: Annotated[PlanRef, Meta(description="Plan and version in one word.")]
    parameters: Annotated[
        dict[str, object],
        Meta(
            description="All parameters as they were published; amounts as `value` and `unit`.",
            examples=[{"preset": "chain21", "price": 49900}],
        ),
    ]
    published_at: Annotated[Moment, Meta(description="When it came into force.")]
    published_by: Annotated[PersonId, Meta(description="Person who published it.")]
    approvals: Annotated[list[ShownApproval], Meta(description="Who answers for the checks that it does not pass.")]
    findings: Annotated[list[ShownFinding], Meta(description="Checks that it does not simply pass.")]

    @classmethod
    def of(cls, record: PublishedPlan) -> ShownPlan:
        """A published plan."""
        return cls(
            plan=record.plan.ref,
            parameters=record.plan.to_dict(),
            published_at=rfc3339(record.published_at),
            published_by=record.published_by,
            approvals=[ShownApproval(a.check, a.by, a.reason, rfc3339(a.at)) for a in record.approvals],
            findings=[ShownFinding.of(finding) for finding in record.findings],
        )


class PlanPage(Model):
    """Some versions, by plan and version."""

    items: Annotated[list[ShownPlan], Meta(description="Versions, by plan and version.")]
    next_cursor: NextCursor
    in_force: Annotated[
        PlanRef,
        Meta(description="What orders are placed under now; `unlock@0`, the safe one, while nothing is published."),
    ]

    @classmethod
    def of(cls, records: Sequence[PublishedPlan], following: str | None, in_force: PublishedPlan | None) -> PlanPage:
        """Versions, the cursor of the next page, and the version in force, if one was ever published."""
        from cardstock.network.presets import DEFAULT_PLAN

        ref = (DEFAULT_PLAN if in_force is None else in_force.plan).ref
        return cls([ShownPlan.of(record) for record in records], following, ref)


class Distribution(Model):
    """The member's place in the referral network."""

    member_id: MemberId
    role: Annotated[
        Literal["member", "distributor", "partner"],
        Meta(description="Place in the network: `distributor` by a qualifying purchase, `partner` by promotion."),
    ]
    appointed: Annotated[bool, Meta(description="Whether an operator made the member a partner; then no rule demotes.")]
    referrer: Annotated[MemberId | None, Meta(description="Member who brought this one; null if nobody did.")]
    bound_at: Annotated[Moment | None, Meta(description="When the referrer was bound; null if nobody was.")]
    owner: Annotated[
        MemberId | None, Meta(description="Partner whose team the member belongs to; null if there is none.")
    ]
    peer: Annotated[
        MemberId | None,
        Meta(description="Partner whose team the member left on becoming a partner; null if there is none."),
    ]
    counted: Annotated[
        int, Meta(description="Directly referred people whose qualifying purchase counts now.", examples=[2])
    ]
    verified_referrals: Annotated[
        int, Meta(description="Directly referred people who have proved who they are.", examples=[2])
    ]
    unlocked: Annotated[
        bool, Meta(description="Whether the member holds the benefit that a plan without cash gives for referrals.")
    ]
    coupon: (
        Annotated[
            str,
            Meta(
                description="Coupon of that benefit, for a quote; null if there is none, or it was used.",
                examples=["benefit.mem_01kbdxdh50.1"],
            ),
        ]
        | None
    )
    coupon_fen: Annotated[
        int | None,
        Meta(
            description="Fen that it takes off the goods of an order, at most; null without a coupon.", examples=[2000]
        ),
    ]

    @classmethod
    def of(cls, place: Place) -> Distribution:
        """A member's place for the member and for operators."""
        position = place.position
        return cls(
            member_id=position.id,
            role=position.role,
            appointed=position.standing == "appointed_partner",
            referrer=position.referrer,
            bound_at=rfc3339(position.bound_at) if position.bound_at else None,
            owner=position.owner,
            peer=position.peer,
            counted=position.counted,
            verified_referrals=position.verified_referrals,
            unlocked=position.coupon == "granted",
            coupon=place.coupon_id,
            coupon_fen=place.coupon_fen,
        )


class AppointPartner(Model):
    """Why an operator makes this member a partner."""

    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            examples=["Founding partner of the Hangzhou region"],
            description="Why the operator appoints the member; it stays on record.",
        ),
    ]
