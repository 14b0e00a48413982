"""The first application of ImageNet: which synset an image shows, by nearest neighbours and no training.

Deng, Dong, Socher, Li, Li and Fei-Fei, "ImageNet: a large-scale hierarchical image database" (CVPR 2009), section 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from holotype.errors import RecognitionError
from holotype.images.flatten import Pixels
from holotype.ontology import Ontology
from holotype.recognition.nbnn import NBNN, pictures_of_classes, rank_scores
from holotype.recognition.nearest import SIDE, NearestVoting
from holotype.recognition.pictures import Looked, look_at, squeezed
from holotype.recognition.report.applied import Applied
from holotype.recognition.sift import Sift
from holotype.recognition.stages import Stages, no_stages
from holotype.recognition.targets import Targets, recognized, targets_of
from holotype.releases.loaders import Samples

NN_VOTING: Final = "nn-voting"
NBNN_NAME: Final = "nbnn"
ALL: Final = 0
"""In the place of a number of images of a class: all that there are."""


@dataclass(frozen=True, slots=True)
class Voting:
    """How tiny pictures vote: see `holotype.recognition.nearest.NearestVoting`."""

    neighbours: int = 100
    normalised: bool = True


@dataclass(frozen=True, slots=True)
class Comparing:
    """How descriptors are compared: see `holotype.recognition.nbnn.NBNN`; once with each of the numbers `per_class` of
    images that a class has at most, `ALL` or more."""

    sift: Sift = field(default_factory=Sift)
    per_class: tuple[int, ...] = (ALL,)
    probes: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.per_class or min(self.per_class) < 0 or (self.probes is not None and self.probes < 1):
            raise ValueError("give numbers of images of a class, 0 for all, and 1 probe or more")


def nn_voting(
    pools: Mapping[str, Samples],
    tests: Samples,
    ontology: Ontology,
    wnids: Sequence[str] = (),
    voting: Voting = Voting(),
    source: Mapping[str, Any] | None = None,
    progress: Stages = no_stages,
) -> Applied:
    """How well the nearest pictures of each of some `pools` tell which targets test images show: the score is how many
    of them are of the target's subtree.

    A pool of images as they were found, before anybody said what they show, is what the paper calls noisy; one of those
    that are labelled yes is clean. Images of a pool that are test images too, by their ids, do not vote; damaged ones
    are left out. Where a pool has no more images than may vote, all vote on every test image, and the AUC is 0.5.
    Targets are synsets, or else the classes of test images.

    Raises `RecognitionError` where there is nothing to vote, or nothing to tell apart.
    """
    merged = tests.merged()
    targets = targets_of(tests, ontology, wnids)
    tiny = partial(squeezed, side=SIDE)
    asked = look_at(merged, tiny, progress=partial(progress, "images"))
    _refuse_none(asked, "test image")
    shown = targets.shown(merged)[asked.numbers]
    scores, figures = {}, _figures(asked, targets)
    blind = []
    for name, whole in pools.items():
        pool = apart_from(whole, tests)
        held = look_at(pool, tiny, progress=partial(progress, f"{name} images"))
        _refuse_none(held, f"image of {name}")
        labels = pool.labels[held.numbers]
        nearest = NearestVoting(
            _stacked(held), labels, len(pool.classes), voting.neighbours, normalised=voting.normalised
        )
        votes = nearest.votes(_stacked(asked), partial(progress, f"{name} votes"))
        scores[name] = votes @ targets.members(pool.classes).T.astype(np.int64)
        figures |= {f"images that vote ({name})": len(held.seen), f"damaged ({name})": len(held.damaged)}
        if len(held.seen) <= voting.neighbours:
            blind.append(f" With {name} all {len(held.seen):,} vote on every picture, which tells nothing apart.")
    mean, classes = recognized(targets, shown, scores)
    about = (
        f"Each test image is shrunk to {SIDE} x {SIDE} pixels, and the {voting.neighbours} pictures that are nearest "
        "to it, pixel by pixel, vote for what they show." + "".join(blind)
    )
    return Applied(NN_VOTING, about, {**(source or {}), **asdict(voting)}, figures, mean, classes)


def nbnn(
    train: Samples,
    tests: Samples,
    ontology: Ontology,
    wnids: Sequence[str] = (),
    comparing: Comparing = Comparing(),
    source: Mapping[str, Any] | None = None,
    progress: Stages = no_stages,
) -> Applied:
    """How well naive-Bayes nearest neighbours tell which targets test images show: the score is minus the least rank
    among classes, by their distance, of any class of the target's subtree.

    Training images that are test images too, by their ids, are left out, and so are damaged ones. Targets are synsets,
    or else the classes of test images. All descriptors are held in memory, 85 kB an image.

    Raises `RecognitionError` where there is nothing to compare with, or nothing to tell apart, and `NotInstalled` where
    faiss is asked for and not there.
    """
    merged, train = tests.merged(), apart_from(train, tests)
    targets = targets_of(tests, ontology, wnids)
    most = [one or None for one in comparing.per_class]
    drawn = pictures_of_classes(train.labels, len(train.classes), _largest(most), comparing.seed)
    train = train.take(np.sort(drawn))
    describe = comparing.sift.describe
    asked = look_at(merged, describe, progress=partial(progress, "images"))
    _refuse_none(asked, "test image")
    held = look_at(train, describe, progress=partial(progress, "training images"))
    _refuse_none(held, "training image")
    members, labels = targets.members(train.classes), train.labels[held.numbers]
    scores, figures = {}, _figures(asked, targets)
    for one in most:
        name = "NBNN" if one is None else f"NBNN-{one}"
        model = NBNN.fit(held.seen, labels, len(train.classes), one, comparing.seed, comparing.probes)
        scores[name] = rank_scores(model.distances(asked.seen, partial(progress, name)), members)
        figures[f"descriptors ({name})"] = len(model.held)
    figures |= {"training images": len(held.seen), "damaged training images": len(held.damaged)}
    mean, classes = recognized(targets, targets.shown(merged)[asked.numbers], scores)
    about = (
        "Each test image is described by SIFT at many points, and compared with each class by how near the nearest "
        "descriptors of the class are; the rank of a class among all is its score."
    )
    settings = {**(source or {}), **asdict(comparing)}
    return Applied(NBNN_NAME, about, settings, figures, mean, classes)


def apart_from(samples: Samples, others: Samples) -> Samples:
    """Samples but for those of images, by their ids, that others are of, too."""
    return samples.take(np.flatnonzero(~pc.is_in(samples.ids, others.ids).to_numpy(zero_copy_only=False)))


def _largest(most: Sequence[int | None]) -> int | None:
    return None if None in most else max(one for one in most if one is not None)


def _figures(asked: Looked[Any], targets: Targets) -> dict[str, float]:
    return {
        "test images": len(asked.seen),
        "damaged test images": len(asked.damaged),
        "targets": len(targets),
    }


def _stacked(looked: Looked[Pixels]) -> Pixels:
    return np.stack(looked.seen)


def _refuse_none(looked: Looked[Any], what: str) -> None:
    """Raises `RecognitionError` where nothing was seen."""
    if not looked.seen:
        lost = f": {len(looked.damaged):,} are damaged" if looked.damaged else ""
        raise RecognitionError(f"there is no sound {what}{lost}")
