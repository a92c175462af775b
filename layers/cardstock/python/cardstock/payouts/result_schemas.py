"""The bank's results as JSON. Amounts are fen."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, field

from cardstock.edge.http import OPTIONAL_LINE, Model
from cardstock.errors import NOT_FOUND
from cardstock.payouts import errors
from cardstock.payouts.bringing import Brought, BroughtLine
from cardstock.payouts.line_schemas import Number, PayoutId
from cardstock.payouts.results import BroughtResults
from cardstock.payouts.transfer_answers import Answer

RESULT_CODES = (
    NOT_FOUND,
    errors.PAYOUT_NOT_SENT,
    errors.PAYOUT_CHANGED,
    errors.CHANNEL_SPEAKS_ITSELF,
    errors.RESULTS_BY_APPROVER,
    errors.RESULTS_DIFFER,
    errors.RESULTS_FILE_INVALID,
    errors.TRANSFER_UNKNOWN,
    errors.TRANSFER_WAITS,
    errors.FAILURE_BY_CHANNEL,
)


class ResultsQuery(Model):
    """How a file answers."""

    part: Annotated[
        bool,
        Meta(description="Whether a CSV answers only some of the transfers; otherwise it must answer all of them."),
    ] = False


class BroughtResult(Model):
    """What the bank says about one transfer."""

    number: Number
    result: Annotated[
        Literal["paid", "failed", "expired"],
        Meta(description="Result of the transfer; `expired`: the payee did not accept it in time."),
    ]
    reason: (
        Annotated[
            str,
            Meta(
                max_length=64,
                pattern=OPTIONAL_LINE,
                examples=["ACCOUNT_CLOSED"],
                description="The bank's reason; absent if it gave none.",
            ),
        ]
        | None
    ) = None
    amount_fen: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=10**13,
                description="Fen that reached the payee: the transfer's `net_fen`; absent if the bank does not say.",
                examples=[18_360],
            ),
        ]
        | None
    ) = None
    holder: (
        Annotated[
            str,
            Meta(
                max_length=64,
                pattern=OPTIONAL_LINE,
                description="Holder whom the bank names: the name in the file that was sent; absent if it names none.",
                examples=["张伟"],
            ),
        ]
        | None
    ) = None


class BringResults(Model):
    """Results of transfers."""

    results: Annotated[list[BroughtResult], Meta(max_length=500, description="Results, one for each transfer.")] = (
        field(default_factory=list)
    )
    all_others_paid: Annotated[bool, Meta(description="Whether every transfer without a result was paid.")] = False

    lines: (
        Annotated[
            int,
            Meta(
                ge=0,
                description="Number of transfers in the file that was sent; needed with `all_others_paid`.",
                examples=[12],
            ),
        ]
        | None
    ) = None
    net_fen: (
        Annotated[int, Meta(ge=0, description="Their sum in fen; needed with `all_others_paid`.", examples=[401_300])]
        | None
    ) = None

    def brought(self, source: str, at: datetime) -> Brought:
        """The results as answers about transfers, brought by `source`."""
        results = [
            BroughtLine(Answer(one.number, one.result, at, source, one.reason, one.amount_fen), one.holder)
            for one in self.results
        ]
        return Brought(results, self.all_others_paid, self.lines, self.net_fen)


class TakenResults(Model):
    """How many results were news."""

    payout_id: PayoutId
    recorded: Annotated[int, Meta(description="New results; they are applied within moments.", examples=[12])]
    repeated: Annotated[int, Meta(description="Results that were known before.", examples=[0])]

    @classmethod
    def of(cls, payout_id: str, brought: BroughtResults) -> TakenResults:
        return cls(payout_id, brought.recorded, brought.repeated)
