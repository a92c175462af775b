"""Watches the emulated tables while anything runs, and proves the books again after every single call to AWS.

    with proven() as proof: ...       # `BooksWrongError` inside the call that broke the books
    proof.calls                       # after how many calls they were right

After a call only what it has written is looked at: the entries and balances it names. An entry must be new and add up
to zero; the balance of everybody it names must be the sum of all entries; nothing but a transaction may write a
balance, and nothing at all may change an entry.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.botocore_stubber import BotocoreStubber

from tests.house.quick import item_of, items_of

REGION = "ap-east-1"
POCKETS = ("frozen", "available", "paying", "paid", "withheld")
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})


class BooksWrongError(BaseException):
    """A call left books that are wrong. No handler takes it for a bad message: it is no `Exception`."""


def _holds(holds: bool, *what: object) -> None:
    if not holds:
        raise BooksWrongError(*what)


class Proof:
    """What the books must be, entry by entry."""

    def __init__(self) -> None:
        self.calls = 0
        self.entries: dict[str, int] = {}
        """Transaction id -> after which call it was there."""
        self.total = 0
        self.debtors: set[str] = set()
        """Who ever was below zero."""
        self.accounts: defaultdict[str, int] = defaultdict(int)
        for item in items_of("ledger", REGION):
            self._enter(item)
        for item in items_of("balances", REGION):
            self._compare(item["pk"]["S"])

    def after(self, operation: str, asked: dict[str, Any]) -> None:
        """Look at what one call may have written."""
        self.calls += 1
        if not asked:
            return
        for kind, table, key, condition in _written(operation, asked):
            if table == "ledger":
                _holds("attribute_not_exists" in condition, "an entry that may be written over another", key)
                _holds((operation, kind) == ("TransactWriteItems", "Put"), f"{operation} {kind} on an entry", key)
                self._entry(key)
            elif table == "balances":
                _holds(operation == "TransactWriteItems", f"{operation} on a balance", key)
                self._compare(key)
        _holds(self.total == 0, "all postings", self.total)

    def _entry(self, key: str) -> None:
        item = item_of("ledger", {"pk": {"S": key}}, REGION)
        if item is None or key in self.entries:
            return  # refused
        for member in self._enter(item):
            self._compare(member)

    def _enter(self, item: dict[str, Any]) -> set[str]:
        postings = json.loads(item["postings"]["S"])
        members = set()
        self.entries[item["pk"]["S"]] = self.calls
        _holds(sum(posting[1] for posting in postings) == 0, "an entry that does not add up", item)
        for name, amount, *_ in postings:
            self.accounts[name] += amount
            self.total += amount
            if name.startswith("member:"):
                members.add(name.split(":")[1])
        return members

    def _compare(self, member: str) -> None:
        item = item_of("balances", {"pk": {"S": member}}, REGION) or {}
        stored = {pocket: int(item.get(pocket, {"N": "0"})["N"]) for pocket in POCKETS}
        folded = {pocket: self.accounts[f"member:{member}:{pocket}"] for pocket in POCKETS}
        _holds(stored == folded, f"{member} after call {self.calls}", stored, folded)
        if stored["available"] < 0:
            self.debtors.add(member)

    def everything(self) -> None:
        """Look at all there is: every entry was seen, none has changed since, and every balance is its fold."""
        again = Proof()
        _holds(again.entries.keys() == self.entries.keys(), again.entries.keys() ^ self.entries.keys())
        _holds(_without_zeros(again.accounts) == _without_zeros(self.accounts), "an entry was changed")


def _without_zeros(accounts: dict[str, int]) -> dict[str, int]:
    return {name: amount for name, amount in accounts.items() if amount}


def _written(operation: str, asked: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    if operation == "TransactWriteItems":
        for entry in asked["TransactItems"]:
            for kind, action in entry.items():
                key = (action.get("Key") or action["Item"])["pk"]["S"]
                yield kind, action["TableName"], key, action.get("ConditionExpression", "")
    elif operation == "BatchWriteItem":
        for table, entries in asked["RequestItems"].items():
            for entry in entries:
                for kind, action in entry.items():
                    yield kind, table, (action.get("Key") or action["Item"])["pk"]["S"], ""
    else:
        yield operation, asked["TableName"], (asked.get("Key") or asked["Item"])["pk"]["S"], ""


@contextmanager
def proven() -> Iterator[Proof]:
    """Proves the books after every call that is made inside, also one whose caller is killed at that moment."""
    proof = Proof()
    original: Callable[..., Any] = BotocoreStubber.process_request

    def proving(self: Any, request: Any) -> Any:
        answer = original(self, request)
        target = request.headers.get("X-Amz-Target", b"")
        service, _, operation = (target.decode() if isinstance(target, bytes) else target).partition(".")
        writes = service == "DynamoDB_20120810" and operation in _WRITES
        proof.after(operation, json.loads(request.body) if writes else {})
        return answer

    setattr(BotocoreStubber, "process_request", proving)  # noqa: B010 - a plain assignment is refused by mypy
    try:
        yield proof
    finally:
        setattr(BotocoreStubber, "process_request", original)  # noqa: B010 - see above
