"""Requests already done: a stored item makes a repeated POST return the first result.

Table `requests`: partition key `pk` = `RequestKey.id`, and `RequestKey.id` `#answer` for first answers that cannot be
made again; no index. Access patterns: put if absent inside the transaction that does the work; read of the stored item
through the failed condition, without an extra read; first answers by GetItem and a put if absent. Items expire after
seven days; steps of money do not depend on them, because they have their own ids.
"""

from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from cardstock import clock
from cardstock.aws.tables import ExpiryAttribute, IntegerAttribute, Table, Transaction
from cardstock.errors import IDEMPOTENCY_KEY_REUSED
from cardstock.ids import RequestKey, StoredAnswer

_KEPT = timedelta(days=7)


class RequestItem(Table):
    """A request that was done, and the id of its result."""

    class Meta:
        variable = "REQUESTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    fingerprint = UnicodeAttribute()
    result = UnicodeAttribute()
    expires_at = ExpiryAttribute()


def remember(transaction: Transaction, request: RequestKey, result: str, at: datetime) -> None:
    """Add the request to `transaction`. Call it first: then it is the action at position 0 (see `ConditionFailedError`)
    as long as the transaction holds no condition checks and no deletes."""
    transaction.save(
        RequestItem(pk=request.id, fingerprint=request.fingerprint, result=result, expires_at=at + _KEPT),
        condition=RequestItem.pk.does_not_exist(),
        return_values="ALL_OLD",
    )


def keep(request: RequestKey, result: str, at: datetime) -> bool:
    """Store the request by itself, before work that is safe to repeat; return whether it was known.

    Raises `RefusedError` like `result_of`, `UnavailableError`.
    """
    item = RequestItem(pk=request.id, fingerprint=request.fingerprint, result=result, expires_at=at + _KEPT)
    return not item.put_if(RequestItem.pk.does_not_exist()) and find(request) is not None


def find(request: RequestKey) -> str | None:
    """The result of an earlier run of `request`, by a consistent read; None if there was none.

    For requests that can no longer be run (an expired quote) but may have been. Raises like `result_of`.
    """
    item = RequestItem.find(request.id)
    if item is None:
        return None
    if not request.made(item.fingerprint):
        raise IDEMPOTENCY_KEY_REUSED()
    return item.result


def result_of(stored: dict[str, Any], request: RequestKey) -> str:
    """The result of an earlier run of `request`, from the raw item of the failed condition.

    Raises `RefusedError` when the same key came with another body.
    """
    if not request.made(stored["fingerprint"]["S"]):
        raise IDEMPOTENCY_KEY_REUSED()
    return str(stored["result"]["S"])


class AnswerItem(Table):
    """The first answer to a request."""

    class Meta:
        variable = "REQUESTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    fingerprint = UnicodeAttribute()
    status = IntegerAttribute()
    body = UnicodeAttribute()
    expires_at = ExpiryAttribute()


class DynamoAnswers:
    """`edge.first_answers.Answers`."""

    def find(self, request: RequestKey) -> StoredAnswer | None:
        item = AnswerItem.find(f"{request.id}#answer")
        if item is None:
            return None
        if not request.made(item.fingerprint):
            raise IDEMPOTENCY_KEY_REUSED()
        return StoredAnswer(item.status, item.body)

    def keep(self, request: RequestKey, answer: StoredAnswer) -> StoredAnswer:
        item = AnswerItem(
            pk=f"{request.id}#answer",
            fingerprint=request.fingerprint,
            status=answer.status,
            body=answer.body,
            expires_at=clock.now() + _KEPT,
        )
        if item.put_if(AnswerItem.pk.does_not_exist()):
            return answer
        return self.find(request) or answer
