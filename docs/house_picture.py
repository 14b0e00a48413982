"""The house as a picture: a room a box, what a room imports below it, in SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from arrows import Arrows, floors, reached

EVERYWHERE: Final = frozenset({"errors", "files"})
"""Rooms that stand under all others: their arrows are in the table and not in the picture."""
WIDTH, HIGH, BETWEEN, GAP = 860, 30, 62, 18
"""Of the picture, a box, and between floors and boxes, in pixels."""
LETTER, EDGE = 7.6, 12
"""How wide a letter is, and what is left of a box beside its name."""
STYLE: Final = (
    "text{font:13px ui-monospace,monospace;text-anchor:middle;fill:#1b2a2a}rect{fill:#e3f1ef;stroke:#00796b}"
    "path{fill:none;stroke:#7a8c8a}.paper{fill:#fff;stroke:none}"
)


def drawn(arrows: Arrows) -> list[tuple[str, str]]:
    """The arrows that do not follow from others, from the top down."""
    shown = {name: targets - EVERYWHERE for name, targets in arrows.items() if name not in EVERYWHERE}
    return [
        (name, target)
        for floor in floors(shown)
        for name in floor
        for target in sorted(shown[name] - {one for other in shown[name] for one in reached(shown, other)})
    ]


def picture(arrows: Arrows) -> str:
    """The picture."""
    lines = drawn(arrows)
    rows = _rows(
        floors({name: targets - EVERYWHERE for name, targets in arrows.items() if name not in EVERYWHERE}), lines
    )
    places = dict(_places(rows))
    high = len(rows) * (HIGH + BETWEEN) - BETWEEN + 2 * GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high}" width="{WIDTH}" height="{high}">',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{high}"/>',
            '<marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0 8 4 0 8" /></marker>',
            *(_line(places[name], places[target]) for name, target in lines),
            *(_box(name, *place) for name, place in places.items()),
            "</svg>\n",
        ]
    )


def _rows(rows: list[list[str]], lines: list[tuple[str, str]]) -> list[list[str]]:
    """Floors with each room near those that its arrows lead to and come from, as far as a few looks tell."""
    ordered = [sorted(row) for row in rows]
    for _ in range(8):
        places = {name: x for name, (x, _) in _places(ordered)}
        ordered = [sorted(row, key=lambda name: (_middle(name, lines, places), name)) for row in ordered]
    return ordered


def _middle(name: str, lines: list[tuple[str, str]], places: Mapping[str, float]) -> float:
    """The mean place of a room's neighbours; its own, where it has none."""
    near = [places[b if a == name else a] for a, b in lines if name in (a, b)]
    return sum(near) / len(near) if near else places[name]


def _wide(name: str) -> float:
    return len(name) * LETTER + 2 * EDGE


def _places(rows: list[list[str]]) -> Iterator[tuple[str, tuple[float, float]]]:
    """The middle of each room's box: rows are spread over the width."""
    for number, row in enumerate(rows):
        gap = (WIDTH - sum(map(_wide, row))) / (len(row) + 1)
        x = gap
        for name in row:
            yield name, (x + _wide(name) / 2, GAP + number * (HIGH + BETWEEN) + HIGH / 2)
            x += _wide(name) + gap


def _box(name: str, x: float, y: float) -> str:
    corner = f'x="{x - _wide(name) / 2:.0f}" y="{y - HIGH / 2:.0f}"'
    box = f'<rect {corner} width="{_wide(name):.0f}" height="{HIGH}" rx="5"/>'
    return f'{box}<text x="{x:.0f}" y="{y + 4:.0f}">{name}</text>'


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    y1, y2 = y1 + HIGH / 2, y2 - HIGH / 2
    bend = (y2 - y1) / 2
    curve = f"{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}"
    return f'<path d="M{x1:.0f} {y1:.0f}C{curve}" marker-end="url(#end)"/>'
