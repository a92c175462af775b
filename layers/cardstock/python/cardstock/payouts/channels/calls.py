"""Shared by the clients of transfer channels: time-outs, and concurrent calls."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from cardstock.payouts.lines import Line
from cardstock.payouts.transfer_answers import Answer

CONNECT_TIMEOUT_SECONDS = 1.0
TIMEOUT_SECONDS = 5.0
AT_ONCE = 8
"""Eight calls of 100 ms are 80 transfers a second, below WeChat Pay's limit of a hundred for a merchant."""

Report = Callable[[str, str], None]
"""Called for every call without a usable answer: transfer number, and cause (`timeout`, `http_500 SYSTEM_ERROR`)."""


def client(base_url: str, transport: httpx.BaseTransport | None) -> httpx.Client:
    """A thread-safe client. It ignores the environment's proxy and netrc, and follows no redirects."""
    return httpx.Client(
        base_url=base_url,
        timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS),
        transport=transport,
        trust_env=False,
        follow_redirects=False,
    )


def each(lines: Sequence[Line], ask: Callable[[Line], Answer | None]) -> list[Answer]:
    """The answers received, in the order of the lines."""
    if not lines:
        return []
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(lines))) as threads:
        return [answer for answer in threads.map(ask, lines) if answer is not None]


def trouble(error: httpx.HTTPError) -> str:
    """`timeout` or `unreachable`. In both cases it is unknown whether the channel acted."""
    return "timeout" if isinstance(error, httpx.TimeoutException) else "unreachable"
