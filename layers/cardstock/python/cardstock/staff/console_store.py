"""Log-ins to the console and its sessions, in DynamoDB.

Table `staff-sessions`, partition key `pk`, sort key `sk`; no index; items expire. Ids of log-ins sort by time. A table
of its own: every function of staff may renew a session, and none of them may change a person.

| Access pattern | Key | Cost |
|---|---|---|
| ask: log-in and a counter in one transaction | `logins#stf_...` / id, `count#...` / `counter` | 1 call, 4 WCU |
| log-ins of a person in the last ninety seconds | `logins#stf_...` / id or later | 1 query |
| answer: person checked, log-in changed, counter | `person` / `stf_...`, the log-in | 1 call, 6 WCU |
| start: person and log-in checked, session put | and `sessions#stf_...` / digest | 1 call, 6 WCU |
| session of a request, read together with person and key | `sessions#stf_...` / digest | 1 RCU |
| renew, at most every five minutes | the session | 1 WCU |
| end | the session | 1 WCU |
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from cardstock.aws.counters import CountStep, once_more
from cardstock.aws.items import PrefixedAttribute, StructAttribute, fields_of, record_of
from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    ExpiryAttribute,
    IntegerAttribute,
    Table,
    Transaction,
)
from cardstock.errors import UnavailableError
from cardstock.staff.console_model import (
    LOG_INS,
    SESSION_LIFE,
    WRONG_DIGITS,
    ConsoleSession,
    PendingLogin,
    login_ids_since,
)
from cardstock.staff.store import PERSON, PersonItem

_LOGINS: Final = "logins#"
_SESSIONS: Final = "sessions#"
_KEPT: Final = timedelta(hours=1)
"""How long a log-in that is over stays readable, so that an answer can be repeated."""


class LoginItem(Table):
    """A pending log-in."""

    class Meta:
        variable = "STAFF_SESSIONS_TABLE"

    person_id = PrefixedAttribute(_LOGINS, hash_key=True, attr_name="pk")
    login_id = UnicodeAttribute(range_key=True, attr_name="sk")
    digits = UnicodeAttribute()
    choices = StructAttribute(tuple[str, ...])
    browser = UnicodeAttribute()
    place = UnicodeAttribute()
    known = BooleanAttribute(null=True)
    made_at = EpochAttribute()
    ends_at = EpochAttribute()
    state = UnicodeAttribute()
    member_id = UnicodeAttribute(null=True)
    answered_at = EpochAttribute(null=True)
    expires_at = ExpiryAttribute()


class SessionItem(Table):
    """A session of the console."""

    class Meta:
        variable = "STAFF_SESSIONS_TABLE"

    person_id = PrefixedAttribute(_SESSIONS, hash_key=True, attr_name="pk")
    session_id = UnicodeAttribute(range_key=True, attr_name="sk")
    member_id = UnicodeAttribute()
    api = UnicodeAttribute()
    began_at = EpochAttribute()
    renewed_at = EpochAttribute()
    browser = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    ended_at = EpochAttribute(null=True)
    """An ended session stays, so that the log-in that began it cannot begin it again."""
    expires_at = ExpiryAttribute()

    @staticmethod
    def key_of(person_id: str, session_id: str) -> tuple[str, str]:
        """The key as it is stored."""
        return f"{_SESSIONS}{person_id}", session_id


class LoginCounter(Table):
    """How many log-ins were asked for, or answered wrongly, in a window."""

    class Meta:
        variable = "STAFF_SESSIONS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="counter")
    n = IntegerAttribute()
    expires_at = ExpiryAttribute()


class DynamoConsole:
    """`staff.ports.Console`."""

    def ask(self, login: PendingLogin, origin: str) -> None:
        item = LoginItem(**fields_of(login, LoginItem), expires_at=login.ends_at + _KEPT)
        try:
            with Transaction() as transaction:
                transaction.save(item, condition=LoginItem.login_id.does_not_exist())
                CountStep(transaction, LoginCounter(LOG_INS.key(origin, login.made_at)), LOG_INS, login.made_at)
        except ConditionFailedError as error:
            # Nobody else knows this id: this very call has stored the log-in, before its answer got lost.
            if 0 in error.failed:
                return
            raise LOG_INS.refusal(login.made_at) from error

    def find_login(self, person_id: str, login_id: str) -> PendingLogin | None:
        item = LoginItem.find(person_id, login_id)
        return None if item is None else record_of(PendingLogin, item)

    def logins_of(self, person_id: str, since: datetime) -> Sequence[PendingLogin]:
        newer = LoginItem.login_id >= login_ids_since(since)
        return [record_of(PendingLogin, item) for item in LoginItem.query(person_id, newer, consistent_read=True)]

    def answer(self, login: PendingLogin) -> bool:
        at = login.answered_at or login.made_at
        counter = LoginCounter(WRONG_DIGITS.key(login.person_id, at))
        # Where the counter's action comes among those of the transaction.
        counts, counted_at = login.state == "refused", 2 if login.state == "refused" else 1
        try:
            with Transaction() as transaction:
                transaction.condition_check(PersonItem, PERSON, login.person_id, condition=_is(login.member_id))
                if not counts:
                    _, free = once_more(LoginCounter, WRONG_DIGITS, at)
                    transaction.condition_check(LoginCounter, counter.pk, counter.sk, condition=free)
                transaction.update(
                    LoginItem(login.person_id, login.login_id),
                    actions=[
                        LoginItem.state.set(login.state),
                        LoginItem.member_id.set(login.member_id),
                        LoginItem.answered_at.set(at),
                    ],
                    condition=LoginItem.state == "waiting",
                )
                if counts:
                    CountStep(transaction, counter, WRONG_DIGITS, at)
        except ConditionFailedError as error:
            if set(error.failed) == {counted_at}:
                raise WRONG_DIGITS.refusal(at) from error
            return False
        return True

    def start(self, session: ConsoleSession, login: PendingLogin) -> bool:
        item = SessionItem(**fields_of(session, SessionItem), expires_at=session.began_at + SESSION_LIFE)
        confirmed = (LoginItem.state == "confirmed") & (LoginItem.member_id == session.member_id)
        try:
            with Transaction() as transaction:
                transaction.condition_check(PersonItem, PERSON, session.person_id, condition=_is(session.member_id))
                transaction.condition_check(LoginItem, login.person_id, login.login_id, condition=confirmed)
                transaction.save(item, condition=SessionItem.session_id.does_not_exist())
        except ConditionFailedError as error:
            return set(error.failed) == {2}  # the session is there: this is a repeat
        return True

    def end(self, person_id: str, session_id: str, at: datetime) -> None:
        there = SessionItem.session_id.exists()
        SessionItem(person_id, session_id).update_if([SessionItem.ended_at.set(at)], there)


def session_in(item: SessionItem) -> ConsoleSession:
    """The session that an item holds."""
    return record_of(ConsoleSession, item)


def renew_session(person_id: str, session_id: str, now: datetime) -> None:
    """Note that the session is used now. Says nothing if that fails: the next use notes it."""
    with suppress(UnavailableError):
        SessionItem(person_id, session_id).update_if(
            [SessionItem.renewed_at.set(now)], SessionItem.session_id.exists() & SessionItem.ended_at.does_not_exist()
        )


def _is(member_id: str) -> Condition:
    """The person is active, and this is its member."""
    condition: Condition = (PersonItem.state == "active") & (PersonItem.member_id == member_id)
    return condition
