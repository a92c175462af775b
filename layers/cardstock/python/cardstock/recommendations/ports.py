"""What recommendations need from outside."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from cardstock.recommendations.model import Purchase, Row

T = TypeVar("T")


class Purchases(Protocol):
    """The history to learn from."""

    def purchases_since(self, moment: datetime) -> Iterable[Purchase]:
        """Every line of every order paid at or after `moment`, in any order.

        An order that was placed before `moment` may be left out.
        """


class ServingRows(Protocol):
    """Where a request reads."""

    def read_rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        """The rows that exist among at most 12 `keys`, in one call. Raises `UnavailableError` when the store does not
        answer."""


class LearntRows(ServingRows, Protocol):
    """Where learning writes, and sees how far it came."""

    def write_rows(self, rows: Iterable[Row]) -> int:
        """Put each row over what its key held; how many there were. Safe to repeat."""

    def delete_rows(self, keys: Collection[str]) -> None:
        """Delete the rows that there are. Safe to repeat."""


class Agreeing(Protocol):
    """Who agrees to personal recommendations."""

    def __call__(self, member_ids: Collection[str]) -> Collection[str]:
        """Those of the members who agree now, read consistently."""


class LanguageModel(Protocol):
    """A language model that may improve an answer and must never be needed for it."""

    def ask(self, task: str, instruction: str, material: str, accept: Callable[[str], T]) -> T | None:
        """`accept(answer)`, or None when there is no answer in time or `accept` refuses it with ValueError."""
