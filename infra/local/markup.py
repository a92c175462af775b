"""Pieces of HTML that the reference is made of: texts in both languages, tables, anchors."""

from collections.abc import Iterable
from html import escape


def both(english: str, chinese: str) -> str:
    """A text in both languages, as HTML; the page shows one of them."""
    if english == chinese:
        return english
    return f'<span lang="en">{english}</span><span lang="zh">{chinese}</span>'


def text_of(text: str) -> str:
    """Paragraphs and lists of plain text with `code`, escaped."""
    blocks = []
    for block in escape(str(text)).split("\n\n"):
        pieces = block.split("`")
        marked = "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
        if marked.startswith("- "):
            entries = "".join(f"<li>{entry}</li>" for entry in marked[2:].split("\n- "))
            blocks.append(f"<ul>{entries}</ul>")
        elif marked.strip():
            blocks.append(f"<p>{marked}</p>")
    return "".join(blocks)


def inline(text: str) -> str:
    """One line of plain text with `code`, escaped."""
    return text_of(text).removeprefix("<p>").removesuffix("</p>")


def head(*cells: tuple[str, str]) -> str:
    """The cells of a table's head, each in English and Chinese."""
    return "".join(f"<th>{both(*cell)}</th>" for cell in cells)


def table_of(head: str, rows: Iterable[str]) -> str:
    """A table of rows in HTML, which scrolls by itself where it is too wide."""
    return f"<div class=wide tabindex=0><table><tr>{head}</tr>{''.join(rows)}</table></div>"


def anchor(method: str, path: str) -> str:
    """The id of an operation's section."""
    return method + "".join(letter if letter.isalnum() else "-" for letter in path)
