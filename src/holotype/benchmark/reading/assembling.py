"""Making a truth of what its file says: items and classes sorted and numbered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from holotype.benchmark.orders import order as class_order
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.values import Bools, Boxes, Floats, Ints, Labels
from holotype.errors import PredictionError

Pair = tuple[str, str]
"""The id of an image, and a label of it: "" for none."""
_DEVKIT: Final = 1000


def named_by(numbers: Sequence[int], classes: Sequence[str], order: str, ilsvrc: bool, faults: Faults) -> list[str]:
    """The classes that numbers of a devkit mean: 1, 2, 3 ... are `classes`, or those of an `order`; else, if `ilsvrc`,
    those of ILSVRC2012's devkit. Else numbers are the names of their classes."""
    if classes:
        names: Sequence[str] = ["", *classes]
    elif order:
        names = class_order(order).wnids
    elif ilsvrc and max(numbers, default=0) <= _DEVKIT:
        names = class_order("devkit").wnids
    else:
        names = [str(number) for number in range(max(numbers, default=0) + 1)]
    wrong = next((number for number in numbers if not (0 <= number < len(names) and names[number])), None)
    if wrong is not None:
        faults.stop(f"{wrong} is no number of a class")
    return [names[number] for number in numbers]


def labels_of(
    items: Iterable[str], pairs: Iterable[Pair], classes: Sequence[str], faults: Faults, numbered: Sequence[str] = ()
) -> Labels:
    """The truth that pairs of image and label make; `items` are all images. `numbered` are the classes that the numbers
    1, 2, 3 ... of the file mean, where there are such and they have no other orders."""
    told = sorted({pair for pair in pairs if pair[1]})
    names = all_classes({label for _, label in told}, classes, faults)
    images = tuple(sorted({*items, *(image for image, _ in told)}))
    numbers, of = _places(images), _places(names)
    image = np.array([numbers[one] for one, _ in told], np.int64)
    label = np.array([of[one] for _, one in told], np.int64)
    order = np.lexsort([label, image])
    return Labels(images, names, image[order], label[order], numbers=class_numbers(names, numbered))


def boxes_of(
    items: Iterable[str],
    pairs: Sequence[Pair],
    corners: Floats,
    classes: Sequence[str],
    faults: Faults,
    numbered: Sequence[str] = (),
    crowd: Bools | None = None,
) -> Boxes:
    """The truth that pairs of image and label, and the corners of each, make: see `labels_of`."""
    names = all_classes({label for _, label in pairs}, classes, faults)
    images = tuple(sorted({*items, *(image for image, _ in pairs)}))
    numbers, of = _places(images), _places(names)
    image = np.array([numbers[one] for one, _ in pairs], np.int64)
    label = np.array([of[one] for _, one in pairs], np.int64)
    crowds = np.zeros(len(image), np.bool_) if crowd is None else crowd
    order = np.lexsort([crowds, *corners.T[::-1], label, image])
    area = (corners[:, 2:] - corners[:, :2] + 1).prod(axis=1)
    return Boxes(
        images,
        names,
        image[order],
        label[order],
        corners[order],
        crowds[order],
        area[order],
        numbers=class_numbers(names, numbered),
    )


def _places(names: Sequence[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(names)}


def all_classes(labels: set[str], classes: Sequence[str], faults: Faults) -> tuple[str, ...]:
    """The classes of a truth with these labels: those given; else ILSVRC2012's, where all labels are of it; else the
    labels. Raises `PredictionError` for a label that is none of those given."""
    if classes:
        if strange := sorted(labels.difference(classes)):
            faults.stop(f"the label {said(strange[0])} is none of the {len(classes):,} classes")
        return tuple(sorted(set(classes) - {""}))
    ilsvrc = class_order("sorted").wnids
    return ilsvrc if labels and labels <= set(ilsvrc) else tuple(sorted(labels))


def class_numbers(names: Sequence[str], numbered: Sequence[str]) -> tuple[int, ...]:
    """The number of each class where 1, 2, 3 ... mean these; none for ILSVRC2012's, which have several orders."""
    if not numbered or set(names) <= set(class_order("sorted").wnids):
        return ()
    of = {name: number for number, name in enumerate(numbered, 1)}
    return tuple(of[name] for name in names)


def in_order(label: str, order: str) -> str:
    """The class that a label is, which may be a number in an order. Raises `PredictionError`."""
    if not order or not (label.isascii() and label.isdecimal()):
        return label
    wnids = class_order(order).wnids
    if len(label) > 6 or int(label) >= len(wnids) or not wnids[int(label)]:
        raise PredictionError(f"{said(label)} is no class in order {order}")
    return wnids[int(label)]


def labels_of_boxes(boxes: Boxes) -> Labels:
    """The classes that the boxes of each image show."""
    pairs: Ints = np.unique(np.stack([boxes.image, boxes.label], axis=1), axis=0)
    return Labels(boxes.items, boxes.classes, pairs[:, 0].copy(), pairs[:, 1].copy(), numbers=boxes.numbers)
