"""What features tell of classes: a linear classifier on them, and nearest neighbours. Without PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from holotype.engine import Progress, no_progress
from holotype.errors import RecognitionError
from holotype.recognition.learners import scikit_learn
from holotype.recognition.neighbours import nearest
from holotype.releases.loaders import Samples

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
By = Literal["linear", "knn"]

STRENGTHS: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Inverse strengths of regularisation that are tried. It depends on the number of classes which is best: one that is
right for fifteen may tell nothing among hundreds."""
NEIGHBOURS: Final = (1, 5, 10, 20, 50)
"""Numbers of neighbours that are tried."""
TEMPERATURE: Final = 0.07
_UNTRIED: Final[Mapping[By, str]] = {"linear": "C=0.01", "knn": "k=10"}
"""What is taken where there is nothing to choose by."""
_HELD_OUT: Final = 5
"""Of how many images of a class one is held out, where there are no others to choose a setting by."""
_STEPS: Final = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Features ``(samples, width)`` of samples, and their `labels` ``(samples,)``, places among `classes`, wnids."""

    features: Floats
    labels: Ints
    classes: tuple[str, ...]

    def take(self, rows: Ints) -> Known:
        """Some of them."""
        return replace(self, features=self.features[rows], labels=self.labels[rows])


def known(features: npt.NDArray[np.floating[Any]], samples: Samples, damaged: Iterable[str] = ()) -> Known:
    """Features ``(samples, width)`` with the labels of their samples, without those whose ids are `damaged`.

    Raises `RecognitionError` where there are not as many of both, or a feature is no number.
    """
    if features.ndim != 2 or len(features) != len(samples):
        raise RecognitionError(f"there are {len(samples):,} samples, and features of the shape {features.shape}")
    ids = samples.ids.to_numpy(zero_copy_only=False)
    sound = ~np.isin(ids, list(damaged))
    broken = np.flatnonzero(sound & ~np.isfinite(features).all(axis=1))
    if len(broken):
        raise RecognitionError(f"a feature of {ids[broken[0]]} is no number")
    return Known(
        np.asarray(features[sound], np.float32), np.asarray(samples.labels[sound], np.int64), tuple(samples.classes)
    )


class Probe(Protocol):
    """What tells classes by features."""

    def probabilities(self, features: Floats) -> Floats:
        """The probability of every class, ``(rows, classes)``, of features ``(rows, width)``; 0 for a class that there
        was no image of."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """Multinomial logistic regression on features that were standardised: `weights` ``(present, width)`` and `biases`
    ``(present,)`` of the classes that there were images of, `present`, of `classes` in all."""

    mean: Floats
    scale: Floats
    weights: Floats
    biases: Floats
    present: Ints
    classes: int

    def probabilities(self, features: Floats) -> Floats:
        """See `Probe`."""
        outputs = ((features - self.mean) / self.scale) @ self.weights.T + self.biases
        return _of_all(softmax(outputs, axis=1), self.present, self.classes)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The `count` of `features` ``(samples, width)`` that are nearest by their angle, which vote for their `labels`
    ``(samples,)`` with ``exp(cosine / temperature)`` (Wu et al., CVPR 2018, section 3.4)."""

    features: Floats
    labels: Ints
    classes: int
    count: int
    temperature: float = TEMPERATURE

    def probabilities(self, features: Floats) -> Floats:
        """See `Probe`."""
        near = nearest(features, self.features, self.count)
        votes = np.exp((near.cosine - near.cosine[:, :1]) / self.temperature)
        found = np.zeros((len(features), self.classes), np.float32)
        np.add.at(found, (np.arange(len(features))[:, None], self.labels[near.place]), votes)
        total: Floats = found.sum(axis=1, keepdims=True)
        return found / total


@dataclass(frozen=True, slots=True, eq=False)
class Probed:
    """The `probe` with the best setting, and the share of `val` images that each was right about, `of_settings`."""

    probe: Probe
    setting: str
    of_settings: Mapping[str, float]
    val: int


def probe(
    train: Known,
    val: Known | None = None,
    by: By = "linear",
    shares: npt.NDArray[np.float64] | None = None,
    progress: Progress = no_progress,
) -> Probed:
    """Tell classes by features: with a linear classifier, or by nearest neighbours.

    The setting is the one that is right most often on `val`, and of equals the one that gives the right classes most
    probability. Without `val` every fifth image of each class is held out to choose by, where classes have as
    many; what is given is made of all. With `shares` ``(classes, nodes)`` of a partition, what counts is what its
    classes say of nodes, which are what `val` is labelled by.

    Raises `RecognitionError` where there are not two classes with images, `NotInstalled` without scikit-learn.
    """
    if len(np.unique(train.labels)) < 2:
        raise RecognitionError("there must be images of two classes, to tell them apart")
    fold = np.eye(len(train.classes)) if shares is None else shares
    kept, held = (train, val) if val is not None and len(val.labels) else _held_out(train, fold.argmax(axis=1))
    settings = _settings(by)
    of_settings: dict[str, float] = {}
    right: dict[str, float] = {}
    probes: dict[str, Probe] = {}
    for done, (name, value) in enumerate(settings.items()):
        progress(done, len(settings))
        probes[name] = _made(by, kept, value)
        said = probes[name].probabilities(held.features) @ fold
        of_settings[name] = accuracy(said, held.labels)
        right[name] = float(said[np.arange(len(said)), held.labels].sum())
    progress(len(settings), len(settings))
    best = max(settings, key=lambda name: (of_settings[name], right[name])) if len(held.labels) else _UNTRIED[by]
    chosen = probes[best] if kept is train else _made(by, train, settings[best])
    return Probed(chosen, best, of_settings, len(held.labels))


def accuracy(probabilities: npt.NDArray[np.floating[Any]], labels: Ints) -> float:
    """The share of rows of ``(rows, classes)`` whose likeliest class is the label; NaN for none."""
    return float((probabilities.argmax(axis=1) == labels).mean()) if len(labels) else float("nan")


def linear(train: Known, strength: float) -> Linear:
    """Logistic regression on standardised features with L2 regularisation of the inverse `strength`.

    Raises `NotInstalled` without scikit-learn.
    """
    logistic = scikit_learn("linear_model").LogisticRegression(C=strength, max_iter=_STEPS)
    unconverged = scikit_learn("exceptions").ConvergenceWarning
    mean: Floats = train.features.mean(axis=0)
    spread = train.features.std(axis=0)
    scale: Floats = np.where(spread == 0, 1, spread).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", unconverged)  # after so many steps it has found what it can
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # classes they are, if small
        model = logistic.fit((train.features - mean) / scale, train.labels)
    weights, biases = model.coef_, model.intercept_
    if len(weights) == 1:  # of two classes it has the second's alone
        weights, biases = np.concatenate([-weights, weights]) / 2, np.concatenate([-biases, biases]) / 2
    present = np.asarray(model.classes_, np.int64)
    return Linear(mean, scale, weights.astype(np.float32), biases.astype(np.float32), present, len(train.classes))


def neighbours(train: Known, count: int, temperature: float = TEMPERATURE) -> Neighbours:
    """The `count` nearest by the angle between features."""
    return Neighbours(train.features, train.labels, len(train.classes), count, temperature)


def _settings(by: By) -> dict[str, float]:
    if by == "linear":
        return {f"C={strength:g}": strength for strength in STRENGTHS}
    return {f"k={count}": count for count in NEIGHBOURS}


def _made(by: By, train: Known, value: float) -> Probe:
    return linear(train, value) if by == "linear" else neighbours(train, int(value))


def _held_out(train: Known, node: Ints) -> tuple[Known, Known]:
    """All but every fifth sample of each node, and those, labelled by it; `node` ``(classes,)`` is that of a class."""
    asked = replace(train, labels=node[train.labels])
    number = np.empty(len(asked.labels), np.int64)
    for label in np.unique(asked.labels).tolist():
        rows = np.flatnonzero(asked.labels == label)
        number[rows] = np.arange(len(rows))
    held = number % _HELD_OUT == _HELD_OUT - 1
    return train.take(np.flatnonzero(~held)), asked.take(np.flatnonzero(held))


def _of_all(some: Floats, present: Ints, classes: int) -> Floats:
    found = np.zeros((len(some), classes), np.float32)
    found[:, present] = some
    return found
