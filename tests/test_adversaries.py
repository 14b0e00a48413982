"""Nobody gets a certificate that the labels do not deserve: `bench/adversaries.py` has who tries, and how."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from adversaries import ATTACKS, Attack, coverage

RUNS = 200
NOISE = binom.ppf(0.0001, RUNS, 0.95) / RUNS
"""Of bounds that hold in just 95 % as many hold in all but one of 10,000 such simulations."""

OLD_RULES_STOOD = {"accept_again", "do_anything", "dilute", "draw_other_sizes"}
"""Attacks that cost the old rules little, in a set as small as this one."""


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_bounds_hold_whoever_attacks(attack: Attack) -> None:
    """Those of first draws hold in 97 % by construction: so 95 % of the runs are asked for, and noise has its room."""
    ours, old = coverage(attack, RUNS, labels=200, size=30, seed=2009)
    assert ours >= 0.95 > NOISE
    if attack.__name__ not in OLD_RULES_STOOD:
        assert old < NOISE, "an attack that does no harm proves nothing"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_bounds_of_small_sets_hold_whoever_attacks(attack: Attack) -> None:
    assert coverage(attack, 60, labels=24, size=8, seed=1)[0] >= 0.95
    assert coverage(attack, 40, labels=12, size=12, seed=2)[0] >= 0.95
    assert coverage(attack, 20, labels=4, size=1, seed=3)[0] >= 0.95
