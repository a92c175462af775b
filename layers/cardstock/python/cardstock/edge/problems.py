"""Refusals as answers: the one table from error kinds to HTTP statuses (RFC 9457)."""

from cardstock import errors

STATUS: dict[type[errors.CardstockError], int] = {
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

RETRYABLE = frozenset({429, 503})


def status_of(refusal: errors.Refusal) -> int:
    """The HTTP status of a refusal's kind."""
    return STATUS[refusal.kind]
