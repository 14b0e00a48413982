"""The applications of the first ImageNet paper: nearest neighbours that vote, and classifiers on every level of the
hierarchy. Learned from the training images, among which settings were chosen in two halves, and reported on the
validation images; the networks have seen the former."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from holotype.errors import NotInstalled
from holotype.ontology import Ontology, load_wordnet
from holotype.recognition.described import Describe, Described, by_gradients, by_words
from holotype.recognition.heights import INDEPENDENT, TREE_MAX, tree_max
from holotype.recognition.report.applied import Applied
from holotype.recognition.tree_max import ESTIMATORS, Schooling
from holotype.recognition.voting import Comparing, nbnn, nn_voting
from holotype.releases.loaders import Samples
from real_images import coarsely, images

LEAST = 15
"""Classes of fewer validation images are not measured."""
NOISE = 0.6
"""The share of training images whose labels are shuffled, in the place of images that nobody has cleaned."""


def rows() -> Iterator[tuple[str, str]]:
    """Areas under the curves of scores, on the 500 validation images."""
    ontology = load_wordnet()
    yield from _neighbours(coarsely(images("train"), ontology), coarsely(images("val"), ontology), ontology)
    for name, describe in (("gradients", by_gradients), ("300 visual words", by_words())):
        yield _by_height(name, "logistic", ontology, describe)
    described = _once(_network())
    for estimator in ESTIMATORS:
        yield _by_height("Lite0", estimator, ontology, described)


def _neighbours(train: Samples, tests: Samples, ontology: Ontology) -> Iterator[tuple[str, str]]:
    targets = [tests.classes[one] for one in np.flatnonzero(np.bincount(tests.labels) >= LEAST)]
    told = f"AUC, mean of {len(targets)} coarse classes, {len(train)} images for {len(tests)}"
    voted = nn_voting({"NN-voting + clean": train, "NN-voting + noisy": _noisy(train)}, tests, ontology, targets)
    compared = nbnn(train, tests, ontology, targets, Comparing(per_class=(0, 20, 10)))
    for one in (*compared.mean, *voted.mean):
        yield f"{one.method}: {told}", f"{one.auc:.3f}"
    try:
        near = nbnn(train, tests, ontology, targets, Comparing(probes=8))
    except NotInstalled as error:
        yield "NBNN in 8 cells of near descriptors", f"left out: {error}"
        return
    yield "NBNN in 8 cells of near descriptors, the same", f"{near.mean[0].auc:.3f}"


def _noisy(train: Samples) -> Samples:
    random = np.random.default_rng(0)
    labels = train.labels.copy()
    wrong = random.random(len(labels)) < NOISE
    labels[wrong] = random.permutation(labels[wrong])
    return replace(train, labels=labels)


def _by_height(name: str, estimator: Any, ontology: Ontology, describe: Describe) -> tuple[str, str]:
    found = tree_max(images("train"), images("val"), ontology, describe, Schooling(estimator))
    return f"tree-max, {name}, {estimator}: AUC by height from 0 (independent)", _heights(found)


def _heights(found: Applied) -> str:
    return " ".join(f"{one.aucs[TREE_MAX]:.3f}({one.aucs[INDEPENDENT]:.3f})" for one in found.heights)


def _network() -> Describe:
    from holotype.recognition.networks.describing import by_network
    from holotype.recognition.networks.models import PRETRAINED, create_model

    return by_network(create_model("efficientnet_lite0", weights=PRETRAINED))


def _once(describe: Describe) -> Describe:
    """Describes the same images once."""
    held: list[tuple[Described, Described]] = []

    def again(train: Samples, tests: Samples, progress: Any) -> tuple[Described, Described]:
        if not held:
            held.append(describe(train, tests, progress))
        return held[0]

    return again


if __name__ == "__main__":
    for what, figure in rows():
        print(f"{what:<90} {figure}", flush=True)
