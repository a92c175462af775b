"""What can be refused, by kind. The HTTP status of each kind, and the texts of each code, are in `edge/problems.py`.

CardstockError
├── InvalidError        the request itself is wrong; `pointers` names the fields
├── UnauthorizedError   no caller, or one whose credentials do not hold
├── ForbiddenError      a known caller without the right
├── NotFoundError       no such thing, or somebody else's
├── ConflictError       right request, wrong state: it may succeed later or otherwise
├── RefusedError        a rule of the business, the plan or the law says no
├── TooLargeError       more than the documented limit
├── ThrottledError      too often
└── UnavailableError    a service we depend on gave no answer; safe to repeat

Anything else that is raised is a defect and must reach Lambda's Errors alarm.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pointer:
    """One wrong field: RFC 6901 pointer into the body (or `#query/name`), and a stable code."""

    pointer: str
    code: str


class CardstockError(Exception):
    """A refusal with a stable `code` (`STOCK_SHORT`) and the `facts` that its text and a client need."""

    def __init__(self, code: str, /, *, pointers: tuple[Pointer, ...] = (), **facts: object) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts
        self.pointers = pointers


class InvalidError(CardstockError):
    """The request itself is wrong."""


class UnauthorizedError(CardstockError):
    """No caller, or one whose credentials do not hold."""


class ForbiddenError(CardstockError):
    """A known caller without the right."""


class NotFoundError(CardstockError):
    """No such thing, or somebody else's: the two must not be told apart."""


class ConflictError(CardstockError):
    """Right request, wrong state."""


class RefusedError(CardstockError):
    """A rule of the business, the plan or the law says no."""


class TooLargeError(CardstockError):
    """More than the documented limit."""


class ThrottledError(CardstockError):
    """Too often."""


class UnavailableError(CardstockError):
    """A service we depend on gave no answer. Safe to repeat."""
