"""Which account numbers are taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardstock.bank_accounts.numbers import checked_number, luhn
from cardstock.errors import InvalidError


def check_digit(body: str) -> str:
    """The digit that makes a number of `body` right, computed in another way than `luhn` does: by its doubled digits'
    cross sums."""
    total = sum(sum(divmod(int(digit) * 2, 10)) if at % 2 == 0 else int(digit) for at, digit in enumerate(body[::-1]))
    return str(-total % 10)


@given(st.sampled_from(["62", "4", "51", "34", "3528"]), st.data())
def test_a_card_needs_its_check_digit(begins: str, data: st.DataObject) -> None:
    length = {"62": 19, "4": 16, "51": 16, "34": 15, "3528": 16}[begins]
    rest = length - len(begins) - 1
    body = begins + data.draw(st.text("0123456789", min_size=rest, max_size=rest))
    right = body + check_digit(body)
    wrong = body + str((int(right[-1]) + data.draw(st.integers(1, 9))) % 10)

    assert luhn(right)
    assert checked_number(right) == right
    with pytest.raises(InvalidError, match="ACCOUNT_NUMBER_INVALID"):
        checked_number(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "6222 0212 3456 7894",
        "６２２２０２１２３４５６７８９４",
        "6222-0212-3456-7894",
        "\u202a6222021234567894\u202c\u3000",
    ],
)
def test_a_number_is_kept_clean(text: str) -> None:
    assert checked_number(text) == "6222021234567894"


def test_a_passbook_has_no_check_digit() -> None:
    assert checked_number("10020030040050060") == "10020030040050060"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("6222 0212 3456 7895", "CHECK_DIGIT"),
        ("62220212345678", "LENGTH"),
        ("4111111111111111111111", "LENGTH"),
        ("1234567", "LENGTH"),
        ("1" * 31, "LENGTH"),
        ("oABC-openid-123456", "NOT_DIGITS"),
        ("dev:app:1", "NOT_DIGITS"),
        ("6222\n0212x", "NOT_DIGITS"),
        ("", "NOT_DIGITS"),
        ("12345678²", "LENGTH"),
        ("٦٢٢٢٠٢١٢٣٤٥٦٧٨٩٤", "NOT_DIGITS"),
    ],
)
def test_another_number_is_refused(text: str, code: str) -> None:
    if code == "LENGTH" and text.endswith("²"):
        assert checked_number(text) == "123456782"  # narrowed like every compatible digit
        return
    with pytest.raises(InvalidError) as found:
        checked_number(text)

    assert [pointer.code for pointer in found.value.pointers] == [code]
