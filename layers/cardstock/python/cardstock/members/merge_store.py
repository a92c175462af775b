"""Codes and groups of members who are one person, in DynamoDB.

| Access pattern | Table, key | Cost |
|---|---|---|
| make a code, the member's newest; both expire | `sessions`, `merge-code#...`, `merge-code-of#...` / `code` | 4 WCU |
| code by its hash, and its member's newest | the same | 1 RCU each |
| group | `members`, `grp_...` | 1 RCU |
| merge, undo: codes, group, the members, their positions and referrers' | these, `mem_...`, `network` | 1 transaction |
"""

from collections.abc import Collection, Mapping
from typing import Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from cardstock.aws.items import StructAttribute, record_of
from cardstock.aws.tables import ConditionFailedError, ExpiryAttribute, IntegerAttribute, Table, Transaction
from cardstock.members.item_store import MemberItem, members_of
from cardstock.members.merge_model import Group, MergeCode, Merged
from cardstock.members.model import Member
from cardstock.members.ports import MergeStep
from cardstock.network.store import write

CODE: Final = "code"


class MergeCodeItem(Table):
    """A code, under its hash."""

    class Meta:
        variable = "SESSIONS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=CODE)
    member_id = UnicodeAttribute()
    expires_at = ExpiryAttribute()
    used_by = UnicodeAttribute(null=True)


class NewestCodeItem(Table):
    """The hash of a member's newest code: the ones before it are good no more."""

    class Meta:
        variable = "SESSIONS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=CODE)
    digest = UnicodeAttribute()
    expires_at = ExpiryAttribute()


class GroupItem(Table):
    """Members who said that they are one person."""

    class Meta:
        variable = "MEMBERS_TABLE"

    id = UnicodeAttribute(hash_key=True, attr_name="pk")
    members = StructAttribute(tuple[Merged, ...], attr_name="merged")
    version = IntegerAttribute()


class DynamoMerges:
    """`members.ports.Merges`."""

    def put_code(self, code: MergeCode) -> None:
        with Transaction() as transaction:
            transaction.save(MergeCodeItem(_key(code.digest), member_id=code.member_id, expires_at=code.expires_at))
            transaction.save(NewestCodeItem(_newest(code.member_id), digest=code.digest, expires_at=code.expires_at))

    def find_code(self, digest: str) -> MergeCode | None:
        item = MergeCodeItem.find(_key(digest), CODE)
        if item is None:
            return None
        if not item.used_by:
            newest = NewestCodeItem.find(_newest(item.member_id), CODE)
            if newest is not None and newest.digest != digest:
                return None
        return MergeCode(digest, item.member_id, item.expires_at, item.used_by or "")

    def find_group(self, group_id: str) -> Group | None:
        item = GroupItem.find(group_id)
        return None if item is None else record_of(Group, item)

    def find_members(self, member_ids: Collection[str]) -> Mapping[str, Member]:
        return members_of(member_ids)

    def commit(self, step: MergeStep) -> bool:
        try:
            with Transaction() as transaction:
                if step.code is not None:
                    used = MergeCodeItem.used_by.set(step.code.used_by)
                    unused = (MergeCodeItem.member_id == step.code.member_id) & MergeCodeItem.used_by.does_not_exist()
                    transaction.update(MergeCodeItem(_key(step.code.digest)), [used], condition=unused)
                    # Codes of a release that kept no newest one are good until they expire.
                    newest = NewestCodeItem.digest.does_not_exist() | (NewestCodeItem.digest == step.code.digest)
                    transaction.condition_check(NewestCodeItem, _newest(step.code.member_id), CODE, newest)
                if step.group is not None:
                    _put_group(transaction, step.group)
                for member_id, member in step.before.items():
                    actions, same = _changed(step.after[member_id]), _as_read(member, merges=step.code is not None)
                    transaction.update(MemberItem(id=member_id), actions, condition=same)
                write(transaction, step.change)
        except ConditionFailedError:
            return False
        return True


def _key(digest: str) -> str:
    return f"merge-code#{digest}"


def _newest(member_id: str) -> str:
    return f"merge-code-of#{member_id}"


def _put_group(transaction: Transaction, group: Group) -> None:
    same = (GroupItem.version == group.version) if group.version else GroupItem.id.does_not_exist()
    if len(group.members) > 1:
        item = GroupItem(group.id, members=group.members, version=group.version + 1)
        transaction.save(item, condition=same)
    else:
        transaction.delete(GroupItem(group.id), condition=same)


def _changed(member: Member) -> list[Action]:
    group, others = MemberItem.group, MemberItem.same_person
    return [
        group.set(member.group) if member.group else group.remove(),
        others.set(member.same_person) if member.same_person else others.remove(),
    ]


def _as_read(member: Member, *, merges: bool) -> Condition:
    """The member is in the group that the step was decided on; whoever merges is there, and no person of the staff.

    A member who is verified meanwhile needs no condition: `join_verified` follows, and reads this step.
    """
    group = MemberItem.group
    same: Condition = MemberItem.id.exists()
    same &= group == member.group if member.group else group.does_not_exist()
    if merges and not member.group:
        same &= MemberItem.staff_link.does_not_exist()
        if member.state != "erased":  # a closed account of the same person stays one of them
            same &= MemberItem.erased_at.does_not_exist()
    return same
