"""Plain pictures of numbers: bars and areas as SVG, and a list with a bar in each line."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from holotype.statistics.treemap import Area, squarified

_WIDTH, _HEIGHT, _BELOW, _ABOVE = 480.0, 170.0, 34.0, 16.0
_WIDEST: Final = 60.0
_LETTER: Final = 6.4
"""Width of a letter of a label, in pixels, roughly."""


def bars(values: Sequence[int], labels: Sequence[str], about: str) -> str:
    """A bar for each value, with its label below and its number above; `about` says in words what is to be seen."""
    if not values:
        return ""
    step, most = min(_WIDTH / len(values), _WIDEST), max(1, *values)
    width = step * len(values)
    every = max(1, -(-max(map(len, labels)) * _LETTER // step))
    parts = []
    for place, (value, label) in enumerate(zip(values, labels, strict=True)):
        height = _HEIGHT * value / most
        x, y = place * step, _ABOVE + _HEIGHT - height
        parts.append(
            f'<rect class="bar" x="{x + 1:.1f}" y="{y:.1f}" width="{max(step - 2, 1):.1f}" height="{height:.1f}"/>'
        )
        if value and len(f"{value:,}") * _LETTER <= step + 4:
            parts.append(_text(x + step / 2, y - 4, f"{value:,}", "middle"))
        if place % every == 0:
            parts.append(_text(x + step / 2, _ABOVE + _HEIGHT + 14, label, "middle"))
    parts.append(f'<path class="axis" d="M0 {_ABOVE + _HEIGHT}H{width:.1f}"/>')
    return _svg(width, _ABOVE + _HEIGHT + _BELOW, about, parts)


def areas(values: Sequence[tuple[str, int]], about: str, width: float = 1000.0, height: float = 420.0) -> str:
    """An area for each name in proportion to its number, the largest first."""
    shown = [(name, value) for name, value in values if value > 0]
    parts = []
    for (name, value), area in zip(
        shown, squarified([value for _, value in shown], Area(0, 0, width, height)), strict=True
    ):
        parts.append(f"<g><title>{_plain(name)}: {value:,}</title>")
        parts.append(_box("area", area.x, area.y, area.width, area.height))
        room = int((area.width - 8) / _LETTER)
        if room >= 3 and area.height >= 18:
            label = name if len(name) <= room else name[: room - 1] + "…"
            parts.append(_text(area.x + 5, area.y + 14, label, "start"))
            if area.height >= 34 and len(f"{value:,}") <= room:
                parts.append(_text(area.x + 5, area.y + 29, f"{value:,}", "start"))
        parts.append("</g>")
    return _svg(width, height, about, parts) if parts else ""


def ranked(values: Sequence[tuple[str, int]], more: Sequence[tuple[str, int]] = ()) -> str:
    """A list of names and numbers, each with a bar as long as its number; `more`, such as the sum of all others, stands
    below without bars, which would dwarf the rest. A policy may forbid styles of elements, so bars are SVG, too."""
    most = max((value for _, value in values), default=0) or 1
    lines = [
        f"<li>{_plain(name)} <b>{value:,}</b>"
        '<svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="bar" width="{100 * value / most:.2f}" height="1"/></svg></li>\n'
        for name, value in values
    ]
    lines += [f"<li>{_plain(name)} <b>{value:,}</b></li>\n" for name, value in more]
    return f'<ul class="ranked">\n{"".join(lines)}</ul>\n' if lines else ""


def _box(kind: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_plain(text)}</text>'


def _plain(text: str) -> str:
    return escape(text, quote=True)


def _svg(width: float, height: float, about: str, parts: Sequence[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return f'<svg {size} role="img" aria-label="{_plain(about)}">{"".join(parts)}</svg>'
