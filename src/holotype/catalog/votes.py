"""Questions about votes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    func,
    or_,
    select,
    true,
)

from holotype.catalog import candidates, kept_counts, workers
from holotype.catalog import schema as t
from holotype.catalog.candidates import under
from holotype.catalog.images import is_sound
from holotype.catalog.statements import Names, add_rows, among, chunks, read_all, read_some
from holotype.catalog.statements import read_parts as read_parts_of


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes as columns, oldest first, ``(votes,)`` each: candidate ids, places among the `workers`, answers
    (`holotype.consensus.votes.Answer`), rounds."""

    candidate: npt.NDArray[np.int64]
    worker: npt.NDArray[np.int32]
    answer: npt.NDArray[np.int8]
    round: npt.NDArray[np.int32]
    workers: list[str]


@dataclass(frozen=True, slots=True)
class Sheets:
    """What else is known of votes, ``(votes,)`` each: places among the `pages` they were cast on, seconds taken and
    Unix times."""

    page: npt.NDArray[np.int32]
    seconds: npt.NDArray[np.float64]
    at: npt.NDArray[np.float64]
    pages: list[str]


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of candidates, votes, statements of gold, priors, standings, overrulings and sightings; and how often
    the images of candidates were read, or moved, or labelled by their dataset."""

    candidates: int
    votes: int
    gold: int
    priors: int
    standings: int
    overrulings: int
    sightings: int
    changes: int = 0


Until = Sequence[tuple[Sequence[tuple[int, int]], int]]
"""Half-open ranges of ranks, and the id of the last vote there that is wanted."""


def read(
    connection: Connection, counting: bool = False, candidates: Iterable[int] | None = None, until: Until = ()
) -> Votes:
    """Every vote; with `counting` those that count, with `candidates` those on some, and `until` an
    id those on what is of some ranks."""
    v = t.vote.c
    columns: tuple[ColumnElement[Any], ...] = v.candidate_id, v.worker_id, v.answer, v.round
    kinds = np.int64, np.int64, np.int8, np.int32
    if candidates is None:
        question = select(*columns).where(_free(counting), *_early(until)).order_by(v.id)
        candidate, worker, answer, number = read_all(connection, question, v.id, *kinds)
    else:
        question = select(v.id, *columns).where(_free(counting), *_early(until))
        order, *found = read_some(connection, question, v.candidate_id, candidates, np.int64, *kinds)
        candidate, worker, answer, number = (column[np.argsort(order)] for column in found)
    ids, names = workers.everybody(connection)
    return Votes(candidate, np.searchsorted(ids, worker).astype(np.int32), answer, number, names)


def read_parts(connection: Connection, until: Until = ()) -> Iterator[Votes]:
    """As `read` of all candidates, in parts that follow each other; one at least, which names the workers."""
    v = t.vote.c
    ids, names = workers.everybody(connection)
    kinds = np.int64, np.int64, np.int8, np.int32
    nothing = np.zeros(0, np.int32)
    yield Votes(nothing.astype(np.int64), nothing, nothing.astype(np.int8), nothing, names)
    question = select(v.candidate_id, v.worker_id, v.answer, v.round).where(true(), *_early(until)).order_by(v.id)
    for candidate, worker, answer, number in read_parts_of(connection, question, v.id, *kinds):
        yield Votes(candidate, np.searchsorted(ids, worker).astype(np.int32), answer, number, names)


def read_sheets(connection: Connection, counting: bool = False) -> Sheets:
    """What else is known of every vote, in the order of `read`."""
    v, pages = t.vote.c, Names()
    question = select(v.page, v.seconds, v.at).where(_free(counting)).order_by(v.id)
    page, seconds, at = read_all(connection, question, v.id, pages, np.float64, np.float64)
    return Sheets(page, seconds, at, [str(name) for name in pages])


def read_times(connection: Connection) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The seconds that every vote took and its Unix time, in the order of `read`."""
    v = t.vote.c
    seconds, at = read_all(connection, select(v.seconds, v.at).order_by(v.id), v.id, np.float64, np.float64)
    return seconds, at


def _early(until: Until) -> list[ColumnElement[bool]]:
    """That a vote is not later than is wanted of what is of its rank."""
    ids = t.candidate.c.id
    return [
        or_(t.vote.c.id <= last, t.vote.c.candidate_id.not_in(select(ids).where(under(some))))
        for ranges, last in until
        for some in chunks(ranges, 200)
    ]


def counting_until(connection: Connection, last: int) -> int:
    """How many votes of workers who are not blocked were cast up to the id `last`, on what is asked about and can be
    seen."""
    joined = t.vote.join(t.candidate).join(t.fingerprint, t.fingerprint.c.image_id == t.candidate.c.image_id)
    seen = t.candidate.c.asked == 1, t.candidate.c.rank >= 0, is_sound()
    wanted = select(func.count()).select_from(joined).where(t.vote.c.id <= last, _free(True), *seen)
    return int(connection.execute(wanted).scalar_one())


def newest(connection: Connection) -> int:
    """The id of the newest vote; 0 where there is none."""
    return connection.execute(select(func.max(t.vote.c.id))).scalar() or 0


def _free(counting: bool) -> ColumnElement[bool]:
    """Whether a vote is wanted: all are, or with `counting` those that count."""
    return counts() if counting else true()


def counts() -> ColumnElement[bool]:
    """That a vote counts: neither is its worker blocked, nor was it cast to learn."""
    return and_(t.vote.c.worker_id.not_in(select(workers.blocked_rows().c.worker_id)), t.vote.c.round >= 0)


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Append votes, given with the key ``worker`` for the name; how many were new.

    A worker's second vote on a candidate is skipped: the first one counts. A candidate that only its dataset decided
    is asked about from now on.
    """
    candidates.ask(connection, {row["candidate_id"] for row in rows})
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


def labels_helped(connection: Connection, prefix: str) -> list[tuple[str, int, str]]:
    """The policy, the candidate and the voter of every vote by a worker whose name begins with `prefix`, who is not
    blocked, on a candidate labelled yes or no."""
    table, policy, decided = t.candidate.c, t.policy.c, [t.STATES.index(state) for state in ("yes", "no")]
    if not any(name.startswith(prefix) for name in workers.everybody(connection)[1]):
        return []  # no table of votes is read for that
    joined = t.vote.join(t.worker).join(t.candidate, table.id == t.vote.c.candidate_id)
    question = (
        select(policy.name, table.id, t.worker.c.name)
        .select_from(joined.join(t.policy, policy.id == table.policy_id))
        .where(t.worker.c.name.startswith(prefix, autoescape=True), table.asked == 1, table.state.in_(decided))
        .where(counts())
    )
    found = connection.execute(question)
    return [(name, number, worker) for name, number, worker in found if worker.startswith(prefix)]


def evidence_counts(connection: Connection) -> Counts:
    """How much there is of all that labels follow from; it only grows."""
    return Counts(*[*kept_counts.read(connection), candidates.changes(connection)])


def voted_by(connection: Connection, worker: str, candidates: Iterable[int]) -> set[int]:
    """Those of these candidates that a worker has voted on."""
    if (number := workers.ids(connection, [worker]).get(worker)) is None:
        return set()
    mine = select(t.vote.c.candidate_id).where(t.vote.c.worker_id == number)
    few = (among(connection, t.vote.c.candidate_id, chunk) for chunk in chunks(candidates))
    parts = (connection.execute(mine.where(one)) for one in few)
    return {number for part in parts for number in part.scalars()}
