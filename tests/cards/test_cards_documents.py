"""A card as a page and as a vCard: complete, escaped, and asking nobody for anything."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st
from icalendar.parser import Contentlines, split_on_unescaped_comma, split_on_unescaped_semicolon

from cardstock.cards.documents.names import name_parts
from cardstock.cards.documents.page import POLICY, Links, missing_page, page_of
from cardstock.cards.documents.qr import svg_of
from cardstock.cards.documents.vcard import vcard_of
from cardstock.cards.model import Card, Face, OpenedCard
from cardstock.texts import lines_of, one_line

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
HOSTILE = ',;:\\"\n\r\t\u2028\x85\x00\x1b\u202e\u200b\u200d n'
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


def by_vobject(text: str) -> dict[str, list[str]]:
    """The texts of a vCard, by property, as the library vobject reads them."""
    card = vobject.readOne(text)
    read = {name.upper(): [line.value for line in lines] for name, lines in card.contents.items()}
    [name] = read["N"]
    return read | {
        "N": [name.family, name.given],
        "ORG": [";".join(parts) for parts in read.get("ORG", [])],
        "ADR": [address.street for address in read.get("ADR", [])],
        "CATEGORIES": [each for several in read.get("CATEGORIES", []) for each in several],
    }


def by_icalendar(text: str) -> dict[str, list[str]]:
    """The same, as the library icalendar reads lines, parameters and escapes."""
    read: dict[str, list[str]] = {}
    for line in Contentlines.from_ical(text):  # type: ignore[no-untyped-call]  # the library leaves it untyped
        if line:
            name, _, value = line.parts()
            raw = str(line).partition(":")[2]
            if name in ("N", "ADR"):
                value = split_on_unescaped_semicolon(raw)
            read.setdefault(name, []).extend({"CATEGORIES": split_on_unescaped_comma(raw)}.get(name, [value]))
    [name] = read["N"]
    return {**read, "N": list(name[:2]), "ADR": [parts[2] for parts in read.get("ADR", [])]}


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
        "tel:+8613800138000",
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

    assert lines == [
        "BEGIN:VCARD",
        "VERSION:3.0",
        "N:林;晓雨;;;",
        "FN:林晓雨",
        "ORG:山野露营",
        "TITLE:高级导购",
        "X-WECHAT:linxiaoyu_camp",
        "TEL;TYPE=CELL:+8613800138000",
        "EMAIL;TYPE=INTERNET:lin@example.com",
        "ADR;TYPE=WORK:;;杭州市上城区湖滨路 18 号;;;;",
        "URL:https://example.com/lin",
        "NOTE:十二年经验。\\n周末在店里。\\n微信 WeChat: linxiaoyu_camp",
        "CATEGORIES:露营,亲子",
        f"SOURCE:{URL}",
        "UID:urn:cardstock:k7m2p9xw4tab",
        "REV:2026-12-01T09:00:00Z",
        "END:VCARD",
        "",
    ]


def test_a_bare_vcard_leaves_out_what_is_empty() -> None:
    names = {line.partition(":")[0] for line in unfolded(vcard(Face("王")))}

    assert names == {"BEGIN", "VERSION", "N", "FN", "SOURCE", "UID", "REV", "END", ""}


@pytest.mark.parametrize(
    ("phone", "line", "note"),
    [
        ("13800138000", "TEL;TYPE=CELL:13800138000", None),
        ("+86 138-0013-8000", "TEL;TYPE=CELL:+8613800138000", None),
        ("021-63211234", "TEL;TYPE=WORK:02163211234", None),
        ("021-63211234转802", "TEL;TYPE=WORK:02163211234", "NOTE:02163211234 转 802"),
        ("400 820 8820", "TEL;TYPE=WORK:4008208820", None),
        ("+44 20 7946 0958", "TEL;TYPE=WORK:+442079460958", None),
    ],
)
def test_a_telephone_can_dial_the_number_of_a_vcard(phone: str, line: str, note: str | None) -> None:
    lines = unfolded(vcard(Face("王", phone=phone)))

    assert line in lines
    assert [each for each in lines if each.startswith("NOTE")] == ([note] if note else [])


def test_a_page_calls_the_number_with_its_extension() -> None:
    page = read(page_of(Face("王", phone="021-63211234转802"), LINKS, "zh"))

    assert [value for name, value in page.attributes if value.startswith("tel:")] == ["tel:02163211234;ext=802"] * 2


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("林晓雨", ("林", "晓雨")),
        ("王芳", ("王", "芳")),
        ("欧阳娜娜", ("欧阳", "娜娜")),
        ("司马光", ("司马", "光")),
        ("歐陽修", ("歐陽", "修")),
        ("欧阳", ("欧", "阳")),
        ("林 晓雨", ("林", "晓雨")),
        ("𠮷野家", ("𠮷", "野家")),
        ("Anna Maria Smith", ("Smith", "Anna Maria")),
        ("Lin, Xiaoyu", ("Lin", "Xiaoyu")),
        ("O’Brien", ("", "O’Brien")),
        ("吾买尔·阿不都", ("", "吾买尔·阿不都")),
        ("杭州湖滨旗舰店", ("", "杭州湖滨旗舰店")),
        ("やまだ たろう", ("", "やまだ たろう")),
        ("王", ("", "王")),
        ("小林 Lin", ("", "小林 Lin")),
        ("A;B,C", ("", "A;B,C")),
    ],
)
def test_a_name_is_parted_only_where_that_is_certain(name: str, parts: tuple[str, str]) -> None:
    assert name_parts(name) == parts


@given(st.text(min_size=1, max_size=40))
def test_the_parts_of_a_name_join_to_the_name(name: str) -> None:
    family, given_name = name_parts(name)
    joined = {f"{family}{given_name}", f"{family} {given_name}", f"{given_name} {family}", f"{family}, {given_name}"}

    assert re.sub(" +", " ", one_line(name)).replace(" ,", ",") in {re.sub(" +", " ", each) for each in joined}


TEXT = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(HOSTILE)), max_size=60)


@given(
    st.builds(Face, TEXT.filter(lambda name: one_line(name) != ""), title=TEXT, company=TEXT, intro=TEXT, address=TEXT)
)
def test_two_readers_read_what_the_card_has(face: Face) -> None:
    text = vcard(face)
    read = [by_vobject(text), by_icalendar(text)]
    notes = [re.sub(r"\s", "", "".join(lines_of(face.intro)))] if any(lines_of(face.intro)) else []

    for name, value in (("FN", face.name), ("TITLE", face.title), ("ORG", face.company), ("ADR", face.address)):
        expected = [one_line(value)] if one_line(value) else []

        assert [each.get(name, []) for each in read] == [expected] * 2, name
    assert [[re.sub(r"\s", "", note) for note in each.get("NOTE", []) if note] for each in read] == [notes] * 2
    assert [each["N"] for each in read] == [list(name_parts(face.name))] * 2
    for line in text.encode().split(b"\r\n"):
        assert len(line) <= 75
        assert one_line(line.decode().strip()) == line.decode().strip()


def test_two_readers_read_a_full_card() -> None:
    for read in (by_vobject(vcard(FULL)), by_icalendar(vcard(FULL))):
        assert read["N"] == ["林", "晓雨"]
        assert read["TEL"] == ["+8613800138000"]
        assert read["EMAIL"] == ["lin@example.com"]
        assert read["URL"] == ["https://example.com/lin"]
        assert read["NOTE"] == ["十二年经验。\n周末在店里。\n微信 WeChat: linxiaoyu_camp"]
        assert read["CATEGORIES"] == ["露营", "亲子"]


@pytest.mark.parametrize("letter", ["a", "é", "林", "𠮷"])
def test_a_folded_line_has_75_octets_at_most(letter: str) -> None:
    lines = [len(line.encode()) for count in range(10, 90) for line in vcard(Face(letter * count)).split("\r\n")]

    assert 75 - len(letter.encode()) < max(lines) <= 75


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=200))
def test_folded_lines_fit_and_unfold_to_what_they_were(name: str) -> None:
    text = vcard(Face(name))
    escaped = one_line(name).replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")

    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert f"FN:{escaped}" in unfolded(text)


def test_a_qr_code_is_one_svg_element_that_fills_its_box() -> None:
    svg = svg_of(URL)

    assert svg.startswith("<svg ")
    assert svg.endswith("</svg>")
    assert "viewBox" in svg
    assert " width=" not in svg.partition(">")[0]
