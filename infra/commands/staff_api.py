"""The staff API for commands that act or read as a person: the person's own key decides what they may do.

A command has no person of its own, so it sends what it does to the API with the key of the variable CARDSTOCK_KEY. The
address is that of CARDSTOCK_STAFF_API, else the output of the stack, else that of `make serve`.
"""

import os
from typing import Any, Final

import httpx

from infra.commands import operators
from infra.commands.language import language, say

KEY: Final = "CARDSTOCK_KEY"
ADDRESS: Final = "CARDSTOCK_STAFF_API"
LOCAL: Final = "http://127.0.0.1:8702"
_OUTPUT: Final = "StaffApiUrl"

_transport: httpx.BaseTransport | None = None


def set_transport(new: httpx.BaseTransport | None) -> None:
    """Replace the HTTP transport of these commands; for tests."""
    global _transport  # noqa: PLW0603 - tests replace the transport here
    _transport = new


def call(
    method: str,
    path: str,
    *,
    content: bytes | None = None,
    media: str = "",
    query: dict[str, str] | None = None,
    once: str = "",
) -> tuple[int, dict[str, Any]]:
    """Status and body of an answer. `once` is the request's Idempotency-Key. Exit status 2 without a key, without an
    answer, and for an answer that is none of the API's."""
    key = os.environ.get(KEY)
    if not key:
        operators.stop(say(f"{KEY}：请设置本人的密钥", f"{KEY} is not set: it takes your own key"))
    headers = {"Authorization": f"Bearer {key}", "Accept-Language": "zh-CN" if language() == "zh" else "en"}
    if media:
        headers["Content-Type"] = media
    if once:
        headers["Idempotency-Key"] = once
    address = _address()
    try:
        with httpx.Client(transport=_transport, timeout=35) as client:
            answer = client.request(
                method, f"{address}{path}", content=content, headers=headers, params=query or {}
            )  # fmt: skip
        body = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        operators.stop(f"{address}: {type(error).__name__} {error}".rstrip())
    except ValueError:
        operators.stop(f"{address}: HTTP {answer.status_code}, not an answer of the API")
    if not isinstance(body, dict):
        operators.stop(f"{address}: HTTP {answer.status_code}, not an answer of the API")
    return answer.status_code, body


def _address() -> str:
    _, stack = operators.chosen()
    named = os.environ.get(ADDRESS) or (LOCAL if stack is None else operators.output_of(stack, _OUTPUT))
    return named.rstrip("/")
