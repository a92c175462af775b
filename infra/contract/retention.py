"""Writes the tables of `infra/PRIVACY.md` from `cardstock.retention`; the text around them is people's.

    python -m infra.contract.retention

A test compares.
"""

from typing import Final

from cardstock.retention import CLASSES, Retention
from infra.local.template import ROOT

DOCUMENT: Final = ROOT / "infra/PRIVACY.md"
_HEADS: Final = {
    "en": ("Class", "Holds", "Kept", "Stays after closing", "Clause"),
    "zh": ("类别", "内容", "保存期限", "注销后保留", "依据"),
}
_DAYS: Final = {"en": "{} days", "zh": "{}天"}
_YEARS: Final = {"en": "{} years", "zh": "{}年"}
_NOTHING: Final = {"en": "nothing", "zh": "无"}


def table(language: str) -> str:
    """The table in a language."""
    lines = [f"| {' | '.join(_HEADS[language])} |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(_row(each, language))} |" for each in CLASSES]
    return "\n".join(lines)


def text(document: str) -> str:
    """The document with its tables as the data has them now."""
    for language in _HEADS:
        head, _, rest = document.partition(f"<!-- table {language} -->")
        tail = rest.partition(f"<!-- end {language} -->")[2]
        document = f"{head}<!-- table {language} -->\n{table(language)}\n<!-- end {language} -->{tail}"
    return document


def _row(each: Retention, language: str) -> tuple[str, ...]:
    stays = _NOTHING[language]
    if each.stays is not None:
        stays = each.stays.of(language)
        if each.after_closing is not None:
            days = each.after_closing.days
            long = _YEARS[language].format(days // 365) if days > 365 else _DAYS[language].format(days)
            stays += f"，{long}" if language == "zh" else f", {long}"
    return f"`{each.key}`", each.holds.of(language), each.term.of(language), stays, each.clause.of(language)


if __name__ == "__main__":
    DOCUMENT.write_text(text(DOCUMENT.read_text("utf-8")), "utf-8")
