"""The buyer's position in the referral network, for quotes and orders."""

from typing import Any

from cardstock.errors import MEMBER_ERASED
from cardstock.network.ordering import Placed, position_for_order
from cardstock.network.ports import Network


class BuyerNetwork:
    """`orders.ports.ReferralNetwork`."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def position_hint(self, member_id: str) -> list[str]:
        return list(self._place(member_id, ()).hint)

    def position_snapshot(self, member_id: str, hint: Any) -> dict[str, Any]:
        return self._place(member_id, hint).snapshot.to_compact()

    def _place(self, member_id: str, hint: Any) -> Placed:
        """The buyer's place. Raises `UnauthorizedError` (MEMBER_ERASED) if the account is closed, or being closed."""
        placed = position_for_order(member_id, hint, network=self._network)
        if placed.buyer.erased:
            raise MEMBER_ERASED()
        return placed
