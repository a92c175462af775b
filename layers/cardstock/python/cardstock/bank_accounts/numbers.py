"""Checking account numbers.

Cards carry a check digit by Luhn (ISO/IEC 7812-1, annex B); account numbers of passbooks and companies do not. A number
is a card's if it begins as a card scheme's numbers do, and has a length that the scheme gives out.
"""

import re
import unicodedata
from typing import Final

from cardstock.bank_accounts import errors
from cardstock.errors import Pointer

_SCHEMES: Final[tuple[tuple[str, str, frozenset[int]], ...]] = (
    ("UnionPay", r"62|81", frozenset({16, 17, 18, 19})),
    ("Visa", r"4", frozenset({13, 16, 19})),
    ("Mastercard", r"5[1-5]|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)", frozenset({16})),
    ("American Express", r"3[47]", frozenset({15})),
    ("JCB", r"35(?:2[89]|[3-8][0-9])", frozenset({16, 17, 18, 19})),
)
"""Card schemes: name, how their numbers begin, and how long they are."""
_SEPARATORS: Final = re.compile(r"[\s\-\u2010-\u2015\u2212·.]+")
_DIGITS: Final = re.compile(r"[0-9]+\Z", re.ASCII)
SHORTEST: Final = 8
LONGEST: Final = 30


def checked_number(text: str, pointer: str = "/number") -> str:
    """The digits of an account number, as people paste it: in groups, or in full width.

    Raises `InvalidError` (ACCOUNT_NUMBER_INVALID): other characters, a length that no account has, a card's number with
    a wrong check digit or of a length that its scheme does not give out.
    """
    number = _SEPARATORS.sub(
        "", "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    )
    if not _DIGITS.match(number):
        raise _invalid(pointer, "NOT_DIGITS")
    if not SHORTEST <= len(number) <= LONGEST:
        raise _invalid(pointer, "LENGTH")
    for _, begins, lengths in _SCHEMES:
        if re.match(begins, number) and len(number) > 12:
            if len(number) not in lengths:
                raise _invalid(pointer, "LENGTH")
            if not luhn(number):
                raise _invalid(pointer, "CHECK_DIGIT")
    return number


def luhn(number: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    total = 0
    for index, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _invalid(pointer: str, code: str) -> Exception:
    return errors.ACCOUNT_NUMBER_INVALID(pointers=(Pointer(pointer, code),))
