"""The texts of the local pages: both languages, the same values in each, and nothing that is not used."""

import re
import string
from pathlib import Path

import pytest

from infra.local.stack import parse_yaml
from infra.local.template import ROOT
from infra.local.texts import WEB, language_of, text

TEXTS: dict[str, dict[str, dict[str, str]]] = parse_yaml((WEB / "texts.yaml").read_text("utf-8"))
ALL = [(section, name) for section, texts in TEXTS.items() for name in texts]


def values(said: str) -> list[str]:
    return sorted(field for _, field, _, _ in string.Formatter().parse(said) if field is not None)


@pytest.mark.parametrize(("section", "name"), ALL)
def test_a_text_has_both_languages_with_the_same_values(section: str, name: str) -> None:
    said = TEXTS[section][name]

    assert list(said) == ["zh", "en"]
    assert re.search("[\u4e00-\u9fff]", said["zh"]) or name == "document"
    assert not re.search("[\u4e00-\u9fff]", said["en"])
    assert values(said["zh"]) == values(said["en"])


def test_every_text_is_named_in_the_code() -> None:
    code = "".join(path.read_text("utf-8") for path in Path(ROOT / "infra/local").glob("*.py"))

    assert [name for _, name in ALL if f'"{name}"' not in code and f"'{name}'" not in code] == []


def test_a_text_and_its_values_are_escaped() -> None:
    assert text("later", "now", "en", now='<b>&"') == "It is &lt;b&gt;&amp;&quot; UTC."


@pytest.mark.parametrize(
    ("header", "language"), [("", "zh"), ("en", "en"), ("EN-gb,en;q=0.9", "en"), ("zh-CN,en", "zh"), ("fr", "zh")]
)
def test_the_language_is_chinese_unless_english_comes_first(header: str, language: str) -> None:
    assert language_of(header) == language
