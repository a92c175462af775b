"""Requests to close an account in DynamoDB, beside the members (`store`).

| Access pattern | Key | Cost |
|---|---|---|
| requests that wait | `by_day`: `closing` | 1 query, and 1 RCU for each |
| request | `closing#mem_...`; put with the member's `closing_at`, deleted by the closing | in these transactions |
"""

from collections.abc import Sequence

from cardstock.aws.items import record_of
from cardstock.members.closing_model import ClosingRequest
from cardstock.members.item_store import CLOSING, ClosingRequestItem, MemberItem, closing_key


class DynamoClosingRequests:
    """`members.ports.ClosingRequests`."""

    def waiting_members(self) -> Sequence[str]:
        return [item.id.partition("#")[2] for item in MemberItem.by_day.query(CLOSING)]

    def find_request(self, member_id: str) -> ClosingRequest | None:
        item = ClosingRequestItem.find(closing_key(member_id))
        return None if item is None else record_of(ClosingRequest, item)
