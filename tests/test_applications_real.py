"""The first paper's applications on real images: learned from 436 of the training sample, asked about 443 of the
validation sample, as fifteen coarse classes. Left out where ../shared/data is not here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from holotype.ontology import Ontology
from holotype.recognition.described import by_words
from holotype.recognition.roc import roc
from holotype.recognition.sift import Sift
from holotype.recognition.stages import no_stages
from holotype.recognition.voting import Comparing, nbnn, nn_voting
from holotype.releases.loaders import Samples
from real_images import coarsely, images

LEAST = 15


@pytest.fixture(scope="module")
def halves(shared: Path, wordnet: Ontology) -> tuple[Samples, Samples]:
    return coarsely(images("train"), wordnet), coarsely(images("val"), wordnet)


def enough(tests: Samples) -> list[str]:
    """The classes with enough images to measure."""
    return [tests.classes[one] for one in np.flatnonzero(np.bincount(tests.labels) >= LEAST)]


def shuffled(samples: Samples, share: float) -> Samples:
    """Samples of which a share has labels of others."""
    random = np.random.default_rng(0)
    labels = samples.labels.copy()
    wrong = random.random(len(labels)) < share
    labels[wrong] = random.permutation(labels[wrong])
    return replace(samples, labels=labels)


def test_descriptors_beat_clean_votes_and_those_beat_noisy_ones(
    halves: tuple[Samples, Samples], wordnet: Ontology
) -> None:
    """The order of Deng et al. (CVPR 2009), figure 8."""
    train, tests = halves
    targets = enough(tests)
    assert len(targets) == 12
    voted = nn_voting({"clean": train, "noisy": shuffled(train, 0.6)}, tests, wordnet, targets)
    compared = nbnn(train, tests, wordnet, targets, Comparing(Sift(side=144, step=16)))
    areas = {one.method: one.auc for one in (*voted.mean, *compared.mean)}
    assert areas["NBNN"] > areas["clean"] + 0.03
    assert areas["clean"] > areas["noisy"] + 0.03
    assert areas["noisy"] > 0.5


def test_visual_words_with_logistic_regression_beat_them_all(halves: tuple[Samples, Samples]) -> None:
    train, tests = halves
    held, asked = by_words()(train, tests, no_stages)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.001)).fit(held.rows, train.labels)
    chances = dict(zip(model.classes_.tolist(), model.predict_proba(asked.rows).T, strict=True))
    areas = [
        roc(chances[tests.classes.index(one)], tests.labels == tests.classes.index(one)).auc for one in enough(tests)
    ]
    assert np.mean(areas) > 0.7
