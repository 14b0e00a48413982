"""Outlines as COCO's files have them, run lengths as numbers or as text, or polygons: read, bounded, as runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from holotype.geometry.masks import runs_of_text
from holotype.geometry.values import Floats, Ints

LARGEST: Final = 1 << 26
"""The most pixels of a mask."""
_FINER: Final = 5
"""How much finer than pixels the outline of a polygon is drawn (COCO)."""
_CORNERS: Final = 100_000
"""The most corners of a polygon."""
_WALK: Final = 1 << 24
"""The most steps, on the finer grid, of all outlines of a mask."""
_LONGEST: Final = 40
_NONE: Final = np.empty(0, np.int64)
Size = tuple[int, int]
"""Height and width."""


def outline(value: Any, size: Size | None) -> tuple[Size, Ints]:
    """The size and the runs of an outline in an image of a `size`, None where it is not known.

    Raises ValueError, which says what is wrong, for what is no outline, is not of that size, or would take too long.
    """
    if isinstance(value, dict):
        return _runs(value, size)
    if not isinstance(value, list):
        raise ValueError(f"no outline: {_said(value)}")
    if size is None:
        raise ValueError("a polygon in an image without width and height")
    height, width = checked(size)
    polygons = [_polygon(one, max(size)) for one in value]
    if sum(map(_steps, polygons)) > _WALK:
        raise ValueError(f"polygons whose outlines are longer than {_WALK // _FINER:,} pixels")
    return size, runs_of_polygons(polygons, height, width)


def checked(size: tuple[Any, Any]) -> Size:
    """Height and width of a mask. Raises ValueError where they are none, or more pixels than `LARGEST`."""
    if not all(type(side) is int and side > 0 for side in size) or size[0] * size[1] > LARGEST:
        raise ValueError(f"no size of a mask: {_said(list(size))}; {LARGEST:,} pixels are allowed")
    return size


def _polygon(value: Any, reach: int) -> list[float]:
    numbers = value if isinstance(value, list) else []
    if len(numbers) < 6 or len(numbers) % 2 or len(numbers) > 2 * _CORNERS:
        raise ValueError(f"no polygon of three corners or more: {_said(value)}")
    if not all(type(number) in (int, float) and abs(number) <= 4 * reach + 100 for number in numbers):
        raise ValueError(f"a polygon with a corner far outside of its image: {_said(value)}")
    return [float(number) for number in numbers]


def _steps(polygon: Sequence[float]) -> float:
    corners = np.array(polygon, np.float64).reshape(-1, 2)
    return _FINER * float(np.abs(corners - np.roll(corners, -1, axis=0)).max(axis=1).sum())


def _runs(value: Mapping[str, Any], known: Size | None) -> tuple[Size, Ints]:
    given, counts = value.get("size"), value.get("counts")
    if not isinstance(given, list) or len(given) != 2:
        raise ValueError(f"run lengths without their size: {_said(given)}")
    size = height, width = checked((given[0], given[1]))
    if known is not None and known != size:
        raise ValueError(f"a mask of {height} x {width} in an image of {known[0]} x {known[1]}")
    if isinstance(counts, str):
        runs = runs_of_text(counts)
    elif isinstance(counts, list) and all(type(count) is int and abs(count) <= LARGEST for count in counts):
        runs = np.array(counts, np.int64)
    else:
        raise ValueError(f"no run lengths: {_said(counts)}")
    if (runs < 0).any() or (runs > LARGEST).any() or runs.sum() != height * width:
        raise ValueError(f"run lengths that do not fill {height} x {width} pixels")
    return size, runs


def _said(value: object) -> str:
    """A value for a message: in quotes, and cut where it is long."""
    shown = str(value)
    return repr(shown[:_LONGEST]) + ("..." if len(shown) > _LONGEST else "")


def runs_of_polygons(polygons: Sequence[Sequence[float]], height: int, width: int) -> Ints:
    """The runs of the pixels that lie in any of some polygons, each x and y of its corners one after the other.

    As COCO draws them: the outline is walked on a grid five times as fine, and a column's pixels change where it
    crosses the column's middle.
    """
    toggles = [_toggles(np.array(one, np.float64).reshape(-1, 2), height, width) for one in polygons]
    steps = [np.where(np.arange(len(one)) % 2, -1, 1) for one in toggles]
    place, at = np.unique(np.concatenate([_NONE, *toggles]), return_inverse=True)
    inside = np.cumsum(np.bincount(at, np.concatenate([_NONE, *steps]), len(place))) > 0.5
    changed = np.diff(inside, prepend=False)
    bounds = np.concatenate([_NONE, place[changed]])
    bounds = bounds[bounds < height * width]
    return np.diff(np.concatenate([[0], bounds, [height * width]])).astype(np.int64)


def _toggles(corners: Floats, height: int, width: int) -> Ints:
    """Where, column by column, the pixels of a polygon begin and end, in turn; an even number of places."""
    place, times = np.unique(_crossings(corners, height, width), return_counts=True)
    odd = place[(times % 2 == 1) & (place < height * width)]
    return np.append(odd, height * width) if len(odd) % 2 else odd


def _crossings(corners: Floats, height: int, width: int) -> Ints:
    """Where, column by column, the outline of a polygon is crossed: places from 0 to height times width."""
    points = np.trunc(_FINER * corners + 0.5).astype(np.int64)
    walked = np.concatenate([_line(*pair) for pair in zip(points, np.roll(points, -1, axis=0), strict=True)])
    before, after = walked[:-1], walked[1:]
    moved = before[:, 0] != after[:, 0]
    before, after = before[moved], after[moved]
    x = np.where(after[:, 0] < before[:, 0], after[:, 0], after[:, 0] - 1)
    column = (x + 0.5) / _FINER - 0.5
    within = (np.floor(column) == column) & (column >= 0) & (column <= width - 1)
    row = (np.minimum(before[:, 1], after[:, 1]) + 0.5) / _FINER - 0.5
    row = np.ceil(np.clip(row, 0, height))
    return np.asarray((column * height + row)[within].astype(np.int64))


def _line(start: Ints, end: Ints) -> Ints:
    """The points of a grid from one to another ``(points, 2)``, a step at a time along the longer side."""
    span = np.abs(end - start)
    steps = int(span.max())
    turned = bool((start[0] > end[0]) if span[0] >= span[1] else (start[1] > end[1]))
    low, high = (end, start) if turned else (start, end)
    along, across = (0, 1) if span[0] >= span[1] else (1, 0)
    slope = (high[across] - low[across]) / steps if steps else 0.0
    walk = np.arange(steps + 1)
    found = np.empty((steps + 1, 2), np.int64)
    found[:, along] = low[along] + walk
    found[:, across] = np.trunc(low[across] + slope * walk + 0.5)
    return found[::-1] if turned else found
