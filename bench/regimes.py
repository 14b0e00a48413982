"""Consensus in every regime: base rates, gold, batches, crowds and synsets, judged against the majority of five.

    python bench/regimes.py [--policy TEXT] [--only crowd=good|weak,base=.3] [--cells N] [--jobs N] [--csv FILE]
    python bench/regimes.py --pools

A cell is one regime; its campaign is played once a seed (1 to 5) under the policy, over arrays, with these rules.

Tasks: 600, of which exactly round(base * tasks) are good, at random places; in one synset or in 41 of unequal size
(shares fall as rank ** -1.5, the last have one or two). `bad later` asks about two thirds of them first; when they are
decided, the last third comes in, of base rate min(base, .05), and the campaign goes on with all votes kept.

Gold: 24 tasks of the first batch whose answer is known, 12 good and 12 bad where there are both, but at most half of
what the batch has of a side, so that something is left to score. It is not scored, but its votes are counted.

Crowds: 60 workers, whose sensitivity is about .80 and specificity about .95 (logit-normal, standard deviation .5), with
3 % unsure. `weak`: sensitivity .55. `third spam`, `half spam`: that share answers yes to everything, or by a coin with
`spam="coin"`. `colluders`: 40 % give one answer a task that they share, by a coin and whatever the truth. `strangers 1`
and `strangers 5`: everybody votes one or five times and never again, about .8 and .8.

Pages: open tasks of one synset, 20 at most, go to a random worker who has seen fewest of them; who has seen one leaves
it to another. A worker first answers 10 gold tasks, or all. A stranger's page has one or five tasks; a tenth of their
votes go to gold. Nobody votes twice on a task, and no task has more than 40 votes.

Majority of five: five other votes on each task by the same crowd, unsure abstains, a tie is no; the mean of 20 draws.

A cell holds where, over all seeds together, without gold: precision is >= .97, or the majority's where that is less;
recall >= the majority's - .02; votes a task, gold's counted, <= 5 (weak, half spam: 8); nothing without a yes vote is
accepted; the accepted share differs by <= .05 between seeds. `sure` counts the cells whose precision or recall misses
by more than chance (binomial, one-sided 5 %): at base .01 a few images are all there is to count.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import itertools
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from holotype.crowd import Ballot, Imageable, Policy, Posterior, SimulatedCrowd, State, Tally, Task, run_campaign
from holotype.crowd.ballot import UNKNOWN, Floats, Ints
from holotype.crowd.policy import Conclusion, parse_policy
from holotype.crowd.port import Answer, Vote
from holotype.crowd.replay import play

Mask = npt.NDArray[np.bool_]

BASES: Final = (0.01, 0.05, 0.3, 0.7, 0.95, 0.99)
GOLDS: Final = {"none": (), "yes": (1,), "no": (0,), "both": (1, 0)}
"""Which sides gold shows."""
BATCHES: Final = ("one", "bad later")
CROWDS: Final = ("good", "weak", "third spam", "half spam", "colluders", "strangers 1", "strangers 5")
SYNSETS: Final = (1, 41)
SEEDS: Final = (1, 2, 3, 4, 5)

TASKS: Final = 600
GOLD: Final = 24
FIRST: Final = 2 / 3
BAD: Final = 0.05
WORKERS: Final = 60
SENSITIVITY: Final = 0.80
SPECIFICITY: Final = 0.95
WEAK: Final = 0.55
STRANGE: Final = 0.80
SPREAD: Final = 0.5
UNSURE: Final = 0.03
PAGE: Final = 20
GOLD_FIRST: Final = 10
GOLD_SHARE: Final = 0.1
MOST: Final = 40
DRAWS: Final = 20

SPAMMERS: Final = {"third spam": 1 / 3, "half spam": 1 / 2}
COLLUDERS: Final = {"colluders": 0.4}
STAYS: Final = {"strangers 1": 1, "strangers 5": 5}
PRECISION: Final = 0.97
LOST: Final = 0.02
VOTES: Final = {"weak": 8.0, "half spam": 8.0}
USUAL_VOTES: Final = 5.0
SHARES: Final = 0.05


@dataclass(frozen=True, slots=True)
class Cell:
    """One regime: a value of each axis, the number of tasks, and how spammers answer (`yes` or `coin`)."""

    base: float
    gold: str
    batch: str
    crowd: str
    synsets: int
    tasks: int = TASKS
    spam: str = "yes"

    def __str__(self) -> str:
        return f"{self.crowd:11}  base {self.base:4}  gold {self.gold:4}  {self.batch:9}  synsets {self.synsets:2}"


def all_cells(tasks: int = TASKS, spam: str = "yes") -> list[Cell]:
    """Every cell of the table: 672."""
    axes = itertools.product(CROWDS, BASES, GOLDS, BATCHES, SYNSETS)
    return [Cell(base, gold, batch, crowd, synsets, tasks, spam) for crowd, base, gold, batch, synsets in axes]


@dataclass(frozen=True, slots=True)
class Ground:
    """What only the simulation knows of the tasks: `truth`, `synset`, `batch` and `known`, each ``(tasks,)``."""

    truth: Mask
    synset: Ints
    batch: Ints
    known: Ints

    @property
    def gold(self) -> Ints:
        """Indices of the gold tasks."""
        return np.flatnonzero(self.known != UNKNOWN)


def ground(cell: Cell, rng: np.random.Generator) -> Ground:
    """The tasks of a cell; batches follow each other."""
    first = round(FIRST * cell.tasks) if cell.batch == "bad later" else cell.tasks
    truth = np.concatenate([_mixed(first, cell.base, rng), _mixed(cell.tasks - first, min(cell.base, BAD), rng)])
    synset = rng.permutation(np.repeat(np.arange(cell.synsets), sizes(cell.tasks, cell.synsets)))
    known = np.full(cell.tasks, UNKNOWN)
    for side in GOLDS[cell.gold]:
        places = np.flatnonzero(truth[:first] == side)
        known[rng.permutation(places)[: min(GOLD // len(GOLDS[cell.gold]), len(places) // 2)]] = side
    return Ground(truth, synset, (np.arange(cell.tasks) >= first).astype(np.int64), known)


def _mixed(tasks: int, base: float, rng: np.random.Generator) -> Mask:
    return np.asarray(rng.permutation(tasks) < round(base * tasks))


def sizes(tasks: int, synsets: int) -> Ints:
    """Sizes that fall as rank ** -1.5 and sum to `tasks`, at least 1: a museum's folders."""
    shares = np.arange(1, synsets + 1) ** -1.5
    found = np.maximum((shares / shares.sum() * tasks).astype(np.int64), 1)
    found[0] += tasks - found.sum()
    return np.asarray(found)


class Crowd(Protocol):
    """Workers who answer one more vote on each task asked about, and five others for the majority."""

    def ask(self, ballot: Ballot, tasks: Ints) -> Ballot:
        """The votes of `ballot` with one more on each of `tasks`, and those on gold beside them."""

    def five(self) -> Ints:
        """Five answers of different workers to every task, ``(tasks, 5)``."""


def scattered(middle: float, shape: int | tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Logit-normal chances about `middle`."""
    return np.asarray(1 / (1 + (1 - middle) / middle * np.exp(-SPREAD * rng.standard_normal(shape))))


def answers(truth: Mask, sensitivity: Floats, specificity: Floats, rng: np.random.Generator) -> Ints:
    """Independent answers of workers of these chances; shapes are broadcast."""
    yes = rng.random(np.broadcast_shapes(truth.shape, sensitivity.shape))
    said = np.where(yes < np.where(truth, sensitivity, 1 - specificity), Answer.YES, Answer.NO)
    return np.where(rng.random(said.shape) < UNSURE, Answer.UNSURE, said)


def longer(ballot: Ballot, task: Ints, worker: Ints, answer: Ints) -> Ballot:
    """The ballot with more votes."""
    columns = (ballot.task, task), (ballot.worker, worker), (ballot.answer, answer)
    task, worker, answer = (np.concatenate(column) for column in columns)
    return dataclasses.replace(ballot, task=task, worker=worker, answer=answer)


def groups(tasks: Ints, synset: Ints, size: int, rng: np.random.Generator) -> Iterator[Ints]:
    """Tasks of one synset in random order, `size` at most at a time."""
    order = tasks[np.lexsort((rng.random(len(tasks)), synset[tasks]))]
    for part in np.split(order, np.flatnonzero(np.diff(synset[order])) + 1):
        yield from (part[start : start + size] for start in range(0, len(part), size))


class Regulars:
    """Sixty workers. What each would answer to each task is drawn once, so every policy hears the same answers."""

    def __init__(self, cell: Cell, place: Ground, rng: np.random.Generator) -> None:
        self._ground, self._rng = place, rng
        able = WEAK if cell.crowd == "weak" else SENSITIVITY
        chances = scattered(able, WORKERS, rng), scattered(SPECIFICITY, WORKERS, rng)
        self._answers = answers(place.truth[:, None], *chances, rng)
        lot, shape = rng.permutation(WORKERS), self._answers.shape
        spam = np.full(shape, Answer.YES) if cell.spam == "yes" else self._coin(*shape)
        for share, told in ((SPAMMERS, spam), (COLLUDERS, np.repeat(self._coin(len(place.truth), 1), WORKERS, 1))):
            members = lot < round(share.get(cell.crowd, 0) * WORKERS)
            self._answers[:, members] = told[:, members]

    def _coin(self, *shape: int) -> Ints:
        return np.where(self._rng.random(shape) < 0.5, Answer.YES, Answer.NO)

    def five(self) -> Ints:
        """Five answers of different workers to every task, ``(tasks, 5)``."""
        lot = np.argsort(self._rng.random(self._answers.shape), axis=1)[:, :5]
        return np.take_along_axis(self._answers, lot, axis=1)

    def ask(self, ballot: Ballot, tasks: Ints) -> Ballot:
        """One more vote on each of `tasks`, and on gold by everybody who is new."""
        seen = np.zeros((ballot.tasks, WORKERS), bool)
        seen[ballot.task, ballot.worker] = True
        cast: list[tuple[Ints, Ints]] = []
        for page in groups(tasks, ballot.synset, PAGE, self._rng):
            cast += self._page(page, seen)
        cast += self._training(np.setdiff1d([worker[0] for _, worker in cast], ballot.worker))
        if not cast:
            return ballot
        task, worker = (np.concatenate(column) for column in zip(*cast, strict=True))
        return longer(ballot, task, worker, self._answers[task, worker])

    def _page(self, page: Ints, seen: Mask) -> Iterator[tuple[Ints, Ints]]:
        """Who answers a page: the fresh worker who can answer most of it, the next the rest."""
        while len(page):
            busy = seen[page].sum(axis=0)
            worker = int(np.argmin(busy + self._rng.random(WORKERS)))
            if busy[worker] == len(page):
                return
            done = page[~seen[page, worker]]
            yield done, np.full(len(done), worker)
            page = page[seen[page, worker]]

    def _training(self, new: Ints) -> Iterator[tuple[Ints, Ints]]:
        for worker in new if len(self._ground.gold) else ():
            yield (drawn := self._rng.permutation(self._ground.gold)[:GOLD_FIRST]), np.full(len(drawn), worker)


class Strangers:
    """Everybody votes `stay` times and never again."""

    def __init__(self, stay: int, place: Ground, rng: np.random.Generator) -> None:
        self._stay, self._ground, self._rng = stay, place, rng

    def five(self) -> Ints:
        """Five answers of different workers to every task, ``(tasks, 5)``."""
        return self._said(self._ground.truth[:, None], (len(self._ground.truth), 5))

    def _said(self, truth: Mask, shape: int | tuple[int, ...], of: Ints | slice = slice(None)) -> Ints:
        """Answers of new workers, `shape` of them, or of those picked `of` them."""
        sensitivity, specificity = (scattered(STRANGE, shape, self._rng)[of] for _ in range(2))
        return answers(truth, sensitivity, specificity, self._rng)

    def ask(self, ballot: Ballot, tasks: Ints) -> Ballot:
        """One more vote on each of `tasks`, and some on gold."""
        tasks = tasks[ballot.votes_per_task[tasks] < MOST]
        pages = list(self._pages(tasks, ballot.synset))
        if not pages:
            return ballot
        task, new = np.concatenate(pages), np.repeat(np.arange(len(pages)), [len(page) for page in pages])
        said = self._said(self._ground.truth[task], len(pages), new)
        longer_ballot = longer(ballot, task, ballot.workers + new, said)
        return dataclasses.replace(longer_ballot, workers=ballot.workers + len(pages))

    def _pages(self, tasks: Ints, synset: Ints) -> Iterator[Ints]:
        """The page of each stranger: as many tasks as they stay for, one of them gold now and then."""
        gold = self._ground.gold
        for page in groups(tasks, synset, len(synset), self._rng):
            left = page
            while len(left):
                shown = int(len(gold) > 0 and self._rng.random() < GOLD_SHARE * self._stay)
                yield np.concatenate([left[: self._stay - shown], self._rng.permutation(gold)[:shown]])
                left = left[self._stay - shown :]


@dataclass(frozen=True, slots=True)
class Counts:
    """What came of one campaign, or of several: tasks, good ones, accepted ones, accepted and right."""

    tasks: int
    good: int
    accepted: int
    right: int

    @property
    def precision(self) -> float:
        """Of what was accepted; 1 where nothing was."""
        return self.right / self.accepted if self.accepted else 1.0

    @property
    def recall(self) -> float:
        """Of what is good; 1 where nothing is."""
        return self.right / self.good if self.good else 1.0

    @classmethod
    def of(cls, accepted: Mask, truth: Mask) -> Counts:
        """Of tasks and whether they were accepted, both ``(tasks,)``."""
        return cls(len(truth), int(truth.sum()), int(accepted.sum()), int((accepted & truth).sum()))

    @classmethod
    def sum(cls, counts: Sequence[Counts]) -> Counts:
        """Of all together."""
        return cls(*(sum(column) for column in zip(*map(dataclasses.astuple, counts), strict=True)))


@dataclass(frozen=True, slots=True)
class Result:
    """One campaign: the `counts` without gold, all `votes` a task, how many were accepted without a yes (`alone`), how
    many ended without a label (`unlabelled`), the alarms that rang, and the seconds it took."""

    counts: Counts
    votes: float
    alone: int
    unlabelled: int
    alarms: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A cell over its seeds beside the `majority` of five over all seeds and draws, and the verdict."""

    cell: Cell
    majority: Counts
    results: tuple[Result, ...]

    @property
    def ours(self) -> Counts:
        """All seeds together."""
        return Counts.sum([result.counts for result in self.results])

    @property
    def votes(self) -> float:
        """Votes a task, gold's counted, the mean over seeds."""
        return float(np.mean([result.votes for result in self.results]))

    @property
    def alone(self) -> int:
        """Accepted without a single yes."""
        return sum(result.alone for result in self.results)

    @property
    def unlabelled(self) -> float:
        """The share of tasks that ended neither yes nor no."""
        return sum(result.unlabelled for result in self.results) / self.ours.tasks

    @property
    def spread(self) -> float:
        """By how much the accepted share differs between seeds."""
        shares = [result.counts.accepted / result.counts.tasks for result in self.results]
        return max(shares) - min(shares)

    @property
    def rang(self) -> int:
        """In how many seeds an alarm rang."""
        return sum(bool(result.alarms) for result in self.results)

    @property
    def least(self) -> tuple[float, float]:
        """The precision and the recall that are asked for."""
        return min(PRECISION, self.majority.precision), self.majority.recall - LOST

    @property
    def excess(self) -> dict[str, float]:
        """By how much each criterion is missed; not above 0 where it holds."""
        return {
            "precision": self.least[0] - self.ours.precision,
            "recall": self.least[1] - self.ours.recall,
            "votes": self.votes / VOTES.get(self.cell.crowd, USUAL_VOTES) - 1,
            "alone": self.alone / max(self.ours.accepted, 1),
            "spread": self.spread - SHARES,
        }

    @property
    def missed(self) -> tuple[str, ...]:
        """The criteria that do not hold."""
        return tuple(name for name, by in self.excess.items() if by > 1e-9)

    @property
    def surely(self) -> bool:
        """Whether precision or recall miss by more than chance."""
        told, (precision, recall) = self.ours, self.least
        return bool(
            binom.cdf(told.right, told.accepted, precision) <= 0.05 or binom.cdf(told.right, told.good, recall) <= 0.05
        )

    @property
    def badness(self) -> float:
        """By how much all criteria together are missed: what the worst cells are sorted by."""
        return sum(max(by, 0.0) for by in self.excess.values())

    def row(self) -> dict[str, object]:
        """A row of the table that `--csv` writes."""
        return {
            **dataclasses.asdict(self.cell),
            "precision": self.ours.precision,
            "recall": self.ours.recall,
            "majority_precision": self.majority.precision,
            "majority_recall": self.majority.recall,
            "votes": self.votes,
            "alone": self.alone,
            "unlabelled": self.unlabelled,
            "spread": self.spread,
            "alarms": " ".join(sorted({alarm for result in self.results for alarm in result.alarms})),
            "rang": self.rang,
            "missed": " ".join(self.missed),
            "surely": self.surely,
            "seconds": sum(result.seconds for result in self.results),
        }


def run_cell(cell: Cell, policy: Policy, seeds: Sequence[int] = SEEDS) -> Outcome:
    """A campaign of the cell for each seed."""
    five = Counts.sum([majority_of_five(cell, seed) for seed in seeds])
    return Outcome(cell, five, tuple(run_seed(cell, policy, seed) for seed in seeds))


def setting(cell: Cell, seed: int) -> tuple[Ground, Crowd]:
    """Tasks and workers, which follow from the cell and the seed, whatever the policy."""
    place = ground(cell, np.random.default_rng([seed, 0]))
    rng = np.random.default_rng([seed, 1])
    return place, Strangers(STAYS[cell.crowd], place, rng) if cell.crowd in STAYS else Regulars(cell, place, rng)


def majority_of_five(cell: Cell, seed: int) -> Counts:
    """All draws of five votes together, without gold."""
    place, crowd = setting(cell, seed)
    asked = place.known == UNKNOWN
    return Counts.sum([Counts.of(_majority(crowd.five())[asked], place.truth[asked]) for _ in range(DRAWS)])


def run_seed(cell: Cell, policy: Policy, seed: int) -> Result:
    """One campaign."""
    place, crowd = setting(cell, seed)
    began = time.process_time()
    conclusion, ballot = campaign(place, policy, crowd)
    return judged(conclusion, ballot, place.truth, place.known == UNKNOWN, time.process_time() - began)


def judged(conclusion: Conclusion, ballot: Ballot, truth: Mask, asked: Mask, seconds: float) -> Result:
    """What came of a campaign, by the truth of what was asked, ``(tasks,)`` each."""
    states = np.array([str(state) for state in conclusion.states])[asked]
    yes = states == State.YES
    return Result(
        Counts.of(yes, truth[asked]),
        len(ballot.task) / ballot.tasks,
        int((yes & (ballot.count(Answer.YES)[asked] == 0)).sum()),
        int((~yes & (states != State.NO)).sum()),
        tuple(map(str, getattr(conclusion, "alarms", ()))),
        seconds,
    )


def _majority(told: Ints) -> Mask:
    return np.asarray((told == Answer.YES).sum(axis=1) > (told == Answer.NO).sum(axis=1))


def campaign(place: Ground, policy: Policy, crowd: Crowd) -> tuple[Conclusion, Ballot]:
    """Batch after batch: each comes in when what was there is decided."""
    none = np.zeros(0, np.int64)
    ballot = Ballot(none, none, none, none, WORKERS if isinstance(crowd, Regulars) else 0, int(place.synset.max()) + 1)
    for batch in range(int(place.batch.max()) + 1):
        here = place.batch <= batch
        there: dict[str, Any] = {"synset": place.synset[here]}
        if len(place.gold):
            there["known"] = place.known[here]
        if "batch" in Ballot.__dataclass_fields__:
            there["batch"] = place.batch[here]
        conclusion, ballot = play(dataclasses.replace(ballot, **there), policy, crowd.ask)
    return conclusion, ballot


def report(outcomes: Sequence[Outcome]) -> None:
    """Criteria, a line for each crowd and base rate, the worst ten, and where alarms rang."""
    _criteria(outcomes)
    print(f"\n  {'':23}{'cells':>6}{'held':>6}{'sure':>6}{'prec':>7}{'maj':>7}{'rec':>7}{'maj':>7}", end="")
    print(f"{'votes':>7}{'most':>6}{'alone':>6}{'spread':>7}{'unlab':>7}{'alarm':>6}")
    key = lambda outcome: (outcome.cell.crowd, outcome.cell.base)  # noqa: E731
    for (crowd, base), found in itertools.groupby(outcomes, key):
        _line(f"{crowd:12} base {base}", list(found))
    print("\n  The worst ten cells")
    for outcome in sorted(outcomes, key=lambda outcome: -outcome.badness)[:10]:
        if outcome.missed:
            _worst(outcome)
    failed, held = ([out for out in outcomes if bool(out.missed) is missed] for missed in (True, False))
    for name, of in (("fail", failed), ("fail surely", of_sure(outcomes)), ("hold", held)):
        rings = [out.rang / len(out.results) for out in of]
        every, none = sum(ring == 1 for ring in rings), sum(ring == 0 for ring in rings)
        some = len(of) - every - none
        print(f"  alarms in {len(of)} cells that {name}: in every seed {every}, in some {some}, in none {none}")


def of_sure(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that fail by more than chance, or by what chance has no part in."""
    return [out for out in outcomes if out.surely or {"votes", "alone", "spread"} & set(out.missed)]


def _criteria(outcomes: Sequence[Outcome]) -> None:
    missed = Counter(name for outcome in outcomes for name in outcome.missed)
    held = sum(not outcome.missed for outcome in outcomes)
    sure = len(outcomes) - len(of_sure(outcomes))
    print(
        f"\n  {held} of {len(outcomes)} cells hold, {sure} beside those that miss by no more than chance; of each: ",
        end="",
    )
    print(", ".join(f"{name} {len(outcomes) - missed[name]}" for name in outcomes[0].excess))


def _line(name: str, found: Sequence[Outcome]) -> None:
    ours, five = Counts.sum([out.ours for out in found]), Counts.sum([out.majority for out in found])
    held, sure = sum(not out.missed for out in found), len(found) - len(of_sure(found))
    rang = sum(out.rang for out in found) / sum(len(out.results) for out in found)
    print(
        f"  {name:23}{len(found):6}{held:6}{sure:6}{ours.precision:7.3f}{five.precision:7.3f}{ours.recall:7.3f}"
        f"{five.recall:7.3f}{np.mean([out.votes for out in found]):7.2f}{max(out.votes for out in found):6.1f}"
        f"{sum(out.alone for out in found):6}{max(out.spread for out in found):7.3f}"
        f"{np.mean([out.unlabelled for out in found]):7.3f}{rang:6.2f}",
        flush=True,
    )


def _worst(outcome: Outcome) -> None:
    ours, five = outcome.ours, outcome.majority
    print(
        f"    {outcome.cell}: precision {ours.precision:.3f} ({five.precision:.3f}), recall {ours.recall:.3f} "
        f"({five.recall:.3f}), votes {outcome.votes:.2f}, alone {outcome.alone}, spread {outcome.spread:.3f}, "
        f"alarm {outcome.rang}/{len(outcome.results)}; misses {', '.join(outcome.missed)}"
    )


def bench(
    cells: Sequence[Cell], policy: Policy, seeds: Sequence[int] = SEEDS, jobs: int = 1, table: Path | None = None
) -> None:
    """Run the cells, write the rows of the table as they come, and report."""
    print(f"\nRegimes: {len(cells)} cells x {len(seeds)} seeds, {cells[0].tasks} tasks each, {policy}")
    began, work = time.perf_counter(), partial(run_cell, policy=policy, seeds=seeds)
    with ExitStack() as stack:
        found: Iterable[Outcome] = map(work, cells)
        if jobs > 1:
            found = stack.enter_context(Pool(jobs)).imap(work, cells)
        outcomes = list(_written(found, table))
    report(outcomes)
    cpu = sum(result.seconds for outcome in outcomes for result in outcome.results) / (len(cells) * len(seeds))
    print(f"  {cpu:.2f} CPU s a campaign, {time.perf_counter() - began:.0f} s in all, {jobs} jobs")


def _written(found: Iterable[Outcome], table: Path | None) -> Iterator[Outcome]:
    with ExitStack() as stack:
        writer = None
        file = stack.enter_context(table.open("w", newline="")) if table else None
        for outcome in found:
            if file:
                row = outcome.row()
                if writer is None:
                    writer = csv.DictWriter(file, list(row))
                    writer.writeheader()
                writer.writerow(row)
                file.flush()
            yield outcome


def chosen(cells: Sequence[Cell], text: str) -> list[Cell]:
    """Cells with the values that `text` names: ``crowd=good|weak,base=.3``. Raises `ValueError` for other axes."""
    for part in filter(None, text.split(",")):
        axis, _, values = part.partition("=")
        if axis not in Cell.__dataclass_fields__:
            raise ValueError(f"an axis is one of {', '.join(Cell.__dataclass_fields__)}, not {axis!r}")
        of = type(getattr(cells[0], axis))
        wanted = {of(value) for value in values.split("|")}
        cells = [cell for cell in cells if getattr(cell, axis) in wanted]
        if not cells:
            raise ValueError(f"no cell has {part}")
    return list(cells)


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
        tally = Tally(tasks[:shown], votes, {number: yes for number, yes in gold.items() if number < shown})
        conclusion = run_campaign(tally, crowd, policy, lambda _: None)
        votes = tally.votes
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=parse_policy, default=Imageable(Posterior()), metavar="TEXT")
    parser.add_argument("--only", default="", metavar="AXIS=VALUE[|VALUE],...", help="base gold batch crowd synsets")
    parser.add_argument("--cells", type=int, metavar="N", help="a random subset, the same at every call")
    parser.add_argument("--seeds", type=int, help="1 to so many; 5, and 10 of the pools")
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--spam", choices=("yes", "coin"), default="yes", help="how spammers answer")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--csv", type=Path, metavar="FILE")
    parser.add_argument("--pools", action="store_true", help="the museum's pools instead")
    options = parser.parse_args()
    print(f"regimes, {len(os.sched_getaffinity(0))} cores, Python {sys.version.split()[0]}, numpy {np.__version__}")
    seeds = range(1, options.seeds + 1) if options.seeds else POOL_SEEDS if options.pools else SEEDS
    if options.pools:
        bench_museums(options.policy, seeds)
        return
    cells = chosen(all_cells(options.tasks, options.spam), options.only)
    if options.cells and options.cells < len(cells):
        drawn = np.random.default_rng(0).choice(len(cells), options.cells, replace=False)
        cells = [cells[number] for number in sorted(drawn)]
    bench(cells, options.policy, seeds, options.jobs, options.csv)


if __name__ == "__main__":
    main()
