"""A collection played on a simulated web: pages are asked, candidates voted on, until each synset has what it needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.collect.spending import Pages, Ways, ended
from holotype.simulation.web import RULES, Web

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Choose = Callable[[Ways, Pages, Ints, np.random.Generator], Ints]
"""Ways, what pages brought so far, how many clean images each synset still needs, ``(synsets,)``, and dice: the way to
ask next for each, ``(synsets,)``, -1 for a synset that needs none or has none left."""


@dataclass(frozen=True, slots=True)
class Votes:
    """How votes come in: a clean image is found so with chance `sensitivity`, another with ``1 - specificity``, and a
    share is left `undecided`. They are known once `wave` more pages of the synset were asked."""

    sensitivity: float = 0.95
    specificity: float = 0.998
    undecided: float = 0.03
    wave: int = 10


@dataclass(frozen=True, slots=True)
class Played:
    """How a collection went: `requests` made and images `accepted` and really `clean`, ``(synsets,)`` each; `reached`
    where the goal was. `after` has the number accepted after each request, ``(most requests, synsets)``."""

    requests: Ints
    accepted: Ints
    clean: Ints
    reached: Bools
    after: Ints


VOTES: Final = Votes()


LEMMAS: Final = ("lemma", "ambiguous lemma")


def ways_of(web: Web) -> Ways:
    """The searches of a web as ways; each rule, language and engine is an arm."""
    arms: dict[tuple[str, str, int], int] = {}
    arm = [arms.setdefault((one.rule, one.language, one.engine), len(arms)) for one in web.searches]
    engines = [web.climate.engines[one.engine] for one in web.searches]
    return Ways(
        np.array([one.synset for one in web.searches], np.int64),
        np.array(arm, np.int64),
        np.array([engine.cost for engine in engines]),
        np.array([engine.page for engine in engines], np.int64),
        np.array([-(-engine.most // engine.page) for engine in engines], np.int64),
    )


def in_turn(web: Web, rules: Collection[str] = tuple(RULES)) -> Choose:
    """Round-robin: the first page of every search of a synset by these rules, in the order of its queries, then the
    second page of each, and so on."""
    may = np.array([one.rule in rules for one in web.searches])
    order = np.array([one.query * len(web.climate.engines) + one.engine for one in web.searches])

    def choose(ways: Ways, pages: Pages, needs: Ints, _: np.random.Generator) -> Ints:
        asked = np.bincount(pages.way, minlength=len(ways))
        left = may & ~ended(ways, pages) & (needs[ways.synset] > 0)
        ranked = np.lexsort((order, asked, ~left, ways.synset))
        synset, first = np.unique(ways.synset[ranked], return_index=True)
        chosen = np.full(len(needs), -1, np.int64)
        chosen[synset] = np.where(left[ranked[first]], ranked[first], -1)
        return chosen

    return choose


def play(web: Web, choose: Choose, goal: int, seed: int, votes: Votes = VOTES) -> Played:
    """A page at a time for each synset, until votes have accepted `goal` images of it or `choose` has no page left."""
    game = _Game(web, goal, np.random.default_rng(seed), votes)
    rng = np.random.default_rng((seed, 1))
    while (ways := choose(game.ways, game.pages(), game.needs, rng)).max(initial=-1) >= 0:
        for way in ways[ways >= 0].tolist():
            game.ask(way)
        game.after.append(game.accepted.copy())
    reached = game.accepted >= goal
    return Played(game.requests, game.accepted, game.clean, reached, np.array(game.after, np.int64))


class _Game:
    """The state of a game: what each synset has, and the pages asked as columns.

    What votes say of an image is drawn beforehand, so that it is the same whatever is asked first.
    """

    def __init__(self, web: Web, goal: int, rng: np.random.Generator, votes: Votes) -> None:
        self.web, self.ways, self._goal, self._wave = web, ways_of(web), goal, votes.wave
        synsets, sizes = len(web.clean), self._sizes()
        self._decided = [rng.random(size) >= votes.undecided for size in sizes]
        self._yes = [
            decided & (rng.random(size) < np.where(np.arange(size) < clean, votes.sensitivity, 1 - votes.specificity))
            for decided, size, clean in zip(self._decided, sizes, web.clean.tolist(), strict=True)
        ]
        self.requests, self.accepted, self.clean = (np.zeros(synsets, np.int64) for _ in range(3))
        self.after: list[Ints] = []
        self._held = [np.zeros(size, bool) for size in sizes]
        self._asked = np.zeros(len(self.ways), np.int64)
        self._rows = np.zeros((int(self.ways.pages.sum()), 7), np.int64)
        self._made = 0
        self._waiting: list[list[tuple[int, int, int]]] = [[] for _ in range(synsets)]

    def _sizes(self) -> Sequence[int]:
        most = np.zeros(len(self.web.clean), np.int64)
        for one in self.web.searches:
            most[one.synset] = max(most[one.synset], one.results.max(initial=0) + 1)
        return [int(size) for size in np.maximum(most, self.web.clean)]

    @property
    def needs(self) -> Ints:
        """How many accepted images each synset lacks."""
        return np.maximum(self._goal - self.accepted, 0)

    def pages(self) -> Pages:
        """What is known of the pages asked."""
        way, number, held, fresh, judged, clean, last = self._rows[: self._made].T
        return Pages(way, number, held, fresh, judged, clean, last.astype(bool))

    def ask(self, way: int) -> None:
        """Ask the next page of a way."""
        synset = int(self.ways.synset[way])
        self._asked[way] += 1
        self.requests[synset] += 1
        number, seen = int(self._asked[way]), self._held[synset]
        images = np.unique(self.web.page(way, number))
        fresh = images[~seen[images]]
        row, before = self._made, int(seen.sum())
        seen[fresh] = True
        yes, decided = self._yes[synset][fresh], self._decided[synset][fresh]
        self._rows[row] = way, number, before, len(fresh), 0, 0, self.web.last(way, number)
        self._made += 1
        self.accepted[synset] += yes.sum()
        self.clean[synset] += (yes & (fresh < self.web.clean[synset])).sum()
        self._waiting[synset].append((row, int(decided.sum()), int(yes.sum())))
        if len(self._waiting[synset]) >= self._wave:
            self._tell(synset)

    def _tell(self, synset: int) -> None:
        """Votes on what came in are known."""
        for row, judged, clean in self._waiting[synset]:
            self._rows[row, 4:6] = judged, clean
        self._waiting[synset].clear()
