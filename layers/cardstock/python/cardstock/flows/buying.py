"""The network area as the orders area sees it: a hint for the quote, a snapshot for the order."""

from typing import Any

from cardstock.network.ordering import hint_for, position_for_order
from cardstock.network.ports import Network


class Positions:
    """The orders area's `Network` port."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def hint(self, member_id: str) -> list[str]:
        """See the port."""
        return list(hint_for(member_id, network=self._network))

    def snapshot(self, member_id: str, hint: Any) -> dict[str, Any]:
        """See the port."""
        return position_for_order(member_id, hint, network=self._network)[0].to_compact()
