"""What the local pages are made of: texts in Chinese and English, and the files beside them, all in `web`."""

from functools import cache
from html import escape
from pathlib import Path

from infra.local.stack import parse_yaml

WEB = Path(__file__).parent / "web"


def language_of(header: str) -> str:
    """`en` if Accept-Language begins with it, else `zh`."""
    return "en" if header.lower().startswith("en") else "zh"


def text(section: str, name: str, language: str, **values: object) -> str:
    """The text in `zh` or `en`, as HTML: it and the values that it takes are escaped. KeyError for an unknown one."""
    return escape(str(_texts()[section][name][language]).format_map(values))


@cache
def web_file(name: str) -> str:
    """The content of a file of `web`."""
    return (WEB / name).read_text("utf-8")


@cache
def _texts() -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = parse_yaml(web_file("texts.yaml"))
    return found
