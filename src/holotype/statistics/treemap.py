"""A treemap: areas that are in proportion to numbers, as near to squares as they can be, in two levels.

Bruls, Huizing and van Wijk, "Squarified Treemaps", 2000: rows are laid along the shorter side of what is left, and a
row takes another area as long as that makes the worst of them no worse. Pure functions: whoever shows them draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

MOST: Final = 200
"""Areas of a treemap; what is too small for one of its own is part of the rest."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle: its left upper corner, width and height."""

    x: float
    y: float
    width: float
    height: float

    def inside(self, margin: float, above: float) -> Area:
        """What is left within a margin, and below a heading; nothing, where there is no room."""
        width, height = self.width - 2 * margin, self.height - 2 * margin - above
        return Area(self.x + margin, self.y + margin + above, max(width, 0.0), max(height, 0.0))


@dataclass(frozen=True, slots=True)
class Tile(Generic[Item]):
    """Something with a size and its area, and what it consists of."""

    item: Item
    size: int
    area: Area
    parts: tuple[Tile[Item], ...] = ()


def squarified(sizes: Sequence[float], area: Area) -> list[Area]:
    """An area for each of some sizes, the largest first, that fill `area` in proportion.

    >>> squarified([3, 1], Area(0, 0, 4, 1))
    [Area(x=0, y=0, width=3.0, height=1.0), Area(x=3.0, y=0, width=1.0, height=1.0)]
    """
    total = sum(sizes)
    if total <= 0 or area.width <= 0 or area.height <= 0:
        return [Area(area.x, area.y, 0.0, 0.0) for _ in sizes]
    scale = area.width * area.height / total
    left, found, row = area, list[Area](), list[float]()
    for size in sizes:
        value, side = size * scale, min(left.width, left.height)
        if row and _worst([*row, value], side) > _worst(row, side):
            placed, left = _laid(row, left)
            found += placed
            row = []
        row.append(value)
    return found + (_laid(row, left)[0] if row else [])


def treemap(
    children: Sequence[tuple[Item, int, Sequence[tuple[Item, int]]]], area: Area, margin: float, above: float
) -> list[Tile[Item]]:
    """Two levels of tiles: items with their sizes and those of what they consist of, the largest first.

    At most `MOST` tiles in all: those that are largest keep their parts.
    """
    ordered = sorted((child for child in children if child[1] > 0), key=lambda child: -child[1])[: MOST // 2]
    areas = squarified([size for _, size, _ in ordered], area)
    left = MOST - len(ordered)
    found = []
    for (item, size, parts), place in zip(ordered, areas, strict=True):
        some = sorted((part for part in parts if part[1] > 0), key=lambda part: -part[1])
        share = min(left, max(1, round(left * size / max(1, sum(one[1] for one in ordered))) + 1))
        shown = tuple(_parts(some[:share], size, place.inside(margin, above)))
        left -= len(shown)
        found.append(Tile(item, size, place, shown))
    return found


def _parts(parts: Sequence[tuple[Item, int]], whole: int, area: Area) -> list[Tile[Item]]:
    """Tiles of what something consists of; what is not among them is left free at the end."""
    if not parts or area.width < 1 or area.height < 1:
        return []
    rest = max(0, whole - sum(size for _, size in parts))
    areas = squarified([*(size for _, size in parts), rest], area)
    pairs = zip(parts, areas, strict=False)
    return [Tile(item, size, place) for (item, size), place in pairs if place.width > 0]


def _worst(row: Sequence[float], side: float) -> float:
    """How far from a square the worst area of a row along a side is."""
    total = sum(row)
    if total <= 0:
        return float("inf")
    smallest = min(row)
    longest = side * side * max(row) / total**2
    return max(longest, float("inf") if smallest <= 0 else total**2 / (side * side * smallest))


def _laid(row: Sequence[float], area: Area) -> tuple[list[Area], Area]:
    """The areas of a row along the shorter side, and what is left."""
    total, found = sum(row), list[Area]()
    if total <= 0 or area.width <= 0 or area.height <= 0:
        return [Area(area.x, area.y, 0.0, 0.0) for _ in row], area
    if area.width >= area.height:
        width, y = total / area.height, area.y
        for value in row:
            found.append(Area(area.x, y, width, value / width))
            y += value / width
        return found, Area(area.x + width, area.y, max(area.width - width, 0.0), area.height)
    height, x = total / area.width, area.x
    for value in row:
        found.append(Area(x, area.y, value / height, height))
        x += value / height
    return found, Area(area.x, area.y + height, area.width, max(area.height - height, 0.0))
