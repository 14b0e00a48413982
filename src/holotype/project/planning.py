"""What a plan goes on from: how far sources were asked before, and what is to be expected of what they answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import searches
from holotype.catalog.schema import STATES
from holotype.catalog.searches import WAITING, History, Search
from holotype.collect.plan import Before, Done, Yield, Yields
from holotype.collect.queries import Asked
from holotype.collect.sources.port import Source

_YES = STATES.index("yes")
_NOT_SURE = (WAITING, STATES.index("open"), STATES.index("undecided"))


def asked_before(
    connection: Connection, queries: Mapping[str, Sequence[Asked]], sources: Sequence[Source], yields: Yields
) -> Before:
    """What was asked of `sources` for each of the queries. Of what was not judged, `yields` tells how much is clean; a
    link that several queries of a synset brought counts for the first."""
    wanted = {
        Search(wnid, source.name, one.text, one.language, one.rule): (wnid, source.name, one)
        for wnid, asked in queries.items()
        for one in asked
        for source in sources
    }
    ids = searches.ids(connection, wanted)
    answered = searches.answered(connection, ids.values())
    clean = _clean(searches.history(connection, ids.values()), ids, yields)
    return {
        wanted[one]: Done(answered[number].pages, clean[number], answered[number].is_done)
        for one, number in ids.items()
        if number in answered
    }


def _clean(history: History, ids: Mapping[Search, int], yields: Yields) -> dict[int, float]:
    """Clean images that are expected of what searches brought, by id."""
    synsets = {wnid: at for at, wnid in enumerate(dict.fromkeys(one.wnid for one in ids))}
    found = dict.fromkeys(ids.values(), 0.0)
    of = {number: one for one, number in ids.items()}
    pairs = np.array([synsets[of[number].wnid] for number in history.search.tolist()], np.int64), history.link
    _, first = np.unique(np.stack(pairs, axis=1), axis=0, return_index=True)
    for number, state in zip(history.search[first].tolist(), history.state[first].tolist(), strict=True):
        one = of[number]
        chance = yields.get((one.rule, one.source, one.language), Yield()).clean if state in _NOT_SURE else 0.0
        found[number] += 1.0 if state == _YES else chance
    return found
