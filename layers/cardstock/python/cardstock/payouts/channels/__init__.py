"""Transfer channels: the bank file, WeChat, Alipay, and a sandbox that moves no money."""

from collections.abc import Mapping
from typing import Final

from cardstock.money import Fen

MINIMUM_FEN: Final[Mapping[str, Fen]] = {"bank_file": 10, "wechat": 10, "alipay": 10, "sandbox": 10}
"""The smallest amount after tax that each channel transfers. A batch keeps the one it was opened with."""
