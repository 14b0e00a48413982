"""How a project stands: labels, votes, workers and what is left to do, at a glance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import box_figures, campaigns, labels, overview, shown, workers
from holotype.catalog.shown import Mark
from holotype.consensus.posteriors import fit
from holotype.crowd.conclusion import Policy
from holotype.crowd.division import Division, Rule
from holotype.crowd.imageable import Imageable
from holotype.crowd.inbox import WEB
from holotype.crowd.layers import ranges_of
from holotype.crowd.policies import Posterior
from holotype.crowd.policy_names import parse_rule
from holotype.crowd.reviews import Timing, Verdict, WorkerReview, review_workers
from holotype.crowd.tally import Tally
from holotype.project.facts import read_tally
from holotype.project.keeping import Worked
from holotype.project.parts import Parts
from holotype.project.tree_counts import LARGE, Kept
from holotype.simulation.fitting import History, fit_population
from holotype.simulation.forecast import Effort, Forecast, forecast
from holotype.simulation.rehearsal import Prices

STATES: Final = ("yes", "no", "open", "undecided", "abandoned")
HOUR: Final = 3_600.0
_EFFORT: Final = Effort(runs=20, tasks=500)
_SEED: Final = 2009


@dataclass(frozen=True, slots=True)
class SynsetRow:
    """The candidates of a synset by state; withdrawn ones are left out."""

    wnid: str
    name: str
    yes: int = 0
    no: int = 0
    open: int = 0
    undecided: int = 0
    abandoned: int = 0

    @property
    def decided(self) -> int:
        """Those labelled yes or no."""
        return self.yes + self.no

    @property
    def candidates(self) -> int:
        """All of them."""
        return self.decided + self.open + self.undecided + self.abandoned


@dataclass(frozen=True, slots=True)
class BoxNumbers:
    """The work on boxes at a glance: candidates whose boxes people were asked about, those concluded (all covered, or
    none there) and those at which a person must look; boxes, drawings, and how many of the drawings that were judged
    most judges call good."""

    candidates: int
    concluded: int
    person: int
    boxes: int
    drawings: int
    judged: int
    good: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """A project at a glance: candidates in all, votes in all and of the last hour and day, votes on gold and those that
    were right, and how many answered pages were asked for on platforms, by crowd;
    workers who are blocked; flags and requests to take images down that wait for a decision; and the work on boxes."""

    total: SynsetRow
    votes: int
    hour: int
    day: int
    gold: int
    right: int
    posted: Mapping[str, int]
    blocked: int
    flags: int
    removals: int
    boxes: BoxNumbers

    @property
    def votes_a_candidate(self) -> float:
        """Votes over candidates."""
        return self.votes / max(1, self.total.candidates)


@dataclass(frozen=True, slots=True)
class Running:
    """A campaign that is running: the wnids of its subtrees, none for everything, the votes that it has taken of its
    budget (None: there is no end), and by what it failed last, if it did."""

    id: int
    under: Sequence[str]
    spent: int
    budget: int | None
    error: str


class Overview:
    """How a project stands; what takes long is kept until the catalog changes, and found anew behind the scenes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        catalog = parts.catalog
        self._rows = Kept(catalog, shown.states_mark, self._count, lambda rows: _total(rows).candidates > LARGE)
        self._gold = Kept(catalog, _cast_mark, overview.gold_votes, lambda found: found[0] > LARGE)
        self._pace = Kept(catalog, self._minute, self._votes_since, lambda found: found[0] > LARGE)
        self._campaigns = Kept(catalog, _campaigns_mark, self._running, lambda all: sum(x.spent for x in all) > LARGE)
        self._boxes = Kept(catalog, _boxes_mark, _count_boxes, lambda found: found.drawings > LARGE)
        self.reviews: Worked[list[WorkerReview]] = Worked()
        self.forecasts: Worked[Forecast] = Worked()

    def numbers(self) -> Numbers:
        """The project at a glance."""
        (votes, hour, day), (gold, right) = self._pace.get(), self._gold.get()
        with self._parts.catalog.read() as connection:
            posted, blocked = overview.answers_asked_for(connection, WEB), len(workers.blocked(connection))
            flags, removals = overview.waiting(connection)
        total = _total(self.by_synset())
        return Numbers(total, votes, hour, day, gold, right, posted, blocked, flags, removals, self._boxes.get())

    def by_synset(self) -> list[SynsetRow]:
        """The candidates of every synset that has any, in ontology order."""
        return self._rows.get()

    def running(self) -> list[Running]:
        """The campaigns that are running, oldest first."""
        return self._campaigns.get()

    def verdicts(self) -> list[WorkerReview]:
        """A review of every worker whose votes count, by name: see `holotype.crowd.reviews.review_workers`."""
        return self.reviews.now(self._mark(), self._review)

    def watched(self) -> tuple[int, int, int] | None:
        """How many workers there are whose votes count, and how many of them are to be watched, and blocked; as it was
        when that was found last, None before it ever was."""
        self.reviews.begin(self._mark(), self._review)
        found = self.reviews.last()
        if found is None:
            return None
        verdicts = [review.verdict for review in found]
        return len(found), verdicts.count(Verdict.WATCH), verdicts.count(Verdict.BLOCK)

    def forecast(self, reward: float) -> None:
        """Begin to work out what is left to spend until the last policy has no open candidate, where workers get
        `reward` dollars for a page; it is in `forecasts` when it is there. Raises `CrowdError` for no reward."""
        prices = Prices(reward, fee=0.0)
        self.forecasts.begin((self._mark(), reward), lambda: self._forecast(prices))

    def _mark(self) -> Mark:
        with self._parts.catalog.read() as connection:
            return _cast_mark(connection)

    def _minute(self, connection: Connection) -> Mark:
        return *_cast_mark(connection), int(self._parts.clock() // 60)

    def _votes_since(self, connection: Connection) -> list[int]:
        now = self._parts.clock()
        return overview.votes_since(connection, [0.0, now - HOUR, now - 24 * HOUR])

    def _running(self, connection: Connection) -> list[Running]:
        found = []
        for one in campaigns.read(connection, running=True):
            ranges = ranges_of(self._parts.ontology, one.under) if one.under else None
            _, spent = campaigns.votes(connection, ranges, one.at)
            found.append(Running(one.id, one.under, spent, one.budget, one.detail if one.kind == "failed" else ""))
        return found

    def _count(self, connection: Connection) -> list[SynsetRow]:
        counted = labels.counts(connection)
        found: dict[tuple[int, str], dict[str, int]] = {}
        for (rank, wnid, state), number in sorted(counted.items()):
            if state in STATES:
                found.setdefault((rank, wnid), {})[state] = number
        ontology = self._parts.ontology
        named = (
            (wnid, wnid) if wnid else (ontology.at_rank(rank).wnid, ontology.at_rank(rank).name) for rank, wnid in found
        )
        return [
            SynsetRow(wnid, str(name), **states) for (wnid, name), states in zip(named, found.values(), strict=True)
        ]

    def _tally(self) -> Tally:
        with self._parts.catalog.read() as connection:
            return read_tally(connection, self._parts.catalog, timed=True)

    def _review(self) -> list[WorkerReview]:
        tally = self._tally()
        ballot = tally.ballot()
        found = review_workers(ballot, Timing(*tally.counting.timing), ballot.names or (), fit(ballot))
        return sorted(found, key=lambda review: review.worker)

    def _forecast(self, prices: Prices) -> Forecast:
        history = History.of(self._tally())
        with self._parts.catalog.read() as connection:
            last = labels.last_policy(connection)
        policy = Imageable(Posterior()) if last is None else _newest(parse_rule(last))
        rng = np.random.default_rng(_SEED)
        return forecast(history, fit_population(history), policy, prices, rng, _EFFORT)


def _newest(rule: Rule) -> Policy:
    """The policy by which people are asked: where subtrees have their own, that of the newest campaign."""
    return rule.parts[0].policy if isinstance(rule, Division) else rule


def _cast_mark(connection: Connection) -> Mark:
    """Changes whenever labels do, or the votes that count."""
    return *shown.states_mark(connection), *overview.votes_mark(connection)


def _campaigns_mark(connection: Connection) -> Mark:
    """Changes whenever a campaign does, or the votes it takes."""
    return *_cast_mark(connection), *overview.campaigns_mark(connection)


def _boxes_mark(connection: Connection) -> Mark:
    """Changes whenever facts about boxes come, or what is concluded of them does."""
    return *box_figures.mark(connection), *shown.states_mark(connection)


def _count_boxes(connection: Connection) -> BoxNumbers:
    found = box_figures.read(connection).values()
    states = Counter[str]()
    for one in found:
        states.update(one.states)
    concluded = states["covered"] + states["empty"]
    sums = (sum(getattr(one, name) for one in found) for name in ("boxes", "drawings", "judged", "good"))
    return BoxNumbers(states.total(), concluded, states["person"], *sums)


def _total(rows: Iterable[SynsetRow]) -> SynsetRow:
    """All synsets as one."""
    sums = dict.fromkeys(STATES, 0)
    for row in rows:
        for state in STATES:
            sums[state] += getattr(row, state)
    return SynsetRow("", "", **sums)
