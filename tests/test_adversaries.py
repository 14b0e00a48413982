"""Nobody gets a certificate that the labels do not deserve: `bench/adversaries.py` has who tries, and how."""

from __future__ import annotations

from functools import cache

import pytest
from scipy.stats import binom

from adversaries import ATTACKS, Attack, coverage
from holotype.audits.bounds import clopper_pearson

RUNS = 200
SETS = {
    "large": (200, 30, 0.7),
    "small": (24, 8, 0.5),
    "whole": (12, 12, 0.5),
    "tiny": (4, 1, 0.5),
    "single": (1, 3, 0.9),
}
"""Labels, the size of the sample, and what is right: so little that a bound can be too high."""
NOISE = 1 - binom.ppf(0.99, RUNS, 0.05) / RUNS
"""If bounds held in just 95 %, simulations would be below this in one of a hundred."""


@cache
def held(attack: Attack, kind: str) -> tuple[float, float]:
    labels, size, precision = SETS[kind]
    return coverage(attack, RUNS if kind in ("large", "small") else 20, labels, size, precision, seed=2009)


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_bounds_hold_whoever_attacks(attack: Attack, kind: str) -> None:
    assert held(attack, kind)[0] >= NOISE


@pytest.mark.parametrize("kind", ["large", "small"])
def test_all_attacks_together_leave_95_percent_without_a_doubt(kind: str) -> None:
    """Not in spite of the noise, but whatever it is: thousands of runs are enough to show it."""
    runs = RUNS * len(ATTACKS)
    lower, _ = clopper_pearson(round(sum(held(attack, kind)[0] for attack in ATTACKS) * RUNS), runs, 0.999)
    assert lower >= 0.95


def test_the_attacks_are_dangerous() -> None:
    """By the rules that held before, most of them succeed."""
    assert sum(held(attack, "large")[1] < NOISE for attack in ATTACKS) >= 9
    assert sum(held(attack, "small")[1] < NOISE for attack in ATTACKS) >= 6
