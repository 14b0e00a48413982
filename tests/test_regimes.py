"""The simulation behind `bench/regimes.py`: what its tables may be trusted for."""

from __future__ import annotations

import numpy as np
import pytest

from crowds import CROWDS, GOLD, WORKERS, Cell, all_cells, campaign, ground, setting, sizes
from holotype.consensus.ballot import UNKNOWN
from holotype.crowd.policies import Fixed, Lead
from oracle import Oracle
from regimes import chosen, majority_of_five, run_cell


def test_there_are_672_cells() -> None:
    cells = all_cells()
    assert len(set(cells)) == 672
    assert len(chosen(cells, "crowd=good|weak,base=.3")) == 2 * 16
    with pytest.raises(ValueError, match="an axis is one of"):
        chosen(cells, "bas=.3")


def test_the_good_ones_are_as_many_as_the_base_rate_says() -> None:
    one = ground(Cell(0.3, "both", "one", "good", 41), np.random.default_rng(0))
    assert one.truth.sum() == 180
    assert np.bincount(one.known + 1).tolist() == [600 - GOLD, 12, 12]
    later = ground(Cell(0.95, "yes", "bad later", "good", 1), np.random.default_rng(0))
    assert np.bincount(later.batch, later.truth).tolist() == [380, 10]
    assert not later.batch[later.gold].any()
    scarce = ground(Cell(0.01, "yes", "one", "good", 1), np.random.default_rng(0))
    assert len(scarce.gold) == 3


def test_folders_are_of_a_museums_sizes() -> None:
    found = sizes(600, 41)
    assert found.sum() == 600
    assert found.max() > 200
    assert found.min() == 1


@pytest.mark.parametrize("crowd", CROWDS)
def test_nobody_votes_twice_on_a_task_and_gold_is_asked_about(crowd: str) -> None:
    place, workers = setting(Cell(0.3, "both", "bad later", crowd, 41, tasks=120), 1)
    _, ballot = campaign(place, Fixed(7), workers)
    assert len(set(zip(ballot.task.tolist(), ballot.worker.tolist(), strict=True))) == len(ballot.task)
    votes = ballot.votes_per_task
    assert (votes[place.known == UNKNOWN] == 7).all()
    assert (votes[place.gold] > 0).any()
    each = np.bincount(ballot.worker)
    assert crowd.startswith("strangers") or len(each) == WORKERS
    assert not crowd.startswith("strangers") or each.max() == int(crowd[-1])


def test_a_campaign_of_five_votes_is_as_good_as_the_majority_of_five() -> None:
    found = run_cell(Cell(0.3, "none", "one", "good", 1), Fixed(5), (1, 2, 3))
    assert found.votes == 5
    assert found.ours.precision == pytest.approx(found.majority.precision, abs=0.02)
    assert found.ours.recall == pytest.approx(found.majority.recall, abs=0.03)


def test_the_same_seed_is_the_same_campaign() -> None:
    cell = Cell(0.7, "both", "one", "strangers 5", 41)
    first, second = (run_cell(cell, Lead(), (1,)) for _ in range(2))
    assert first.ours == second.ours
    assert majority_of_five(cell, 1) == first.majority


def test_the_oracle_holds_where_the_votes_tell_enough() -> None:
    assert not run_cell(Cell(0.3, "none", "one", "good", 41), Oracle()).missed
    assert not run_cell(Cell(0.95, "none", "bad later", "half spam", 41), Oracle()).missed
