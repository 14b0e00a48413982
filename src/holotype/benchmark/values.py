"""Truths and submissions as columns, after they were read. Readers check; what is here is sound.

Items are images by their ids, sorted, classes by their names (wnids where there are such); both are numbered from 0 by
their place. Corners of boxes are left, top, right and bottom edge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MISSING: Final = -1
"""The number of no class: a guess that was not made."""


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """What a wrong class costs: `cost` ``(classes, classes)`` is the height of the lowest common ancestor in the whole
    of an ontology (`Ontology.cost_matrix`), `digest` that of the ontology, or of the costs themselves. `parent`
    ``(classes,)`` is the class that is next above each, `MISSING` where none is, or None where none is above any."""

    cost: npt.NDArray[np.integer[Any]]
    digest: str
    parent: Ints | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """True classes as pairs: number of the `image` and of the `label`, ``(pairs,)`` each, sorted, each once.

    An image may have several; one that has none leaves every denominator (ReaL)."""

    items: tuple[str, ...]
    classes: tuple[str, ...]
    image: Ints
    label: Ints
    hierarchy: Hierarchy | None = None
    numbers: tuple[int, ...] = ()
    """The number of each class in the truth's own file, by which submissions may call it, if there are such."""


@dataclass(frozen=True, slots=True, eq=False)
class Guesses:
    """Guessed classes ``(items, guesses)``, best first, `MISSING` where there is none; nothing follows a `MISSING`.

    `scores` ``(items, classes)`` are the logits or probabilities they came from, where there were any. `repeated` is
    how many guesses say a class again, which only wastes them; `tied` how many items have equal scores at a place where
    it matters, which go to the class that is first by name. `remarks` are what a reader of the scores should know."""

    guesses: Ints
    scores: npt.NDArray[np.float32] | None = None
    repeated: int = 0
    tied: int = 0
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """True boxes, ``(boxes,)`` each: number of the `image` and of the `label`, `corners` ``(boxes, 4)``; of detection
    also which are `crowd` (COCO's ``iscrowd``, VOC's difficult) and the `area` that sorts them by size.

    `ignored` are pairs of image and label ``(pairs, 2)`` that are not scored (ILSVRC's blacklist of detection), and
    `unplaced` the images ``(images,)`` that are not scored for places (its blacklist of localisation). With `inclusive`
    corners are pixels, the last of which belongs to the box."""

    items: tuple[str, ...]
    classes: tuple[str, ...]
    image: Ints
    label: Ints
    corners: Floats
    crowd: Bools
    area: Floats
    ignored: Ints = field(default_factory=lambda: np.empty((0, 2), np.int64))
    unplaced: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    inclusive: bool = True
    sizes: Ints | None = None
    """Width and height of each item ``(items, 2)``, where they are known."""
    numbers: tuple[int, ...] = ()
    """The number of each class in the truth's own file, by which submissions may call it, if there are such."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Guesses ``(items, guesses)`` as of `Guesses`, and where each is, `corners` ``(items, guesses, 4)``. `remarks` are
    what a reader of the scores should know."""

    guesses: Ints
    corners: Floats
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Boxes that a submission says, ``(boxes,)`` each, in an order that follows from what they say alone: by class,
    falling score, image, and corners. `remarks` are what a reader of the scores should know."""

    image: Ints
    label: Ints
    score: Floats
    corners: Floats
    remarks: tuple[str, ...] = ()
