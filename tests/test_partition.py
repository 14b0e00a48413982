"""How an ontology is cut into classes to train, and what their probabilities say of other synsets."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import small_ontology
from holotype.benchmark import order
from holotype.errors import RecognitionError, UnknownSynset
from holotype.ontology import Ontology
from holotype.recognition.partition import PARTITION, Partition, counts_of, partition, partition_of, read_partition
from holotype.recognition.relabelling import relabelled, under
from holotype.releases.loaders import Samples
from holotype.store.places import Places
from holotype.store.store import Store

TREE = small_ontology({0: [], 1: [0], 2: [0], 3: [1], 4: [1], 5: [2], 6: [2]})
"""s0 above s1 (s3, s4) and s2 (s5, s6)."""
DIAMOND = small_ontology({0: [], 1: [0], 2: [0], 3: [1, 2], 4: [1], 5: [2]})
"""s3 is under both s1 and s2."""


def wnid(number: int) -> str:
    return f"n{number:08d}"


def cut(ontology: Ontology, counts: dict[int, int], most: int) -> Partition:
    return partition(ontology, {wnid(number): count for number, count in counts.items()}, most)


def parts(found: Partition) -> dict[int, set[int]]:
    """The numbers of the synsets of each class, by that of the class."""
    held: dict[int, set[int]] = {int(one[1:]): set() for one in found.classes}
    for synset, part in zip(found.synsets, found.part.tolist(), strict=True):
        held[int(found.classes[part][1:])].add(int(synset[1:]))
    return held


def labelled(labels: list[int], classes: list[int], ids: list[str] | None = None) -> Samples:
    """Samples with labels, whose pictures nobody reads."""
    zeros = np.zeros(len(labels), np.int64)
    places = Places((), zeros.astype(np.int32), zeros, zeros, None)
    wnids = tuple(wnid(number) for number in classes)
    names = ids or [f"i{number}" for number in range(len(labels))]
    at = np.array([classes.index(one) for one in labels], np.int32)
    return Samples(places, Store(Path()), at, pa.array(names, pa.string()), wnids)


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (100, {0: {3, 4, 5, 6}}),
        (10, {0: {3, 4, 5, 6}}),
        (9, {1: {3, 4}, 2: {5, 6}}),
        (6, {1: {3, 4}, 5: {5}, 6: {6}}),
        (2, {3: {3}, 4: {4}, 5: {5}, 6: {6}}),
    ],
)
def test_a_class_is_the_highest_synset_with_no_more_images_than_it_may_have(
    most: int, expected: dict[int, set[int]]
) -> None:
    assert parts(cut(TREE, {3: 1, 4: 2, 5: 3, 6: 4}, most)) == expected


def test_what_is_in_no_image_is_in_no_class_and_a_large_leaf_is_one() -> None:
    found = cut(TREE, {3: 50, 5: 3, 6: 0}, 10)
    assert parts(found) == {3: {3}, 2: {5}}
    assert found.sizes.tolist() == [3, 50]


def test_the_own_images_of_a_synset_that_is_cut_are_a_class() -> None:
    found = cut(TREE, {0: 7, 1: 8, 3: 2, 4: 2, 5: 1}, 8)
    assert parts(found) == {0: {0}, 1: {1}, 3: {3}, 4: {4}, 2: {5}}
    shares = found.shares([wnid(0), wnid(1), wnid(2)])
    assert shares[list(found.classes).index(wnid(0))].tolist() == [1, 0, 0]
    assert shares.T.tolist() == [[1, 1, 1, 1, 1], [0, 1, 0, 1, 1], [0, 0, 1, 0, 0]]


def test_a_synset_with_several_parents_is_in_one_class() -> None:
    found = cut(DIAMOND, {3: 4, 4: 4, 5: 4}, 8)
    assert parts(found) == {1: {3, 4}, 2: {5}}
    assert found.cut([wnid(1), wnid(2), wnid(3)]) == [wnid(2), wnid(3)]
    inferred = found.infer(np.array([[0.6, 0.4]]), [wnid(1), wnid(2), wnid(3), wnid(0)])
    np.testing.assert_allclose(inferred, [[0.6, 0.7, 0.3, 1.0]])


def test_an_instance_is_a_class_of_its_own() -> None:
    ontology = small_ontology({0: [], 1: [0], 2: []}, {2: [1]})
    assert parts(cut(ontology, {1: 3, 2: 3}, 100)) == {0: {1}, 2: {2}}


def test_a_partition_of_nothing_or_of_strangers_is_refused() -> None:
    with pytest.raises(RecognitionError, match="no images"):
        cut(TREE, {3: 0}, 10)
    with pytest.raises(RecognitionError, match="at least one image"):
        cut(TREE, {3: 1}, 0)
    with pytest.raises(UnknownSynset):
        cut(TREE, {77: 1}, 10)
    found = cut(TREE, {3: 1}, 10)
    with pytest.raises(RecognitionError, match="no class has images of n00000002"):
        found.infer(np.ones((1, 1)), [wnid(2)])
    assert found.shares([wnid(2), wnid(1)]).tolist() == [[0, 1]]
    with pytest.raises(RecognitionError, match="1 classes, and probabilities of the shape"):
        found.infer(np.ones((3, 2)), [wnid(1)])


def test_a_partition_is_the_same_after_json(tmp_path: Path) -> None:
    found = cut(DIAMOND, {3: 4, 4: 4, 5: 4}, 8)
    value = json.loads(json.dumps(found.value()))
    again = partition_of(value, DIAMOND)
    assert (again.classes, again.synsets) == (found.classes, found.synsets)
    assert (again.part.tolist(), again.counts.tolist()) == (found.part.tolist(), found.counts.tolist())
    with pytest.raises(RecognitionError, match="another ontology"):
        partition_of(value, TREE)
    for synsets in (
        *({"x": 3}, [], {}, {"x": ["x", 1]}, {wnid(3): [wnid(9), 1]}, {wnid(3): [[], 1]}, {wnid(3): wnid(3)}),
        *({wnid(3): [wnid(3), count]} for count in (0, -1, 1 << 64, math.inf, math.nan, None)),
    ):
        with pytest.raises(RecognitionError, match="no partition"):
            partition_of({"ontology": DIAMOND.digest, "synsets": synsets}, DIAMOND)
    with pytest.raises(RecognitionError, match="no partition"):
        partition_of({}, DIAMOND)
    (tmp_path / PARTITION).write_text("[" * 100_000)
    with pytest.raises(RecognitionError, match="cannot read"):
        read_partition(tmp_path, DIAMOND)


GRAPHS = st.lists(st.lists(st.integers(0, 50), max_size=3), min_size=1, max_size=14).map(
    lambda links: {
        number: sorted({one % number for one in above}) if number else [] for number, above in enumerate(links)
    }
)


@given(parents=GRAPHS, counts=st.lists(st.integers(0, 9), min_size=14, max_size=14), most=st.integers(1, 40))
def test_every_image_is_in_one_class_and_sums_are_right(
    parents: dict[int, list[int]], counts: list[int], most: int
) -> None:
    """Of whatever graph: classes are small where they can be, and a root's probability is that of all below it."""
    ontology = small_ontology(parents)
    held = {number: count for number, count in enumerate(counts) if number in parents and count}
    if not held:
        return
    found = cut(ontology, held, most)
    assert sorted(one for part in parts(found).values() for one in part) == sorted(held)
    assert int(found.sizes.sum()) == sum(held.values())
    for top, part in parts(found).items():
        assert all(ontology.is_under(wnid(one), wnid(top)) for one in part)
        size = sum(held[one] for one in part)
        assert size <= most or part == {top}
    tops = [one.wnid for one in ontology.roots() if any(ontology.is_under(wnid(one_), one.wnid) for one_ in held)]
    probabilities = np.random.default_rng(0).dirichlet(np.ones(len(found.classes)), 3)
    nodes = [wnid(number) for number in held]
    leaves = [one for one in nodes if not any(ontology.is_under(other, one) for other in nodes if other != one)]
    if set(leaves) == set(nodes):
        np.testing.assert_allclose(found.infer(probabilities, nodes).sum(axis=1), 1)
    if len(tops) == 1:
        np.testing.assert_allclose(found.infer(probabilities, tops)[:, 0], 1)


def test_relabelled_samples_are_of_the_classes_of_a_partition() -> None:
    samples = labelled([3, 4, 4, 5, 3], [3, 4, 5], ["a", "a", "b", "c", "d"])
    found = partition(TREE, counts_of(samples), 4)
    again = found.relabelled(samples)
    assert again.classes == (wnid(1), wnid(2)) == found.classes
    assert again.ids.to_pylist() == ["a", "b", "c", "d"]  # both of a's labels are in one class
    assert again.labels.tolist() == [0, 0, 1, 0]
    with pytest.raises(RecognitionError, match="n00000006 is in no class"):
        found.relabelled(labelled([3, 6], [3, 6]))


def test_samples_are_relabelled_by_the_nodes_they_are_under() -> None:
    samples = labelled([3, 5, 6, 0], [0, 3, 5, 6])
    found = under(samples, [wnid(2), wnid(1)], TREE)
    assert (found.classes, found.ids.to_pylist()) == ((wnid(1), wnid(2)), ["i0", "i1", "i2"])
    assert found.labels.tolist() == [0, 1, 1]
    assert under(samples, [wnid(4), wnid(5)], TREE).classes == (wnid(4), wnid(5))
    for nodes in ([1, 3], [0, 2]):
        with pytest.raises(RecognitionError, match="several of the classes"):
            under(samples, [wnid(number) for number in nodes], TREE)
    with pytest.raises(RecognitionError, match="n00000003 is under several"):
        under(labelled([3], [3]), [wnid(1), wnid(2)], DIAMOND)
    with pytest.raises(UnknownSynset):
        under(samples, ["n77777777"], TREE)
    none = relabelled(replace(samples, labels=samples.labels), {})
    assert (len(none), none.classes) == (0, ())


def test_the_classes_of_ilsvrc_are_as_large_as_they_may_be(wordnet: Ontology) -> None:
    wnids = order("sorted").wnids
    by_rank = np.zeros(len(wordnet), np.int64)
    by_rank[[wordnet.rank(wnid) for wnid in wnids]] = 1300
    below = wordnet.subtree_sums(by_rank)
    for most in (2_000, 20_000, 200_000):
        found = partition(wordnet, dict.fromkeys(wnids, 1300), most)
        assert int(found.sizes.sum()) == 1_300_000
        assert int(found.sizes.max()) <= most
        assert all(any(below[wordnet.rank(one)] > most for one in wordnet.parents(top)) for top in found.classes)
    dogs = below[wordnet.rank("n02084071")]
    assert dogs == 118 * 1300
    assert "n02084071" in partition(wordnet, dict.fromkeys(wnids, 1300), int(dogs)).classes
    assert "n02084071" not in partition(wordnet, dict.fromkeys(wnids, 1300), int(dogs) - 1).classes
