"""Charts as SVG: plain text with integer coordinates, without a library."""

from collections.abc import Sequence
from html import escape
from typing import Final

from cardstock.network.simulation.comparison import Comparison
from cardstock.network.simulation.outcome import CURVE_POINTS
from cardstock.texts import one_line

_COLOURS: Final = ("#2563eb", "#d97706", "#059669", "#db2777", "#7c3aed")
_WIDTH: Final = 960
_ROW: Final = 62
_FONT: Final = "font-family=\"system-ui,'Noto Sans CJK SC','PingFang SC',sans-serif\""
_TEXTS: Final = {
    "title": ("方案对比", "Plans compared"),
    "cost": ("成本", "cost"),
    "margin": ("毛利", "margin"),
    "of": ("占销售额", "of sales"),
    "cap": ("成本上限", "cost cap"),
    "worst": ("单笔最高", "worst order"),
    "curve": ("收益分布", "How earnings are shared"),
    "people": ("推广员，按收益从低到高", "Earners, from the lowest to the highest"),
    "earned": ("收益累计占比", "Their part of all earnings"),
    "best": ("最佳", "best"),
    "out": ("不满足条件", "out of bounds"),
}


def comparison_svg(comparison: Comparison, names: Sequence[str], *, english: bool) -> str:
    """Cost and margin of each plan as bars, with the cap, and the distribution of the earnings beside them."""
    said = {name: texts[english] for name, texts in _TEXTS.items()}
    count = len(names)
    height = max(120 + _ROW * count, 400)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" {_FONT} font-size="13" fill="#1f2937">',
        f"<title>{said['title']}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(24, 34, said["title"], size=18, weight=600),
        *_bars(comparison, names, said),
        *_curves(comparison, names, said),
        "</svg>",
    ]
    return "\n".join(parts)


def _text(
    x: int, y: int, text: str, *, size: int = 13, weight: int = 400, anchor: str = "start", fill: str = ""
) -> str:
    colour = f' fill="{fill}"' if fill else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}"{colour}>'
        f"{escape(one_line(text))}</text>"
    )


def _percent(bps: int) -> str:
    tenths = (abs(bps) + 5) // 10
    return f"{'-' if bps < 0 and tenths else ''}{tenths // 10}.{tenths % 10} %"


def _bars(comparison: Comparison, names: Sequence[str], said: dict[str, str]) -> list[str]:
    left, top, width = 24, 84, 400
    parts = [_text(left, 62, f"{said['cost']} / {said['margin']}, {said['of']}", fill="#6b7280")]
    for index, (outcome, name) in enumerate(zip(comparison.outcomes, names, strict=True)):
        y = top + _ROW * index
        mark = said["best"] if index == comparison.best else said["out"] if comparison.breaches[index] else ""
        colour = _COLOURS[index % len(_COLOURS)]
        worst = f"{said['worst']} {_percent(outcome.worst_order_bps)}"
        parts.append(_text(left, y, name, weight=600, fill=colour))
        parts.append(_text(left + width, y, " · ".join(filter(None, (worst, mark))), anchor="end", fill="#6b7280"))
        for line, (label, bps, opacity) in enumerate(
            ((said["cost"], outcome.cost_bps, 10), (said["margin"], outcome.margin_bps, 4))
        ):
            length = width * max(0, min(bps, 10_000)) // 10_000
            at = y + 8 + 17 * line
            parts.append(f'<rect x="{left}" y="{at}" width="{width}" height="14" fill="#f3f4f6"/>')
            parts.append(
                f'<rect x="{left}" y="{at}" width="{length}" height="14" fill="{colour}" '
                f'fill-opacity="{opacity // 10}.{opacity % 10}"/>'
            )
            parts.append(_text(left + width + 8, at + 12, f"{label} {_percent(bps)}", size=12))
    cap = left + width * comparison.bounds.cost_cap_bps // 10_000
    bottom = top + _ROW * len(names) - 10
    parts.append(f'<line x1="{cap}" y1="{top - 6}" x2="{cap}" y2="{bottom}" stroke="#dc2626" stroke-dasharray="4 3"/>')
    parts.append(
        _text(cap, bottom + 16, f"{said['cap']} {_percent(comparison.bounds.cost_cap_bps)}", size=12, fill="#dc2626")
    )
    return parts


def _curves(comparison: Comparison, names: Sequence[str], said: dict[str, str]) -> list[str]:
    left, top, side = 610, 84, 260
    parts = [
        _text(left, 62, said["curve"], fill="#6b7280"),
        f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="#f9fafb" stroke="#d1d5db"/>',
        f'<line x1="{left}" y1="{top + side}" x2="{left + side}" y2="{top}" stroke="#9ca3af" stroke-dasharray="3 3"/>',
        _text(left, top + side + 18, said["people"], size=12, fill="#6b7280"),
        f'<g transform="translate({left - 8} {top + side}) rotate(-90)">'
        + _text(0, 0, said["earned"], size=12, fill="#6b7280")
        + "</g>",
    ]
    for index, (outcome, name) in enumerate(zip(comparison.outcomes, names, strict=True)):
        if not outcome.earners:
            continue
        colour = _COLOURS[index % len(_COLOURS)]
        points = [f"{left},{top + side}"] + [
            f"{left + side * number // CURVE_POINTS},{top + side - side * bps // 10_000}"
            for number, bps in enumerate(outcome.curve_bps, 1)
        ]
        parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(
            _text(left + 8, top + 18 + 16 * index, f"{name}: Gini {_percent(outcome.gini_bps)}", size=12, fill=colour)
        )
    return parts
