"""Payment agreements in DynamoDB.

Table `agreements`: `pk` = agreement id, which sorts by time. Index `by_member` (`member_id`, `pk`), keys only.

| Access pattern | How | Cost |
|---|---|---|
| ask | one put if absent | 1 WCU, 1 for the index |
| signed, ended | GetItem, consistent; one put on condition of the version before | 1 RCU, 1 WCU |
| charge | put on condition of the version before, in the transaction that marks the order | 2 WCU |
| one agreement | GetItem, consistent | 1 RCU |
| a member's agreements, oldest first | Query `by_member`, then BatchGetItem, consistent | 1 RCU each |
"""

from collections.abc import Sequence
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from cardstock.aws.items import StructAttribute, fields_of, record_of
from cardstock.aws.tables import EpochAttribute, IntegerAttribute, Table, Transaction
from cardstock.orders.agreement_model import Agreement, Charge


class ByMember(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """A member's agreements by time."""

    class Meta:
        index_name = "by_member"
        projection = KeysOnlyProjection()

    member_id = UnicodeAttribute(hash_key=True)
    agreement_id = UnicodeAttribute(range_key=True, attr_name="pk")


class AgreementItem(Table):
    """One agreement."""

    class Meta:
        variable = "AGREEMENTS_TABLE"

    agreement_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    member_id = UnicodeAttribute()
    channel = UnicodeAttribute()
    app = UnicodeAttribute()
    status = UnicodeAttribute(attr_name="st")
    charge_fen = IntegerAttribute()
    day_fen = IntegerAttribute()
    asked_at = EpochAttribute()
    ends_at = EpochAttribute()
    contract_no = UnicodeAttribute(null=True)
    signed_at = EpochAttribute(null=True)
    ended_at = EpochAttribute(null=True)
    ended_by = UnicodeAttribute(null=True)
    day = UnicodeAttribute(null=True)
    charges = StructAttribute(tuple[Charge, ...], null=True)
    version = IntegerAttribute(attr_name="v")
    by_member = ByMember()


class DynamoAgreements:
    """`orders.ports.Agreements`."""

    def find_agreement(self, agreement_id: str) -> Agreement | None:
        item = AgreementItem.find(agreement_id)
        return None if item is None else record_of(Agreement, item)

    def agreements_of(self, member_id: str) -> Sequence[Agreement]:
        ids = [item.agreement_id for item in AgreementItem.by_member.query(member_id)]
        found = AgreementItem.batch_get(ids, consistent_read=True) if ids else ()
        return sorted((record_of(Agreement, item) for item in found), key=lambda each: each.agreement_id)

    def store_agreement(self, agreement: Agreement) -> bool:
        return _item(agreement).put_if(_before(agreement))


def save_agreement(transaction: Transaction, agreement: Agreement) -> None:
    """Add a changed agreement to the transaction of a step. The transaction fails if it has changed since."""
    transaction.save(_item(agreement), condition=_before(agreement))


def _before(agreement: Agreement) -> Any:
    if agreement.version == 1:
        return AgreementItem.agreement_id.does_not_exist()
    return AgreementItem.version == agreement.version - 1


def _item(agreement: Agreement) -> AgreementItem:
    return AgreementItem(**fields_of(agreement, AgreementItem))
