"""Errors of classification: what ILSVRC's devkits, ReaL and the papers say they are."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.benchmark.classification import by_class, flat, macro, real
from holotype.benchmark.confusion import Confused, confusion, most_confused
from holotype.benchmark.hierarchical import average, lineage, normalised, raw, semantic, severity, within
from holotype.benchmark.highest import highest
from holotype.benchmark.intervals import draw
from holotype.benchmark.judged import Floats, Judged, Together, by_item, measure_all
from holotype.benchmark.labelled import parents, subtrees, with_hierarchy
from holotype.benchmark.orders import order
from holotype.benchmark.separable import MCNEMAR, compare
from holotype.benchmark.tasks import CLASSIFICATION
from holotype.benchmark.values import MISSING, Guesses, Hierarchy, Ints, Labels
from holotype.ontology import Ontology
from labelled import COST, TREE, guesses, labels, public_models, reassessed, scored, validation


def of(judged: Judged) -> list[float]:
    """The metrics of all items, each once."""
    found: list[float] = judged.measure(np.ones((1, len(judged.items))))[0].tolist()
    return found


def test_the_ilsvrc_2010_demo_is_reproduced(shared: Path) -> None:
    from scipy.io import loadmat

    folder = shared / "ilsvrc/2010"
    cost = loadmat(folder / "meta.mat", squeeze_me=True)["cost_matrix"].astype(np.int64)
    right = np.loadtxt(folder / "ILSVRC2010_validation_ground_truth.txt", dtype=int) - 1
    truth = labels(right.tolist(), Hierarchy(cost, "2010"), 1000)
    said = guesses((np.loadtxt(folder / "demo.val.pred.txt", dtype=int) - 1).tolist())
    assert np.round(of(flat(truth, said)), 4).tolist() == [0.9101, 0.8716, 0.8422, 0.8191, 0.8003]
    hierarchical = np.round(of(raw(truth, Hierarchy(cost, "2010"), said)), 4).tolist()
    assert hierarchical == [10.3468, 8.7489, 7.8510, 7.2221, 6.7695]


FLAT = {
    "alexnet": (56.52, 79.07),
    "resnet18": (69.76, 89.08),
    "vgg16": (71.59, 90.38),
    "resnet50": (76.13, 92.86),
}
"""Top-1 and top-5 accuracy of models of torchvision as its documentation gives them."""
RELABELLED = {"resnet18": 77.29, "vgg16": 79.04, "resnet50": 82.96}
"""Accuracy by ReaL's labels: timm's ``results-imagenet-real.csv`` has .002 more, .011 less and .009 more."""


def test_public_models_have_the_accuracy_that_is_published(shared: Path) -> None:
    truth, relabelled, models = validation(shared), reassessed(shared), public_models(shared)
    for name, figures in FLAT.items():
        errors = of(flat(truth, models[name]))
        assert (round(100 * (1 - errors[0]), 2), round(100 * (1 - errors[4]), 2)) == figures
        balanced = of(macro(truth, models[name]))
        assert balanced == pytest.approx([errors[0], errors[4]]), "the same where every class has 50 images"
    for name, figure in RELABELLED.items():
        assert round(100 * (1 - of(real(relabelled, models[name]))[0]), 2) == figure
    assert len(np.unique(relabelled.image)) == 46_837


def test_hierarchical_errors_of_public_models(shared: Path, wordnet: Ontology) -> None:
    truth, models = validation(shared), public_models(shared)
    tree = Hierarchy(wordnet.cost_matrix(order("sorted").wnids).astype(np.int64), wordnet.digest)
    wanted = {"alexnet": (3.8450, 1.6327, 8.8427), "vgg16": (2.3464, 0.7586, 8.2597)}
    wanted["resnet50"] = (1.9269, 0.5499, 8.0724)
    for name, figures in wanted.items():
        errors = of(raw(truth, tree, models[name]))
        (mistakes,) = of(severity(truth, tree, models[name]))
        assert np.round([errors[0], errors[-1], mistakes], 4).tolist() == pytest.approx(figures, abs=1.01e-4)
        most = tree.cost.max()
        assert of(normalised(truth, tree, models[name])) == pytest.approx([errors[0] / most, errors[4] / most])


def test_missing_guesses_are_wrong_and_cost_the_maximum() -> None:
    said, truth = guesses([[], [1], [3, 0]]), labels([0, 0, 2])
    assert flat(truth, said).values.tolist() == [[1] * 5, [1] * 5, [1] * 5]
    assert raw(truth, TREE, said).values.tolist() == [[9] * 5, [1] * 5, [9, 5, 5, 5, 5]]
    assert average(truth, TREE, said, [1, 2, 3]).values.tolist() == [[9, 9, 9], [1, 5, 19 / 3], [9, 7, 23 / 3]]
    assert severity(truth, TREE, said).values.tolist() == [[9], [1], [9]]


def test_guesses_beyond_the_fifth_are_not_looked_at() -> None:
    truth = labels([5], None, 8)
    six = Guesses(np.array([[0, 1, 2, 3, 4, 5]]))
    assert flat(truth, six).values.tolist() == [[1] * 5]
    assert raw(truth, Hierarchy(1 - np.eye(8, dtype=np.int64), ""), six).values.tolist() == [[1] * 5]


def test_a_class_guessed_again_wastes_its_place() -> None:
    truth = labels([1, 1])
    assert flat(truth, guesses([[0, 0, 0, 0, 0], [0, 0, 0, 0, 1]])).values.sum(axis=1).tolist() == [5, 4]
    assert flat(truth, guesses([[1, 1], [1]])).values.sum() == 0, "and a right one counts once"


def test_an_image_with_several_labels_is_wrong_by_the_share_that_is_missed() -> None:
    several, said = labels([[0, 2], 3, []]), guesses([[0, 1, 2], [0, 1, 2, 3], [0]])
    assert flat(several, said).values[:2].tolist() == [[0.5, 0.5, 0, 0, 0], [1, 1, 1, 0, 0]]
    assert real(several, said).values[:2].tolist() == [[0, 0, 0, 0, 0], [1, 1, 1, 0, 0]]
    assert np.isnan(flat(several, said).values[2]).all()
    assert np.isnan(real(several, said).values[2]).all()
    assert of(real(several, said)) == [0.5, 0.5, 0.5, 0, 0], "an image without labels leaves the denominator"
    assert raw(several, TREE, said).values[0].tolist() == [2.5, 2.5, 0, 0, 0]


def test_real_with_the_original_labels_is_flat_and_more_labels_never_hurt() -> None:
    said = guesses(np.random.default_rng(1).integers(4, size=(60, 5)).tolist())
    right = np.random.default_rng(2).integers(4, size=60).tolist()
    assert (real(labels(right), said).values == flat(labels(right), said).values).all()
    more = labels([sorted({label, (label + at) % 4}) for at, label in enumerate(right)])
    assert (real(more, said).values <= real(labels(right), said).values).all()


def test_classes_without_a_common_ancestor_cost_the_maximum() -> None:
    tree = Hierarchy(np.array([[0, 4, -1], [4, 0, -1], [-1, -1, 0]]), "")
    assert raw(labels([0], tree, 3), tree, guesses([[2, 1, 0]])).values.tolist() == [[4, 4, 0, 0, 0]]


rows = st.lists(st.tuples(st.lists(st.integers(0, 3), max_size=5), st.integers(0, 3)), min_size=1, max_size=12)


@given(rows)
def test_laws_of_the_errors(found: list[tuple[list[int], int]]) -> None:
    said, truth = guesses([row for row, _ in found]), labels([label for _, label in found])
    flat_, tree = flat(truth, said).values, raw(truth, TREE, said).values
    assert (np.diff(flat_, axis=1) <= 0).all(), "a guess more is never worse"
    assert (np.diff(tree, axis=1) <= 0).all()
    assert ((flat_ == 0) == (tree == 0)).all()
    mixed = np.random.default_rng(len(found)).permutation(len(found))
    shuffled = flat(labels([found[at][1] for at in mixed]), guesses([found[at][0] for at in mixed]))
    assert (shuffled.values == flat_[mixed]).all()
    names = np.array([2, 0, 3, 1, MISSING])
    renamed = labels([int(names[label]) for _, label in found])
    assert (flat(renamed, Guesses(names[said.guesses])).values == flat_).all()
    moved = Guesses(said.guesses[:, [0, 4, 3, 2, 1]])
    assert (flat(truth, moved).values[:, [0, 4]] == flat_[:, [0, 4]]).all()


def test_truth_fed_back_is_perfect_and_a_constant_class_is_not() -> None:
    truth = labels(list(range(10)) * 3, Hierarchy(1 - np.eye(10, dtype=np.int64), ""), 10)
    assert of(flat(truth, guesses([[label] for label in truth.label.tolist()]))) == [0] * 5
    assert of(flat(truth, guesses([[7]] * 30))) == [1 - 1 / 10] * 5
    assert of(flat(truth, guesses([[]] * 30))) == [1] * 5


def test_errors_of_two_parts_are_the_weighted_mean_and_of_classes_they_are_not() -> None:
    said = guesses([[0]] * 12)
    truth = labels([0] * 9 + [1, 1, 2])
    first, whole = flat(truth, said), np.ones((1, 12))
    part = np.repeat([[1.0, 0]], [4, 8], axis=1)
    errors = [first.measure(weights)[0, 0] for weights in (part, whole - part, whole)]
    assert errors[2] == pytest.approx((4 * errors[0] + 8 * errors[1]) / 12) == 0.25
    assert of(macro(truth, said)) == [2 / 3, 2 / 3]
    assert by_class(truth, said)["class 001"] == {"images": 2, "top-1 error": 1, "top-5 error": 1}
    assert list(by_class(truth, said)) == ["class 000", "class 001", "class 002"], "a class without images has no error"


def test_macro_errors_count_classes_that_are_drawn_and_all_of_them_at_once() -> None:
    generator = np.random.default_rng(3)
    truth = labels([[0], [1], [0, 2], [], [3], [3], [1]])
    both = [macro(truth, guesses(generator.integers(4, size=(7, 5)).tolist())) for _ in range(2)]
    weights = generator.integers(3, size=(40, 7)).astype(np.float64)
    for row, measured in zip(weights, measure_all(both, weights), strict=True):
        for judged, found in zip(both, measured, strict=True):
            assert found == pytest.approx(plainly(judged.values, judged.item, judged.group, row))
    assert np.isnan(both[0].measure(np.zeros((1, 7)))).all()


def plainly(values: Floats, item: Ints, group: Ints, weights: Floats) -> list[float]:
    """The mean of the means of classes, one by one."""
    means = []
    for number in range(4):
        own = group == number
        total = weights[item[own]].sum()
        if total:
            means.append((weights[item[own], None] * values[own]).sum(axis=0) / total)
    return np.mean(means, axis=0).tolist() if means else [float("nan")] * values.shape[1]


def test_several_judgements_are_measured_and_compared_as_each_alone() -> None:
    generator = np.random.default_rng(4)
    truth = labels(generator.integers(4, size=80).tolist())
    both = [
        Together([flat(truth, said), severity(truth, TREE, said), macro(truth, said)])
        for said in (guesses(generator.integers(4, size=(80, 5)).tolist()) for _ in range(2))
    ]
    drawn = draw(both, 30)
    assert [metric.name for metric in both[0].metrics][5:] == [
        "mistake severity",
        "macro top-1 error",
        "macro top-5 error",
    ]
    alone = draw([judged.parts[1] for judged in both], 30)
    assert (drawn.samples[:, :, 5:6] == alone.samples).all()
    assert compare(both, drawn, 0, 1, 0).test == MCNEMAR
    assert compare(both, drawn, 0, 1, 5).test != MCNEMAR
    wrong, mistakes = by_item(both[0], 0), by_item(both[0], 5)
    assert wrong is not None
    assert mistakes is not None
    assert (np.isnan(mistakes) == (wrong == 0)).all()
    assert by_item(both[0], 6) is None


def test_a_guess_with_a_nearer_common_ancestor_costs_less() -> None:
    assert (COST == COST.T).all()
    for near, far in pairwise([0, 1, 2, 3]):
        assert (
            raw(labels([0]), TREE, guesses([[near]])).values[0, 0]
            < raw(labels([0]), TREE, guesses([[far]])).values[0, 0]
        )


def test_equal_scores_go_to_the_class_that_comes_first_and_are_told() -> None:
    said = scored([[0.5, -1e3, 7, 0.5], [1, 1, 1, 1], [4, 3, 2, 1]])
    assert said.guesses.tolist() == [[2, 0, 3, 1, -1], [0, 1, 2, 3, -1], [0, 1, 2, 3, -1]]
    assert said.tied == 2
    assert of(flat(labels([0, 1, 2, 3] * 5), scored(np.zeros((20, 4)))))[0] == 0.75, "never better than a constant"


@pytest.mark.parametrize(("classes", "kind"), [(1, "f4"), (3, "f8"), (5, "f4"), (6, "f2"), (2_000, "f8")])
def test_the_highest_scores_are_those_of_a_stable_sort(classes: int, kind: str) -> None:
    """Of 2,000 classes not all items are looked at together."""
    scores = np.random.default_rng(classes).integers(6, size=(300, classes)).astype(kind)
    scores[:, 0] += 1e-7
    found, tied = highest(scores)
    wanted = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    assert found[:, : wanted.shape[1]].tolist() == wanted.tolist()
    assert (found[:, wanted.shape[1] :] == MISSING).all()
    ranked = -np.sort(-scores, axis=1)[:, :6]
    assert tied.tolist() == (ranked[:, 1:] == ranked[:, :-1]).any(axis=1).tolist()


def test_distances_beyond_the_guesses_come_from_scores_or_are_not_known() -> None:
    tree = Hierarchy(np.abs(np.subtract.outer(np.arange(8), np.arange(8))), "")
    truth = labels([0], tree, 8)
    said = scored(np.arange(8, 0, -1).reshape(1, 8))
    assert average(truth, tree, said, [1, 5, 7, 9]).values[0, :3].tolist() == [0, 2, 3]
    assert np.isnan(average(truth, tree, said, [9]).values).all()
    assert np.isnan(average(truth, tree, Guesses(said.guesses), [7]).values).all()


def test_semantic_accuracy_compares_the_classes_of_a_level() -> None:
    parent = np.array([MISSING, MISSING, 0, 0, 1, 4])  # 0 > 2, 3; 1 > 4 > 5
    assert lineage(parent).tolist() == [[0, -1, -1], [1, -1, -1], [0, 2, -1], [0, 3, -1], [1, 4, -1], [1, 4, 5]]
    truth = labels([2, 5, 1], None, 6)
    scores = np.array([[1, 0, 0, 1, 0, 9], [0, 1, 1, 0, 0, 0], [1, 0, 0, 0, 5, 5]], np.float32)
    judged = semantic(truth, parent, Guesses(highest(scores)[0], scores))
    assert [metric.name for metric in judged.metrics] == [
        "semantic accuracy",
        "semantic accuracy@0",
        "semantic accuracy@1",
    ]
    assert of(judged) == [2 / 5, 2 / 3, 0]
    assert of(semantic(truth, parent, scored(np.eye(6)[[0, 1, 1]])))[1] == 1
    unknown = semantic(truth, parent, guesses([[2], [5], [1]]))
    assert [metric.name for metric in unknown.metrics] == [metric.name for metric in judged.metrics]
    assert np.isnan(of(unknown)).all(), "nobody knows what a guesser thinks of other levels"
    chain = semantic(labels([0, 1], None, 2), np.array([MISSING, 0]), scored(np.eye(2)))
    assert np.isnan(of(chain)).tolist() == [True], "no level has classes to choose among"
    assert within(parent, np.array([0, 3, 5, 1])).tolist() == [MISSING, 0, 3, MISSING]


def test_levels_and_subtrees_follow_from_an_ontology(wordnet: Ontology) -> None:
    dog, hound, whippet, cat = "n02084071", "n02087551", "n02091134", "n02121808"
    classes = (dog, whippet, cat, hound)
    above = parents(classes, wordnet)
    assert above is not None
    assert above.tolist() == [MISSING, 3, MISSING, 0]
    assert parents((whippet, cat), wordnet) is None
    assert subtrees(classes, wordnet, ["n02087122", "n02083346"]).tolist() == [1, 0, MISSING, 0]
    truth = with_hierarchy(Labels(("a", "b"), classes, np.arange(2), np.array([1, 2])), wordnet)
    judged = CLASSIFICATION.judge(truth, scored([[0, 1, 0, 0], [0, 0, 1, 0]]))
    found = dict(zip((metric.name for metric in judged.metrics), of(judged), strict=True))
    assert (found["semantic accuracy"], found["top-1 error"]) == (1, 0)


def test_pairs_that_are_confused_and_subtrees() -> None:
    truth = labels([0, 0, 0, 1, [2, 3], 3])
    said = guesses([[1], [1], [0], [2], [3], []])
    assert most_confused(truth, said) == [
        Confused("class 000", "class 001", 2, 3),
        Confused("class 001", "class 002", 1, 1),
    ]
    assert most_confused(truth, said, 1) == most_confused(truth, said)[:1]
    found = confusion(truth, said, np.array([0, 0, 1, MISSING]), ("left", "right"))
    assert found.tolist() == [[3, 1, 0, 0], [0, 0, 1, 0]]
    assert confusion(truth, said, np.zeros(4, np.int64), ("all",)).tolist() == [[6, 0, 1]]


def test_hierarchical_errors_change_unless_the_tree_is_renamed_too() -> None:
    names, back = np.array([2, 0, 3, 1]), np.array([1, 3, 0, 2])
    generator = np.random.default_rng(5)
    right, said = generator.integers(4, size=40), generator.integers(4, size=(40, 5))
    renamed, renamed_said = labels(names[right].tolist()), Guesses(names[said])
    before = raw(labels(right.tolist()), TREE, Guesses(said)).values
    assert (raw(renamed, Hierarchy(COST[np.ix_(back, back)], ""), renamed_said).values == before).all()
    assert (raw(renamed, TREE, renamed_said).values != before).any()


def test_random_guesses_are_wrong_as_often_as_chance_has_it() -> None:
    generator = np.random.default_rng(6)
    truth = labels(generator.integers(100, size=20_000).tolist(), None, 100)
    top1, *_, top5 = of(flat(truth, scored(generator.random((20_000, 100)))))
    assert abs(top1 - 0.99) < 4 * (0.99 * 0.01 / 20_000) ** 0.5
    assert abs(top5 - 0.95) < 4 * (0.95 * 0.05 / 20_000) ** 0.5


def test_distances_in_wordnet_are_symmetric_and_few_break_the_law_of_trees(wordnet: Ontology) -> None:
    """In a tree the distance of two is no more than the larger of those to a third. WordNet is none: with several
    hypernyms two synsets may meet lower than by way of a third."""
    cost = wordnet.cost_matrix(order("sorted").wnids[::5]).astype(np.int64)
    assert (cost == cost.T).all()
    assert (np.diag(cost) == 0).all()
    broken = sum(int((cost > np.maximum(row[:, None], row[None])).sum()) for row in cost)
    assert 0 < broken < 0.01 * cost.size * len(cost)


def test_labels_are_those_of_the_truth_alone() -> None:
    empty = Labels((), ("a", "b"), np.empty(0, np.int64), np.empty(0, np.int64))
    nothing = Guesses(np.empty((0, 5), np.int64))
    assert np.isnan(of(flat(empty, nothing))).all()
    assert np.isnan(of(macro(empty, nothing))).all()
    assert by_class(empty, nothing) == {}
    assert most_confused(empty, nothing) == []
