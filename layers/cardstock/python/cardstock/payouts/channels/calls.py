"""Shared by the clients of transfer channels: concurrent calls."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from cardstock.payouts.lines import Line
from cardstock.payouts.transfer_answers import Answer

AT_ONCE = 8
"""Eight calls of 100 ms are 80 transfers a second, below WeChat Pay's limit of a hundred for a merchant."""

Report = Callable[[str, str], None]
"""Called for every call without a usable answer: transfer number, and cause (`timeout`, `http_500 SYSTEM_ERROR`)."""


def each(lines: Sequence[Line], ask: Callable[[Line], Answer | None]) -> list[Answer]:
    """The answers received, in the order of the lines."""
    if not lines:
        return []
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(lines))) as threads:
        return [answer for answer in threads.map(ask, lines) if answer is not None]
