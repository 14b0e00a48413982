"""The truths in ILSVRC's devkits: lines of class numbers, and MATLAB's files of boxes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.benchmark.reading.assembling import boxes_of, labels_of, named_by
from holotype.benchmark.reading.devkit import split
from holotype.benchmark.reading.faults import Faults
from holotype.benchmark.reading.numbers import floats
from holotype.benchmark.reading.tables import Table, cells_of
from holotype.benchmark.reading.vocabularies import DET_METAS, METAS, beside, loaded, mat_bytes
from holotype.benchmark.values import Boxes, Floats, Labels
from holotype.files import printable

_YEAR: Final = re.compile(r"ILSVRC(20[0-9]{2})_")
_OWN: Final = ("2010", "2011")
"""Years that had images of their own; those of later ones are ILSVRC2012's."""
_LOCALISATION, _DETECTION = "rec", ("gt_img_ids", "gt_obj_labels", "gt_obj_bboxes")


def validation_id(place: int, file: str) -> str:
    """The id of a validation image by its place, from 1, in a file called so.

    >>> validation_id(7, "ILSVRC2014_clsloc_validation_ground_truth.txt")
    'ILSVRC2012_val_00000007'
    """
    year = found[1] if (found := _YEAR.match(file)) else ""
    return f"ILSVRC{year if year in _OWN else '2012'}_val_{place:08d}"


def read_lines_of_labels(table: Table, path: Path, classes: Sequence[str], order: str) -> Labels:
    """The truth in lines of class numbers, the first of which is for the first validation image."""
    faults = table.faults
    items: list[str] = []
    owners: list[str] = []
    numbers: list[int] = []
    for batch in table.read(()):
        lengths, cells = split(cells_of(batch, table.names[1], faults))
        values, bad = floats(cells)
        bad |= (values != np.floor(values)) | (values < 0) | (values > 1e6)
        rows = np.repeat(batch.rows, lengths)
        faults.mark(rows, bad, lambda at, cells=cells: f"no number of a class: {cells[at].as_py()[:20]!r}")  # type: ignore[misc]
        first = len(items)
        items += [validation_id(first + place, path.name) for place in range(1, len(lengths) + 1)]
        kept = ~bad & (values != 0)  # 0 fills rows of several labels up
        owners += [items[first + at] for at in np.repeat(np.arange(len(lengths)), lengths)[kept].tolist()]
        numbers += values[kept].astype(np.int64).tolist()
    faults.check()
    told = tuple(classes) or (() if order else beside(path, METAS))
    names = named_by(numbers, told, order, _is_ilsvrc2012(path.name), faults)
    numbered = told or (() if order else _digits(names))
    return labels_of(items, zip(owners, names, strict=True), told, faults, numbered)


def _is_ilsvrc2012(file: str) -> bool:
    found = _YEAR.match(file)
    return found is not None and found[1] not in _OWN


def _digits(names: Sequence[str]) -> tuple[str, ...]:
    """The names 1, 2, 3 ... up to the largest, where names are numbers."""
    if not all(name.isdecimal() for name in names):
        return ()
    return tuple(str(number) for number in range(1, max(map(int, names), default=0) + 1))


def read_mat_boxes(path: Path, classes: Sequence[str]) -> Boxes:
    """The boxes in the devkit's ``.mat`` of localisation (``rec``) or detection (``gt_obj_bboxes``)."""
    where = printable(path)
    faults = Faults(where, "image")
    found = loaded(mat_bytes(path), [_LOCALISATION, *_DETECTION], where)
    if _LOCALISATION in found:
        told = tuple(classes) or beside(path, METAS)
        labels, corners = _localisation(found[_LOCALISATION], faults)
        ids = [validation_id(place, path.name) for place in range(1, len(labels) + 1)]
    elif all(name in found for name in _DETECTION):
        told = tuple(classes) or beside(path, DET_METAS)
        numbers, labels, corners = _detection(found, faults)
        ids = [f"{number:08d}" for number in numbers]
    else:
        faults.stop(f"has neither {_LOCALISATION} nor {', '.join(_DETECTION)}: it is no truth of a devkit")
    sizes = [len(one) for one in labels]
    owners = [image for image, size in zip(ids, sizes, strict=True) for _ in range(size)]
    flat = [int(one) for some in labels for one in some]
    names = named_by(flat, told, "", _LOCALISATION in found, faults)
    boxes = np.concatenate([np.empty((0, 4)), *corners])
    bad = ~np.isfinite(boxes).all(axis=1) | (boxes[:, 2:] < boxes[:, :2]).any(axis=1)
    faults.mark(
        np.repeat(np.arange(1, len(ids) + 1), sizes), bad, lambda at: f"a box ends before it begins: {boxes[at]}"
    )
    faults.check()
    return boxes_of(ids, list(zip(owners, names, strict=True)), boxes, told, faults, told or _digits(names))


def _localisation(rec: Any, faults: Faults) -> tuple[list[Floats], list[Floats]]:
    labels, corners = [], []
    try:
        for one in np.atleast_1d(rec):
            objects = np.atleast_1d(one["objects"][()] if one["objects"].ndim == 0 else one["objects"])
            labels.append(np.array([float(each["label"]) for each in objects]))
            corners.append(
                np.array([np.asarray(each["bbox"], np.float64).reshape(4) for each in objects]).reshape(-1, 4)
            )
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        faults.stop(f"image {len(labels) + 1} has no label and bbox of each object: {str(error)[:80]}")
    return labels, corners


def _detection(found: dict[str, Any], faults: Faults) -> tuple[list[int], list[Floats], list[Floats]]:
    labels, corners = [], []
    try:
        numbers = [int(one) for one in np.atleast_1d(found["gt_img_ids"])]
        boxes, names = np.atleast_1d(found["gt_obj_bboxes"]), np.atleast_1d(found["gt_obj_labels"])
        for label, box in zip(names, boxes, strict=True):
            labels.append(np.atleast_1d(np.asarray(label, np.float64)))
            sides = np.asarray(box, np.float64)
            corners.append(sides.reshape(4, -1).T if sides.size else np.empty((0, 4)))
            if len(corners[-1]) != len(labels[-1]):
                raise ValueError("as many labels as boxes were expected")
        if len(numbers) != len(labels) or len(set(numbers)) != len(numbers):
            raise ValueError("the numbers of images are not those of the boxes, or doubled")
    except (TypeError, ValueError, LookupError) as error:
        faults.stop(f"image {len(labels) + 1}: {str(error)[:80]}")
    return numbers, labels, corners
