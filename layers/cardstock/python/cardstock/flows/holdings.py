"""What a member has in other areas: whoever got into the account could take it."""

from collections.abc import Callable
from datetime import datetime

from cardstock.bank_accounts.ports import Accounts
from cardstock.ledger.ports import Books
from cardstock.network.deciding import position_of
from cardstock.network.ports import Network
from cardstock.orders.ports import Orders


class MemberHoldings:
    """`members.ports.Holdings`. Its ports are made when they are asked: nearly no log-in needs them."""

    def __init__(
        self,
        network: Callable[[], Network],
        books: Callable[[], Books],
        accounts: Callable[[], Accounts],
        orders: Callable[[], Orders],
    ) -> None:
        self._network, self._books, self._accounts, self._orders = network, books, accounts, orders

    def has_holdings(self, member_id: str, since: datetime) -> bool:
        """One read each, two for orders; none after the first that was found.

        A place in the network is a role, a coupon, or a referral: it earns later. No other area has links to members.
        """
        place = position_of(member_id, network=self._network())
        if place.standing != "member" or place.has_referred or place.coupon == "granted":
            return True
        if self._books().balance_of(member_id).ever or self._accounts().find_holding(member_id).version:
            return True
        newest, _ = self._orders().orders_of_member(member_id, 1, None)
        return any(order.placed_at >= since for order in newest)
