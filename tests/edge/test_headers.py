"""Headers are read by their grammar, and what follows none counts as not sent."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardstock.edge.headers import attachment, language_of, names_tag, prefers, sent

ENVELOPE, JSON = "application/vnd.cardstock.envelope+json", "application/json"
ANY = st.text(st.one_of(st.characters(max_codepoint=255), st.sampled_from('*,;=q"W/ .01zhen-\\+')), max_size=60)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("zh-Hant", "zh"),
        ("zh-Hans-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr,en;q=0.8", "en"),
        ("fr", "zh"),
        ("*", "zh"),
        ("fr, *;q=0.5", "zh"),
        ("zh;q=0.5,*", "en"),
        ("zh;q=0, *;q=0.1", "en"),
        ("en;q=0", "zh"),
        ("zh;q=0", "zh"),
        ("zh;q=0.3, en;q=0.31", "en"),
        ("en;q=0.5, zh;q=0.5", "en"),
        ("zh, en", "zh"),
        ("en-GB;q=0.2, en;q=0.9, zh;q=0.5", "en"),
        (" , en ; Q=1.000 ,,", "en"),
        ("en;q=1.001", "zh"),
        ("en;q=2", "zh"),
        ("en;q=0.8888", "zh"),
        ("en;q=", "zh"),
        ("en zh", "zh"),
        ("english-speaking-people", "zh"),
        ("en_US", "zh"),
        ("en;level=1", "zh"),
        ("en, 中文", "zh"),
    ],
)
def test_a_language_is_chosen_by_weight(header: str, language: str) -> None:
    assert language_of(header) == language


@pytest.mark.parametrize(
    ("header", "wrapped"),
    [
        ("", False),
        ("*/*", False),
        ("application/*", False),
        (JSON, False),
        (ENVELOPE, True),
        (ENVELOPE.upper(), True),
        (f"{ENVELOPE}, {JSON}", True),
        (f"{JSON}, {ENVELOPE};q=0.5", False),
        (f"{JSON};q=0.4, {ENVELOPE};q=0.5", True),
        (f"*/*;q=0.9, {ENVELOPE};q=0.5", False),
        (f"{ENVELOPE};q=0", False),
        (f'text/html;title="a, b;q=0", {ENVELOPE}; charset=utf-8; q=0.7', True),
        (f"{ENVELOPE}x", False),
        (f"x{ENVELOPE}", False),
        (f"nonsense, {ENVELOPE}", False),
        (f"{ENVELOPE};q=high", False),
    ],
)
def test_an_envelope_is_for_those_who_name_it(header: str, wrapped: bool) -> None:
    assert prefers(header, ENVELOPE, JSON) is wrapped


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("", False),
        ("*", True),
        (" * ", True),
        ('"3-default-"', True),
        ('W/"3-default-"', True),
        ('"x", W/"3-default-"', True),
        ('"x","y" , "3-default-"', True),
        ('w/"3-default-"', False),
        ("3-default-", False),
        ('"3-default', False),
        ('"x, 3-default-"', False),
        ('"a" "3-default-"', False),
        ('*, "3-default-"', False),
        ('"3-default-", broken', False),
    ],
)
def test_if_none_match_names_tags_weakly(header: str, named: bool) -> None:
    assert names_tag(header, 'W/"3-default-"') is named


@given(ANY)
def test_no_header_breaks_a_reader(header: str) -> None:
    assert language_of(header) in ("zh", "en")
    assert prefers(header, ENVELOPE, JSON) is False
    assert names_tag(header, 'W/"no such tag"') is (header.strip(" \t") == "*")


RANGES = st.lists(
    st.tuples(st.sampled_from(["zh", "en", "fr", "*", "en-GB", "zh-Hant"]), st.integers(0, 1000)),
    min_size=1,
    max_size=6,
)


@given(RANGES)
def test_the_chosen_language_weighs_no_less_than_the_other(ranges: list[tuple[str, int]]) -> None:
    header = ", ".join(f"{name};q={weight / 1000:.3f}" for name, weight in ranges)

    def weight(language: str) -> int:
        own = [value for name, value in ranges if name.split("-")[0] == language]
        return max(own or [value for name, value in ranges if name == "*"] or [0])

    chosen = language_of(header)

    assert weight(chosen) >= weight("en" if chosen == "zh" else "zh")


@given(st.text(max_size=60))
def test_a_name_of_a_download_is_ascii_and_reads_back(name: str) -> None:
    value = attachment(name, "k.vcf")["Content-Disposition"]
    plain, _, encoded = value.partition("; filename*=UTF-8''")

    assert value.isascii()
    assert value.isprintable()
    assert plain == 'attachment; filename="k.vcf"'
    assert not set("/\\\r\n") & set(unquote(encoded))
    assert not unquote(encoded).startswith(".")


def test_a_name_of_a_download_keeps_its_letters() -> None:
    value = attachment("林 晓雨\r\n.vcf", "k.vcf")["Content-Disposition"]

    assert unquote(value.partition("''")[2]) == "林 晓雨 .vcf"


def test_a_sent_header_is_one_line() -> None:
    assert sent({"X-A": "a\r\nSet-Cookie: b=1\x00"}) == {"X-A": "a Set-Cookie: b=1"}
