"""Sessions in DynamoDB.

Table `sessions`, partition key `pk` (the member), sort key `sk`; no index. Items expire after thirty days without use.

| Item | sk | Written |
|---|---|---|
| session | `ses_...` | put if absent; its number raised if it is what the token says; deleted when it ends |
| places | `places` | the ids of the sessions that take one of the twenty places, a set |
| exchanged | `exchanged#ses_...` | put if absent: a refresh token of v0.2.0 was exchanged for that session |
| refused | `refused` | put: refresh tokens of v0.2.0 are refused |
| counter of a limit | `counter`, pk `count#...` | raised if it is below the limit |

| Access pattern | Cost |
|---|---|
| start, in the transaction of the log-in; the oldest session ends if there is no place | 4 WCU, then 6 WCU |
| counters of a log-in, in its transaction | 2 WCU, 4 WCU with a telephone number |
| refresh: the member is there and agreed, the number is raised; a failure brings both | 1 transaction, 4 WCU |
| end one | 1 transaction, 4 WCU |
| all of a member; end all | 1 query; then 1 transaction, 2 WCU each |
| exchange of a token of v0.2.0 | 1 transaction, 10 WCU |

A place is left when its session ends. A session that has expired keeps its place until it is the oldest.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import size
from pynamodb.expressions.update import Action

from cardstock.aws.items import fields_of, record_of
from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    ExpiryAttribute,
    IntegerAttribute,
    Table,
    Transaction,
)
from cardstock.errors import STORE_BUSY
from cardstock.members.session_model import MOST_SESSIONS, REFRESH_LIFETIME, Outcome, Session, Turn

PLACES: Final = "places"
COUNTER: Final = "counter"
_USED: Final = size("ids")  # type: ignore[no-untyped-call]  # PynamoDB has no types there
_REFUSED: Final = "refused"
_ATTEMPTS: Final = 5


class SessionItem(Table):
    """A session."""

    class Meta:
        variable = "SESSIONS_TABLE"

    member_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    id = UnicodeAttribute(range_key=True, attr_name="sk")
    account = UnicodeAttribute()
    made_at = EpochAttribute()
    used_at = EpochAttribute()
    expires_at = ExpiryAttribute()
    number = IntegerAttribute()


class PlacesItem(Table):
    """The sessions of a member that take a place."""

    class Meta:
        variable = "SESSIONS_TABLE"

    member_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True, default=PLACES)
    ids = UnicodeSetAttribute(null=True)


class _MemberItem(Table):
    """A member, as far as sessions ask."""

    class Meta:
        variable = "MEMBERS_TABLE"

    id = UnicodeAttribute(hash_key=True, attr_name="pk")
    erased_at = EpochAttribute(null=True)
    account_consent = IntegerAttribute(null=True)


_THERE: Final = _MemberItem.id.exists() & _MemberItem.erased_at.does_not_exist()


def _require_member(transaction: Transaction, member_id: str, agreed: int) -> None:
    """Add the check that the member is there and has agreed to `account` in that version or a later one."""
    condition = _THERE & (_MemberItem.account_consent >= agreed)
    transaction.condition_check(_MemberItem, member_id, condition=condition, return_values="ALL_OLD")


def _refused_member(stored: dict[str, Any]) -> Outcome:
    """Why the member of that check is refused."""
    return "lapsed" if stored and "erased_at" not in stored else "erased"


class MarkItem(Table):
    """A mark that stays as long as a refresh token of v0.2.0 may be good."""

    class Meta:
        variable = "SESSIONS_TABLE"

    member_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True)
    expires_at = ExpiryAttribute()


class LogInCounter(Table):
    """How often an account did something in a window."""

    class Meta:
        variable = "SESSIONS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=COUNTER)
    n = IntegerAttribute()
    expires_at = ExpiryAttribute()


def start_session(transaction: Transaction, session: Session, known: frozenset[str]) -> int:
    """Add the start of the session to `transaction`, before anything else is deleted or put there.

    Returns the number of its deletes, after which the session's put comes. `known` are the ids in the member's places
    as they were read."""
    ended = sorted(known)[: max(0, len(known) + 1 - MOST_SESSIONS)]
    for session_id in ended:
        transaction.delete(SessionItem(session.member_id, session_id))
    transaction.save(_item(session), condition=SessionItem.member_id.does_not_exist())
    if ended:
        kept = set(known - set(ended)) | {session.id}
        transaction.update(
            PlacesItem(session.member_id), actions=[PlacesItem.ids.set(kept)], condition=PlacesItem.ids == set(known)
        )
    else:
        _take_place(transaction, session)
    return len(ended)


def _take_place(transaction: Transaction, session: Session) -> None:
    free = PlacesItem.ids.does_not_exist() | (_USED < MOST_SESSIONS)
    transaction.update(PlacesItem(session.member_id), actions=[PlacesItem.ids.add({session.id})], condition=free)


class DynamoSessions:
    """`members.ports.Sessions`."""

    def sessions_of(self, member_id: str) -> Sequence[Session]:
        found = SessionItem.query(member_id, SessionItem.id.startswith("ses_"), consistent_read=True)
        return [record_of(Session, item) for item in found]

    def use_number(self, member_id: str, session_id: str, number: int, now: datetime, agreed: int) -> Outcome:
        actions: list[Action] = [
            SessionItem.number.set(number + 1),
            SessionItem.used_at.set(now),
            SessionItem.expires_at.set(now + REFRESH_LIFETIME),
        ]
        try:
            with Transaction() as transaction:
                _require_member(transaction, member_id, agreed)
                transaction.update(
                    SessionItem(member_id, session_id),
                    actions=actions,
                    condition=SessionItem.number == number,
                    return_values="ALL_OLD",
                )
        except ConditionFailedError as error:
            return _refused_member(error.failed[0]) if 0 in error.failed else _turn(error.failed[1])
        return Turn(number + 1, now)

    def adopt(self, session: Session, agreed: int) -> Outcome:
        member_id, until = session.member_id, session.made_at + REFRESH_LIFETIME
        exchanged = MarkItem(member_id, f"exchanged#{session.id}", expires_at=until)
        for _ in range(_ATTEMPTS):
            places = PlacesItem.find(member_id, PLACES)
            known = frozenset((places.ids if places else None) or ())
            try:
                with Transaction() as transaction:
                    _require_member(transaction, member_id, agreed)
                    transaction.condition_check(MarkItem, member_id, _REFUSED, condition=MarkItem.sk.does_not_exist())
                    start_session(transaction, session, known)
                    transaction.save(exchanged, condition=MarkItem.sk.does_not_exist())
            except ConditionFailedError as error:
                if 0 in error.failed:
                    return _refused_member(error.failed[0])
                found = SessionItem.find(member_id, session.id)
                if found is not None:
                    return Turn(found.number, found.used_at)
                if 1 in error.failed or MarkItem.find(member_id, exchanged.sk) is not None:
                    return None
            else:
                return Turn(session.number, session.used_at)
        raise STORE_BUSY()

    def refuse_earlier(self, member_id: str, now: datetime) -> None:
        MarkItem(member_id, _REFUSED, expires_at=now + REFRESH_LIFETIME).save()

    def end(self, member_id: str, session_id: str) -> bool:
        try:
            with Transaction() as transaction:
                transaction.delete(SessionItem(member_id, session_id), condition=SessionItem.id.exists())
                transaction.update(PlacesItem(member_id), actions=[PlacesItem.ids.delete({session_id})])
        except ConditionFailedError:
            return False
        return True

    def end_all(self, member_id: str, now: datetime) -> None:
        for _ in range(_ATTEMPTS):
            # The places first: whoever starts a session after this read changes them, and the transaction fails.
            places = PlacesItem.find(member_id, PLACES)
            known = (places.ids if places else None) or set()
            found = [each.id for each in self.sessions_of(member_id)]
            try:
                with Transaction() as transaction:
                    for session_id in found:
                        transaction.delete(SessionItem(member_id, session_id))
                    transaction.delete(
                        PlacesItem(member_id),
                        condition=(PlacesItem.ids == known) if known else PlacesItem.ids.does_not_exist(),
                    )
                    transaction.save(MarkItem(member_id, _REFUSED, expires_at=now + REFRESH_LIFETIME))
            except ConditionFailedError:
                continue
            return
        raise STORE_BUSY()


def _item(session: Session) -> SessionItem:
    return SessionItem(**fields_of(session, SessionItem))


def _turn(stored: dict[str, Any]) -> Turn | None:
    """The turn in a raw item; None if there is none."""
    if not stored:
        return None
    item = SessionItem.from_raw_data(stored)
    return Turn(item.number, item.used_at)
