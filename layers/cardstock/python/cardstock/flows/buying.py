"""The network area as the orders area sees it: a hint for the quote, a snapshot for the order."""

from collections.abc import Callable
from typing import Any

from cardstock.clock import Clock
from cardstock.network.ports import Network
from cardstock.network.service import hint_for, position_for_order


class Positions:
    """The orders area's `Network` port."""

    def __init__(self, network: Network, clock: Callable[[], Clock]) -> None:
        self._network = network
        self._clock = clock

    def hint(self, member_id: str) -> list[str]:
        """See the port."""
        return list(hint_for(member_id, network=self._network, clock=self._clock()))

    def snapshot(self, member_id: str, hint: Any) -> dict[str, Any]:
        """See the port."""
        return position_for_order(member_id, hint, network=self._network, clock=self._clock())[0].to_compact()
