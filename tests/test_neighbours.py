"""Neighbours, pairs, spread and order of embeddings: against what is computed plainly."""

from __future__ import annotations

from importlib.util import find_spec
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import small_ontology
from holotype.errors import NotInstalled, RecognitionError
from holotype.recognition import learners, neighbours
from holotype.recognition.heads import Head, chances, shown_by
from holotype.recognition.neighbours import close_pairs, close_pairs_in_cells, nearest, unit
from holotype.recognition.ordering import doubt, fitted_chances, held_out_chances, in_turn
from holotype.recognition.spread import spread


def random_rows(seed: int, count: int, width: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


@given(seed=st.integers(0, 999), count=st.integers(1, 40), k=st.integers(1, 12), block=st.integers(1, 17))
def test_the_nearest_are_those_of_all_cosines(seed: int, count: int, k: int, block: int) -> None:
    rows, queries = random_rows(seed, count), random_rows(seed + 1, 5)
    with mock.patch.object(neighbours, "BLOCK", block):
        found = nearest(queries, rows, k)
    cosines = unit(queries) @ unit(rows).T
    wanted = np.argsort(-cosines, axis=1)[:, :k]
    assert found.place.shape == (5, min(k, count))
    np.testing.assert_array_equal(found.place, wanted)
    np.testing.assert_allclose(found.cosine, np.take_along_axis(cosines, wanted, 1), atol=1e-6)


@given(seed=st.integers(0, 999), count=st.integers(0, 40), least=st.floats(-0.5, 0.9), block=st.integers(1, 17))
def test_close_pairs_are_all_of_them(seed: int, count: int, least: float, block: int) -> None:
    rows, told = random_rows(seed, count, 4), list[tuple[int, int]]()
    with mock.patch.object(neighbours, "BLOCK", block):
        found = close_pairs(rows, least, progress=lambda done, total: told.append((done, total)))
    cosines = unit(rows) @ unit(rows).T
    near = {(a, b) for a in range(count) for b in range(a + 1, count) if cosines[a, b] >= least + 1e-6}
    maybe = {(a, b) for a in range(count) for b in range(a + 1, count) if cosines[a, b] >= least - 1e-6}
    pairs = set(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert near <= pairs <= maybe
    assert len(pairs) == len(found)
    assert (np.diff(found.cosine) <= 0).all()
    assert told[-1][0] == told[-1][1]


def test_zeros_are_like_nothing() -> None:
    rows = np.array([[0, 0], [1, 0], [2, 0]], np.float16)
    assert close_pairs(rows, 0.5).left.tolist() == [1]
    assert nearest(rows[:1], rows, 3).cosine.tolist() == [[0, 0, 0]]


def test_nothing_has_no_neighbours() -> None:
    assert nearest(random_rows(0, 2), random_rows(0, 0), 3).place.shape == (2, 0)
    assert nearest(random_rows(0, 0), random_rows(0, 4), 3).place.shape == (0, 3)
    assert len(close_pairs(random_rows(0, 0), 0.5)) == 0


def test_too_many_pairs_are_an_error_and_not_all_memory() -> None:
    with pytest.raises(RecognitionError, match="more than 10 pairs"):
        close_pairs(np.ones((20, 3), np.float32), 0.9, most=10)


@pytest.mark.skipif(find_spec("faiss") is None, reason="faiss is not installed")
@pytest.mark.torch
def test_cells_of_faiss_find_nearly_all_pairs() -> None:
    rows = random_rows(7, 2_000, 32)
    rows[1_000:] = rows[:1_000] + 0.2 * random_rows(8, 1_000, 32)
    exact, found = close_pairs(rows, 0.9), close_pairs_in_cells(rows, 0.9)
    pairs, held = (set(zip(one.left.tolist(), one.right.tolist(), strict=True)) for one in (exact, found))
    assert held <= pairs
    assert len(held) >= 0.98 * len(pairs) > 900
    assert len(close_pairs_in_cells(rows[:0], 0.9)) == 0
    assert len(close_pairs_in_cells(np.stack([rows[0]] * 2), 1.0)) in (0, 1)  # one is not always 1 in 24 bits


@pytest.mark.skipif(find_spec("faiss") is not None, reason="faiss is installed")
def test_cells_need_faiss() -> None:
    with pytest.raises(NotInstalled, match="neighbours"):
        close_pairs_in_cells(random_rows(0, 3), 0.5)


# How different


@given(seed=st.integers(0, 999), count=st.integers(2, 30), width=st.integers(1, 9))
def test_spread_is_that_of_all_pairs(seed: int, count: int, width: int) -> None:
    rows = random_rows(seed, count, width)
    cosines = unit(rows).astype(np.float64) @ unit(rows).T.astype(np.float64)
    apart = 1 - cosines[np.triu_indices(count, 1)].mean()
    share = np.linalg.eigvalsh(cosines / count)
    share = share[share > 1e-12]
    found = spread(rows)
    assert found.distance == pytest.approx(apart, abs=1e-5)
    assert found.different == pytest.approx(np.exp(-(share * np.log(share)).sum()), rel=1e-3)
    assert 1 - 1e-3 <= found.different <= min(count, width) + 1e-3


def test_one_image_and_none_have_a_spread() -> None:
    assert (spread(random_rows(0, 1)).distance, spread(random_rows(0, 1)).different) == (0, 1)
    assert spread(random_rows(0, 0)).images == 0


# What to ask next


def two_kinds(count: int) -> tuple[np.ndarray, np.ndarray]:
    rows, yes = random_rows(3, count, 6), np.arange(count) % 2 == 0
    rows[yes, 0] += 4
    return rows, yes


def test_chances_follow_the_answers() -> None:
    pytest.importorskip("sklearn")
    rows, yes = two_kinds(60)
    told = fitted_chances(rows[:30], yes[:30], rows[30:])
    assert ((told > 0.5) == yes[30:]).mean() > 0.8
    assert fitted_chances(rows[:30], yes[:30], rows[:0]).shape == (0,)


def test_a_row_is_judged_by_the_others() -> None:
    """An answer turned round changes what others are told, and is not believed of itself."""
    pytest.importorskip("sklearn")
    rows, yes = two_kinds(60)
    lie = yes.copy()
    lie[0] = ~lie[0]
    assert held_out_chances(rows, lie)[0] > 0.5
    with pytest.raises(ValueError, match="5 rows of each"):
        held_out_chances(rows, np.arange(60) < 4)


def test_of_what_is_alike_one_comes_early() -> None:
    rows = np.concatenate([np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)])
    order = in_turn(rows, np.ones(12), rows[:0], 12)
    assert sorted(order.tolist()) == list(range(12))
    assert sorted((order[:3] // 4).tolist()) == [0, 1, 2]
    seen = in_turn(rows, np.ones(12), rows[:1], 2)
    assert 0 not in seen // 4
    weighted = in_turn(rows, np.where(np.arange(12) == 5, 2.0, 1.0), rows[:0], 1)
    assert weighted.tolist() == [5]
    assert len(in_turn(rows[:0], np.ones(0), rows, 5)) == 0


def test_doubt_is_greatest_at_one_half() -> None:
    told = doubt(np.array([0, 0.1, 0.5, 0.9, 1]))
    assert told.argmax() == 2
    assert told[1] == told[3] > told[0] == told[4] == 0


def test_an_order_needs_scikit_learn() -> None:
    with (
        mock.patch.object(learners, "import_module", side_effect=ImportError("no")),
        pytest.raises(NotInstalled, match="recognition"),
    ):
        fitted_chances(random_rows(0, 2), np.array([True, False]), random_rows(0, 1))


# The last layer of a classifier


def test_a_synset_is_as_probable_as_all_classes_below_it() -> None:
    ontology = small_ontology({1: [], 2: [1], 3: [1], 4: [2], 5: [2], 6: [3]})
    wnids = {number: ontology.named(f"s{number}")[0].wnid for number in range(1, 7)}
    classes = tuple(sorted((wnids[4], wnids[5], wnids[6])))
    asked = [wnids[1], wnids[2], wnids[4], wnids[3], "n99999999"]
    shown = shown_by(classes, ontology, asked)
    assert shown.sum(axis=1).tolist() == [3, 2, 1, 1, 0]
    head = Head(classes, np.eye(3, dtype=np.float32), np.zeros(3, np.float32), "")
    rows = np.array([[2, 1, 0]] * 5, np.float16)
    told = chances(head, rows, np.arange(5), shown)
    share = np.exp([2, 1, 0]) / np.exp([2, 1, 0]).sum()
    by_class = dict(zip(classes, share, strict=True))
    assert told[0] == pytest.approx(1)
    assert told[1] == pytest.approx(by_class[wnids[4]] + by_class[wnids[5]], abs=1e-6)
    assert told[2] == pytest.approx(by_class[wnids[4]], abs=1e-6)
    assert told[3] == pytest.approx(by_class[wnids[6]], abs=1e-6)
    assert np.isnan(told[4])
    assert len(chances(head, rows[:0], np.zeros(0, np.int64), shown)) == 0
    with pytest.raises(RecognitionError, match="2 classes apart"):
        Head(classes[:2], np.eye(3, dtype=np.float32), np.zeros(3, np.float32), "")
