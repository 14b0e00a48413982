"""Questions about votes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    Connection,
    func,
    select,
    true,
)

from holotype.catalog import schema as t
from holotype.catalog import workers
from holotype.catalog.statements import add_rows, chunks


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes as columns, oldest first: candidate ids, worker names, answers (`holotype.consensus.votes.Answer`), pages,
    seconds taken, Unix times and rounds."""

    candidate: npt.NDArray[np.int64]
    worker: list[str]
    answer: npt.NDArray[np.int8]
    page: list[str]
    seconds: npt.NDArray[np.float64]
    at: npt.NDArray[np.float64]
    round: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of candidates, votes, statements of gold, priors, standings, overrulings and sightings."""

    candidates: int
    votes: int
    gold: int
    priors: int
    standings: int
    overrulings: int
    sightings: int


def read(connection: Connection, counting: bool = False) -> Votes:
    """Every vote, oldest first; with `counting` those of workers who are not blocked."""
    table = t.vote
    rows = connection.execute(
        select(
            table.c.candidate_id,
            t.worker.c.name,
            table.c.answer,
            table.c.page,
            table.c.seconds,
            table.c.at,
            table.c.round,
        )
        .select_from(table.join(t.worker))
        .where(table.c.worker_id.not_in(select(workers.blocked_rows().c.worker_id)) if counting else true())
        .order_by(table.c.id)
    ).all()
    candidate, worker, answer, page, seconds, at, number = zip(*rows, strict=True) if rows else ((),) * 7
    return Votes(
        np.array(candidate, np.int64),
        list(worker),
        np.array(answer, np.int8),
        list(page),
        np.array(seconds, np.float64),
        np.array(at, np.float64),
        np.array(number, np.int32),
    )


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Append votes, given with the key ``worker`` for the name; how many were new.

    A worker's second vote on a candidate is skipped: the first one counts.
    """
    names = {row["worker"] for row in rows}
    known = workers.ids(connection, names)
    add_rows(connection, t.worker, [{"name": name} for name in sorted(names - known.keys())])
    known = workers.ids(connection, names)
    table = t.vote
    seen = {
        (candidate, worker)
        for chunk in chunks({row["candidate_id"] for row in rows})
        for candidate, worker in connection.execute(
            select(table.c.candidate_id, table.c.worker_id).where(table.c.candidate_id.in_(chunk))
        )
    }
    new = {}
    for row in rows:
        key = (row["candidate_id"], known[row["worker"]])
        if key not in seen and key not in new:
            new[key] = {
                **{name: value for name, value in row.items() if name != "worker"},
                "worker_id": key[1],
            }
    add_rows(connection, table, list(new.values()))
    return len(new)


def voters(connection: Connection, candidates: Iterable[int]) -> dict[int, set[str]]:
    """The names of those who voted on each candidate, of those that have votes."""
    found: dict[int, set[str]] = {}
    for chunk in chunks(candidates):
        for number, name in connection.execute(
            select(t.vote.c.candidate_id, t.worker.c.name)
            .select_from(t.vote.join(t.worker))
            .where(t.vote.c.candidate_id.in_(chunk))
        ):
            found.setdefault(number, set()).add(name)
    return found


def evidence_counts(connection: Connection) -> Counts:
    """How much there is of all that labels follow from; it only grows."""
    asked = select(func.count()).select_from(t.candidate).where(t.candidate.c.asked == 1)
    tables = t.vote, t.gold, t.prior, t.standing, t.overruling, t.sighting
    questions = asked, *(select(func.count()).select_from(table) for table in tables)
    return Counts(*(connection.execute(question).scalar_one() for question in questions))
