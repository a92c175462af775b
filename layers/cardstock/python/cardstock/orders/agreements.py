"""Payment agreements: ask for one, have it signed, end it, and pay an order under it when the member asks for that."""

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.clock import brand_day
from cardstock.errors import NOT_FOUND, STORE_BUSY, CardstockError, Pointer
from cardstock.ids import new_id
from cardstock.money import CURRENCY, Fen
from cardstock.orders import errors
from cardstock.orders.agreement_model import (
    AGREEMENT_ID,
    AGREEMENT_LIFETIME,
    MAX_CHARGES,
    MAX_OPEN,
    Agreement,
    AgreementState,
    Bounds,
    SigningParameters,
)
from cardstock.orders.change_model import Finding, Step
from cardstock.orders.model import MAX_PAY_NOS, Order
from cardstock.orders.payment import end_payment, record_payment, require_waiting
from cardstock.orders.payment_model import PaymentNotice
from cardstock.orders.ports import Agreements, Orders, PaymentAgreements
from cardstock.orders.steps import ATTEMPTS, PLATFORMS, Channels, channels_in, find_order

AgreementChannels: TypeAlias = Mapping[str, PaymentAgreements]
"""The channels that charge members under agreements, by name."""
AgreementOutcome: TypeAlias = Literal["signed", "ended", "repeated", "unknown"]
_NEVER: Final = frozenset(
    {"AGREEMENT_ENDED", "BALANCE_SHORT", "CHARGE_OVER_LIMIT", "CHARGE_OVER_DAY", "PAYMENT_CLOSED"}
)
"""With these a channel has said that it takes nothing for the order."""


class AgreementNeeds(msgspec.Struct, frozen=True):
    """The ports of agreements. `bounds` is only called to ask for one: the most that members may agree to."""

    agreements: Agreements
    channels: AgreementChannels
    bounds: Callable[[], Bounds]


class ChargeNeeds(msgspec.Struct, frozen=True):
    """The ports of a charge. `payments` are all payment channels."""

    orders: Orders
    agreeing: AgreementNeeds
    payments: Channels

    @property
    def agreements(self) -> Agreements:
        """The stored agreements."""
        return self.agreeing.agreements


class Charged(msgspec.Struct, frozen=True):
    """An order after its charge: `paid`, or `open` until its channel says how the charge has ended."""

    order_id: str
    status: Literal["paid", "open"]


def ask_agreement(
    member_id: str, app: str, channel: str, most: Bounds, needs: AgreementNeeds
) -> tuple[Agreement, SigningParameters]:
    """An agreement to be signed at its channel, with what the client needs for that.

    `most` is what the member chooses within the bounds of the deployment. A repeat answers the first agreement while
    that is not signed. Raises `InvalidError` CHANNEL_UNKNOWN, `ConflictError` APP_DIFFERS (the log-in names no app, or
    another platform's), `RefusedError` AGREEMENTS_NOT_OFFERED (a platform's channel), AGREEMENT_BOUNDS or
    AGREEMENTS_TOO_MANY, and `UnavailableError` if the channel gives no usable
    answer.
    """
    if channel not in needs.channels:
        if channel in PLATFORMS:
            raise errors.AGREEMENTS_NOT_OFFERED()
        raise errors.CHANNEL_UNKNOWN(pointers=(Pointer("/channel", "CHANNEL_UNKNOWN"),))
    if not app or channel not in channels_in(app, needs.channels):
        raise errors.APP_DIFFERS(pointers=(Pointer("/channel", "APP_DIFFERS"),))
    bounds = needs.bounds()
    if most.charge_fen > bounds.charge_fen or most.day_fen > bounds.day_fen or most.charge_fen > most.day_fen:
        raise errors.AGREEMENT_BOUNDS(charge_fen=bounds.charge_fen, day_fen=bounds.day_fen)
    now = clock.now()
    held = [each for each in needs.agreements.agreements_of(member_id) if each.status != "ended"]
    wanted = (channel, app, "asked", most.charge_fen, most.day_fen)
    for each in held:
        if (each.channel, each.app, each.status, each.charge_fen, each.day_fen) == wanted and not each.is_over(now):
            return each, needs.channels[channel].prepare_signing(each)
    if len(held) >= MAX_OPEN:
        raise errors.AGREEMENTS_TOO_MANY(limit=MAX_OPEN)
    made = Agreement(
        agreement_id=new_id("agr", now),
        member_id=member_id,
        channel=channel,
        app=app,
        status="asked",
        charge_fen=most.charge_fen,
        day_fen=most.day_fen,
        asked_at=now,
        ends_at=now + AGREEMENT_LIFETIME,
    )
    if not needs.agreements.store_agreement(made):
        raise STORE_BUSY()
    return made, needs.channels[channel].prepare_signing(made)


def record_state(state: AgreementState, channel: str, *, agreements: Agreements) -> AgreementOutcome:
    """Record what a channel says of an agreement. Safe to repeat, and in any sequence: what has ended stays ended.

    `unknown`: there is no such agreement, or it is another channel's.
    """
    for _ in range(ATTEMPTS):
        stored = agreements.find_agreement(state.agreement_no) if AGREEMENT_ID.fullmatch(state.agreement_no) else None
        if stored is None or stored.channel != channel:
            return "unknown"
        changed = _after(stored, state)
        if changed is None:
            return "repeated"
        if agreements.store_agreement(changed):
            return "ended" if changed.status == "ended" else "signed"
    raise STORE_BUSY()


def check_agreement(member_id: str, agreement_id: str, needs: AgreementNeeds) -> Agreement:
    """The member's agreement, after asking its channel how it stands. Safe to repeat.

    Raises `NotFoundError`, `InvalidError` CHANNEL_UNKNOWN (not set up any more), and `UnavailableError` if the channel
    gives no usable answer.
    """
    found = find_agreement(member_id, agreement_id, needs.agreements)
    if found.status == "ended":
        return found
    record_state(_channel(found, needs.channels).ask(found), found.channel, agreements=needs.agreements)
    return find_agreement(member_id, agreement_id, needs.agreements)


def end_agreement(member_id: str, agreement_id: str, needs: AgreementNeeds) -> Agreement:
    """End the member's agreement, here at once and then at its channel. Safe to repeat: until the channel has ended it
    the agreement is `ending`, and a repeat goes on.

    Raises as `check_agreement` does.
    """
    for _ in range(ATTEMPTS):
        found = find_agreement(member_id, agreement_id, needs.agreements)
        if found.status == "ended":
            return found
        if found.status != "ending":
            found = replace(found, status="ending", ended_by="member", version=found.version + 1)
            if not needs.agreements.store_agreement(found):
                continue
        _channel(found, needs.channels).end(found)
        ended = replace(found, status="ended", ended_at=clock.now(), version=found.version + 1)
        if needs.agreements.store_agreement(ended):
            return ended
    raise STORE_BUSY()


def end_all(member_id: str, needs: AgreementNeeds, *, orders: Orders) -> None:
    """End every agreement of the member. Safe to repeat.

    One of a channel that is not set up any more has ended here, and an open item asks people to end it at the channel.
    Raises `UnavailableError` while a channel has not ended one: repeat it.
    """
    for each in needs.agreements.agreements_of(member_id):
        if each.status == "ended":
            continue
        if each.channel in needs.channels:
            end_agreement(member_id, each.agreement_id, needs)
        else:
            _end_here(member_id, each.agreement_id, needs.agreements, orders)


def _end_here(member_id: str, agreement_id: str, agreements: Agreements, orders: Orders) -> None:
    for _ in range(ATTEMPTS):
        found = find_agreement(member_id, agreement_id, agreements)
        if found.status == "ended":
            return
        by = found.ended_by or "member"
        ended = replace(found, status="ended", ended_at=clock.now(), ended_by=by, version=found.version + 1)
        finding = Finding(
            kind="agreement_not_ended",
            cause=agreement_id,
            subject=agreement_id,
            amount_fen=found.charge_fen,
            currency=CURRENCY,
            member_id=member_id,
            facts={"channel": found.channel, "app": found.app, "contract_no": found.contract_no},
        )
        if orders.store_step(Step(agreements=(ended,), findings=(finding,))):
            return
    raise STORE_BUSY()


def find_agreement(member_id: str, agreement_id: str, agreements: Agreements) -> Agreement:
    """A member's own agreement. Raises `NotFoundError`, also for another member's."""
    found = _own(member_id, agreement_id, agreements)
    if found is None:
        raise NOT_FOUND()
    return found


def charge_order(member_id: str, app: str, order_id: str, agreement_id: str, needs: ChargeNeeds) -> Charged:
    """Pay the member's order under the member's agreement, because the member asks for it now. Safe to repeat.

    The order's number is the number of the charge, and every other channel has closed the order before: it is paid once
    at most. Order and agreement are marked together before the channel is asked. When it refuses, it closes the number
    too; then both are freed, and the order goes on under its next number: it can be paid anyhow. Raises
    `NotFoundError`, `InvalidError` AGREEMENT_UNKNOWN, `ConflictError` ORDER_PAID, ORDER_CANCELLED, ORDER_EXPIRED,
    APP_DIFFERS, PAYMENT_STARTED (under another agreement), PAYMENT_CLOSED, AGREEMENT_UNSIGNED or AGREEMENT_ENDED,
    `RefusedError` CHARGE_OVER_LIMIT, CHARGE_OVER_DAY, BALANCE_SHORT or CHARGES_TOO_MANY, and `UnavailableError` if the
    outcome is unknown: repeat it, or wait.
    """
    for _ in range(ATTEMPTS):
        order = find_order(member_id, order_id, orders=needs.orders)
        agreement = _own(member_id, agreement_id, needs.agreements)
        if agreement is None:
            raise errors.AGREEMENT_UNKNOWN(pointers=(Pointer("/agreement_id", "AGREEMENT_UNKNOWN"),))
        if order.is_paid and order.agreement == agreement_id:
            return Charged(order_id, "paid")
        require_waiting(order)
        if agreement.app != app or order.app not in ("", app):
            raise errors.APP_DIFFERS(pointers=(Pointer("/agreement_id", "APP_DIFFERS"),))
        if order.agreement not in ("", agreement_id):
            raise errors.PAYMENT_STARTED()
        if not order.agreement:
            agreement = _usable(agreement, order.amount_fen, needs)
            if order.pay_at == MAX_PAY_NOS:  # the last number is for other ways to pay
                raise errors.CHARGES_TOO_MANY(limit=MAX_PAY_NOS - 1)
            others = {name: channel for name, channel in needs.payments.items() if name != agreement.channel}
            closed = end_payment(order, orders=needs.orders, channels=others)
            require_waiting(closed.order)
            if closed.waiting:
                raise errors.PAYMENT_PENDING()
            marked = replace(closed.order, agreement=agreement_id, version=closed.order.version + 1)
            charging = agreement.with_charge(order_id, order.amount_fen, clock.now())
            if not needs.orders.store_step(Step(orders=(marked,), agreements=(charging,))):
                continue
            order, agreement = marked, charging
        return _take(order, agreement, needs)
    raise STORE_BUSY()


def _own(member_id: str, agreement_id: str, agreements: Agreements) -> Agreement | None:
    found = agreements.find_agreement(agreement_id) if AGREEMENT_ID.fullmatch(agreement_id) else None
    return found if found is not None and found.member_id == member_id else None


def _usable(agreement: Agreement, amount: Fen, needs: ChargeNeeds) -> Agreement:
    """The agreement, if `amount` may be charged under it now. One that is not signed here is asked for at its
    channel."""
    if agreement.status == "asked":
        agreement = check_agreement(agreement.member_id, agreement.agreement_id, needs.agreeing)
    now = clock.now()
    if agreement.is_over(now):
        raise errors.AGREEMENT_ENDED()
    if agreement.status == "asked":
        raise errors.AGREEMENT_UNSIGNED()
    if amount > agreement.charge_fen:
        raise errors.CHARGE_OVER_LIMIT(limit_fen=agreement.charge_fen)
    day = brand_day(now)
    full = agreement.day == day.isoformat() and len(agreement.charges) >= MAX_CHARGES
    if full or agreement.charged_on(day) + amount > agreement.day_fen:
        raise errors.CHARGE_OVER_DAY(limit_fen=agreement.day_fen)
    return agreement


def _take(order: Order, agreement: Agreement, needs: ChargeNeeds) -> Charged:
    """Charge a marked order, or ask what became of it where the agreement is over."""
    channel = _channel(agreement, needs.agreeing.channels)
    if agreement.is_over(clock.now()):
        answer = needs.payments[agreement.channel].close(order)
        if answer == "closed":
            _free(order, agreement.agreement_id, needs)
            raise errors.AGREEMENT_ENDED()
    else:
        try:
            answer = channel.charge(order, agreement)
        except CardstockError as error:
            if error.code not in _NEVER:
                raise
            # What was refused now may be taken later for the same number, unless that is closed.
            answer = needs.payments[agreement.channel].close(order)
            if answer == "closed":
                _free(order, agreement.agreement_id, needs, ended=error.code == "AGREEMENT_ENDED")
                raise
    if not isinstance(answer, PaymentNotice):
        return Charged(order.order_id, "open")
    record_payment(answer, orders=needs.orders)
    found = needs.orders.find_order(order.order_id)
    if found is None or (found.channel, found.transaction_no) != (answer.channel, answer.transaction_no):
        raise errors.PAYMENT_CLOSED()  # it takes another payment for this number, which is refunded
    _count(order, agreement.agreement_id, needs)
    return Charged(order.order_id, "paid")


def _count(order: Order, agreement_id: str, needs: ChargeNeeds) -> None:
    """Have the charge counted: a refusal of an earlier request may have freed it while this one was under way."""
    for _ in range(ATTEMPTS):
        stored = needs.agreements.find_agreement(agreement_id)
        if stored is None or (changed := stored.with_charge(order.order_id, order.amount_fen, clock.now())) is stored:
            return
        if needs.agreements.store_agreement(changed):
            return


def _free(charged: Order, agreement_id: str, needs: ChargeNeeds, *, ended: bool = False) -> None:
    """Take the mark of a refused charge off the order and the agreement, and give the order its next number: every
    channel has closed the one of the charge. `ended`: the channel has ended the agreement."""
    order_id = charged.order_id
    for _ in range(ATTEMPTS):
        order, agreement = needs.orders.find_order(order_id), needs.agreements.find_agreement(agreement_id)
        if order is None or agreement is None:
            return
        marked = order.status == "placed" and (order.agreement, order.pay_at) == (agreement_id, charged.pay_at)
        changed = agreement.without_charge(order_id)
        if ended and agreement.status != "ended":
            by = agreement.ended_by or "channel"
            changed = replace(changed, status="ended", ended_at=clock.now(), ended_by=by)
        elif not marked:
            return
        freed = (replace(order.with_next_pay_no(), agreement=""),) if marked else ()
        if needs.orders.store_step(Step(orders=freed, agreements=(changed,))):
            return
    raise STORE_BUSY()


def _after(stored: Agreement, state: AgreementState) -> Agreement | None:
    """The agreement after what its channel says of it; None if that changes nothing."""
    now = clock.now()
    if state.status == "ended" and stored.status != "ended":
        by = stored.ended_by or "channel"
        return replace(stored, status="ended", ended_at=now, ended_by=by, version=stored.version + 1)
    if state.status == "signed" and stored.status == "asked":
        return replace(
            stored, status="active", contract_no=state.contract_no, signed_at=now, version=stored.version + 1
        )
    return None


def _channel(agreement: Agreement, channels: AgreementChannels) -> PaymentAgreements:
    if agreement.channel not in channels:
        raise errors.CHANNEL_MISSING()
    return channels[agreement.channel]
