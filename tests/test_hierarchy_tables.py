"""What is above some classes, as tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from conftest import small_ontology
from holotype.benchmark import order
from holotype.errors import UnknownSynset
from holotype.ontology import Ontology
from holotype.recognition.hierarchy import MOST, Marginals, levels, marginals

TREE = small_ontology({0: [], 1: [0], 2: [0], 3: [1], 4: [1], 5: [2], 6: [5], 7: [5]})
"""s0 above s1 (s3, s4) and s2, whose only child s5 has s6 and s7."""


def wnids(*numbers: int) -> list[str]:
    return [f"n{number:08d}" for number in numbers]


def members(found: Marginals) -> dict[int, set[int]]:
    """The classes of each node, by the number of its synset."""
    return {
        int(wnid[1:]): {int(found.classes[one][1:]) for one in found.member[found.node == node].tolist()}
        for node, wnid in enumerate(found.nodes)
    }


def test_nodes_are_the_lowest_that_are_above_the_same_classes_and_not_all() -> None:
    found = marginals(wnids(3, 4, 6, 7), TREE)
    assert members(found) == {1: {3, 4}, 3: {3}, 4: {4}, 5: {6, 7}, 6: {6}, 7: {7}}
    assert dict(zip(found.nodes, found.depth.tolist(), strict=True)) == dict(
        zip(wnids(1, 3, 4, 5, 6, 7), [0, 1, 1, 0, 1, 1], strict=True)
    )
    assert [found.nodes[own] for own in found.own] == wnids(3, 4, 6, 7)


def test_a_class_above_others_stands_for_them_too() -> None:
    found = marginals(wnids(1, 3, 6), TREE)
    assert members(found) == {1: {1, 3}, 3: {3}, 6: {6}}
    assert [found.nodes[own] for own in found.own] == wnids(1, 3, 6)
    assert marginals(wnids(0, 3), TREE).own.tolist() == [-1, 0]  # the root says nothing


def test_weights_are_those_of_conditional_probabilities_on_a_tree() -> None:
    found = marginals(wnids(3, 4, 6, 7), TREE)
    weights = dict(zip(zip(found.node.tolist(), found.member.tolist(), strict=True), found.weights(0.5), strict=True))
    own, above = found.own[0], found.nodes.index("n00000001")
    assert weights[own, 0] == pytest.approx(math.exp(-0.5))
    assert weights[above, 0] == pytest.approx(1 - math.exp(-0.5))
    only = found.weights(0.0)
    assert only[found.own[found.member] == found.node].tolist() == [1, 1, 1, 1]
    assert only.sum() == 4


def test_a_flat_hierarchy_has_no_nodes_but_its_classes() -> None:
    found = marginals(wnids(1, 2), TREE)
    assert found.nodes == tuple(wnids(1, 2))
    assert found.weights(0.7).tolist() == [1, 1]
    alone = marginals(wnids(3), TREE)
    assert (alone.nodes, alone.own.tolist(), alone.weights(0.1).tolist()) == ((), [-1], [])
    with pytest.raises(UnknownSynset):
        marginals(wnids(99), TREE)


def test_a_synset_with_several_parents_is_under_all_of_them() -> None:
    ontology = small_ontology({0: [], 1: [0], 2: [0], 3: [1, 2], 4: [1], 5: [2]})
    found = marginals(wnids(3, 4, 5), ontology)
    assert members(found) == {1: {3, 4}, 2: {3, 5}, 3: {3}, 4: {4}, 5: {5}}
    assert found.depth[found.nodes.index("n00000003")] == 2


def test_ilsvrcs_classes_are_under_395_nodes(wordnet: Ontology) -> None:
    found = marginals(order("sorted").wnids, wordnet)
    assert len(found.nodes) == 1395
    dogs = found.nodes.index("n02084071")
    assert (found.node == dogs).sum() == 118
    pairs = list(zip(found.node.tolist(), found.member.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert found.weights(0.3).min() > 0


def test_levels_compare_classes_with_as_many_above_them() -> None:
    found = levels(wnids(1, 2, 3, 4, 6, 7), TREE)
    assert [some.tolist() for some in found.members] == [[0, 1], [2, 3, 4, 5]]
    assert found.targets.tolist() == [[0, -1], [1, -1], [0, 0], [0, 1], [1, 2], [1, 3]]
    assert found.weights.tolist() == [1, 6 / 4]


def test_levels_of_one_class_are_left_out_and_weights_are_bounded() -> None:
    chain = small_ontology({0: [], 1: [0], 2: [1], 3: [1]})
    found = levels(wnids(0, 1, 2, 3), chain)
    assert [some.tolist() for some in found.members] == [[2, 3]]
    assert found.targets.tolist() == [[-1], [-1], [0], [1]]
    assert found.weights.tolist() == [2.0]
    many = small_ontology({0: [], **{number: [0] for number in range(1, 60)}, 60: [1], 61: [1]})
    assert levels(wnids(*range(1, 62)), many).weights.tolist() == [1, MOST]


def test_classes_of_which_none_is_above_another_are_one_level(wordnet: Ontology) -> None:
    found = levels(order("sorted").wnids, wordnet)
    assert (len(found.members), found.weights.tolist()) == (1, [1])
    np.testing.assert_array_equal(found.targets[:, 0], np.arange(1000))
