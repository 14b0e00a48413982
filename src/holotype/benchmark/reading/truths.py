"""Truths of files: the classes of images, and where in them things are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from holotype.benchmark.reading.assembling import Pair, boxes_of, in_order, labels_of, labels_of_boxes
from holotype.benchmark.reading.blacklists import blacklisted
from holotype.benchmark.reading.coco import is_coco, read_coco_boxes
from holotype.benchmark.reading.columns import (
    BOXES,
    CORNERS,
    CROWD,
    IMAGE,
    LABEL,
    RANK,
    STRING,
    box_columns,
    called,
    corners_of,
    only,
)
from holotype.benchmark.reading.devkit_truths import read_lines_of_labels, read_mat_boxes
from holotype.benchmark.reading.faults import Faults
from holotype.benchmark.reading.forms import JSON, MATLAB, form_of, opened_table
from holotype.benchmark.reading.json_text import JsonText
from holotype.benchmark.reading.label_lists import is_list_of_lists, read_label_lists
from holotype.benchmark.reading.limits import LIMITS
from holotype.benchmark.reading.strings import PLACES, spread
from holotype.benchmark.reading.tables import Batch, Table, cells_of, numbers_of
from holotype.benchmark.reading.unpacking import opened
from holotype.benchmark.values import Bools, Boxes, Floats, Labels
from holotype.errors import PredictionError

_LABELS_ARE: Final = "image,label"
_BOXES_ARE: Final = "image,label,x1,y1,x2,y2"
_IS_BOXES: Final = "boxes"


def read_labels(path: Path, classes: Sequence[str] = (), order: str = "") -> Labels:
    """The true classes of images. An image may have several, and one whose label is empty has none.

    Read are tables ``image,label`` of every form, Kaggle's solutions, the devkit's lines of numbers and its ``.mat``,
    ReaL's lists, COCO's instances. The classes are `classes`, which 1, 2, 3 ... mean in a devkit's file; else those of
    the ``meta.mat`` beside it; else ILSVRC2012's, where all labels are of it; else the labels that occur. Labels that
    are numbers are in `order`, one of `orders.ORDERS`, where one is given.

    Raises `PredictionError` naming the rows at fault.
    """
    with opened(path, LIMITS) as source:
        form, head = form_of(source), source.head()
        if form == MATLAB:
            return labels_of_boxes(read_mat_boxes(path, classes))
        if form == JSON:
            faults = Faults(source.where, "row")
            if is_coco(head):
                return labels_of_boxes(read_coco_boxes(source.file, faults))
            if is_list_of_lists(head):
                return read_label_lists(source.file, classes, order, faults)
    if form == JSON and not _has_rows(path):
        with opened(path, LIMITS) as source:
            return read_label_lists(source.file, classes, order, Faults(source.where, "entry"))
    with opened_table(path, LIMITS, "truth") as table:
        if table.positional and STRING in table.names:
            return read_lines_of_labels(table, path, classes, order)
        table, meant = _columns(table)
        only(meant, (IMAGE, LABEL), (RANK, CROWD, *BOXES, *CORNERS), table.faults, _LABELS_ARE)
        pairs = [pair for batch in table.read(()) for pair in _pairs(batch, meant, table.faults)]
        table.faults.check()
        try:
            pairs = [(image, in_order(label, order)) for image, label in pairs]
        except PredictionError as error:
            table.faults.stop(str(error))
        return labels_of((image for image, _ in pairs), pairs, classes, table.faults)


def _has_rows(path: Path) -> bool:
    """Whether JSON is of rows: an array of objects, or objects of a line each, with a key for the image."""
    with opened(path, LIMITS) as source:
        faults = Faults(source.where, "line")
        text = JsonText(source.file, faults)
        if text.peek() == "[":
            return True
        first, more = text.first()
        return more or (isinstance(first, dict) and IMAGE in called(list(first), faults))


def _columns(table: Table) -> tuple[Table, dict[str, str]]:
    """The table with a row a label or box, and its columns by what they mean."""
    if not table.names:
        table.faults.stop(f"is empty: a truth has a header like {_LABELS_ARE}, and rows")
    meant = called(table.names, table.faults)
    if set(meant) != {IMAGE, STRING}:
        return table, meant
    found = spread(table, meant[IMAGE], meant[STRING], PLACES, LIMITS.rows, empty=True)
    return found, called(found.names, table.faults)


def _pairs(batch: Batch, meant: dict[str, str], faults: Faults) -> list[Pair]:
    images, labels = (texts_of(batch, meant[name], faults) for name in (IMAGE, LABEL))
    for row, image in zip(batch.rows.tolist(), images, strict=True):
        if not image:
            faults.add(row, "no image")
    return list(zip(images, labels, strict=True))


def texts_of(batch: Batch, name: str, faults: Faults) -> list[str]:
    """The cells of a column as text without blanks around it, "" where there is nothing."""
    column = cells_of(batch, name, faults)
    told = pa.array(column) if isinstance(column, np.ndarray) else column
    return [(cell or "").strip() for cell in told.cast(pa.string()).to_pylist()]


def read_boxes(path: Path, blacklist: Path | None = None, classes: Sequence[str] = ()) -> Boxes:
    """The true boxes of images, but for those of a `blacklist`; an image whose label is empty has none.

    Read are tables ``image,label,x1,y1,x2,y2`` of every form, which may have a column ``crowd`` of 0 and 1, Kaggle's
    solutions, the devkit's ``.mat`` of localisation and detection, and COCO's instances. The last pixel of a box
    belongs to it, but in COCO's. `classes` are as those of `read_labels`; beside detection's is ``meta_det.mat``.

    Raises `PredictionError` naming the rows at fault.
    """
    truth = _read_boxes(path, classes)
    return truth if blacklist is None else blacklisted(truth, blacklist)


def _read_boxes(path: Path, classes: Sequence[str]) -> Boxes:
    with opened(path, LIMITS) as source:
        if (form := form_of(source)) == MATLAB:
            return read_mat_boxes(path, classes)
        if form == JSON and is_coco(source.head()):
            return read_coco_boxes(source.file, Faults(source.where, "annotation"))
    with opened_table(path, LIMITS, _IS_BOXES) as table:
        table, meant = _columns(table)
        wanted = (IMAGE, LABEL, *box_columns(meant))
        only(meant, wanted, (RANK, CROWD), table.faults, _BOXES_ARE)
        items: list[str] = []
        pairs: list[Pair] = []
        corners: list[Floats] = [np.empty((0, 4))]
        crowds: list[Bools] = [np.empty(0, np.bool_)]
        for batch in table.read(()):
            told = _pairs(batch, meant, table.faults)
            items += [image for image, _ in told]
            kept = np.array([bool(label) for _, label in told], np.bool_)
            boxes = batch.only(kept)
            pairs += [pair for pair in told if pair[1]]
            corners.append(corners_of(boxes, meant, True, table.faults)[0])
            crowds.append(_crowds(boxes, meant, table.faults))
        table.faults.check()
        return boxes_of(items, pairs, np.concatenate(corners), classes, table.faults, crowd=np.concatenate(crowds))


def _crowds(batch: Batch, meant: dict[str, str], faults: Faults) -> Bools:
    if CROWD not in meant:
        return np.zeros(len(batch.rows), np.bool_)
    values, bad = numbers_of(batch, meant[CROWD], faults)
    faults.mark(batch.rows, ~bad & ~np.isin(values, (0, 1)), lambda _: "crowd is neither 0 nor 1")
    return np.asarray(values == 1)
