"""The buyer's position in the referral network, for quotes and orders."""

from typing import Any

from cardstock.network.ordering import hint_for, position_for_order
from cardstock.network.ports import Network


class BuyerNetwork:
    """`orders.ports.ReferralNetwork`."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def position_hint(self, member_id: str) -> list[str]:
        return list(hint_for(member_id, network=self._network))

    def position_snapshot(self, member_id: str, hint: Any) -> dict[str, Any]:
        snapshot, _ = position_for_order(member_id, hint, network=self._network)
        return snapshot.to_compact()
