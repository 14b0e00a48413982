from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, hypergeom

from holotype.audits.bounds import audits_needed, clopper_pearson, right_at_least, right_at_most, share_of_alpha
from holotype.audits.certificates import Count, precision_bounds
from holotype.errors import CrowdError

samples = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
ALPHA = 0.05


# Shares


def test_bounds_are_those_of_scipys_exact_interval() -> None:
    """A two-sided 90 % interval by Clopper and Pearson has the one-sided 95 % bounds as its ends."""
    for audited in (1, 2, 7, 59, 60, 300):
        correct = np.arange(audited + 1)
        lower, upper = clopper_pearson(correct, audited)
        exact = [binomtest(int(k), audited).proportion_ci(0.9, "exact") for k in correct]
        np.testing.assert_allclose(lower, [interval.low for interval in exact], atol=1e-12)
        np.testing.assert_allclose(upper, [interval.high for interval in exact], atol=1e-12)


@given(samples, st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_at_a_bound_the_outcome_is_just_improbable_enough(sample: tuple[int, int], confidence: float) -> None:
    correct, audited = sample
    lower, upper = clopper_pearson(correct, audited, confidence)
    if correct:
        assert binom.sf(correct - 1, audited, lower) == pytest.approx(1 - confidence, rel=1e-6)
    if correct < audited:
        assert binom.cdf(correct, audited, upper) == pytest.approx(1 - confidence, rel=1e-6)
    assert 0 <= lower <= (correct / audited if audited else 0.5) <= upper <= 1


@given(samples)
def test_a_bound_of_the_correct_is_one_of_the_wrong(sample: tuple[int, int]) -> None:
    correct, audited = sample
    lower, upper = clopper_pearson([correct, audited - correct], audited)
    np.testing.assert_allclose(lower, 1 - upper[::-1], atol=1e-12)


def test_all_nothing_and_no_audit_at_all() -> None:
    lower, upper = clopper_pearson([10, 0, 0], [10, 10, 0])
    np.testing.assert_allclose(lower, [0.05**0.1, 0, 0])
    np.testing.assert_allclose(upper, [1, 1 - 0.05**0.1, 1])
    for correct, audited, confidence in ((2, 1, 0.95), (-1, 1, 0.95), (1, 1, 1), (1, 1, 0), (1, 1, float("nan"))):
        with pytest.raises(CrowdError, match="0 <= correct <= audited"):
            clopper_pearson(correct, audited, confidence)


# Counts out of finite sets


def test_bounds_hold_in_every_small_set_for_every_sample() -> None:
    """All sets of up to 24 labels, all numbers of right ones, all samples, all outcomes: no luck involved."""
    for labels in range(1, 25):
        right = np.arange(labels + 1)
        for audited, alpha in product(range(labels + 1), (ALPHA, share_of_alpha(1), 0.3)):
            lower = np.array([right_at_least(k, audited, labels, alpha) for k in range(audited + 1)])
            upper = np.array([right_at_most(k, audited, labels, alpha) for k in range(audited + 1)])
            chance = hypergeom.pmf(np.arange(audited + 1), labels, right[:, None], audited)
            for holds in (lower <= right[:, None], right[:, None] <= upper):
                assert (chance * holds).sum(axis=1).min() >= 1 - alpha - 1e-12


def test_no_tighter_bound_would_hold() -> None:
    """With one right label less than the bound the outcome has at most the chance alpha; at the bound it has more."""
    for labels, audited in ((24, 9), (60, 59), (500, 60), (14_000_000, 300)):
        for correct in {0, 1, audited // 2, audited - 1, audited}:
            bound = right_at_least(correct, audited, labels, ALPHA)
            assert hypergeom.sf(correct - 1, labels, bound, audited) > ALPHA * (1 - 2e-6)
            if bound > correct:
                assert hypergeom.sf(correct - 1, labels, bound - 1, audited) <= ALPHA * (1 + 1e-9)


def test_what_is_audited_whole_is_known() -> None:
    for labels in (1, 5, 100):
        for correct in range(labels + 1):
            assert right_at_least(correct, labels, labels, ALPHA) == correct
            assert right_at_most(correct, labels, labels, ALPHA) == correct
    assert (right_at_least(0, 0, 7, ALPHA), right_at_most(0, 0, 7, ALPHA)) == (0, 7)
    assert precision_bounds(Count(5, 5, 5), 5, ALPHA) == (1.0, 1.0)


def test_in_large_sets_the_bounds_are_clopper_pearsons() -> None:
    for correct, audited in ((60, 60), (55, 60), (3, 60), (0, 60), (1, 1)):
        lower, upper = clopper_pearson(correct, audited)
        for labels, near in ((10_000, 4e-3), (10_000_000, 2e-6)):
            assert right_at_least(correct, audited, labels, ALPHA) / labels == pytest.approx(float(lower), abs=near)
            assert right_at_most(correct, audited, labels, ALPHA) / labels == pytest.approx(float(upper), abs=near)


@pytest.mark.parametrize("wrong", [(2, 1, 5, 0.05), (-1, 1, 5, 0.05), (1, 6, 5, 0.05), (1, 1, 5, 0.0), (1, 1, 5, 1.0)])
def test_what_cannot_be_bounded_is_refused(wrong: tuple[int, int, int, float]) -> None:
    with pytest.raises(CrowdError, match="0 <= correct <= audited <= labels"):
        right_at_least(*wrong)


def test_one_right_label_more_moves_the_bound_by_one_or_more() -> None:
    """What the proof of `precision_bounds` needs; every set of up to 30 labels."""
    for labels in range(1, 31):
        for audited in range(1, labels + 1):
            bounds = [right_at_least(k, audited, labels, ALPHA) for k in range(audited + 1)]
            assert min(np.diff(bounds)) >= 1


# What happens after the draw


def test_no_change_after_the_draw_makes_a_true_bound_false() -> None:
    """Every way in which labels can leave and join a small set, right and wrong ones, sampled or not."""
    for labels, audited in ((6, 3), (7, 4), (5, 5)):
        for correct in range(audited + 1):
            bound = right_at_least(correct, audited, labels, ALPHA)
            for right in range(max(bound, correct), labels - audited + correct + 1):
                others = right - correct, labels - audited - (right - correct)
                gone = (
                    range(correct + 1),
                    range(audited - correct + 1),
                    *(range(n + 1) for n in others),
                    *[range(3)] * 2,
                )
                for good, bad, lost_good, lost_bad, new_good, new_bad in product(*gone):
                    count = Count(
                        audited, correct - good, correct, good + bad, lost_good + lost_bad, new_good + new_bad
                    )
                    lower, _ = precision_bounds(count, labels, ALPHA)
                    now = labels - count.left - count.lost + count.joined
                    if now:
                        assert lower <= (right - good - lost_good + new_good) / now + 1e-12


counts = st.integers(1, 60).flatmap(
    lambda labels: st.integers(1, labels).flatmap(
        lambda audited: st.tuples(
            st.just(labels), st.just(audited), st.integers(0, audited), st.integers(0, labels - audited)
        )
    )
)


@given(counts, st.integers(0, 5), st.integers(0, 100))
def test_nothing_that_happens_after_the_draw_raises_a_lower_bound(
    drawn: tuple[int, int, int, int], left: int, joined: int
) -> None:
    labels, audited, correct, lost = drawn
    count = Count(audited, correct, audited, left, lost, joined)
    lower, upper = precision_bounds(count, labels, ALPHA)
    assert 0 <= lower <= upper <= 1 or left + lost >= labels
    later = [
        Count(audited, correct, audited, left + 1, lost, joined),
        Count(audited, correct, audited, left, lost, joined + 1),
    ]
    later += [Count(audited, correct - 1, audited, left, lost, joined)] if correct else []
    later += [Count(audited, correct, audited, left, lost + 1, joined)] if lost < labels - audited else []
    assert max(precision_bounds(one, labels, ALPHA)[0] for one in later) <= lower


# Sharing


def test_all_draws_together_have_five_percent() -> None:
    shares = share_of_alpha(1) * np.sum(1.0 / np.arange(1, 1_000_001) ** 2)
    assert shares == pytest.approx(ALPHA, rel=1e-5)
    assert shares < ALPHA


@given(st.floats(0.01, 0.999), st.integers(1, 30))
def test_no_smaller_sample_certifies_a_precision(precision: float, number: int) -> None:
    needed = audits_needed(precision, number)
    confidence = 1 - share_of_alpha(number)
    assert clopper_pearson(needed, needed, confidence)[0] >= precision - 1e-9
    assert clopper_pearson(needed - 1, needed - 1, confidence)[0] < precision


def test_69_of_69_certify_95_percent_in_a_first_draw() -> None:
    assert (audits_needed(0.95), audits_needed(0.99)) == (69, 348)
    assert math.floor(1000 * right_at_least(69, 69, 1_000_000, share_of_alpha(1)) / 1_000_000) == 950
    for precision, number in ((0, 1), (1, 1), (95, 1), (0.9, 0)):
        with pytest.raises(CrowdError, match="between 0 and 1"):
            audits_needed(precision, number)
