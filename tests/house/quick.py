"""Makes moto's DynamoDB fast enough for long lives and hundreds of seeds: a third of the time per call, same answers.

moto finds, parses and serializes each call by the service's model, and copies whole tables for each transaction. Here
a call goes straight to moto's own operation, and a transaction keeps the items it touches. Whatever is refused is done
again by moto itself, which words the refusal.

moto parses an expression several times a call and walks an update's tree ten times. Here a text is parsed once, and a
walk asks for the kind of a node once a kind.
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
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import dynamo_to_dict
from moto.dynamodb.parsing.ast_nodes import (  # type: ignore[attr-defined]  # moto's parser has no types
    DepthFirstTraverser,
    Expression,
    Node,
    UpdateExpressionFunction,
)
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]  # see above
from moto.dynamodb.parsing.validators import (
    ActionCountValidator,
    OverlappingPathsValidator,
    UpdateExpressionValidator,
    UpdateHashRangeKeyValidator,
)
from moto.dynamodb.responses import DynamoHandler

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
_STATIC = (ActionCountValidator, OverlappingPathsValidator, UpdateHashRangeKeyValidator)
"""Checks of an update that its text, its names and its table's keys decide alone."""

_moto_parses_updates: Any = vars(UpdateExpressionParser)["make"].__func__
_moto_parses_conditions = ConditionExpressionParser.parse
_moto_validates = UpdateExpressionValidator.validate
_moto_ignores_children = DepthFirstTraverser.pre_processing_of_child
_conditions: dict[tuple[str, str], tuple[Any, list[str], list[str]]] = {}
_sound: set[tuple[str, str, str]] = set()
# moto's kinds of nodes are abstract classes, and asking those costs more than asking here.
_nodes: dict[type, bool] = {}
_holders: dict[type, bool] = {}


@cache
def _update_tree(text: str) -> Any:
    """The tree of an update expression. Nobody changes it: moto validates a copy."""
    tree = _moto_parses_updates(UpdateExpressionParser, text)
    tree.text = text
    return tree


def _make_update_tree(_kind: type, text: str) -> Any:
    return _update_tree(text)


def _validate(validator: Any) -> Any:
    key = validator.node_to_validate.text, repr(validator.expression_attribute_names), validator.table.name
    if key in _sound:
        validator.processors = [one for one in validator.processors if not isinstance(one, _STATIC)]
    validated = _moto_validates(validator)
    _sound.add(key)
    return validated


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


def _is_node(value: Any) -> bool:
    kind = type(value)
    if kind not in _nodes:
        _nodes[kind] = issubclass(kind, Node)
    return _nodes[kind]


def _holds_clauses(node: Any) -> bool:
    kind = type(node)
    if kind not in _holders:
        _holders[kind] = issubclass(kind, Expression | UpdateExpressionFunction)
    return _holders[kind]


def _find_clauses(node: Any, kinds: Any) -> list[Any]:
    found = []
    for child in node.children or []:
        if type(child) in kinds:
            found.append(child)
        elif _holds_clauses(child):
            found.extend(_find_clauses(child, kinds))
    return found


def _copy_of_node(node: Any, _memo: Any) -> Any:
    made = copy.copy(node)
    if node.children is not None:
        made.children = [_copy_of_node(child, None) if _is_node(child) else child for child in node.children]
        for child in made.children:
            if _is_node(child):
                child.parent = made
    return made


def _traverse(walk: Any, node: Any, child_id: int = -1) -> Any:
    if not _is_node(node):
        return node
    parent = node.parent
    if node.children is not None:
        told = type(walk).pre_processing_of_child is not _moto_ignores_children
        for index, child in enumerate(node.children):
            if told:
                walk.pre_processing_of_child(node, index)
            if _is_node(child):
                _traverse(walk, child, index)
    if _is_processed(walk, type(node)):
        node = walk.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


def _is_processed(walk: Any, kind: type) -> bool:
    """Whether a walk does something with nodes of a kind. Asked once a walk and kind."""
    known: dict[type, bool] = vars(walk).setdefault("kinds", {})
    if kind not in known:
        known[kind] = issubclass(kind, walk.nodes_to_be_processed())
    return known[kind]


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
    setattr(BotocoreStubber, "process_request", _answer)  # noqa: B010 - a plain assignment is refused by mypy
    setattr(DynamoDBBackend, "transact_write_items", _write)  # noqa: B010 - see above
    setattr(UpdateExpressionParser, "make", classmethod(_make_update_tree))  # noqa: B010 - see above
    setattr(ConditionExpressionParser, "parse", _parse_condition)  # noqa: B010 - see above
    setattr(DepthFirstTraverser, "traverse_node_recursively", _traverse)  # noqa: B010 - see above
    setattr(UpdateExpressionValidator, "validate", _validate)  # noqa: B010 - see above
    setattr(Node, "__deepcopy__", _copy_of_node)  # noqa: B010 - see above
    setattr(Node, "find_clauses", _find_clauses)  # noqa: B010 - see above
    for module in (moto.sqs.models, moto.core.responses):
        setattr(module, "camelcase_to_underscores", cache(camelcase_to_underscores))  # noqa: B010 - see above
    setattr(moto.dynamodb.models, "copy", types.SimpleNamespace(deepcopy=_copied, copy=copy.copy))  # noqa: B010 - see above
