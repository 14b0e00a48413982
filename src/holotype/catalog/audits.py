"""Questions about audits: plans and samples that were drawn, what auditors said, and who had voted."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, insert, literal, select

from holotype.catalog import schema as t
from holotype.catalog.images import digest
from holotype.catalog.statements import add_rows, chunks

Ids = npt.NDArray[np.int64]


def plans(connection: Connection) -> Sequence[Any]:
    """Every plan, ``(id, wnid, size, seed, at, labels)``, oldest first; `labels` is None for those of old."""
    return connection.execute(select(t.audit).order_by(t.audit.c.id)).all()


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
    places = [{"audit_id": number, "position": at, "candidate_id": id} for at, id in enumerate(sample, 1)]
    add_rows(connection, t.audit_sample, places)


def samples(connection: Connection, audits: Collection[int]) -> dict[int, list[Any]]:
    """The sample of each of some plans, by their id: ``(audit_id, sha256, wnid, rank)`` in order."""
    candidate, table = t.candidate, t.audit_sample
    found: dict[int, list[Any]] = defaultdict(list)
    for some in chunks(audits):
        rows = connection.execute(
            select(table.c.audit_id, digest(), candidate.c.wnid, candidate.c.rank)
            .select_from(table.join(candidate).join(t.image))
            .where(table.c.audit_id.in_(some))
            .order_by(table.c.audit_id, table.c.position)
        )
        for row in rows:
            found[row.audit_id].append(row)
    return found


def candidates(connection: Connection, ids: Collection[int]) -> list[Any]:
    """``(sha256, wnid, rank)`` of some candidates."""
    candidate = t.candidate
    question = select(digest(), candidate.c.wnid, candidate.c.rank).select_from(candidate.join(t.image))
    return [row for some in chunks(ids) for row in connection.execute(question.where(candidate.c.id.in_(some)))]


def answers(connection: Connection) -> Sequence[Any]:
    """All that auditors said, ``(candidate_id, sha256, wnid, rank, auditor, answer, reason, at)``: answers, oldest
    first, and then corrections, which have a reason."""
    found: list[Any] = []
    for table, reason in ((t.audit_answer, literal("")), (t.audit_correction, t.audit_correction.c.reason)):
        candidate = t.candidate
        columns = (table.c.candidate_id, digest(), candidate.c.wnid, candidate.c.rank, table.c.auditor)
        found += connection.execute(
            select(*columns, table.c.answer, reason.label("reason"), table.c.at)
            .select_from(table.join(candidate).join(t.image))
            .order_by(table.c.id)
        )
    return found


def add_answers(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append answers of auditors; a second one by an auditor on a candidate is an IntegrityError."""
    add_rows(connection, t.audit_answer, rows)


def add_corrections(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append corrections of answers."""
    add_rows(connection, t.audit_correction, rows)


def votes_on_audited(connection: Connection) -> Sequence[Any]:
    """Who voted on what was audited, and when first: ``(candidate_id, name, at)``."""
    vote = t.vote
    return connection.execute(
        select(vote.c.candidate_id, t.worker.c.name, func.min(vote.c.at).label("at"))
        .select_from(vote.join(t.worker))
        .where(vote.c.candidate_id.in_(select(t.audit_answer.c.candidate_id)))
        .group_by(vote.c.candidate_id, t.worker.c.name)
    ).all()
