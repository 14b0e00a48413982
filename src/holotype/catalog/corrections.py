"""What people say of candidates for sure, as statements that are appended: gold, and labels a curator overrules.

Of a candidate's statements the newest counts; one without an answer withdraws those before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, insert, select, true

from holotype.catalog import schema as t
from holotype.catalog.images import digest
from holotype.catalog.statements import among, chunks

_BY = {t.gold.name: t.gold.c.source, t.overruling.name: t.overruling.c.curator}


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody said of a candidate at a Unix time: an `Answer`, or None to withdraw.

    `number` counts the candidate's statements from 1.
    """

    candidate: int
    wnid: str
    sha256: str
    number: int
    answer: int | None
    by: str
    reason: str
    at: float


def newest(connection: Connection, table: Table, candidates: Iterable[int] | None = None) -> list[Statement]:
    """The statement that counts of every candidate that has any, or of some; by rank and sha256."""
    return _statements(connection, table, _is_newest(table), candidates)


def history(connection: Connection, table: Table, candidates: Iterable[int] | None = None) -> list[Statement]:
    """Every statement, or those of some candidates; by rank, sha256 and number."""
    return _statements(connection, table, true(), candidates)


@cache
def standing(table: Table) -> Select[tuple[int]]:
    """The ids of the candidates with an answer that was not withdrawn."""
    return select(table.c.candidate_id).where(_is_newest(table), table.c.answer.is_not(None))


@cache
def _is_newest(table: Table) -> ColumnElement[bool]:
    other = table.alias()
    later = and_(other.c.candidate_id == table.c.candidate_id, other.c.number > table.c.number)
    return ~select(other.c.number).where(later).exists()


def _statements(
    connection: Connection, table: Table, wanted: ColumnElement[bool], candidates: Iterable[int] | None
) -> list[Statement]:
    candidate, said = t.candidate.c, table.c
    own = said.number, said.answer, _BY[table.name], said.reason, said.at
    question = (
        select(candidate.rank, candidate.id, candidate.wnid, digest(), *own)
        .select_from(table.join(t.candidate).join(t.image))
        .where(wanted)
        .order_by(candidate.rank, digest(), said.number)
    )
    if candidates is None:
        return [Statement(*told) for _, *told in connection.execute(question)]
    parts = (question.where(said.candidate_id.in_(chunk)) for chunk in chunks(candidates))
    rows = [(rank, Statement(*told)) for part in parts for rank, *told in connection.execute(part)]
    return [found for _, found in sorted(rows, key=lambda row: (row[0], row[1].sha256, row[1].number))]


def say(
    connection: Connection, table: Table, answers: Mapping[int, int | None], by: str, reason: str, at: float
) -> int:
    """Append answers by candidate id where they are not what counts already; how many were appended.

    Two who say something of a candidate at once are an IntegrityError for one of them, who does it again.
    """
    held = {statement.candidate: statement for statement in newest(connection, table, answers)}
    rows: list[dict[str, Any]] = []
    for candidate, answer in answers.items():
        before = held.get(candidate)
        if (None if before is None else before.answer) != answer:
            number = 1 if before is None else before.number + 1
            rows.append({"candidate_id": candidate, "number": number, "answer": answer})
    said = {_BY[table.name].name: by, "reason": reason, "at": at}
    if rows:
        connection.execute(insert(table), [row | said for row in rows])
    return len(rows)


def lenders(connection: Connection) -> dict[int, set[str]]:
    """The wnids of the synsets that lent each candidate's image as gold, of those that were lent."""
    table = t.sighting
    found: dict[int, set[str]] = {}
    for candidate, wnid in connection.execute(
        select(table.c.candidate_id, table.c.query).where(table.c.source == "gold")
    ):
        found.setdefault(candidate, set()).add(wnid)
    return found


def of_synset(connection: Connection, table: Table, wnid: str) -> list[Statement]:
    """The statement that counts of every candidate of a synset that has any, by sha256."""
    return _statements(connection, table, and_(_is_newest(table), t.candidate.c.wnid == wnid), None)


def standing_among(connection: Connection, table: Table, candidates: Iterable[int]) -> set[int]:
    """Those of these candidates that have an answer that was not withdrawn."""
    few = (among(connection, table.c.candidate_id, chunk) for chunk in chunks(candidates))
    asked = (standing(table).where(one) for one in few)
    return {row.candidate_id for one in asked for row in connection.execute(one)}
