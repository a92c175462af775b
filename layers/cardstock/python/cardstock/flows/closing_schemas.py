"""The JSON of closing an account."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import Day, Moment, OrderId
from cardstock.edge.http import LINE, Model
from cardstock.errors import CHANNEL_UNAVAILABLE, MEMBER_ERASED
from cardstock.members import errors
from cardstock.members.closing_model import GiveUp
from cardstock.orders.errors import CHANNEL_MISCONFIGURED
from cardstock.payouts.wording import REASON
from cardstock.retention import RetentionKey

if TYPE_CHECKING:
    from cardstock.flows.closing import Standing
    from cardstock.retention import Kept

CLOSING_CODES: Final = (
    errors.ORDERS_OPEN,
    errors.REFUNDS_OPEN,
    errors.DEBT_OPEN,
    errors.GIVE_UP_DIFFERS,
    errors.LINKED_TO_STAFF,
    CHANNEL_UNAVAILABLE,
    CHANNEL_MISCONFIGURED,
    MEMBER_ERASED,
    errors.SESSION_ENDED,
)


class GiveUpBalance(Model):
    """What the member gives up, and the member's own words for it."""

    amount_fen: Annotated[
        int, Meta(ge=1, le=10**12, description="Exactly what is available (`available_fen`).", examples=[300])
    ]
    words: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=LINE,
            description="What the member says, kept with the entry in the ledger.",
            examples=["我放弃这笔余额"],
        ),
    ]


class CloseAccount(Model):
    """How the account is closed. Without `give_up` money that can be paid is waited for."""

    give_up: Annotated[
        GiveUpBalance | None, Meta(description="What the member gives up; absent: nothing is given up.")
    ] = None

    def given_up(self) -> GiveUp | None:
        """What the member gives up, if anything."""
        return None if self.give_up is None else GiveUp(self.give_up.amount_fen, self.give_up.words)


class KeptAfterClosing(Model):
    """Data that stays of a closed account."""

    kind: Annotated[RetentionKey, Meta(description="The class of data, as in `infra/PRIVACY.md`.")]
    what: Annotated[str, Meta(description="What stays, in the language of the request.", examples=["同意与撤回的记录"])]
    until: Annotated[
        Day | None, Meta(description="Until when; null: for good, under an id that leads to nobody any more.")
    ]
    clause: Annotated[
        str,
        Meta(description="The clause, in the language of the request.", examples=["《民法典》第一百八十八条"]),
    ]

    @classmethod
    def of(cls, kept: Kept, language: str) -> KeptAfterClosing:
        """What stays."""
        until = None if kept.until is None else kept.until.isoformat()
        return cls(kept.key, kept.what.of(language), until, kept.clause.of(language))


class Closing(Model):
    """How closing the account stands."""

    state: Annotated[
        Literal["open", "waiting", "closed"],
        Meta(
            description="`open`: not asked for. `waiting`: until `again_at`, or until nothing is open and its money "
            "has moved (`frozen_fen`, `paying_fen`, `available_fen`); then the night closes it. `closed`: for good."
        ),
    ]
    asked_at: Annotated[Moment | None, Meta(description="When it was asked for first; null before.")]
    again_at: Annotated[
        Moment | None,
        Meta(
            description="From when on the account can be closed, by the next night or the same call; null while "
            "something else is waited for."
        ),
    ]
    open_orders: Annotated[
        list[OrderId], Meta(description="Orders that must be completed, cancelled or wholly refunded first.")
    ]
    open_refunds: Annotated[list[OrderId], Meta(description="Orders with refunds that have not ended.")]
    debt_fen: Annotated[int, Meta(description="Fen that the account owes.", examples=[0])]
    frozen_fen: Annotated[int, Meta(description="Fen of rewards that wait for return windows.", examples=[0])]
    paying_fen: Annotated[int, Meta(description="Fen in a payout on its way.", examples=[0])]
    available_fen: Annotated[int, Meta(description="Fen that are available.", examples=[300])]
    unpayable: Annotated[
        str | None,
        Meta(
            description="Why the next payout would not pay what is available, in the language of the request; null if "
            "it would, or if nothing is available. What ends by itself or by people (a payout that has not ended, "
            "a hold, a contradiction, a debt of a closed account) is waited for; other money is set aside as "
            "unclaimed when the account closes.",
            examples=["低于最低发放额"],
        ),
    ]
    given_up_fen: Annotated[
        int | None,
        Meta(
            description="Fen that the member gives up, by the last call that was not refused; of a closed account: "
            "what was given up. Null: nothing.",
            examples=[300],
        ),
    ]
    give_up_differs: Annotated[
        str | None,
        Meta(
            description="Why that sum is not given up, in the language of the request: another sum is available by "
            "now. The account waits until a call names that one, or gives up nothing. Null if the sum is right.",
            examples=["放弃的金额须等于可提现余额 500 分。"],
        ),
    ]
    kept: Annotated[
        list[KeptAfterClosing],
        Meta(description="What stays of the account once it is closed, if that is today. All else is erased."),
    ]

    @classmethod
    def of(cls, found: Standing, language: str) -> Closing:
        """How a closing stands."""
        balance = found.balance
        return cls(
            state=found.state,
            asked_at=rfc3339(found.asked_at) if found.asked_at else None,
            again_at=rfc3339(found.again_at) if found.again_at else None,
            open_orders=list(found.orders),
            open_refunds=list(found.refunds),
            debt_fen=balance.debt,
            frozen_fen=balance.frozen,
            paying_fen=balance.paying,
            available_fen=balance.available,
            given_up_fen=found.give_up.amount if found.give_up else None,
            give_up_differs=errors.GIVE_UP_DIFFERS.text({"available_fen": balance.available}, language)
            if found.differs
            else None,
            unpayable=REASON[found.reason][language == "en"] if found.reason else None,
            kept=[KeptAfterClosing.of(each, language) for each in found.kept],
        )
