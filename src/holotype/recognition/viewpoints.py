"""Objects that look alike: clusters of what boxes hold, and the average picture of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from holotype.geometry.values import Floats, Ints
from holotype.images.flatten import Pixels
from holotype.recognition.learners import scikit_learn
from holotype.recognition.pictures import squeezed

SIDE: Final = 64
"""Average pictures are so many pixels wide and high."""
COMPARED: Final = 32
"""Objects are compared at so many pixels, as in the paper."""
FEW: Final = 8
"""A viewpoint has so many images in the mean, at least."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Objects that look alike: the `numbers` of their images, the most typical first, and their average ``(64, 64, 3)``
    picture."""

    numbers: Ints
    average: Pixels


def cut(pixels: Pixels, box: Floats) -> Pixels:
    """What a box, in shares, holds of a picture ``(height, width, 3)``, squeezed to ``(64, 64, 3)``."""
    height, width = pixels.shape[:2]
    left, right = (int(one * width) for one in (box[0], box[2]))
    top, bottom = (int(one * height) for one in (box[1], box[3]))
    return squeezed(pixels[top : max(bottom, top + 1), left : max(right, left + 1)], SIDE)


def viewpoints(objects: Sequence[Pixels], most: int = 6, seed: int = 0) -> list[View]:
    """The views of objects that were `cut`, the largest first: at most so many, of few objects fewer.

    Clusters of k-means of grey pictures of 32 x 32 pixels, as in section 4.3 of Deng et al. (CVPR 2009); here each is
    first made of the same brightness and contrast, or light would part what looks alike. Raises `NotInstalled` without
    scikit-learn.
    """
    if not objects:
        return []
    compared = np.stack([_compared(one) for one in objects])
    number = max(1, min(most, len(objects) // FEW, len(np.unique(compared.round(9), axis=0))))
    means = scikit_learn("cluster").KMeans(number, random_state=seed, n_init=4).fit(compared)
    away = np.linalg.norm(compared - means.cluster_centers_[means.labels_], axis=1)
    order = np.lexsort((np.arange(len(objects)), away))
    views = [_view(objects, order[means.labels_[order] == one]) for one in range(number)]
    return sorted((one for one in views if len(one.numbers)), key=lambda one: (-len(one.numbers), int(one.numbers[0])))


def _compared(pixels: Pixels) -> Floats:
    grey = cv2.cvtColor(squeezed(pixels, COMPARED), cv2.COLOR_RGB2GRAY).astype(np.float64).ravel()
    level = grey - grey.mean()
    return np.asarray(level / max(float(np.linalg.norm(level)), 1e-6), np.float64)


def _view(objects: Sequence[Pixels], numbers: npt.NDArray[np.int64]) -> View:
    if not len(numbers):
        return View(numbers, np.zeros((SIDE, SIDE, 3), np.uint8))
    mean = np.mean([objects[one] for one in numbers.tolist()], axis=0)
    return View(numbers, np.rint(mean).astype(np.uint8))
