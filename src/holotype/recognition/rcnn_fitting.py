"""Fitting the head of R-CNN: linear machines with hard negatives, and box regression (Girshick et al., CVPR 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.engine import Progress, no_progress
from holotype.errors import RecognitionError
from holotype.geometry.values import Floats
from holotype.recognition.box_regression import offsets
from holotype.recognition.learners import scikit_learn
from holotype.recognition.rcnn import RegionHead
from holotype.recognition.regions import KeptRegions, Regions, normal
from holotype.releases.loaders.draws import key_of, uniforms

_MARGIN: Final = -1.0
"""Background with a larger score lies within the margin of a machine, or on the wrong side."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """How the head is fitted. Regions that overlap a true box by `positive` or more are of its class (1: true boxes
    alone, as in the paper, section 2.3), those that overlap none by `negative` are background. `cost` is C of the
    linear machines; `ridge` the regularisation of box regression, learned from regions that overlap a true box by
    `near` (appendix C).

    `pool` regions are background for all classes at first; then each class gets the `hard` regions that it takes most
    for its own, once (section 2.3: one round is enough), and so many positives, and regions for regression, at most.
    """

    positive: float = 0.7
    negative: float = 0.3
    cost: float = 3e-3
    near: float = 0.4
    ridge: float = 1000.0
    pool: int = 20_000
    hard: int = 5_000
    seed: int = 0


def fit_head(regions: KeptRegions, fitting: Fitting = Fitting(), progress: Progress = no_progress) -> RegionHead:
    """The head of R-CNN that tells the classes of described regions apart, and moves their boxes.

    It is the same for the same regions. In memory are the features, of two bytes, of the `pool` and of what each class
    has of its own.

    Raises `RecognitionError` where a class has no region of its own, or no background, or where no image
    is a sound picture.
    """
    classes, passes = regions.images.classes, 2 * len(regions.parts)
    gathered = _Gathered(classes, fitting)
    for done, some in enumerate(regions.read(fitting.negative), 1):
        gathered.add(some)
        progress(done, passes)
    if not gathered.seen:
        raise RecognitionError("none of the images is a sound picture")
    weights, biases = gathered.machines()
    if gathered.seen > fitting.pool:
        for done, some in enumerate(regions.read(fitting.negative), 1):
            gathered.add_hard(some, normal(some.features) @ weights + biases)
            progress(len(regions.parts) + done, passes)
        weights, biases = gathered.machines()
    progress(passes, passes)
    return RegionHead(classes, weights, biases, gathered.shifts())


class _Gathered:
    """What is learned from, of all regions."""

    def __init__(self, classes: Sequence[str], fitting: Fitting) -> None:
        self._classes, self._fitting = classes, fitting
        self._pool = _Largest(fitting.pool)
        self._own, self._near, self._hard = ([_Largest(fitting.hard) for _ in classes] for _ in range(3))
        self.seen = self._seen_again = 0

    def add(self, some: Regions) -> None:
        """Take regions in: those that come first by a draw, where there are too many."""
        fitting, numbers = self._fitting, self.seen + np.arange(len(some.number))
        self.seen += len(numbers)
        drawn = uniforms(key_of(fitting.seed), numbers, 1)[:, 0]
        self._pool.add(drawn, some.features, some.background, numbers)
        for label in range(len(self._classes)):
            overlap = some.overlap[:, label]
            own = overlap >= fitting.positive
            self._own[label].add(drawn[own] + some.given[own], some.features[own])
            near = overlap >= fitting.near
            by = offsets(some.corners[near], some.nearest[near, label])
            self._near[label].add(drawn[near], some.features[near], by)

    def add_hard(self, some: Regions, scores: Floats) -> None:
        """Take in, for each class, the background that it takes most for its own, and that is not in the pool."""
        numbers = self._seen_again + np.arange(len(some.number))
        self._seen_again += len(numbers)
        new = ~np.isin(numbers, self._pool.columns[2])
        for label in range(len(self._classes)):
            hard = new & some.background[:, label] & (scores[:, label] > _MARGIN)
            self._hard[label].add(scores[hard, label], some.features[hard])

    def machines(self) -> tuple[Floats, Floats]:
        """The weights ``(width, classes)`` and biases ``(classes,)`` of a machine for each class."""
        found = [self._machine(label) for label in range(len(self._classes))]
        return np.stack([weights for weights, _ in found], axis=1), np.array([bias for _, bias in found])

    def _machine(self, label: int) -> tuple[Floats, float]:
        features, background, _ = self._pool.columns
        negatives = [features[background[:, label]], *self._hard[label].columns]
        own, others = self._own[label].columns[0], np.concatenate(negatives)
        if not len(own) or not len(others):
            what = "no background" if len(own) else "no region of its own"
            raise RecognitionError(f"{self._classes[label]} has {what}, which it could be told from others by")
        rows = normal(np.concatenate([own, others]))
        machine = scikit_learn("svm").LinearSVC(C=self._fitting.cost, random_state=0, max_iter=20_000)
        machine.fit(rows, np.arange(len(rows)) < len(own))
        return machine.coef_[0], float(machine.intercept_[0])

    def shifts(self) -> Floats:
        """What moves boxes, ``(width + 1, classes, 4)``."""
        ridge = scikit_learn("linear_model").Ridge(alpha=self._fitting.ridge)
        found = []
        for near in self._near:
            features, by = near.columns
            fitted = ridge.fit(normal(features), by)
            found.append(np.concatenate([fitted.coef_.T, fitted.intercept_[None]]))
        return np.stack(found, axis=1)


class _Largest:
    """The rows of some columns whose key is largest, at most so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._key: Floats = np.zeros(0)
        self.columns: tuple[npt.NDArray[Any], ...] = ()

    def add(self, key: Floats, *columns: npt.NDArray[Any]) -> None:
        """Take rows in, and let those go that are too many."""
        held = self.columns or tuple(column[:0] for column in columns)
        keys = np.concatenate([self._key, key])
        kept = np.sort(np.argsort(-keys, kind="stable")[: self._most])
        self._key = keys[kept]
        self.columns = tuple(np.concatenate(both)[kept] for both in zip(held, columns, strict=True))
