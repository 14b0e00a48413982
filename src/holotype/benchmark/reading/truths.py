"""Truths of files: the classes of images, and where in them things are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from holotype.benchmark.orders import order as class_order
from holotype.benchmark.reading.blacklists import blacklisted
from holotype.benchmark.reading.columns import CORNERS, IMAGE, LABEL, called, corners_of, only
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.forms import opened_table
from holotype.benchmark.reading.limits import LIMITS
from holotype.benchmark.reading.numbers import whole
from holotype.benchmark.reading.tables import Batch
from holotype.benchmark.values import Boxes, Floats, Labels

_LABELS_ARE: Final = "image,label"
_BOXES_ARE: Final = "image,label,x1,y1,x2,y2"


def read_labels(path: Path, classes: Sequence[str] = (), order: str = "") -> Labels:
    """The true classes of images. An image may have several rows, and one whose label is empty has none.

    The classes are those given; else ILSVRC2012's, where all labels are of it; else the labels that occur.
    Raises `PredictionError` naming the rows at fault.
    """
    with opened_table(path, LIMITS) as table:
        meant = called(table.names, table.faults)
        only(meant, (IMAGE, LABEL), CORNERS, table.faults, _LABELS_ARE)
        pairs = [pair for batch in table.read(()) for pair in _pairs(batch, meant, table.faults)]
        table.faults.check()
        if order:
            pairs = [(image, _in_order(label, order, table.faults)) for image, label in pairs]
        return labels_of(pairs, classes, table.faults)


def _pairs(batch: Batch, meant: dict[str, str], faults: Faults) -> list[tuple[str, str]]:
    cells = [texts_of(batch, meant[name]) for name in (IMAGE, LABEL)]
    for row, image in zip(batch.rows.tolist(), cells[0], strict=True):
        if not image:
            faults.add(row, "no image")
    return list(zip(*cells, strict=True))


def _in_order(label: str, order: str, faults: Faults) -> str:
    """The wnid of a label, which may be a class number in an order."""
    wnids = class_order(order).wnids
    if not label.isdecimal():
        return label
    number = whole(label)
    if not (number < len(wnids) and wnids[number]):
        faults.stop(f"{number} is no class in order {order}")
    return wnids[number]


def texts_of(batch: Batch, name: str) -> list[str]:
    """The cells of a column as text without blanks around it, "" where there is nothing."""
    column = batch.columns[name]
    told = pa.array(column) if isinstance(column, np.ndarray) else column
    return [(cell or "").strip() for cell in told.cast(pa.string()).to_pylist()]


def labels_of(pairs: Sequence[tuple[str, str]], classes: Sequence[str], faults: Faults) -> Labels:
    """The truth that pairs of image and label make; "" is no label."""
    items = tuple(sorted({image for image, _ in pairs}))
    names = all_classes({label for _, label in pairs if label}, classes, faults)
    numbers, of = ({name: at for at, name in enumerate(some)} for some in (items, names))
    found = sorted({(numbers[image], of[label]) for image, label in pairs if label})
    image, label = np.array(found, np.int64).reshape(-1, 2).T
    return Labels(items, names, image.copy(), label.copy())


def all_classes(labels: set[str], classes: Sequence[str], faults: Faults) -> tuple[str, ...]:
    """The classes of a truth with these labels. Raises `PredictionError` for a label that is none of those given."""
    if classes:
        if strange := sorted(labels.difference(classes)):
            faults.stop(f"the label {said(strange[0])} is none of the {len(classes):,} classes")
        return tuple(sorted(set(classes)))
    ilsvrc = class_order("sorted").wnids
    return ilsvrc if labels and labels <= set(ilsvrc) else tuple(sorted(labels))


def read_boxes(path: Path, blacklist: Path | None = None, classes: Sequence[str] = ()) -> Boxes:
    """The true boxes of images, the last pixel of each belonging to it, but for those of a `blacklist`.

    Raises `PredictionError` naming the rows at fault.
    """
    with opened_table(path, LIMITS) as table:
        meant = called(table.names, table.faults)
        only(meant, (IMAGE, LABEL, *CORNERS), (), table.faults, _BOXES_ARE)
        pairs: list[tuple[str, str]] = []
        parts: list[Floats] = [np.empty((0, 4))]
        for batch in table.read([meant[name] for name in CORNERS]):
            pairs += _pairs(batch, meant, table.faults)
            parts.append(corners_of(batch, meant, True, table.faults)[0])
        table.faults.check()
        truth = boxes_of(pairs, np.concatenate(parts), classes, table.faults)
    return truth if blacklist is None else blacklisted(truth, blacklist)


def boxes_of(pairs: Sequence[tuple[str, str]], corners: Floats, classes: Sequence[str], faults: Faults) -> Boxes:
    """The truth that pairs of image and label, and the corners of each, make."""
    items = tuple(sorted({image for image, _ in pairs}))
    names = all_classes({label for _, label in pairs}, classes, faults)
    numbers, of = ({name: at for at, name in enumerate(some)} for some in (items, names))
    image = np.array([numbers[one] for one, _ in pairs], np.int64)
    label = np.array([of[one] for _, one in pairs], np.int64)
    order = np.lexsort([*corners.T[::-1], label, image])
    image, label, corners = image[order], label[order], corners[order]
    sides = corners[:, 2:] - corners[:, :2] + 1
    return Boxes(items, names, image, label, corners, np.zeros(len(image), np.bool_), sides.prod(axis=1))
