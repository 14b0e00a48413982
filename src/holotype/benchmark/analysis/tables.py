"""All tables by parts of a submission: by its truth's boxes and labels, and by tables of properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from holotype.benchmark.analysis import placed
from holotype.benchmark.analysis.binning import counted, fifths
from holotype.benchmark.analysis.parts import Draws, PartTable, Row, by_factors, by_parts
from holotype.benchmark.analysis.properties import CLASSES, IMAGES, Properties
from holotype.benchmark.analysis.subjects import AP, class_means, classes_of, item_means
from holotype.benchmark.detection.rules import SIZES, Detected, by_size
from holotype.benchmark.judged import Judged, Means
from holotype.benchmark.localisation import chance
from holotype.benchmark.values import Bools, Boxes, Detections, Floats, Labels

ITEMS = "items"
_OVER_IMAGES = "Means over images; images are drawn."
_OVER_CLASSES = "Means over classes; classes are drawn."


def tables(
    truth: Any,
    submission: Any,
    judged: Judged,
    properties: Sequence[Properties] = (),
    draws: Draws | None = None,
    boxes: Boxes | None = None,
) -> list[PartTable]:
    """Metrics by number of labels, number and size of boxes, chance of localisation, and by each property, as far as
    truth and metrics let them be told; tables in which there is but one part are left out.

    Boxes are those of the truth, or of images whose classes alone are asked for, `boxes` that are known of them.
    """
    draws = draws or Draws()
    own = getattr(truth, "boxes", truth)
    boxes = own if isinstance(own, Boxes) else boxes
    items, classes = item_means(judged), class_means(truth, submission, judged)
    found: list[PartTable] = []
    if items is not None:
        found += _by_items(items, _of_items(truth, boxes, items.items), draws)
    if classes is not None and boxes is not None:
        found += _by_classes(classes, _of_classes(boxes, classes.items), draws)
    if isinstance(truth, Boxes) and isinstance(submission, Detections) and isinstance(judged, Detected):
        found.append(_by_size(truth, submission, draws))
    for one in properties:
        means = items if one.unit == IMAGES else classes
        if means is not None:
            found += _by_properties(one, means, draws, _unit(truth, one))
    return [table for table in found if len(table.rows) > 1]


def _by_items(items: Means, parts: Mapping[str, Mapping[str, Bools]], draws: Draws) -> Iterator[PartTable]:
    for title, part in parts.items():
        yield by_parts(title, IMAGES, items, part, draws, _OVER_IMAGES)


def _by_classes(classes: Means, parts: Mapping[str, Mapping[str, Bools]], draws: Draws) -> Iterator[PartTable]:
    for title, part in parts.items():
        yield by_parts(title, CLASSES, classes, part, draws, _OVER_CLASSES)


def _of_items(truth: Any, boxes: Boxes | None, items: Sequence[str]) -> dict[str, dict[str, Bools]]:
    found = {}
    if isinstance(truth, Labels):
        labels = np.bincount(truth.image, minlength=len(truth.items))
        found["labels an image"] = counted(labels, (1, 2, 3, 4))
    if boxes is not None:
        number = placed.aligned(placed.boxes_per_image(boxes), boxes.items, items)
        size = placed.aligned(placed.of_images(boxes, placed.scales(boxes)), boxes.items, items)
        found["boxes an image"] = counted(number, (1, 2, 3, 6, 11))
        found[_scale(boxes, "an image")] = fifths(size, boxes.sizes is not None)
    return found


def _of_classes(boxes: Boxes, classes: Sequence[str]) -> dict[str, dict[str, Bools]]:
    size, number, chances = (
        placed.aligned(values, boxes.classes, classes)
        for values in (placed.of_classes(boxes, placed.scales(boxes)), placed.instances(boxes), chance(boxes))
    )
    return {
        _scale(boxes, "a class"): fifths(size, boxes.sizes is not None),
        "boxes of a class in an image that has one": fifths(np.round(number, 2)),
        "chance of localisation of a class": fifths(chances, True),
    }


def _scale(truth: Boxes, of: str) -> str:
    what = "share of the image that a box takes" if truth.sizes is not None else "side of boxes in pixels"
    return f"{what}, mean of {of}"


def _by_size(truth: Boxes, submission: Detections, draws: Draws) -> PartTable:
    """The mean AP of objects of each size, where classes are drawn."""
    rows: list[Row] = []
    for name, found in by_size(truth, submission).items():
        low, high = SIZES[name]
        bounds = f"from {low**0.5:.0f}²" if high == float("inf") else f"to {high**0.5:.0f}²"
        rows += by_parts(
            "", CLASSES, _precisions(truth, found), {f"{name} ({bounds} pixels)": ~np.isnan(found)}, draws
        ).rows
    about = f"{_OVER_CLASSES} A class without objects of a size is not in its row. ILSVRC's rule, sizes of COCO."
    return PartTable("size of objects", CLASSES, (AP,), tuple(rows), about)


def _precisions(truth: Boxes, found: Floats) -> Means:
    return Means(truth.classes, (AP,), found[:, None])


def _unit(truth: Any, said: Properties) -> str:
    """What a table tells the properties of: "classes", "images", or "items" of a task that is none of images."""
    return said.unit if said.unit == CLASSES or len(classes_of(truth)) else ITEMS


def _by_properties(said: Properties, means: Means, draws: Draws, unit: str) -> Iterator[PartTable]:
    flags = said.flags if unit != CLASSES else {}
    about = f"Means over {unit}; {unit} are drawn."
    if flags and means.metrics[0].better == "lower":
        yield by_factors(f"factors of {unit}", unit, means, flags, said.flagged, draws, about)
    elif flags:
        yield by_parts(f"factors of {unit}", unit, means, flags, draws, about)
    for name in said.columns:
        if name not in flags:
            yield by_parts(name, unit, means, said.parts(name), draws, about)
