"""COCO's instances as a truth: crowds too, areas as they are said, and corners between pixels, none of them rounded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import IO, Any, Final

import numpy as np

from holotype.benchmark.detection.overlaps import ordered
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.json_text import strict_json
from holotype.benchmark.values import Boxes, Ints

_HEAD: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"(?:info|images|annotations|categories|licenses)"\s*:\s*[\[{]')
Json = Mapping[str, Any]


def is_coco(head: bytes) -> bool:
    """Whether a file that begins so is one of COCO's instances."""
    return _HEAD.match(head) is not None


def read_coco_boxes(file: IO[bytes], faults: Faults) -> Boxes:
    """The boxes in an ``instances_*.json``: images and classes by their names there, which are numbers of images and
    names of categories. Raises `PredictionError` naming the annotations at fault."""
    boxes, _ = read_annotations(file, faults)
    return ordered(boxes, np.lexsort([boxes.crowd, *boxes.corners.T[::-1], boxes.label, boxes.image]))


def read_annotations(file: IO[bytes], faults: Faults) -> tuple[Boxes, Sequence[Json]]:
    """The boxes in an ``instances_*.json`` and its annotations, in the order of the file."""
    value = strict_json(file.read().removeprefix(b"\xef\xbb\xbf"), faults)
    faults.unit = "annotation"
    try:
        images = {one["id"]: one for one in value["images"]}
        categories = {one["id"]: str(one["name"]) for one in value["categories"]}
        said_of = value["annotations"]
        doubled = len(images) < len(value["images"]) or len(categories) < len(value["categories"])
    except (KeyError, TypeError) as error:
        faults.stop(f"is no file of COCO's instances: it lacks {error}")
    doubled = doubled or len(set(map(str, images))) < len(images)  # 1 and "1" are the same image
    if doubled or len(set(categories.values())) < len(categories) or not all(type(one) is int for one in categories):
        faults.stop("has an image or a category twice, or a category without a number")
    items = tuple(sorted(map(str, images)))
    ids = sorted(categories, key=lambda number: categories[number])
    image_of = dict(zip(sorted(images, key=str), range(len(items)), strict=True))
    label_of = {number: at for at, number in enumerate(ids)}
    rows = [
        row for place, one in enumerate(said_of, 1) if (row := _row(one, image_of, label_of, place, faults)) is not None
    ]
    faults.check()
    table = np.array(rows, np.float64).reshape(-1, 8)
    boxes = Boxes(
        items,
        tuple(categories[number] for number in ids),
        table[:, 0].astype(np.int64),
        table[:, 1].astype(np.int64),
        table[:, 2:6].copy(),
        table[:, 6] > 0,
        table[:, 7].copy(),
        inclusive=False,
        sizes=_sizes([images[one] for one in sorted(images, key=str)]),
        numbers=tuple(ids),
    )
    return boxes, said_of


def _row(
    one: Json, images: Mapping[Any, int], labels: Mapping[Any, int], place: int, faults: Faults
) -> Sequence[float] | None:
    """Item, class, corners, crowd and area of an annotation; None for one that is at fault."""
    try:
        x, y, width, height = one["bbox"]
        numbers = (x, y, width, height, one.get("area", width * height), one.get("iscrowd", 0))
        image, label = one["image_id"], one["category_id"]
    except (KeyError, TypeError, ValueError, AttributeError):
        faults.add(place, "lacks image_id, category_id, or four numbers of bbox")
        return None
    if not isinstance(image, int | str) or not isinstance(label, int) or image not in images or label not in labels:
        faults.add(place, f"unknown image {said(image)} or category {said(label)}")
    elif not all(type(number) in (int, float) and abs(number) < 1e12 for number in numbers) or min(numbers[2:]) < 0:
        faults.add(place, f"its box is none: {said(one['bbox'])}")
    else:
        return images[image], labels[label], x, y, x + width, y + height, numbers[5] > 0, numbers[4]
    return None


def _sizes(images: Sequence[Json]) -> Ints | None:
    sides = [(one.get("width"), one.get("height")) for one in images]
    if all(type(side) is int and abs(side) < 1 << 31 for pair in sides for side in pair):
        return np.array(sides, np.int64).reshape(-1, 2)
    return None
