"""What people said of pictures in a tool, as values; and which pixels a box has that somebody drew."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from holotype.imports.boxes import EMPTY, UNREAD, Flags
from holotype.imports.masks import Mask
from holotype.provenance import in_one_line

TURNED: Final = "boxes that are rotated, or on a rotated image, which were not taken"
OUTSIDE: Final = "boxes outside of their image, which were not taken"
CUT: Final = "boxes that leave their image, which were cut off at its edge"
RESHAPED: Final = "boxes on an image of another shape than ours, which were not taken"
SCALED: Final = "boxes on an image of another size than ours, which were scaled"
UNLABELLED: Final = "boxes without a label, which were not taken"
NO_BOXES: Final = "polygons, masks, points and other shapes, which were not taken"
_FARTHEST: Final = 9_999_999
_LONGEST: Final = 200
"""Characters of an annotator's name."""


class Drawn(NamedTuple):
    """A box as it was drawn: what it is labelled, and its edges, counted from the upper left corner of the picture.

    `flags` are those of `holotype.imports.boxes.FLAGS`."""

    label: str
    left: float
    top: float
    right: float
    bottom: float
    flags: Flags = (None, None, None, None)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What somebody said of a picture at once: `annotator` is "" where nobody is named, `at` a time as it is written.

    A `machine` is a model that the tool asked. `masks` are labelled as the tool labels them.
    """

    annotator: str
    labels: Sequence[str] = ()
    boxes: Sequence[Drawn] = ()
    at: str = ""
    machine: bool = False
    masks: Sequence[Mask] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a tool knows it: what its image may be called, the best first, and what was said of it.

    `width` and `height` are its sides in pixels, 0 where that is not told. Edges of boxes are counted in `unit`: so
    many make its sides, as 100 and 100 do where they are percentages; None where they are counted in pixels.
    """

    names: Sequence[str]
    width: int
    height: int
    sheets: Sequence[Sheet]
    unit: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """What a file of a tool says, which is called in a word, and by whom where the file names nobody.

    `wnids` has those of labels that it tells itself; `remarks` are the reasons why something was not taken as it
    stands, each with how often.
    """

    tool: str
    annotator: str
    pictures: Sequence[Picture]
    wnids: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, int] = field(default_factory=dict)


def called(name: str) -> str:
    """An annotator's name as it can be stored and shown: in one line, and not too long."""
    return in_one_line(name)[:_LONGEST]


class Corners(NamedTuple):
    """A box in inclusive pixels."""

    x_min: int
    y_min: int
    x_max: int
    y_max: int


def number(value: Any) -> float:
    """A coordinate, not a number where it is none: no truth value, no list, nothing without end."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def side(value: Any) -> int:
    """The side of a picture in pixels, 0 where what is told is none: a whole number, or the digits of one."""
    found = number(value)
    return int(found) if 0 < found <= _FARTHEST and found == int(found) else 0


def pixels(box: Drawn, picture: Picture, width: int, height: int) -> tuple[Corners | None, tuple[str, ...]]:
    """The pixels that a box has in an image of `width` and `height`, and what was remarkable; None where it has none.

    A box has the pixels of which it covers half or more, from left to right and from top to bottom, and one at least:
    its edges are rounded to the nearest edge between pixels, halves to the right and down. A box of whole pixels, with
    edges x_min and x_max + 1, is itself again, also where percentages have come between.

    >>> pixels(Drawn("dog", 10.4, 20.5, 50, 60), Picture((), 0, 0, ()), 100, 100)
    (Corners(x_min=10, y_min=21, x_max=49, y_max=59), ())
    """
    edges = box[1:5]
    if not all(math.isfinite(edge) and abs(edge) <= _FARTHEST for edge in edges):
        return None, (UNREAD,)
    if box.right <= box.left or box.bottom <= box.top:
        return None, (EMPTY,)
    known = picture.width > 0 and picture.height > 0
    if known and not _is_shape(picture, width, height):
        return None, (RESHAPED,)
    across, down = picture.unit or ((picture.width, picture.height) if known else (width, height))
    columns = _between(box.left * width / across, box.right * width / across)
    rows = _between(box.top * height / down, box.bottom * height / down)
    if columns[1] < 0 or rows[1] < 0 or columns[0] >= width or rows[0] >= height:
        return None, (OUTSIDE,)
    whole = Corners(columns[0], rows[0], columns[1], rows[1])
    inside = Corners(max(0, whole[0]), max(0, whole[1]), min(width - 1, whole[2]), min(height - 1, whole[3]))
    scaled = known and (picture.width, picture.height) != (width, height)
    return inside, (*((CUT,) if inside != whole else ()), *((SCALED,) if scaled else ()))


def _is_shape(picture: Picture, width: int, height: int) -> bool:
    """Whether a picture is an image of these sides, or that scaled and its sides rounded to pixels."""
    wrong = abs(picture.width * height - picture.height * width)
    return wrong <= max(width, height, picture.width, picture.height)


def _between(first: float, last: float) -> tuple[int, int]:
    """The first and the last of the pixels that lie between two edges."""
    low, high = math.floor(first + 0.5), math.floor(last + 0.5) - 1
    return (low, high) if low <= high else (math.floor((first + last) / 2),) * 2
