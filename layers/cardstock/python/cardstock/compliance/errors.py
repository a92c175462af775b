"""Refusals of the compliance area."""

from typing import Final

from cardstock.errors import conflict

ALARM_CHANGED: Final = conflict(
    "ALARM_CHANGED", zh="该警报刚被更新，请重试。", en="The alarm has changed meanwhile; try again."
)
