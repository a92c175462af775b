"""Refusals as problem documents (RFC 9457), and the one table from error kinds to HTTP statuses."""

from typing import Any, Final

from cardstock import clock, errors
from cardstock.clock import rfc3339
from cardstock.edge import errors as edge_errors

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
        "detail": _detail(error, language),
        "trace_id": trace_id,
        "retryable": status in RETRYABLE,
        "errors": [_field(pointer, error, language) for pointer in error.pointers],
    }
    if error.refusal.about_time:
        problem["time"] = rfc3339(clock.now())
    if error.facts:
        problem["facts"] = {name: value for name, value in error.facts.items() if isinstance(value, str | int | list)}
    return problem | error.enclosed


def _field(pointer: errors.Pointer, error: errors.CardstockError, language: str) -> dict[str, Any]:
    """One wrong field, with the bounds that it broke and what a person reads about it."""
    from cardstock.edge import faults  # only for refused fields

    detail = faults.detail_of(pointer, error.refusal, error.facts, language)
    shown = faults.shown_bounds(pointer, language)
    return {"pointer": pointer.pointer, "code": pointer.code, "detail": detail, **shown}


def _detail(error: errors.CardstockError, language: str) -> str:
    """The refusal's text; for a wrong body, query or header followed by the first wrong field and what is wrong with
    it."""
    text = error.refusal.text(error.facts, language)
    known = (errors.BODY_INVALID, errors.QUERY_INVALID, edge_errors.HEADER_INVALID)
    if error.refusal not in known or not error.pointers:
        return text
    first = error.pointers[0]
    detail = _field(first, error, language)["detail"]
    if detail == text:
        return text
    name = first.pointer.removeprefix("#query").lstrip("/").replace("/", ".")
    if first.pointer.startswith("#header"):  # the text names it
        name = ""
    colon = ": " if language == "en" else "："
    return f"{text}{' ' if language == 'en' else ''}{name + colon if name else ''}{detail}"
