"""Naive-Bayes nearest neighbour: classes compared with a picture by its local descriptors alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from holotype.engine import Progress, no_progress
from holotype.errors import NotInstalled, RecognitionError
from holotype.recognition.sift import WIDTH, Descriptors

Floats = npt.NDArray[np.float64]
_ASKED: Final = 1_024
_HELD: Final = 16_384
_PER_CELL: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class NBNN:
    """The descriptors of each class: class ``c`` has ``held[starts[c]:starts[c + 1]]`` of `held` ``(n, 128)``.

    Boiman, Shechtman and Irani, "In defense of nearest-neighbor based image classification" (CVPR 2008). The distance
    of a picture to a class is the sum over its descriptors of the squared distance to the nearest of the class. That is
    exact and compares everything with everything; with `probes` a descriptor is compared with those in so many near
    cells of its class alone, by faiss, which finds distances somewhat too large, in far less time where classes
    have many descriptors.
    """

    held: Descriptors
    starts: npt.NDArray[np.int64]
    probes: int | None = None

    @staticmethod
    def fit(
        described: Sequence[Descriptors],
        labels: npt.NDArray[Any],
        classes: int,
        max_per_class: int | None = None,
        seed: int = 0,
        probes: int | None = None,
    ) -> NBNN:
        """Of pictures, each with its descriptors and its class; of each class at most so many pictures, drawn at random
        (Deng et al., CVPR 2009, section 4.1, have 100). A picture of 165 descriptors takes 85 kB.

        Raises `RecognitionError` where no picture has a descriptor.
        """
        kept = pictures_of_classes(labels, classes, max_per_class, seed)
        held = np.concatenate([np.zeros((0, WIDTH), np.float32), *(described[one] for one in kept.tolist())])
        if not len(held):
            raise RecognitionError("there is no descriptor to compare with")
        counts = np.bincount(labels[kept], [len(described[one]) for one in kept.tolist()], classes)
        return NBNN(held, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), probes)

    @property
    def classes(self) -> int:
        """How many classes there are, with descriptors or without."""
        return len(self.starts) - 1

    def distances(self, described: Sequence[Descriptors], progress: Progress = no_progress) -> Floats:
        """The distance of each picture to each class, ``(pictures, classes)``: 0 for a picture without descriptors, and
        infinite for a class without. Raises `NotInstalled` where faiss is asked for and not there."""
        found = np.zeros((len(described), self.classes))
        look_up = self._exactly if self.probes is None else self._in_cells(self.probes)
        done = 0
        progress(0, len(described))
        for pictures in _packed(described):
            rows = np.concatenate([described[one] for one in pictures])
            sizes = [len(described[one]) for one in pictures]
            if len(rows):
                of = np.repeat(pictures, sizes)
                np.add.at(found, of, look_up(rows))
            done += len(pictures)
            progress(done, len(described))
        return found

    def _exactly(self, rows: Descriptors) -> Floats:
        """The squared distance of each row ``(m, 128)`` to the nearest descriptor of each class, ``(m, classes)``."""
        nearest = np.full((len(rows), self.classes), np.inf)
        for at in range(0, len(self.held), _HELD):
            held = self.held[at : at + _HELD]
            stops = np.clip(self.starts - at, 0, len(held))
            here = np.flatnonzero(np.diff(stops) > 0)
            far = np.einsum("ij,ij->i", held, held) / 2 - rows @ held.T
            least = np.minimum.reduceat(far, stops[here], axis=1)
            nearest[:, here] = np.minimum(nearest[:, here], least)
        lengths = np.einsum("ij,ij->i", rows, rows)[:, None]
        return np.asarray(np.maximum(lengths + 2 * nearest, 0), np.float64)

    def _in_cells(self, probes: int) -> Any:
        indexes = [self._index(number, probes) for number in range(self.classes)]

        def look_up(rows: Descriptors) -> Floats:
            nearest = np.full((len(rows), self.classes), np.inf)
            for number, index in enumerate(indexes):
                if index is not None:
                    nearest[:, number] = index.search(rows, 1)[0][:, 0]
            return nearest

        return look_up

    def _index(self, number: int, probes: int) -> Any:
        """The descriptors of a class in as many cells as the root of their number; None where it has none."""
        try:
            faiss = import_module("faiss")
        except ImportError as error:
            raise NotInstalled("faiss", "neighbours", str(error)) from error
        held = self.held[self.starts[number] : self.starts[number + 1]]
        if not len(held):
            return None
        cells = max(1, int(len(held) ** 0.5))
        index = faiss.IndexIVFFlat(faiss.IndexFlatL2(WIDTH), WIDTH, cells)
        index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, _PER_CELL
        index.nprobe = min(probes, cells)
        index.train(held)
        index.add(held)
        return index


def pictures_of_classes(
    labels: npt.NDArray[Any], classes: int, most: int | None = None, seed: int = 0
) -> npt.NDArray[np.int64]:
    """The numbers of the pictures by class, of each class all or at most so many at random, ascending in each. Those of
    a larger number hold those of a smaller one."""
    random = np.random.default_rng(seed)
    drawn = (random.permutation(np.flatnonzero(labels == one)) for one in range(classes))
    return np.concatenate([np.zeros(0, np.int64), *(np.sort(mine[:most]) for mine in drawn)])


def rank_scores(distances: Floats, members: npt.NDArray[np.bool_]) -> Floats:
    """Minus the least rank (1: the nearest) that any class of a target has for each picture, ``(pictures, targets)``:
    `distances` are ``(pictures, classes)``, `members` ``(targets, classes)`` says which classes are of a target.

    As in Deng et al. (CVPR 2009, section 4.1): ranks can be compared between pictures, and distances cannot. Classes
    that are as near share their mean rank.

    >>> rank_scores(np.array([[3.0, 1.0, 2.0]]), np.array([[True, False, True], [False, True, False]])).tolist()
    [[-2.0, -1.0]]
    """
    ranks = rankdata(distances, axis=1)
    scores = np.full((len(distances), len(members)), -np.inf)
    for number, member in enumerate(members):
        if member.any():
            scores[:, number] = -ranks[:, member].min(axis=1)
    return scores


def _packed(described: Sequence[Descriptors]) -> Iterator[list[int]]:
    """The numbers of pictures in parts of about `_ASKED` descriptors."""
    part: list[int] = []
    size = 0
    for number, one in enumerate(described):
        part.append(number)
        size += len(one)
        if size >= _ASKED:
            yield part
            part, size = [], 0
    if part:
        yield part
