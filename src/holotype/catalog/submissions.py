"""Questions about what teams submitted to benchmarks, and what it was found to be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, literal, select

from holotype.catalog import schema as t
from holotype.catalog.statements import chunks


class KeptSubmission(NamedTuple):
    """A file that a team sent: see the table."""

    id: int
    benchmark: int
    team: int
    file: str
    name: str
    sha256: str
    size: int
    by: str
    at: float


class KeptEvaluation(NamedTuple):
    """What a submission was found to be in a round: see the table. `result` is JSON."""

    id: int
    submission: int
    round: int
    previous: int | None
    outcome: str
    detail: str
    evaluator: str
    truth: str
    digest: str
    hierarchy: str
    result: str
    seconds: float
    at: float


class KeptStart(NamedTuple):
    """How often the evaluation of a submission was begun in a round, and when last."""

    submission: int
    round: int
    attempts: int
    at: float


def add(connection: Connection, values: KeptSubmission) -> int:
    """Append a submission, whatever its `id`; the one that it gets."""
    row = values._asdict()
    row |= {"benchmark_id": row.pop("benchmark"), "team_id": row.pop("team")}
    del row["id"]
    return int(connection.execute(insert(t.submission).values(**row).returning(t.submission.c.id)).scalar_one())


def of(connection: Connection, benchmark: int, team: int | None = None) -> list[KeptSubmission]:
    """The submissions to a benchmark, or those of a team, oldest first."""
    one = t.submission.c
    asked = select(*one).where(one.benchmark_id == benchmark).order_by(one.id)
    rows = connection.execute(asked if team is None else asked.where(one.team_id == team))
    return [KeptSubmission(*row) for row in rows]


def evaluations(connection: Connection, benchmark: int, team: int | None = None) -> list[KeptEvaluation]:
    """What the submissions to a benchmark, or those of a team, were found to be in all rounds, oldest first, without
    their results, which are long."""
    one, sent = t.evaluation.c, t.submission.c
    joined = t.evaluation.join(t.submission, sent.id == one.submission_id)
    columns = (literal("") if column.name == "result" else column for column in one)
    asked = select(*columns).select_from(joined).where(sent.benchmark_id == benchmark).order_by(one.id)
    rows = connection.execute(asked if team is None else asked.where(sent.team_id == team))
    return [KeptEvaluation(*row) for row in rows]


def results(connection: Connection, numbers: Iterable[int]) -> dict[int, str]:
    """The results of evaluations by their ids, of those that were scored."""
    one = t.evaluation.c
    return {
        number: result
        for chunk in chunks(numbers)
        for number, result in connection.execute(select(one.id, one.result).where(one.id.in_(chunk)))
        if result
    }


def starts(connection: Connection, benchmark: int) -> list[KeptStart]:
    """Which evaluations were begun, by submission and round."""
    one, sent = t.evaluation_start.c, t.submission.c
    joined = t.evaluation_start.join(t.submission, sent.id == one.submission_id)
    asked = select(one.submission_id, one.round_id, func.count(), func.max(one.at)).select_from(joined)
    rows = connection.execute(asked.where(sent.benchmark_id == benchmark).group_by(one.submission_id, one.round_id))
    return [KeptStart(*row) for row in rows]


def start(connection: Connection, submission: int, round: int, attempt: int, at: float) -> None:
    """Append that an evaluation is begun. Where another process was first that is an IntegrityError."""
    row = {"submission_id": submission, "round_id": round, "attempt": attempt, "at": at}
    connection.execute(insert(t.evaluation_start).values(**row))


def end(connection: Connection, values: KeptEvaluation) -> int:
    """Append what a submission was found to be, whatever the `id`; the one that it gets."""
    row = values._asdict()
    row |= {"submission_id": row.pop("submission"), "round_id": row.pop("round"), "previous_id": row.pop("previous")}
    del row["id"]
    return int(connection.execute(insert(t.evaluation).values(**row).returning(t.evaluation.c.id)).scalar_one())
