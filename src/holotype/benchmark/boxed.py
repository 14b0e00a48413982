"""The boxes of releases and of imported datasets as a truth for tasks of places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.benchmark.labelled import rows_of_split
from holotype.benchmark.values import MISSING, Boxes
from holotype.errors import PredictionError
from holotype.geometry.boxes import areas
from holotype.releases import Release

AS_CROWDS: Final = ("group_of", "difficult")
"""The flags of boxes that need not be found: COCO's crowds and Open Images' groups, and what VOC calls difficult."""
Texts = npt.NDArray[np.object_]


def boxes_of_release(release: Release, split: str = "test") -> Boxes:
    """The boxes of the images of a split of a release, in inclusive pixels of the stored pictures, turned upright;
    images without boxes are among the items, and boxes of groups and of what is difficult are crowds. Classes are those
    of the whole release.

    Raises `ReleaseError` where the split has no images, and `PredictionError` where none of them has a box.
    """
    rows = rows_of_split(release, split)
    boxes = release.boxes.filter(pc.is_in(release.boxes["id"], rows["id"].combine_chunks()))
    corners = np.stack([boxes[name].to_numpy() for name in ("x_min", "y_min", "x_max", "y_max")], axis=1)
    sizes = np.stack([rows[name].to_numpy() for name in ("width", "height")], axis=1)
    names, said = (table["id"].to_numpy() for table in (rows, boxes))
    crowd = np.zeros(len(boxes), np.bool_)
    for name in (flag for flag in AS_CROWDS if flag in boxes.column_names):
        crowd |= boxes[name].to_numpy() == 1
    return boxes_of(names, sizes, release.wnids, said, boxes["wnid"].to_pylist(), corners, crowd)


def boxes_of(
    names: Texts,
    sizes: npt.NDArray[np.integer],
    classes: Sequence[str],
    said_of: Texts,
    wnids: Sequence[str],
    corners: npt.NDArray[np.integer],
    crowds: npt.NDArray[np.bool_],
) -> Boxes:
    """A truth of images by their `names`, which may come several times, with upright `sizes` ``(names, 2)`` in pixels,
    0 where unknown; and boxes in inclusive pixels `corners` ``(boxes, 4)`` of the images they are `said_of` and of
    synsets, each counted once, a crowd where one of the `crowds` ``(boxes,)`` is there. Those of other classes are left
    out.

    Raises `PredictionError` where no box is left.
    """
    items, first = np.unique(names.astype(str), return_index=True)
    label = pc.index_in(pa.array(wnids, pa.string()), pa.array(classes, pa.string())).fill_null(MISSING).to_numpy()
    rows = np.stack([np.searchsorted(items, said_of.astype(str)), label], axis=1).astype(np.int64)
    told, known = np.hstack([rows, corners.astype(np.int64)]), label != MISSING
    found, place = np.unique(told[known], axis=0, return_inverse=True)
    crowd = np.bincount(place.ravel(), crowds[known], len(found)) > 0
    if not len(found):
        raise PredictionError("none of the images has a box of any of the classes")
    known_sizes, edges = sizes[first].astype(np.int64), found[:, 2:].astype(np.float64)
    image, of_class = found[:, 0].copy(), found[:, 1].copy()
    area, whole = areas(edges, inclusive=True), known_sizes if known_sizes.min() > 0 else None
    return Boxes(tuple(items.tolist()), tuple(classes), image, of_class, edges, crowd, area, sizes=whole)
