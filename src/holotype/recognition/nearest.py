"""Recognition by the nearest tiny pictures, each of which votes for what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.engine import Progress, no_progress
from holotype.errors import RecognitionError
from holotype.images.flatten import Pixels

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.float32]
SIDE: Final = 32
"""Pixels of a side of a tiny picture."""
_ASKED: Final = 256
_HELD: Final = 4_096
_FLAT: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class NearestVoting:
    """Votes of the `neighbours` nearest of some pictures ``(n, side, side, 3)`` uint8, by the sum of squared
    differences of their pixels; picture ``i`` votes for the class ``labels[i]`` of so many `classes`.

    Torralba, Fergus and Freeman, "80 million tiny images" (PAMI 2008, section 4), as Deng et al. (CVPR 2009, section
    4.1) do it. `normalised` pictures are compared after their mean is taken from each and their length made 1, as the
    former do, so that light and contrast matter less.

    >>> black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    >>> voting = NearestVoting(np.stack([black, black, white]), np.array([0, 0, 1]), 2, neighbours=2, normalised=False)
    >>> voting.votes(np.stack([black, white])).tolist()
    [[2, 0], [1, 1]]
    """

    pictures: Pixels
    labels: npt.NDArray[Any]
    classes: int
    neighbours: int = 100
    normalised: bool = True

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ValueError("a vote needs a neighbour")
        if not len(self.pictures):
            raise RecognitionError("there is no picture that could vote")

    def votes(self, asked: Pixels, progress: Progress = no_progress) -> Ints:
        """The votes on pictures ``(m, side, side, 3)``, ``(m, classes)``: each row sums up to the neighbours that there
        are. Exact; of pictures that are equally near, earlier ones go first."""
        found = np.zeros((len(asked), self.classes), np.int64)
        progress(0, len(asked))
        for at in range(0, len(asked), _ASKED):
            near = self._nearest(self._rows(asked[at : at + _ASKED]))
            rows = np.repeat(np.arange(at, at + len(near)), near.shape[1])
            np.add.at(found, (rows, self.labels[near].ravel()), 1)
            progress(at + len(near), len(asked))
        return found

    def _nearest(self, rows: Rows) -> Ints:
        """The places of the nearest pictures to each row; a block of pictures is compared at a time."""
        place, distance = np.zeros((len(rows), 0), np.int64), np.zeros((len(rows), 0), np.float32)
        for at in range(0, len(self.pictures), _HELD):
            held = self._rows(self.pictures[at : at + _HELD])
            here = np.broadcast_to(np.arange(at, at + len(held)), (len(rows), len(held)))
            far = np.einsum("ij,ij->i", held, held) - 2 * rows @ held.T
            place, distance = np.concatenate([place, here], axis=1), np.concatenate([distance, far], axis=1)
            order = np.argsort(distance, axis=1, kind="stable")[:, : self.neighbours]
            place, distance = np.take_along_axis(place, order, 1), np.take_along_axis(distance, order, 1)
        return place

    def _rows(self, pictures: Pixels) -> Rows:
        rows = pictures.reshape(len(pictures), -1).astype(np.float32)
        rows /= 255
        if self.normalised:
            rows -= rows.mean(axis=1, keepdims=True)
            length = np.linalg.norm(rows, axis=1, keepdims=True)
            np.divide(rows, length, out=rows, where=length > _FLAT)
        return rows
