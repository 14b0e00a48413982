"""Masks in COCO's files: instances as a truth, results as a submission, their outlines as run lengths or polygons."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.benchmark.reading.coco import read_annotations
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.forms import JSON, form_of
from holotype.benchmark.reading.json_text import JsonText, elements
from holotype.benchmark.reading.limits import LIMITS, Limits
from holotype.benchmark.reading.unpacking import opened
from holotype.benchmark.segmentation import Outlined, Segments, segments
from holotype.benchmark.values import Boxes, Ints
from holotype.geometry.masks import Masks
from holotype.geometry.outlines import Size, outline

_HIGHEST: Final = 1e300


def read_outlines(path: Path) -> Outlined:
    """The objects with their outlines in an ``instances_*.json`` of COCO.

    Outlines are run lengths, as numbers or as text, or polygons. Raises `PredictionError` naming the annotations at
    fault.
    """
    with opened(path, LIMITS) as source:
        faults = Faults(source.where, "annotation")
        boxes, annotations = read_annotations(source.file, faults)
        sizes = _sizes(boxes)
        runs: list[Ints] = []
        found: list[Size] = []
        for place, (image, one) in enumerate(zip(boxes.image.tolist(), annotations, strict=True), 1):
            try:
                size, given = outline(one.get("segmentation"), sizes.get(image))
            except ValueError as error:
                faults.add(place, str(error))
            else:
                runs.append(given)
                found.append(sizes.setdefault(image, size))
        faults.check()
        return Outlined(boxes, Masks.of(runs, found))


def read_segments(path: Path, truth: Outlined, limits: Limits = LIMITS) -> Segments:
    """The masks in an array of results, each with ``image_id``, ``category_id``, ``segmentation`` and ``score``; a
    category is called by its number in the truth's file, or by the name of the class.

    An image without a row has none. Raises `PredictionError` naming the rows at fault, and for an image with more rows
    than are allowed.
    """
    with opened(path, limits) as source:
        faults = Faults(source.where, "row")
        if not source.head().strip():
            return _segments([])
        if form_of(source) != JSON:
            faults.stop("is no JSON: masks are an array of results as COCO's")
        images = {name: at for at, name in enumerate(truth.boxes.items)}
        sizes = _sizes(truth.boxes)
        sizes |= dict(zip(truth.boxes.image.tolist(), map(_pair, truth.masks.size.tolist()), strict=True))
        rows: list[Row] = []
        for number, one in enumerate(elements(JsonText(source.file, faults)), 1):
            if number > limits.rows:
                faults.stop(f"has more than the {limits.rows:,} rows allowed")
            try:
                rows.append(_row(one, images, truth.boxes, sizes))
            except ValueError as error:
                faults.add(number, str(error))
        faults.check()
        counts = np.bincount([row[0] for row in rows], minlength=1)
        if counts.max() > limits.per_item:
            most = truth.boxes.items[int(counts.argmax())]
            faults.stop(f"image {said(most)} has {counts.max():,} rows, {limits.per_item:,} are allowed")
        return _segments(rows)


Row = tuple[int, int, float, Size, Ints]
"""Image, class, score, and the size and runs of a mask."""


def _segments(rows: list[Row]) -> Segments:
    image, label = np.array([row[:2] for row in rows], np.int64).reshape(-1, 2).T
    score = np.array([row[2] for row in rows], np.float64)
    return segments(image, label, score, Masks.of([row[4] for row in rows], [row[3] for row in rows]))


def _sizes(boxes: Boxes) -> dict[int, Size]:
    """Height and width of each image, where they are known."""
    sizes = [] if boxes.sizes is None else boxes.sizes.tolist()
    return {at: (height, width) for at, (width, height) in enumerate(sizes)}


def _pair(size: list[int]) -> Size:
    return size[0], size[1]


def _row(one: Any, images: Mapping[str, int], truth: Boxes, sizes: dict[int, Size]) -> Row:
    numbers, classes = truth.numbers, truth.classes
    if not isinstance(one, dict):
        raise ValueError(f"an object was expected, not {said(one)}")
    image, label, score = one.get("image_id"), one.get("category_id"), one.get("score")
    if type(image) not in (int, str) or str(image) not in images:
        raise ValueError(f"unknown image {said(image)}")
    if type(label) is str and label in classes:
        label = numbers[classes.index(label)]
    elif type(label) is not int or label not in numbers:
        raise ValueError(f"unknown category {said(label)}")
    if not isinstance(score, (int, float)) or isinstance(score, bool) or abs(score) > _HIGHEST:
        raise ValueError(f"the score is not a finite number: {said(score)}")
    place = images[str(image)]
    size, runs = outline(one.get("segmentation"), sizes.get(place))
    return place, numbers.index(label), float(score) + 0.0, sizes.setdefault(place, size), runs
