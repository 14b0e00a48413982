"""Detectors, and what they find in many pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from holotype.engine import Progress, no_progress
from holotype.geometry.values import Ints
from holotype.images.flatten import Pixels
from holotype.recognition.detections import Detected, Found
from holotype.recognition.kept_parts import Arrays, KeptParts
from holotype.recognition.pictures import looked_at
from holotype.recognition.relabelling import once
from holotype.releases.loaders import Damaged, Samples

MOST: Final = 100
"""Detections that are kept of a picture, the surest: as many as COCO scores; ILSVRC has no bound."""
EACH: Final = 32
"""Pictures whose detections are kept together."""
NOBODY: Final[Mapping[str, Any]] = {}
_NONE: Final[Arrays] = {
    "image": np.zeros(0, np.int64),
    "label": np.zeros(0, np.int64),
    "score": np.zeros(0),
    "corners": np.zeros((0, 4)),
}


class Detector(Protocol):
    """What detects objects of `classes`, wnids in class order."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The wnids that labels are indices of."""
        ...

    def looked(self, pixels: Pixels) -> Any:
        """What `found` needs of a picture ``(height, width, 3)``: asked for ahead, by many threads."""
        ...

    def found(self, looked: Any) -> Found:
        """The objects in a picture, by what `looked` made of it."""
        ...


def detect(
    detector: Detector,
    samples: Samples,
    most: int = MOST,
    kept: Path | None = None,
    identity: Mapping[str, Any] = NOBODY,
    progress: Progress = no_progress,
) -> Detected:
    """What a detector finds in samples, each image once, at most the `most` surest objects of each.

    With a folder `kept`, what is found is kept there as it comes: killed, it loses some pictures, and goes on with the
    others, where its `identity`, of the detector, is the same; else `OtherRun` is raised.
    """
    each = once(samples)
    make = partial(_found_in, detector, each, most)
    if kept is None:
        found = []
        for first in range(0, len(each), EACH):
            progress(first, len(each))
            found.append(make(np.arange(first, min(first + EACH, len(each)))))
        progress(len(each), len(each))
        return _together(found, each, detector.classes)
    parts = KeptParts(kept, len(each), EACH)
    told = {"samples": each.digest(), "classes": list(detector.classes), "most": most}
    parts.make(make, {**identity, **told}, progress)
    return _together(list(parts), each, detector.classes)


def _found_in(detector: Detector, samples: Samples, most: int, numbers: Ints) -> Arrays:
    image, parts, damaged = [], [], []
    for number, looked in looked_at(samples, numbers.tolist(), detector.looked):
        if isinstance(looked, Damaged):
            damaged.append((str(number), looked.id, looked.reason, looked.detail))
            continue
        found = detector.found(looked).surest(most)
        image.append(np.full(len(found.label), number))
        parts.append(found)
    return {
        "image": np.concatenate([_NONE["image"], *image]),
        "label": np.concatenate([_NONE["label"], *(part.label for part in parts)]),
        "score": np.concatenate([_NONE["score"], *(part.score for part in parts)]),
        "corners": np.concatenate([_NONE["corners"], *(part.corners for part in parts)]),
        "damaged": np.array(damaged, np.str_).reshape(-1, 4),
    }


def _together(parts: Sequence[Arrays], samples: Samples, classes: tuple[str, ...]) -> Detected:
    image, label, score, corners = (
        np.concatenate([_NONE[name], *(part[name] for part in parts)])
        for name in ("image", "label", "score", "corners")
    )
    damaged = tuple(Damaged(int(number), *told) for part in parts for number, *told in part["damaged"].tolist())
    return Detected(tuple(samples.ids.to_pylist()), classes, image, label, score, corners, damaged)
