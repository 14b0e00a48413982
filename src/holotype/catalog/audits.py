"""Questions about audits: plans and samples that were drawn, what auditors said, and who had voted."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, insert, literal, select

from holotype.catalog import schema as t
from holotype.catalog.images import digest
from holotype.catalog.statements import add_rows, chunks

Ids = npt.NDArray[np.int64]


class Planned(NamedTuple):
    """A plan as it was drawn; `labels`, how many were accepted below its target, is None for those of old."""

    id: int
    wnid: str
    size: int
    seed: str
    at: float
    labels: int | None


class Labelled(NamedTuple):
    """A candidate that is or was accepted: its image's sha256, its wnid and rank."""

    sha256: str
    wnid: str
    rank: int


class AuditorAnswer(NamedTuple):
    """What an auditor said of a candidate at a Unix time, an `Answer`; a correction has a reason."""

    candidate_id: int
    sha256: str
    wnid: str
    rank: int
    auditor: str
    answer: int
    reason: str
    at: float


class FirstVote(NamedTuple):
    """When a worker first voted on a candidate, as Unix time."""

    candidate_id: int
    worker: str
    at: float


def plans(connection: Connection) -> list[Planned]:
    """Every plan, oldest first."""
    table = t.audit.c
    columns = table.id, table.wnid, table.size, table.seed, table.at, table.labels
    return [Planned(*row) for row in connection.execute(select(*columns).order_by(table.id))]


def add_draw(connection: Connection, seed: str, accepted: Ids) -> None:
    """Append what was accepted, by candidate id, when plans were drawn by `seed`."""
    bits = np.zeros(int(accepted.max(initial=-1)) + 1, bool)
    bits[accepted] = True
    connection.execute(insert(t.audit_draw).values(seed=seed, accepted=zlib.compress(np.packbits(bits).tobytes())))


def accepted_at(connection: Connection, seed: str) -> Ids:
    """The candidates that were accepted at a draw, by id."""
    table = t.audit_draw
    held = connection.execute(select(table.c.accepted).where(table.c.seed == seed)).scalar_one()
    return np.flatnonzero(np.unpackbits(np.frombuffer(zlib.decompress(held), np.uint8)))


def add_plan(connection: Connection, row: Mapping[str, Any], sample: Sequence[int]) -> None:
    """Append a plan and its sample, candidate ids in the order in which they are to be audited."""
    (number,) = connection.execute(insert(t.audit).values(**row)).inserted_primary_key or (None,)
    drawn = [{"audit_id": number, "position": at, "candidate_id": id} for at, id in enumerate(sample, 1)]
    add_rows(connection, t.audit_sample, drawn)


def samples(connection: Connection, audits: Collection[int]) -> dict[int, list[Labelled]]:
    """The sample of each of some plans, by their id, in the order in which it is audited."""
    candidate, table = t.candidate, t.audit_sample
    found: dict[int, list[Labelled]] = defaultdict(list)
    for some in chunks(audits):
        rows = connection.execute(
            select(table.c.audit_id, digest(), candidate.c.wnid, candidate.c.rank)
            .select_from(table.join(candidate).join(t.image))
            .where(table.c.audit_id.in_(some))
            .order_by(table.c.audit_id, table.c.position)
        )
        for audit, *label in rows:
            found[audit].append(Labelled(*label))
    return found


def sample_of(connection: Connection, audit: int) -> list[int]:
    """The candidates of a plan's sample, by id, in the order in which they were drawn."""
    table = t.audit_sample.c
    rows = connection.execute(select(table.candidate_id).where(table.audit_id == audit).order_by(table.position))
    return list(rows.scalars())


def said_of(connection: Connection, ids: Collection[int]) -> list[tuple[int, str, int]]:
    """``(candidate id, auditor, answer)`` of all that was said of some candidates, oldest first, then corrections."""
    found: list[tuple[int, str, int]] = []
    for table in (t.audit_answer, t.audit_correction):
        columns = table.c.id, table.c.candidate_id, table.c.auditor, table.c.answer
        parts = (connection.execute(select(*columns).where(table.c.candidate_id.in_(some))) for some in chunks(ids))
        found += [(one, auditor, answer) for _, one, auditor, answer in sorted(row for part in parts for row in part)]
    return found


def candidates(connection: Connection, ids: Collection[int]) -> list[Labelled]:
    """Some candidates by their ids, in no order."""
    candidate = t.candidate
    question = select(digest(), candidate.c.wnid, candidate.c.rank).select_from(candidate.join(t.image))
    asked = (question.where(candidate.c.id.in_(some)) for some in chunks(ids))
    return [Labelled(*row) for one in asked for row in connection.execute(one)]


def answers(connection: Connection) -> list[AuditorAnswer]:
    """All that auditors said: answers, oldest first, and then corrections."""
    found: list[AuditorAnswer] = []
    for table, reason in ((t.audit_answer, literal("")), (t.audit_correction, t.audit_correction.c.reason)):
        candidate = t.candidate
        columns = (table.c.candidate_id, digest(), candidate.c.wnid, candidate.c.rank, table.c.auditor)
        rows = connection.execute(
            select(*columns, table.c.answer, reason, table.c.at)
            .select_from(table.join(candidate).join(t.image))
            .order_by(table.c.id)
        )
        found += [AuditorAnswer(*row) for row in rows]
    return found


def add_answers(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append answers of auditors; a second one by an auditor on a candidate is an IntegrityError."""
    add_rows(connection, t.audit_answer, rows)


def add_corrections(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append corrections of answers."""
    add_rows(connection, t.audit_correction, rows)


def votes_on_audited(connection: Connection) -> list[FirstVote]:
    """Who voted on what was audited, and when first."""
    vote = t.vote
    rows = connection.execute(
        select(vote.c.candidate_id, t.worker.c.name, func.min(vote.c.at))
        .select_from(vote.join(t.worker))
        .where(vote.c.candidate_id.in_(select(t.audit_answer.c.candidate_id)))
        .group_by(vote.c.candidate_id, t.worker.c.name)
    )
    return [FirstVote(*row) for row in rows]
