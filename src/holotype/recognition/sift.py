"""Local descriptors: SIFT at the points of a grid or at those that it finds, and bags of visual words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from holotype.errors import RecognitionError
from holotype.images.flatten import Pixels
from holotype.recognition.learners import scikit_learn
from holotype.recognition.pictures import within

Descriptors = npt.NDArray[np.float32]
WIDTH: Final = 128
"""Numbers of a descriptor."""
_SMALLEST: Final = 1e-7


@dataclass(frozen=True, slots=True)
class Sift:
    """How pictures are described: Lowe, "Distinctive image features from scale-invariant keypoints" (IJCV 2004), by
    OpenCV.

    The longer side of a picture is made `side` pixels long. With a `step` descriptors are taken upright on a grid of so
    many pixels, from keypoints of `size` pixels, whose windows are six times as wide; with 0 at the points that SIFT
    finds, the `most` strongest, turned as they lie. Larger pictures and not larger keypoints show more: the cost of
    dense ones grows with the square of their size. `root` takes the roots of descriptors whose numbers sum up to 1
    (RootSIFT: Arandjelovic and Zisserman, CVPR 2012, section 3).
    """

    side: int = 200
    step: int = 14
    size: float = 4.0
    most: int = 150
    root: bool = True

    def __post_init__(self) -> None:
        if self.side < 1 or self.step < 0 or self.size <= 0 or self.most < 1:
            raise ValueError("side, size and most must be above 0, and step not below it")

    def describe(self, pixels: Pixels) -> Descriptors:
        """The descriptors of a picture ``(height, width, 3)``: ``(found, 128)``, none where SIFT finds no point."""
        grey: Any = cv2.cvtColor(within(pixels, self.side), cv2.COLOR_RGB2GRAY)
        found: Any
        if self.step:
            _, found = cv2.SIFT.create().compute(grey, grid(len(grey), len(grey[0]), self.step, self.size))
        else:
            _, found = cv2.SIFT.create(nfeatures=self.most).detectAndCompute(grey, None)
        if found is None:
            return np.zeros((0, WIDTH), np.float32)
        described = np.asarray(found, np.float32)
        return rooted(described) if self.root else described


def grid(height: int, width: int, step: int, size: float) -> list[cv2.KeyPoint]:
    """Keypoints of a size, `step` pixels apart, in the middle of a picture; at least one."""
    rows, columns = (((length - 1) % step) // 2 for length in (height, width))
    return [
        cv2.KeyPoint(float(x), float(y), size, 0.0)
        for y in range(rows, height, step)
        for x in range(columns, width, step)
    ]


def rooted(descriptors: Descriptors) -> Descriptors:
    """The roots of descriptors ``(n, 128)`` over their sums, each of length 1; zeros stay zeros."""
    sums = descriptors.sum(axis=1, keepdims=True)
    found: Descriptors = np.sqrt(descriptors / np.maximum(sums, _SMALLEST), dtype=np.float32)
    return found


@dataclass(frozen=True, slots=True)
class BagOfWords:
    """Visual words, the centres of clusters of descriptors: `centres` is ``(words, 128)``.

    Sivic and Zisserman (ICCV 2003), Csurka et al. (ECCV workshop 2004).
    """

    centres: Descriptors

    @staticmethod
    def fit(described: Sequence[Descriptors], words: int = 500, seed: int = 0) -> BagOfWords:
        """So many words of the descriptors of pictures, by k-means in small batches; fewer of fewer descriptors.

        Raises `RecognitionError` where there are no descriptors, `NotInstalled` without scikit-learn.
        """
        every = np.concatenate([np.zeros((0, WIDTH), np.float32), *described])
        if not len(every):
            raise RecognitionError("there is no descriptor to make words of")
        number = min(words, len(every))
        means = scikit_learn("cluster").MiniBatchKMeans(number, random_state=seed, n_init=1, batch_size=4096)
        return BagOfWords(np.asarray(means.fit(every).cluster_centers_, np.float32))

    def transform(self, described: Sequence[Descriptors]) -> npt.NDArray[np.float32]:
        """The roots of the shares of words among the descriptors of pictures, ``(pictures, words)``; zeros for a
        picture without any. Their products are those of Bhattacharyya, which suit linear classifiers."""
        found = np.zeros((len(described), len(self.centres)), np.float32)
        for row, one in enumerate(described):
            if len(one):
                counts = np.bincount(self.nearest(one), minlength=len(self.centres))
                found[row] = np.sqrt(counts / len(one))
        return found

    def nearest(self, descriptors: Descriptors) -> npt.NDArray[np.int64]:
        """The word that each of some descriptors ``(n, 128)`` is nearest to."""
        lengths = np.einsum("ij,ij->i", self.centres, self.centres)
        found: npt.NDArray[Any] = np.argmin(lengths - 2 * descriptors @ self.centres.T, axis=1)
        return found
