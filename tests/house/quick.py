"""Makes moto's DynamoDB fast enough for long lives and hundreds of seeds: a third of the time per call, same answers.

moto finds, parses and serializes each call by the service's model, and copies whole tables for each transaction. Here
a call goes straight to moto's own operation, and a transaction keeps the items it touches. Whatever is refused is done
again by moto itself, which words the refusal.

moto parses a condition several times a call. Here a text is parsed once. `quick_updates.py` does that for updates,
`quick_items.py` compares, copies and finds items, and `quick_sdk.py` shortens what the SDK does before moto is asked.
"""

import base64
import copy
import json
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import moto.core.responses
import moto.dynamodb.models
import moto.sqs.models
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.model_instances import reset_model_data
from moto.core.models import MockAWS, botocore_stubber
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import dynamo_to_dict
from moto.dynamodb.responses import DynamoHandler

from tests.house.swaps import swap

ACCOUNT = "123456789012"
_QUICK = {
    name: camelcase_to_underscores(name)
    for name in (
        "BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "TransactGetItems",
        "TransactWriteItems", "UpdateItem",
    )
}  # fmt: skip
_HEADERS = {"Content-Type": "application/x-amz-json-1.0"}
_BINARY = b'{"B":'

_moto_answers = BotocoreStubber.process_request
_moto_writes = DynamoDBBackend.transact_write_items


class _Handler(DynamoHandler):
    """moto's operations, without what finds out which one is meant."""

    def __init__(self, region: str, asked: dict[str, Any]) -> None:
        self.region = region
        self.current_account = ACCOUNT
        self.body = self.params = asked


def _answer(stubber: Any, request: Any) -> Any:
    target = request.headers.get("X-Amz-Target", b"")
    operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
    if operation not in _QUICK or "://dynamodb." not in request.url or _BINARY in request.body:
        return _moto_answers(stubber, request)
    handler = _Handler(request.url.split(".", 2)[1], json.loads(request.body))
    try:
        answered = getattr(handler, _QUICK[operation])()
    except Exception:
        return _moto_answers(stubber, request)
    if not isinstance(answered, ActionResult):
        raise TypeError(f"{operation} gave {answered!r}")
    return 200, _HEADERS, json.dumps(answered.result, default=_as_text).encode()


def _as_text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _write(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    with _undone_if_it_fails(backend, transact_items):
        _moto_writes(backend, transact_items)


@contextmanager
def _undone_if_it_fails(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> Iterator[None]:
    touched: list[Callable[[], None]] = []
    for entry in transact_items:
        for operation in entry.values():
            table = backend.tables.get(operation.get("TableName", ""))
            if table is not None:
                touched.append(_kept(table, operation.get("Key") or operation["Item"]))
    _keeping.append(True)
    try:
        yield
    except BaseException:
        for put_back in touched:
            put_back()
        raise
    finally:
        _keeping.pop()


def _kept(table: Table, key: dict[str, Any]) -> Callable[[], None]:
    first = DynamoType(key[table.hash_key_attr])
    second = DynamoType(key[table.range_key_attr]) if table.range_key_attr else None
    item = copy.deepcopy(table.get_item(first, second))  # an update changes it where it is
    told = len(table.stream_shard.items) if table.stream_shard else 0

    def put_back() -> None:
        rows: Any = table.items if second is None else table.items[first]
        own = first if second is None else second
        rows.pop(own, None)
        if item is not None:
            rows[own] = item
        if table.stream_shard:
            del table.stream_shard.items[told:]

    return put_back


_keeping: list[bool] = []


def _copied(value: Any, memo: Any = None) -> Any:
    return value if _keeping and isinstance(value, Table) else copy.deepcopy(value, memo)


_CONDITIONS_KEPT = 4096

_moto_parses_conditions = ConditionExpressionParser.parse
_conditions: dict[tuple[str, str], tuple[Any, list[str], list[str]]] = {}


def _parse_condition(parser: Any) -> Any:
    """The parsed condition. A transaction asks for it three times; evaluating it does not change it."""
    text = parser.condition_expression
    if not text:
        return _moto_parses_conditions(parser)
    key = text, repr((parser.expression_attribute_names, parser.expression_attribute_values))
    known = _conditions.get(key)
    if known is None:
        parsed = _moto_parses_conditions(parser)
        if len(_conditions) >= _CONDITIONS_KEPT:
            _conditions.clear()
        _conditions[key] = parsed, list(parser.expr_attr_names_found), list(parser.expr_attr_values_found)
        return parsed
    parser.expr_attr_names_found = list(known[1])
    parser.expr_attr_values_found = list(known[2])
    return known[0]


def _start(mock: Any, reset: bool = True) -> None:
    # Without a thousand patterns for the library `requests`, which nobody uses here.
    botocore_stubber.enabled = True
    if reset:
        mock.reset()


def _stop(mock: Any, remove_data: bool) -> None:
    botocore_stubber.enabled = False
    if remove_data:
        mock.reset()
        reset_model_data()


def items_of(table: str, region: str) -> list[dict[str, Any]]:
    """Every item of a table, raw, without a call. Raises KeyError for a table that does not exist."""
    return [dynamo_to_dict(dict(item.attrs)) for item in dynamodb_backends[ACCOUNT][region].tables[table].all_items()]


def item_of(table: str, key: dict[str, Any], region: str) -> dict[str, Any] | None:
    """One item, raw, without a call."""
    found = dynamodb_backends[ACCOUNT][region].get_item(table, key)
    return None if found is None else dict(dynamo_to_dict(dict(found.attrs)))


def told_by(table: str, region: str, after: int) -> list[dict[str, Any]]:
    """The records of a table's stream, from number `after` on, as a pipe hands them over."""
    shard = dynamodb_backends[ACCOUNT][region].tables[table].stream_shard
    if shard is None:
        raise ValueError(f"{table} has no stream")
    arn = f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{table}/stream/1"
    return [
        {
            **record.record,
            "eventSourceARN": arn,
            "dynamodb": {
                name: value
                for name, value in record.record["dynamodb"].items()
                if name != "ApproximateCreationDateTime"
            },
        }
        for record in shard.items[after:]
    ]


def pytest_configure() -> None:
    """From the first call on."""
    swap(BotocoreStubber, "process_request", _answer)
    swap(MockAWS, "_enable_patching", _start)
    swap(MockAWS, "_disable_patching", _stop)
    swap(DynamoDBBackend, "transact_write_items", _write)
    swap(ConditionExpressionParser, "parse", _parse_condition)
    for module in (moto.sqs.models, moto.core.responses):
        swap(module, "camelcase_to_underscores", cache(camelcase_to_underscores))
    swap(moto.dynamodb.models, "copy", types.SimpleNamespace(deepcopy=_copied, copy=copy.copy))
