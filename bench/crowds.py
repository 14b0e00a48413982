"""Simulated tasks and crowds of the regimes, and campaigns among them: `bench/regimes.py` says by what rules."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats, Ints
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import Conclusion, Policy
from holotype.simulation.replay import play

Mask = npt.NDArray[np.bool_]

BASES: Final = (0.01, 0.05, 0.3, 0.7, 0.95, 0.99)
GOLDS: Final = {"none": (), "yes": (1,), "no": (0,), "both": (1, 0)}
"""Which sides gold shows."""
BATCHES: Final = ("one", "bad later")
CROWDS: Final = ("good", "weak", "third spam", "half spam", "colluders", "strangers 1", "strangers 5")
SYNSETS: Final = (1, 41)

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

SPAMMERS: Final = {"third spam": 1 / 3, "half spam": 1 / 2}
COLLUDERS: Final = {"colluders": 0.4}
STAYS: Final = {"strangers 1": 1, "strangers 5": 5}


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

    def weights(self, ballot: Ballot) -> Floats:
        """What each vote weighs to one who knows the workers: its log likelihood ratio, good over bad, ``(votes,)``."""


def scattered(middle: float, shape: int | tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Logit-normal chances about `middle`."""
    return np.asarray(1 / (1 + (1 - middle) / middle * np.exp(-SPREAD * rng.standard_normal(shape))))


def answers(truth: Mask, sensitivity: Floats, specificity: Floats, rng: np.random.Generator) -> Ints:
    """Independent answers of workers of these chances; shapes are broadcast."""
    yes = rng.random(np.broadcast_shapes(truth.shape, sensitivity.shape))
    said = np.where(yes < np.where(truth, sensitivity, 1 - specificity), Answer.YES, Answer.NO)
    return np.where(rng.random(said.shape) < UNSURE, Answer.UNSURE, said)


def weights(sensitivity: Floats, specificity: Floats) -> Floats:
    """Log likelihood ratios of no, unsure and yes, good over bad, ``(..., 3)``."""
    no, yes = np.log((1 - sensitivity) / specificity), np.log(sensitivity / (1 - specificity))
    return np.stack([no, np.zeros_like(no), yes], axis=-1)


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
        sensitivity, specificity = scattered(able, WORKERS, rng), scattered(SPECIFICITY, WORKERS, rng)
        self._answers = answers(place.truth[:, None], sensitivity, specificity, rng)
        self._weights = weights(sensitivity, specificity)
        lot, shape = rng.permutation(WORKERS), self._answers.shape
        spam = np.full(shape, Answer.YES) if cell.spam == "yes" else self._coin(*shape)
        for share, told in ((SPAMMERS, spam), (COLLUDERS, np.repeat(self._coin(len(place.truth), 1), WORKERS, 1))):
            members = lot < round(share.get(cell.crowd, 0) * WORKERS)
            self._answers[:, members] = told[:, members]
            self._weights[members] = 0

    def _coin(self, *shape: int) -> Ints:
        return np.where(self._rng.random(shape) < 0.5, Answer.YES, Answer.NO)

    def five(self) -> Ints:
        """Five answers of different workers to every task, ``(tasks, 5)``."""
        lot = np.argsort(self._rng.random(self._answers.shape), axis=1)[:, :5]
        return np.take_along_axis(self._answers, lot, axis=1)

    def weights(self, ballot: Ballot) -> Floats:
        """What each vote weighs to one who knows the workers, ``(votes,)``."""
        return np.asarray(self._weights[ballot.worker, ballot.answer])

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

    def weights(self, ballot: Ballot) -> Floats:
        """What each vote weighs to one who knows the population, ``(votes,)``."""
        mean = scattered(STRANGE, 100_000, np.random.default_rng(0)).mean()
        return np.asarray(weights(mean, mean)[ballot.answer])

    def _said(self, truth: Mask, shape: int | tuple[int, ...], of: Ints | slice = slice(None)) -> Ints:
        """Answers of new workers, `shape` of them, or of those picked `of` them."""
        sensitivity, specificity = (scattered(STRANGE, shape, self._rng)[of] for _ in range(2))
        return answers(truth, sensitivity, specificity, self._rng)

    def ask(self, ballot: Ballot, tasks: Ints) -> Ballot:
        """One more vote on each of `tasks`, and some on gold."""
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


def setting(cell: Cell, seed: int) -> tuple[Ground, Crowd]:
    """Tasks and workers, which follow from the cell and the seed, whatever the policy."""
    place = ground(cell, np.random.default_rng([seed, 0]))
    rng = np.random.default_rng([seed, 1])
    return place, Strangers(STAYS[cell.crowd], place, rng) if cell.crowd in STAYS else Regulars(cell, place, rng)


def campaign(place: Ground, policy: Policy, crowd: Crowd) -> tuple[Conclusion, Ballot]:
    """Batch after batch: each comes in when what was there is decided."""

    def ask(ballot: Ballot, tasks: Ints) -> Ballot:
        return crowd.ask(ballot, tasks[ballot.votes_per_task[tasks] < MOST])

    none = np.zeros(0, np.int64)
    ballot = Ballot(none, none, none, none, WORKERS if isinstance(crowd, Regulars) else 0, int(place.synset.max()) + 1)
    for batch in range(int(place.batch.max()) + 1):
        here = place.batch <= batch
        there: dict[str, Any] = {"synset": place.synset[here]}
        if len(place.gold):
            there["known"] = place.known[here]
        if "batch" in Ballot.__dataclass_fields__:
            there["batch"] = place.batch[here]
        conclusion, ballot = play(dataclasses.replace(ballot, **there), policy, ask)
    return conclusion, ballot
