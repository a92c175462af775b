"""A card as a page and as a vCard: complete, escaped, and asking nobody for anything."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardstock.cards.documents.page import POLICY, Links, missing_page, page_of
from cardstock.cards.documents.qr import svg_of
from cardstock.cards.documents.vcard import vcard_of
from cardstock.cards.model import Card, Face, OpenedCard

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
URL = "https://api.example.com/c/k7m2p9xw4tab"
FULL = Face(
    name="林晓雨",
    title="高级导购",
    company="山野露营",
    intro="十二年经验。\n周末在店里。",
    phone="+86 138 0013 8000",
    email="lin@example.com",
    wechat="linxiaoyu_camp",
    address="杭州市上城区湖滨路 18 号",
    website="https://example.com/lin",
    tags=("露营", "亲子"),
)
LINKS = Links("/v1/cards/k7m2p9xw4tab/vcf", svg_of(URL), "ticket.with-dots_and")


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def vcard(face: Face) -> str:
    return vcard_of(OpenedCard(Card("k7m2p9xw4tab", "mem_1", {"default": face}, 1, AT, AT), "default", ""), URL)


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_full_page_is_small_and_shows_everything(language: str) -> None:
    page = page_of(FULL, LINKS, language)
    text = "".join(read(page).text)

    assert len(page.encode()) < 30_000
    for shown in ("林晓雨", "高级导购", "山野露营", "+86 138 0013 8000", "lin@example.com", "example.com/lin", "亲子"):
        assert shown in text
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in page


def test_the_longest_card_stays_below_thirty_kilobytes() -> None:
    longest = Face(
        "名" * 40, "<" * 60, "&" * 60, '"' * 500, "+86 138 0013 80001234"[:21], "a" * 94 + "@ab.co", "w" * 20,
        "'" * 120, "https://" + "&" * 192, ("<" * 16,) * 8,
    )  # fmt: skip

    assert len(page_of(longest, LINKS, "zh").encode()) < 30_000


@given(st.text(min_size=1, max_size=40), st.text(max_size=60), st.text(max_size=200))
def test_no_text_of_an_owner_becomes_markup(name: str, title: str, intro: str) -> None:
    plain = read(page_of(Face("n", title="t", intro="i"), LINKS, "zh"))
    page = read(page_of(Face(name, title=title or "t", intro=intro or "i"), LINKS, "zh"))

    assert page.tags == plain.tags


def test_the_page_asks_nobody_for_anything() -> None:
    page = read(page_of(FULL, LINKS, "zh"))
    asking = [(name, value) for name, value in page.attributes if name in ("src", "srcset", "action", "data", "style")]
    targets = {value for name, value in page.attributes if name == "href"}

    assert asking == []
    assert "link" not in page.tags
    assert targets == {
        "tel:+86-138-0013-8000",
        "mailto:lin@example.com",
        "/v1/cards/k7m2p9xw4tab/vcf",
        "https://example.com/lin",
    }


@pytest.mark.parametrize("page", [page_of(FULL, LINKS, "zh"), missing_page("en")], ids=["card", "missing"])
def test_the_policy_allows_exactly_the_style_and_the_script_of_the_page(page: str) -> None:
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        blocks = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(blocks[0].encode()).digest()).decode()

        assert len(blocks) == 1
        assert f"{directive} 'sha256-{digest}'" in POLICY
    assert "default-src 'none'" in POLICY
    assert "unsafe" not in POLICY


def test_a_bare_card_has_no_empty_parts() -> None:
    page = page_of(Face("王"), LINKS, "zh")

    assert "<dl>" not in page
    assert "class=actions" not in page
    assert "class=tags" not in page


def test_a_vcard_has_what_the_card_has() -> None:
    lines = unfolded(vcard(FULL))

    assert lines[:3] == ["BEGIN:VCARD", "VERSION:4.0", "FN:林晓雨"]
    assert "TEL;VALUE=uri;TYPE=cell:tel:+86-138-0013-8000" in lines
    assert "NOTE:十二年经验。\\n周末在店里。" in lines
    assert "CATEGORIES:露营,亲子" in lines
    assert f"SOURCE:{URL}" in lines
    assert "REV:20261201T090000Z" in lines
    assert lines[-2:] == ["END:VCARD", ""]


def test_a_bare_vcard_leaves_out_what_is_empty() -> None:
    names = {line.partition(":")[0] for line in unfolded(vcard(Face("王")))}

    assert names == {"BEGIN", "VERSION", "FN", "SOURCE", "UID", "REV", "END", ""}


def test_a_vcard_escapes_what_has_a_meaning_in_it() -> None:
    lines = unfolded(vcard(Face("A;B,C\\D", intro="one\r\ntwo\rEND:VCARD\nthree")))

    assert "FN:A\\;B\\,C\\\\D" in lines
    assert "NOTE:one\\ntwo\\nEND:VCARD\\nthree" in lines
    assert lines.count("END:VCARD") == 1


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=200))
def test_folded_lines_fit_and_unfold_to_what_they_were(name: str) -> None:
    text = vcard(Face(name))
    escaped = name.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")

    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert f"FN:{escaped}" in unfolded(text)


def test_a_qr_code_is_one_svg_element_that_fills_its_box() -> None:
    svg = svg_of(URL)

    assert svg.startswith("<svg ")
    assert svg.endswith("</svg>")
    assert "viewBox" in svg
    assert " width=" not in svg.partition(">")[0]
