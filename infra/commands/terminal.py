"""Where commands print. Texts of members and of channels are in it, and none of them may steer the terminal: control
sequences, bidirectional controls and invisible characters are taken out of everything that is printed.
"""

import json
import sys
from typing import Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment

from cardstock.texts import shown


def write(text: str, *, err: bool = False) -> None:
    """Print lines of text, on standard error with `err`."""
    print(shown(text), file=sys.stderr if err else sys.stdout)


def write_json(value: Any) -> None:
    """Print a value as JSON for programs. If a text has something that a terminal would obey, all is ASCII."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    print(text if shown(text) == text else json.dumps(value, indent=1))


def console(*, err: bool = False) -> Console:
    """Rich's console for tables and colours."""
    made = Console(stderr=err)
    made.push_render_hook(_Hook())
    return made


class _Hook(RenderHook):
    """Rich's hook: wraps whatever is printed."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Cleaned(each) for each in renderables]


class _Cleaned:
    """Something printable whose texts are clean; Rich's own colours and movements stay."""

    def __init__(self, inner: ConsoleRenderable) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._inner, options):
            yield segment if segment.control else Segment(shown(segment.text), segment.style)
