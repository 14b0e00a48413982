"""Mostly right folders of a museum, asked about by the shipped simulated crowd: `bench/regimes.py --pools`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.consensus.votes import Task, Vote
from holotype.crowd.campaign import run_campaign
from holotype.crowd.conclusion import Policy
from holotype.crowd.tally import Tally
from holotype.simulation.workers import SimulatedCrowd
from verdicts import Result, judged

FOLDERS: Final = [9, 4, 6, 5, 2, 1, 6, 6, 4, 6, 15, 8, 5, 28, 14, 61, 187] + [1] * 26
"""A museum's 43 folders, 393 pictures."""
SPOILT: Final = (15, 16, 13)
"""The large folders that wrong pictures are spread over."""
POOL_SEEDS: Final = tuple(range(1, 11))
POOL_LIMITS: Final = (0.97, 0.93, 6.0)


@dataclass(frozen=True, slots=True)
class Museum:
    """A mostly right folder: how many pictures are wrong, how many of each side are gold, how many wrong come later."""

    name: str
    bad: int
    gold_yes: int = 0
    gold_no: int = 0
    later: int = 0


MUSEUMS: Final = (
    Museum("all right", 0),
    Museum("13 % wrong", 60),
    Museum("13 % wrong, 24 gold yes", 60, 24),
    Museum("13 % wrong, gold of both", 60, 24, 24),
    Museum("wrong ones come later", 60, later=60),
    Museum("later, 24 gold yes", 60, 24, later=60),
)


def run_museum(museum: Museum, policy: Policy, seed: int) -> Result:
    """A campaign of the shipped simulated crowd: its truth, its pages and its workers, 48 pictures a page."""
    folder = [place for place, size in enumerate(FOLDERS) for _ in range(size)]
    right = len(folder)
    folder += [SPOILT[extra % len(SPOILT)] for extra in range(museum.bad)]
    tasks = [Task(number, f"n{of:08d}", f"{seed:04d}{number:060d}") for number, of in enumerate(folder)]
    rng = np.random.default_rng(seed)
    gold = dict.fromkeys(rng.choice(right, museum.gold_yes, replace=False).tolist(), True)
    gold |= dict.fromkeys(rng.choice(range(right, len(folder)), museum.gold_no, replace=False).tolist(), False)
    crowd = SimulatedCrowd(lambda task: task.number < right, lambda: 0.0, seed=seed)
    votes: list[Vote] = []
    began = time.process_time()
    for shown in [len(tasks) - museum.later] + [len(tasks)] * bool(museum.later):
        tally = Tally.of(tasks[:shown], votes, {number: yes for number, yes in gold.items() if number < shown})
        conclusion = run_campaign(tally, crowd, policy, votes.extend)
    asked = np.array([task.number not in gold for task in tasks])
    right_ones = np.arange(len(tasks)) < right
    return judged(conclusion, tally.ballot(), right_ones, asked, time.process_time() - began)


def bench_museums(policy: Policy, seeds: Sequence[int] = POOL_SEEDS) -> None:
    """A line for each pool: means over seeds, the worst seed in brackets, and the verdict."""
    print(f"\nMuseum pools: {len(seeds)} seeds, the shipped simulated crowd, {policy}")
    print(f"  {'':26}{'precision':>17}{'recall':>17}{'votes':>15}{'alone':>6}{'unlab':>7}{'alarm':>7}{'CPU s':>7}")
    held = 0
    for museum in MUSEUMS:
        results = [run_museum(museum, policy, seed) for seed in seeds]
        held += _museum_line(museum, results)
    precision, recall, votes = POOL_LIMITS
    print(
        f"  {held} of {len(MUSEUMS)} pools hold: in every seed precision >= {precision}, recall >= {recall}, <= {votes}"
    )
    print("  votes a task, and nothing accepted without a yes")


def _museum_line(museum: Museum, results: Sequence[Result]) -> bool:
    precisions, recalls = ([getattr(result.counts, of) for result in results] for of in ("precision", "recall"))
    votes, alone = [result.votes for result in results], sum(result.alone for result in results)
    unlabelled = np.mean([result.unlabelled / result.counts.tasks for result in results])
    good = min(precisions) >= POOL_LIMITS[0] and min(recalls) >= POOL_LIMITS[1] and max(votes) <= POOL_LIMITS[2]
    rang, seconds = sum(bool(result.alarms) for result in results), np.mean([result.seconds for result in results])
    print(
        f"  {museum.name:26}{np.mean(precisions):9.3f} ({min(precisions):.3f})"
        f"{np.mean(recalls):9.3f} ({min(recalls):.3f}){np.mean(votes):8.2f} ({max(votes):4.1f}){alone:6}"
        f"{unlabelled:7.3f}{rang:4}/{len(results):2}{seconds:7.1f}  {'holds' if good and not alone else 'MISSES'}",
        flush=True,
    )
    return good and not alone
