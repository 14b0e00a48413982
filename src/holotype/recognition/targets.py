"""What images are told apart by: synsets with all that is below them, and how well scores tell them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from holotype.errors import RecognitionError
from holotype.ontology import Ontology
from holotype.recognition.report.applied import Curve, Recognized
from holotype.recognition.roc import Roc, averaged, roc
from holotype.releases.loaders import Samples

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Targets:
    """Synsets that images are, or are not, of: a target has the images of all that is under it."""

    wnids: tuple[str, ...]
    ontology: Ontology

    def __len__(self) -> int:
        return len(self.wnids)

    def members(self, classes: Sequence[str]) -> Flags:
        """Which classes are of a target, ``(targets, classes)``. A class that the ontology does not have is of none."""
        ranks = np.array([self.ontology.rank(one) if one in self.ontology else -1 for one in classes], np.int64)
        found = np.zeros((len(self), len(classes)), np.bool_)
        for row, wnid in enumerate(self.wnids):
            for start, stop in self.ontology.ranges(wnid):
                found[row] |= (ranks >= start) & (ranks < stop)
        return found

    def shown(self, tests: Samples) -> Flags:
        """Which of some images, each once (`Samples.merged`), show a target, ``(images, targets)``."""
        found = np.zeros((len(tests), len(self)), np.bool_)
        for column, member in enumerate(self.members(tests.classes)):
            found[:, column] = labelled(tests, member)
        return found


def labelled(samples: Samples, classes: Flags) -> Flags:
    """Which samples have a label that is one of some `classes` ``(classes,)``, ``(samples,)``."""
    each = classes[samples.labels]
    if samples.starts is None or not len(samples):
        return each
    found: Flags = np.logical_or.reduceat(each, samples.starts[:-1])
    return found


def targets_of(tests: Samples, ontology: Ontology, wnids: Sequence[str] = ()) -> Targets:
    """Some synsets as targets, or else every class that images have. Raises `UnknownSynset`, and `RecognitionError`
    where there is none."""
    wanted = list(dict.fromkeys(wnids)) or [tests.classes[one] for one in np.unique(tests.labels).tolist()]
    if not wanted:
        raise RecognitionError("there are no images to recognise")
    return Targets(tuple(ontology[wnid].wnid for wnid in wanted), ontology)


def recognized(
    targets: Targets, shown: Flags, scores: Mapping[str, npt.NDArray[Any]]
) -> tuple[tuple[Curve, ...], tuple[Recognized, ...]]:
    """How well methods tell images that show a target from those that do not: the mean curves, and those of each
    target, in the targets' order. `shown` and the `scores` of each method are ``(images, targets)``.

    The area of a mean curve is the mean of the targets' areas. Targets that all images show, or none, are left out.
    Raises `RecognitionError` where no other is there.
    """
    count = shown.sum(axis=0)
    told = np.flatnonzero((count > 0) & (count < len(shown))).tolist()
    if not told:
        raise RecognitionError("no target is shown by some of the images and not by others")
    curves = {name: [roc(one[:, place], shown[:, place]) for place in told] for name, one in scores.items()}
    each = [
        Recognized(
            targets.wnids[place],
            targets.ontology[targets.wnids[place]].name,
            int(count[place]),
            len(shown) - int(count[place]),
            tuple(_curve(name, found[at]) for name, found in curves.items()),
        )
        for at, place in enumerate(told)
    ]
    means = tuple(_curve(name, averaged(found), mean_auc(found)) for name, found in curves.items())
    return means, tuple(each)


def mean_auc(curves: Sequence[Roc]) -> float:
    """The mean of the areas below curves."""
    return float(np.mean([one.auc for one in curves]))


def _curve(name: str, found: Roc, auc: float | None = None) -> Curve:
    return Curve.thinned(name, found.auc if auc is None else auc, found.false, found.true)
