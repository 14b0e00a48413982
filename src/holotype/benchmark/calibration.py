"""Calibration: whether the scores of a submission, as probabilities, say how often it is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.classification import missed
from holotype.benchmark.judged import Floats, Metric
from holotype.benchmark.values import Guesses, Ints, Labels

BINS: Final = 15
ECE: Final = Metric(
    "expected calibration error",
    "lower",
    f"mean distance of confidence and accuracy over {BINS} bins of equal width, weighted by their images "
    "(Guo et al., ICML 2017)",
)
_ROWS: Final = 256
_SUM: Final = 1e-2


@dataclass(frozen=True, slots=True)
class Bin:
    """The images whose confidence is above `low` and not above `high`: how many `images`, their mean `confidence` and
    their `accuracy`, NaN where there are none."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How sure a submission was of its first guesses ``(items,)``, and whether they are `right` (1 or 0); NaN in both
    for an item that does not count."""

    items: Sequence[str]
    confidence: Floats
    right: Floats

    @property
    def metrics(self) -> Sequence[Metric]:
        """What is measured."""
        return (ECE,)

    def measure(self, weights: Floats) -> Floats:
        """The expected calibration error, ``(rows, 1)``: the sum over bins of the share of items in it times the
        distance of their mean confidence and accuracy. Source: Guo et al., On Calibration of Modern Neural Networks,
        ICML 2017, equation 3."""
        counted = ~np.isnan(self.right)
        weights = weights[:, counted]
        gaps = np.zeros((int(counted.sum()), BINS))
        gaps[np.arange(len(gaps)), bin_of(self.confidence[counted])] = (self.right - self.confidence)[counted]
        with np.errstate(invalid="ignore"):
            return np.asarray(np.abs(weights @ gaps).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True))

    def bins(self) -> list[Bin]:
        """What a reliability diagram shows (Guo et al. 2017, section 2)."""
        counted = ~np.isnan(self.right)
        number = bin_of(self.confidence[counted])
        images = np.bincount(number, minlength=BINS)
        with np.errstate(invalid="ignore"):
            confidence, accuracy = (
                np.bincount(number, column[counted], BINS) / images for column in (self.confidence, self.right)
            )
        return [
            Bin(at / BINS, (at + 1) / BINS, int(images[at]), float(confidence[at]), float(accuracy[at]))
            for at in range(BINS)
        ]


def bin_of(confidence: Floats) -> Ints:
    """The bin of each confidence: above its lower edge, and not above its upper one.

    >>> bin_of(np.array([0, 1e-9, 1 / 15, 0.5, 1])).tolist()
    [0, 0, 0, 7, 14]
    """
    edges = np.arange(1, BINS) / BINS
    return np.searchsorted(edges, confidence, side="left").astype(np.int64)


def calibration(truth: Labels, guesses: Guesses) -> Calibration:
    """How sure a submission with scores was of its first guess, and whether it is one of the labels.

    Where there are no scores nothing counts.
    """
    unknown = np.full(len(truth.items), np.nan)
    if guesses.scores is None:
        return Calibration(truth.items, unknown, unknown)
    hits = np.bincount(truth.image, ~missed(truth, guesses)[:, 0], minlength=len(truth.items))
    labels = np.bincount(truth.image, minlength=len(truth.items))
    right = np.where(labels > 0, hits > 0, np.nan)
    return Calibration(truth.items, confidences(guesses.scores), right)


def are_probabilities(scores: npt.NDArray[np.float32]) -> bool:
    """Whether no score is negative and those of every item sum to 1, to what three digits leave of it."""
    return bool(scores.size and scores.min() >= 0 and np.abs(scores.sum(axis=1) - 1).max() <= _SUM)


def confidences(scores: npt.NDArray[np.float32]) -> Floats:
    """The highest probability of each item ``(items,)``: of `scores` where they are probabilities, else of their
    softmax."""
    if are_probabilities(scores):
        return np.asarray(np.minimum(scores.max(axis=1), 1), np.float64)
    found = np.empty(len(scores))
    for start in range(0, len(scores), _ROWS):
        rows = scores[start : start + _ROWS]
        above = rows - rows.max(axis=1, keepdims=True)
        found[start : start + _ROWS] = 1 / np.exp(above).sum(axis=1, dtype=np.float64)
    return found
