"""A synthetic shop: the history of its members and orders, drawn from a seed.

The history depends only on the `Market`, never on a plan: every plan gets the same members and orders, so that
differences between plans are differences of what they pay.
"""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from msgspec.structs import FieldInfo, fields

from cardstock.errors import Pointer
from cardstock.money import BPS_ONE, MAX_FEN, Bps, Fen, split
from cardstock.network import errors
from cardstock.network.model import OrderLine
from cardstock.network.plan import Plan
from cardstock.network.rewards import net_lines
from cardstock.network.simulation.steps import (
    History,
    MemberJoined,
    MemberLeft,
    OrderClosed,
    OrderPlaced,
    OrderReturned,
    OrderSettled,
    PartnerAppointed,
    Step,
)

Share = Annotated[Bps, Meta(ge=0, le=BPS_ONE)]


class Market(msgspec.Struct, frozen=True):
    """A synthetic shop. Shares in basis points, amounts in fen; equal markets give equal histories.

    Whether a member brings others is drawn at joining. A new member comes through any of those who do, or, for
    `star_bps` of the invitations, through one drawn in proportion to how many each has brought, as in real networks.
    """

    seed: Annotated[
        int,
        Meta(
            ge=0,
            le=2**53,
            examples=[1],
            description="Seed of the random draws: the same seed gives the same history.",
        ),
    ] = 1
    members: Annotated[int, Meta(ge=1, le=10_000_000, examples=[10_000], description="Members who join.")] = 10_000
    days: Annotated[int, Meta(ge=1, le=1_000, examples=[180], description="Days in which members join.")] = 180
    growth_bps: Annotated[
        Bps,
        Meta(
            ge=0,
            le=1_000,
            examples=[100],
            description="Daily growth of the number of joining members, in basis points.",
        ),
    ] = 100
    partners: Annotated[
        int, Meta(ge=0, le=1_000, examples=[10], description="Partners appointed at the beginning.")
    ] = 10
    organic_bps: Annotated[
        Share, Meta(examples=[1_000], description="Share of members who come without an inviter, in basis points.")
    ] = 1_000
    sharing_bps: Annotated[
        Share, Meta(examples=[2_500], description="Share of members who bring others, in basis points.")
    ] = 2_500
    star_bps: Annotated[
        Share,
        Meta(
            examples=[5_000],
            description="Share of invitations made in proportion to how many each member has brought, in basis points.",
        ),
    ] = 5_000
    verified_bps: Annotated[
        Share, Meta(examples=[6_000], description="Share of members who are verified, in basis points.")
    ] = 6_000
    conversion_bps: Annotated[
        Share, Meta(examples=[3_000], description="Share of members who buy the qualifying product, in basis points.")
    ] = 3_000
    decision_days: Annotated[
        int, Meta(ge=0, le=365, examples=[14], description="Longest time from joining to that order, in days.")
    ] = 14
    price: Annotated[
        Fen, Meta(ge=1, le=MAX_FEN, examples=[49_900], description="Price of the qualifying product in fen.")
    ] = 49_900
    basket: Annotated[
        Fen, Meta(ge=2, le=MAX_FEN, examples=[20_000], description="Mean value of an order's other goods, in fen.")
    ] = 20_000
    """Values vary from half to one and a half times as much."""
    extra_bps: Annotated[
        Share, Meta(examples=[2_000], description="Share of qualifying orders with other goods, in basis points.")
    ] = 2_000
    repeat_bps: Annotated[
        Bps,
        Meta(ge=0, le=9_000, examples=[4_000], description="Share of orders followed by another one, in basis points."),
    ] = 4_000
    """The next order is of other goods, within 15 to 45 days."""
    coupon_bps: Annotated[
        Share,
        Meta(examples=[2_000], description="Share of orders with a coupon of a tenth of their value, in basis points."),
    ] = 2_000
    refund_bps: Annotated[
        Share, Meta(examples=[800], description="Share of orders with a refund, in basis points.")
    ] = 800
    partial_bps: Annotated[
        Share, Meta(examples=[3_000], description="Share of refunds that are partial, in basis points.")
    ] = 3_000
    late_bps: Annotated[
        Share, Meta(examples=[500], description="Share of refunds after the return window, in basis points.")
    ] = 500
    """These refunds are also after the freeze."""
    receive_days: Annotated[
        int, Meta(ge=0, le=90, examples=[3], description="Days from the payment to the receipt.")
    ] = 3
    goods_bps: Annotated[
        Share,
        Meta(examples=[4_000], description="Cost of the goods, in basis points of what is paid for them."),
    ] = 4_000
    unlock_cost: Annotated[
        Fen,
        Meta(
            ge=0,
            le=MAX_FEN,
            examples=[2_000],
            description="What one coupon of an `unlock` plan costs the brand, in fen.",
        ),
    ] = 2_000


def check_market(market: Market) -> Market:
    """`market`. Raises `InvalidError` MARKET_INVALID naming every parameter out of its range."""
    wrong = tuple(
        Pointer(f"/{field.name}", "range")
        for field in fields(Market)
        if not _admits(field, getattr(market, field.name))
    )
    if wrong:
        raise errors.MARKET_INVALID(pointers=wrong)
    return market


def _admits(field: FieldInfo, value: int) -> bool:
    try:
        msgspec.convert(value, field.type)
    except msgspec.ValidationError:
        return False
    return True


BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
_BASKETS: Final = 64
"""Number of different baskets of each kind; they are reused."""


def synthetic(market: Market, plan: Plan) -> History:
    """The history of a synthetic shop; `plan` only determines how long its orders wait to settle."""
    check_market(market)
    return _Shop(market, plan.waits_days).steps()


class _Visit(msgspec.Struct, frozen=True):
    """A future visit in which a member places an order."""

    member_id: str
    first: bool
    shares: bool
    until: int = 0
    """The day on which the member's last order so far is closed."""


class _Shop:
    def __init__(self, market: Market, wait: int) -> None:
        self.market = market
        self.wait = wait
        self.bits = Random(market.seed).getrandbits  # noqa: S311 - the draw must be repeatable
        self.organic, self.star, self.sharing, self.conversion, self.verified = (
            (share << 32) // BPS_ONE
            for share in (
                market.organic_bps,
                market.star_bps,
                market.sharing_bps,
                market.conversion_bps,
                market.verified_bps,
            )
        )
        self.due: dict[int, list[Step | _Visit]] = {}
        self.orders = 0
        self.dates: list[datetime] = []
        self.baskets = [self.basket(kit=number < _BASKETS) for number in range(2 * _BASKETS)]

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        return self.bits(32) * limit >> 32

    def happens(self, share: Bps) -> bool:
        return self.bits(32) * BPS_ONE >> 32 < share

    def date(self, day: int) -> datetime:
        while len(self.dates) <= day:
            self.dates.append(BEGINNING + timedelta(days=len(self.dates)))
        return self.dates[day]

    def later(self, day: int, step: Step | _Visit) -> None:
        if day in self.due:
            self.due[day].append(step)
        else:
            self.due[day] = [step]

    def basket(self, *, kit: bool) -> tuple[OrderLine, ...]:
        market = self.market
        values = [market.price] if kit else []
        if not kit or self.happens(market.extra_bps):
            whole = market.basket // 2 + self.below(market.basket + 1)
            part = self.below(whole)
            values += [whole - part, part] if part else [whole]
        coupon = sum(values) // 10 if self.happens(market.coupon_bps) else 0
        return tuple(
            OrderLine("kit" if kit and not index else f"goods{index}", 1, net, qualifying=kit and not index)
            for index, net in enumerate(net_lines(values, coupon))
        )

    def steps(self) -> History:
        market = self.market
        promoters = [f"p{number}" for number in range(market.partners)]
        for partner in promoters:
            yield PartnerAppointed(partner, self.date(0))
        weights = [1_000_000]
        for _ in range(market.days - 1):
            weights.append(weights[-1] * (BPS_ONE + market.growth_bps) // BPS_ONE)
        brought: list[int] = []
        number = 0
        for day, joining in enumerate(split(market.members, weights)):
            for _ in range(joining):
                yield self.joined(f"m{number}", day, promoters, brought)
                number += 1
            yield from self.happening(day)
        while self.due:
            yield from self.happening(min(self.due))

    def joined(self, member_id: str, day: int, promoters: list[str], brought: list[int]) -> MemberJoined:
        """Draw a new member. `promoters` are all who bring others; `brought` has a promoter's index for each
        invitation."""
        bits = self.bits
        inviter_id = None
        if promoters and bits(32) >= self.organic:
            if bits(32) < self.star and brought:
                index = brought[bits(32) * len(brought) >> 32]
            else:
                index = bits(32) * len(promoters) >> 32
            brought.append(index)
            inviter_id = promoters[index]
        shares, buys, verified = bits(32) < self.sharing, bits(32) < self.conversion, bits(32) < self.verified
        if shares:
            promoters.append(member_id)
        if buys:
            decides = bits(32) * (self.market.decision_days + 1) >> 32
            self.later(day + decides, _Visit(member_id, True, shares))
        return MemberJoined(member_id, inviter_id, self.date(day), verified, not (shares or buys))

    def happening(self, day: int) -> History:
        for step in self.due.pop(day, ()):
            if isinstance(step, _Visit):
                yield self.placed(step, day)
            else:
                yield step

    def placed(self, visit: _Visit, day: int) -> OrderPlaced:
        """The order of a visit. Its later steps are drawn now."""
        market = self.market
        basket = self.below(_BASKETS) + (0 if visit.first else _BASKETS)
        lines = self.baskets[basket]
        self.orders += 1
        order_id = f"o{self.orders}"
        settles = day + market.receive_days + self.wait
        last = settles
        if self.happens(market.refund_bps):
            late, part = self.happens(market.late_bps), self.happens(market.partial_bps)
            # The day does not depend on the plan, except for a refund after the plan's waiting days.
            spread = self.below(30)
            back = settles + 1 + spread if late else day + 1 + spread * (market.receive_days + 7) // 30
            net = sum(line.net for line in lines)
            fen = max(1, net * (1 + self.below(9)) // 10) if part and net else None
            if net:
                self.later(back, OrderReturned(order_id, self.date(back), fen))
                last = max(last, back)
        self.later(settles, OrderSettled(order_id, self.date(settles)))
        self.later(last, OrderClosed(order_id))
        last = max(last, visit.until)
        if self.happens(market.repeat_bps):
            self.later(day + 15 + self.below(31), _Visit(visit.member_id, False, visit.shares, last))
        elif not visit.shares:
            self.later(last, MemberLeft(visit.member_id))
        return OrderPlaced(order_id, visit.member_id, lines, self.date(day), basket=basket)
