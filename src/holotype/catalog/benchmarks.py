"""Questions about benchmarks, their teams, and what became of them."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from holotype.catalog import schema as t

ROUNDS = ("truth", "rescore")
"""The kinds of events that begin a round of evaluations."""


class KeptBenchmark(NamedTuple):
    """A benchmark as it is kept: see the table."""

    id: int
    name: str
    title: str
    task: str
    metric: str
    share: float
    quota: int
    most_bytes: int
    by: str
    at: float


class KeptTeam(NamedTuple):
    """A team of a benchmark."""

    id: int
    benchmark: int
    name: str
    by: str
    at: float


class KeptEvent(NamedTuple):
    """What became of a benchmark, or of a submission to it, at a Unix time."""

    id: int
    kind: str
    submission: int | None
    by: str
    detail: str
    at: float


def add(connection: Connection, values: KeptBenchmark) -> int:
    """Append a benchmark, whatever its `id`; the one that it gets. A name that is taken is an IntegrityError."""
    row = values._asdict()
    del row["id"]
    return int(connection.execute(insert(t.benchmark).values(**row).returning(t.benchmark.c.id)).scalar_one())


def everything(connection: Connection) -> list[KeptBenchmark]:
    """Every benchmark, oldest first."""
    rows = connection.execute(select(*t.benchmark.c).order_by(t.benchmark.c.id))
    return [KeptBenchmark(*row) for row in rows]


def called(connection: Connection, name: str) -> KeptBenchmark | None:
    """The benchmark of a name."""
    row = connection.execute(select(*t.benchmark.c).where(t.benchmark.c.name == name)).first()
    return None if row is None else KeptBenchmark(*row)


def are_any(connection: Connection) -> bool:
    """Whether there is a benchmark."""
    return connection.execute(select(t.benchmark.c.id).limit(1)).first() is not None


_TEAM = [t.benchmark_team.c[name] for name in ("id", "benchmark_id", "name", "by", "at")]


def add_team(connection: Connection, benchmark: int, name: str, key: str, by: str, at: float) -> int:
    """Append a team; its id. A name that is taken, in the form in which names are compared, is an IntegrityError."""
    row = {"benchmark_id": benchmark, "name": name, "key": key, "by": by, "at": at}
    made = insert(t.benchmark_team).values(**row).returning(t.benchmark_team.c.id)
    return int(connection.execute(made).scalar_one())


def teams(connection: Connection, benchmark: int) -> list[KeptTeam]:
    """The teams of a benchmark, oldest first."""
    team = t.benchmark_team.c
    rows = connection.execute(select(*_TEAM).where(team.benchmark_id == benchmark).order_by(team.id))
    return [KeptTeam(*row) for row in rows]


def team_with_key(connection: Connection, benchmark: int, key: str) -> KeptTeam | None:
    """The team of a name, in the form in which names are compared."""
    team = t.benchmark_team.c
    row = connection.execute(select(*_TEAM).where(team.benchmark_id == benchmark, team.key == key)).first()
    return None if row is None else KeptTeam(*row)


def hold_team(connection: Connection, team: int) -> None:
    """Let no other transaction that calls this for a team go on before this one ends."""
    table = t.benchmark_team
    connection.execute(update(table).where(table.c.id == team).values(name=table.c.name))


def hold(connection: Connection, benchmark: int) -> None:
    """Let no other transaction that calls this for a benchmark go on before this one ends."""
    table = t.benchmark
    connection.execute(update(table).where(table.c.id == benchmark).values(title=table.c.title))


def add_token(connection: Connection, team: int, digest: str, by: str, at: float) -> None:
    """Append what a team submits with from now on, by its sha256."""
    connection.execute(insert(t.team_token).values(team_id=team, digest=digest, by=by, at=at))


def team_of_token(connection: Connection, benchmark: int, digest: str) -> KeptTeam | None:
    """The team whose newest token has this sha256."""
    token, team = t.team_token.c, t.benchmark_team.c
    newest = select(func.max(token.id)).group_by(token.team_id)
    joined = t.benchmark_team.join(t.team_token, token.team_id == team.id)
    asked = select(*_TEAM).select_from(joined).where(token.digest == digest, token.id.in_(newest))
    row = connection.execute(asked.where(team.benchmark_id == benchmark)).first()
    return None if row is None else KeptTeam(*row)


def add_member(connection: Connection, team: int, account: int, at: float) -> None:
    """Append that an account is of a team."""
    connection.execute(insert(t.team_member).values(team_id=team, account_id=account, at=at))


def team_of_account(connection: Connection, benchmark: int, account: int) -> KeptTeam | None:
    """The team that an account is of."""
    member, team = t.team_member.c, t.benchmark_team.c
    joined = t.benchmark_team.join(t.team_member, member.team_id == team.id)
    asked = select(*_TEAM).select_from(joined).where(member.account_id == account, team.benchmark_id == benchmark)
    row = connection.execute(asked).first()
    return None if row is None else KeptTeam(*row)


def say(
    connection: Connection, benchmark: int, kind: str, submission: int | None, by: str, detail: str, at: float
) -> int:
    """Append what became of a benchmark, or of a submission to it; the id of that."""
    row = {"benchmark_id": benchmark, "kind": kind, "submission_id": submission, "by": by, "detail": detail, "at": at}
    made = insert(t.benchmark_event).values(**row).returning(t.benchmark_event.c.id)
    return int(connection.execute(made).scalar_one())


def events(connection: Connection, benchmark: int) -> list[KeptEvent]:
    """All that became of a benchmark, oldest first."""
    event = t.benchmark_event.c
    columns = (event[name] for name in ("id", "kind", "submission_id", "by", "detail", "at"))
    rows = connection.execute(select(*columns).where(event.benchmark_id == benchmark).order_by(event.id))
    return [KeptEvent(*row) for row in rows]
