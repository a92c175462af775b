"""Carries update expressions out by a plan that is made once a text: moto walks an update's tree ten times a call.

moto validates each text, with its names and its table, once itself. Whatever a plan cannot do, and whatever it refuses,
is moto's own.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

import moto.dynamodb.models
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing.ast_nodes import (  # type: ignore[attr-defined]  # moto's parser has no types
    DDBTypedValue,
    ExpressionAttribute,
    ExpressionAttributeName,
    ExpressionAttributeValue,
    ExpressionValueOperator,
    UpdateExpressionFunction,
    UpdateExpressionPath,
    UpdateExpressionRemoveAction,
    UpdateExpressionSetAction,
    UpdateExpressionValue,
)
from moto.dynamodb.parsing.executors import UpdateExpressionExecutor
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]  # see above
from moto.dynamodb.parsing.validators import UpdateExpressionValidator

from tests.house.swaps import swap

Attributes: TypeAlias = Mapping[str, DynamoType]
Names: TypeAlias = Mapping[str, str]
Values: TypeAlias = Mapping[str, Any]
Term: TypeAlias = Callable[[Attributes, Names, Values], DynamoType | None]
"""The value of a part of an update; None is an attribute that the item lacks."""
Action: TypeAlias = tuple[type, Any, str, Term | None]
"""What is done, to which path, whose name or placeholder this is, with which value."""

_moto_parses: Any = vars(UpdateExpressionParser)["make"].__func__
_sound: set[tuple[str, str, str]] = set()


class _NotPlannedError(Exception):
    """moto has to do this itself."""


@cache
def _tree(text: str) -> Any:
    """The tree of an update expression. Nobody changes it: moto validates a copy."""
    tree = _moto_parses(UpdateExpressionParser, text)
    tree.text = text
    return tree


def _make(_kind: type, text: str) -> Any:
    return _tree(text)


@cache
def _plan(text: str) -> tuple[list[Action], frozenset[str]] | None:
    """The actions of an update in moto's order, and the values that it names; None if moto has to do it."""
    tree, named = _moto_parses(UpdateExpressionParser, text), set[str]()
    tree.normalize()
    try:
        actions = [_action(node, named) for node in tree.children]
    except _NotPlannedError:
        return None
    return actions, frozenset(named)


def _action(node: Any, named: set[str]) -> Action:
    path = node.children[0]
    term = None if type(node) is UpdateExpressionRemoveAction else _term(node.children[1], named)
    return type(node), path, _name(path), term


def _name(path: Any) -> str:
    if type(path) is not UpdateExpressionPath or len(path.children) != 1:
        raise _NotPlannedError
    (child,) = path.children
    if type(child) not in (ExpressionAttribute, ExpressionAttributeName):
        raise _NotPlannedError
    return str(child.children[0])


def _term(node: Any, named: set[str]) -> Term:
    kind = type(node)
    if kind is UpdateExpressionValue and len(node.children) == 1:
        return _term(node.children[0], named)
    if kind is UpdateExpressionValue and len(node.children) == 3:
        return _sum(node, named)
    if kind is UpdateExpressionFunction and node.get_function_name() == "if_not_exists":
        return _if_not_exists(node, named)
    if kind is ExpressionAttributeValue:
        value = node.get_value_name()
        named.add(value)
        return lambda _item, _names, values: DynamoType(values[value])
    if kind is UpdateExpressionPath:
        path = _name(node)
        return lambda item, names, _values: item.get(names.get(path, path))
    raise _NotPlannedError


def _if_not_exists(node: Any, named: set[str]) -> Term:
    path, otherwise = (_term(node.get_nth_argument(number), named) for number in (1, 2))

    def chosen(item: Attributes, names: Names, values: Values) -> DynamoType | None:
        found = path(item, names, values)
        return otherwise(item, names, values) if found is None else found

    return chosen


def _sum(node: Any, named: set[str]) -> Term:
    left, right = _term(node.children[0], named), _term(node.children[2], named)
    operator = node.children[1]
    if type(operator) is not ExpressionValueOperator or operator.get_operator() not in ("+", "-"):
        raise _NotPlannedError
    adds = operator.get_operator() == "+"

    def summed(item: Attributes, names: Names, values: Values) -> DynamoType:
        one, other = left(item, names, values), right(item, names, values)
        if one is None or other is None:
            raise _NotPlannedError
        return one + other if adds else one - other

    return summed


class _Steps:
    """A validated update: what is done, with values that are known."""

    def __init__(self, done: list[tuple[type, Any, str, DynamoType | None]]) -> None:
        self.done = done

    def normalize(self) -> None:
        """They are in moto's order already."""


class Validator:
    """moto's `UpdateExpressionValidator`."""

    def __init__(
        self,
        tree: Any,
        expression_attribute_names: Names | None,
        expression_attribute_values: Values | None,
        item: Any,
        table: Any,
    ) -> None:
        self._tree = tree
        self._names = expression_attribute_names
        self._values = expression_attribute_values
        self._item = item
        self._table = table

    def validate(self) -> Any:
        """The update with its values. Raises what moto raises."""
        key = self._tree.text, repr(self._names), self._table.name
        if key in _sound:
            try:
                return self._steps(self._tree.text)
            except Exception:
                pass
        validated = UpdateExpressionValidator(
            self._tree,
            expression_attribute_names=self._names,  # type: ignore[arg-type]  # as moto passes it
            expression_attribute_values=self._values,  # type: ignore[arg-type]  # see above
            item=self._item,
            table=self._table,
        ).validate()
        _sound.add(key)
        return validated

    def _steps(self, text: str) -> _Steps:
        plan, names, values = _plan(text), self._names or {}, self._values or {}
        if plan is None or not plan[1] <= values.keys():
            raise _NotPlannedError
        return _Steps([self._step(action, names, values) for action in plan[0]])

    def _step(self, action: Action, names: Names, values: Values) -> tuple[type, Any, str, DynamoType | None]:
        kind, path, name, term = action
        if term is None:
            return kind, path, names.get(name, name), None
        value = term(self._item.attrs, names, values)
        if value is None:
            raise _NotPlannedError
        if kind is UpdateExpressionSetAction and (
            any(known["AttributeName"] == name and known["AttributeType"] != value.type for known in self._table.attr)
            or (not value.value and value.type in ("S", "B") and name in self._table.attribute_keys)
        ):
            raise _NotPlannedError
        return kind, path, names.get(name, name), value


class Executor:
    """moto's `UpdateExpressionExecutor`."""

    def __init__(self, tree: Any, item: Any, names: Names | None) -> None:
        self._tree = tree
        self._item = item
        self._names = names

    def execute(self) -> None:
        """Change the item. Raises what moto raises."""
        if not isinstance(self._tree, _Steps):
            UpdateExpressionExecutor(self._tree, self._item, self._names).execute()  # type: ignore[arg-type]  # see above
            return
        for kind, path, name, value in self._tree.done:
            if kind is UpdateExpressionSetAction:
                self._item.attrs[name] = value
            elif kind is UpdateExpressionRemoveAction:
                self._item.attrs.pop(name, None)
            else:
                moto_does: Any = UpdateExpressionExecutor.execution_map[kind]
                moto_does(kind([path, DDBTypedValue(value)]), self._names).execute(self._item)


def pytest_configure() -> None:
    """From the first call on."""
    swap(UpdateExpressionParser, "make", classmethod(_make))
    swap(moto.dynamodb.models, "UpdateExpressionValidator", Validator)
    swap(moto.dynamodb.models, "UpdateExpressionExecutor", Executor)
