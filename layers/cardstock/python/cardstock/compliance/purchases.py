"""Check purchases: hold the rewards of related-party purchases and of stocking up, and lift a hold.

An order is checked when it is paid, and again before its rewards are released: the result depends on the log,
not on the order of messages. Every verb may be repeated and changes nothing then.
"""

from collections.abc import Callable
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.approving import Confirm, MoneyStep
from cardstock.compliance.model import STOCKING_DAYS, Hold, HoldReason, Identity, Lift, Purchase
from cardstock.compliance.ports import Holds, Identities, PurchaseLog
from cardstock.errors import NOT_FOUND, REASON_MISSING


class CheckNeeds(msgspec.Struct, frozen=True):
    """The ports of the checks. `stocking_units`: the most units that one buyer may buy in `STOCKING_DAYS`."""

    log: PurchaseLog
    identities: Identities
    holds: Holds
    stocking_units: int


def log_and_check(purchase: Purchase, needs: CheckNeeds) -> Hold | None:
    """Log a paid order, and hold its rewards if it is suspicious. Returns the open hold, if any."""
    needs.log.log_purchase(purchase)
    return check_purchase(purchase, needs)


def check_purchase(purchase: Purchase, needs: CheckNeeds) -> Hold | None:
    """The open hold of an order, stored now if the purchases logged since require one. A lifted one stays lifted.

    Related: the order's payer or device was on another person's order (other than the buyer's own referrals), or the
    buyer's payer account or person is that of a member who earns on it. Payer and device are compared only where the
    payment channel names them. Stocking up: more than `stocking_units` units
    in `STOCKING_DAYS`, this order's included. An order on which nobody earns is never held. Members who are one person
    buy as one.
    """
    if not purchase.earners:
        return None
    known = needs.holds.find_hold(purchase.order_id)
    if known is not None:
        return known if known.state == "open" else None
    found = _reasons(purchase, needs)
    if not found:
        return None
    others = sorted({member_id for members in found.values() for member_id in members})
    hold = Hold(purchase.order_id, tuple(found), tuple(others), clock.now())
    needs.holds.save_new_hold(hold)
    return hold


def lift_hold(
    order_id: str, actor: str, reason: str, *, confirm: Confirm, holds: Holds, resume: Callable[[str], None]
) -> Hold:
    """Lift the hold of an order; `resume` schedules the release of its rewards. A repeat changes nothing.

    `confirm` asks the phone of `actor`. Raises `NotFoundError`, `RefusedError` (REASON_MISSING), and what it raises.
    """
    if not reason.strip():
        raise REASON_MISSING()
    hold = holds.find_hold(order_id)
    if hold is None:
        raise NOT_FOUND()
    if hold.state == "lifted":
        return hold
    use = confirm(MoneyStep("lift_hold", hold.order_id, hold.state, count=1))
    # First, because a scheduled order that is still held only waits again, while a lifted order that was never
    # scheduled would wait for ever.
    resume(order_id)
    lifted = replace(hold, state="lifted", lifted=Lift(actor, clock.now(), reason))
    return lifted if holds.save_lifted_hold(lifted, use) else holds.find_hold(order_id) or lifted


def _reasons(purchase: Purchase, needs: CheckNeeds) -> dict[HoldReason, set[str]]:
    """Reason -> the members who share a mark or an identity with the purchase."""
    known = needs.identities.identities_of({purchase.buyer_id, *purchase.earners})
    nobody = Identity("", "")
    buyer = known.get(purchase.buyer_id, nobody)
    earners = [known.get(member_id, nobody) for member_id in purchase.earners]
    own_accounts = {earner.member_id for earner in earners if purchase.payer and earner.account == purchase.payer}
    own = frozenset((purchase.buyer_id, *buyer.same_person))
    candidates: dict[HoldReason, set[str]] = {
        "same_payer": _others_with_mark(purchase.payer, own, needs.log) | own_accounts,
        "same_device": _others_with_mark(purchase.device, own, needs.log),
        "same_person": {
            earner.member_id
            for earner in earners
            if earner.member_id in own or (earner.person and earner.person == buyer.person)
        },
    }
    found = {reason: members for reason, members in candidates.items() if members}
    since = purchase.paid_at - timedelta(days=STOCKING_DAYS)
    units = sum(needs.log.units_bought(member_id, since, purchase.paid_at) for member_id in sorted(own))
    if units > needs.stocking_units:
        found["stocking_up"] = set()
    return found


def _others_with_mark(mark: str, own: frozenset[str], log: PurchaseLog) -> set[str]:
    """Other persons' members who used this payer or device, excluding the buyer's own referrals: the mark is the
    buyer's own, and the referrals' orders are held for it. `own` are the buyer's members."""
    if not mark:
        return set()
    seen = log.buyers_with_mark(mark)
    return {member_id for member_id, earners in seen.items() if member_id not in own and own.isdisjoint(earners)}
