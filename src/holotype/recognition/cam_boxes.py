"""Boxes around what heat maps show, from networks that were never shown one; and as proposals that people verify."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from holotype.benchmark.weakly import components
from holotype.errors import RecognitionError
from holotype.files import create_atomically
from holotype.imports.proposals import COLUMNS, GivenBox
from holotype.recognition.heat import Heat, HeatMaps
from holotype.recognition.shown import Floats, Ints

THRESHOLD: Final = 0.2
"""The share of the largest heat from which a pixel is of the object (Zhou et al., CVPR 2016, section 3.2)."""
SIDES: Final = 0.76
"""The share of the sides of a picture that the box in its middle has, beside which others are told."""


def cam_boxes(found: HeatMaps, threshold: float = THRESHOLD) -> Floats:
    """A box for each map ``(n, 4)``: x_min, y_min, x_max and y_max in inclusive pixels of the upright picture, around
    the largest connected part that is at least `threshold` times as hot as the hottest place; NaNs where all is cold.

    Source: Zhou et al., CVPR 2016, section 3.2. Raises `RecognitionError` for a threshold that is not between 0 and 1.
    """
    if not 0 < threshold <= 1:
        raise RecognitionError(f"a threshold is more than 0 and at most 1, not {threshold}")
    boxes = [cam_box(found.spread(row), found.sizes[row], threshold) for row in range(len(found))]
    return np.array(boxes, np.float64).reshape(-1, 4)


def cam_box(heat: Heat, size: Ints, threshold: float = THRESHOLD) -> Floats:
    """The box of `cam_boxes` of one map, as `HeatMaps.spread` lays it on a picture of a width and height.

    >>> heat = np.zeros((40, 60), np.float32)
    >>> heat[10:20, 30:45] = 1
    >>> cam_box(heat, np.array([60, 40])).tolist()
    [30.0, 10.0, 44.0, 19.0]
    """
    hottest = float(heat.max())
    if hottest <= 0:
        return np.full(4, np.nan)
    edges, pixels = components(heat >= threshold * hottest)
    corners = edges[int(pixels.argmax())] * np.tile(size / heat.shape[::-1], 2)
    return np.concatenate([np.floor(corners[:2]), np.ceil(corners[2:]) - 1])


def centre_boxes(sizes: Ints, sides: float = SIDES) -> Floats:
    """The box in the middle of each picture of width and height `sizes` ``(n, 2)`` that has a share of its `sides`, in
    inclusive pixels, with fractions, ``(n, 4)``."""
    return np.concatenate([sizes * (1 - sides) / 2, sizes * (1 + sides) / 2 - 1], axis=1)


def proposals(found: HeatMaps, threshold: float = THRESHOLD) -> Iterator[GivenBox]:
    """The boxes of `cam_boxes` as a machine proposes them, of images by id, with the probability of the synset as their
    score: what `holotype.project.boxes.Boxes.propose` takes. A map that is cold, or about no synset, has none."""
    corners = cam_boxes(found, threshold).tolist()
    rows = zip(found.ids, found.wnids, corners, found.probabilities.tolist(), strict=True)
    for row, (image, wnid, (x_min, y_min, x_max, y_max), probability) in enumerate(rows, 1):
        if wnid and np.isfinite(x_min):
            yield GivenBox(image, wnid, (x_min, y_min, x_max, y_max), probability, row)


def write_proposals(boxes: Iterable[GivenBox], path: Path) -> int:
    """Write boxes as a table that `holotype.imports.proposals.read_proposals` reads; returns how many.

    Raises `RecognitionError` where there is such a file already.
    """
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = [_row(box) for box in boxes]
    writer.writerows(rows)
    try:
        create_atomically(path, held.getvalue().encode(), 0o644)
    except FileExistsError as error:
        raise RecognitionError(f"{path} is there already") from error
    return len(rows)


def _row(box: GivenBox) -> list[str]:
    score = "" if box.score is None else f"{box.score:.6g}"
    return [box.image, box.synset, *(f"{corner:g}" for corner in box.corners), score]
