"""What the verbs of orders need from outside."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, Protocol

from cardstock.ids import RequestKey
from cardstock.marks import MarkKind
from cardstock.money import Fen
from cardstock.orders.agreement_model import Agreement, AgreementState, SigningParameters
from cardstock.orders.change_model import Step
from cardstock.orders.coupon_model import Coupon, CouponUse
from cardstock.orders.model import FreightPart, Order, PaidOrder, SentGoods
from cardstock.orders.payment_model import (
    Closing,
    InstalmentOffer,
    Notice,
    PaymentNotice,
    PaymentParameters,
    RefundAsked,
    RefundProgress,
)
from cardstock.orders.push_model import Push
from cardstock.orders.refund_model import Refund
from cardstock.orders.sales_model import SalesOfDay
from cardstock.orders.supplier_model import Parcel, SupplierOrder


class Offer(Protocol):
    """A SKU for a quote; the catalogue's own record is one."""

    @property
    def name(self) -> str:
        """The name shown to buyers."""

    @property
    def price_fen(self) -> Fen:
        """The price of one unit."""

    @property
    def supplier_id(self) -> str:
        """The supplier who sends it."""

    @property
    def qualifying(self) -> bool:
        """Whether buying it can make a distributor."""

    @property
    def earns(self) -> bool:
        """Whether rewards are measured on it."""

    @property
    def stock(self) -> int:
        """Units that can be sold now."""

    @property
    def weight_g(self) -> int | None:
        """Grams of one unit; None if that is not known."""

    @property
    def freight_template(self) -> str:
        """The template that its freight follows; empty: the default one."""

    def is_for_sale(self, at: datetime) -> bool:
        """Whether it can be bought at that moment."""


class Catalogue(Protocol):
    """The SKUs that are for sale."""

    def variants_by_sku(self, skus: Iterable[str], /) -> Mapping[str, Offer]:
        """The existing ones of `skus`, at most 100. One call."""


class FreightCharges(Protocol):
    """What sending costs."""

    def parts_of(self, goods: Sequence[SentGoods], region: str, /) -> tuple[FreightPart, ...]:
        """The freight of each supplier's part that costs any, for goods that are sent to `region` (empty: not known).
        Where it is one fee for the whole order, it stands under no supplier. Called after the products were read.

        Raises `RefusedError` for a region that is not served, or not known where freight depends on it.
        """


class ReferralNetwork(Protocol):
    """The buyer's position in the referral network, as opaque JSON data without floats."""

    def position_hint(self, member_id: str) -> Any:
        """Data for the quote that makes `position_snapshot` a single call. It may be out of date."""

    def position_snapshot(self, member_id: str, hint: Any) -> dict[str, Any]:
        """The plan and the positions that decide the rewards of an order placed now."""


class Coupons(Protocol):
    """Coupons granted to members."""

    def find_coupon(self, member_id: str, coupon_id: str) -> Coupon | None:
        """The member's own coupon, if it exists and is unused."""


class CouponUses(Protocol):
    """The use of each coupon. The steps of an order use and free coupons (`Orders`); this port revokes them."""

    def find_use(self, coupon_id: str) -> CouponUse:
        """The use of a coupon; `unused` if none is stored. Read consistently."""

    def revoke_unused(self, coupon_id: str) -> CouponUse:
        """Revoke the coupon if it is unused, and return its use. A repeat changes nothing."""

    def close_use(self, coupon_id: str, order_id: str, fen: Fen) -> CouponUse:
        """End the use of a coupon by `order_id`: `owed` with `fen`, or `revoked` if that is 0. Returns its use; the
        first decision holds."""


class Charges(Protocol):
    """Charges to members for coupons revoked after their orders were sent. Each is booked once."""

    def charge(self, coupon_id: str, member_id: str, order_id: str, fen: Fen) -> None:
        """Charge a member. Raises `UnavailableError` if the outcome is unknown."""

    def reduce_charge(self, coupon_id: str, refund_id: str, member_id: str, order_id: str, fen: Fen) -> None:
        """Reduce the charge by what a refund returned. Raises `UnavailableError` if the outcome is unknown."""


class Orders(Protocol):
    """Orders, refunds and supplier orders. Reads are consistent unless they say otherwise."""

    def add_order(self, order: Order, request: RequestKey, supplier_orders: Sequence[SupplierOrder] = ()) -> str | None:
        """Reserve the stock, use the coupon, and store the order with its request: all or nothing, in one call.

        `supplier_orders` are those of an order fully paid by its coupon. A repeat of `request` changes nothing and
        returns the id of its first order; so does another request for an order that exists. Raises `ConflictError`:
        QUOTE_USED if that order has ended unpaid, goes elsewhere, or was placed in another app; PRICE_CHANGED with
        `skus` (also for products no longer for sale), STOCK_SHORT with `lines`, or COUPON_USED.
        """

    def mark_of(self, kind: MarkKind, name: str) -> str:
        """What is stored of a payer's or a device's name: equal for equal names. Raises `UnavailableError`."""

    def order_id_of_request(self, request: RequestKey) -> str | None:
        """The id of the order that `request` made, if it made one."""

    def store_step(self, step: Step) -> bool:
        """Store a step: all or nothing, in one call. False, and nothing is stored, if a record has changed."""

    def find_order(self, order_id: str) -> Order | None:
        """The order, if it exists."""

    def refunds_of_order(self, order_id: str) -> tuple[Refund, ...]:
        """All refunds of an order, oldest first."""

    def find_refund(self, order_id: str, refund_id: str) -> Refund | None:
        """The refund, if it exists."""

    def find_supplier_orders(self, order_id: str, supplier_ids: Iterable[str]) -> dict[str, SupplierOrder]:
        """The existing supplier orders of an order, by supplier id."""

    def orders_of_member(self, member_id: str, limit: int, after: str | None) -> tuple[Sequence[Order], str | None]:
        """A page of a member's orders, newest first, and the id after which the next page starts; None at the end. May
        miss the changes of the last second."""

    def orders_of_supplier(
        self, supplier_id: str, limit: int, after: str | None
    ) -> tuple[Sequence[SupplierOrder], str | None]:
        """A page of a supplier's orders, oldest first, and the order id after which the next page starts."""

    def due_orders(self, at: datetime) -> Iterator[str]:
        """Ids of orders whose time to pay was over at `at`. May include orders paid or closed just now."""

    def open_refunds(self) -> Iterator[tuple[str, str]]:
        """Order id and refund id of each requested refund. May include some that have just ended, and miss the
        newest."""


class OrderDays(Protocol):
    """Orders and refunds by the brand's day. Every list may miss the changes of the last second."""

    def newest_orders(self, day: date, limit: int, after: str | None) -> tuple[Sequence[Order], str | None]:
        """A page of the orders placed on a day, newest first, and the id after which the next page starts; None at the
        end."""

    def placed_on(self, day: date) -> Iterator[Order]:
        """All orders placed on a day, in no order."""

    def paid_later_on(self, day: date) -> Iterator[Order]:
        """All orders paid on a day that were placed on an earlier one, in no order."""

    def refunded_on(self, day: date) -> Iterator[tuple[Refund, Order]]:
        """All refunds that succeeded on a day, also of stray payments, each with its order, in no order."""

    def oldest_waiting(self) -> date | None:
        """The day of the oldest order that waits for its payment. May be that of one just paid or closed."""


class Sales(Protocol):
    """The stored sales of days."""

    def days_of(self, of: str, since: date, until: date) -> Sequence[SalesOfDay]:
        """The stored sales of all (`TOTAL`) or of one supplier, by day. A supplier has none on a day on which none of
        its goods moved. Read consistently."""

    def store_day(self, figures: Sequence[SalesOfDay]) -> None:
        """Store a day, the total first and then its suppliers, in place of what is stored.

        A day whose total is there is stored whole.
        """


class ErasedDays(Protocol):
    """How far the orders of past days are erased, for each of the looks at them."""

    def reached(self, look: str) -> date | None:
        """The last day that was looked at; None: none yet."""

    def reach(self, look: str, day: date) -> None:
        """Keep that a day was looked at."""


class Pushes(Protocol):
    """What a platform tells unasked, for the apps of the merchant.

    Both methods raise `NotFoundError` for an app that is not configured, and `UnauthorizedError` for what is not
    genuine or not recent.
    """

    def check_address(self, app_id: str, query: dict[str, str]) -> str:
        """The answer to the platform's check of the address."""

    def read(self, app_id: str, query: dict[str, str], raw: bytes) -> Push:
        """What a genuine message says, verified on its raw bytes. Raises ValueError if it cannot be read."""


class PaymentChannel(Protocol):
    """A payment channel. Every call has a time-out and raises `UnavailableError` if the outcome is unknown."""

    @property
    def name(self) -> str:
        """Its name for clients: `sandbox`, `wechat`, `alipay`, `douyin`."""

    def start(self, order: Order, payer: str) -> PaymentParameters | PaymentNotice:
        """What the client needs to have the order paid, or its payment if it was made before. Safe to repeat.

        `payer` is the account that pays, `wechat:wx123:oABC`; channels without accounts ignore it. Raises
        `ConflictError` PAYMENT_CLOSED if the channel takes no payment for the order any more, and PAYMENT_STARTED if
        somebody pays it just now, or has started its payment otherwise. A channel without closing says until when its
        parameters can be used (`open_until`): the order must be marked before they leave.
        """

    def read_notice(self, headers: Mapping[str, str], raw: bytes) -> Notice | None:
        """The payment, the refund or the end of an order in a callback, or what a buyer asks for there, verified on its
        raw bytes; None if it reports something else.

        Raises `UnauthorizedError` if it is not genuine or not recent, `InvalidError` if it is malformed, and nothing
        for what is genuine and readable.
        """

    def close(self, order: Order) -> PaymentNotice | Closing:
        """Take no payment for `order` from now on, and say how it stands. Safe to repeat, also after a payment.

        The payment, if one was made: a channel takes no second payment for one order. It is what the channel says, and
        not yet compared with `order`. `closed`: the channel takes no money for the order, whether it was started there
        or not. (A start that was on its way meanwhile may open it once more; that payment is stray.) `open`: it may
        still take money, because somebody is paying just now, or because it ends payments by time alone; ask again.
        """

    def refund(self, refund: Refund) -> bool:
        """Send `refund` back, at most once for its id however often it is called.

        True if it has succeeded, False while the channel processes it. Raises `RefusedError` if the channel will never
        do it, `UnavailableError` MERCHANT_MUST_ACT if it will do it once the merchant has acted (funds are missing):
        then nothing has happened, and the same number is asked again.
        """

    def progress(self, refund: Refund) -> RefundProgress:
        """How `refund` stands at the channel, which does nothing by being asked. Raises `UnavailableError`.

        `none`: the channel has not refunded it and does not work on it.
        """


class InstalmentPayments(Protocol):
    """A payment channel that lets buyers pay in instalments. The brand receives the whole amount at once."""

    @property
    def offer(self) -> InstalmentOffer:
        """What it offers."""

    def start_in(self, order: Order, payer: str, number: int) -> PaymentParameters | PaymentNotice:
        """As `PaymentChannel.start`, to be paid in `number` parts, which the channel offers for the order's amount."""


class PaymentAgreements(Protocol):
    """A payment channel that charges members under agreements that they have signed with it.

    An agreement's number at the channel is its id, a charge's is that of the order: a repeat does nothing more. Every
    call has a time-out and raises `UnavailableError` if the outcome is unknown.
    """

    def prepare_signing(self, agreement: Agreement) -> SigningParameters:
        """Tell the channel what is to be signed; what the client needs for that. The same for every repeat."""

    def ask(self, agreement: Agreement) -> AgreementState:
        """How the agreement stands at the channel."""

    def end(self, agreement: Agreement) -> None:
        """End the agreement, signed or not: it can be signed no more, and nothing is charged under it."""

    def charge(self, order: Order, agreement: Agreement) -> PaymentNotice | Literal["open"]:
        """Have the payer pay `order` now. The payment, if one was made for the number, however and whenever; `open`
        while the channel works on it.

        Raises, and nothing was or will be taken by this charge: `ConflictError` AGREEMENT_ENDED or PAYMENT_CLOSED,
        `RefusedError` BALANCE_SHORT, CHARGE_OVER_LIMIT or CHARGE_OVER_DAY (the channel's own limits).
        """


class Agreements(Protocol):
    """Payment agreements. Reads are consistent unless they say otherwise."""

    def find_agreement(self, agreement_id: str) -> Agreement | None:
        """The agreement, if it exists."""

    def agreements_of(self, member_id: str) -> Sequence[Agreement]:
        """A member's agreements, oldest first. May miss those asked for in the last second."""

    def store_agreement(self, agreement: Agreement) -> bool:
        """Store a new agreement (version 1), or one that replaces the version before. False if that has changed."""


class ShippingReports(Protocol):
    """A payment channel whose platform must know what was sent."""

    def report(self, order: Order, parcels: Sequence[Parcel], at: datetime) -> bool:
        """Report the parcels of a paid order, all of them. False if the platform need not know. Safe to repeat.

        Raises `RefusedError` SHIPPING_REFUSED with the platform's `reason` if it never takes this report, and
        `UnavailableError` if it gave no usable answer, or does not know the payment yet.
        """


class AskedRefunds(Protocol):
    """A payment channel that buyers can ask for a refund without us, and that waits for the merchant's word."""

    def reply_to(self, asked: RefundAsked) -> dict[str, Any]:
        """What the channel must read in the answer to its callback, as JSON data. The same for every repeat."""

    def deny(self, asked_no: str, reason: str) -> None:
        """Deny a refund that a buyer asked for. Safe to repeat.

        Raises `ConflictError` REFUND_SUCCEEDED if the channel has agreed to it, `UnavailableError` REFUND_PENDING if it
        does not wait for a word yet, and `UnavailableError` if it gives no usable answer.
        """


class PaidOrders(Protocol):
    """The history of paid orders."""

    def paid_orders_since(self, moment: datetime) -> Iterable[PaidOrder]:
        """Every order paid at or after `moment`, in any order. An order placed before it may be left out."""
