"""Shared by every table model: short time-outs, one client per process, exact integers, and transactions that
distinguish a failed condition from a transient conflict.

Sources: PynamoDB 6.1 (`models.py`, `transactions.py`), DynamoDB TransactWriteItems reference.
"""

import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.attributes import Attribute
from pynamodb.connection.base import Connection
from pynamodb.connection.table import TableConnection
from pynamodb.constants import GLOBAL_SECONDARY_INDEXES, NUMBER, STRING
from pynamodb.exceptions import DoesNotExist, GetError, PutError, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.pagination import PageIterator
from pynamodb.transactions import TransactWrite

from cardstock import environment
from cardstock.clock import from_epoch_ms, to_epoch_ms
from cardstock.errors import STORE_BUSY, STORE_UNAVAILABLE

# PynamoDB waits 15 s for a connection and 30 s for an answer: longer than a caller of an API waits for anything.
CONNECT_TIMEOUT_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 3.0

_CONFLICT_PAUSES_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.4)
_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})

_OVERLOADED = frozenset({
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
})  # fmt: skip


class _Store(Connection):
    """Raises `UnavailableError` if the store does not answer or is overloaded, in the one method that makes every call.

    PynamoDB wraps a time-out in an error of the operation whose `cause_response_code` then fails with AttributeError,
    since botocore's time-outs carry `response = None`.
    """

    def _make_api_call(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            return super()._make_api_call(operation_name, operation_kwargs)
        except BotoCoreError as error:
            raise STORE_UNAVAILABLE() from error
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _OVERLOADED:
                raise STORE_BUSY() from error
            raise


_KEY = ("pk", "sk")
_connection: Connection | None = None


def connection() -> Connection:
    """The one DynamoDB connection of this process; a client per table would cost 20 ms each at cold start."""
    global _connection  # noqa: PLW0603 - PynamoDB keeps its own per class; ours is shared between classes
    if _connection is None:
        _connection = _Store(connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS, read_timeout_seconds=READ_TIMEOUT_SECONDS)
    return _connection


def connect() -> None:
    """Make the client now, at import, where a SnapStart snapshot or the init phase pays for it."""
    _ = connection().client


def disconnect() -> None:
    """Forget the client; for tests that change the endpoint."""
    global _connection  # noqa: PLW0603 - see connection()
    _connection = None
    for model in Table.__subclasses__():
        model._connection = None


class Table(Model):
    """Base of the table models: declare `class Meta: variable = "ORDERS_TABLE"`, where the environment names the table.

    The name is read at the first call, so that a function needs the names of the tables that it uses and no others.
    """

    @classmethod
    def table_name(cls) -> str:
        """The table's name in this process."""
        meta: Any = cls.Meta
        if getattr(meta, "table_name", None) is None:
            meta.table_name = environment.text(meta.variable)
        return str(meta.table_name)

    @classmethod
    def _get_connection(cls) -> TableConnection:
        cls.table_name()
        own = super()._get_connection()
        shared = connection()
        if own.connection is not shared:
            meta = own.get_meta_table()
            # Several shapes of item live in one table; the shape that declares the indexes wins, whichever is used
            # first.
            known = shared._tables.get(meta.table_name)
            if known is None or len(meta.data[GLOBAL_SECONDARY_INDEXES]) > len(known.data[GLOBAL_SECONDARY_INDEXES]):
                shared._tables[meta.table_name] = meta
            own.connection = shared
        return own

    @classmethod
    def find(cls, hash_key: str, range_key: str | None = None) -> Self | None:
        """The item as it is now, read consistently; None if there is none."""
        try:
            return cls.get(hash_key, range_key, consistent_read=True)
        except DoesNotExist:
            return None

    @classmethod
    def query_raw(
        cls, hash_key: str, keys: Condition, *, first_page: int, late: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Items of several shapes under one hash key, as raw attribute values, read consistently, unless a change may
        be `late`: that costs half.

        `first_page` items at first, then as many as an answer holds: who needs the first alone stops there.
        """
        pages = PageIterator[dict[str, Any]](
            cls._get_connection().query,
            (hash_key,),
            {"range_key_condition": keys, "consistent_read": not late, "limit": first_page},
        )
        for page in pages:
            yield from page["Items"]
            pages.page_size = None  # type: ignore[assignment]  # as when it was never given

    def put_if(self, condition: Condition) -> bool:
        """Put the item if what is stored meets the condition; False if it does not.

        False may be this very put, repeated by the client after its answer got lost. Raises `UnavailableError`.
        """
        try:
            self.save(condition=condition)
        except PutError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise STORE_UNAVAILABLE() from error
        return True

    def update_if(self, actions: list[Action], condition: Condition) -> bool:
        """Change the stored item if it meets the condition, and read what it is now into this one; False if it does
        not, as above. Raises `UnavailableError`, also while a transaction holds the item."""
        try:
            self.update(actions, condition=condition)
        except UpdateError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise STORE_UNAVAILABLE() from error
        return True


def get_together(wanted: Mapping[type[Table], Iterable[tuple[str, ...]]], *, eventual: bool = False) -> Iterator[Table]:
    """Those of the items that exist, of several shapes and tables and in no order, in one read: at most 100 keys. The
    read is consistent unless it may be `eventual`, at half the price. No call without a key."""
    shapes = {(model.table_name(), *key): model for model, keys in wanted.items() for key in keys}
    asked: dict[str, Any] = {}
    for table, *parts in shapes:
        key = {name: {STRING: part} for name, part in zip(_KEY, parts, strict=False)}
        asked.setdefault(table, {"Keys": [], "ConsistentRead": not eventual})["Keys"].append(key)
    while asked:
        try:
            answer = connection().dispatch("BatchGetItem", {"RequestItems": asked})
        except ClientError as error:
            raise GetError(f"Failed to batch get items: {error}", error) from error
        for table, items in answer["Responses"].items():
            for item in items:
                model = shapes[table, *(item[name][STRING] for name in _KEY if name in item)]
                yield model.from_raw_data(item)
        asked = answer["UnprocessedKeys"]


class IntegerAttribute(Attribute[int]):
    """An exact integer: fen, basis points, units. PynamoDB's own passes floats, NaN and True."""

    attr_type = NUMBER

    def serialize(self, value: Any) -> str:
        if type(value) is not int:
            raise TypeError(f"{self.attr_name} takes an int, not {value!r}")
        return str(value)

    def deserialize(self, value: Any) -> int:
        return int(value)


class EpochAttribute(Attribute[datetime]):
    """A moment, stored as integer milliseconds since the epoch."""

    attr_type = NUMBER

    def serialize(self, value: Any) -> str:
        return str(to_epoch_ms(value))

    def deserialize(self, value: Any) -> datetime:
        return from_epoch_ms(int(value))


class ExpiryAttribute(Attribute[datetime]):
    """When DynamoDB may delete the item (TTL): integer seconds since the epoch."""

    attr_type = NUMBER

    def serialize(self, value: Any) -> str:
        return str(int(value.timestamp()))

    def deserialize(self, value: Any) -> datetime:
        return from_epoch_ms(int(value) * 1000)


class JsonAttribute(Attribute[Any]):
    """Nested data that is only read and written whole: compact JSON text of strings, integers, lists and maps.

    A third of the size of nested DynamoDB maps, and one Python call to read. Floats are refused.
    """

    attr_type = STRING

    def serialize(self, value: Any) -> str:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_refuse)

    def deserialize(self, value: Any) -> Any:
        return json.loads(value, parse_float=_refuse)


def _refuse(value: object) -> Any:
    raise TypeError(f"{value!r} cannot be stored")


class ConditionFailedError(Exception):
    """A transaction changed nothing because conditions did not hold.

    `failed` maps the position of each failed action to the item as stored (raw attribute values; present if the action
    asked for `return_values="ALL_OLD"`). Positions count condition checks, then deletes, puts and updates, each in the
    order they were added, whatever the order between the kinds was.
    """

    def __init__(self, failed: dict[int, dict[str, Any]]) -> None:
        super().__init__(f"conditions failed at {sorted(failed)}")
        self.failed = failed


class Transaction(TransactWrite):
    """`with Transaction() as t: t.save(...); t.update(...)`: all or nothing, at most 100 items.

    Conflicts with other transactions and throttling are retried for about a second with jitter, which botocore does
    not do. Raises `ConditionFailedError`, or `UnavailableError` when the outcome stays unknown or refused for
    reasons of load: repeat the same step then, its deterministic id decides.
    """

    def __init__(self) -> None:
        super().__init__(connection=connection())

    def condition_check(
        self,
        model_cls: Any,
        hash_key: Any,
        range_key: Any = None,
        condition: Condition | None = None,
        return_values: str | None = None,
    ) -> None:
        """As PynamoDB's, which cannot ask for the item whose condition failed."""
        super().condition_check(model_cls, hash_key, range_key, condition)
        if return_values is not None:
            self._condition_check_items[-1]["ReturnValuesOnConditionCheckFailure"] = return_values

    def _commit(self) -> Any:
        for pause in (*_CONFLICT_PAUSES_SECONDS, None):
            try:
                return super()._commit()
            except TransactWriteError as error:
                reasons = error.cancellation_reasons
                failed = {
                    index: reason.raw_item or {}
                    for index, reason in enumerate(reasons)
                    if reason is not None and reason.code == "ConditionalCheckFailed"
                }
                if failed:
                    raise ConditionFailedError(failed) from error
                codes = {reason.code for reason in reasons if reason is not None}
                passing = (bool(codes) and codes <= _PASSING) or error.cause_response_code in (
                    "TransactionConflictException",
                    "TransactionInProgressException",
                )
                if not passing:
                    raise
                if pause is None:
                    raise STORE_BUSY() from error
                # Jitter spreads concurrent retries; it is not for security.
                time.sleep(random.uniform(0, pause))  # noqa: S311
        return None


__all__ = [
    "ConditionFailedError",
    "EpochAttribute",
    "ExpiryAttribute",
    "IntegerAttribute",
    "JsonAttribute",
    "Table",
    "Transaction",
    "connect",
    "disconnect",
    "get_together",
]
