"""A simulated web with the statistics of Deng et al. 2009: engines that answer queries in languages, page by page.

A synset has a number of clean images on the web, and many more that are found for it and do not show it. A query finds
some of both: its precision is a product of how well its synset, rule, language and engine do, and falls with rank. The
clean images that many know are found first, by all engines, so that results overlap within and between queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LANGUAGES: Final = ("eng", "cmn", "ita", "nld", "spa")


@dataclass(frozen=True, slots=True)
class Engine:
    """A search engine: results on a page, the most results of a query, the share of the web that it knows, how much
    more precise than others it is, and what a request costs."""

    name: str
    page: int = 50
    most: int = 1000
    share: float = 0.6
    precision: float = 1.0
    cost: float = 1.0


ENGINES: Final = (Engine("large"), Engine("middling", most=800, share=0.5), Engine("small", most=500, share=0.4))
RULES: Final = {"lemma": 1.0, "lemma+ancestor": 1.5, "ambiguous lemma": 0.35, "translation": 0.8}
"""How precise queries of a rule are beside each other."""


@dataclass(frozen=True, slots=True)
class Climate:
    """What a web is like: medians, and standard deviations of logarithms.

    `precision` is the mean over all results; `clean` the median number of clean images of a synset that the web has, of
    which `at_home` are described in the first language, and the rest in the others alike; `found` the median number of
    results of a query where an engine has no cap; `fall` how fast precision falls with rank; `again` the chance that a
    result is one of the same query's before.
    """

    engines: tuple[Engine, ...] = ENGINES
    languages: tuple[str, ...] = LANGUAGES
    precision: float = 0.1
    clean: float = 3000.0
    clean_spread: float = 1.2
    at_home: float = 0.5
    found: float = 2500.0
    found_spread: float = 0.7
    synset_spread: float = 0.5
    query_spread: float = 0.5
    engine_spread: float = 0.3
    fall: float = 0.35
    again: float = 0.03


@dataclass(frozen=True, slots=True)
class Search:
    """A query put to an engine, and its `results` in order: images of the `synset` by number, of which those below the
    number of clean ones that the web has (`Web.clean`) are clean. Queries of a synset are ranked by `query`, from 0."""

    synset: int
    query: int
    rule: str
    language: str
    engine: int
    results: Ints = field(repr=False)


@dataclass(frozen=True, slots=True)
class Web:
    """A simulated web: `searches` in it, by synset and rank of the query, and how many `clean` images of each synset it
    has, ``(synsets,)``."""

    climate: Climate
    clean: Ints
    searches: Sequence[Search]

    def page(self, search: int, number: int) -> Ints:
        """The images on a page, from 1, of a search; fewer than a page has, or none, where there are no more."""
        one = self.searches[search]
        size = self.climate.engines[one.engine].page
        return one.results[(number - 1) * size : number * size]

    def last(self, search: int, number: int) -> bool:
        """Whether there is nothing after a page."""
        one = self.searches[search]
        return number * self.climate.engines[one.engine].page >= len(one.results)


def spin(climate: Climate, synsets: int, seed: int) -> Web:
    """A web with so many synsets, the same for the same seed."""
    places = [_place(climate, np.random.default_rng((seed, synset))) for synset in range(synsets)]
    base = _base(climate, places)
    searches = [
        Search(synset, query.rank, query.rule, query.language, engine, place.results(climate, query, engine, base))
        for synset, place in enumerate(places)
        for query, engine in product(place.queries, range(len(climate.engines)))
    ]
    return Web(climate, np.array([place.clean for place in places], np.int64), searches)


@dataclass(frozen=True, slots=True)
class _Query:
    """A query: which images it reaches, `odd` of them by engine found clean for an average one, results by engine."""

    rank: int
    rule: str
    language: str
    family: int
    reach: Bools
    odd: Floats
    found: Ints


@dataclass(frozen=True, slots=True)
class _Place:
    """What the web has of a synset."""

    clean: int
    known: Bools
    fame: Floats
    queries: Sequence[_Query]
    rng: np.random.Generator

    def results(self, climate: Climate, query: _Query, engine: int, base: float) -> Ints:
        """The results of a query by an engine."""
        rng, size = self.rng, int(query.found[engine])
        there = np.flatnonzero(query.reach & self.known[engine, : self.clean])
        precision = base * float(query.odd[engine]) * climate.engines[engine].precision
        number = min(rng.binomial(size, min(_MOST, precision)), len(there))
        first = self.clean + query.family * _CROWD
        crowd = first + np.flatnonzero(self.known[engine, first : first + _CROWD])
        good, bad = self._best(there, number), self._best(crowd, size - number)
        size = number + len(bad)
        weight = (1 + np.arange(size) / 50) ** -climate.fall
        found = np.zeros(size, np.int64)
        place = np.zeros(size, bool)
        place[np.argsort(rng.standard_exponential(size) / weight)[:number]] = True
        found[place], found[~place] = good, bad
        repeated = np.flatnonzero(rng.random(size) < climate.again)[1:]
        found[repeated] = found[(rng.random(len(repeated)) * repeated).astype(np.int64)]
        return found

    def _best(self, images: Ints, number: int) -> Ints:
        """So many of the best known images, as an engine sees it."""
        seen = self.fame[images] + self.rng.normal(0, _TASTE, len(images))
        return images[np.argsort(-seen)[:number]]


_MOST: Final = 0.9
_CROWD: Final = 4000
"""Images that do not show a synset, of each family of queries: a lemma and what is made of it, or a translation."""
_TASTE: Final = 0.7


def _place(climate: Climate, rng: np.random.Generator) -> _Place:
    clean = int(rng.lognormal(np.log(climate.clean), climate.clean_spread))
    home = np.full(len(climate.languages), (1 - climate.at_home) / max(len(climate.languages) - 1, 1))
    home[0] = 1 - home[1:].sum()
    language = rng.choice(len(climate.languages), clean, p=home)
    synset = rng.lognormal(0, climate.synset_spread)
    asked = list(_queries(climate, rng))
    queries = []
    reach_of: dict[int, Bools] = {}
    for rank, (rule, of, family) in enumerate(asked):
        cover = rng.uniform(0.5, 1.0)
        reach = rng.random(clean) < np.where(language == of, cover, _ABROAD)
        reach_of.setdefault(family, reach)
        if rule == "lemma+ancestor":
            reach = reach_of[family] & (rng.random(clean) < _NARROWER)
        odd = synset * RULES[rule] * rng.lognormal(0, climate.query_spread)
        odds = odd * rng.lognormal(0, climate.engine_spread, len(climate.engines))
        found = rng.lognormal(np.log(climate.found), climate.found_spread) * (_NARROWER if "+" in rule else 1.0)
        limits = [max(1, min(engine.most, int(found * engine.share / 0.5))) for engine in climate.engines]
        queries.append(_Query(rank, rule, climate.languages[of], family, reach, odds, np.array(limits, np.int64)))
    images = clean + _CROWD * (1 + max(family for _, _, family in asked))
    known = np.stack([rng.random(images) < engine.share for engine in climate.engines])
    return _Place(clean, known, rng.normal(0, 1, images), queries, rng)


_ABROAD: Final = 0.08
"""The chance that a query reaches a clean image that is described in another language."""
_NARROWER: Final = 0.5


def _queries(climate: Climate, rng: np.random.Generator) -> list[tuple[str, int, int]]:
    """Queries of a synset as (rule, language, family), in the order in which `holotype.collect.queries` ranks them."""
    lemmas = [
        ("ambiguous lemma" if rng.random() < 0.3 else "lemma", 0, family)
        for family in range(rng.choice((1, 2, 3), p=(0.3, 0.45, 0.25)))
    ]
    combined = [("lemma+ancestor", 0, family) for _, _, family in lemmas for _ in range(rng.choice((0, 1, 2)))]
    abroad = [language for language in range(1, len(climate.languages)) for _ in range(rng.choice((0, 1, 2)))]
    translations = [("translation", language, len(lemmas) + at) for at, language in enumerate(abroad)]
    order = list(RULES)
    return sorted((*lemmas, *combined, *translations), key=lambda one: order.index(one[0]))


def _base(climate: Climate, places: Sequence[_Place]) -> float:
    """What an average query's precision is multiplied by, so that of all results that share is clean that should be,
    if all engines were as precise."""
    odd = np.concatenate([query.odd for place in places for query in place.queries])
    found = np.concatenate([query.found for place in places for query in place.queries])
    base = climate.precision
    for _ in range(20):
        base *= climate.precision / float((np.minimum(_MOST, base * odd) * found).sum() / found.sum())
    return base
