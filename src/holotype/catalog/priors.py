"""Questions about priors: the chance of a yes from before any vote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    Connection,
    select,
)

from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows, read_all, read_some


@dataclass(frozen=True, slots=True)
class Chances:
    """The chance of yes that was given last: candidate ids, ascending, and chances, ``(priors,)`` each."""

    candidate: npt.NDArray[np.int64]
    chance: npt.NDArray[np.float64]


def read(connection: Connection, numbers: Iterable[int] | None = None) -> Chances:
    """The chances of all candidates that have one, or of some."""
    table = t.prior.c
    kinds = np.int64, np.float64, np.int64
    question = select(table.candidate_id, table.chance, table.id)
    if numbers is None:
        candidate, chance, number = read_all(connection, question, table.candidate_id, *kinds)
    else:
        candidate, chance, number = read_some(connection, question, table.candidate_id, numbers, *kinds)
    order = np.lexsort((-number, candidate))
    found, first = np.unique(candidate[order], return_index=True)
    return Chances(found, chance[order][first])


def of_others(connection: Connection, source: str) -> set[int]:
    """The candidates that anybody but `source` ever gave a chance of."""
    rows = connection.execute(select(t.prior.c.candidate_id).where(t.prior.c.source != source).distinct())
    return set(rows.scalars())


def add(connection: Connection, chances: Mapping[int, float], source: str, at: float) -> int:
    """Append chances of yes by candidate id; how many are not what was given last."""
    given = read(connection, chances)
    held = dict(zip(given.candidate.tolist(), given.chance.tolist(), strict=True))
    rows = [
        {"candidate_id": number, "chance": chance, "source": source, "at": at}
        for number, chance in chances.items()
        if held.get(number) != chance
    ]
    add_rows(connection, t.prior, rows)
    return len(rows)
