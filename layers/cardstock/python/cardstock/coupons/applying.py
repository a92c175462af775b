"""What chosen coupons take off an order. Pure: no port, no clock.

Percent coupons come first, then amounts; within a kind the group `category`, then `shop`, then `personal`. Each sees
what the coupons before it left. Freight coupons come last, off the freight.
"""

from collections.abc import Sequence

from cardstock.coupons import errors
from cardstock.coupons.model import GROUPS, KINDS, ChosenCoupon, CouponTerms, PricedLine, TakenOff
from cardstock.money import Fen, share, split


def apply_coupons(lines: Sequence[PricedLine], chosen: Sequence[ChosenCoupon]) -> tuple[TakenOff, ...]:
    """What the coupons take off the lines, in the sequence in which they do; freight coupons are left out.

    Never more than a line costs. Raises `RefusedError`: COUPONS_OF_ONE_GROUP for two of a group, freight coupons too;
    COUPON_NOT_FITTING for one that would take off nothing; COUPON_LEAST_SPEND with what is missing.
    """
    _require_one_of_each_group(chosen)
    rests = [line.fen for line in lines]
    taken = []
    for coupon in sorted((each for each in chosen if each.terms.group != "freight"), key=_turn):
        eligible = [rest if _covers(coupon.terms, line) else 0 for line, rest in zip(lines, rests, strict=True)]
        off = TakenOff(coupon.id, coupon.terms.group, _parts(coupon, eligible, eligible))
        rests = [rest - part for rest, part in zip(rests, off.parts, strict=True)]
        taken.append(off)
    return tuple(taken)


def apply_freight_coupon(
    lines: Sequence[PricedLine], taken: Sequence[TakenOff], freight: Sequence[Fen], coupon: ChosenCoupon
) -> TakenOff:
    """What a freight coupon takes off the parts of the freight. Its least spend is measured on its eligible lines after
    all other coupons.

    Raises `RefusedError` COUPON_NOT_FITTING if it would take off nothing, COUPON_LEAST_SPEND.
    """
    rests = [line.fen - sum(off.parts[at] for off in taken) for at, line in enumerate(lines)]
    eligible = [rest for line, rest in zip(lines, rests, strict=True) if _covers(coupon.terms, line)]
    return TakenOff(coupon.id, coupon.terms.group, _parts(coupon, eligible, freight))


def _parts(coupon: ChosenCoupon, spent: Sequence[Fen], payable: Sequence[Fen]) -> tuple[Fen, ...]:
    """What the coupon takes off `payable`, if enough is `spent`."""
    terms, whole = coupon.terms, sum(payable)
    if sum(spent) and (missing := terms.least - sum(spent)) > 0:
        raise errors.COUPON_LEAST_SPEND(coupon=coupon.id, missing_fen=missing)
    value = share(whole, terms.rate) if terms.kind == "percent" else terms.value
    off = min(value, terms.cap or value, whole) if sum(spent) else 0
    if not off:
        raise errors.COUPON_NOT_FITTING(coupon=coupon.id)
    return tuple(split(off, payable))


def _covers(terms: CouponTerms, line: PricedLine) -> bool:
    scope = terms.scope
    if line.activity and not terms.with_activities:
        return False
    if scope.suppliers and line.supplier_id not in scope.suppliers:
        return False
    if not scope.categories and not scope.products:
        return True
    return line.product_id in scope.products or not line.categories.isdisjoint(scope.categories)


def _turn(coupon: ChosenCoupon) -> tuple[int, int]:
    return KINDS.index(coupon.terms.kind), GROUPS.index(coupon.terms.group)


def _require_one_of_each_group(chosen: Sequence[ChosenCoupon]) -> None:
    groups = [coupon.terms.group for coupon in chosen]
    twice = sorted({group for group in groups if groups.count(group) > 1})
    if twice:
        raise errors.COUPONS_OF_ONE_GROUP(groups=twice)
