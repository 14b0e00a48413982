"""Searching: sources are asked for synsets, a page at a time, each at its own pace; what they answer is kept at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from holotype.catalog import searches
from holotype.catalog.searches import Search
from holotype.collect.sources.port import Source
from holotype.collect.spending import Ways
from holotype.project.parts import Parts

_DAY: Final = 86_400.0
_DOLLAR: Final = 1_000.0
"""Seconds of waiting that a dollar is worth."""
_ENDLESS: Final = 10_000
_YES, _NO = searches.STATES.index("yes"), searches.STATES.index("no")


@dataclass(frozen=True, slots=True)
class Limits:
    """How far to search: until so many clean images are expected for each synset, and for so many requests at most."""

    goal: int = 500
    requests: int | None = None


@dataclass(slots=True)
class SearchReport:
    """What searching did: pages answered, their results and new links, and dollars by source; and why sources ended."""

    pages: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    fresh: Counter[str] = field(default_factory=Counter)
    cost: Counter[str] = field(default_factory=Counter)
    ended: dict[str, str] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)


class Searching:
    """One run over searches. The next page is that of the search which is worth most for what it costs, of the sources
    that can be asked (`holotype.collect.spending`): each is asked one page at a time, all of them beside each other."""

    def __init__(
        self,
        parts: Parts,
        wanted: Sequence[Search],
        sources: Mapping[str, Source],
        limits: Limits,
        tell: Callable[[SearchReport], None],
        seed: int = 0,
    ) -> None:
        self._parts, self._sources, self._limits, self._tell = parts, sources, limits, tell
        ids = parts.catalog.transact(lambda connection: searches.add(connection, wanted, parts.clock()))
        self._searches = list(ids)
        self._ids = np.array(list(ids.values()), np.int64)
        self._rng = np.random.default_rng(seed)
        self.report = SearchReport()
        self._ways = self._as_ways()
        self._wnids = sorted({one.wnid for one in self._searches})
        self._read()

    def _as_ways(self) -> Ways:
        wnids = sorted({one.wnid for one in self._searches})
        arms: dict[tuple[str, str, str], int] = {}
        rows = []
        for one in self._searches:
            about = self._sources[one.source].about
            pages = _ENDLESS if about.most is None else -(-about.most // about.per_page)
            cost = max(about.spacing, 1.0) + about.cost * _DOLLAR
            arm = arms.setdefault((one.rule, one.source, one.language), len(arms))
            rows.append((wnids.index(one.wnid), arm, cost, about.per_page, pages))
        synset, arm, cost, size, pages = (np.array(column) for column in zip(*rows, strict=True))
        return Ways(synset, arm, cost.astype(float), size, pages)

    def _read(self) -> None:
        """Read what was answered so far, by this run and others before."""
        with self._parts.catalog.read() as connection:
            self._answered = searches.answered(connection, self._ids.tolist())
            history = searches.history(connection, self._ids.tolist())
        self._pages = pages_of(self._ways, self._ids, self._answered, history)
