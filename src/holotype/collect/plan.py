"""What collecting would take, before anything is asked: requests, time and cost, query by query."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final

from holotype.collect.queries import Asked
from holotype.collect.sources.port import About, Rate, Source
from holotype.collect.spending import FRESH, PRECISION
from holotype.errors import SourceError, SourceRefused

GOAL: Final = 500
"""Clean images for a synset: Deng et al. 2009 wanted 500 to 1,000."""
DEEP: Final = 10_000
"""So many results of a question are counted on where a source says no limit."""
COLUMNS: Final = ("synset", "query", "language", "rule", "source", "requests", "results", "cost")
_WEEK: Final = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Yield:
    """What is expected of a rule on a source in a language: new candidates a result, and the share `clean` of these."""

    fresh: float = FRESH
    clean: float = PRECISION


Yields = Mapping[tuple[str, str, str], Yield]
"""Yields by rule, source and language."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was asked of a query before: pages, clean images expected of these, and whether there is no other page."""

    pages: int = 0
    clean: float = 0.0
    is_all: bool = False


Before = Mapping[tuple[str, str, Asked], Done]
"""What was asked before, by wnid, source and query."""


@dataclass(frozen=True, slots=True)
class Step:
    """A query to a source: requests, the most `results` of these, `clean` images expected, and dollars."""

    wnid: str
    asked: Asked
    source: str
    requests: int
    results: int
    clean: float
    cost: float

    def values(self) -> dict[str, str | int | float]:
        """Its values by `COLUMNS`."""
        about = self.wnid, self.asked.text, self.asked.language, self.asked.rule, self.source
        return dict(zip(COLUMNS, (*about, self.requests, self.results, self.cost), strict=True))

    def row(self) -> tuple[str, ...]:
        """Its cells under `COLUMNS`."""
        numbers = f"{self.requests:,}", f"{self.results:,}", f"{self.cost:,.2f}"
        return self.wnid, self.asked.text, self.asked.language, self.asked.rule, self.source, *numbers


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be asked to have `goal` clean images of each of `synsets`, and what that takes.

    `seconds` is how long each source's limits make its requests last; sources are asked side by side. `short` has the
    clean images expected of the synsets that will not have so many, though all is asked; `refused` counts queries that
    a source cannot be asked, by source; `held` are the clean images expected of what was found before.
    """

    goal: int
    synsets: int
    steps: tuple[Step, ...]
    seconds: Mapping[str, float]
    short: Mapping[str, float] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    held: float = 0.0

    @property
    def requests(self) -> int:
        """Of all steps."""
        return sum(step.requests for step in self.steps)

    @property
    def results(self) -> int:
        """The most that all steps bring."""
        return sum(step.results for step in self.steps)

    @property
    def clean(self) -> float:
        """Clean images expected of all steps."""
        return sum(step.clean for step in self.steps)

    @property
    def cost(self) -> float:
        """Dollars, of all steps."""
        return sum(step.cost for step in self.steps)

    @property
    def time(self) -> float:
        """Seconds until the slowest source is done."""
        return max(self.seconds.values(), default=0.0)

    def rows(self) -> list[tuple[str, ...]]:
        """A row of cells for each step, under `COLUMNS`."""
        return [step.row() for step in self.steps]

    def by_source(self) -> Iterator[str]:
        """A line for each source: its requests, its time and its cost."""
        requests, cost = Counter[str](), defaultdict[str, float](float)
        for step in self.steps:
            requests[step.source] += step.requests
            cost[step.source] += step.cost
        for name, seconds in self.seconds.items():
            price = f", ${cost[name]:,.2f}" if cost[name] else ""
            yield f"{name}: {_many(requests[name], 'request')}, {lasting(seconds)}{price}"
        for name, number in self.refused.items():
            yield f"{name} cannot be asked {_many(number, 'query', 'queries')}"

    def __str__(self) -> str:
        queries = len({(step.wnid, step.asked) for step in self.steps})
        asked = f"{_many(self.synsets, 'synset')}, {_many(queries, 'query', 'queries')}"
        total = f"{asked}: {_many(self.requests, 'request')}, {lasting(self.time)}, ${self.cost:,.2f}"
        expected = (
            f"at most {self.results:,} results, about {self.clean:,.0f} clean images where {self._wanted:,} are wanted"
        )
        if self.held:
            expected += f", beside about {self.held:,.0f} of what was found before"
        lines = [total, expected, *self.by_source()]
        if self.results:
            lines.append(f"then pictures are fetched, one a second of each site: {lasting(self.results)} at most")
        if self.short:
            lines.append(f"{_many(len(self.short), 'synset')} will have fewer than {self.goal:,}, though all is asked")
        return "\n".join(lines)

    @property
    def _wanted(self) -> int:
        return self.goal * self.synsets


def plan(
    queries: Mapping[str, Sequence[Asked]],
    sources: Iterable[Source],
    goal: int = GOAL,
    yields: Yields | None = None,
    before: Before | None = None,
) -> Plan:
    """What to ask `sources` to have `goal` clean images of each synset, whose `queries` are given by wnid.

    Free sources go before paid ones, at one price the first results of every query before the next of any, and no more
    is asked once as many clean images are expected as wanted. What is expected is a guess: each result is taken to be
    there, and `yields` says how many are new and clean, or, for what it does not name, what Deng et al. (2009) saw.
    Pages that were asked for `before` are not asked for again, and what they brought counts.

    Raises `SourceError` for a goal below 1.
    """
    if goal < 1:
        raise SourceError(f"a goal is 1 or more clean images for a synset, not {goal}")
    places, refused = list(sources), Counter[str]()
    steps, short, held = list[Step](), dict[str, float](), 0.0
    for wnid, asked in queries.items():
        done = {
            (place.name, one): (before or {}).get((wnid, place.name, one), Done()) for one in asked for place in places
        }
        there = sum(what.clean for what in done.values())
        ways = list(_ways(asked, places, yields or {}, refused, done))
        taken, expected = _taken(ways, goal, there)
        steps.extend(way.step(wnid, pages) for way, pages in zip(ways, taken, strict=True) if pages > way.done.pages)
        held += there
        if expected < goal:
            short[wnid] = expected
    requests = Counter[str]()
    for step in steps:
        requests[step.source] += step.requests
    seconds = {place.name: seconds_of(requests[place.name], place.about.rates) for place in places}
    return Plan(goal, len(queries), tuple(steps), seconds, short, dict(refused), held)


@dataclass(frozen=True, slots=True)
class _Way:
    """A query put to a source, of `rank` among the queries."""

    rank: int
    asked: Asked
    source: str
    about: About
    expected: Yield
    done: Done

    @property
    def pages(self) -> int:
        return self.done.pages if self.done.is_all else self.about.requests(self.most)

    @property
    def most(self) -> int:
        return DEEP if self.about.most is None else self.about.most

    def results(self, pages: int) -> int:
        return min(pages * self.about.per_page, self.most)

    def clean(self, pages: int) -> float:
        return self.results(pages) * self.expected.fresh * self.expected.clean

    def step(self, wnid: str, pages: int) -> Step:
        """The pages from those that were asked for before to so many."""
        before = self.done.pages
        cost = (pages - before) * self.about.cost
        results, clean = self.results(pages) - self.results(before), self.clean(pages) - self.clean(before)
        return Step(wnid, self.asked, self.source, pages - before, results, clean, cost)

    def offer(self, page: int) -> tuple[float, int, int]:
        """What orders a page: the dollars for a clean image on it, its first result, and the query's rank."""
        return self.about.cost / (self.clean(page) - self.clean(page - 1)), self.results(page - 1), self.rank


def _ways(
    asked: Sequence[Asked],
    sources: Sequence[Source],
    yields: Yields,
    refused: Counter[str],
    done: Mapping[tuple[str, Asked], Done],
) -> Iterator[_Way]:
    for rank, one in enumerate(asked):
        for source in sources:
            expected = yields.get((one.rule, source.name, one.language), Yield())
            if not _takes(source, one):
                refused[source.name] += 1
            elif expected.fresh * expected.clean > 0:
                yield _Way(rank, one, source.name, source.about, expected, done[source.name, one])


def _takes(source: Source, asked: Asked) -> bool:
    try:
        source.first(asked)
    except SourceRefused:
        return False
    return True


def _taken(ways: Sequence[_Way], goal: int, expected: float) -> tuple[list[int], float]:
    """How many pages of each way have been asked when a goal is reached, and how many clean images are expected then;
    so many are `expected` of the pages that were asked before."""
    taken = [way.done.pages for way in ways]
    offers = [(way.offer(taken[at] + 1), at) for at, way in enumerate(ways) if taken[at] < way.pages]
    heapify(offers)
    while offers and expected < goal:
        _, at = heappop(offers)
        way, taken[at] = ways[at], taken[at] + 1
        expected += way.clean(taken[at]) - way.clean(taken[at] - 1)
        if taken[at] < way.pages:
            heappush(offers, (way.offer(taken[at] + 1), at))
    return taken, expected


def seconds_of(requests: int, rates: Iterable[Rate]) -> float:
    """How long so many requests last, from the first to the last, where none of `rates` is broken.

    >>> seconds_of(401, [Rate(200, 60)]), seconds_of(400, [Rate(200, 60), Rate(100, 86_400)]), seconds_of(0, [])
    (120.0, 259200.0, 0.0)
    """
    return float(max((max(requests - 1, 0) // rate.requests * rate.seconds for rate in rates), default=0))


def lasting(seconds: float) -> str:
    """A time in words.

    >>> [lasting(seconds) for seconds in (0, 59.2, 110, 7_200, 200_000, 2_000_000)]
    ['less than a minute', 'a minute', '1.8 minutes', '2 hours', '2.3 days', '3.3 weeks']
    """
    if seconds < 30:
        return "less than a minute"
    for name, size, below in (("minute", 60, 5_400), ("hour", 3_600, 172_800), ("day", 86_400, 2 * _WEEK)):
        if seconds < below:
            number = seconds / size
            return f"a {name}" if round(number) == 1 else f"{_figure(number)} {name}s"
    return f"{_figure(seconds / _WEEK)} weeks"


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 or abs(number - round(number)) < 0.05 else f"{number:.1f}"


def _many(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
