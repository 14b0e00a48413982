"""Pictures as grids of visual words: of shape (SIFT) and of colour (Lab)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from holotype.errors import RecognitionError
from holotype.images.flatten import Pixels
from holotype.recognition.learners import scikit_learn
from holotype.recognition.pictures import within
from holotype.recognition.sift import BagOfWords, rooted

Words = npt.NDArray[np.int16]
_OF_A_PICTURE: Final = 80
"""So many cells of a picture are learned from."""


@dataclass(frozen=True, slots=True)
class Grid:
    """How pictures become cells: the longer side is made `side` pixels long, cells are about `step` pixels wide and
    high, and the keypoint of each is `size` pixels large (its window is six times as wide)."""

    side: int = 240
    step: int = 10
    size: float = 8.0

    def __post_init__(self) -> None:
        if self.side < 1 or self.step < 1 or self.size <= 0:
            raise ValueError("side, step and size must be above 0")


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """The cells of a picture: RootSIFT `shapes` ``(rows, columns, 128)``, and `colours` ``(rows, columns, 6)``, the
    means of Lab in a cell and half its standard deviations."""

    shapes: npt.NDArray[np.float32]
    colours: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The word of shape and of colour of each cell, ``(rows, columns)``, of a picture of so many pixels."""

    shapes: Words
    colours: Words
    width: int
    height: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.shapes.shape[0], self.shapes.shape[1]


def describe(pixels: Pixels, grid: Grid) -> Described:
    """What the cells of a picture ``(height, width, 3)`` look like."""
    small = within(pixels, grid.side)
    rows, columns = (max(1, round(length / grid.step)) for length in small.shape[:2])
    return Described(_shapes(small, rows, columns, grid.size), _colours(small, rows, columns))


def _shapes(pixels: Pixels, rows: int, columns: int, size: float) -> npt.NDArray[np.float32]:
    height, width = pixels.shape[:2]
    points = [
        cv2.KeyPoint((column + 0.5) * width / columns, (row + 0.5) * height / rows, size, 0.0)
        for row in range(rows)
        for column in range(columns)
    ]
    _, found = cv2.SIFT.create().compute(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), points)
    return rooted(np.asarray(found, np.float32)).reshape(rows, columns, -1)


def _colours(pixels: Pixels, rows: int, columns: int) -> npt.NDArray[np.float32]:
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    mean, squares = (cv2.resize(one, (columns, rows), interpolation=cv2.INTER_AREA) for one in (lab, lab * lab))
    deviation = np.sqrt(np.maximum(squares - mean * mean, 0))
    return np.concatenate([mean, deviation / 2], axis=2, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The words of shape and of colour of a kind of grid."""

    grid: Grid
    shapes: BagOfWords
    colours: BagOfWords

    @staticmethod
    def fit(
        described: Sequence[Described], grid: Grid, shapes: int = 300, colours: int = 100, seed: int = 0
    ) -> Vocabulary:
        """So many words of each kind, by k-means of some cells of pictures that were described with the same grid.

        Raises `RecognitionError` where there is no picture, `NotInstalled` without scikit-learn.
        """
        if not described:
            raise RecognitionError("there is no picture to make words of")
        dice = np.random.default_rng(seed)
        chosen = [dice.permutation(one.shapes.shape[0] * one.shapes.shape[1])[:_OF_A_PICTURE] for one in described]
        kinds = ([one.shapes for one in described], shapes), ([one.colours for one in described], colours)
        of_shape, of_colour = (
            _clustered(
                np.concatenate([one.reshape(-1, one.shape[2])[at] for one, at in zip(cells, chosen, strict=True)]),
                words,
                seed,
            )
            for cells, words in kinds
        )
        return Vocabulary(grid, of_shape, of_colour)

    def cells(self, pixels: Pixels) -> Cells:
        """The words of a picture ``(height, width, 3)``."""
        found = describe(pixels, self.grid)
        shapes, colours = (
            bag.nearest(cells.reshape(-1, cells.shape[2])).reshape(cells.shape[:2]).astype(np.int16)
            for bag, cells in ((self.shapes, found.shapes), (self.colours, found.colours))
        )
        return Cells(shapes, colours, pixels.shape[1], pixels.shape[0])


def _clustered(descriptors: npt.NDArray[np.float32], words: int, seed: int) -> BagOfWords:
    means = scikit_learn("cluster").MiniBatchKMeans(
        min(words, len(descriptors)), random_state=seed, n_init=1, batch_size=2048
    )
    return BagOfWords(np.asarray(means.fit(descriptors).cluster_centers_, np.float32))
