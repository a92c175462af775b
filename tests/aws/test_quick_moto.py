"""The quick ways through moto and botocore give the answers, refusals, items and streams that moto gives alone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.house.cloud import REGION, Cloud
from tests.house.quick import items_of, told_by
from tests.house.swaps import libraries_alone

TABLE = "things"
Call = tuple[str, dict[str, Any]]


@contextmanager
def table() -> Iterator[Any]:
    """The client of an account with one table, which has a range key, an index and a stream."""
    with mock_aws():
        client = Cloud().dynamodb
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": kind}
                for name, kind in (("pk", "S"), ("sk", "S"), ("g", "S"), ("at", "N"))
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by_group",
                    "KeySchema": [
                        {"AttributeName": "g", "KeyType": "HASH"},
                        {"AttributeName": "at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        yield client


def outcome(client: Any, call: Call) -> Any:
    """The answer, the refusal with its words, or the error of moto."""
    operation, asked = call
    if "TransactItems" not in asked:
        asked = {"TableName": TABLE, **asked}
    try:
        answer = getattr(client, operation)(**asked)
    except ClientError as error:
        return {name: value for name, value in error.response.items() if name != "ResponseMetadata"}
    except Exception as error:
        return repr(error)  # moto cannot do this
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def life(calls: list[Call]) -> Any:
    """What becomes of these calls, one after the other, on an empty table: outcomes, items, stream."""
    with table() as client:
        # Twice: what is known of a text is used the second time.
        outcomes = [outcome(client, call) for call in [*calls, *calls]]
        return outcomes, items_of(TABLE, REGION), [changes(record) for record in told_by(TABLE, REGION, 0)]


def changes(record: dict[str, Any]) -> dict[str, Any]:
    """What a record of the stream says, without its size, which counts the moment too."""
    return {name: value for name, value in record["dynamodb"].items() if name != "SizeBytes"}


def same_as_moto(calls: list[Call]) -> Any:
    """What becomes of these calls, which must be what moto alone makes of them."""
    with libraries_alone():
        expected = life(calls)
    found = life(calls)

    assert found == expected
    return found


def key(pk: str = "a", sk: str = "1") -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


FULL = {
    **key(), "g": {"S": "red"}, "at": {"N": "7"}, "n": {"N": "5"}, "t": {"S": "text"}, "b": {"BOOL": True},
    "none": {"NULL": True}, "l": {"L": [{"N": "1"}, {"S": "x"}]}, "m": {"M": {"k": {"N": "2"}}},
    "ss": {"SS": ["p", "q"]}, "ns": {"NS": ["1", "2"]}, "bin": {"B": b"\x00\x01"},
}  # fmt: skip
NAMES = {f"#{name}": name for name in ("pk", "g", "at", "n", "t", "l", "m", "ss", "new", "other", "k")}
VALUES: dict[str, Any] = {
    ":n": {"N": "3"}, ":d": {"N": "0.5"}, ":s": {"S": "s"}, ":empty": {"S": ""},
    ":l": {"L": [{"S": "y"}]}, ":m": {"M": {"k": {"N": "9"}}},
    ":ss": {"SS": ["q", "r"]}, ":all": {"SS": ["p", "q", "r"]},
    ":long": {"S": "é" * 150_000}, ":longer": {"S": "x" * 250_000},
}  # fmt: skip
UPDATES = [
    "SET #n = :n",
    "SET #n = #n + :n, #t = :s REMOVE #g",
    "SET #n = #n - :d",
    "SET #n = :n - #n",
    "SET #n = if_not_exists(#n, :d) + :n",
    "SET #new = if_not_exists(#other, :n) + :n, #other = :s",
    "SET #new = #t, #t = :s",
    "SET #new = #other",
    "SET #new = if_not_exists(#other, #k)",
    "SET #n = #t + :n",
    "SET #new = #other + :n",
    "SET #l = list_append(#l, :l)",
    "SET #l[1] = :n",
    "SET #m.#k = :n",
    "SET #other.#k = :n",
    "SET #m = :m, #l = :l",
    "SET #at = :s",
    "SET at = :s",
    "SET g = :empty",
    "SET #pk = :s",
    "SET #n = :n, #n = :d",
    "SET #n = :n SET #t = :s",
    "SET name = :s",
    "SET new = :s",
    "SET #new = :unknown",
    "SET #n :n",
    "REMOVE #n, #t, #other",
    "REMOVE #l[0], #m.#k",
    "ADD #n :n",
    "ADD #new :n, #other :ss",
    "ADD #ss :ss",
    "ADD #t :n",
    "ADD #n :ss",
    "DELETE #ss :ss",
    "DELETE #ss :all",
    "DELETE #n :ss",
    "SET #new = :s ADD #n :n DELETE #ss :ss REMOVE #l, #m, #other",
    "SET #new = :long, #other = :longer",
    "SET #new = :long, #other = :s",
]  # fmt: skip


def update(text: str, pk: str = "a", **more: Any) -> dict[str, Any]:
    names = {name: value for name, value in NAMES.items() if name in re.findall(r"#\w+", text)}
    values = {name: value for name, value in VALUES.items() if name in re.findall(r":\w+", text)}
    asked = {"Key": key(pk), "UpdateExpression": text, **more}
    if names:
        asked["ExpressionAttributeNames"] = names
    if values:
        asked["ExpressionAttributeValues"] = values
    return asked


@pytest.mark.parametrize("text", UPDATES)
def test_an_update_does_what_moto_does(text: str) -> None:
    put: Call = "put_item", {"Item": FULL}
    read: Call = "get_item", {"Key": key()}
    same_as_moto([
        put,
        ("update_item", update(text, ReturnValues="ALL_NEW")),
        read,
        ("update_item", update(text, pk="nobody", ReturnValues="ALL_OLD")),
        ("transact_write_items", {"TransactItems": [
            {"Put": {"TableName": TABLE, "Item": key("b")}},
            {"Update": {"TableName": TABLE, **update(text)}},
        ]}),
        read,
    ])  # fmt: skip


ITEMS = st.builds(
    lambda pk, sk, more: {**key(pk, sk), **more},
    st.sampled_from(["a", "b", "é"]),
    st.sampled_from(["1", "10", "9", "x"]),
    st.fixed_dictionaries({}, optional={
        "g": st.sampled_from([{"S": "red"}, {"S": "blue"}]),
        "at": st.sampled_from([{"N": "2"}, {"N": "10"}, {"N": "-1"}, {"N": "2.0"}]),
        "n": st.sampled_from([{"N": "1"}, {"N": "1.0"}, {"S": "1"}, {"BOOL": True}]),
    }),
)  # fmt: skip
KEYS = st.builds(key, st.sampled_from(["a", "b", "é", "c"]), st.sampled_from(["1", "10", "9", "x"]))
CONDITIONS = st.sampled_from([
    {},
    {"ConditionExpression": "attribute_not_exists(pk)"},
    {"ConditionExpression": "n = :one", "ExpressionAttributeValues": {":one": {"N": "1"}}},
    {"ConditionExpression": "n < :s OR g = :s", "ExpressionAttributeValues": {":s": {"S": "red"}}},
])  # fmt: skip
PUTS = st.builds(lambda item, condition: {"Item": item, **condition}, ITEMS, CONDITIONS)
DELETES = st.builds(lambda key, condition: {"Key": key, **condition}, KEYS, CONDITIONS)
STEPS = st.one_of(
    PUTS.map(lambda asked: {"Put": {"TableName": TABLE, **asked}}),
    DELETES.map(lambda asked: {"Delete": {"TableName": TABLE, **asked}}),
)
QUERIES = st.builds(
    lambda where, forward, limit, after: {"ScanIndexForward": forward, **where, **limit, **after},
    st.sampled_from([
        {"KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": {":a": {"S": "a"}}},
        {"KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": {":a": {"S": "nobody"}}},
        {
            "KeyConditionExpression": "pk = :a AND sk >= :s",
            "ExpressionAttributeValues": {":a": {"S": "a"}, ":s": {"S": "10"}},
        },
        {
            "KeyConditionExpression": "pk = :a",
            "FilterExpression": "n = :n",
            "ExpressionAttributeValues": {":a": {"S": "a"}, ":n": {"N": "1"}},
        },
        {
            "IndexName": "by_group",
            "KeyConditionExpression": "g = :g",
            "ExpressionAttributeValues": {":g": {"S": "red"}},
        },
        {
            "IndexName": "by_group",
            "KeyConditionExpression": "g = :g AND #at BETWEEN :low AND :high",
            "ExpressionAttributeNames": {"#at": "at"},
            "ExpressionAttributeValues": {":g": {"S": "red"}, ":low": {"N": "-1"}, ":high": {"N": "2"}},
        },
    ]),
    st.booleans(),
    st.sampled_from([{}, {"Limit": 1}, {"Limit": 2}]),
    st.sampled_from([{}, {"ExclusiveStartKey": key("a", "10")}]),
)  # fmt: skip
CALLS = st.one_of(
    PUTS.map(lambda asked: ("put_item", asked)),
    DELETES.map(lambda asked: ("delete_item", asked)),
    KEYS.map(lambda asked: ("get_item", {"Key": asked})),
    QUERIES.map(lambda asked: ("query", asked)),
    st.just(("scan", {})),
    st.lists(STEPS, min_size=1, max_size=3).map(lambda steps: ("transact_write_items", {"TransactItems": steps})),
)


@settings(max_examples=40, phases=(Phase.generate,))  # to shrink would take minutes
@given(st.lists(ITEMS, max_size=6), st.lists(CALLS, min_size=1, max_size=8))
def test_any_sequence_of_calls_does_what_moto_does(items: list[dict[str, Any]], calls: list[Call]) -> None:
    same_as_moto([*(("put_item", {"Item": item}) for item in items), *calls])


def test_an_item_too_large_is_refused_after_many_small_changes() -> None:
    grow: Call = "update_item", update("SET #new = :longer")
    shrink: Call = "update_item", update("SET #new = :s")
    both: Call = "update_item", update("SET #new = :longer, #other = :longer")
    outcomes, _, _ = same_as_moto([("put_item", {"Item": key()}), *[grow, shrink] * 4, both])

    assert [answer.get("Error", {}).get("Code") for answer in outcomes] == ([None] * 9 + ["ValidationException"]) * 2
