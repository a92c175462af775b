"""The language and the amounts of what commands print: Chinese or English, yuan, and names beside ids."""

import os
from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["zh", "en"]
VARIABLES: Final = ("CARDSTOCK_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""The variables that name the language, the strongest first."""

_chosen: dict[str, Language] = {}


def use(language: Language | None) -> None:
    """Set the language of the next command; None: that of the environment."""
    _chosen.clear()
    if language is not None:
        _chosen["language"] = language


def language(environment: Mapping[str, str] = os.environ) -> Language:
    """The chosen language, else Chinese if the first variable that is set begins with `zh`, else English."""
    if "language" in _chosen:
        return _chosen["language"]
    named = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    return "zh" if named.lower().startswith("zh") else "en"


def say(zh: str, en: str) -> str:
    """The text in the language of the command."""
    return zh if language() == "zh" else en


def yuan(fen: int) -> str:
    """Fen as yuan for people, such as `1,530.00`; nothing is computed with it."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"
