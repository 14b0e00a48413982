"""Curves of scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from holotype.recognition.roc import GRID, Roc, averaged, roc

SCORES = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: len({shown for _, shown in rows}) == 2
)


@given(rows=SCORES)
def test_areas_and_points_are_those_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    scores, shown = (np.array(column) for column in zip(*rows, strict=True))
    found = roc(scores.astype(float), shown)
    assert found.auc == pytest.approx(roc_auc_score(shown, scores), abs=1e-12)
    false, true, _ = roc_curve(shown, scores, drop_intermediate=False)
    np.testing.assert_allclose((found.false, found.true), (false, true), atol=1e-12)


@given(rows=SCORES)
def test_order_is_all_that_counts(rows: list[tuple[int, bool]]) -> None:
    scores, shown = (np.array(column) for column in zip(*rows, strict=True))
    found = roc(scores.astype(float), shown)
    assert roc(np.exp(scores / 2), shown).auc == pytest.approx(found.auc)
    assert roc(-scores, shown).auc == pytest.approx(1 - found.auc)
    assert roc(scores[::-1], shown[::-1]).auc == pytest.approx(found.auc)


def test_infinite_scores_are_the_first_and_the_last() -> None:
    found = roc(np.array([np.inf, 1.0, -np.inf, -np.inf]), np.array([True, False, True, False]))
    assert found.auc == 0.625
    assert found.true.tolist() == [0, 0.5, 0.5, 1]


@pytest.mark.parametrize(
    ("scores", "shown", "why"),
    [
        ([1.0, 2.0], [True, True], "both"),
        ([1.0, 2.0], [False, False], "both"),
        ([], [], "both"),
        ([1.0, float("nan")], [True, False], "no number"),
    ],
)
def test_what_is_no_curve_is_refused(scores: list[float], shown: list[bool], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        roc(np.array(scores), np.array(shown, bool))


def test_means_are_between_the_curves() -> None:
    perfect, chance = Roc(np.array([0.0, 0, 1]), np.array([0.0, 1, 1])), Roc(np.array([0.0, 1]), np.array([0.0, 1]))
    found = averaged([perfect, chance])
    np.testing.assert_allclose(found.true[1:], (1 + GRID) / 2)
    assert found.auc == pytest.approx(0.75)
    assert (found.false[0], found.true[0], found.false[-1], found.true[-1]) == (0, 0, 1, 1)


@given(rows=SCORES)
def test_the_mean_of_one_curve_is_that_curve(rows: list[tuple[int, bool]]) -> None:
    scores, shown = (np.array(column) for column in zip(*rows, strict=True))
    one = roc(scores.astype(float), shown)
    assert averaged([one]).auc == pytest.approx(one.auc, abs=0.01)  # what the grid leaves out of its corners
