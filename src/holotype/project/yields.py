"""What votes say of searches: how many of the candidates that a rule, a source and a language brought are good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import priors, searches
from holotype.catalog.schema import STATES
from holotype.catalog.searches import Brought
from holotype.collect.spending import Ints, chances

SOURCE: Final = "search"
"""Who says the chances that follow from searches."""
_OPEN, _YES, _NO = (STATES.index(state) for state in ("open", "yes", "no"))
_DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class Yield:
    """What a rule brought of a source in a language: candidates, those that were judged and found good, and the chance
    of one that was not (`holotype.collect.spending.chances`), None where nothing was judged."""

    rule: str
    source: str
    language: str
    candidates: int
    judged: int
    clean: int
    chance: float | None


def read_yields(connection: Connection) -> list[Yield]:
    """The yields of all that was searched by, the best known first."""
    found = searches.brought(connection)
    counts = _counts(found)
    chance = chances(*counts[1:])
    columns = zip(found.arms, *(column.tolist() for column in counts), chance.tolist(), strict=True)
    rows = [
        Yield(arm[0], arm[1], arm[2], candidates, judged, clean, None if np.isnan(likely) else likely)
        for arm, candidates, judged, clean, likely in columns
    ]
    return sorted(rows, key=lambda one: (-one.judged, one.source, one.rule, one.language))


def _counts(found: Brought) -> tuple[Ints, Ints, Ints]:
    """Candidates, judged and clean ones, ``(arms,)`` each."""
    masks = np.ones(len(found.arm), bool), np.isin(found.state, (_YES, _NO)), found.state == _YES
    candidates, judged, clean = (np.bincount(found.arm[mask], minlength=len(found.arms)) for mask in masks)
    return candidates, judged, clean


def give_priors(connection: Connection, at: float) -> int:
    """Say of open candidates how probable a yes is by how they were found, by the best of the ways; how many said
    something new. What anybody else says of a candidate stays."""
    found = searches.brought(connection)
    chance = chances(*_counts(found)[1:])[found.arm].round(_DIGITS)
    rows = (found.state == _OPEN) & ~np.isnan(chance)
    best: dict[int, float] = {}
    for candidate, likely in zip(found.candidate[rows].tolist(), chance[rows].tolist(), strict=True):
        best[candidate] = max(likely, best.get(candidate, 0.0))
    others = priors.of_others(connection, SOURCE)
    said = {candidate: likely for candidate, likely in best.items() if candidate not in others and 0 < likely < 1}
    return priors.add(connection, said, SOURCE, at)
