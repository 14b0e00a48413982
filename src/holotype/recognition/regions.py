"""Regions of pictures with their features, kept on a disk: describing them is most of the work of R-CNN."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.engine import Progress, no_progress
from holotype.errors import RecognitionError
from holotype.geometry.boxes import iou
from holotype.geometry.values import Bools, Floats, Ints
from holotype.images.flatten import Pixels
from holotype.recognition.boxed import BoxedImages
from holotype.recognition.kept_parts import Arrays, KeptParts
from holotype.recognition.pictures import looked_at
from holotype.releases.loaders import Damaged

Propose = Callable[[Pixels], Floats]
"""Boxes ``(boxes, 4)`` where objects may be, in inclusive pixels of a picture, the likeliest first."""
Describe = Callable[[Pixels, Floats], npt.NDArray[np.float32]]
"""The features of boxes of a picture, ``(boxes, width)``."""

NORM: Final = 30.0
"""The Euclidean length that features are made, so that one cost suits every network."""
EACH: Final = 16
"""Pictures whose regions are kept together."""


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Regions of some images, ``(regions,)`` each: the `number` of the image; which are `given`, the true boxes, others
    are proposals; their `features` ``(regions, width)``, of one length; for each class the most that one overlaps a
    true box of it, `overlap` ``(regions, classes)``, and that box, `nearest` ``(regions, classes, 4)``; and for which
    classes one is `background` ``(regions, classes)``: it may overlap a little."""

    number: Ints
    corners: Floats
    given: Bools
    features: npt.NDArray[np.float16]
    overlap: Floats
    nearest: Floats
    background: Bools


@dataclass(frozen=True, slots=True, eq=False)
class KeptRegions:
    """The regions of `images`, in parts."""

    images: BoxedImages
    parts: KeptParts

    @property
    def damaged(self) -> tuple[Damaged, ...]:
        """The images that are no sound pictures, and have no regions."""
        rows = [row for part in self.parts for row in part["damaged"].tolist()]
        return tuple(Damaged(int(number), *told) for number, *told in rows)

    def read(self, most: float) -> Iterator[Regions]:
        """All regions, some images at a time; those are background that overlap no box of a class by `most` or more."""
        yield from (self._regions(part, most) for part in self.parts if len(part["number"]))

    def _regions(self, part: Arrays, most: float) -> Regions:
        count, classes = len(part["number"]), len(self.images.classes)
        overlap, nearest = np.zeros((count, classes)), np.zeros((count, classes, 4))
        background = np.ones((count, classes), np.bool_)
        for number in np.unique(part["number"]).tolist():
            rows = np.flatnonzero(part["number"] == number)
            instances = self.images.of(number)
            background[rows] = self.images.complete(number)
            found = iou(part["corners"][rows, None], instances.corners[None], inclusive=True)
            for label in np.unique(instances.label).tolist():
                of, sound = instances.label == label, (instances.label == label) & ~instances.crowd
                background[rows, label] &= found[:, of].max(axis=1) < most
                if sound.any():
                    overlap[rows, label] = found[:, sound].max(axis=1)
                    nearest[rows, label] = instances.corners[sound][found[:, sound].argmax(axis=1)]
        return Regions(part["number"], part["corners"], part["given"], part["features"], overlap, nearest, background)


def describe_regions(
    images: BoxedImages,
    propose: Propose,
    describe: Describe,
    folder: Path,
    identity: Mapping[str, Any],
    progress: Progress = no_progress,
) -> KeptRegions:
    """The proposals and the true boxes of images, within their pictures, described and kept in a folder, two bytes a
    feature: ImageNet's half a million images with boxes, of 2,000 proposals and 1,280 features, are 2.6 TB. Stopped, it
    goes on where it was.

    Raises `OtherRun` where the folder holds regions of something else than `identity` says, and `RecognitionError`
    where features are no numbers, or cannot be written.
    """

    def make(numbers: Ints) -> Arrays:
        return _described(images, propose, describe, numbers)

    parts = KeptParts(folder, len(images), EACH)
    told = {"boxes": images.digest(), **identity}
    parts.make(make, told, progress)
    return KeptRegions(images, parts)


def _described(images: BoxedImages, propose: Propose, describe: Describe, numbers: Ints) -> Arrays:
    number, corners, given, features = [], [], [], []
    damaged: list[tuple[str, ...]] = []
    for at, looked in looked_at(images.samples, numbers.tolist(), lambda pixels: (pixels, propose(pixels))):
        if isinstance(looked, Damaged):
            damaged.append((str(at), looked.id, looked.reason, looked.detail))
            continue
        pixels, proposals = looked
        instances = images.of(at)
        last = np.array([pixels.shape[1], pixels.shape[0]] * 2) - 1
        boxes = np.concatenate([np.clip(instances.corners[~instances.crowd], 0, last), proposals])
        number.append(np.full(len(boxes), at))
        corners.append(boxes)
        given.append(np.arange(len(boxes)) < len(boxes) - len(proposals))
        features.append(normal(describe(pixels, boxes)).astype(np.float16))
        if not np.isfinite(features[-1]).all():
            raise RecognitionError(f"what is said of regions of {images.samples.ids[at].as_py()} is no number")
    if not number:
        number, corners, given = [np.zeros(0, np.int64)], [np.zeros((0, 4))], [np.zeros(0, np.bool_)]
        features = [np.zeros((0, 1), np.float16)]
    return {
        "number": np.concatenate(number),
        "corners": np.concatenate(corners),
        "given": np.concatenate(given),
        "features": np.concatenate(features),
        "damaged": np.array(damaged, np.str_).reshape(-1, 4),
    }


def normal(features: npt.NDArray[np.floating]) -> Floats:
    """Features ``(regions, width)`` of length `NORM`."""
    rows = features.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows * np.divide(NORM, lengths, out=np.zeros_like(lengths), where=lengths > 0))
