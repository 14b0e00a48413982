"""Classifiers of synsets, and what a hierarchy adds to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from sklearn.tree import DecisionTreeClassifier

from conftest import small_ontology
from holotype.errors import RecognitionError
from holotype.recognition.described import Describe, Described, by_gradients, by_words
from holotype.recognition.heights import tree_max
from holotype.recognition.sift import Sift
from holotype.recognition.tree_max import ESTIMATORS, Schooling, TreeMax, nodes_of
from holotype.releases.loaders import Samples
from holotype.store.location import TREE as FOLDER
from holotype.store.location import Location
from holotype.store.places import Places
from holotype.store.store import Store
from test_voting import samples as drawn

# 0 is above 1 and 2; 1 above 3 and 4; 2 above 4 and 5; 6 above 5 alone
TREE = small_ontology({0: [], 1: [0], 2: [0], 3: [1], 4: [1, 2], 5: [2, 6], 6: [0]})
NAMES = [f"n0000000{number}" for number in range(7)]
Floats = npt.NDArray[np.float32]


def labelled(labels: list[int], classes: list[str] | None = None) -> Samples:
    """Samples that nobody reads, of the synsets of these numbers."""
    count, zeros = len(labels), np.zeros(len(labels), np.int64)
    places = Places((Location("/nowhere", 0, 0, FOLDER),), zeros.astype(np.int32), zeros, zeros)
    ids = pa.array([f"{one:04}" for one in range(count)], pa.string())
    return Samples(places, Store(Path("/nowhere")), np.array(labels, np.int32), ids, tuple(classes or NAMES))


def features(some: Samples, seed: int = 0, noise: float = 0.1) -> Floats:
    """A number for each synset that says whether an image is of it, more or less."""
    random = np.random.default_rng(seed)
    plain = np.eye(len(some.classes))[some.labels]
    return np.asarray(plain + noise * random.normal(size=plain.shape), np.float32)


def test_nodes_are_synsets_with_enough_images_of_which_no_child_has_all() -> None:
    some = labelled([3] * 4 + [4] * 3 + [5] * 2)
    assert nodes_of(some, TREE, 1) == tuple(NAMES[one] for one in sorted((0, 1, 3, 4, 2, 5), key=rank))
    assert nodes_of(some, TREE, 4) == tuple(NAMES[one] for one in sorted((0, 1, 3, 2), key=rank))
    assert nodes_of(some, TREE, 10) == ()
    assert nodes_of(labelled([0, 1], ["n00000003", "n99999999"]), TREE, 1) == ("n00000003",)


def rank(number: int) -> int:
    return TREE.rank(NAMES[number])


def fitted(some: Samples, **asked: Any) -> TreeMax:
    settings: dict[str, Any] = {"estimator": "logistic", "least": 2}
    return TreeMax.fit(features(some), some, TREE, Schooling(**settings | asked))


def test_scores_are_the_most_of_a_subtree_and_never_less_above() -> None:
    some = labelled([3] * 4 + [4] * 3 + [5] * 2)
    model = fitted(some)
    assert set(model.nodes) == {NAMES[one] for one in (1, 2, 3, 4, 5)}  # 0 has no negatives
    heights = dict(zip(model.nodes, model.heights().tolist(), strict=True))
    assert heights == {NAMES[1]: 1, NAMES[2]: 1, NAMES[3]: 0, NAMES[4]: 0, NAMES[5]: 0}
    alone = np.random.default_rng(0).normal(size=(20, 5))
    found = model.scores(alone)
    place = {name: at for at, name in enumerate(model.nodes)}
    for above, below in ((1, (1, 3, 4)), (2, (2, 4, 5)), (4, (4,))):
        wanted = alone[:, [place[NAMES[one]] for one in below]].max(axis=1)
        assert (found[:, place[NAMES[above]]] == wanted).all()
    assert (found >= alone).all()


def test_heights_are_the_longest_way_down_among_nodes() -> None:
    chain = small_ontology({0: [], 1: [0], 2: [1], 3: [2], 4: [3], 5: [0]})
    some = labelled([1] * 3 + [4] * 3 + [5] * 3, [f"n0000000{one}" for one in range(6)])
    model = TreeMax.fit(features(some), some, chain, Schooling("logistic", 2))
    assert dict(zip(model.nodes, model.heights().tolist(), strict=True)) == {
        "n00000001": 1,
        "n00000004": 0,
        "n00000005": 0,
    }


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_each_classifier_knows_its_subtree(estimator: str) -> None:
    some = labelled([3, 4, 5] * 8)
    model = fitted(some, estimator=estimator)
    other = labelled([3, 4, 5] * 5)
    alone = model.independent(features(other, seed=1))
    for column, node in enumerate(model.nodes):
        shown = np.array([TREE.is_under(NAMES[one], node) for one in other.labels.tolist()])
        assert alone[shown, column].min() > alone[~shown, column].max(), node


class Listening:
    """A classifier that remembers what it was given."""

    def fit(self, rows: Floats, shown: Any, sample_weight: Any) -> Listening:
        self.rows, self.shown, self.weights = rows, shown, sample_weight
        return self

    def decision_function(self, rows: Floats) -> Floats:
        return rows[:, 0]


def test_negatives_are_of_nothing_below_or_above_and_weigh_as_much() -> None:
    some = labelled([0] * 3 + [1] * 3 + [3] * 3 + [4] * 3 + [5] * 4)
    asked = replace(Schooling(Listening, 3), negatives=2)
    model = TreeMax.fit(np.asarray(some.labels[:, None], np.float32), some, TREE, asked)
    given = dict(zip(model.nodes, model.models, strict=True))
    one, four = given[NAMES[1]], given[NAMES[4]]
    assert sorted(one.rows[one.shown, 0].tolist()) == [1] * 3 + [3] * 3 + [4] * 3
    assert one.rows[~one.shown, 0].tolist() == [5] * 2  # not 0, which is above
    assert four.rows[~four.shown, 0].tolist() == [3] * 2 + [5] * 2  # 1 is above it, too
    assert four.weights[four.shown].sum() == pytest.approx(four.weights[~four.shown].sum())
    assert four.weights.mean() == pytest.approx(1)


def test_an_image_with_several_labels_is_no_negative_of_any() -> None:
    some = replace(
        labelled([3, 3, 4, 4, 5, 5, 5]), ids=pa.array(["a", "b", "c", "d", "a", "e", "f"], pa.string())
    ).merged()
    model = TreeMax.fit(np.arange(6, dtype=np.float32)[:, None], some, TREE, Schooling(Listening, 2))
    given = dict(zip(model.nodes, model.models, strict=True))
    assert given[NAMES[3]].rows[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert given[NAMES[5]].rows[given[NAMES[5]].shown, 0].tolist() == [0, 4, 5]
    assert given[NAMES[5]].rows[~given[NAMES[5]].shown, 0].tolist() == [1, 2, 3]


def test_what_cannot_be_learned_is_refused() -> None:
    one_class = labelled([3] * 9)
    with pytest.raises(RecognitionError, match="nothing to learn"):
        fitted(one_class)
    with pytest.raises(RecognitionError, match="nothing to learn"):
        fitted(labelled([3, 4, 5]), least=3)
    alike = labelled([3] * 4 + [5] * 4)
    with pytest.raises(RecognitionError, match="nothing tells images of n0000000"):
        TreeMax.fit(np.zeros((8, 2), np.float32), alike, TREE, Schooling(least=2))
    for wrong in ({"least": 0}, {"negatives": 0}, {"estimator": "forest"}):
        with pytest.raises(ValueError, match="least one image|must be one of"):
            Schooling(**wrong)


def test_any_classifier_of_scikit_learn_will_do() -> None:
    from sklearn.linear_model import SGDClassifier

    some = labelled([3, 4, 5] * 8)
    assert fitted(some, estimator=SGDClassifier).independent(features(some)).shape == (24, 5)
    with pytest.raises(AttributeError):
        fitted(some, estimator=DecisionTreeClassifier).independent(features(some))  # it says no more than yes or no


def known(seed: int = 0, noise: float = 0.8) -> Describe:
    def describe(train: Samples, tests: Samples, progress: Any) -> tuple[Described, Described]:
        progress("training images", 1, 1)
        first, second = (
            Described(np.arange(len(one)), features(one, seed + at, noise), ()) for at, one in enumerate((train, tests))
        )
        return first, second

    return describe


def test_the_application_measures_by_height() -> None:
    train = labelled([3, 4, 5] * 12)
    tests = replace(labelled([3, 4, 5] * 6), ids=pa.array([f"t{one}" for one in range(18)], pa.string()))
    told: list[str] = []
    asked = Schooling("logistic", 4)
    found = tree_max(train, tests, TREE, known(), asked, {"release": "v1"}, lambda stage, *_: told.append(stage))
    assert [(one.height, one.synsets) for one in found.heights] == [(0, 3), (1, 2)]
    for one in found.heights:
        mine = [row for row in found.classes if (row.wnid in NAMES[3:]) == (one.height == 0)]
        for at, method in enumerate(("independent", "tree-max")):
            assert one.aucs[method] == pytest.approx(np.mean([row.curves[at].auc for row in mine]))
    assert found.heights[0].aucs["independent"] == found.heights[0].aucs["tree-max"] > 0.6
    assert found.settings == {"release": "v1", "estimator": "logistic", "least": 4, "negatives": 10, "seed": 0}
    assert found.figures["classifiers"] == 5
    assert list(dict.fromkeys(told)) == ["training images", "classifiers"]
    assert tree_max(train, tests, TREE, known(), asked).value() == tree_max(train, tests, TREE, known(), asked).value()


def test_nothing_to_learn_from_is_refused() -> None:
    train = labelled([3, 4, 5] * 4)
    with pytest.raises(RecognitionError, match="0 images to learn from"):
        tree_max(train, train, TREE, known())
    with pytest.raises(RecognitionError, match="0 to be asked about"):
        tree_max(train, train.take(np.zeros(0, np.int64)), TREE, known())


@pytest.mark.parametrize("kind", ["gradients", "words"])
def test_images_are_described_with_damage_left_out(tmp_path: Path, kind: str) -> None:
    describe = by_gradients if kind == "gradients" else by_words(Sift(100, 10), words=20, learned=10)
    train, tests = drawn(tmp_path / "a", [0, 1, 2] * 5), drawn(tmp_path / "b", [0, 1, 2] * 3, seed=100)
    (tmp_path / "a" / "0002.jpg").write_bytes(b"\xff\xd8".ljust((tmp_path / "a" / "0002.jpg").stat().st_size, b"\0"))
    found = tree_max(train, tests, TREE, describe, Schooling("logistic", 3))
    assert (found.figures["training images"], found.figures["damaged training images"]) == (14, 1)
    assert found.mean[1].auc > 0.9
    for path in (tmp_path / "b").iterdir():
        path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(RecognitionError, match="no sound image: 9 are damaged"):
        tree_max(train, tests, TREE, describe, Schooling("logistic", 3))
