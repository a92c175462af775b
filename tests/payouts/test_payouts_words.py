"""Every code that a payout report can print has its words, Chinese and English."""

from typing import Any, get_args

import pytest

from cardstock.ledger.model import Kind, Pocket
from cardstock.payouts import wording
from cardstock.payouts.lines import LineStatus
from cardstock.payouts.model import BatchStatus
from cardstock.payouts.payees import DropReason
from cardstock.payouts.report import texts
from cardstock.payouts.tax.tables import Method
from cardstock.payouts.wording import Text

CODES: dict[str, tuple[Any, ...]] = {
    "STATUS": (*get_args(LineStatus), *get_args(BatchStatus)),
    "REASON": get_args(DropReason),
    "KIND": get_args(Kind),
    "ACCOUNT": get_args(Pocket),
    "METHOD": get_args(Method),
    "CHANNEL": ("bank_file", "wechat", "alipay", "sandbox"),
}


@pytest.mark.parametrize("name", CODES)
def test_every_code_has_words_in_both_languages(name: str) -> None:
    words: dict[str, Text] = getattr(wording if hasattr(wording, name) else texts, name)

    assert set(words) == set(CODES[name])
    assert all(chinese and english for chinese, english in words.values())
