"""The channels that orders are paid through."""

from collections.abc import Callable

Report = Callable[[str, str], None]
"""Called for every call without a usable answer: order or refund id, and cause (`timeout`, `http_500 SYSTEM_ERROR`)."""
