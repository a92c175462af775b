"""The ports of orders in memory: what the verbs ask for, without a table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from msgspec.structs import asdict, replace

from cardstock.catalog.model import Variant
from cardstock.clock import brand_day
from cardstock.errors import CHANNEL_UNAVAILABLE, IDEMPOTENCY_KEY_REUSED, STOCK_SHORT
from cardstock.ids import RequestKey
from cardstock.marks import MarkKind
from cardstock.open_items.clearing import new_item
from cardstock.open_items.model import ConfirmedItem
from cardstock.orders import errors
from cardstock.orders.agreement_model import Agreement, AgreementState, SigningParameters
from cardstock.orders.change_model import Finding, Step
from cardstock.orders.coupon_model import Coupon, CouponUse
from cardstock.orders.model import ENDED_UNPAID, Order, PaidOrder
from cardstock.orders.payment_model import Closing, InstalmentOffer, PaymentNotice, PaymentParameters, RefundProgress
from cardstock.orders.refund_model import Refund
from cardstock.orders.sales_model import SalesOfDay
from cardstock.orders.supplier_model import SupplierOrder
from tests.people.marks import MARKER
from tests.people.memory_open_items import MemoryOpenItems

RefundStatus: TypeAlias = Literal["succeeded", "processing", "failed", "unfunded"]


class MemoryCouponUses:
    """`orders.ports.CouponUses`."""

    def __init__(self) -> None:
        self.uses: dict[str, CouponUse] = {}

    def find_use(self, coupon_id: str) -> CouponUse:
        return self.uses.get(coupon_id, CouponUse(coupon_id))

    def revoke_unused(self, coupon_id: str) -> CouponUse:
        if self.find_use(coupon_id).state == "unused":
            self.uses[coupon_id] = CouponUse(coupon_id, "revoked")
        return self.find_use(coupon_id)

    def close_use(self, coupon_id: str, order_id: str, fen: int) -> CouponUse:
        use = self.find_use(coupon_id)
        if (use.state, use.order_id) == ("used", order_id):
            self.uses[coupon_id] = CouponUse(coupon_id, "owed" if fen else "revoked", order_id, fen)
        return self.find_use(coupon_id)


class MemoryOrders:
    """`orders.ports.Orders` and `orders.ports.Catalogue`: `products` by SKU, and everything that was stored."""

    def __init__(self, products: Iterable[Variant] = (), uses: MemoryCouponUses | None = None) -> None:
        self.products = {product.sku: product for product in products}
        self.uses = uses or MemoryCouponUses()
        self.orders: dict[str, Order] = {}
        self.agreements = MemoryAgreements()
        self.refunds: dict[tuple[str, str], Refund] = {}
        self.supplier_orders: dict[tuple[str, str], SupplierOrder] = {}
        self.requests: dict[str, tuple[str, str]] = {}
        self.findings: dict[tuple[str, str], Finding] = {}
        self.items = MemoryOpenItems()

    def mark_of(self, kind: MarkKind, name: str) -> str:
        return MARKER.of(kind, name)

    def variants_by_sku(self, skus: Iterable[str], /) -> dict[str, Variant]:
        return {sku: self.products[sku] for sku in skus if sku in self.products}

    def add_order(self, order: Order, request: RequestKey, supplier_orders: Sequence[SupplierOrder] = ()) -> str | None:
        earlier = self.order_id_of_request(request)
        if earlier is not None:
            return earlier
        placed = self.orders.get(order.order_id)
        same = placed is not None and (placed.receiver, placed.app) == (order.receiver, order.app)
        if placed is not None and (placed.status in ENDED_UNPAID or not same):
            raise errors.QUOTE_USED()
        if placed is not None:
            return placed.order_id
        if order.coupon and self.uses.find_use(order.coupon).state != "unused":
            raise errors.COUPON_USED()
        self._require_offered(order)
        self._require_stock(order)
        for line in order.lines:
            self._move(line.sku, -line.units, line.units)
        if order.coupon:
            self.uses.uses[order.coupon] = CouponUse(order.coupon, "used", order.order_id)
        self.requests[request.id] = (request.fingerprint, order.order_id)
        self.orders[order.order_id] = order
        self.supplier_orders |= {(each.supplier_id, each.order_id): each for each in supplier_orders}
        return None

    def order_id_of_request(self, request: RequestKey) -> str | None:
        if request.id not in self.requests:
            return None
        fingerprint, order_id = self.requests[request.id]
        if fingerprint != request.fingerprint:
            raise IDEMPOTENCY_KEY_REUSED()
        return order_id

    def store_step(self, step: Step) -> bool:
        records: list[Order | Refund | SupplierOrder] = [*step.orders, *step.refunds, *step.supplier_orders]
        if not all(map(self._is_next, records)):
            return False
        if not all(self.uses.find_use(c) == CouponUse(c, "used", order_id) for c, order_id in step.freed_coupons):
            return False
        if any((finding.kind, finding.cause) in self.findings for finding in step.findings):
            return False
        changed = [one.item if isinstance(one, ConfirmedItem) else one for one in step.changed_items]
        if not all(self.items.items[item.id].version == item.version - 1 for item in changed):
            return False
        if not all(map(self.agreements.fits, step.agreements)):
            return False
        for agreement in step.agreements:
            self.agreements.store_agreement(agreement)
        self.items.items |= {item.id: item for item in changed}
        for finding in step.findings:
            self.findings[finding.kind, finding.cause] = finding
            self.items.add_item(new_item(**asdict(finding)))
        self.orders |= {order.order_id: order for order in step.orders}
        self.refunds |= {(refund.order_id, refund.refund_id): refund for refund in step.refunds}
        self.supplier_orders |= {(each.supplier_id, each.order_id): each for each in step.supplier_orders}
        for change in step.stock:
            self._move(change.sku, change.stock, change.held)
        for coupon_id, _ in step.freed_coupons:
            self.uses.uses[coupon_id] = CouponUse(coupon_id)
        return True

    def find_order(self, order_id: str) -> Order | None:
        return self.orders.get(order_id)

    def refunds_of_order(self, order_id: str) -> tuple[Refund, ...]:
        found = [refund for (of, _), refund in sorted(self.refunds.items()) if of == order_id]
        return tuple(sorted(found, key=lambda refund: refund.requested_at))

    def find_refund(self, order_id: str, refund_id: str) -> Refund | None:
        return self.refunds.get((order_id, refund_id))

    def find_supplier_orders(self, order_id: str, supplier_ids: Iterable[str]) -> dict[str, SupplierOrder]:
        keys = {supplier_id: (supplier_id, order_id) for supplier_id in supplier_ids}
        return {name: self.supplier_orders[key] for name, key in keys.items() if key in self.supplier_orders}

    def orders_of_member(self, member_id: str, limit: int, after: str | None) -> tuple[Sequence[Order], str | None]:
        own = [order for _, order in sorted(self.orders.items(), reverse=True) if order.member_id == member_id]
        found = [order for order in own if after is None or order.order_id < after]
        return found[:limit], found[limit - 1].order_id if len(found) > limit else None

    def orders_of_supplier(
        self, supplier_id: str, limit: int, after: str | None
    ) -> tuple[Sequence[SupplierOrder], str | None]:
        own = [each for (supplier, _), each in sorted(self.supplier_orders.items()) if supplier == supplier_id]
        found = [each for each in own if after is None or each.order_id > after]
        return found[:limit], found[limit - 1].order_id if len(found) > limit else None

    def due_orders(self, at: datetime) -> Iterator[str]:
        yield from [
            order.order_id for order in self.orders.values() if order.status == "placed" and order.expires_at < at
        ]

    def open_refunds(self) -> Iterator[tuple[str, str]]:
        yield from [key for key, refund in self.refunds.items() if refund.status == "requested"]

    def _is_next(self, record: Order | Refund | SupplierOrder) -> bool:
        stored: Order | Refund | SupplierOrder | None
        if isinstance(record, Order):
            stored = self.orders.get(record.order_id)
        elif isinstance(record, Refund):
            stored = self.refunds.get((record.order_id, record.refund_id))
        else:
            stored = self.supplier_orders.get((record.supplier_id, record.order_id))
        return record.version == (1 if stored is None else stored.version + 1)

    def _require_offered(self, order: Order) -> None:
        changed = []
        for line in order.lines:
            product = self.products.get(line.sku)
            if product is not None and product.active and product.price_fen == line.price_fen:
                continue
            changed.append(line.sku)
        if changed:
            raise errors.PRICE_CHANGED(skus=changed)

    def _require_stock(self, order: Order) -> None:
        short = [
            {"sku": line.sku, "available": max(0, self.products[line.sku].stock)}
            for line in order.lines
            if self.products[line.sku].stock < line.units
        ]
        if short:
            raise STOCK_SHORT(lines=short)

    def _move(self, sku: str, stock: int, held: int) -> None:
        product = self.products[sku]
        self.products[sku] = replace(product, stock=product.stock + stock, held=product.held + held)


class MemoryOrderDays:
    """`orders.ports.OrderDays` on orders in memory."""

    def __init__(self, orders: MemoryOrders) -> None:
        self.orders = orders

    def newest_orders(self, day: date, limit: int, after: str | None) -> tuple[Sequence[Order], str | None]:
        found = sorted(self.placed_on(day), key=lambda order: order.order_id, reverse=True)
        rest = [order for order in found if after is None or order.order_id < after]
        return rest[:limit], rest[limit - 1].order_id if len(rest) > limit else None

    def placed_on(self, day: date) -> Iterator[Order]:
        yield from [order for order in self.orders.orders.values() if brand_day(order.placed_at) == day]

    def paid_later_on(self, day: date) -> Iterator[Order]:
        for order in self.orders.orders.values():
            if order.paid_at is not None and brand_day(order.placed_at) < brand_day(order.paid_at) == day:
                yield order

    def refunded_on(self, day: date) -> Iterator[tuple[Refund, Order]]:
        for refund in self.orders.refunds.values():
            if refund.succeeded_at is not None and brand_day(refund.succeeded_at) == day:
                yield refund, self.orders.orders[refund.order_id]

    def oldest_waiting(self) -> date | None:
        waiting = [brand_day(order.placed_at) for order in self.orders.orders.values() if order.status == "placed"]
        return min(waiting, default=None)


class MemorySales:
    """`orders.ports.Sales`."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, date], SalesOfDay] = {}

    def days_of(self, of: str, since: date, until: date) -> Sequence[SalesOfDay]:
        return [self.stored[key] for key in sorted(self.stored) if key[0] == of and since <= key[1] <= until]

    def store_day(self, figures: Sequence[SalesOfDay]) -> None:
        self.stored |= {(each.of, each.day): each for each in figures}


class MemoryCoupons:
    """`orders.ports.Coupons`: what each member was granted. Without `uses` nobody has used any."""

    def __init__(self, uses: MemoryCouponUses | None = None) -> None:
        self.uses = uses or MemoryCouponUses()
        self.granted: dict[tuple[str, str], Coupon] = {}

    def grant(self, member_id: str, coupon_id: str, fen: int) -> "MemoryCoupons":
        """Grant a member a coupon of `fen`; these coupons."""
        self.granted[member_id, coupon_id] = Coupon(coupon_id, fen)
        return self

    def find_coupon(self, member_id: str, coupon_id: str) -> Coupon | None:
        unused = self.uses.find_use(coupon_id).state == "unused"
        return self.granted.get((member_id, coupon_id)) if unused else None


class MemoryCharges:
    """`orders.ports.Charges`. `booked`: member, order and fen (below zero: charged) of a coupon, or of a coupon and the
    refund that reduced its charge."""

    def __init__(self) -> None:
        self.booked: dict[tuple[str, ...], tuple[str, str, int]] = {}

    def charge(self, coupon_id: str, member_id: str, order_id: str, fen: int) -> None:
        self.booked.setdefault((coupon_id,), (member_id, order_id, -fen))

    def reduce_charge(self, coupon_id: str, refund_id: str, member_id: str, order_id: str, fen: int) -> None:
        self.booked.setdefault((coupon_id, refund_id), (member_id, order_id, fen))


class MemoryNetwork:
    """`orders.ports.ReferralNetwork`: nobody is above the buyer."""

    def position_hint(self, _member_id: str) -> list[str]:
        return []

    def position_snapshot(self, _member_id: str, _hint: Any) -> dict[str, Any]:
        return {}


class MemoryAgreements:
    """`orders.ports.Agreements`, by id."""

    def __init__(self) -> None:
        self.stored: dict[str, Agreement] = {}

    def find_agreement(self, agreement_id: str) -> Agreement | None:
        return self.stored.get(agreement_id)

    def agreements_of(self, member_id: str) -> Sequence[Agreement]:
        own = [each for each in self.stored.values() if each.member_id == member_id]
        return sorted(own, key=lambda each: each.agreement_id)

    def fits(self, agreement: Agreement) -> bool:
        before = self.stored.get(agreement.agreement_id)
        return agreement.version == (1 if before is None else before.version + 1)

    def store_agreement(self, agreement: Agreement) -> bool:
        if not self.fits(agreement):
            return False
        self.stored[agreement.agreement_id] = agreement
        return True


class MemoryChannel:
    """`orders.ports.PaymentChannel`, `InstalmentPayments` and `PaymentAgreements`.

    It knows `payments` by order and refunds by id, and reads no notices. `signed` and `ended` are agreements by number;
    `short`: whoever is charged has not enough.

    `refund_status` is how the next refund ends: None leaves the outcome unknown. `paying` are orders that somebody
    pays just now, `closed` those that the shop has closed. `answers` False: it closes, and no answer arrives.
    """

    name = "sandbox"
    offer = InstalmentOffer((3, 6, 12), 10_000)

    def __init__(self) -> None:
        self.payments: dict[str, PaymentNotice] = {}
        self.paying: set[str] = set()
        self.closed: set[str] = set()
        self.signed: set[str] = set()
        self.ended: set[str] = set()
        self.short = False
        self.answers = True
        self.asked: list[str] = []
        self.refunds: dict[str, RefundStatus] = {}
        self.refund_status: RefundStatus | None = "succeeded"

    def start(self, order: Order, _payer: str) -> PaymentParameters:
        return PaymentParameters(self.name, order.pay_no, order.amount_fen, "CNY", "http://pay.test")

    def start_in(self, order: Order, payer: str, number: int) -> PaymentParameters:
        return replace(self.start(order, payer), pay_url=f"http://pay.test?instalments={number}")

    def read_notice(self, _headers: Mapping[str, str], _raw: bytes) -> PaymentNotice | None:
        return None

    def pay(self, order: Order) -> bool:
        """Somebody pays; False, and no money moves, if the order was closed."""
        if order.pay_no in self.closed:
            return False
        notice = PaymentNotice(self.name, order.pay_no, f"t_{order.pay_no}", order.amount_fen, "CNY", order.placed_at)
        self.payments.setdefault(order.pay_no, notice)
        return True

    def close(self, order: Order) -> PaymentNotice | Closing:
        paid, paying = self.payments.get(order.pay_no), order.pay_no in self.paying
        if paid is None and not paying:
            self.closed.add(order.pay_no)
        if not self.answers:
            raise CHANNEL_UNAVAILABLE()
        return "open" if paying else paid or "closed"

    def prepare_signing(self, agreement: Agreement) -> SigningParameters:
        self._answer()
        return SigningParameters(f"http://pay.test/agreements/{agreement.agreement_id}")

    def ask(self, agreement: Agreement) -> AgreementState:
        self._answer()
        number = agreement.agreement_id
        if number in self.ended:
            return AgreementState(number, "ended", f"c_{number}" if number in self.signed else "")
        return (
            AgreementState(number, "signed", f"c_{number}")
            if number in self.signed
            else AgreementState(number, "unsigned")
        )

    def end(self, agreement: Agreement) -> None:
        self.ended.add(agreement.agreement_id)
        self._answer()

    def charge(self, order: Order, agreement: Agreement) -> PaymentNotice | Literal["open"]:
        paid = self.payments.get(order.pay_no)
        if paid is None and order.pay_no not in self.paying:
            if order.pay_no in self.closed:
                raise errors.PAYMENT_CLOSED()
            if agreement.agreement_id in self.ended or agreement.agreement_id not in self.signed:
                raise errors.AGREEMENT_ENDED()
            if order.amount_fen > agreement.charge_fen:
                raise errors.CHARGE_OVER_LIMIT(limit_fen=agreement.charge_fen)
            if self.short:
                raise errors.BALANCE_SHORT()
            self.pay(order)
        self._answer()
        return self.payments.get(order.pay_no, "open")

    def _answer(self) -> None:
        if not self.answers:
            raise CHANNEL_UNAVAILABLE()

    def refund(self, refund: Refund) -> bool:
        self.asked.append(refund.refund_id)
        if self.refund_status is None:
            raise CHANNEL_UNAVAILABLE()
        if self.refunds.get(refund.refund_id, "processing") in ("processing", "unfunded"):
            self.refunds[refund.refund_id] = self.refund_status
        if self.refunds[refund.refund_id] == "failed":
            raise errors.REFUND_REFUSED(refund_id=refund.refund_id, reason="PAYMENT_UNKNOWN")
        if self.refunds[refund.refund_id] == "unfunded":
            raise errors.MERCHANT_MUST_ACT(refund_id=refund.refund_id)
        return self.refunds[refund.refund_id] == "succeeded"

    def progress(self, refund: Refund) -> RefundProgress:
        if self.refund_status is None:
            raise CHANNEL_UNAVAILABLE()
        known: dict[str | None, RefundProgress] = {"succeeded": "succeeded", "processing": "processing"}
        return known.get(self.refunds.get(refund.refund_id), "none")


class MemoryPaidOrders:
    """`orders.ports.PaidOrders` on orders in memory."""

    def __init__(self, *orders: Order) -> None:
        self.orders = orders

    def paid_orders_since(self, moment: datetime) -> Iterator[PaidOrder]:
        for each in self.orders:
            if each.paid_at is not None and each.placed_at >= moment:
                yield PaidOrder(each.order_id, each.member_id, each.paid_at, each.lines)
