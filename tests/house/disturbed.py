"""A step that is disturbed at each of its calls, and repeated: it must end in the books of an undisturbed one.

prepared = Prepared(step, scene)
disturb_store(prepared, "kill_after")     # at each AWS call
disturb_outside(prepared, "platform")     # at each call of an outside company
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from pynamodb.exceptions import PynamoDBException

from cardstock.errors import CardstockError
from tests.house import fault_figures, faults

Step: TypeAlias = Callable[[], Any]
OF_CALLS: tuple[faults.Mode, ...] = ("kill_before", "kill_after", "lose_answer")
"""What happens to a call of an outside company."""
_CAN_CONFLICT = {f"dynamodb.{name}" for name in ("TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem")}


class Scene(NamedTuple):
    """What a step acts on. `keep` keeps all of its state and gives what restores it; `books` are what must be the same
    after a repeat, ours and the outside company's; `outside` disturbs a call of that company, and gives those seen."""

    keep: Callable[[], Callable[[], object]]
    books: Callable[[], Any]
    outside: Callable[[int, faults.Mode], contextlib.AbstractContextManager[Sequence[Any]]]


def can_happen(mode: faults.Mode, call: str) -> bool:
    """Whether `mode` can happen to the AWS call: DynamoDB refuses no read for a transaction on its way."""
    return mode != "conflict" or call in _CAN_CONFLICT


def attempt(step: Step) -> None:
    """One try, however it ends: refused, killed, or dead of what the SDK raises."""
    with contextlib.suppress(CardstockError, PynamoDBException):
        faults.survive(step)


class Prepared:
    """A step, and the state before it, to go back to. `calls` are the step's AWS calls, `asked` is how many calls it
    makes of the outside company, `expected` are the books after it."""

    def __init__(self, step: Step, scene: Scene) -> None:
        self.step, self._scene = step, scene
        self.reset = scene.keep()
        step()  # secrets are fetched once
        self.reset()
        with faults.watch() as self.calls, scene.outside(-1, "kill_before") as seen:
            step()
        self.asked = len(seen)
        self._repeat()
        self.expected = scene.books()

    def _repeat(self) -> None:
        """Twice more: a sweep may find in its second run what its first has begun."""
        self.step()
        self.step()

    def at_outside(self, index: int, mode: faults.Mode) -> contextlib.AbstractContextManager[Sequence[Any]]:
        """`mode` happens to a call of the outside company."""
        return self._scene.outside(index, mode)

    def check(self, what: str) -> None:
        """The repeats end as they must."""
        self._repeat()
        assert self._scene.books() == self.expected, what


def disturb_store(prepared: Prepared, mode: faults.Mode) -> None:
    """Let `mode` happen to each AWS call of the step that it can happen to."""
    assert prepared.calls
    for index, call in enumerate(prepared.calls):
        if can_happen(mode, call):
            prepared.reset()
            with faults.at(index, mode) as seen:
                attempt(prepared.step)

            assert len(seen) > index
            prepared.check(f"{mode} at call {index} ({call})")


def disturb_outside(
    prepared: Prepared, name: str, troubles: Sequence[str] = (), fail: Callable[..., object] | None = None
) -> None:
    """Let each fault happen to each call of the outside company: killed, its answer lost, and each of its own
    `troubles`, which `fail` orders as it orders those of the calls before (`fine`)."""
    for index in range(prepared.asked):
        for mode in OF_CALLS:
            prepared.reset()
            with prepared.at_outside(index, mode):
                attempt(prepared.step)
            fault_figures.note(mode, index)
            prepared.check(f"{mode} at call {index} of the {name}")
        if fail is None:
            continue
        for trouble in troubles:
            prepared.reset()
            fail(*["fine"] * index, trouble)
            attempt(prepared.step)
            fail()
            fault_figures.note(trouble, index)
            prepared.check(f"{trouble} at call {index} of the {name}")


def come_often_and_late(prepared: Prepared, wait: Callable[[], object]) -> None:
    """The step five times over, the last one after `wait`."""
    prepared.reset()
    for _ in range(4):
        prepared.step()
        fault_figures.note("duplicate", 0)
    wait()
    prepared.step()
    fault_figures.note("late", 0)
    prepared.check("often and late")
