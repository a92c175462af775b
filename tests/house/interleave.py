"""Two or more actors at once, call by call: every order in which their calls to AWS can happen, one after the other.

A call is carried out whole before the next one begins, which is the isolation that DynamoDB gives calls and
transactions. Between two of its calls an actor runs alone, so a schedule gives the same run every time.

    for run in every_way(lambda: [buy_first, buy_second], restore): ...
"""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from moto.core.botocore_stubber import BotocoreStubber

Actor = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Run:
    """One order: who made each call, and how each actor ended: with what it gave, or with what it raised."""

    order: tuple[int, ...]
    ends: tuple[Any, ...]


class _Thread(threading.Thread):
    def __init__(self, actor: Actor) -> None:
        super().__init__(daemon=True)
        self.actor = actor
        self.go = threading.Semaphore(0)
        self.paused = threading.Semaphore(0)
        self.end: Any = None
        self.done = False

    def run(self) -> None:
        self.go.acquire()
        try:
            self.end = self.actor()
        except BaseException as error:  # it is looked at by the test
            self.end = error
        self.done = True
        self.paused.release()

    def call(self) -> None:
        """Before each call: wait for the turn."""
        self.paused.release()
        self.go.acquire()

    def step(self) -> None:
        """Carry out the call that waits, and everything up to the next one."""
        self.go.release()
        self.paused.acquire()


def _carried_out(actors: Sequence[Actor], choose: Callable[[list[int]], int]) -> Run:
    threads = {number: _Thread(actor) for number, actor in enumerate(actors)}
    by_name = {thread.name: thread for thread in threads.values()}
    original = BotocoreStubber.process_request

    def in_turn(self: Any, request: Any) -> Any:
        thread = by_name.get(threading.current_thread().name)
        if thread is not None:
            thread.call()
        return original(self, request)

    setattr(BotocoreStubber, "process_request", in_turn)  # noqa: B010 - a plain assignment is refused by mypy
    order = []
    try:
        for thread in threads.values():
            thread.start()
            thread.step()
        while alive := [number for number, thread in threads.items() if not thread.done]:
            chosen = choose(alive)
            order.append(chosen)
            threads[chosen].step()
    finally:
        setattr(BotocoreStubber, "process_request", original)  # noqa: B010 - see above
    for thread in threads.values():
        thread.join()
    return Run(tuple(order), tuple(thread.end for thread in threads.values()))


def every_way(make: Callable[[], Sequence[Actor]], restore: Callable[[], object]) -> Iterator[Run]:
    """Every order of calls there is, each from the state that `restore` brings back."""
    open_ways: list[list[int]] = [[]]
    while open_ways:
        prefix = open_ways.pop()
        restore()
        choices: list[list[int]] = []

        def choose(alive: list[int], prefix: list[int] = prefix, choices: list[list[int]] = choices) -> int:
            choices.append(alive)
            place = len(choices) - 1
            return prefix[place] if place < len(prefix) else alive[0]

        run = _carried_out(make(), choose)
        for place in range(len(prefix), len(choices)):
            open_ways += [[*run.order[:place], other] for other in choices[place] if other != run.order[place]]
        yield run


def some_ways(make: Callable[[], Sequence[Actor]], restore: Callable[[], object], count: int) -> Iterator[Run]:
    """`count` orders drawn at random, always the same ones: for actors whose calls are too many to try them all."""
    for seed in range(count):
        restore()
        yield _carried_out(make(), random.Random(seed).choice)
