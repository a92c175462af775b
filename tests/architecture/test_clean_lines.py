"""Text that leaves in a file, in a header or on a terminal is clean: each place that writes one is found in the code,
and what it writes of a hostile text is, byte for byte, what it writes of the clean one.
"""

import ast
import contextlib
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.cards.documents.page import Links, page_of
from cardstock.cards.documents.vcard import vcard_of
from cardstock.cards.model import Card, Face, OpenedCard
from cardstock.edge.headers import attachment, sent
from cardstock.network.simulation.charts import comparison_svg
from cardstock.network.simulation.comparison import Bounds, Comparison
from cardstock.payouts.report.cover import cover
from cardstock.payouts.report.csv_file import csv_bytes
from cardstock.payouts.report.sheets import Column, Writer
from cardstock.texts import one_line, shown
from infra.commands import terminal
from tests.house.cloud import ROOT
from tests.people.payout_report_sample import sample

PACKAGE = ROOT / "layers/cardstock/python/cardstock"
AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
HOSTILE = '王\n\t\r\u2028\u2029\x85\x00\x1b\x9b\u202e\u202c\u2066\u200b\u200d\ufeff\u00ad\ud800\ufffe[31m =,;\\"<&a'
WRITERS = {"writer", "DictWriter", "Workbook", "SimpleDocTemplate", "Paragraph", "Canvas", "escape"}
"""What a module takes from a library to write a file, besides reading one."""
LIBRARIES = {"csv", "html", "xlsxwriter", "reportlab", "zipfile", "xml", "email"}


def taken(path: Path) -> Iterator[str]:
    """The names that a module takes from libraries that write files."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in LIBRARIES:
            yield node.attr


def writers() -> set[str]:
    """The modules that write files or headers: by what they take, or as documents, or as answers of the edge."""
    found = {path for path in PACKAGE.rglob("*.py") if WRITERS & set(taken(path))}
    found |= {path for path in PACKAGE.glob("*/documents/*.py") if path.stem not in ("__init__", *NO_WRITERS)}
    found.add(PACKAGE / "edge/headers.py")
    return {path.relative_to(PACKAGE).with_suffix("").as_posix() for path in found}


NO_WRITERS = {"names": "parts of a name", "qr": "modules of a code, no text"}


def table(text: str) -> bytes:
    """A workbook with the text as brand, as footer and in a cell."""
    writer = Writer(title="t", brand=text, created=AT, footer=text)
    writer.table("sheet", [Column("a", "b", 10, "text", lambda row: row)], [text])
    writer.book.close()
    return writer.target.getvalue()


def opened(text: str) -> OpenedCard:
    face = Face(text, title=text, company=text, wechat=text, address=text, tags=(text,))
    return OpenedCard(Card("k7m2p9xw4tab", "mem_1", {"default": face}, 1, AT, AT), "default", "")


def chart(text: str) -> str:
    """A chart of one plan with the text as its name."""
    outcome: Any = SimpleNamespace(worst_order_bps=1, cost_bps=1, margin_bps=1, earners=1, gini_bps=1, curve_bps=(1,))
    return comparison_svg(Comparison((outcome,), ((),), Bounds(), None, None), [text], english=True)


PROBES: dict[str, Callable[[str], bytes | str]] = {
    "cards/documents/page": lambda text: page_of(opened(text).face, Links("/v", "<svg/>", "t"), "zh"),
    "cards/documents/vcard": lambda text: vcard_of(opened(text), "https://example.com/c/k"),
    "edge/headers": lambda text: json.dumps([attachment(text, "k.vcf"), sent({"X-Name": text})]),
    "network/simulation/charts": chart,
    "payouts/report/cover": lambda text: cover(replace(sample(3, 1), brand=text)),
    "payouts/report/csv_file": lambda text: csv_bytes([text, "a"], [[text, "b"]]),
    "payouts/report/sheets": table,
}
"""How a module is made to write a text."""


def test_every_writer_of_a_file_has_its_probe() -> None:
    assert writers() == set(PROBES)


@pytest.mark.parametrize("module", PROBES)
def test_a_hostile_text_is_written_as_the_clean_one(module: str) -> None:
    written = PROBES[module](HOSTILE)

    assert written == PROBES[module](one_line(HOSTILE))
    assert written != PROBES[module]("other")


def test_a_text_of_several_lines_keeps_its_lines_alone() -> None:
    card = opened("王")
    face = replace(card.face, intro=HOSTILE)
    page = page_of(face, Links("/v", "<svg/>", "t"), "zh")
    vcard = vcard_of(replace(card, card=replace(card.card, faces={"default": face})), "")

    assert [line for line in page.split("\n") if shown(line) != line] == []
    assert [line for line in vcard.split("\r\n") if shown(line) != line] == []


COMMANDS = sorted(path for path in (ROOT / "infra/commands").glob("*.py") if path.stem != "terminal")


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_commands_print_through_the_terminal_alone(path: Path) -> None:
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and (isinstance(node.func, ast.Name) or (isinstance(node.func, ast.Attribute) and node.func.attr == "echo"))
    }

    assert called.isdisjoint({"print", "echo", "Console", "pprint"})


@given(st.text(max_size=40))
def test_nothing_that_is_printed_steers_the_terminal(text: str) -> None:
    out, hostile = io.StringIO(), f"{text}{HOSTILE}"
    with contextlib.redirect_stdout(out):
        terminal.write(hostile)
        terminal.console().print(hostile, markup=False)
        terminal.write_json({"name": hostile.encode("utf-8", "replace").decode()})
    lines = out.getvalue().split("\n")

    assert [line for line in lines if shown(line) != line] == []
    assert "\x1b" not in out.getvalue()
    assert "王" in out.getvalue()
