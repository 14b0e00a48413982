"""What was detected in pictures, and the rows that say so, in the form of ILSVRC's detection task."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from holotype.benchmark.reading.detections import canonical
from holotype.benchmark.values import MISSING, Boxes, Detections
from holotype.errors import RecognitionError
from holotype.files import write_atomically
from holotype.geometry.values import Floats, Ints
from holotype.releases.loaders import Damaged

SUFFIXES: Final = (".csv", ".parquet")
"""What files of rows end in."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Objects that were detected in a picture, the surest first, ``(objects,)`` each: the number of the `label`, the
    `score`, and `corners` ``(objects, 4)`` in inclusive pixels, with fractions."""

    label: Ints
    score: Floats
    corners: Floats

    def surest(self, most: int) -> Found:
        """The first so many by score."""
        order = np.argsort(-self.score, kind="stable")[:most]
        return Found(self.label[order], self.score[order], self.corners[order])


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """The objects of many pictures, ``(objects,)`` each, picture by picture: the numbers of `image` and `label`, the
    `score`, `corners` ``(objects, 4)`` in inclusive pixels. `ids` and `classes` are what they are numbers of; of
    pictures that are `damaged` there are none."""

    ids: tuple[str, ...]
    classes: tuple[str, ...]
    image: Ints
    label: Ints
    score: Floats
    corners: Floats
    damaged: tuple[Damaged, ...] = ()

    def table(self) -> pa.Table:
        """A row an object: ``image,label,score,x1,y1,x2,y2``, labels by wnid, corners to a hundredth of a pixel."""
        ids, classes = (pa.array(names, pa.string()) for names in (self.ids, self.classes))
        edges = {name: self.corners[:, at].round(2) for at, name in enumerate(("x1", "y1", "x2", "y2"))}
        columns = {"image": ids.take(pa.array(self.image)), "label": classes.take(pa.array(self.label))}
        return pa.table(columns | {"score": self.score} | edges)


def submission(truth: Boxes, detected: Detected) -> Detections:
    """What was detected as a submission for a truth of the same classes, as if read from a file; images that the truth
    has not are left out. Raises ValueError for other classes."""
    if truth.classes != detected.classes:
        raise ValueError("the truth is of other classes than what was detected")
    place = pc.index_in(pa.array(detected.ids, pa.string()), pa.array(truth.items, pa.string())).fill_null(MISSING)
    image = place.to_numpy().astype(np.int64)[detected.image]
    known = np.flatnonzero(image != MISSING)
    image, label, score = image[known], detected.label[known], detected.score[known]
    corners = detected.corners[known].round(2)
    order = canonical(image, label, score, [corners])
    return Detections(image[order], label[order], score[order], corners[order])


def write_detections(found: Detected, path: Path) -> None:
    """Write the rows to a file that is scored as ILSVRC's detections, ``.csv`` or ``.parquet``.

    Raises `RecognitionError` for another suffix, or where it cannot be written.
    """
    _write(found.table(), path)


def write_truth(truth: Boxes, path: Path) -> None:
    """Write true boxes to a file that detections are scored by, ``.csv`` or ``.parquet``; an image without boxes has a
    row without a label. Raises `RecognitionError` as `write_detections` does."""
    empty = np.setdiff1d(np.arange(len(truth.items)), truth.image)
    image = np.concatenate([truth.image, empty])
    label = pa.array(truth.classes, pa.string()).take(pa.array(truth.label))
    columns: dict[str, pa.Array] = {
        "image": pa.array(truth.items, pa.string()).take(pa.array(image)),
        "label": pa.concat_arrays([label, pa.nulls(len(empty), pa.string())]),
    }
    for at, name in enumerate(("x1", "y1", "x2", "y2")):
        columns[name] = pa.concat_arrays([pa.array(truth.corners[:, at]), pa.nulls(len(empty), pa.float64())])
    crowd = np.concatenate([truth.crowd, np.zeros(len(empty), np.bool_)]).astype(np.int64)
    _write(pa.table(columns | {"crowd": pa.array(crowd)}), path)


def _write(table: pa.Table, path: Path) -> None:
    data, suffix = io.BytesIO(), path.suffix.lower()
    if suffix not in SUFFIXES:
        raise RecognitionError(f"rows are written as {' or '.join(SUFFIXES)}, not as {path.name!r}")
    if suffix == ".csv":
        pyarrow.csv.write_csv(table, data)
    else:
        pq.write_table(table, data)
    try:
        write_atomically(path, data.getvalue())
    except OSError as error:
        raise RecognitionError(f"cannot write {path}: {error}") from error
