"""Text is normalised once when it comes in, and is one clean line when it leaves."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cardstock.texts import PHONE_DIGITS, clean_phone, lines_of, narrow, normalise, one_line

CONTROLS = (
    "\n\t\r\u2028\u2029\x85\x00\x1b\x9b\x0b\x1c\u202a\u202e\u2066\u2069\u200e\u061c\u200b\u2060\ufeff\u00ad\u3164"
)
JOINERS = "\u200c\u200d"
VISIBLE_FORMATS = {
    *"\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd",
    *map(chr, (*range(0x13430, 0x13440), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B))),
}
"""Format characters of a script that are shown, or belong to its notation."""
TEXTS = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            f"{CONTROLS}{JOINERS} \u00a0\u3000aé中欧é\u0301\u0328\u094d\u0915\u0dca\u0647\u0644👩💻🏴\ufe0f♂"
        ),
    ),
    max_size=40,
)


@given(TEXTS)
@example("\u0301\u200b\u094d\u200d\u0328x")
@example("👩\u200d\u200b💻")
@example("\u0915\u0301\u200d\u094d\u200d\u0937")
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text)

    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip()
    assert len(once) <= 3 * len(text)  # NFC takes at most three for one


@given(TEXTS)
def test_nothing_invisible_and_no_direction_is_left(text: str) -> None:
    clean = normalise(text)
    left = {letter for letter in clean if unicodedata.category(letter) == "Cf"}

    assert left - VISIBLE_FORMATS <= set(JOINERS)
    assert not left & {letter for letter in CONTROLS if unicodedata.bidirectional(letter)[-1:] in "EOIF"}


def test_every_format_character_without_a_shape_goes() -> None:
    formats = {letter for letter in map(chr, range(0x110000)) if unicodedata.category(letter) == "Cf"}
    kept = {letter for letter in formats if normalise(f"a{letter}b") != "ab"}

    assert kept == VISIBLE_FORMATS & formats


@given(st.text(st.characters(exclude_categories=["Cf", "Cc", "Zs", "Zl", "Zp"]), max_size=30))
def test_what_can_be_seen_stays(text: str) -> None:
    hidden = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
    seen = "".join(letter for letter in text if letter not in hidden)

    assert normalise(text) == unicodedata.normalize("NFC", seen)


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d💻",
        "👨\u200d👩\u200d👧",
        "🧔🏽\u200d♂\ufe0f",
        "ශ\u0dca\u200dර\u0dd3",
        "न\u094d\u200d",
        "ക\u0d4d\u200c",
        "می\u200cخواهم",
    ],
)
def test_a_joiner_that_spells_stays(text: str) -> None:
    assert normalise(text) == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("\ufeff王\u200b小\u200d明", "王小明"),
        ("欧阳\t娜", "欧阳 娜"),
        ("a\x85\x07b\u2029c", "a b c"),
        ("a\nb\r\nc\t", "a\nb\r\nc"),
        ("\u202d138 0013 8000\u202c", "138 0013 8000"),
        ("\u3000a\u200cb\u00a0", "ab"),
        ("👩\u200d", "👩"),
        ("\u200d👩", "👩"),
        ("e\u200b\u0301", "é"),
        ("a\U000e0041\U000e007fb", "ab"),
        ("\u3164", ""),
        ("ab\u200d\u0937", "ab\u0937"),
    ],
)
def test_what_hides_goes(text: str, clean: str) -> None:
    assert normalise(text) == clean


@given(st.text(st.one_of(st.characters(), st.sampled_from(CONTROLS + JOINERS)), max_size=40))
def test_what_leaves_is_one_line_without_controls(text: str) -> None:
    line = one_line(text)

    assert len(line.splitlines()) <= 1
    assert {unicodedata.category(letter) for letter in line}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert {letter for letter in line if unicodedata.category(letter) == "Cf"} <= VISIBLE_FORMATS
    assert one_line(line) == line
    line.encode()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("林\r\n晓\t雨", "林 晓 雨"),
        ("a\u2028b\x85c\u2029d", "a b c d"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("a\u200bb\u200dc", "abc"),
        ("a\ud800b\ufffec", "abc"),
        ("\u202egpj.exe", "gpj.exe"),
        ("  plain  ", "plain"),
        ("欧阳娜·古丽", "欧阳娜·古丽"),
    ],
)
def test_a_gap_stays_where_words_were_apart(text: str, line: str) -> None:
    assert one_line(text) == line


def test_lines_stay_lines_and_each_is_clean() -> None:
    assert lines_of("一\u202e\r\n二\x1b\u2028三") == ["一", "二", "三"]


@given(st.text(st.sampled_from("０１９ａｚＡＺ－．＿！～　\u3000中a1"), max_size=20))
def test_narrowing_leaves_nothing_wide(text: str) -> None:
    narrowed = narrow(text)

    assert not [letter for letter in narrowed if "\uff01" <= letter <= "\uff5e" or letter == "\u3000"]
    assert narrow(narrowed) == narrowed


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("\u202d138 0013 8000\u202c", "138 0013 8000"),
        ("(021) 6321-1234", "021 6321-1234"),
        ("（０２１）６３２１－１２３４", "021 6321-1234"),
        ("021-63211234转802", "021-63211234转802"),
        ("021-63211234 分机 802", "021-63211234转802"),
        ("021-63211234 ext. 802", "021-63211234转802"),
        ("+86 (0)21 6321 1234", "+86 21 6321 1234"),
        ("＋８６ １３８００１３８０００", "+86 13800138000"),
        ("021—6321—1234", "021-6321-1234"),
        ("1380013８000\u200b", "13800138000"),
        ("tel:13800138000", "13800138000"),
        ("TEL:+8613800138000;ext=12", "+8613800138000转12"),
        ("电话：021-63211234转802", "021-63211234转802"),
    ],
)
def test_a_phone_is_kept_clean_with_its_extension(text: str, phone: str) -> None:
    assert clean_phone(text) == phone


@pytest.mark.parametrize(
    "text", ["", "1", "abc", "+", "1380013800013800138000138", "138\n0013 8000 call me", "转802", "٠١٢٣٤٥٦٧"]
)
def test_what_is_no_phone_is_none(text: str) -> None:
    assert clean_phone(text) is None


@given(st.text(st.sampled_from("0123456789０１９+＋()（） -－—./转分机ext#x,;\u202d\u200b\u3000"), max_size=30))
def test_a_clean_phone_is_clean(text: str) -> None:
    phone = clean_phone(text)
    if phone is not None:
        number, _, extension = phone.partition("转")

        assert clean_phone(phone) == phone
        assert PHONE_DIGITS[0] <= sum(map(str.isdigit, number)) <= PHONE_DIGITS[1]
        assert set(number) <= set("0123456789+- ")
        assert extension == "" or (extension.isascii() and extension.isdigit())
