"""Searching: sources are asked for synsets, a page at a time, each at its own pace; what they answer is kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import searches
from holotype.catalog.schema import STATES
from holotype.catalog.searches import REJECTED, Added, Answered, History, Page, Search
from holotype.collect.asking import Answer, Asker
from holotype.collect.net.client import Client
from holotype.collect.plan import DEEP, GOAL, lasting
from holotype.collect.queries import Asked
from holotype.collect.sources.port import About, Source
from holotype.collect.spending import Bools, Floats, Pages, Ways, learn, worth_of
from holotype.errors import SourceBusy, SourceRefused
from holotype.project.found_again import ask_about_known
from holotype.project.parts import Parts
from holotype.project.results import result_of
from holotype.provenance import in_one_line, is_web_url

_DOLLAR: Final = 1_000.0
"""Seconds of waiting that a dollar is worth."""
_JUDGED: Final = tuple(STATES.index(state) for state in ("yes", "no"))
_RELEARN: Final = 1.02
_MOST: Final = 10_000
"""The most results of a page that are kept: no source has as many."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far to search: until so many clean images are expected of each synset, and for so many requests at most."""

    goal: int = GOAL
    requests: int | None = None


@dataclass(slots=True)
class SearchReport:
    """What a run of searching did, by source: pages that were answered, their results, links that the synsets did not
    have, results without an address of a file or one that may be stored, dollars; and why a source was asked no more.
    `refused` are queries that a source cannot be asked, or not any further."""

    pages: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    fresh: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    dollars: float = 0.0
    ended: dict[str, str] = field(default_factory=dict)
    expected: dict[str, float] = field(default_factory=dict)
    """Clean images that are expected of each synset, by wnid, of all that was found for it so far."""


class Searching:
    """One run over searches. The next page is that of the search which is worth most for what it costs, of the sources
    that can be asked (`holotype.collect.spending`); each source is asked one page at a time, beside the others."""

    def __init__(
        self, parts: Parts, wanted: Sequence[Search], sources: Mapping[str, Source], limits: Limits, seed: int = 0
    ) -> None:
        self._parts, self._sources, self._limits = parts, sources, limits
        ids = parts.catalog.transact(lambda connection: searches.add(connection, wanted, parts.clock()))
        self._searches, self._ids = list(ids), list(ids.values())
        self._wnids = sorted({one.wnid for one in self._searches})
        self._dice = np.random.default_rng(seed)
        self._ways = ways_of(self._searches, self._wnids, sources)
        with parts.catalog.read() as connection:
            self._answered = searches.answered(connection, self._ids)
            history = searches.history(connection, self._ids)
        self._rows, self._held = rows_of(self._ways, self._ids, self._answered, history)
        self._learned, self._learned_of = learn(self._ways, _pages(self._rows)), len(self._rows)
        self.report = SearchReport()

    async def run(self, client: Client, tell: Callable[[int], None]) -> SearchReport:
        """Ask until the goal is reached, or nobody can be asked any more; `tell` is told the number of requests."""
        askers = {name: self._asker(name, client) for name in {one.source for one in self._searches}}
        running: dict[asyncio.Task[Answer], int] = {}
        try:
            while True:
                for way in self._next(set(askers), running):
                    running[asyncio.create_task(self._ask(askers, way))] = way
                if not running:
                    break
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._take(task, running.pop(task))
                    tell(self.report.pages.total())
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        self.report.expected = dict(zip(self._wnids, self._expected().tolist(), strict=True))
        return self.report

    def _asker(self, name: str, client: Client) -> Asker:
        source, now = self._sources[name], self._parts.clock
        longest = max((rate.seconds for rate in source.about.rates), default=0)
        with self._parts.catalog.read() as connection:
            before = searches.requests(connection, name, now() - longest)
        return Asker(source, client, now, before)

    def _next(self, sources: set[str], running: Mapping[asyncio.Task[Answer], int]) -> Iterator[int]:
        """The searches to ask now: of each source that is free, the one that is worth most."""
        asked = list(running.values())
        free = sources - {self._searches[way].source for way in asked} - self.report.ended.keys()
        left = None if self._limits.requests is None else self._limits.requests - self.report.pages.total() - len(asked)
        while free and (left is None or left > 0):
            can = np.array([one.source in free for one in self._searches])
            worth = self._worth(can)
            way = int(np.argmax(worth))
            if worth[way] <= 0:
                return
            free.discard(self._searches[way].source)
            left = None if left is None else left - 1
            yield way

    def _worth(self, can: Bools) -> Floats:
        pages = _pages(self._rows)
        if len(self._rows) > self._learned_of * _RELEARN:
            self._learned, self._learned_of = learn(self._ways, pages), len(self._rows)
        needs = np.maximum(np.ceil(self._limits.goal - self._expected()), 0).astype(np.int64)
        ways = replace(self._ways, pages=np.where(can, self._ways.pages, 0))
        return worth_of(ways, pages, needs, self._learned, self._dice)

    def _expected(self) -> Floats:
        """Clean images that are expected of each synset, of what was found so far, ``(synsets,)``."""
        pages, ways = _pages(self._rows), self._ways
        clean = pages.clean + (pages.fresh - pages.judged) * self._learned.clean.by_arm[ways.arm[pages.way]]
        return np.asarray(np.bincount(ways.synset[pages.way], clean, minlength=len(self._wnids)), np.float64)

    async def _ask(self, askers: Mapping[str, Asker], way: int) -> Answer:
        search = self._searches[way]
        return await askers[search.source].answer(_asked(search), self._cursor(way))

    def _cursor(self, way: int) -> str:
        before, search = self._answered.get(self._ids[way], Answered()), self._searches[way]
        return before.following if before.following is not None else self._sources[search.source].first(_asked(search))

    def _take(self, task: asyncio.Task[Answer], way: int) -> None:
        """Keep what a source answered, or why it did not."""
        name = self._searches[way].source
        try:
            answer = task.result()
        except SourceBusy as error:
            again = "" if error.seconds is None else f"; it may be asked again in {lasting(error.seconds)}"
            self.report.ended[name] = f"{error}{again}"
        except SourceRefused as error:
            if error.whole:
                self.report.ended[name] = str(error)
            else:
                self.report.refused[name] += 1
                self._keep(way, "", Page(0, "", None, None, 0.0, b"", ()))
        except Exception as error:  # noqa: BLE001 - anybody may have written a source, and the others go on
            why = f"{type(error).__name__}: {in_one_line(str(error))[:200]}"
            self.report.ended[name] = f"{name} could not read its own page, a mistake in the source: {why}"
        else:
            page = answer.page
            results = [result_of(one) for one in page.found[:_MOST] if is_web_url(one.url)]
            self.report.skipped[name] += sum(page.skipped.values()) + len(page.found) - len(results)
            self.report.dollars += page.cost
            about = page.following, page.total, page.cost, answer.body, results
            self._keep(way, self._cursor(way), Page(0, "", *about))

    def _keep(self, way: int, cursor: str, page: Page) -> None:
        """Append a page to the catalog, after those of its search that were answered, and to what is learned from."""
        name, number = self._searches[way].source, self._ids[way]
        before = self._answered.get(number, Answered())
        kept = replace(page, number=before.pages + 1, cursor=cursor)
        parts = self._parts

        def work(connection: Connection) -> Added | None:
            added = searches.add_page(connection, number, kept, parts.clock())
            if added is not None:
                ask_about_known(connection, parts.ontology, added.links)
            return added

        added = parts.catalog.transact(work)
        if added is None:  # another process was quicker: what it kept is gone on from
            with parts.catalog.read() as connection:
                self._answered |= searches.answered(connection, [number])
            return
        held = self._held[int(self._ways.synset[way])]
        fresh = added.links - held
        last = kept.following is None
        self._rows.append((way, kept.number, len(held), len(fresh), 0, 0, last))
        held |= fresh
        self._answered[number] = Answered(kept.number, before.results + len(added.links), 0, kept.total, kept.following)
        self.report.pages[name] += 1
        self.report.results[name] += len(added.links)
        self.report.fresh[name] += len(fresh)


Row = tuple[int, int, int, int, int, int, bool]
"""A row of `holotype.collect.spending.Pages`."""


def ways_of(wanted: Sequence[Search], wnids: Sequence[str], sources: Mapping[str, Source]) -> Ways:
    """Searches as what requests are spent on: each costs the seconds between two of its source, and its dollars."""
    arms: dict[tuple[str, str, str], int] = {}
    place = {wnid: at for at, wnid in enumerate(wnids)}
    abouts = [sources[one.source].about for one in wanted]
    return Ways(
        np.array([place[one.wnid] for one in wanted], np.int64),
        np.array([arms.setdefault((one.rule, one.source, one.language), len(arms)) for one in wanted], np.int64),
        np.array([_cost(one) for one in abouts]),
        np.array([one.per_page for one in abouts], np.int64),
        np.array([one.requests(DEEP) for one in abouts], np.int64),
    )


def _cost(about: About) -> float:
    spacing = max((rate.seconds / rate.requests for rate in about.rates), default=0.0)
    return max(spacing, 1.0) + about.cost * _DOLLAR


def rows_of(
    ways: Ways, ids: Sequence[int], answered: Mapping[int, Answered], history: History
) -> tuple[list[Row], list[set[int]]]:
    """What pages brought so far, in the order in which they were asked, and the links that each synset has."""
    way_of = {number: way for way, number in enumerate(ids)}
    held: list[set[int]] = [set() for _ in range(int(ways.synset.max(initial=-1)) + 1)]
    rows = list[Row]()
    bounds = [*np.flatnonzero(np.diff(history.page, prepend=-1)).tolist(), len(history.page)]
    for start, stop in pairwise(bounds):
        way = way_of[int(history.search[start])]
        mine, number = held[int(ways.synset[way])], int(history.number[start])
        of = zip(history.link[start:stop].tolist(), history.state[start:stop].tolist(), strict=True)
        fresh = {link: state for link, state in of if link not in mine}
        there = len(fresh) - list(fresh.values()).count(REJECTED)
        judged = [state for state in fresh.values() if state in _JUDGED]
        about = answered[ids[way]]
        last = about.is_done and number == about.pages
        rows.append((way, number, len(mine), there, len(judged), judged.count(_JUDGED[0]), last))
        mine.update(fresh)
    seen = {row[0] for row in rows if row[6]}
    for number, about in answered.items():
        if about.is_done and way_of[number] not in seen:  # its last page was empty
            rows.append((way_of[number], about.pages, 0, 0, 0, 0, True))
    return rows, held


def _pages(rows: Sequence[Row]) -> Pages:
    if not rows:
        return Pages.none()
    way, number, held, fresh, judged, clean, last = (np.array(column) for column in zip(*rows, strict=True))
    return Pages(way, number, held, fresh, judged, clean, last)


def _asked(search: Search) -> Asked:
    return Asked(search.query, search.language, search.rule)
