"""Boxes that are known of images whose classes alone are asked for: of a release, or in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.benchmark.reading.coco import is_coco
from holotype.benchmark.reading.columns import BOXES, CORNERS, STRING, called
from holotype.benchmark.reading.forms import JSON, MATLAB, form_of, opened_table
from holotype.benchmark.reading.limits import LIMITS
from holotype.benchmark.reading.unpacking import opened
from holotype.benchmark.values import Boxes
from holotype.releases import Release

_CORNERS = ("x_min", "y_min", "x_max", "y_max")


def holds_boxes(path: Path) -> bool:
    """Whether a file is one of boxes, that `read_boxes` reads. Raises `PredictionError` for one that is no table."""
    with opened(path, LIMITS) as source:
        form = form_of(source)
        if form == MATLAB or (form == JSON and is_coco(source.head())):
            return True
    with opened_table(path, LIMITS, "boxes") as table:
        return not {*BOXES, STRING, CORNERS[0]}.isdisjoint(called(table.names, table.faults))


def boxes_of_release(release: Release, split: str) -> Boxes | None:
    """The boxes of the images of a split of a release; None where it has none."""
    images = release.manifest.filter(pc.field("split") == split)
    classes = tuple(release.wnids)
    rows = release.boxes.filter(pc.is_in(release.boxes["id"], images["id"].combine_chunks()))
    rows = rows.filter(pc.is_in(rows["wnid"], pa.array(classes, pa.string())))
    if not len(rows):
        return None
    items, first = np.unique(images["id"].to_numpy().astype(str), return_index=True)
    corners = np.stack([rows[name].to_numpy() for name in _CORNERS], axis=1).astype(np.float64)
    size = np.stack([images[name].to_numpy()[first] for name in ("width", "height")], axis=1).astype(np.int64)
    return Boxes(
        tuple(items.tolist()),
        classes,
        pc.index_in(rows["id"], pa.array(items.tolist())).to_numpy().astype(np.int64),
        pc.index_in(rows["wnid"], pa.array(classes, pa.string())).to_numpy().astype(np.int64),
        corners,
        np.zeros(len(rows), np.bool_),
        np.prod(corners[:, 2:] - corners[:, :2] + 1, axis=1),
        sizes=size if (size > 0).all() else None,
    )
