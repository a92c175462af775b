"""What the orders area needs from the outside."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from cardstock.ids import RequestKey
from cardstock.money import Fen
from cardstock.orders.model import (
    Coupon,
    Offer,
    Order,
    PaymentNotice,
    PaymentParameters,
    Refund,
    Step,
    SupplierOrder,
)


class Catalogue(Protocol):
    """What is for sale."""

    def offers(self, skus: Iterable[str]) -> dict[str, Offer]:
        """Price and stock of the SKUs that exist. One call for up to 100."""


class Coupons(Protocol):
    """What members may use once."""

    def of(self, member_id: str, coupon_id: str) -> Coupon | None:
        """A member's coupon, if it is his and he has not used it."""


class CouponUses(Protocol):
    """What became of coupons that the network takes back."""

    def undo(self, coupon_id: str) -> str:
        """Let nobody use a coupon any more; the order that was placed with it, empty if none was."""

    def decide_owed(self, coupon_id: str, order_id: str, fen: Fen) -> Fen:
        """Keep what is owed for a coupon that was used; the first decision holds, and is answered."""

    def is_owed(self, coupon_id: str) -> bool:
        """Whether money is owed for what was bought with a coupon."""


class Charges(Protocol):
    """What members are charged for coupons that were undone too late. Each charge is made once."""

    def owe(self, coupon_id: str, member_id: str, order_id: str, fen: Fen) -> None:
        """Charge a member. Raises `UnavailableError` when the outcome is unknown."""

    def owe_less(self, coupon_id: str, refund_id: str, member_id: str, order_id: str, fen: Fen) -> None:
        """Take off what he has given back by a refund. Raises `UnavailableError` when the outcome is unknown."""


class Network(Protocol):
    """The buyer's place in the referral network, opaque to orders."""

    def hint(self, member_id: str) -> Any:
        """What makes `snapshot` a single call: JSON data that travels in the quote and may be out of date."""

    def snapshot(self, member_id: str, hint: Any) -> dict[str, Any]:
        """Plan and positions that the rewards of an order placed now depend on, as JSON data without floats."""


class Orders(Protocol):
    """Where orders, refunds and supplier orders are kept. Reads are consistent unless they say otherwise."""

    def place(self, order: Order, request: RequestKey, parts: Sequence[SupplierOrder] = ()) -> str | None:
        """Take the stock, use the coupon, and store the order with its request: all or nothing, in one call.

        `parts`: the supplier orders of one that is paid already, because a coupon covers it. A repeat of `request`
        changes nothing and gives the id of the order it made the first time. Raises `ConflictError`: PRICE_CHANGED
        with `skus` (also for what is no longer sold), STOCK_SHORT with `lines`, or COUPON_USED.
        """

    def placed_by(self, request: RequestKey) -> str | None:
        """The id of the order that `request` made, if it made one."""

    def store(self, step: Step) -> bool:
        """Store a step: all or nothing, in one call. False, and nothing is changed, when a record has moved on."""

    def find(self, order_id: str) -> Order | None:
        """The order, if there is one."""

    def refunds_of(self, order_id: str) -> tuple[Refund, ...]:
        """All refunds of an order, oldest first."""

    def find_refund(self, order_id: str, refund_id: str) -> Refund | None:
        """The refund, if there is one."""

    def find_supplier_orders(self, order_id: str, supplier_ids: Iterable[str]) -> dict[str, SupplierOrder]:
        """The parts of an order that exist, by supplier id."""

    def of_member(self, member_id: str, limit: int, after: str | None) -> tuple[Sequence[Order], str | None]:
        """A page of a member's orders, newest first, and the id behind which the next starts; None at the end. May miss
        what happened in the last second."""

    def of_supplier(
        self, supplier_id: str, limit: int, after: str | None
    ) -> tuple[Sequence[SupplierOrder], str | None]:
        """A page of a supplier's orders, oldest first, and the order id behind which the next starts."""

    def due(self, at: datetime) -> Iterator[str]:
        """Ids of orders whose time to pay was over at `at`. May name some that were paid or closed just now."""

    def open_refunds(self) -> Iterator[tuple[str, str]]:
        """Order and id of each refund that has not gone through. May name some that just have, and miss the newest."""


class PaymentChannel(Protocol):
    """A way to pay. Every call has a time-out and raises `UnavailableError` when the outcome is unknown."""

    @property
    def name(self) -> str:
        """How clients name it: `sandbox`."""

    def start(self, order: Order) -> PaymentParameters:
        """What the client needs in order to pay `order`. Safe to repeat."""

    def read_notice(self, headers: Mapping[str, str], raw: bytes) -> PaymentNotice | None:
        """The payment that a callback tells of, verified on its raw bytes; None if it tells of something else.

        Raises `UnauthorizedError` when it is not genuine or not recent, `InvalidError` when it is malformed.
        """

    def query(self, order: Order) -> PaymentNotice | None:
        """The payment of `order`, if it was paid; asked when no callback came."""

    def refund(self, refund: Refund) -> bool:
        """Send `refund` back, at most once for its id however often it is called.

        True when it has gone through, False while it is being worked on. Raises `RefusedError` when the channel will
        never do it.
        """
