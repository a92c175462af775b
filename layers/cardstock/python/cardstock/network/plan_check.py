"""The compliance check at publishing: each finding refuses a plan, with the clause, or asks for a named approval.

It is no legal opinion. Two-level plans have been fined in China; `unlock` is the preset without cash.
Sources: Regulation on the Prohibition of Pyramid Selling (State Council order 444, 2005), article 7; Regulation on
Direct Selling (order 443, 2005), article 24; Consumer Rights Protection Law, article 25.
"""

from collections.abc import Sequence
from typing import Final

from cardstock.network.model import OrderLine, Person, Snapshot
from cardstock.network.plan import Approval, Check, Finding, Plan, Verdict
from cardstock.network.rewards import rewards_for

MAX_CAP_BPS: Final = 3000
MIN_RETURN_DAYS: Final = 7
PYRAMID_WORDS: Final = ("直推奖", "见点奖", "报单奖", "躺赚")
"""Names of rewards on the authorities' warning lists; our texts must not use them."""

_HEADS = "《禁止传销条例》第七条第（一）项 / Prohibition of Pyramid Selling art. 7(1): pay by people brought in"
_ENTRY = "《禁止传销条例》第七条第（二）项 / Prohibition of Pyramid Selling art. 7(2): a purchase as the entrance fee"
_TEAMS = "《禁止传销条例》第七条第（三）项 / Prohibition of Pyramid Selling art. 7(3): pay by the sales of a line below"
_CAP = "《直销管理条例》第二十四条 / Direct Selling art. 24: all rewards at most 30 % of the sale"
_RETURN = "《消费者权益保护法》第二十五条 / Consumer Rights art. 25: seven days to return"
_OWN = "Cardstock: a plan must say one thing"


def check(plan: Plan, approvals: Sequence[Approval] = ()) -> tuple[Finding, ...]:
    """The findings on a plan, in a fixed order; none if it passes.

    An approval counts only for its own check, and needs a name and a reason. Nobody can approve a `refused` check.
    """
    named = {approval.check: approval for approval in approvals if approval.by.strip() and approval.reason.strip()}
    findings = []
    for failed, what, verdict, clause, found, passes in _checks(plan):
        if failed:
            approval = named.get(what) if verdict == "needs_approval" else None
            findings.append(Finding(what, "approved" if approval else verdict, clause, found, passes, approval))
    return tuple(findings)


def _checks(plan: Plan) -> tuple[tuple[bool, Check, Verdict, str, str, str], ...]:
    cash, two_levels, peer = plan.benefit == "cash", plan.max_levels == 2, plan.peer_bps > 0
    amounts = (plan.direct_distributor.value, plan.direct_partner.value, plan.team.value, plan.peer_bps)
    no_cap = plan.cap_bps is None or plan.cap_bps > MAX_CAP_BPS
    cap = f"cap_bps={'none' if plan.cap_bps is None else plan.cap_bps} worst_bps={worst_bps(plan) if no_cap else 0}"
    heads = f"promote_n={plan.promote_n}"
    words = [word for word in PYRAMID_WORDS if word in plan.title]
    benefit = f"benefit={plan.benefit} benefit_n={plan.benefit_n}"
    no_benefit = cash == (plan.benefit_n > 0)
    pays_anyway = not cash and any((*amounts, plan.dividend_bps))
    coupon = plan.benefit_coupon > 0 and plan.benefit != "unlock"
    survives = plan.promote_on == "paid" and plan.on_refund == "keep"
    shown = f"max_levels={plan.max_levels} team={plan.team.value}"
    shown_peer = f"max_levels={plan.max_levels} peer_bps={plan.peer_bps}"
    days = f"freeze_days={plan.freeze_days} return_days={plan.return_days}"
    return (
        (no_benefit, "benefit", "refused", _OWN, benefit, "benefit_n=0 with cash, benefit_n>=1 without"),
        (pays_anyway, "benefit", "refused", _OWN, f"{benefit} and cash", "all amounts 0, or benefit=cash"),
        (coupon, "benefit", "refused", _OWN, f"{benefit} benefit_coupon={plan.benefit_coupon}", "benefit_coupon=0"),
        (not two_levels and plan.team.value > 0, "levels", "refused", _TEAMS, shown, "team=0, or max_levels=2"),
        (two_levels, "levels", "needs_approval", _TEAMS, shown, "max_levels=1 team=0"),
        (peer and not two_levels, "peer", "refused", _TEAMS, shown_peer, "peer_bps=0, or max_levels=2"),
        (peer and two_levels, "peer", "needs_approval", _TEAMS, shown_peer, "peer_bps=0"),
        (plan.earners == "qualified", "fee", "needs_approval", _ENTRY, "earners=qualified", "earners=anyone"),
        (
            survives,
            "role_survives_return",
            "refused",
            _ENTRY,
            "promote_on=paid on_refund=keep",
            "promote_on=settled, or on_refund=demote",
        ),
        (no_cap, "cap", "needs_approval", _CAP, cap, f"cap_bps<={MAX_CAP_BPS}"),
        (plan.promote_n > 0 and cash, "head_count", "needs_approval", _HEADS, heads, "promote_n=0"),
        (plan.promote_n > 0 and not cash, "head_count", "warning", _HEADS, heads, "promote_n=0"),
        (
            plan.return_days < MIN_RETURN_DAYS,
            "return_window",
            "refused",
            _RETURN,
            days,
            f"return_days>={MIN_RETURN_DAYS}",
        ),
        (plan.freeze_days < plan.return_days, "freeze", "refused", _RETURN, days, f"freeze_days>={plan.return_days}"),
        (
            plan.dividend_bps > 0,
            "dividend",
            "needs_approval",
            _TEAMS,
            f"dividend_bps={plan.dividend_bps}",
            "dividend_bps=0",
        ),
        (bool(words), "words", "warning", _HEADS, f"title has {' '.join(words)}", "another title"),
    )


def blocks(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings that prevent publishing."""
    return tuple(finding for finding in findings if finding.verdict in ("refused", "needs_approval"))


def worst_bps(plan: Plan) -> int:
    """The highest cost of one unit at the plan's reference price, in basis points of it, rounded up."""
    lines = (OrderLine("reference", 1, plan.price, qualifying=True),)
    peer = Person("peer", "partner")
    worst = 0
    for referrer in (Person("referrer", "partner"), Person("referrer", "distributor"), None):
        owner = referrer if referrer is not None and referrer.role == "partner" else Person("owner", "partner")
        snapshot = Snapshot(plan.id, plan.version, referrer=referrer, owner=owner, peer=peer)
        worst = max(worst, sum(reward.amount for reward in rewards_for(lines, snapshot, plan)))
    return -(-worst * 10_000 // plan.price)
