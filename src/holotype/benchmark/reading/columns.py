"""What the columns of a table are called, and what they mean by it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

from holotype.benchmark.reading.faults import Faults, some
from holotype.benchmark.reading.tables import Batch, numbers_of
from holotype.benchmark.values import Bools, Floats, Ints

IMAGE, LABEL, SCORE, RANK, STRING, CROWD = "image", "label", "score", "rank", "predictionstring", "crowd"
CORNERS: Final = ("x1", "y1", "x2", "y2")
BOX, COCO_BOX = "box", "bbox"
BOXES: Final = (BOX, COCO_BOX)
"""Columns of four numbers a row: corners, and COCO's left and top edge, width and height."""
NESTED: Final = ("guesses", "places", "detections")
"""Columns of lists, each with what is said of an image."""
_ALIASES: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        IMAGE: ("image_id", "imageid", "id", "file", "filename", "file_name"),
        LABEL: ("class", "wnid", "category", "category_id", "class_id"),
        SCORE: ("confidence", "conf"),
        CROWD: ("iscrowd", "difficult"),
        "x1": ("xmin", "left"),
        "y1": ("ymin", "top"),
        "x2": ("xmax", "right"),
        "y2": ("ymax", "bottom"),
    }
)
_CALLED: Final = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}
_GUESS: Final = re.compile(r"(?:guess|label|class|prediction|pred|top)[ _-]?([1-9][0-9]{0,3})", re.IGNORECASE)


def called(names: Sequence[str], faults: Faults) -> dict[str, str]:
    """The columns by what they mean: of those that mean nothing that is known here, by their own names.

    Raises `PredictionError` where two mean the same.
    """
    found: dict[str, str] = {}
    for name in names:
        plain = name.lower()
        meant = _CALLED.get(plain, plain if plain in _ALIASES or plain in (RANK, STRING) else name)
        if meant in found:
            faults.stop(f"the columns {found[meant]!r} and {name!r} mean the same")
        found[meant] = name
    return found


def guess_columns(names: Sequence[str]) -> list[str]:
    """The columns of guesses, best first: ``guess1``, ``guess2`` ... Empty where there are none, or they have gaps."""
    numbered = {int(found[1]): name for name in names if (found := _GUESS.fullmatch(name))}
    return [numbered[place] for place in sorted(numbered)] if sorted(numbered) == [*range(1, len(numbered) + 1)] else []


def only(
    meant: Mapping[str, str], wanted: Sequence[str], optional: Sequence[str], faults: Faults, example: str
) -> None:
    """Raise `PredictionError` unless the columns are those that are `wanted`, and of others only `optional` ones."""
    missing = [name for name in wanted if name not in meant]
    strange = [name for key, name in meant.items() if key not in wanted and key not in optional]
    if missing:
        faults.stop(
            f"has no column {', '.join(missing)}, but {some(meant.values())}; its header must be like {example}"
        )
    if strange:
        faults.stop(f"has columns of no meaning: {some(strange)}; its header must be like {example}")


def box_columns(meant: Mapping[str, str]) -> tuple[str, ...]:
    """The columns in which boxes are: one of `BOXES`, or the corners."""
    return next(((name,) for name in BOXES if name in meant), CORNERS)


def corners_of(
    batch: Batch, meant: Mapping[str, str], inclusive: bool, faults: Faults, turned: bool = False
) -> tuple[Floats, Bools]:
    """The corners of each row's box ``(rows, 4)``, and which rows have none that is one, which are `faults`.

    With `turned`, boxes that end before they begin are some, too.
    """
    if (name := box_columns(meant)[0]) in BOXES:
        corners = batch.columns[meant[name]].astype(np.float64)
        bad = ~np.isfinite(corners).all(axis=1)
        faults.mark(batch.rows, bad, lambda _: f"the {name} is not four finite numbers")
        if name == COCO_BOX:
            return _of_sides(batch.rows, corners, bad, inclusive, faults)
    else:
        corners, bad = np.empty((len(batch.rows), len(CORNERS))), np.zeros(len(batch.rows), np.bool_)
        for side, name in enumerate(CORNERS):
            corners[:, side], wrong = numbers_of(batch, meant[name], faults)
            bad |= wrong
    if not turned:
        bad = bad | check_corners(batch.rows, corners, bad, inclusive, faults)
    return corners, bad


def _of_sides(rows: Ints, boxes: Floats, known: Bools, inclusive: bool, faults: Faults) -> tuple[Floats, Bools]:
    """The corners of boxes that say their width and height. Where corners are pixels, what is less than one wide or
    high is one: the last belongs to the box."""
    bad = (boxes[:, 2:] <= 0).any(axis=1) & ~known
    faults.mark(rows, bad, lambda at: f"the box of {boxes[at, 2]:g} by {boxes[at, 3]:g} has no area")
    sides = np.maximum(boxes[:, 2:], 1) - 1 if inclusive else boxes[:, 2:]
    return np.hstack([boxes[:, :2], boxes[:, :2] + sides]), known | bad


def check_corners(rows: Ints, corners: Floats, known: Bools, inclusive: bool, faults: Faults) -> Bools:
    """Which boxes end before they begin, or where corners are not `inclusive` have no area: those are `faults`."""
    size = corners[:, 2:] - corners[:, :2]
    bad = ((size < 0).any(axis=1) if inclusive else (size <= 0).any(axis=1)) & ~known
    why = "ends before it begins" if inclusive else "has no area"
    faults.mark(rows, bad, lambda at: f"the box {' '.join(f'{corner:g}' for corner in corners[at])} {why}")
    return np.asarray(bad)
