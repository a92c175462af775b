"""The items of the table `members`, which record each holds, and members by their ids.

Keys and access patterns are in `members.store`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from cardstock.aws.days import day_key
from cardstock.aws.items import StructAttribute, fields_of, record_of
from cardstock.aws.tables import EpochAttribute, ExpiryAttribute, IntegerAttribute, JsonAttribute, Table
from cardstock.members.closing_model import GiveUp
from cardstock.members.consent_model import Consent, Purpose
from cardstock.members.model import LostPhone, Member, Person


class ByDay(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """Members by the day of their registration."""

    class Meta:
        index_name = "by_day"
        projection = KeysOnlyProjection()

    day_key = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True, attr_name="pk")


class ByMember(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """What is kept about a member beside the member's own item."""

    class Meta:
        index_name = "by_member"
        projection = KeysOnlyProjection()

    member_id = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True, attr_name="pk")


class FormerAttribute(UnicodeSetAttribute):
    """Ids as a set that DynamoDB adds to; a sorted tuple here."""

    def deserialize(self, value: Any) -> Any:
        found: set[str] = super().deserialize(value)  # type: ignore[no-untyped-call]  # PynamoDB has no types there
        return tuple(sorted(found))


class MemberItem(Table):
    """A member."""

    class Meta:
        variable = "MEMBERS_TABLE"

    id = UnicodeAttribute(hash_key=True, attr_name="pk")
    account = UnicodeAttribute()
    created_at = EpochAttribute()
    nickname = UnicodeAttribute(null=True)
    birth_year = IntegerAttribute(null=True)
    phone = UnicodeAttribute(null=True)
    scene = UnicodeAttribute(null=True)
    person = StructAttribute(Person, null=True)
    erased_at = EpochAttribute(null=True)
    siblings = StructAttribute(tuple[str, ...], null=True)
    taken_identities = StructAttribute(tuple[str, ...], null=True)
    state = UnicodeAttribute(null=True)
    """Missing from items of release v0.2.0, as of members who are only registered."""
    phone_at = EpochAttribute(null=True)
    phone_claimed = BooleanAttribute(null=True)
    phone_lost = StructAttribute(LostPhone, null=True)
    joining_until = EpochAttribute(null=True)
    closing_at = EpochAttribute(null=True)
    group = UnicodeAttribute(null=True)
    same_person = StructAttribute(tuple[str, ...], null=True)
    former = FormerAttribute(null=True)
    consents = StructAttribute(dict[str, Consent], null=True)
    account_consent = IntegerAttribute(null=True)
    """The version of `account` that the member agreed to, for conditions; missing without consent."""
    staff_link = UnicodeAttribute(null=True)
    was_staff = BooleanAttribute(null=True)
    day_key = UnicodeAttribute(null=True)
    by_day = ByDay()
    by_member = ByMember()


NOT_ERASED: Final = MemberItem.erased_at.does_not_exist()
NOT_STAFF: Final = MemberItem.staff_link.does_not_exist()


class PointerItem(Table):
    """What leads to a member: a platform account, or a telephone number."""

    class Meta:
        variable = "MEMBERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    member_id = UnicodeAttribute()
    expires_at = ExpiryAttribute(null=True)
    """Of what led to a closed account, and says for three years whose it was."""


class PhoneMoveItem(Table):
    """A telephone number that moved from one member to another, or that a member changed (`to_member` is the same one),
    and in which app; kept for who must explain it.

    An item of v0.3.0 has the number in its key, the account with its openid, and neither `member_id` nor `expires_at`.
    """

    class Meta:
        variable = "MEMBERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    from_member = UnicodeAttribute()
    to_member = UnicodeAttribute()
    account = UnicodeAttribute()
    """Platform and app of the log-in, or of the change."""
    at = EpochAttribute()
    masked = UnicodeAttribute(null=True)
    """The number, masked."""
    member_id = UnicodeAttribute(null=True)
    """Who lost the number."""
    expires_at = ExpiryAttribute(null=True)


class ConsentItem(Table):
    """What a member said of a purpose, when, and in which app: `consent#<member id>#<milliseconds>#<purpose>`. Never
    changed."""

    class Meta:
        variable = "MEMBERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    member_id = UnicodeAttribute()
    version = IntegerAttribute()
    granted = BooleanAttribute()
    at = EpochAttribute()
    account = UnicodeAttribute()


class ErasureItem(Table):
    """What is left to be erased of a closed account."""

    class Meta:
        variable = "MEMBERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    member_id = UnicodeAttribute()
    closed_at = EpochAttribute()
    next_at = EpochAttribute()
    day_key = UnicodeAttribute(default="erasing")


def erasure_key(member_id: str) -> str:
    """Under which the erasure of a closed account is stored."""
    return f"erasing#{member_id}"


CLOSING: Final = "closing"
"""The `day_key` of all requests to close an account."""


class ClosingRequestItem(Table):
    """A member who wants the account closed, while it is not."""

    class Meta:
        variable = "MEMBERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    member_id = UnicodeAttribute()
    asked_at = EpochAttribute()
    give_up = StructAttribute(GiveUp, null=True)
    day_key = UnicodeAttribute(default=CLOSING)


def closing_key(member_id: str) -> str:
    """Under which the request to close an account is stored."""
    return f"closing#{member_id}"


class PersonItem(Table):
    """Which members have been verified as one person."""

    class Meta:
        variable = "MEMBERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    members = JsonAttribute()


class SaltItem(Table):
    """The brand's salt for identity numbers, in hex. Written once: under another salt no known person is recognised."""

    class Meta:
        variable = "MEMBERS_TABLE"

    pk = UnicodeAttribute(hash_key=True, default="salt#person")
    salt = UnicodeAttribute()


def account_version(consents: Mapping[Purpose, Consent]) -> int | None:
    said = consents.get("account")
    return said.version if said is not None and said.granted else None


def member_item(member: Member) -> MemberItem:
    """The item that holds a member."""
    return MemberItem(
        day_key=day_key(member.created_at, member.id),
        account_consent=account_version(member.consents),
        **fields_of(member, MemberItem),
    )


def member_in(item: MemberItem) -> Member:
    """The member that an item holds; the state of an item that has none follows from what release v0.2.0 stored."""
    if item.state is None and item.erased_at is not None:
        item.state = "erased"
    elif item.state is None and item.person is not None:
        item.state = "verified"
    return record_of(Member, item)


def members_of(member_ids: Iterable[str]) -> Mapping[str, Member]:
    """The members among `member_ids` that exist, erased ones too. Consistent; one read per hundred."""
    keys = sorted(set(member_ids))
    return {item.id: member_in(item) for item in MemberItem.batch_get(keys, consistent_read=True)} if keys else {}
