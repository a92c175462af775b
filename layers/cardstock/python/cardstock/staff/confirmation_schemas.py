"""Confirmations as JSON, for the phone."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Iterable
from typing import Annotated, Final

from msgspec import Meta

from cardstock.approving import WORDS, Action
from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment
from cardstock.edge.http import Model
from cardstock.staff.confirmation_model import Confirmation, ConfirmationState, Reply

MOST_SHOWN: Final = 100


class ConfirmationView(Model):
    """A step of money that waits for the phone, or was answered there."""

    confirmation_id: Annotated[
        str,
        Meta(
            description="Opaque id; starts with `cfm_`. Another sum, count or version is another confirmation.",
            examples=["cfm_01kbdxdh50fcazdjhcnqh2rzv5"],
        ),
    ]
    action: Annotated[Action, Meta(description="What is done after a yes.")]
    what: Annotated[str, Meta(description="The same in words.", examples=["Approve a payout"])]
    subject: Annotated[str, Meta(description="What it is done to.", examples=["po_2026-11"])]
    amount_fen: Annotated[int | None, Meta(description="The sum; null where the step has none of its own.")]
    count: Annotated[
        int | None, Meta(description="Of how many transfers, orders or members; null where that is not known.")
    ]
    asked_by: Annotated[
        str,
        Meta(description="Name of the API key, or browser of the session, that asks.", examples=["laptop of finance"]),
    ]
    asked_at: Annotated[Moment, Meta(description="When it was asked for.")]
    expires_at: Annotated[Moment, Meta(description="Until when it can be answered, and the step be done.")]
    state: Annotated[
        ConfirmationState,
        Meta(description="`asked`: waits for an answer. `used`: answered yes, and the step is done."),
    ]

    @classmethod
    def of(cls, found: Confirmation, language: str) -> ConfirmationView:
        """`found` for the linked member, in `zh` or `en`."""
        step = found.step
        return cls(
            found.id, step.action, WORDS[step.action][language == "en"], step.subject, step.amount, step.count,
            found.asked_by, rfc3339(found.asked_at), rfc3339(found.expires_at), found.state,
        )  # fmt: skip


class PendingConfirmations(Model):
    """The steps that wait for the phone now."""

    items: Annotated[
        list[ConfirmationView], Meta(description=f"Oldest first, at most {MOST_SHOWN}; ask again after answering.")
    ]

    @classmethod
    def of(cls, found: Iterable[Confirmation], language: str) -> PendingConfirmations:
        """`found` for the linked member, in `zh` or `en`."""
        return cls([ConfirmationView.of(each, language) for each in found][:MOST_SHOWN])


class AnswerConfirmation(Model):
    """What the member says."""

    answer: Annotated[Reply, Meta(description="`yes`: the step may be done. `no`: it is not done.")]
