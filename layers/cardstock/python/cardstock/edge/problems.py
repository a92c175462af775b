"""Refusals as problem documents (RFC 9457), and the one table from error kinds to HTTP statuses."""

from typing import Any, Final

from cardstock import clock, errors
from cardstock.clock import rfc3339

STATUS: Final[dict[type[errors.CardstockError], int]] = {
    errors.InvalidError: 400,
    errors.UnauthorizedError: 401,
    errors.ForbiddenError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.TooLargeError: 413,
    errors.RefusedError: 422,
    errors.ThrottledError: 429,
    errors.UnavailableError: 503,
}

RETRYABLE: Final = frozenset({429, 503})


def status_of(refusal: errors.Refusal) -> int:
    """The HTTP status of a refusal's kind."""
    return STATUS[refusal.kind]


def problem_of(error: errors.CardstockError, *, language: str, trace_id: str) -> dict[str, Any]:
    """The problem document of a refusal, in `zh` or `en`."""
    status = status_of(error.refusal)
    problem: dict[str, Any] = {
        "type": "about:blank",
        "status": status,
        "code": error.code,
        "title": error.code,
        "detail": error.refusal.text(error.facts, language),
        "trace_id": trace_id,
        "retryable": status in RETRYABLE,
        "errors": [{"pointer": pointer.pointer, "code": pointer.code} for pointer in error.pointers],
    }
    if error.refusal.about_time:
        problem["time"] = rfc3339(clock.now())
    if error.facts:
        problem["facts"] = {name: value for name, value in error.facts.items() if isinstance(value, str | int | list)}
    return problem
