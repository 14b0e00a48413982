"""Masks in COCO's files: instances as a truth, results as a submission, their outlines as run lengths or polygons."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.benchmark.reading.coco import Json, read_annotations
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.forms import JSON, form_of
from holotype.benchmark.reading.json_text import JsonText, elements
from holotype.benchmark.reading.limits import LIMITS, Limits
from holotype.benchmark.reading.unpacking import opened
from holotype.benchmark.segmentation import Outlined, Segments, segments
from holotype.benchmark.values import Boxes, Ints
from holotype.geometry.masks import Masks, runs_of_polygons, runs_of_text

LARGEST: Final = 1 << 26
"""The most pixels of a mask."""
_HIGHEST: Final = 1e300
_CORNERS: Final = 100_000
"""The most corners of the polygons of a mask."""


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
                size, given = _outline(one.get("segmentation"), sizes.get(image))
            except ValueError as error:
                faults.add(place, str(error))
            else:
                runs.append(given)
                found.append(sizes.setdefault(image, size))
        faults.check()
        return Outlined(boxes, Masks.of(runs, found))


def read_segments(path: Path, truth: Outlined, limits: Limits = LIMITS) -> Segments:
    """The masks in an array of results, each with ``image_id``, ``category_id``, ``segmentation`` and ``score``.

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
                rows.append(_row(one, images, truth.boxes.numbers, sizes))
            except ValueError as error:
                faults.add(number, str(error))
        faults.check()
        counts = np.bincount([row[0] for row in rows], minlength=1)
        if counts.max() > limits.per_item:
            most = truth.boxes.items[int(counts.argmax())]
            faults.stop(f"image {said(most)} has {counts.max():,} rows, {limits.per_item:,} are allowed")
        return _segments(rows)


Size = tuple[int, int]
"""Height and width."""
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


def _row(one: Any, images: Mapping[str, int], numbers: tuple[int, ...], sizes: dict[int, Size]) -> Row:
    if not isinstance(one, dict):
        raise ValueError(f"an object was expected, not {said(one)}")
    image, label, score = one.get("image_id"), one.get("category_id"), one.get("score")
    if type(image) not in (int, str) or str(image) not in images:
        raise ValueError(f"unknown image {said(image)}")
    if type(label) is not int or label not in numbers:
        raise ValueError(f"unknown category {said(label)}")
    if not isinstance(score, (int, float)) or isinstance(score, bool) or abs(score) > _HIGHEST:
        raise ValueError(f"the score is not a finite number: {said(score)}")
    place = images[str(image)]
    size, runs = _outline(one.get("segmentation"), sizes.get(place))
    return place, numbers.index(label), float(score) + 0.0, sizes.setdefault(place, size), runs


def _outline(value: Any, size: Size | None) -> tuple[Size, Ints]:
    """The size and the runs of an outline in an image of a `size`, None where it is not known. Raises ValueError."""
    if isinstance(value, dict):
        return _runs(value, size)
    if not isinstance(value, list):
        raise ValueError(f"no outline: {said(value)}")
    if size is None:
        raise ValueError("a polygon in an image without width and height")
    height, width = _checked(size)
    return size, runs_of_polygons([_polygon(one, max(size)) for one in value], height, width)


def _polygon(value: Any, reach: int) -> list[float]:
    numbers = value if isinstance(value, list) else []
    if len(numbers) < 6 or len(numbers) % 2 or len(numbers) > 2 * _CORNERS:
        raise ValueError(f"no polygon of three corners or more: {said(value)}")
    if not all(type(number) in (int, float) and abs(number) <= 4 * reach + 100 for number in numbers):
        raise ValueError(f"a polygon with a corner far outside of its image: {said(value)}")
    return [float(number) for number in numbers]


def _runs(value: Json, known: Size | None) -> tuple[Size, Ints]:
    given, counts = value.get("size"), value.get("counts")
    if not isinstance(given, list) or len(given) != 2:
        raise ValueError(f"run lengths without their size: {said(given)}")
    size = height, width = _checked((given[0], given[1]))
    if known is not None and known != size:
        raise ValueError(f"a mask of {height} x {width} in an image of {known[0]} x {known[1]}")
    if isinstance(counts, str):
        runs = runs_of_text(counts)
    elif isinstance(counts, list) and all(type(count) is int and abs(count) <= LARGEST for count in counts):
        runs = np.array(counts, np.int64)
    else:
        raise ValueError(f"no run lengths: {said(counts)}")
    if (runs < 0).any() or (runs > LARGEST).any() or runs.sum() != height * width:
        raise ValueError(f"run lengths that do not fill {height} x {width} pixels")
    return size, runs


def _checked(size: tuple[Any, Any]) -> Size:
    if not all(type(side) is int and side > 0 for side in size) or size[0] * size[1] > LARGEST:
        raise ValueError(f"no size of a mask: {said(list(size))}; {LARGEST:,} pixels are allowed")
    return size
