"""Commission plans as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment, NextCursor, PersonId, PlanRef
from cardstock.edge.http import LINE, Model
from cardstock.edge.partial import partial
from cardstock.errors import SECOND_PERSON_NEEDED
from cardstock.money import MAX_FEN
from cardstock.network import errors
from cardstock.network.plan import Amount, Finding, Plan, PublishedPlan, StoredApproval
from cardstock.network.presets import DEFAULT_PLAN

PLAN_CODES: Final = (errors.PLAN_INVALID, errors.PLAN_REFUSED)
APPROVING_CODES: Final = (
    errors.PLAN_INVALID,
    errors.APPROVAL_INVALID,
    errors.APPROVAL_NOT_NEEDED,
    SECOND_PERSON_NEEDED,
)

ApprovableCheck = Annotated[
    Literal["levels", "peer", "fee", "cap", "head_count", "dividend"],
    Meta(description="Check that the plan fails.", examples=["levels"]),
]
ApprovalReason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        examples=["opinion of 2026-11-20 on file"],
        description="Why it is approved.",
    ),
]


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


@partial(Plan, without=("version", "benefit"), replaced={Amount: PlanAmount})
class PublishPlan(Model):
    """A preset and changes to it. Fields left out keep the preset's values."""

    preset: Annotated[
        Literal["unlock", "free_order", "single_level", "chain21", "team_dividend"],
        Meta(description="Built-in plan to start from.", examples=["chain21"]),
    ]
    id: (
        Annotated[
            str,
            Meta(
                pattern=r"^[a-z0-9_-]{1,32}\Z",
                examples=["spring"],
                description="Id to publish under; absent: that of the preset.",
            ),
        ]
        | UnsetType
    ) = UNSET
    title: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=60,
                pattern=LINE,
                examples=["2+1 合伙人计划"],
                description="Title that promoters read.",
            ),
        ]
        | UnsetType
    ) = UNSET

    def draft(self, preset: Plan) -> Plan:
        """The requested plan. Raises `InvalidError` PLAN_INVALID for what the types alone do not refuse."""
        rules = {name: value for name, value in msgspec.to_builtins(self).items() if name in Plan.__struct_fields__}
        return Plan.from_dict({**preset.to_dict(), **rules})


class ApprovePlan(Model):
    """One check of a plan, approved by the person whose key it is."""

    plan: Annotated[PublishPlan, Meta(description="Plan as it will be published: the approval holds for it alone.")]
    check: ApprovableCheck
    reason: ApprovalReason


class ShownStoredApproval(Model):
    """An approval with which the plan can be published by another person."""

    digest: Annotated[
        str,
        Meta(
            description="SHA-256 of the plan's id and rules: the approval holds for them alone.",
            examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        ),
    ]
    check: Annotated[str, Meta(description="Check that was approved.", examples=["levels"])]
    approver: PersonId
    reason: ApprovalReason
    at: Annotated[Moment, Meta(description="When it was approved.")]
    expires_at: Annotated[
        Moment,
        Meta(
            description="Until when the plan can be published with it. A published plan keeps it for ever.",
            examples=["2026-12-31T08:26:00.000Z"],
        ),
    ]

    @classmethod
    def of(cls, approval: StoredApproval) -> ShownStoredApproval:
        """A stored approval."""
        return cls(
            digest=approval.digest,
            check=approval.check,
            approver=approval.by,
            reason=approval.reason,
            at=rfc3339(approval.at),
            expires_at=rfc3339(approval.expires_at),
        )


class ShownApproval(Model):
    """An approval on record."""

    check: Annotated[str, Meta(description="Check that was approved.", examples=["levels"])]
    approver: Annotated[
        str,
        Meta(
            description="Id of the person who approved it. Plans of version 0.2.0 have a name typed by the publisher.",
            examples=["stf_01kbdx9q7r5t3v1w8y6z4a2c0e"],
        ),
    ]
    reason: Annotated[str, Meta(description="Why it was approved.", examples=["opinion of 2026-11-20 on file"])]
    at: Annotated[Moment, Meta(description="When it was approved.")]


class ShownFinding(Model):
    """One check that the plan fails, or passes only with an approval."""

    check: Annotated[str, Meta(description="What was checked.", examples=["levels"])]
    verdict: Annotated[
        Literal["refused", "needs_approval", "approved", "warning"],
        Meta(description="Result: `needs_approval` asks for a named person.", examples=["approved"]),
    ]
    clause: Annotated[
        str,
        Meta(description="Clause of law or rule behind the check.", examples=["State Council order 444, article 7"]),
    ]
    found: Annotated[str, Meta(description="The plan's value.", examples=["2"])]
    passes: Annotated[str, Meta(description="A value that would pass.", examples=["1"])]

    @classmethod
    def of(cls, finding: Finding) -> ShownFinding:
        """A finding, without its approval."""
        return cls(finding.check, finding.verdict, finding.clause, finding.found, finding.passes)


class ShownPlan(Model):
    """One published version. It never changes; an order keeps the version under which it was placed."""

    plan: Annotated[PlanRef, Meta(description="Plan and version.")]
    parameters: Annotated[
        dict[str, object],
        Meta(
            description="All parameters as they were published; amounts as `value` and `unit`.",
            examples=[{"preset": "chain21", "price": 49900}],
        ),
    ]
    published_at: Annotated[Moment, Meta(description="When it came into force.")]
    published_by: Annotated[PersonId, Meta(description="Person who published it.")]
    approvals: Annotated[list[ShownApproval], Meta(description="Approvals of the checks that it fails.")]
    findings: Annotated[list[ShownFinding], Meta(description="Checks that it fails, or passes only with an approval.")]

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
        Meta(description="Plan of orders placed now; `unlock@0`, the safe preset, until a plan is published."),
    ]

    @classmethod
    def of(cls, records: Sequence[PublishedPlan], following: str | None, in_force: PublishedPlan | None) -> PlanPage:
        """Versions, the cursor of the next page, and the version in force, if one was ever published."""
        ref = (DEFAULT_PLAN if in_force is None else in_force.plan).ref
        return cls([ShownPlan.of(record) for record in records], following, ref)
